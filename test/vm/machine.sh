# Sourced by the scripts of this folder: where the prepared files of the guest lie, and how a script gives up.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
cache=${SELVEDGE_VM_CACHE:-$top/.cache/vm}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd -P)

say() { printf 'vm: %s\n' "$*" >&2; }
# 125: the guest, not the command, is at fault.
die() { say "$@"; exit 125; }

# Installs packages when one of their programs is missing: `installed package=program …`.
installed() {
  local entry missing=()
  for entry in "$@"; do command -v "${entry#*=}" >/dev/null || missing+=("${entry%%=*}"); done
  [ "${#missing[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "install these packages (Debian's names): ${missing[*]}"
  [ "$(id -u)" = 0 ] || die "these packages are missing and only root can install them: ${missing[*]}"
  say "installing ${missing[*]}"
  local log=$cache/apt.log
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "apt-get could not install: ${missing[*]}"; }
}

# Fetches a package of the machine's distribution into the current directory, without installing it: `fetched NAME[=VERSION]…`.
fetched() {
  # apt complains that its own user cannot write here, and fetches all the same.
  apt-get download -qq "$@" 2>"$cache/apt.log" || { cat "$cache/apt.log" >&2; die "apt-get could not download: $*"; }
}

# The first dependency of a package that matches a pattern: `dependency PACKAGE PATTERN`.
dependency() { apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \($2\)\$/\1/p" | head -n 1; }
