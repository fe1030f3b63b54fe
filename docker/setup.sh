#!/usr/bin/env bash
# Brings a checkout to the point where `npm start`, `npm test` and `npm run bench` work: npm dependencies, build,
# a Redis server, a container engine, busybox and the base root file system. Run it as often as you like: it does only
# what is missing, and says nothing when nothing is.
#
#   --for-tests                   also what only tests need
#   RIVERA_SETUP_SKIP_INSTALL=1   never install system packages
#   REDIS_URL, STORE_REDIS_URL    your own Redis: none is needed here
#   DOCKER_HOST                   your own container engine: none is needed here
#
# Exit status: 0 unless the dependencies, the build or a Redis server cannot be had.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly STATE="$PWD/.rivera"
readonly BIN="$STATE/bin"
readonly STAMPS="$STATE/setup"
# Debian keeps dockerd, ip and iptables where an ordinary user's PATH does not look.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
mkdir -p "$BIN" "$STAMPS"

say() { printf 'setup: %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

die() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

digest() {
  if have sha256sum; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# The digest of all files below the given paths, names included.
digest_of_files() {
  find "$@" -type f ! -name '*.spec.ts' -print0 | LC_ALL=C sort -z |
    if have sha256sum; then xargs -0 sha256sum; else xargs -0 shasum -a 256; fi | digest
}

stamp_is() { [ "$(cat "$STAMPS/$1.stamp" 2>/dev/null)" = "$2" ]; }
stamp() { printf '%s\n' "$2" >"$STAMPS/$1.stamp"; }

# Two set-ups of one checkout at the same time would delete each other's dist/.
one_at_a_time() {
  if have flock; then
    exec 9>"$STAMPS/lock"
    flock 9
  fi
}

# --- Node -------------------------------------------------------------------------------------------------------------

check_node() {
  have node && have npm || die "Node.js and npm are missing. Install Node.js 20.19 or newer from https://nodejs.org."
  case "$(node --version)" in
    v20.19.* | v20.[2-9][0-9].* | v2[1-9].* | v[3-9][0-9].*) ;;
    *) die "Node.js $(node --version) is too old. Install 20.19 or newer from https://nodejs.org." ;;
  esac
}

npm_dependencies() {
  local lock
  lock=$(digest <package-lock.json)
  if [ -d node_modules ]; then
    if stamp_is npm "$lock"; then return; fi
    # Installed by hand, after the lock file was last changed.
    if [ ! -e "$STAMPS/npm.stamp" ] && [ node_modules/.package-lock.json -nt package-lock.json ]; then
      stamp npm "$lock"
      return
    fi
  fi
  say 'installing the npm dependencies (about a minute) ...'
  # Without the development dependencies there is no compiler, so NODE_ENV=production must not drop them. Install scripts
  # only build optional native parts that every package here can do without.
  npm ci --include=dev --ignore-scripts --no-audit --no-fund --loglevel=error ||
    die "npm ci failed (see above). It needs the npm registry; run 'npm run setup' again when it can be reached."
  stamp npm "$lock"
}

build() {
  local sources
  sources=$(digest_of_files apps libs package.json tsconfig.json tsconfig.build.json)
  if stamp_is build "$sources" && [ -e dist/apps/cli/src/main.js ]; then return; fi
  say 'building ...'
  npm run --silent build || die 'the build failed (see above).'
  stamp build "$sources"
}

# --- System packages --------------------------------------------------------------------------------------------------

is_root() { [ "$(id -u)" = 0 ]; }

as_root() { if is_root; then "$@"; else sudo -n "$@"; fi; }

may_install() {
  [ "${RIVERA_SETUP_SKIP_INSTALL:-}" != 1 ] && have apt-get && { is_root || { have sudo && sudo -n true 2>/dev/null; }; }
}

readonly POLICY=/usr/sbin/policy-rc.d
POLICY_IS_OURS=no
APT_UPDATED=no

# Debian starts a service as soon as its package is installed; Rivera starts its own Redis and its own engine.
forbid_service_starts() {
  if [ -e "$POLICY" ]; then return; fi
  POLICY_IS_OURS=yes
  trap allow_service_starts EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
  as_root chmod 755 "$POLICY"
}

