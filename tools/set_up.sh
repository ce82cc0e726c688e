#!/bin/sh
# Makes the virtual environment $1 with the package in it, editable, and all that its tests need.
# As root on Debian it installs python3-venv where that is missing; nobody else's machine is changed outside this folder.
set -eu
venv=$1

usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for python in ${PYTHON:-} python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if usable "$python"; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

if ! python=$(find_python); then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing python3-venv"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends python3 python3-venv >/dev/null
    fi
    if ! python=$(find_python); then
        echo "Python 3.11 or later with its venv module is needed and was not found." >&2
        echo "next: apt-get install python3-venv    (or: make PYTHON=/path/to/python3.12 ...)" >&2
        exit 1
    fi
fi

echo "setting up $venv (once; about a minute)"
# An environment whose interpreter is gone, or that was copied from another folder, is made anew.
if [ "$("$venv/bin/python" -c 'import sys; print(sys.prefix)' 2>/dev/null)" != "$(pwd -P)/$venv" ]; then
    "$python" -m venv --clear "$venv"
fi
"$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-input -e '.[dev]'
