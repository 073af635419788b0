# shellcheck shell=bash
# Sourced by the scripts beside it: toolchains and targets, installed where the machine lacks them.
#
# rustup's toolchain is taken where it has what is needed. Where rustup can fetch nothing, Debian's packages serve.

# The repository's root.
# shellcheck disable=SC2034  # used by those who source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# What is set for other builds must neither change nor break this one.
isolate_build() {
    unset RUSTC RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTC_BOOTSTRAP CARGO_INCREMENTAL
    local name
    while IFS= read -r name; do
        case $name in
            CARGO_BUILD_* | CARGO_PROFILE_* | CARGO_TARGET_* | CARGO_UNSTABLE_*) unset "$name" ;;
        esac
    done < <(compgen -e)
}

# has_target TARGET: whether rustup's toolchain holds the standard library for the target.
has_target() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# A source of packages that cannot be reached matters only if what is needed is in no other.
update_package_lists() {
    as_root apt-get update || echo "${0##*/}: apt-get update failed; going on with the lists at hand" >&2
}

# install_packages PACKAGE...: those of Debian's packages that are missing.
install_packages() {
    local package missing=()
    for package; do
        if ! dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
            missing+=("$package")
        fi
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "${0##*/}: there is no apt-get to install ${missing[*]} with" >&2
        return 1
    fi
    update_package_lists
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"
}

# need_debian_toolchain TARGET: makes sure that `debian_cargo` can build for the target, which rustup's toolchain lacks.
need_debian_toolchain() {
    install_packages rustc-web cargo-web rust-web-src || fail "the target is missing: rustup target add $1"
}

# debian_cargo ARGUMENT...: Debian's cargo, which builds the standard library when it is told to (`-Zbuild-std`).
debian_cargo() {
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo "$@"
}