allow_service_starts() {
  if [ "$POLICY_IS_OURS" = yes ]; then as_root rm -f "$POLICY"; fi
  POLICY_IS_OURS=no
}

apt_install_once() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Acquire::http::Timeout=20 -o Acquire::Retries=1 -o Dpkg::Use-Pty=0 "$1" >>"$STAMPS/apt.log" 2>&1
}

# Installs one Debian package; fails quietly, the callers say what is missing.
apt_install() {
  say "installing the system package $1 ..."
  forbid_service_starts
  local status=0
  if ! apt_install_once "$1"; then
    if [ "$APT_UPDATED" = no ]; then
      as_root apt-get update -qq -o Acquire::http::Timeout=20 >>"$STAMPS/apt.log" 2>&1 || true
      APT_UPDATED=yes
      apt_install_once "$1" || status=1
    else
      status=1
    fi
  fi
  allow_service_starts
  hash -r
  if [ $status != 0 ]; then say "could not install $1 (see .rivera/setup/apt.log)"; fi
  return $status
}

# --- Packages without root: downloaded and unpacked into .rivera/packages -----------------------------------------------

may_unpack() { [ "${RIVERA_SETUP_SKIP_INSTALL:-}" != 1 ] && have apt-get && have apt-cache && have dpkg; }

