"""Get what the tests need from the system: PostGIS, Chromium, a Chinese font, ogrinfo. Does nothing where all is there.

Without Chromium, and without the right to install it, the browser tests are skipped; this says so loudly,
and under CI=true it is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from api.doctor import has_chinese_font
from api.postgis_install import apt_install, apt_update, find_binaries, install_postgis, may_sudo
from api.settings import SettingsError, read_settings
from geo.errors import MissingResourceError
from layers.briefings.fonts import PACKAGES, missing_for_briefings


def say(line: str) -> None:
    """Print one line for people."""
    print(line, file=sys.stderr, flush=True)


def missing_packages() -> list[str]:
    """Return the packages that would bring what the browser and client tests lack."""
    missing = []
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        missing.append("chromium")
    if not has_chinese_font():
        missing += ["fontconfig", "fonts-noto-cjk"]
    # What prints briefings; a package of ours names them.
    if missing_for_briefings() is not None:
        missing += [name for name in PACKAGES if name not in missing]
    # GDAL's own client reads what we serve as any outside program would.
    if shutil.which("ogrinfo") is None:
        missing.append("gdal-bin")
    return missing


def install(packages: list[str]) -> None:
    """Install packages where we have the right to."""
    if shutil.which("apt-get") is None or not (os.geteuid() == 0 or may_sudo()):
        return
    prefix = () if os.geteuid() == 0 else ("sudo", "-n")
    say(f"安装 · installing {' '.join(packages)}")
    try:
        try:
            apt_install(packages, prefix=prefix)
        except subprocess.CalledProcessError:
            apt_update(prefix=prefix)
            apt_install(packages, prefix=prefix)
    except subprocess.SubprocessError as error:
        words = str(getattr(error, "stderr", None) or error).strip().splitlines()
        say(f"⚠ {words[-1] if words else 'apt-get failed'}")


def main() -> int:
    """Bring what is missing and return the exit code."""
    try:
        data_dir = read_settings().data_dir
        if find_binaries(data_dir) is None:
            install_postgis(data_dir, report=say)
    except (MissingResourceError, SettingsError) as error:
        say(f"✗ {error}")
        return 1
    missing = missing_packages()
    if missing:
        install(missing)
        missing = missing_packages()
    if not missing:
        return 0
    names = " ".join(missing)
    say("=" * 100)
    say(
        f"⚠ 浏览器测试将被跳过 · THE BROWSER TESTS WILL BE SKIPPED: install {names} (sudo apt-get install {names})"
    )
    say("=" * 100)
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
