#!/bin/sh
# Pin every dependency of pyproject.toml with its hashes; `lock.sh --upgrade` moves the pins.
# Local package folders and settings are left out, so that the hashes are the public index's
# and no lock names a host.
set -eu
export PIP_CONFIG_FILE=/dev/null PIP_DISABLE_PIP_VERSION_CHECK=1
unset PIP_FIND_LINKS PIP_EXTRA_INDEX_URL || true
tools=.cache/lock
[ -x "$tools/bin/pip-compile" ] || {
    .venv/bin/python -m venv "$tools"
    "$tools/bin/python" -m pip install -q "pip-tools==7.6.2"
}

# What pyproject.toml asks for: `wanted ""` the runtime, `wanted dev` a group.
wanted() {
    .venv/bin/python - "$1" <<'END'
import sys
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)
group = sys.argv[1]
names = project["dependency-groups"][group] if group else project["project"]["dependencies"]
print("\n".join(names))
END
}

# lock GROUP FILE [OPTION...]
lock() {
    group=$1
    file=$2
    shift 2
    wanted "$group" | "$tools/bin/pip-compile" --quiet --no-config \
        --generate-hashes --allow-unsafe --strip-extras --annotation-style=line \
        --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
        --no-emit-options --output-file "$file" "$@" -
    # The input came through a pipe: say where it is from.
    sed -i -e 's/-r -$/pyproject.toml/; s/-r -,/pyproject.toml,/' "$file"
    echo "$file: $(grep -c '^[a-z].*==' "$file") packages"
}

lock "" requirements.lock "$@"
lock build requirements-build.lock "$@"
lock node requirements-node.lock "$@"
lock dev requirements-dev.lock --constraint requirements.lock --constraint requirements-build.lock "$@"
