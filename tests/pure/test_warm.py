"""Warming leaves no kernel cold, and puts what it compiled where the data are."""

import os
import subprocess
import sys

import pytest

from geo.errors import CancelledRunError

COLD = """
import importlib, pkgutil
import geo.analysis, geo.analysis.warm
from numba.core.registry import CPUDispatcher
geo.analysis.warm.warm_kernels()
kernels = {}
for found in pkgutil.walk_packages(geo.analysis.__path__, "geo.analysis."):
    module = importlib.import_module(found.name)
    for name, value in vars(module).items():
        if isinstance(value, CPUDispatcher):
            kernels[f"{value.py_func.__module__}.{value.py_func.__name__}"] = value
# What other kernels call comes out of the cache inside of them.
inner = {
    id(called)
    for kernel in kernels.values()
    for name in kernel.py_func.__code__.co_names
    if isinstance(called := kernel.py_func.__globals__.get(name), CPUDispatcher)
}
for name, kernel in kernels.items():
    if not kernel.signatures and id(kernel) not in inner:
        print(name)
print(len(kernels))
"""


def test_no_kernel_is_left_cold():
    """In a process of its own, whose cache is that of the tests: compiling all anew would take a minute."""
    told = subprocess.run(
        [sys.executable, "-c", COLD],
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
        env=dict(os.environ),
    )
    *cold, count = told.stdout.split()
    assert cold == []
    assert int(count) > 20


def test_warming_can_be_stopped():
    from geo.analysis.warm import KERNELS, warm_kernels

    def stop(done, total):
        assert (done, total) == (1, len(KERNELS))
        raise CancelledRunError("enough")

    with pytest.raises(CancelledRunError):
        warm_kernels(stop)


def test_no_command_imports_numba_before_its_folder_is_named():
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, api.cli; print('numba' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert loaded.stdout.split() == ["False"]
