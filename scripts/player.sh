#!/bin/sh
# Install the pages' npm packages, exactly as locked, with the system's Node or,
# where there is none that is new enough, with the one from PyPI: `player.sh [--omit=dev]`.
set -eu

fit() {
    command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 &&
        node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)'
}

PATH=$PWD/.venv/bin:$PATH
export PATH
if ! fit; then
    .venv/bin/python -m pip install --no-deps --require-hashes -r requirements-node.lock
fi
cd player
npm ci --ignore-scripts --no-audit --no-fund "$@"
