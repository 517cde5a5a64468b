"""Repeat a scan over draws of imprecise places, and say how often each cluster comes back."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.places import draw_places
from geo.analysis.scan.result import MOST_CLUSTERS
from geo.analysis.scan.windows import best_windows
from geo.analysis.threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from geo.analysis.scan.inputs import Places
    from geo.analysis.scan.windows import Windows
    from geo.analysis.units import Units

_OF_SMALLER = 1 / 2
_OF_LARGER = 1 / 3


def stable_shares(
    clusters: Sequence[NDArray[np.int64]],
    *,
    units: Units,
    places: Places,
    windows: Windows,
    xy_m: NDArray[np.float64],
    radius_m: NDArray[np.float64],
    kinds: NDArray[np.object_] | None = None,
    critical_llr: float,
    draws: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Return the share of draws in which a significant cluster is the same place as each cluster.

    Parameters
    ----------
    clusters : sequence of ndarray of int64
        Members of each cluster, positions in the frame of `units`.
    units : Units
        Units with exposure.
    places, windows : Places, Windows
        What was scanned; places hold the units merged by location.
    xy_m : ndarray of float64, shape (n, 2)
        Recorded places of the incidents used.
    radius_m : ndarray of float64, shape (n,)
        Radius that holds the true place.
    kinds : ndarray of object, shape (n,), optional
        Kind of unit that each incident concerns; see `Units.nearest`.
    critical_llr : float
        Ratio that a cluster must exceed; the same in every draw, since neither the exposure nor the
        number of cases changes.
    draws, seed : int
        How many, and their seed.
    progress : callable, optional
        Called with (draws done, draws) after each.

    Returns
    -------
    ndarray of float64, shape (clusters,)

    Notes
    -----
    In each draw every place moves to a uniform point of its disc and falls on the nearest unit, however far,
    so that no case is lost. Two clusters are the same place when what they share holds at least half of
    the smaller one's exposure and a third of the larger one's: a region more than three times as large
    around a cluster is no confirmation of the cluster, nor is a corner of it.
    """
    share = windows.share
    observed = np.zeros((len(clusters), len(share)), dtype=np.bool_)
    for row, members in enumerate(clusters):
        observed[row, places.place_of[members]] = True
    held = observed @ share

    def one_draw(draw: int) -> NDArray[np.bool_]:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(1, draw))))
        drawn_units, _ = units.nearest(draw_places(xy_m, radius_m=radius_m, rng=rng), kinds=kinds)
        cases = np.bincount(places.place_of[drawn_units], minlength=len(share))
        is_found = np.zeros(len(clusters), dtype=np.bool_)
        for window in best_windows(windows, cases, minimum_llr=critical_llr, most=MOST_CLUSTERS):
            common = observed[:, window.members] @ share[window.members]
            is_found |= is_same_place(common, held, float(share[window.members].sum()))
        return is_found

    counts = np.zeros(len(clusters))
    with closing(in_order(one_draw, range(draws))) as results:
        for done, is_found in enumerate(results, start=1):
            counts += is_found
            if progress is not None:
                progress(done, draws)
    return counts / draws


def is_same_place(
    common: NDArray[np.float64] | float, one: NDArray[np.float64] | float, other: float
) -> NDArray[np.bool_]:
    """Compare what clusters share with what each holds; equal to the last digits counts as reached."""
    least = np.maximum(_OF_SMALLER * np.minimum(one, other), _OF_LARGER * np.maximum(one, other))
    reached: NDArray[np.bool_] = np.asarray(common >= least * (1 - 1e-9))
    return reached
