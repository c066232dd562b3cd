#!/usr/bin/env bash
# Makes .venv: locked and hashed dependencies, this package in editable form, the Delta jars.
# Usage: tools/setup.sh [runtime|test|bench]. What is done already is not done again, and then no network is needed.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:-runtime}
case $kind in
    runtime) lock=requirements.lock ;;
    test) lock=requirements-test.lock ;;
    bench) lock=requirements-bench.lock ;;
    *) echo "Usage: tools/setup.sh [runtime|test|bench]" >&2; exit 2 ;;
esac
log=.venv/setup.log
needed_mb=2500

stop() {
    echo "Set-up stopped: $*" >&2
    exit 2
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    stop "no Python 3.11 or later was found; install one (e.g. apt-get install python3 python3-venv) or name it: make setup PYTHON=/path/to/python3.11"
}

# What went wrong, in one sentence, from the log of the step that failed.
explain() {
    local step=$1
    if grep -qiE 'no space left on device|errno 28' "$log"; then
        stop "the disk is full while $step; free about $needed_mb MB under $PWD and try again."
    elif grep -qiE 'failed to establish a new connection|name resolution|network is unreachable|connection (refused|timed out|reset|broken)|read timed out|newconnectionerror|proxyerror|max retries exceeded|could not find a version|sslerror|certificate_verify_failed' "$log"; then
        stop "the Python packages could not be fetched; the first set-up needs the network (or a mirror in PIP_INDEX_URL): connect and try again. Details: $log"
    elif grep -qiE 'do not match the hashes' "$log"; then
        stop "a package is not the one that was locked; do not use that mirror. Details: $log"
    fi
    tail -n 5 "$log" >&2
    stop "$step failed; details are in $log"
}

pip_install() {
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --no-build-isolation "$@" >>"$log" 2>&1
}

# The same only if neither the locks, the metadata, the interpreter nor the folder changed: a venv cannot be moved.
fingerprint() {
    { cat requirements-build.lock "$lock" setup.py lib/personalake/__init__.py; "$python" --version; pwd; } | sha256sum | cut -d' ' -f1
}

install_packages() {
    local free_mb
    free_mb=$(df -Pm . | awk 'NR == 2 { print $4 }')
    if [ ! -x .venv/bin/python ] && [ "$free_mb" -lt "$needed_mb" ]; then
        stop "$free_mb MB are free under $PWD, but the virtual environment needs about $needed_mb MB; free some and try again."
    fi
    echo "Installing the locked Python packages into .venv (the first time some minutes)"
    mkdir -p .venv 2>/dev/null || stop "$PWD cannot be written; set up in a folder of your own."
    : >"$log"
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        "$python" -m venv .venv >>"$log" 2>&1 || {
            grep -qi 'ensurepip' "$log" &&
                stop "$python cannot make a virtual environment; install its venv module (e.g. apt-get install python3-venv)."
            explain "making the virtual environment"
        }
    fi
    pip_install --require-hashes -r requirements-build.lock || explain "installing the build tools"
    pip_install --require-hashes -r "$lock" || explain "installing the dependencies"
    pip_install --no-deps -e . || explain "installing the package"
}

python=$(find_python) || exit 2
PYTHONPATH=lib "$python" -m personalake.store.machine || exit 2

wanted=$(fingerprint)
if [ "$(cat ".venv/.ready-$kind" 2>/dev/null)" != "$wanted" ]; then
    install_packages
    echo "$wanted" >".venv/.ready-$kind"
fi
.venv/bin/python -m personalake.store.fetch || exit 2
if [ "$kind" = test ]; then
    .venv/bin/python -m personalake.store.fetch kafka postgresql || echo "The tests that need these jars will be skipped." >&2
fi
