"""Score pairs of an incident and a ticket: how much likelier one event is than two that know nothing of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from geo.errors import InvalidInputError
from geo.frames import check_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from numpy.typing import NDArray

COLUMNS = (
    "occurred_from",
    "occurred_until",
    "radius_m",
    "area_id",
    "city_id",
    "cable_kind",
    "sector",
    "line_name",
)
"""Columns that a frame of incidents or tickets needs here."""

MOST_GAP_HOURS = 168.0
"""Farther apart in time than this, nothing is compared."""
DELAYS = ((0.85, 3.0), (0.15, 36.0))
"""Share and scale in hours of the delays between the two books: most agree within hours, some are days late."""
AGREEMENT = {"cable_kind": 0.95, "sector": 0.97, "line_name": 0.8}
"""How often two records of one event say the same."""

_REACH = 4.0
_LEAST_REACH_M = 5_000.0
# Two people who stand at one pole write it down tens of metres apart.
_LEAST_SCALE_M = 50.0
_SHORTEST_HOURS = 1 / 60
_SHORTEST_REGISTER_HOURS = 30 * 24.0
_RINGS_M = (1_000.0, 5_000.0, 20_000.0, 80_000.0)
_NOTHING = 1e-30
_EPOCH = pd.Timestamp("1970-01-01", tz="UTC")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Register:
    """One side as arrays in order of id; places without a point are NaN, unknown areas 0."""

    ids: NDArray[np.int64]
    xy_m: NDArray[np.float64]
    scale_m: NDArray[np.float64]
    start_h: NDArray[np.float64]
    until_h: NDArray[np.float64]
    area: NDArray[np.int64]
    city: NDArray[np.int64]
    words: dict[str, NDArray[np.object_]]

    @property
    def is_placed(self) -> NDArray[np.bool_]:
        """Whether a record has a point."""
        placed: NDArray[np.bool_] = np.isfinite(self.xy_m[:, 0])
        return placed


def register_of(frame: gpd.GeoDataFrame, *, name: str) -> Register:
    """Return a frame as arrays.

    Parameters
    ----------
    frame : GeoDataFrame
        Points or None, a metric CRS, indexed by id, with `COLUMNS`.
    name : str
        What it is called in errors.

    Raises
    ------
    InvalidInputError
        If columns are missing, ids are repeated, or the coordinates are degrees.
    """
    check_frame(frame, COLUMNS, name=name)
    if frame.crs.is_geographic:
        raise InvalidInputError(f"the frame of {name} is in degrees; project it to metres first")
    if not frame.index.is_unique:
        raise InvalidInputError(f"the frame of {name} holds an id twice")
    frame = frame.sort_index()
    radius_m = frame["radius_m"].to_numpy(dtype=np.float64)
    start_h, until_h = _hours(frame["occurred_from"]), _hours(frame["occurred_until"])
    return Register(
        ids=frame.index.to_numpy(dtype=np.int64),
        xy_m=np.column_stack([frame.geometry.x, frame.geometry.y]).astype(np.float64).reshape(-1, 2),
        # The standard deviation, on each axis, of a place anywhere in its circle.
        scale_m=np.maximum(np.nan_to_num(radius_m) / 2, _LEAST_SCALE_M),
        start_h=start_h,
        until_h=np.maximum(until_h, start_h + _SHORTEST_HOURS),
        area=frame["area_id"].fillna(0).to_numpy(dtype=np.int64),
        city=frame["city_id"].fillna(0).to_numpy(dtype=np.int64),
        words={column: _words(frame[column]) for column in AGREEMENT},
    )


def _hours(instants: pd.Series[Any]) -> NDArray[np.float64]:
    if len(instants) == 0:
        return np.empty(0)
    hours = (pd.to_datetime(instants, utc=True) - _EPOCH) / pd.Timedelta(hours=1)
    return np.asarray(hours, dtype=np.float64)


def _words(column: pd.Series[Any]) -> NDArray[np.object_]:
    """Unknown is the empty word."""
    words = ["" if value is None or value != value else str(value).strip() for value in column]  # noqa: PLR0124 - NaN
    return np.array(words, dtype=object)


def score_pairs(incidents: Register, tickets: Register) -> pd.DataFrame:
    """Score every pair that is near enough to be compared at all.

    Parameters
    ----------
    incidents, tickets : Register

    Returns
    -------
    DataFrame
        One row per pair in order of (incident, ticket), which are positions in the registers: distance_m (NaN
        where one side is an area only), gap_hours (0 where the intervals meet; negative when the ticket
        comes first), overlap_hours, the penalties off_place, off_time and unlike (log units, >= 0), and
        score.

    Notes
    -----
    The score is ``ln f(ticket | incident) - ln u``: the density with which one event that stands as this
    incident in one book stands as this ticket in the other, against the density ``u`` of tickets that have
    nothing to do with it. Above 0 a match is likelier than none. The density is a product of

    * place: a Gaussian of the distance with variance ``s^2 = s_i^2 + s_t^2`` on each axis, ``s`` half of the
      radius, at least 50 m. Where a side has no point but an area, every place of the area is equally likely;
    * time: both instants uniform in their intervals, their difference a mixture of Laplace densities
      (`DELAYS`), integrated exactly over both intervals;
    * words: agreement or disagreement of kind of cable (or else branch) and line, each with `AGREEMENT`
      against the share of that word among all tickets. What one side does not say, says nothing.

    ``u`` is the number of tickets around the ticket (1, 5, 20 or 80 km, as wide as the places are vague) per
    m2 and hour of the whole register; it knows no season and no storm.

    Cost: a k-d tree over (x, y, time) per class of precision, n log n plus the pairs found.

    References
    ----------
    .. [1] Fellegi, I. P., Sunter, A. B. (1969). A theory for record linkage. JASA 64(328), 1183-1210.
    """
    first, second = _candidates(incidents, tickets)
    pairs = pd.DataFrame({"incident": first, "ticket": second})
    distance_m = np.hypot(*(incidents.xy_m[first] - tickets.xy_m[second]).T)
    spread_m = np.hypot(incidents.scale_m[first], tickets.scale_m[second])
    pairs["distance_m"] = distance_m
    later = tickets.start_h[second] - incidents.until_h[first]
    earlier = incidents.start_h[first] - tickets.until_h[second]
    pairs["gap_hours"] = np.maximum(later, 0) - np.maximum(earlier, 0)
    pairs["overlap_hours"] = np.maximum(
        np.minimum(incidents.until_h[first], tickets.until_h[second])
        - np.maximum(incidents.start_h[first], tickets.start_h[second]),
        0,
    )
    has_point = np.isfinite(distance_m)
    pairs["off_place"] = np.where(has_point, (distance_m / spread_m) ** 2 / 2, 0.0)
    time, at_best = _time_logs(incidents, tickets, first, second)
    pairs["off_time"] = np.maximum(at_best - time, 0)
    alike = _alike_logs(incidents, tickets, first, second)
    pairs["unlike"] = np.maximum(-alike, 0)
    # Where a side is an area only, its size stands in both densities and cancels.
    place = np.where(has_point, -np.log(2 * np.pi * spread_m**2), 0.0) - pairs["off_place"]
    unrelated = _unrelated_logs(incidents, tickets, first, second, spread_m)
    pairs["score"] = np.round(place + time + alike - unrelated, 9)
    is_far = has_point & (distance_m > np.maximum(_REACH * spread_m, _LEAST_REACH_M))
    kept: pd.DataFrame = pairs[~is_far & (np.abs(pairs["gap_hours"]) <= MOST_GAP_HOURS)]
    return kept.reset_index(drop=True)


def _candidates(incidents: Register, tickets: Register) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of all pairs that may be near, each once, ordered."""
    blocks = [*_near_points(incidents, tickets), *_same_areas(incidents, tickets)]
    if not blocks:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    keys = np.unique(np.concatenate([one * len(tickets.ids) + other for one, other in blocks]))
    return keys // len(tickets.ids), keys % len(tickets.ids)


