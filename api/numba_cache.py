"""Say where compiled kernels are kept: in the data directory, so that also code in a read-only place starts warm."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from geo.errors import HuxianError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"


def keep_kernels_in(data_dir: Path) -> None:
    """Name the folder of compiled kernels to this process and its children; one that is named already stays.

    Raises
    ------
    HuxianError
        If numba is loaded already: it reads the name only once, when it is imported.
    """
    if VARIABLE in os.environ:
        return
    if "numba" in sys.modules:
        raise HuxianError("the folder of compiled kernels must be named before numba is imported")
    os.environ[VARIABLE] = str(data_dir / "numba")
