"""Tell whether points sit where a forgotten or doubled conversion of their datum would have put them.

One point cannot tell. Many can: GCJ-02 lies 478 to 631 m from WGS 84 in Henan and BD-09 about 1.1 km, always in
nearly the same direction, so points that really lie on cable lines, or inside the county they state, come to lie
beside them together.

The rule, for each hypothesis against "as declared":

1. A point's score is log((1 - e) exp(-d^2 / 2 s^2) + e), with d its distance to the nearest line (or to the
   polygon of the area it states, 0 inside), s its stated precision (at least 25 m) and e = 0.01: beyond about 3 s a
   point tells nothing more, so strays and points that have no line near them cannot outvote the others.
2. Points within one cell of 1 km of each other are one vote, the sign of their summed difference of scores;
   differences below 0.5 are no vote. Neighbours share a line, so they are not independent.
3. One-sided sign test over the votes. A hypothesis is believed with p <= 0.001, which takes ten votes, if it has
   the best total, and if the lines that its votes rest on do not all run one way: beside a single straight line
   any offset across it looks like a datum (mean resultant length of the doubled bearings below 0.95).
4. ``consistent`` needs "as declared" to beat every other hypothesis with p <= 0.01; else ``not_enough_to_tell``.
5. Lines and areas are tested apart. If they believe different hypotheses, the references themselves disagree.

With three alternatives and two kinds of reference the chance of a false warning is at most 6 x 0.001; the
simulations in ``tests/pure/test_datum_shift.py`` hold it to 1 % for points on lines, points unrelated to lines and
points strung along one line, and detect 30 shifted points of 50 m precision in at least 95 %.
If the references are themselves shifted, the points are blamed: the detector compares, it does not judge.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer
from scipy import stats

from geo.crs import METRIC, STORED
from geo.datum import bd09_to_wgs84, gcj02_to_bd09, gcj02_to_wgs84, wgs84_to_gcj02
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    _Nearest = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

HYPOTHESES = ("as_declared", "gcj02", "bd09", "converted_twice")
VERDICTS = (
    "consistent",
    "looks_like_gcj02",
    "looks_like_bd09",
    "looks_converted_twice",
    "references_disagree",
    "not_enough_to_tell",
)
WARNING_P = 0.001
"""Largest p of a sign test with which a warning is given."""
CONSISTENT_P = 0.01
MOST_POINTS = 2_000
"""More points are thinned to this many, evenly: they would add time and no certainty."""

_STRAY = 0.01
_LEAST_PRECISION_M = 25.0
_LEAST_VOTE = 0.5
_CELL_M = 1_000.0
_ONE_WAY = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftHypothesis:
    """How well the points would fit if one thing were true of their datum.

    Parameters
    ----------
    name : str
        One of `HYPOTHESES`.
    shift_east_m, shift_north_m : float
        Median shift from the points as declared to where the hypothesis puts them.
    n : int
        Points compared.
    median_m : float or None
        Median distance to the nearest line; None without lines.
    share_inside : float or None
        Share of the points inside the area they state; None without areas.
    offset_east_m, offset_north_m : float or None
        Median vector from the points, as the hypothesis puts them, to their nearest line.
    votes_for, votes_against : int
        Cells that fit better than, and worse than, as declared; for as_declared both 0.
    p : float or None
        One-sided sign test of those votes, the smaller one of lines and areas; None for as_declared.
    """

    name: str
    shift_east_m: float
    shift_north_m: float
    n: int
    median_m: float | None
    share_inside: float | None
    offset_east_m: float | None
    offset_north_m: float | None
    votes_for: int
    votes_against: int
    p: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatumShift:
    """What the points say of their datum: a verdict, why, and the figures of every hypothesis."""

    verdict: str
    reason: str
    declared: str
    n: int
    hypotheses: tuple[ShiftHypothesis, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """One hypothesis against one kind of reference: distances by point, votes, sign tests both ways."""

    distances_m: NDArray[np.float64]
    total: float
    votes_for: int
    votes_against: int
    p: float
    p_against: float
    is_one_way: bool
    offset_m: NDArray[np.float64] | None


def datum_shift(
    lonlat: ArrayLike,
    *,
    declared: str,
    precision_m: ArrayLike,
    lines: Sequence[shapely.LineString] = (),
    areas: Mapping[str, shapely.Geometry] | None = None,
    stated_areas: Sequence[str | None] = (),
) -> DatumShift:
    """Compare points with lines and areas under each thing that may have happened to their datum.

    Parameters
    ----------
    lonlat : array-like, shape (n, 2)
        Degrees, WGS 84, as converted from the declared datum.
    declared : str
        wgs84, cgcs2000, gcj02 or bd09; an EPSG code of CGCS2000 metres counts as cgcs2000.
    precision_m : array-like, shape (n,) or float
        Stated radius of each point in metres.
    lines : sequence of LineString
        Cable lines, EPSG:4326.
    areas : mapping of str to Polygon or MultiPolygon, optional
        Areas by name, EPSG:4326.
    stated_areas : sequence of str or None, optional
        Name of the area that each point states; as many as points, or none.

    Returns
    -------
    DatumShift
        Reasons: fits, shifted, references_disagree, no_references, no_points, too_few_votes (too few points
        fit any reference), lines_run_one_way, undecided.

    Raises
    ------
    InvalidInputError
        If the arrays do not fit together, a value is not finite, or a precision is not positive.

    Notes
    -----
    Precisions beyond about 300 m (townships) cast no votes: the shift is lost in them. Costs one nearest-line
    search a point and hypothesis, about 0.2 s for 2,000 points and 10,000 lines.
    """
    points, precision = _checked(lonlat, precision_m)
    if not len(points):
        nothing = "not_enough_to_tell"
        return DatumShift(verdict=nothing, reason="no_points", declared=declared, n=0, hypotheses=())
    stated = list(stated_areas) or [None] * len(points)
    if len(stated) != len(points):
        raise InvalidInputError("there must be one stated area for each point, or none at all")
    if len(points) > MOST_POINTS:
        chosen = np.linspace(0, len(points) - 1, MOST_POINTS).round().astype(int)
        points, precision, stated = points[chosen], precision[chosen], [stated[index] for index in chosen]
    moved = _moved(points, declared=declared.casefold())
    positions = {name: _to_metres(lonlat) for name, lonlat in moved.items()}
    cells = np.floor(positions["as_declared"] / _CELL_M).astype(np.int64)
    on_lines = _line_fits(positions, precision, cells, lines)
    in_areas = _area_fits(positions, precision, cells, areas or {}, stated)
    verdict, reason = _verdict([fits for fits in (on_lines, in_areas) if fits])
    return DatumShift(
        verdict=verdict,
        reason=reason,
        declared=declared,
        n=len(points),
        hypotheses=_figures(positions, on_lines, in_areas),
    )


def _checked(lonlat: ArrayLike, precision_m: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points = np.asarray(lonlat, dtype=np.float64)
    if points.size == 0:
        return points.reshape(0, 2), np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2:  # noqa: PLR2004 - two coordinates
        raise InvalidInputError("points must have the shape (n, 2)")
    if not np.isfinite(points).all() or (np.abs(points) > (180.0, 90.0)).any():
        raise InvalidInputError("points must be finite degrees")
    try:
        precision = np.broadcast_to(np.asarray(precision_m, dtype=np.float64), len(points))
    except ValueError as error:
        raise InvalidInputError("there must be one precision for all points or one for each") from error
    if not (np.isfinite(precision) & (precision > 0)).all():
        raise InvalidInputError("a precision is a positive number of metres")
    return points, np.maximum(precision, _LEAST_PRECISION_M)


def _moved(points: NDArray[np.float64], *, declared: str) -> dict[str, NDArray[np.float64]]:
    """Return where the points are in WGS 84 under each hypothesis that differs from the others."""
    raw = points
    if declared == "gcj02":
        raw = wgs84_to_gcj02(points)
    elif declared == "bd09":
        raw = gcj02_to_bd09(wgs84_to_gcj02(points))
    moved = {"as_declared": points}
    if declared != "gcj02":
        moved["gcj02"] = gcj02_to_wgs84(raw)
    if declared != "bd09":
        moved["bd09"] = bd09_to_wgs84(raw)
    # Converted once before it was converted here, so that the numbers as read were right already.
    moved["converted_twice"] = raw if declared == "bd09" else wgs84_to_gcj02(points)
    return moved


@functools.cache
def _transformer() -> Transformer:
    # Looking the two systems up takes longer than everything else here.
    return Transformer.from_crs(STORED, METRIC, always_xy=True)


def _to_metres(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack(_transformer().transform(lonlat[:, 0], lonlat[:, 1]))


def _shape_to_metres(shapes: Sequence[shapely.Geometry]) -> NDArray[np.object_]:
    return np.asarray(shapely.transform(np.asarray(shapes, dtype=object), _to_metres), dtype=object)


def _line_fits(
    positions: dict[str, NDArray[np.float64]],
    precision: NDArray[np.float64],
    cells: NDArray[np.int64],
    lines: Sequence[shapely.LineString],
) -> dict[str, _Fit]:
    """Return how every hypothesis fits the lines; nothing without lines."""
    if not len(lines):
        return {}
    tree = shapely.STRtree(_shape_to_metres(lines))
    found = {name: _nearest(tree, xy) for name, xy in positions.items()}
    distances = {name: far for name, (far, _, _) in found.items()}
    return _voted(distances, precision, cells, found)


def _nearest(tree: shapely.STRtree, xy: NDArray[np.float64]) -> _Nearest:
    """Return distance, vector and bearing (radians) of the nearest line at its foot, for each point."""
    points = shapely.points(xy)
    lines = tree.geometries[tree.nearest(points)]
    measure = shapely.line_locate_point(lines, points)
    foot = shapely.get_coordinates(shapely.line_interpolate_point(lines, measure))
    length = shapely.length(lines)
    step = np.minimum(10.0, length / 2)
    before = shapely.line_interpolate_point(lines, np.maximum(measure - step, 0))
    after = shapely.line_interpolate_point(lines, np.minimum(measure + step, length))
    along = shapely.get_coordinates(after) - shapely.get_coordinates(before)
    vector = foot - xy
    return np.hypot(*vector.T), vector, np.arctan2(along[:, 1], along[:, 0])


def _area_fits(
    positions: dict[str, NDArray[np.float64]],
    precision: NDArray[np.float64],
    cells: NDArray[np.int64],
    areas: Mapping[str, shapely.Geometry],
    stated: Sequence[str | None],
) -> dict[str, _Fit]:
    """Return how every hypothesis fits the stated areas; nothing where no point states a known one."""
    known = np.array([name in areas for name in stated], dtype=bool)
    if not known.any():
        return {}
    names = sorted({str(name) for name in stated if name in areas})
    shapes = dict(zip(names, _shape_to_metres([areas[name] for name in names]), strict=True))
    shapely.prepare(list(shapes.values()))
    distances = {name: np.full(len(cells), np.nan) for name in positions}
    for area, shape in shapes.items():
        chosen = np.flatnonzero(np.array([name == area for name in stated]))
        for name, xy in positions.items():
            distances[name][chosen] = shapely.distance(shape, shapely.points(xy[chosen]))
    return _voted(distances, precision, cells, None)


def _voted(
    distances: dict[str, NDArray[np.float64]],
    precision: NDArray[np.float64],
    cells: NDArray[np.int64],
    on_lines: dict[str, _Nearest] | None,
) -> dict[str, _Fit]:
    """Let the cells vote between each hypothesis and as declared."""
    _, members = np.unique(cells, axis=0, return_inverse=True)
    scores = {
        name: np.nan_to_num(np.log((1 - _STRAY) * np.exp(-0.5 * (far / precision) ** 2) + _STRAY))
        for name, far in distances.items()
    }
    fits = {}
    for name, far in distances.items():
        gains = scores[name] - scores["as_declared"]
        sums = np.bincount(members.ravel(), weights=gains)
        count_for, count_against = int((sums > _LEAST_VOTE).sum()), int((sums < -_LEAST_VOTE).sum())
        _, vectors, bearings = on_lines[name] if on_lines else (None, None, None)
        fits[name] = _Fit(
            distances_m=far,
            total=float(scores[name].sum()),
            votes_for=count_for,
            votes_against=count_against,
            p=_sign_test(count_for, count_against),
            p_against=_sign_test(count_against, count_for),
            is_one_way=bearings is not None and _run_one_way(bearings[gains > _LEAST_VOTE]),
            offset_m=None if vectors is None else np.median(vectors, axis=0),
        )
    return fits


def _sign_test(count_for: int, count_against: int) -> float:
    """Return the chance of at least `count_for` heads in all throws of a fair coin."""
    total = count_for + count_against
    return float(stats.binom.sf(count_for - 1, total, 0.5)) if total else 1.0


def _run_one_way(bearings: NDArray[np.float64]) -> bool:
    """Tell whether lines all run in one direction, either way along it."""
    return bool(len(bearings)) and abs(np.exp(2j * bearings).mean()) > _ONE_WAY


def _verdict(references: list[dict[str, _Fit]]) -> tuple[str, str]:
    """Return verdict and reason from the fits to lines, to areas or to both."""
    if not references:
        return "not_enough_to_tell", "no_references"
    found = {_believed(fits) for fits in references} - {None}
    if len(found) > 1:
        return "references_disagree", "references_disagree"
    if found:
        (name,) = found
        if name == "as_declared":
            return "consistent", "fits"
        return "looks_converted_twice" if name == "converted_twice" else f"looks_like_{name}", "shifted"
    return "not_enough_to_tell", _why_undecided(references)


def _believed(fits: dict[str, _Fit]) -> str | None:
    others = [name for name in fits if name != "as_declared"]
    best = max(others, key=lambda name: fits[name].total)
    if fits[best].p <= WARNING_P:
        return None if fits[best].is_one_way else best
    return "as_declared" if all(fits[name].p_against <= CONSISTENT_P for name in others) else None


def _why_undecided(references: list[dict[str, _Fit]]) -> str:
    fits = [fit for reference in references for name, fit in reference.items() if name != "as_declared"]
    if any(fit.is_one_way and fit.p <= WARNING_P for fit in fits):
        return "lines_run_one_way"
    least = int(np.ceil(-np.log2(CONSISTENT_P)))
    if max(fit.votes_for + fit.votes_against for fit in fits) < least:
        return "too_few_votes"
    return "undecided"


def _figures(
    positions: dict[str, NDArray[np.float64]], on_lines: dict[str, _Fit], in_areas: dict[str, _Fit]
) -> tuple[ShiftHypothesis, ...]:
    figures = []
    for name, xy in positions.items():
        east, north = np.median(xy - positions["as_declared"], axis=0)
        line, area = on_lines.get(name), in_areas.get(name)
        fits = [fit for fit in (line, area) if fit]
        offset = line.offset_m if line else None
        stated = area.distances_m[~np.isnan(area.distances_m)] if area else None
        figures.append(
            ShiftHypothesis(
                name=name,
                shift_east_m=float(east),
                shift_north_m=float(north),
                n=len(xy),
                median_m=float(np.median(line.distances_m)) if line else None,
                share_inside=None if stated is None else float((stated == 0).mean()),
                offset_east_m=None if offset is None else float(offset[0]),
                offset_north_m=None if offset is None else float(offset[1]),
                votes_for=sum(fit.votes_for for fit in fits),
                votes_against=sum(fit.votes_against for fit in fits),
                p=min((fit.p for fit in fits), default=None) if name != "as_declared" else None,
            )
        )
    return tuple(figures)