def _classes(register: Register, chosen: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Split records by how vague they are, each class four times as vague as the one before."""
    half = (register.until_h - register.start_h)[chosen] / 2
    steps = np.log2(register.scale_m[chosen]) // 2 * 100 + np.log2(np.maximum(half, 3)) // 2
    for step in np.unique(steps):
        yield chosen[steps == step]


def _near_points(incidents: Register, tickets: Register) -> Iterator[tuple[Any, Any]]:
    placed = np.flatnonzero(tickets.is_placed)
    for one in _classes(incidents, np.flatnonzero(incidents.is_placed)):
        for other in _classes(tickets, placed):
            spread_m = np.hypot(incidents.scale_m[one].max(), tickets.scale_m[other].max())
            reach_m = max(_REACH * spread_m, _LEAST_REACH_M)
            sides = [
                np.column_stack([side.xy_m[rows] / reach_m, _middle(side, rows)])
                for side, rows in ((incidents, one), (tickets, other))
            ]
            yield _within(sides, one, other, _reach_hours(incidents, one, tickets, other))


def _same_areas(incidents: Register, tickets: Register) -> Iterator[tuple[Any, Any]]:
    """Pairs of which one side has no point: the areas must agree, or one be the city of the other."""
    for bare, full, is_turned in ((incidents, tickets, False), (tickets, incidents, True)):
        nowhere = np.flatnonzero(~bare.is_placed & (bare.area > 0))
        for area in np.unique(bare.area[nowhere]):
            own = nowhere[bare.area[nowhere] == area]
            others = np.flatnonzero((full.area == area) | (full.city == area))
            for one in _classes(bare, own):
                for other in _classes(full, others):
                    sides = [_middle(bare, one)[:, None], _middle(full, other)[:, None]]
                    found = _within(sides, one, other, _reach_hours(bare, one, full, other))
                    yield found[::-1] if is_turned else found


def _middle(side: Register, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    middle: NDArray[np.float64] = (side.start_h[rows] + side.until_h[rows]) / 2
    return middle


def _reach_hours(one: Register, rows: Any, other: Register, columns: Any) -> float:
    halves = (one.until_h - one.start_h)[rows].max() + (other.until_h - other.start_h)[columns].max()
    return float(MOST_GAP_HOURS + halves / 2)


def _within(sides: list[NDArray[np.float64]], one: Any, other: Any, reach_h: float) -> tuple[Any, Any]:
    """Pairs that no coordinate separates by more than 1; the last one is time."""
    for side in sides:
        side[:, -1] /= reach_h
    trees = [cKDTree(side) for side in sides]
    found = trees[0].sparse_distance_matrix(trees[1], 1.0, p=np.inf, output_type="ndarray")
    return one[found["i"]], other[found["j"]]


def _late(hours: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Twice integrated Laplace density."""
    late: NDArray[np.float64] = np.maximum(hours, 0) + scale / 2 * np.exp(-np.abs(hours) / scale)
    return late


def _time_logs(incidents: Register, tickets: Register, first: Any, second: Any) -> tuple[Any, Any]:
    """Log density of the ticket's time given the incident's, and what it would be at the best position."""
    start, until = incidents.start_h[first], incidents.until_h[first]
    begin, end = tickets.start_h[second], tickets.until_h[second]
    length, span = until - start, end - begin
    # At best the shorter interval stands in the middle of the longer one.
    shift = (length - span) / 2
    logs = []
    for at, to in ((begin - start, end - start), (shift, shift + span)):
        mass = np.zeros(len(start))
        for share, scale in DELAYS:
            whole = _late(to, scale) - _late(to - length, scale)
            mass += share * (whole - _late(at, scale) + _late(at - length, scale))
        logs.append(np.log(np.maximum(mass / (length * span), _NOTHING)))
    return logs[0], logs[1]


def _alike_logs(incidents: Register, tickets: Register, first: Any, second: Any) -> NDArray[np.float64]:
    """Weight of agreement: cable says more than branch, and is not counted together with it."""
    weights = {}
    for column, agreement in AGREEMENT.items():
        words, shares = tickets.words[column], _shares(tickets.words[column])
        own, other = incidents.words[column][first], words[second]
        share = np.array([shares.get(word, 1 / (len(words) + len(shares) + 1)) for word in own], dtype=float)
        agrees = np.log(agreement / share)
        differs = np.log((1 - agreement) / (1 - share))
        known = (own != "") & (other != "")
        weights[column] = np.where(known, np.where(own == other, agrees, differs), np.nan)
    cable = np.where(np.isnan(weights["cable_kind"]), weights["sector"], weights["cable_kind"])
    total: NDArray[np.float64] = np.nan_to_num(cable) + np.nan_to_num(weights["line_name"])
    return total


def _shares(words: NDArray[np.object_]) -> dict[str, float]:
    """Share of each known word, drawn a little towards equal shares so that no word is certain."""
    known, counts = np.unique(words[words != ""].astype(str), return_counts=True)
    whole = counts.sum() + len(known) + 1
    return {str(word): (count + 1) / whole for word, count in zip(known, counts, strict=True)}


def _unrelated_logs(
    incidents: Register, tickets: Register, first: Any, second: Any, spread_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log density of unrelated tickets about each pair: per m2 and hour, or per hour of an area."""
    if len(first) == 0:
        return np.empty(0)
    hours = max(tickets.until_h.max() - tickets.start_h.min(), _SHORTEST_REGISTER_HOURS)
    by_ring = _ticket_densities(tickets)
    ring = np.minimum(np.searchsorted(_RINGS_M, 2 * spread_m), len(_RINGS_M) - 1)
    density = by_ring[second, ring]
    bare_incident = ~incidents.is_placed[first]
    area = np.where(bare_incident, incidents.area[first], tickets.area[second])
    in_area = {each: int(((tickets.area == each) | (tickets.city == each)).sum()) for each in np.unique(area)}
    counts = np.array([max(in_area[each], 1) for each in area], dtype=float)
    is_bare = bare_incident | ~tickets.is_placed[second]
    unrelated: NDArray[np.float64] = np.log(np.where(is_bare, counts, density) / hours)
    return unrelated


def _ticket_densities(tickets: Register) -> NDArray[np.float64]:
    """Tickets per m2 around each ticket, one column per ring."""
    densities = np.ones((len(tickets.ids), len(_RINGS_M)))
    placed = np.flatnonzero(tickets.is_placed)
    if len(placed):
        tree = cKDTree(tickets.xy_m[placed])
        for column, ring_m in enumerate(_RINGS_M):
            counts = tree.query_ball_point(tickets.xy_m[placed], ring_m, return_length=True)
            densities[placed, column] = counts / (np.pi * ring_m**2)
    return densities
