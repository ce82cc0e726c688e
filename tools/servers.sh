#!/bin/sh
# The programs of the system that some tests start.
#   install     installs what is missing
#   for-tests   as root with apt: the same; else lists what is missing, whose tests are then skipped.
#               In CI (CI=true) a program that is missing after that is a failure.
set -eu
# One word a program: its name, and the package that has it.
PROGRAMS='strace:strace tmux:tmux faketime:faketime git:git openssl:openssl kubectl:kubernetes-client
    initdb:postgresql prometheus:prometheus prometheus-alertmanager:prometheus-alertmanager
    prometheus-pushgateway:prometheus-pushgateway redis-server:redis-server nginx:nginx-light
    mariadbd:mariadb-server-core npm:npm'
# What npm installs into this folder of the project.
SERVERS=.servers
NPM_PROGRAMS='cosmosdb-server:@vercel/cosmosdb-server'
PATH="$PATH:/usr/sbin:$(printf '%s:' /usr/lib/postgresql/*/bin)$PWD/$SERVERS/node_modules/.bin"

missing_of() {
    for pair in $1; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair##*:}"
    done | sort -u | tr '\n' ' ' | sed 's/ *$//'
}
missing_packages() { missing_of "$PROGRAMS"; }
missing_by_npm() { missing_of "$NPM_PROGRAMS"; }
missing() { echo "$(missing_packages) $(missing_by_npm)" | sed 's/^ *//; s/ *$//'; }

has_apt() { command -v apt-get >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

install_by_npm() {
    [ -n "$(missing_by_npm)" ] || return 0
    echo "installing $(missing_by_npm) into $SERVERS"
    mkdir -p "$SERVERS"
    # shellcheck disable=SC2046
    npm install --silent --no-fund --no-audit --prefix "$SERVERS" $(missing_by_npm)
}

# The first argument goes before the command: nothing, or sudo.
install_missing() {
    [ -n "$(missing_packages)" ] || return 0
    echo "installing $(missing_packages)"
    # The words of the list are meant to be split.
    # shellcheck disable=SC2046
    $1 env DEBIAN_FRONTEND=noninteractive sh -ec '
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null' install $(missing_packages)
}

[ -n "$(missing)" ] || exit 0
case ${1:-} in
    install)
        if has_apt && is_root; then
            install_missing ''
        elif has_apt && command -v sudo >/dev/null 2>&1; then
            install_missing sudo
        elif [ -n "$(missing_packages)" ]; then
            echo "no apt-get, or neither root nor sudo: $(missing_packages) must be installed by other means" >&2
            exit 1
        fi
        install_by_npm
        ;;
    for-tests)
        if has_apt && is_root; then
            install_missing '' || echo "apt-get could not install all of it" >&2
        fi
        if command -v npm >/dev/null 2>&1; then
            install_by_npm || echo "npm could not install all of it" >&2
        fi
        [ -n "$(missing)" ] || exit 0
        if [ "${CI:-}" = true ]; then
            echo "missing: $(missing); in CI that is a failure" >&2
            exit 1
        fi
        echo "missing: $(missing); the tests that need it are skipped; next: make servers" >&2
        ;;
    *)
        echo "usage: $0 install|for-tests" >&2
        exit 2
        ;;
esac