is_installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# The given packages and the shared libraries they need that this machine lacks.
with_missing_libraries() {
  local wanted=("$@") checked=' ' package dependency
  while [ ${#wanted[@]} -gt 0 ]; do
    package=${wanted[0]}
    wanted=("${wanted[@]:1}")
    case "$checked" in *" $package "*) continue ;; esac
    checked="$checked$package "
    printf '%s\n' "$package"
    while read -r dependency; do
      if ! is_installed "$dependency"; then wanted+=("$dependency"); fi
    done < <(apt-cache "${APT_OPTIONS[@]}" depends --important "$package" 2>/dev/null |
      awk '$1 == "Depends:" && $2 ~ /^(lib|lua|redis)/ { print $2 }')
  done
}

# unpack <folder> <package>...
unpack() {
  local into="$STATE/packages/$1" apt="$STATE/packages/apt" packages
  shift
  rm -rf "$into.part"
  mkdir -p "$into.part/deb" "$apt/lists/partial" "$apt/archives/partial"
  APT_OPTIONS=()
  if ! apt-get download --print-uris "$1" >/dev/null 2>&1; then
    # This machine holds no package lists and only root may fetch them: keep our own.
    APT_OPTIONS=(-o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt" -o Debug::NoLocking=1)
    apt-get "${APT_OPTIONS[@]}" update -qq -o Acquire::http::Timeout=20 >>"$STAMPS/apt.log" 2>&1 || return 1
  fi
  mapfile -t packages < <(with_missing_libraries "$@")
  (cd "$into.part/deb" && apt-get "${APT_OPTIONS[@]}" download -qq "${packages[@]}") >>"$STAMPS/apt.log" 2>&1 || return 1
  local deb
  for deb in "$into.part/deb/"*.deb; do dpkg -x "$deb" "$into.part" || return 1; done
  rm -rf "$into" "$into.part/deb"
  mv "$into.part" "$into"
}

# --- Redis ------------------------------------------------------------------------------------------------------------

# Prints a redis-server or valkey-server of version 7 or newer (the cells' access rules need its ACL syntax).
find_redis() {
  local candidate version
  for candidate in "$BIN/redis-server" redis-server valkey-server; do
    have "$candidate" || continue
    version=$("$candidate" --version 2>/dev/null | sed -n 's/.*v=\([0-9]*\).*/\1/p') || continue
    if [ "${version:-0}" -ge 7 ]; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

unpack_redis() {
  say 'downloading a Redis server into .rivera/packages ...'
  unpack redis redis-server redis-tools || return 1
  cat >"$BIN/redis-server" <<'WRAPPER'
#!/bin/sh
root=$(cd "$(dirname "$0")/../packages/redis" && pwd)
libraries=$(find "$root/usr/lib" "$root/lib" -name '*.so*' -exec dirname {} \; 2>/dev/null | sort -u | tr '\n' ':')
LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:-}" exec "$root/usr/bin/redis-server" "$@"
WRAPPER
  chmod 755 "$BIN/redis-server"
}

ensure_redis() {
  if [ -n "${REDIS_URL:-}${STORE_REDIS_URL:-}" ] || find_redis >/dev/null; then return; fi
  if may_install && apt_install redis-server && find_redis >/dev/null; then return; fi
  if may_unpack && unpack_redis && find_redis >/dev/null; then return; fi
  die "a Redis server (7 or newer) is missing. Install it (Debian, Ubuntu: apt-get install redis-server;" \
    "macOS: brew install redis), or set REDIS_URL to one you have."
}

# --- busybox and the base root file system --------------------------------------------------------------------------------

is_static() { ! ldd "$1" 2>/dev/null | grep -q '=>'; }

find_busybox() {
  local candidate
  for candidate in "$BIN/busybox" busybox.static busybox; do
    if have "$candidate" && is_static "$(command -v "$candidate")"; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

unpack_busybox() {
  say 'downloading busybox into .rivera/packages ...'
  unpack busybox busybox-static || return 1
  local found
  found=$(find "$STATE/packages/busybox" -type f -name busybox -perm -u+x | head -n 1)
  [ -n "$found" ] && ln -sfn "../${found#"$STATE/"}" "$BIN/busybox"
}

ensure_busybox() {
  if [ -x "$BIN/busybox" ]; then return; fi
  if [ "$(uname -s)" = Linux ] && ! find_busybox >/dev/null; then
    { may_install && apt_install busybox-static; } || { may_unpack && unpack_busybox; } || true
  fi
  if [ -x "$BIN/busybox" ]; then return; fi
  local found
  if found=$(find_busybox); then
    # The launcher looks here, so that both always mean the same file.
    ln -sfn "$found" "$BIN/busybox"
  else
    say "a static busybox is missing (Debian, Ubuntu: apt-get install busybox-static): no base root file system, no sample."
  fi
}

base_rootfs() {
  local tar="$STATE/rootfs/base.tar" sources
  if [ ! -x "$BIN/busybox" ]; then return; fi
  sources="$(digest_of_files docker/rootfs) $(digest <"$BIN/busybox")"
  if stamp_is rootfs "$sources" && [ -s "$tar" ]; then return; fi
  say 'building the base root file system ...'
  mkdir -p "$STATE/rootfs"
  if BUSYBOX="$BIN/busybox" bash docker/rootfs/build.sh "$tar.part"; then
    mv "$tar.part" "$tar"
    stamp rootfs "$sources"
  else
    rm -f "$tar.part"
    say 'the base root file system could not be built (see above): no sample.'
  fi
}

# --- Container engine -------------------------------------------------------------------------------------------------

container_engine() {
  if [ -n "${DOCKER_HOST:-}" ] || [ -w /var/run/docker.sock ]; then return; fi
  if ! is_root; then
    say "no container engine that you may use (start Docker, or set DOCKER_HOST): instances will run as plain processes."
    return
  fi
  local need program package
  for need in dockerd:docker.io iptables:iptables ip:iproute2; do
    program=${need%%:*} package=${need#*:}
    if ! have "$program" && ! { may_install && apt_install "$package"; }; then
      say "$program is missing (Debian, Ubuntu: apt-get install $package): instances will run as plain processes."
      return
    fi
  done
}

# Only tests of image pulls want it, and they are left out without it: one try is enough.
registry_for_tests() {
  if have docker-registry || [ -e "$STAMPS/registry.stamp" ] || ! have dockerd || ! may_install; then return; fi
  apt_install docker-registry || say 'docker-registry is missing: tests of pulling images are left out.'
  stamp registry tried
}

one_at_a_time
check_node
npm_dependencies
build
ensure_redis
ensure_busybox
base_rootfs
container_engine
if [ "${1:-}" = --for-tests ]; then registry_for_tests; fi
