#!/bin/sh
# Make .venv and install what the named lock files list, checked against their hashes; a second call does nothing.
# Usage: scripts/venv.sh requirements.lock ['requirements-henan.lock?' ...]
# A lock with a trailing ? is optional: where it cannot be had, a warning is all.
# PYTHON=... chooses the interpreter; otherwise the first of python3, python3.14 ... python3.11 that is new enough.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
stamps=.venv/.installed
# Settings of a person's own pip must not decide where things go; a library of theirs must not be found first.
unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER PIP_REQUIRE_VIRTUALENV PIP_REQUIRE_HASHES PIP_NO_DEPS || true
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0 PYTHONUNBUFFERED=1

say() { printf '%s\n' "$*" >&2; }
fail() { say "✗ $*"; exit 1; }

# --- which rights there are ---------------------------------------------------------------------------------------

is_root() { [ "$(id -u)" = 0 ]; }
may_install() { command -v apt-get >/dev/null && { is_root || sudo -n true 2>/dev/null; }; }
as_root() { if is_root; then "$@"; else sudo -n "$@"; fi; }
install_package() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$1" >/dev/null 2>&1 ||
        { as_root apt-get update -q >/dev/null 2>&1 &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$1" >/dev/null 2>&1; }
}

# --- the interpreter ----------------------------------------------------------------------------------------------

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" || fail "PYTHON 须为 3.11 以上 · PYTHON must name a Python 3.11 or newer"
        python=$PYTHON
        return
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        found=$(command -v "$name") || continue
        # An activated .venv of ours is about to be removed.
        case $found in "$here/.venv/"*) continue ;; esac
        if is_new_enough "$found"; then
            python=$found
            return
        fi
    done
    fail "需要 Python 3.11 以上 · Python 3.11 or newer is needed: sudo apt-get install python3 python3-venv"
}

# --- the virtual environment --------------------------------------------------------------------------------------

# Debian keeps pip's wheel in a package of its own. Without the right to install it, it is fetched, unpacked and used.
unpack_pip() {
    command -v apt-get >/dev/null || return 1
    (
        cd "$1"
        if ! apt-get download -q python3-pip-whl; then
            # No list of packages here, or one too old: read one into a folder of ours.
            mkdir -p lists/partial cache/archives/partial
            set -- -o "Dir::State::Lists=$1/lists" -o "Dir::Cache=$1/cache"
            apt-get "$@" update -q && apt-get "$@" download -q python3-pip-whl
        fi
        dpkg-deb -x python3-pip-whl_*.deb root
    ) >/dev/null 2>&1
}

venv_from_wheel() {
    made=$(mktemp -d)
    wheel=""
    if unpack_pip "$made"; then
        wheel=$(find "$made/root" -name 'pip-*.whl' | head -n 1)
    fi
    result=1
    if [ -n "$wheel" ] && "$python" -m venv --without-pip .venv >/dev/null 2>&1; then
        .venv/bin/python "$wheel/pip" install -q --no-index --no-cache-dir "$wheel" >/dev/null 2>&1 && result=0
    fi
    rm -rf "$made"
    return $result
}

make_venv() {
    find_python
    say "建立虚拟环境 · making .venv with $("$python" --version 2>&1)"
    rm -rf .venv
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        rm -rf .venv
        if may_install; then
            say "安装 $package · installing $package"
            install_package "$package" && "$python" -m venv .venv >/dev/null 2>&1 || rm -rf .venv
        fi
        if [ ! -d .venv ]; then
            say "从 Debian 的 wheel 取得 pip · fetching pip's wheel, no rights needed"
            venv_from_wheel || {
                rm -rf .venv
                fail "无法建立虚拟环境 · no virtual environment can be made; install it with: sudo apt-get install $package"
            }
        fi
    fi
    mkdir -p "$stamps"
    printf '%s\n' "$here" >"$stamps/home"
}

