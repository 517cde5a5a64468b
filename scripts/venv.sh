#!/bin/sh
# Make .venv and install what the named lock files list, with hashes; a second call does nothing.
# Usage: scripts/venv.sh requirements.lock [requirements-henan.lock? ...]   (a trailing ? marks an optional one)
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
may_install() { [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    say "需要 Python 3.11 以上 · Python 3.11 or newer is needed: sudo apt-get install python3 python3-venv"
    exit 1
}

# Debian splits pip out of Python: without the right to install it, its wheel is fetched and used from where it lies.
venv_from_wheel() {
    command -v apt-get >/dev/null || return 1
    made=$(mktemp -d)
    (cd "$made" && apt-get download -qq python3-pip-whl >/dev/null 2>&1 && dpkg-deb -x python3-pip-whl_*.deb root) || return 1
    wheel=$(find "$made/root" -name 'pip-*.whl' | head -n 1)
    [ -n "$wheel" ] || return 1
    "$python" -m venv --without-pip .venv && .venv/bin/python "$wheel/pip" install -q --no-index "$wheel"
    rm -rf "$made"
}

make_venv() {
    say "建立 .venv · making .venv"
    rm -rf .venv
    "$python" -m venv .venv >/dev/null 2>&1 && return
    rm -rf .venv
    if command -v apt-get >/dev/null && may_install; then
        say "安装 python3-venv · installing python3-venv"
        as_root apt-get update -qq >/dev/null
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
        "$python" -m venv .venv && return
    fi
    rm -rf .venv
    venv_from_wheel || {
        rm -rf .venv
        say "无法建立虚拟环境 · no virtual environment could be made: sudo apt-get install python3-venv"
        exit 1
    }
}

install_lock() {
    lock=${1%\?}
    stamp=".venv/.installed-$lock"
    cmp -s "$lock" "$stamp" 2>/dev/null && return
    say "安装 $lock · installing $lock (几分钟 · takes minutes the first time)"
    if .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"; then
        cp "$lock" "$stamp"
    elif [ "$lock" = "$1" ]; then
        say "安装失败 · $lock could not be installed; the lines above say why"
        exit 1
    else
        say "未能安装可选组件 · the optional $lock could not be installed; going on without it"
    fi
}

[ -x .venv/bin/python ] && .venv/bin/python -c 'import pip' 2>/dev/null || { python=$(find_python); make_venv; }
for lock in "$@"; do install_lock "$lock"; done

project=".venv/.installed-project"
if ! cmp -s pyproject.toml "$project"; then
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
    cp pyproject.toml "$project"
fi
