#!/bin/sh
# The programs of the system that some tests start.
#   install     installs what is missing
#   for-tests   as root with apt: the same; else lists what is missing, whose tests are then skipped.
#               In CI (CI=true) a program that is missing after that is a failure.
set -eu
# One word a program: its name, and the package that has it.
PROGRAMS='strace:strace tmux:tmux faketime:faketime'

missing_packages() {
    for pair in $PROGRAMS; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair##*:}"
    done | sort -u | tr '\n' ' ' | sed 's/ *$//'
}

has_apt() { command -v apt-get >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

# The first argument goes before the command: nothing, or sudo.
install_missing() {
    echo "installing $(missing_packages)"
    # The words of the list are meant to be split.
    # shellcheck disable=SC2046
    $1 env DEBIAN_FRONTEND=noninteractive sh -ec '
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null' install $(missing_packages)
}

[ -n "$(missing_packages)" ] || exit 0
case ${1:-} in
    install)
        if has_apt && is_root; then
            install_missing ''
        elif has_apt && command -v sudo >/dev/null 2>&1; then
            install_missing sudo
        else
            echo "no apt-get, or neither root nor sudo: $(missing_packages) must be installed by other means" >&2
            exit 1
        fi
        ;;
    for-tests)
        if has_apt && is_root; then
            install_missing '' || echo "apt-get could not install all of it" >&2
        fi
        [ -n "$(missing_packages)" ] || exit 0
        if [ "${CI:-}" = true ]; then
            echo "missing: $(missing_packages); in CI that is a failure" >&2
            exit 1
        fi
        echo "missing: $(missing_packages); the tests that need it are skipped; next: make servers" >&2
        ;;
    *)
        echo "usage: $0 install|for-tests" >&2
        exit 2
        ;;
esac