# Scripts in .venv hold its path: one that was moved, cut off half made, or lost its interpreter is made anew.
is_sound() {
    [ -x .venv/bin/python ] && .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || return 1
    if [ -f "$stamps/home" ]; then
        [ "$(cat "$stamps/home")" = "$here" ]
    else
        .venv/bin/python -m pip --version 2>/dev/null | grep -qF "$here/.venv/" && mkdir -p "$stamps" &&
            printf '%s\n' "$here" >"$stamps/home"
    fi
}

# --- the packages -------------------------------------------------------------------------------------------------

# Show that something moves: a counter on a terminal, nothing elsewhere. What pip says is kept for the case it fails.
counted() { # counted TOTAL
    n=0
    : >"$stamps/log"
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$stamps/log"
        [ -t 2 ] || continue
        case $line in
            "Collecting "*) n=$((n + 1)); line=${line#Collecting } ;;
            "Requirement already satisfied: "*) n=$((n + 1)); line=${line#*: } ;;
            "Installing collected packages"*) line="正在安装 · installing" n=$1 ;;
            *) continue ;;
        esac
        printf '\r\033[K  %d/%d %.60s' "$n" "$1" "${line%%[=<>!;[]*}" >&2
    done
    [ ! -t 2 ] || printf '\r\033[K' >&2
}

run_pip() { # run_pip TOTAL ARGUMENTS...
    total=$1
    shift
    rm -f "$stamps/failed"
    { .venv/bin/python -m pip install --progress-bar off "$@" 2>&1 || : >"$stamps/failed"; } | counted "$total"
    [ ! -e "$stamps/failed" ]
}

is_installed() { cmp -s "${1%\?}" "$stamps/${1%\?}"; }

# An optional lock that failed is tried again after a day, so that a machine without internet starts as fast as any.
is_given_up() {
    [ "${1%\?}" != "$1" ] && [ -n "$(find "$stamps/${1%\?}.failed" -mmin -1440 2>/dev/null)" ]
}

warn_of_given_up() {
    for each in "$@"; do
        is_installed "$each" || ! is_given_up "$each" ||
            say "⚠ 缺少可选的 ${each%\?}，继续 · going on without ${each%\?}; to try again: rm '$stamps/${each%\?}.failed'"
    done
}

why() {
    grep -E '^ *(ERROR|error|error:|×) ?' "$stamps/log" | tail -n 3 >&2 || tail -n 3 "$stamps/log" >&2
}

install_lock() {
    if is_installed "$1" || is_given_up "$1"; then return; fi
    lock=${1%\?}
    count=$(grep -c '^[A-Za-z0-9]' "$lock")
    say "安装 $lock（$count 个包）· installing $count packages of $lock"
    if [ "$lock" = "$1" ]; then
        run_pip "$count" --require-hashes -r "$lock" || {
            why
            fail "$lock 安装失败 · $lock could not be installed; the lines above say why (all: $stamps/log)"
        }
    else
        run_pip "$count" --retries 1 --timeout 20 --require-hashes -r "$lock" || {
            why
            : >"$stamps/$lock.failed"
            return 0
        }
    fi
    cp "$lock" "$stamps/$lock.part"
    mv "$stamps/$lock.part" "$stamps/$lock"
}

install_project() {
    cmp -s pyproject.toml "$stamps/pyproject.toml" && return
    run_pip 1 --no-deps --no-build-isolation --no-index -e . || {
        why
        fail "项目自身安装失败 · the project itself could not be installed (all: $stamps/log)"
    }
    cp pyproject.toml "$stamps/pyproject.toml.part"
    mv "$stamps/pyproject.toml.part" "$stamps/pyproject.toml"
}

all_installed() {
    for each in "$@"; do
        is_installed "$each" || is_given_up "$each" || return 1
    done
    cmp -s pyproject.toml "$stamps/pyproject.toml"
}

if is_sound && all_installed "$@"; then
    warn_of_given_up "$@"
    exit 0
fi
# Two set-ups at once would trip over each other; the lock is this very file and ends with the process.
if command -v flock >/dev/null; then
    exec 9<"$here/scripts/venv.sh"
    flock -n 9 || { say "等待另一个安装过程 · waiting for another set-up"; flock 9; }
fi
is_sound || make_venv
for each in "$@"; do
    install_lock "$each"
done
install_project
warn_of_given_up "$@"
