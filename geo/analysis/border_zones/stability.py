"""Repeat a border scan over draws of imprecise places, and say how often each zone comes back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.border_zones.belt import nearest_exposed
from geo.analysis.border_zones.result import MOST_ZONES
from geo.analysis.hotspots.stability import is_same_place
from geo.analysis.places import draw_places
from geo.analysis.threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from geo.analysis.border_zones.belt import Belt
    from geo.analysis.border_zones.trial import BorderTrial
    from geo.analysis.border_zones.windows import Found


def window_cells(trial: BorderTrial, window: Found) -> NDArray[np.int64]:
    """Return the cells of a window, ascending."""
    positions = trial.positions(window)
    position_count = len(trial.following)
    cells = [
        ((side * position_count + positions)[:, None] * trial.levels + np.arange(level)).ravel()
        for side, level in enumerate((window.first_level, window.second_level))
        if level > 0
    ]
    return np.sort(np.concatenate(cells))


def stable_shares(
    windows: Sequence[Found],
    *,
    belt: Belt,
    trial: BorderTrial,
    xy_m: NDArray[np.float64],
    radius_m: NDArray[np.float64],
    side: NDArray[np.int8] | None,
    critical: float,
    draws: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Return the share of draws in which a significant window is the same place as each of `windows`.

    Parameters
    ----------
    windows : sequence of Found
        Of the recorded places.
    belt, trial : Belt, BorderTrial
        What was scanned.
    xy_m : ndarray of float64, shape (n, 2)
        Recorded places of every incident that may lie in the belt.
    radius_m : ndarray of float64, shape (n,)
        Radius that holds the true place.
    side : ndarray of int8, shape (n,), optional
        See `Belt.cells`. An incident whose area is known stays on its side however it is drawn.
    critical : float
        Ratio to exceed. The number of cases in the belt changes from draw to draw by the few that move in and out, the
        ratio hardly.
    draws, seed : int
    progress : callable, optional

    Returns
    -------
    ndarray of float64, shape (windows,)
        Sameness as in `geo.analysis.hotspots.stability.stable_shares`, measured in exposure.
    """
    weight = trial.shares.ravel()
    observed = np.zeros((len(windows), belt.cell_count), dtype=np.bool_)
    for row, window in enumerate(windows):
        observed[row, window_cells(trial, window)] = True
    held = observed @ weight

    def one_draw(draw: int) -> NDArray[np.bool_]:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(5, draw))))
        cell = belt.cells(draw_places(xy_m, radius_m=radius_m, rng=rng), side=side)[1]
        cell = nearest_exposed(belt, cell, trial.exposure)
        cases = np.bincount(cell[cell >= 0], minlength=belt.cell_count)
        drawn = replace(trial, cases=cases)
        is_found = np.zeros(len(windows), dtype=np.bool_)
        for window in drawn.best(minimum_llr=critical, most=MOST_ZONES):
            cells = window_cells(trial, window)
            is_found |= is_same_place(observed[:, cells] @ weight[cells], held, float(weight[cells].sum()))
        return is_found

    counts = np.zeros(len(windows))
    with closing(in_order(one_draw, range(draws))) as results:
        for done, is_found in enumerate(results, start=1):
            counts += is_found
            if progress is not None:
                progress(done, draws)
    return counts / draws
