"""Turn windows and simulated maxima into zones: polygons, p, counterfactual, power, stability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.optimize import brentq

from geo.analysis.border_zones.outline import set_markers, window_outline
from geo.analysis.border_zones.power import power_table, window_power
from geo.analysis.border_zones.preparation import side_polygons
from geo.analysis.border_zones.result import (
    MOST_ZONES,
    ZONE_TYPES,
    BorderZones,
    Reason,
    critical_of,
    p_of,
)
from geo.analysis.border_zones.stability import stable_shares, window_cells
from geo.analysis.border_zones.windows import ONLY_FIRST, ONLY_SECOND, POOLED, Found
from geo.analysis.scan.result import relative_risk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.border_zones.outline import Markers
    from geo.analysis.border_zones.preparation import Prepared

_ORDINARY_POSITIONS, _ORDINARY_LEVELS = 3, 2
_MOST_ALONE = 25
_SEEN, _MOST_RISK = 0.8, 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Level of the test, and how much is simulated."""

    alpha: float
    replications: int
    draws: int
    seed: int


def conclude(
    prepared: Prepared,
    incidents: gpd.GeoDataFrame,
    *,
    maxima: NDArray[np.float64],
    family: NDArray[np.float64] | None,
    level: Level,
    progress: Callable[[int, int], None] | None = None,
) -> BorderZones:
    """Return the result of one border.

    Parameters
    ----------
    prepared : Prepared
    incidents : GeoDataFrame
        The frame that was prepared; labels and CRS are taken from it.
    maxima : ndarray of float64, shape (replications, 3) or (0, 3)
        Of this border.
    family : ndarray of float64, shape (replications,), optional
        Largest pooled ratios over all borders of the family; this border alone by default.
    level : Level
    progress : callable, optional
        For the redraws.
    """
    trial = prepared.trial
    pooled = maxima[:, 0] if family is None else family
    critical = critical_of(pooled, alpha=level.alpha)
    markers = set_markers(prepared.belt)
    windows = [] if trial.reason else trial.best(minimum_llr=0.0, most=MOST_ZONES)
    alone = {
        which: [] if trial.reason else trial.best(minimum_llr=0.0, most=_MOST_ALONE, which=which)
        for which in (ONLY_FIRST, ONLY_SECOND)
    }
    stable = _stable(prepared, windows, critical=critical, level=level, progress=progress)
    rows = [
        _row(prepared, window, alone, markers, maxima=maxima, pooled=pooled, alpha=level.alpha)
        | {"rank": rank, "stable_share": share, "incidents": _members(prepared, window, incidents)}
        for rank, (window, share) in enumerate(zip(windows, stable, strict=True), start=1)
    ]
    count_a, count_b = (int(each) for each in prepared.by_given(*trial.side_counts))
    reason: Reason | None = trial.reason
    if reason is None and not windows and not maxima.any():
        reason = "no_window"
    return BorderZones(
        zones=_zone_frame(rows, crs=incidents.crs),
        boundary=prepared.belt.boundary.line,
        sides=_sides(prepared, crs=incidents.crs),
        case_count=count_a + count_b,
        count_a=count_a,
        count_b=count_b,
        counted=tuple(incidents.index[np.sort(prepared.source)].tolist()),
        counted_sides=tuple(prepared.sides()[np.argsort(prepared.source)].tolist()),
        omitted_count=prepared.omitted_count,
        moved_count=prepared.moved_count,
        exposure_kind=prepared.exposure_kind,
        maxima=maxima if not prepared.belt.is_swapped else maxima[:, [0, 2, 1]],
        best_alone=prepared.by_given(*(_largest(alone[which]) for which in (ONLY_FIRST, ONLY_SECOND))),
        power=_ordinary_power(prepared, maxima, alpha=level.alpha),
        minimum_relative_risk=_least_risk(prepared, critical),
        critical_llr=critical,
        alpha=level.alpha,
        replications=level.replications,
        seed=level.seed,
        draws=level.draws,
        reason=reason,
    )


def _largest(windows: list[Found]) -> float:
    """Return the largest ratio of some windows, 0 without any."""
    return max((window.llr for window in windows), default=0.0)


