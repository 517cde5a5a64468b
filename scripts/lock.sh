#!/bin/sh
# Compile every lock file anew: hashes of every file, no addresses. uv comes into a place that is thrown away.
set -eu
cd "$(dirname "$0")/.."
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
python3 -m venv "$made/venv"
"$made/venv/bin/python" -m pip install -q --disable-pip-version-check uv

compile() {
    "$made/venv/bin/uv" pip compile -q --no-config --universal --python-version 3.11 \
        --generate-hashes --no-header --no-annotate "$@"
}
# The tests' lock first: it holds everything, and the product's lock then takes the same versions.
compile pyproject.toml --extra build --extra scale --extra test -o "$made/test.lock"
compile pyproject.toml --extra build --extra scale --extra test --extra bench -c "$made/test.lock" -o "$made/bench.lock"
compile pyproject.toml --extra build -c "$made/test.lock" -o "$made/run.lock"
for extra in henan node; do
    sed -n "s/^$extra = \[\"\(.*\)\"\]\$/\1/p" pyproject.toml >"$made/$extra.in"
    compile "$made/$extra.in" -o "$made/$extra.lock"
done
if grep -hE '://|--(extra-)?index-url|--find-links' "$made"/*.lock; then
    echo "✗ a lock holds an address; nothing was changed" >&2
    exit 1
fi
cp "$made/test.lock" requirements-test.lock
cp "$made/run.lock" requirements.lock
cp "$made/bench.lock" requirements-bench.lock
for extra in henan node; do
    cp "$made/$extra.lock" "requirements-$extra.lock"
done
