"""Make the areas of the demo province, or check the ones that are given.

City points: the official seats of the 18 cities of Henan, restated to two decimals from
Vonng/adcode (CC-BY-4.0). Everything below the cities is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import METRIC, STORED, to_metric
from geo.errors import InvalidInputError
from geo.frames import AREAS, check_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import Point
    from shapely.geometry.base import BaseGeometry

HULL_M = 38_000.0
"""How far the smooth outline runs outside the outermost cities."""

DECIMALS = 7
"""Stored coordinates are rounded to about a centimetre, so that equal places are equal numbers."""

_COUNTY_KM2 = 2_300.0
_FEWEST, _MOST = 3, 8
_NUMERALS = "零一二三四五六七八九"


class City(NamedTuple):
    """A city of the province and the point of its seat, degrees."""

    adcode: str
    name: str
    lon: float
    lat: float


CITIES = (
    City("410100", "郑州市", 113.62, 34.75),
    City("410200", "开封市", 114.30, 34.80),
    City("410300", "洛阳市", 112.45, 34.62),
    City("410400", "平顶山市", 113.19, 33.77),
    City("410500", "安阳市", 114.39, 36.10),
    City("410600", "鹤壁市", 114.29, 35.75),
    City("410700", "新乡市", 113.92, 35.30),
    City("410800", "焦作市", 113.24, 35.22),
    City("410900", "濮阳市", 115.02, 35.76),
    City("411000", "许昌市", 113.85, 34.04),
    City("411100", "漯河市", 114.01, 33.58),
    City("411200", "三门峡市", 111.19, 34.77),
    City("411300", "南阳市", 112.52, 32.99),
    City("411400", "商丘市", 115.65, 34.42),
    City("411500", "信阳市", 114.09, 32.15),
    City("411600", "周口市", 114.69, 33.63),
    City("411700", "驻马店市", 114.02, 33.01),
    City("419001", "济源市", 112.60, 35.07),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Land:
    """The areas in metres, as cables and incidents need them.

    Parameters
    ----------
    counties : GeoDataFrame
        EPSG:4547, indexed by area id, with name and city_id; a valid coverage.
    cities : GeoDataFrame
        EPSG:4547, indexed by area id, with name; each is the union of its counties.
    whole : Polygon or MultiPolygon, EPSG:4547
        The province.
    """

    counties: gpd.GeoDataFrame
    cities: gpd.GeoDataFrame
    whole: BaseGeometry

    def county_ids(self, xy_m: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the county of each point, -1 outside; on a border the lower id."""
        ids = self.counties.index.to_numpy(dtype=np.int64)
        tree = shapely.STRtree(self.counties.geometry.to_numpy())
        rows, found = tree.query(shapely.points(xy_m), predicate="intersects")
        lowest = np.full(len(xy_m), np.iinfo(np.int64).max)
        np.minimum.at(lowest, rows, ids[found])
        return np.where(lowest == np.iinfo(np.int64).max, -1, lowest)

    def city_ids(self, county_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the city of each county id."""
        return np.asarray(self.counties["city_id"].loc[county_ids], dtype=np.int64)


def synthetic_areas(*, seed: int) -> gpd.GeoDataFrame:
    """Return an invented province around the real city points.

    Cells nearest to each of the 18 cities inside a smooth hull, each cut into 3 to 8 counties with
    numbered names and codes that no county has. Borders are bent by two shears of the plane, which
    cannot make them cross.

    Parameters
    ----------
    seed : int
        Same seed, same areas.

    Returns
    -------
    GeoDataFrame
        MultiPolygons, EPSG:4326, indexed by area id from 1: one province, 18 cities, 54 to 144 counties,
        with the columns of `geo.frames.AREAS`. Counties are a valid coverage, and so are cities.

    Raises
    ------
    InvalidInputError
        If the bent borders of this seed do not close into the counties that were laid out.
    """
    rng = np.random.default_rng((seed, 1))
    seats = gpd.GeoSeries(
        gpd.points_from_xy([city.lon for city in CITIES], [city.lat for city in CITIES]), crs=STORED
    ).to_crs(METRIC)
    points = shapely.MultiPoint(seats.to_list())
    hull = points.convex_hull.buffer(HULL_M, quad_segs=32)
    cells = [cell.intersection(hull) for cell in _cells(points, reach=hull)]
    seeds = [_county_seeds(cell, seat, rng) for cell, seat in zip(cells, seats, strict=True)]
    pieces = [
        piece.intersection(cell)
        for cell, inside in zip(cells, seeds, strict=True)
        for piece in _cells(shapely.MultiPoint(inside), reach=hull)
    ]
    owner = np.repeat(np.arange(len(CITIES)), [len(inside) for inside in seeds])
    counties = _bent(pieces, np.concatenate(seeds), rng)
    return _named(counties, owner)


def _cells(points: BaseGeometry, *, reach: BaseGeometry) -> list[BaseGeometry]:
    return list(shapely.voronoi_polygons(points, extend_to=reach.envelope, ordered=True).geoms)


def _county_seeds(cell: BaseGeometry, seat: Point, rng: np.random.Generator) -> NDArray[np.float64]:
    """Spread county centres in a city: each the farthest of some random candidates from those before."""
    wanted = int(np.clip(round(cell.area / 1e6 / _COUNTY_KM2) + rng.integers(-1, 2), _FEWEST, _MOST))
    inner = cell.buffer(-6_000.0)
    chosen = [(seat.x, seat.y)]
    west, south, east, north = inner.bounds
    while len(chosen) < wanted:
        tries = rng.uniform((west, south), (east, north), size=(48, 2))
        tries = tries[shapely.contains_xy(inner, tries)]
        if len(tries):
            apart = np.linalg.norm(tries[:, None, :] - np.asarray(chosen)[None, :, :], axis=2).min(axis=1)
            best = tries[int(apart.argmax())]
            chosen.append((float(best[0]), float(best[1])))
    return np.asarray(chosen)


def _bent(
    pieces: list[BaseGeometry], seeds: NDArray[np.float64], rng: np.random.Generator
) -> list[BaseGeometry]:
    """Node the borders once, bend every vertex by the same map, and close them into polygons again."""
    noded = shapely.unary_union([piece.boundary for piece in pieces], grid_size=1.0)
    edges = shapely.segmentize(shapely.get_parts(noded), 1_500.0)
    phases = rng.uniform(0, 2 * np.pi, size=4)

    def bend(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        east = (
            xy[:, 0]
            + 2_400 * np.sin(xy[:, 1] / 7_300 + phases[0])
            + 500 * np.sin(xy[:, 1] / 1_700 + phases[1])
        )
        north = xy[:, 1] + 2_400 * np.sin(east / 6_900 + phases[2]) + 500 * np.sin(east / 1_900 + phases[3])
        return np.column_stack((east, north))

    bent = gpd.GeoSeries(shapely.transform(edges, bend), crs=METRIC).to_crs(STORED)
    faces = shapely.get_parts(shapely.polygonize(rounded(bent.to_numpy())))
    marks = gpd.GeoSeries(shapely.points(bend(seeds)), crs=METRIC).to_crs(STORED).to_numpy()
    seed_of, face_of = shapely.STRtree(faces).query(marks, predicate="within")
    if len(faces) != len(seeds) or len(seed_of) != len(seeds) or len(set(face_of)) != len(seeds):
        raise InvalidInputError("the borders of this seed do not close; take another seed")
    return list(faces[face_of[np.argsort(seed_of)]])


def rounded(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Round every coordinate of geometries in degrees to `DECIMALS`."""
    return np.asarray(shapely.transform(geometries, lambda xy: np.round(xy, DECIMALS)), dtype=object)


def _named(counties: list[BaseGeometry], owner: NDArray[np.int64]) -> gpd.GeoDataFrame:
    """Stack province, cities and counties into one frame with ids, codes and names."""
    shapes = np.asarray(counties, dtype=object)
    cities = [shapely.coverage_union_all(shapes[owner == city]) for city in range(len(CITIES))]
    within_city = np.concatenate([np.arange(1, count + 1) for count in np.bincount(owner)])
    # Real county codes of Henan end below 91 in every city, so these belong to no place.
    codes = [
        f"{CITIES[city].adcode[:4]}{90 + number}" for city, number in zip(owner, within_city, strict=True)
    ]
    names = [f"演示{_numeral(number)}县" for number in range(1, len(counties) + 1)]
    frame = gpd.GeoDataFrame(
        {
            "level": ["province"] + ["city"] * len(CITIES) + ["county"] * len(counties),
            "adcode": ["410000", *(city.adcode for city in CITIES), *codes],
            "name": ["演示省", *(city.name for city in CITIES), *names],
            "parent_id": pd.array([pd.NA] + [1] * len(CITIES) + (owner + 2).tolist(), dtype="Int64"),
        },
        geometry=[_multi(shapely.coverage_union_all(shapes)), *map(_multi, cities), *map(_multi, counties)],
        crs=STORED,
        index=pd.RangeIndex(1, 2 + len(CITIES) + len(counties), name="id"),
    )
    return check_frame(frame, AREAS, name="areas")


def _multi(shape: BaseGeometry) -> BaseGeometry:
    return shapely.MultiPolygon(shapely.get_parts(shape).tolist())


def _numeral(number: int) -> str:
    """Write 1 to 199 in Chinese."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = "一百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else _NUMERALS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (_NUMERALS[ones] if ones else "")


def checked_areas(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return given areas with a province row, or refuse them.

    Parameters
    ----------
    areas : GeoDataFrame
        Cities and counties in EPSG:4326 with the columns of `geo.frames.AREAS`, indexed by whole numbers;
        `parent_id` of a county is the index of its city. Other levels than province are left out.

    Returns
    -------
    GeoDataFrame
        The same rows with the same ids, and one province: the given one, or the union of the counties.

    Raises
    ------
    InvalidInputError
        If a column, the coordinate system or a geometry is missing, a county has no city or a city no
        county, or the counties overlap or leave gaps.
    """
    check_frame(areas, AREAS, name="areas")
    if areas.crs.to_epsg() != STORED:
        raise InvalidInputError("the areas of a demo province must be in EPSG:4326")
    named = areas if areas.geometry.name == "geometry" else areas.rename_geometry("geometry")
    kept = named.loc[named["level"].isin(("province", "city", "county")), [*AREAS, "geometry"]]
    kept = kept.astype({"parent_id": "Int64"})
    if kept.index.has_duplicates or not pd.api.types.is_integer_dtype(kept.index):
        raise InvalidInputError("areas must be indexed by distinct whole numbers")
    if kept.geometry.isna().any() or kept.geometry.is_empty.any():
        raise InvalidInputError("an area has no geometry")
    counties = kept[kept["level"] == "county"]
    cities = kept.index[kept["level"] == "city"]
    if set(counties["parent_id"].dropna()) != set(cities) or counties["parent_id"].isna().any():
        raise InvalidInputError("every county must belong to a city of the frame, and every city have one")
    if not len(counties) or not shapely.coverage_is_valid(counties.geometry.to_numpy()):
        raise InvalidInputError("the counties overlap or leave gaps between them")
    return _with_province(kept.rename_axis("id"))


def _with_province(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    provinces = areas.index[areas["level"] == "province"]
    if len(provinces) > 1:
        raise InvalidInputError("the areas hold more than one province")
    if len(provinces):
        return areas
    number = int(areas.index.max()) + 1
    counties = areas.loc[areas["level"] == "county", "geometry"].to_numpy()
    row = gpd.GeoDataFrame(
        {
            "level": ["province"],
            "adcode": ["410000"],
            "name": ["演示省"],
            "parent_id": pd.array([pd.NA], dtype="Int64"),
        },
        geometry=[_multi(shapely.coverage_union_all(counties))],
        crs=STORED,
        index=pd.Index([number], name="id"),
    )
    parents = areas["parent_id"].where(areas["level"] != "city", number)
    return gpd.GeoDataFrame(pd.concat([areas.assign(parent_id=parents), row]), crs=STORED)


def land_of(areas: gpd.GeoDataFrame) -> Land:
    """Project checked areas to metres and join counties into cities."""
    metric = to_metric(areas)
    counties = metric.loc[metric["level"] == "county", ["name", "parent_id", "geometry"]]
    counties = counties.rename(columns={"parent_id": "city_id"}).astype({"city_id": "int64"}).sort_index()
    shapes = counties.geometry.to_numpy()
    shapely.prepare(shapes)
    cities = metric.loc[metric["level"] == "city", ["name"]].sort_index()
    joined = [shapely.coverage_union_all(shapes[counties["city_id"] == city]) for city in cities.index]
    whole = shapely.coverage_union_all(shapes)
    shapely.prepare(whole)
    return Land(
        counties=counties,
        cities=gpd.GeoDataFrame(cities, geometry=joined, crs=METRIC),
        whole=whole,
    )