def _row(
    prepared: Prepared,
    window: Found,
    alone: dict[int, list[Found]],
    markers: Markers,
    *,
    maxima: NDArray[np.float64],
    pooled: NDArray[np.float64],
    alpha: float,
) -> dict[str, object]:
    """Describe one zone."""
    trial, belt = prepared.trial, prepared.belt
    cells = window_cells(trial, window)
    counts, shares = _inside(prepared, cells)
    expected = [total * share for total, share in zip(trial.side_counts, shares, strict=True)]
    risk = relative_risk(sum(counts), expected=sum(expected), case_count=sum(trial.side_counts))
    power = window_power(
        counts=trial.side_counts,
        shares=(shares[0], shares[1]),
        critical_llrs=_own_criticals(maxima, alpha=alpha),
        relative_risk=min(risk, 1e6),
    )
    positions = trial.positions(window)
    p_alone = [
        _p_alone(prepared, alone[which], positions, maxima[:, which]) for which in (ONLY_FIRST, ONLY_SECOND)
    ]
    stretch, from_m, length_m = _stretch(prepared, window, positions)
    by_side: dict[str, Sequence[float]] = {
        "count_{}": counts,
        "expected_{}": expected,
        "depth_{}_m": (window.first_level * belt.ring_m, window.second_level * belt.ring_m),
        "found_by_{}": [float(each <= alpha) for each in p_alone],
        "p_alone_{}": p_alone,
        "power_{}": power[1:],
    }
    row: dict[str, object] = {
        "geometry": window_outline(
            belt,
            markers,
            positions=positions,
            stretch=stretch,
            depths_m=(window.first_level * belt.ring_m, window.second_level * belt.ring_m),
        ),
        "p": p_of(window.llr, pooled),
        "llr": window.llr,
        "relative_risk": risk,
        "case_count": sum(counts),
        "expected": sum(expected),
        "stretch_from_m": from_m,
        "stretch_until_m": from_m + length_m,
        "power": power[POOLED],
        "stacked_share": float(prepared.is_stacked[np.isin(prepared.cell, cells)].mean()),
        "stretch": stretch,
    }
    for stem, pair in by_side.items():
        row[stem.format("a")], row[stem.format("b")] = prepared.by_given(pair[0], pair[1])
    return row


def _inside(prepared: Prepared, cells: NDArray[np.int64]) -> tuple[list[int], list[float]]:
    """Return the cases of each side in some cells, and their share of the exposure of their side."""
    trial, belt = prepared.trial, prepared.belt
    is_second = cells >= belt.position_count * belt.levels
    own = (cells[~is_second], cells[is_second])
    shares = trial.shares.ravel()
    return [int(trial.cases[each].sum()) for each in own], [float(shares[each].sum()) for each in own]


def _stretch(
    prepared: Prepared, window: Found, positions: NDArray[np.int64]
) -> tuple[BaseGeometry, float, float]:
    """Return the stretch of the boundary of a window, the chainage at which it begins, and its length."""
    belt = prepared.belt
    part, offset_m = int(belt.part[window.start]), float(belt.from_m[window.start])
    length_m = float((belt.until_m - belt.from_m)[positions].sum())
    line = belt.boundary.stretch(part, offset_m, offset_m + length_m)
    return line, float(belt.boundary.from_m[part]) + offset_m, length_m


def _p_alone(
    prepared: Prepared, windows: list[Found], positions: NDArray[np.int64], maxima: NDArray[np.float64]
) -> float:
    """Return the smallest p of one side's own windows on a stretch; 1 without any."""
    overlapping = (
        window.llr for window in windows if np.isin(prepared.trial.positions(window), positions).any()
    )
    return p_of(max(overlapping, default=0.0), maxima)


def _members(prepared: Prepared, window: Found, incidents: gpd.GeoDataFrame) -> tuple[object, ...]:
    """Return the index labels of the incidents of a window, in the order of the frame."""
    is_inside = np.isin(prepared.cell, window_cells(prepared.trial, window))
    return tuple(incidents.index[np.sort(prepared.source[is_inside])].tolist())


