#!/bin/sh
# The programs of the system that some tests start: servers, and tools such as strace.
#   install     installs what is missing, as root or by sudo
#   for-tests   as root with apt: the same; else lists what is missing, whose tests are then skipped.
#               In CI (CI=true) a program that is missing after that is a failure.
# Whoever it is: what comes by npm goes into this folder. Nothing that is installed is started, now or at the next boot.
set -eu
# One word a program: its name, and the package that has it.
PROGRAMS='strace:strace tmux:tmux faketime:faketime git:git openssl:openssl kubectl:kubernetes-client
    initdb:postgresql prometheus:prometheus prometheus-alertmanager:prometheus-alertmanager
    prometheus-pushgateway:prometheus-pushgateway redis-server:redis-server nginx:nginx-light
    mariadbd:mariadb-server-core node:nodejs'
# What npm installs into this folder of the project, and how npm itself comes where it does.
SERVERS=.servers
NPM_PROGRAMS='cosmosdb-server:@vercel/cosmosdb-server'
NPM='npm:npm'
# Where servers lie that are in nobody's PATH.
FOLDERS=${RUNBOOK_TEST_SERVER_FOLDERS-/usr/sbin:$(printf '%s:' /usr/lib/postgresql/*/bin)}
PATH="$PATH:$FOLDERS:$PWD/$SERVERS/node_modules/.bin"
# Debian asks this program before a package starts its service; 101 is no.
POLICY=${RUNBOOK_TEST_POLICY-/usr/sbin/policy-rc.d}

missing_of() {
    for pair in $1; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair##*:}"
    done | sort -u | tr '\n' ' ' | sed 's/ *$//'
}
missing_by_npm() { missing_of "$NPM_PROGRAMS"; }
missing_packages() {
    if [ -n "$(missing_by_npm)" ]; then missing_of "$PROGRAMS $NPM"; else missing_of "$PROGRAMS"; fi
}
missing() { echo "$(missing_packages) $(missing_by_npm)" | sed 's/^ *//; s/ *$//'; }

has_apt() { command -v apt-get >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

install_by_npm() {
    [ -n "$(missing_by_npm)" ] || return 0
    if ! command -v npm >/dev/null 2>&1; then
        echo "without npm there is no $(missing_by_npm)" >&2
        return 1
    fi
    echo "installing $(missing_by_npm) into $SERVERS"
    mkdir -p "$SERVERS"
    # shellcheck disable=SC2046
    npm install --silent --no-fund --no-audit --prefix "$SERVERS" $(missing_by_npm)
}

# Run as root, perhaps in another process: $1 is the policy's path, the rest are packages. One that cannot be had does
# not keep the others away. Services that came with them are left switched off; those that were there are not touched.
AS_ROOT='
policy=$1; shift
if [ ! -e "$policy" ]; then
    trap "rm -f \"\$policy\"" EXIT
    trap "exit 130" HUP INT TERM
    printf "#!/bin/sh\nexit 101\n" >"$policy"
    chmod 755 "$policy"
fi
get() { apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
apt-get update -qq || echo "apt-get could not fetch the newest lists" >&2
all=yes
get "$@" || for package; do get "$package" || all=no; done
if command -v systemctl >/dev/null 2>&1; then
    for package; do systemctl disable --quiet "${package%-light}.service" >/dev/null 2>&1 || true; done
fi
[ "$all" = yes ]'

# The first argument goes before the command: nothing, or sudo.
install_missing() {
    [ -n "$(missing_packages)" ] || return 0
    echo "installing $(missing_packages)"
    # The words of the list are meant to be split.
    # shellcheck disable=SC2046
    $1 env DEBIAN_FRONTEND=noninteractive sh -c "$AS_ROOT" install "$POLICY" $(missing_packages)
}

[ -n "$(missing)" ] || exit 0
case ${1:-} in
    install)
        failed=no
        if has_apt && is_root; then
            install_missing '' || failed=yes
        elif has_apt && command -v sudo >/dev/null 2>&1; then
            install_missing sudo || failed=yes
        elif [ -n "$(missing_packages)" ]; then
            echo "no apt-get, or neither root nor sudo: $(missing_packages) must be installed by other means" >&2
            failed=yes
        fi
        install_by_npm || failed=yes
        if [ "$failed" = yes ]; then
            echo "still missing: $(missing)" >&2
            exit 1
        fi
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
