# lib.sh: shared by the scripts; sourced, not run.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
    echo "$(basename "$0"): $*" >&2
    exit 3
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo -E "$@"
    else
        die "packages are missing and neither root nor sudo is at hand; as root, run: apt-get install ${missing[*]}"
    fi
}

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages FILE...: what the lists name and the machine lacks.
install_packages() {
    local name
    command -v dpkg-query >/dev/null 2>&1 || die "this script installs Debian packages; elsewhere install what scripts/packages lists and run: cmake --preset release && cmake --build --preset release"
    missing=()
    while read -r name _; do
        case "$name" in '' | '#'*) continue ;; esac
        installed "$name" || missing+=("$name")
    done < <(cat "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing: ${missing[*]}" >&2
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
    if ! as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2; then
        as_root "${apt[@]}" update >&2 || die "apt-get update failed"
        as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 ||
            die "could not install: ${missing[*]}"
    fi
}

# build PRESET [TARGET...]
build() {
    local preset=$1
    shift
    [ -f "$top/build/$preset/build.ninja" ] || (cd "$top" && cmake --preset "$preset" >&2) || return
    (cd "$top" && cmake --build --preset "$preset" ${1:+--target "$@"} >&2)
}