def _stable(
    prepared: Prepared,
    windows: list[Found],
    *,
    critical: float,
    level: Level,
    progress: Callable[[int, int], None] | None,
) -> NDArray[np.float64]:
    """Redraw the places of what passed its test; the rest has no stable share."""
    shares = np.full(len(windows), np.nan)
    passed = [number for number, window in enumerate(windows) if window.llr > critical]
    if not level.draws or not passed:
        return shares
    shares[passed] = stable_shares(
        [windows[number] for number in passed],
        belt=prepared.belt,
        trial=prepared.trial,
        xy_m=prepared.xy_m,
        radius_m=prepared.radius_m,
        side=prepared.side,
        critical=critical,
        draws=level.draws,
        seed=level.seed,
        progress=progress,
    )
    return shares


def _ordinary_shares(prepared: Prepared) -> tuple[float, float]:
    """Return the share of each side's exposure in a window of ordinary exposure, in the order of the belt."""
    trial, belt = prepared.trial, prepared.belt
    levels = min(_ORDINARY_LEVELS, belt.levels)
    by_position = trial.shares.reshape(2, belt.position_count, belt.levels)[:, :, :levels].sum(axis=2)
    exposed = [side[side > 0] for side in by_position]
    steps = min(_ORDINARY_POSITIONS, belt.position_count)
    first, second = (min(0.5, steps * float(np.median(side))) if len(side) else 0.0 for side in exposed)
    return first, second


def _own_criticals(maxima: NDArray[np.float64], *, alpha: float) -> list[float]:
    """Return the ratios to exceed in this border's own scans: pooled, first side alone, second alone.

    Power is told against these also in a run over many borders: a side alone pays for no other border, and what looking
    together gains is seen only where both pay alike.
    """
    return [critical_of(maxima[:, which], alpha=alpha) for which in (POOLED, ONLY_FIRST, ONLY_SECOND)]


def _ordinary_power(prepared: Prepared, maxima: NDArray[np.float64], *, alpha: float) -> pd.DataFrame:
    """Return power over relative risks for a window of ordinary exposure, named by side a and b."""
    if prepared.trial.reason is not None:
        return pd.DataFrame(columns=["relative_risk", "pooled", "a", "b", "either"], dtype=np.float64)
    table = power_table(
        counts=prepared.trial.side_counts,
        shares=_ordinary_shares(prepared),
        critical_llrs=_own_criticals(maxima, alpha=alpha),
        halved_llrs=_own_criticals(maxima, alpha=alpha / 2)[1:],
    )
    names = ("b", "a") if prepared.belt.is_swapped else ("a", "b")
    return table.rename(columns=dict(zip(("first", "second"), names, strict=True)))[
        ["relative_risk", "pooled", "a", "b", "either"]
    ]


def _least_risk(prepared: Prepared, critical: float) -> float | None:
    """Return the smallest relative risk that the pooled scan sees with a probability of 80 %, to a thousandth."""
    if prepared.trial.reason is not None:
        return None
    shares = _ordinary_shares(prepared)

    def lacking(log_risk: float) -> float:
        power = window_power(
            counts=prepared.trial.side_counts,
            shares=shares,
            critical_llrs=(critical, np.inf, np.inf),
            relative_risk=float(np.exp(log_risk)),
        )
        return power[POOLED] - _SEEN

    most = float(np.log(_MOST_RISK))
    if lacking(most) < 0:
        return None
    return float(np.exp(brentq(lacking, 0.0, most, xtol=1e-3)))


def _sides(prepared: Prepared, *, crs: object) -> gpd.GeoDataFrame:
    exposed = prepared.trial.exposure.reshape(2, -1).sum(axis=1)
    names = ("b", "a") if prepared.belt.is_swapped else ("a", "b")
    frame = gpd.GeoDataFrame(
        {"count": list(prepared.trial.side_counts), "exposure": exposed.tolist()},
        geometry=list(side_polygons(prepared.belt)),
        index=list(names),
        crs=crs,
    )
    return frame.sort_index()


def _zone_frame(rows: list[dict[str, object]], *, crs: object) -> gpd.GeoDataFrame:
    """Make the frame of zones; an empty one has the same columns and types."""
    columns = ["rank", "geometry", *(name for name in ZONE_TYPES if name != "rank")]
    frame = pd.DataFrame(rows, columns=columns)
    frame["geometry"] = frame["geometry"].astype(object)
    return gpd.GeoDataFrame(frame.astype(ZONE_TYPES), geometry="geometry", crs=crs)
