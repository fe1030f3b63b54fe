/**
 * What an added process is started through, with the sandbox's busybox as shell. The engine's exec can neither limit
 * open files nor begin in the user's home, it does not say when the process has begun, and reports a program it could
 * not start as output of that program. So this script prepares, says `<token> <process id>` on stderr, and becomes the
 * program; an end without that line is a start that failed, and what was written says why.
 *
 * A directory that is not there is made if the user may, else the process begins in `/` (as in guardian). The program is
 * searched here, because this shell would prefer its own applets to what is on PATH.
 *
 * Arguments: token, directory or '', open files or '', program, its arguments.
 */
export const EXEC_SCRIPT = `
token=$1 dir=\${2:-\${HOME:-/}} nofile=$3 name=$4 program=
shift 4
fail() { printf '%s\\n' "$1" >&2; exit 127; }
cd "$dir" 2>/dev/null || { mkdir -p "$dir" && cd "$dir"; } 2>/dev/null || cd /
[ -z "$nofile" ] || ulimit -n "$nofile" || fail "the limit of $nofile open files cannot be set"
case $name in
  */*) program=$name ;;
  *)
    IFS=:
    for place in $PATH; do
      [ -f "$place/$name" ] && [ -x "$place/$name" ] && program=$place/$name && break
    done
    unset IFS
    ;;
esac
[ -f "$program" ] && [ -x "$program" ] || fail "exec: \\"$name\\": no such executable file"
unset OLDPWD
printf '%s %s\\n' "$token" "$$" >&2
exec "$program" "$@"
`;
