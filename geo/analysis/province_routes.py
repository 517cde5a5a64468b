"""Choose which towns of the demo province a line joins, along which path, and what cable hangs there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from geo.analysis.province_places import BROADCASTING, POWER, SECOND_TELECOM, TELECOM
from geo.analysis.proximity_graphs import relative_neighbours

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geo.analysis.province_areas import Land

BORDER_PAIRS = (
    ("周口市", "商丘市"),
    ("周口市", "驻马店市"),
    ("许昌市", "开封市"),
    ("许昌市", "郑州市"),
    ("郑州市", "洛阳市"),
)
"""Neighbouring cities whose border the 2008 campaign named for joint operations."""

PAIR_CLASSES = (20, 100, 200, 300, 400)
PAIR_WEIGHTS = np.array([1.0, 6.0, 10.0, 5.0, 2.0]) / 24.0
"""How often each size of copper cable is named in the 24 cases of the campaign annex."""

LAYINGS = ("aerial", "buried", "duct")
_LAYING_SHARES = (0.7, 0.2, 0.1)
_TRUNK_COPPER, _LATERAL_COPPER = 0.35, 0.85
_POWER_SHARE, _BROADCASTING_SHARE = 0.5, 0.35
_HOP_M, _MOST_SCALE = 500.0, 2.0
_MOST_SEGMENTS = 3_700
_TRUNK_HOPS, _LATERAL_HOPS = 3.2, 2.5
# Nobody steals by the span what holds no copper: fibre and the other sectors are recorded in longer segments.
_LONGER = {"copper": 1.0, "optical": 1.9, "power": 1.6, "coaxial": 1.6}
_BEND, _MOST_BEND_M = 0.03, 3_500.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Route:
    """One line before it is cut into segments.

    Parameters
    ----------
    name, from_node, to_node : str
        As people say: ``青石支局—槐树支局线``.
    sector, kind, owner, laying : str
        As in `geo.frames.SEGMENTS`.
    pairs : int
        Copper pairs, 0 for anything else.
    path : ndarray of float64, shape (m, 2)
        Vertices, EPSG:4547; every hop is about as long.
    hops : float
        Hops in a segment, on average.
    is_trunk, is_border : bool
        Between county seats; between cities of one of the border pairs.
    """

    name: str
    from_node: str
    to_node: str
    sector: str
    kind: str
    pairs: int
    owner: str
    laying: str
    path: NDArray[np.float64]
    hops: float
    is_trunk: bool
    is_border: bool


class _Cable(NamedTuple):
    sector: str
    kind: str
    pairs: int
    owner: str


def lay_routes(land: Land, towns: pd.DataFrame, *, rng: np.random.Generator) -> list[Route]:
    """Lay trunks between seats, laterals inside counties, and some power and broadcasting lines.

    Parameters
    ----------
    land : Land
    towns : DataFrame
        From `geo.analysis.province_places.lay_out_towns`, indexed from 0.
    rng : Generator

    Returns
    -------
    list of Route
        Trunks first. Trunks follow the relative neighbourhood graph of the seats, and join the cities
        of every border pair at least once; laterals follow it inside each county. A line that would
        leave the province is not built.
    """
    xy = towns[["x", "y"]].to_numpy(dtype=np.float64)
    trunks, is_border = _trunk_ends(land, towns, xy)
    laterals, extras = _lateral_ends(towns, xy), _extra_ends(towns, rng)
    hop_m = _hop_m(xy, trunks, laterals)
    routes = []
    for ends, border in zip(trunks, is_border, strict=True):
        cable = _telecom(rng, copper_share=1.0 if border else _TRUNK_COPPER)
        routes.append(_route(towns, ends, cable, hop_m, land, rng, is_trunk=True, is_border=border))
    for ends in laterals:
        cable = _telecom(rng, copper_share=_LATERAL_COPPER)
        routes.append(_route(towns, ends, cable, hop_m, land, rng))
    for cable, pairs_of_towns in extras:
        routes += [_route(towns, ends, cable, hop_m, land, rng) for ends in pairs_of_towns]
    return [route for route in routes if route is not None]


def _trunk_ends(
    land: Land, towns: pd.DataFrame, xy: NDArray[np.float64]
) -> tuple[list[tuple[int, int]], list[bool]]:
    """Join the seats; where no trunk crosses a border pair, add the shortest one that does."""
    seats = np.flatnonzero(towns["is_seat"].to_numpy())
    ends = [(int(seats[a]), int(seats[b])) for a, b in relative_neighbours(xy[seats])]
    city_names = land.cities["name"].loc[land.city_ids(towns["county_id"].to_numpy(dtype=np.int64))].to_list()
    for pair in BORDER_PAIRS:
        shapes = [land.cities.geometry[land.cities["name"] == name] for name in pair]
        if any(shape.empty for shape in shapes) or not shapes[0].iloc[0].intersects(shapes[1].iloc[0]):
            continue
        if not any({city_names[a], city_names[b]} == set(pair) for a, b in ends):
            here, there = ([seat for seat in seats if city_names[seat] == name] for name in pair)
            apart = np.linalg.norm(xy[here][:, None, :] - xy[there][None, :, :], axis=2)
            a, b = np.unravel_index(int(apart.argmin()), apart.shape)
            ends.append((int(here[a]), int(there[b])))
    named = {frozenset(pair) for pair in BORDER_PAIRS}
    return ends, [frozenset((city_names[a], city_names[b])) in named for a, b in ends]


def _lateral_ends(towns: pd.DataFrame, xy: NDArray[np.float64]) -> list[tuple[int, int]]:
    ends: list[tuple[int, int]] = []
    for _, rows in towns.groupby("county_id", sort=True):
        inside = rows.index.to_numpy()
        ends += [(int(inside[a]), int(inside[b])) for a, b in relative_neighbours(xy[inside])]
    return ends


def _extra_ends(towns: pd.DataFrame, rng: np.random.Generator) -> list[tuple[_Cable, list[tuple[int, int]]]]:
    """Choose one town of some counties for a power line from the seat, and of some for a broadcasting line."""
    seats = towns.index[towns["is_seat"]]
    chosen: list[tuple[_Cable, list[tuple[int, int]]]] = []
    for cable, share in (
        (_Cable("power", "power", 0, POWER), _POWER_SHARE),
        (_Cable("broadcasting", "coaxial", 0, BROADCASTING), _BROADCASTING_SHARE),
    ):
        ends = []
        for position, seat in enumerate(seats):
            others = towns.index[(towns["county_id"] == towns.loc[seat, "county_id"]) & ~towns["is_seat"]]
            # The first county always has one, so that no sector is empty.
            if len(others) and (position == 0 or rng.random() < share):
                ends.append((int(seat), int(others[int(rng.integers(len(others)))])))
        chosen.append((cable, ends))
    return chosen


def _hop_m(xy: NDArray[np.float64], trunks: list[tuple[int, int]], laterals: list[tuple[int, int]]) -> float:
    """Lengthen the hop where the lines would give more than about `_MOST_SEGMENTS` segments."""

    def total_m(ends: list[tuple[int, int]]) -> float:
        first, second = np.asarray(ends, dtype=np.int64).reshape(-1, 2).T
        return float(np.linalg.norm(xy[first] - xy[second], axis=1).sum())

    # Most trunks are fibre; power and broadcasting lines add about an eighth to the laterals.
    fibre = 1 / _LONGER["optical"]
    trunk_count = total_m(trunks) / _HOP_M / _TRUNK_HOPS * (_TRUNK_COPPER + (1 - _TRUNK_COPPER) * fibre)
    lateral_count = total_m(laterals) / _HOP_M / _LATERAL_HOPS * 1.125
    return _HOP_M * float(np.clip((trunk_count + lateral_count) / _MOST_SEGMENTS, 1.0, _MOST_SCALE))


def _telecom(rng: np.random.Generator, *, copper_share: float) -> _Cable:
    owner = TELECOM if rng.random() < 0.75 else SECOND_TELECOM  # noqa: PLR2004 - three lines in four
    if rng.random() < copper_share:
        pairs = int(rng.choice(PAIR_CLASSES, p=PAIR_WEIGHTS))
        return _Cable("telecom", "copper", pairs, owner)
    return _Cable("telecom", "optical", 0, owner)


def _route(
    towns: pd.DataFrame,
    ends: tuple[int, int],
    cable: _Cable,
    hop_m: float,
    land: Land,
    rng: np.random.Generator,
    *,
    is_trunk: bool = False,
    is_border: bool = False,
) -> Route | None:
    laying = str(rng.choice(LAYINGS, p=_LAYING_SHARES))
    xy = towns.loc[list(ends), ["x", "y"]].to_numpy(dtype=np.float64)
    path = _path(xy[0], xy[1], hop_m * _LONGER[cable.kind], rng)
    # A bent path may leave the province where the straight one does not.
    for candidate in (path, np.linspace(xy[0], xy[1], len(path))):
        if land.whole.contains(shapely.LineString(candidate)):
            path = candidate
            break
    else:
        return None
    from_node, to_node = (_node_name(towns, end, cable.sector) for end in ends)
    return Route(
        name=f"{from_node}—{to_node}线",
        from_node=from_node,
        to_node=to_node,
        sector=cable.sector,
        kind=cable.kind,
        pairs=cable.pairs,
        owner=cable.owner,
        laying=laying,
        path=path,
        hops=_TRUNK_HOPS if is_trunk else _LATERAL_HOPS,
        is_trunk=is_trunk,
        is_border=is_border,
    )


def _node_name(towns: pd.DataFrame, town: int, sector: str) -> str:
    stem = str(towns.loc[town, "stem"])
    return {"power": f"{stem}变", "broadcasting": f"{stem}广播站"}.get(sector, str(towns.loc[town, "office"]))


def _path(
    start: NDArray[np.float64], end: NDArray[np.float64], hop_m: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Bend a straight way sideways by a few sine waves that vanish at both ends."""
    along = end - start
    length_m = float(np.hypot(*along))
    part = np.linspace(0.0, 1.0, max(2, round(length_m / hop_m)) + 1)
    waves = np.arange(1, 5)
    height = rng.normal(scale=_BEND * length_m, size=4) / waves**1.3
    aside = np.clip(np.sin(np.pi * np.outer(part, waves)) @ height, -_MOST_BEND_M, _MOST_BEND_M)
    across = np.array([-along[1], along[0]]) / length_m
    return np.asarray(start + part[:, None] * along + aside[:, None] * across)
