"""Find what prints Chinese: WeasyPrint with its libraries of the system, and a font."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from geo.errors import MissingResourceError

if TYPE_CHECKING:
    from types import ModuleType

FAMILIES = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC")
"""Any of these will do; the same bytes need the same font."""
PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fontconfig", "fonts-noto-cjk")
"""Debian's names."""
INSTALL = f"sudo apt-get install {' '.join(PACKAGES)}"


def font_family() -> str | None:
    """Return the Chinese font that briefings are set in; None where fontconfig knows none of them."""
    fc_list = shutil.which("fc-list")
    if fc_list is None:
        return None
    done = subprocess.run([fc_list, ":lang=zh-cn", "family"], capture_output=True, timeout=60, check=False)
    known = {
        name.strip()
        for line in done.stdout.decode("utf-8", "replace").splitlines()
        for name in line.split(",")
    }
    return next((family for family in FAMILIES if family in known), None)


def _weasyprint() -> ModuleType | str:
    try:
        # Loads Pango when it is imported, and fails there and then where that is absent.
        return importlib.import_module("weasyprint")
    except (OSError, ImportError) as error:
        return str(error).splitlines()[0]


def weasyprint() -> Any:
    """Return WeasyPrint, ready to print Chinese.

    Raises
    ------
    MissingResourceError
        With the line that installs what is missing.
    """
    found = _weasyprint()
    if isinstance(found, str):
        raise MissingResourceError(f"PDF needs Pango, which is not on this machine ({found}): {INSTALL}")
    if font_family() is None:
        raise MissingResourceError(
            f"briefings need a Chinese font ({FAMILIES[0]}), and none is installed: {INSTALL}"
        )
    return found


def missing_for_briefings() -> str | None:
    """Return one sentence on what briefings lack on this machine; None where nothing is missing."""
    try:
        weasyprint()
    except MissingResourceError as error:
        return str(error)
    return None
