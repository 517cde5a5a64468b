"""Say where compiled kernels are kept: in the data directory, so that also code in a read-only place starts warm."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from pathlib import Path

import geo
from geo.errors import HuxianError

VARIABLE = "NUMBA_CACHE_DIR"
_UNUSED_S = 30 * 24 * 3600.0
_DIGITS = 16


def keep_kernels_in(data_dir: Path) -> None:
    """Name the folder of compiled kernels to this process and its children; one that is named already stays.

    Parameters
    ----------
    data_dir : Path
        The kernels of one version of the code lie in a folder of their own below ``numba``; those of versions
        that nobody has used for a month are removed.

    Raises
    ------
    HuxianError
        If numba is loaded already: it reads the name only once, when it is imported.
    """
    if VARIABLE in os.environ:
        return
    if "numba" in sys.modules:
        raise HuxianError("the folder of compiled kernels must be named before numba is imported")
    above = data_dir / "numba"
    folder = above / code_digest()
    os.environ[VARIABLE] = str(folder)
    if folder.exists():
        os.utime(folder)
    _remove_unused(above, keep=folder)


def code_digest() -> str:
    """Return a digest of all code that holds kernels.

    A kernel takes in the kernels it calls, also from other files, but numba looks only at its own file to tell
    whether it is still good: with one folder for all versions an upgrade could compute with old code.
    """
    digest = hashlib.sha256(sys.version.encode())
    above = Path(geo.__file__).parent / "analysis"
    for path in sorted(above.rglob("*.py")):
        digest.update(str(path.relative_to(above)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def _remove_unused(above: Path, *, keep: Path) -> None:
    """Remove what another version left a month ago; a folder that cannot be removed stays."""
    if not above.is_dir():
        return
    oldest = time.time() - _UNUSED_S
    for folder in above.iterdir():
        if folder != keep and folder.is_dir() and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)
