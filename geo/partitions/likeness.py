"""Say what decides the last digits of a result, so that two processes can be told to compute alike."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyproj
import shapely

import geo
from geo.analysis.density import kernel_density
from geo.analysis.scan import poisson_scan

_PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "shapely", "pyproj")


@cache
def likeness() -> dict[str, str]:
    """Return what must be equal in two processes: versions, our own source, and the digits of a small sample.

    Returns
    -------
    dict of str
        By what people call it in a message.

    Notes
    -----
    Versions alone do not do: numpy and the C library choose other instructions on other processors, and an
    exponential may then differ in its last digit. The sample goes through both.
    """
    found = {name: version(name) for name in _PACKAGES}
    found |= {"GEOS": shapely.geos_version_string, "PROJ": pyproj.proj_version_str}
    found |= {"Python": ".".join(platform.python_version_tuple()[:2]), "Huxian's source": _source()}
    return found | {"the digits of a sample": _sample()}


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Return in what two processes differ."""
    return [name for name in one | other if one.get(name) != other.get(name)]


def _source() -> str:
    """Return the hash of every module that a worker may be asked to run."""
    root = Path(geo.__file__).parent
    digest = hashlib.sha256()
    for room in ("analysis", "partitions", "store"):
        for path in sorted((root / room).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _sample() -> str:
    """Return the hash of a small density and a small scan, of logarithms and of draws."""
    steps = np.arange(400, dtype=np.float64)
    places = np.column_stack((4e5 + 977 * np.sqrt(steps), 3.8e6 + 613 * (steps % 7) ** 1.5))
    digest = hashlib.sha256()
    for kernel in ("gaussian", "quartic"):
        density = kernel_density(places, bandwidth_m=2900.0, cell_m=500.0, kernel=kernel)
        digest.update(density.values.tobytes())
    scan = poisson_scan(
        places[:40], cases=np.arange(40) % 3, exposure=1 + np.sqrt(steps[:40]), replications=64, seed=1
    )
    digest.update(scan.maxima.tobytes())
    rng = np.random.Generator(np.random.Philox(1))
    digest.update(np.log(np.exp(-steps / 37) + rng.random(400)).tobytes())
    return digest.hexdigest()[:16]
