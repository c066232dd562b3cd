#!/usr/bin/env bash
# Writes the lock files anew from setup.py: pinned, with the hashes of every published file.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
.venv/bin/python -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check pip-tools
export CUSTOM_COMPILE_COMMAND="make lock"

compile() {
    "$scratch/venv/bin/pip-compile" --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe \
        --no-emit-find-links --no-emit-index-url "$@"
}

echo "setuptools>=77" >"$scratch/build.in"
compile --no-annotate -o requirements-build.lock "$scratch/build.in"
compile -o requirements.lock setup.py
compile --extra test --extra dev -c requirements.lock -o requirements-test.lock setup.py
compile --extra test --extra dev --extra bench -c requirements-test.lock -o requirements-bench.lock setup.py
