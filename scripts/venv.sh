#!/bin/sh
# Make .venv from the newest fit Python: $PYTHON, else python3, else a versioned one.
set -eu

fit() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null
}

python=
for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if fit "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Vitrine needs Python 3.11 or newer and found none."
    echo "Install one, or name it: make PYTHON=/path/to/python3.11"
    exit 1
fi

# Debian ships the venv module without the wheels that it bootstraps pip from.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        "$(dirname "$0")/apt.sh" "$package"
    else
        echo "$python cannot make virtual environments: its package $package is missing."
        echo "Install it and run make again:"
        echo "  sudo apt-get install $package"
        exit 1
    fi
fi

rm -rf .venv
"$python" -m venv .venv
