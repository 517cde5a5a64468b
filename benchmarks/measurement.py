"""Measure a kernel against a named peer in one run: same data, same answer, ratios of times and of memory."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import resource
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One row of the table.

    Parameters
    ----------
    kernel : str
        What was measured, with its size: ``DBSCAN, 1M points``.
    peer : str
        Name and version of the other implementation.
    own_s : float
        Seconds of ours: the median of several runs after the first call.
    peer_s : float or None
        Seconds of the peer on the same data; None when it is absent, with the reason in `note`.
    target : float or None
        Ratio to reach, peer over own; None for a comparison without a target.
    same : str
        How the two answers were compared and what came out: ``labels equal``, ``sums within 1e-12``.
    note : str
        What a reader must know, empty otherwise.
    """

    kernel: str
    peer: str
    own_s: float
    peer_s: float | None
    target: float | None = None
    same: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times faster than the peer; None without a peer."""
        return None if self.peer_s is None else self.peer_s / self.own_s

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is reached; None where there is nothing to compare."""
        return None if self.ratio is None or self.target is None else self.ratio >= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How the time of a kernel grows with the size of its input.

    Parameters
    ----------
    kernel : str
    sizes : sequence of int
    seconds : sequence of float
    """

    kernel: str
    sizes: Sequence[int]
    seconds: Sequence[float] = field(default_factory=list)

    @property
    def exponent(self) -> float:
        """Slope of log seconds over log size: 1 is linear, 2 quadratic."""
        return float(np.polyfit(np.log(self.sizes), np.log(self.seconds), 1)[0])


def seconds_of(work: Callable[[], Any], *, repeats: int = 3, warm: bool = True) -> float:
    """Return the median seconds of some calls, after one that compiles where `warm` says so."""
    if warm:
        work()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def peak_mib(work: Callable[[], Any]) -> float:
    """Return by how many MiB `work` raises the largest resident size, measured in a process of its own.

    Parameters
    ----------
    work : callable
        Runs in a forked process, so it may close over arrays; they count as there before.
    """
    # Memory that was freed but not given back would be used again without being seen.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)

    def child() -> None:
        # VmHWM is inherited by a fork; writing 5 resets it to what is resident now.
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:  # noqa: PTH123 - a kernel switch
            file.write("5")
        before = _resident_kib()
        work()
        theirs.send((_peak_kib() - before) * 1024 / _MIB)
        os._exit(0)

    process = context.Process(target=child)
    process.start()
    answer = float(ours.recv())
    process.join()
    return answer


def _status_kib(name: str) -> int:
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - a kernel file
        for line in file:
            if line.startswith(name):
                return int(line.split()[1])
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _resident_kib() -> int:
    return _status_kib("VmRSS:")


def _peak_kib() -> int:
    return _status_kib("VmHWM:")
