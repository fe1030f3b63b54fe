#!/usr/bin/env bash
# Builds the `base` root filesystem: one static busybox, its applets, the users root and vcap, and the web server of
# this directory as /bin/web. The same busybox gives the same tar, byte for byte.
#
#   docker/rootfs/build.sh <out.tar>
#   BUSYBOX=/path/to/busybox   the static busybox to pack (default: the one on PATH)
set -euo pipefail

out=${1:?usage: build.sh <out.tar>}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
busybox=${BUSYBOX:-$(command -v busybox || true)}

die() {
  printf 'rootfs: %s\n' "$*" >&2
  exit 1
}

[ -n "$busybox" ] && [ -x "$busybox" ] || die 'there is no busybox; install busybox-static or set BUSYBOX'
# Not piped into grep: it would end at the first match, and the writer's broken pipe would count as a failure.
if grep -q '=>' <<<"$(ldd "$busybox" 2>&1 || true)"; then
  die "$busybox needs shared libraries; install busybox-static or set BUSYBOX to a static one"
fi
grep -qx httpd <<<"$("$busybox" --list)" || die "$busybox has no httpd; use one that has"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
root=$work/root
mkdir -p "$root"/{bin,dev,etc,home/vcap,proc,root,run,sys,tmp,usr,var/tmp}
install -m 755 "$busybox" "$root/bin/busybox"
install -m 755 "$here/web" "$root/bin/web"
"$busybox" --list | while read -r applet; do
  [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"
done
ln -s bin "$root/sbin"
ln -s ../bin "$root/usr/bin"
ln -s ../bin "$root/usr/sbin"
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'vcap:x:2000:2000:vcap:/home/vcap:/bin/sh' >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'vcap:x:2000:' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'NAME="Rivera base"\nID=rivera-base\n' >"$root/etc/os-release"
chmod 700 "$root/root"
chmod 1777 "$root/tmp" "$root/var/tmp"

pack=(tar --create --format=ustar --sort=name --mtime=@0 --numeric-owner --no-recursion --directory="$root")
(cd "$root" && find . -mindepth 1 ! -path './home/vcap*' | LC_ALL=C sort) |
  "${pack[@]}" --owner=0 --group=0 --files-from=- --file="$work/root.tar"
tar --append --format=ustar --mtime=@0 --numeric-owner --owner=2000 --group=2000 --directory="$root" \
  --file="$work/root.tar" ./home/vcap
mv "$work/root.tar" "$out"
