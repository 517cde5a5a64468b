#!/bin/sh
# Install what the tests need from the system: PostGIS, Chromium, a Chinese font. Does nothing where all is there.
set -eu
missing=""
ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1 || missing="$missing postgresql postgresql-postgis"
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing="$missing chromium"
{ command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh)" ]; } || missing="$missing fontconfig fonts-noto-cjk"
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null; then
    echo "缺少 · missing:$missing (no apt-get here; the tests that need them will say so)" >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then root=""; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then root="sudo -n"; else
    echo "缺少且无权安装 · missing, and no right to install:$missing" >&2
    exit 0
fi
echo "安装 · installing:$missing" >&2
$root apt-get update -qq
# PostgreSQL itself comes by the product's own road (api.postgis_install), which the tests use as well.
wanted=$(printf '%s\n' $missing | grep -v '^postgresql' || true)
# shellcheck disable=SC2086 # words on purpose
[ -z "$wanted" ] || $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $wanted >/dev/null
