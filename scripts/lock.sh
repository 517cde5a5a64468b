#!/bin/sh
# Compile every lock file with hashes and without addresses; needs uv (pip install uv).
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "uv is needed: pip install uv" >&2; exit 1; }
compile() { uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-config "$@"; }
compile pyproject.toml --extra build -o requirements.lock
compile pyproject.toml --extra build --extra test -c requirements.lock -o requirements-test.lock
for extra in henan node; do
    sed -n "s/^$extra = \[\"\(.*\)\"\]/\1/p" pyproject.toml | compile - -o "requirements-$extra.lock"
done
