"""Say which columns and geometry a frame of incidents, segments or areas must have, and check them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd

INCIDENTS = (
    "occurred_from",  # datetime, Asia/Shanghai: last seen intact
    "occurred_until",  # datetime, half-open: discovered
    "place_text",  # as written
    "place_precision",  # point, section, village, township, county, city
    "radius_m",  # radius that holds the true place
    "area_id",  # county by place
    "category",  # code of the catalogue
    "sector",  # power, telecom, broadcasting, other
)
SEGMENTS = (
    "line_name",  # the line it belongs to
    "from_node",
    "to_node",
    "sector",
    "kind",
    "pairs",  # copper pairs; 0 where the cable has none
    "owner",
    "laying",  # aerial, buried, duct
    "length_m",
    "in_service_from",
    "in_service_until",
    "area_id",
)
AREAS = ("level", "adcode", "name", "parent_id")
STATIONS = ("name", "state", "area_id")
PLACE_PRECISIONS = ("point", "section", "village", "township", "county", "city")
DATE_PRECISIONS = ("minute", "hour", "night", "day", "month", "interval")


def check_frame(frame: gpd.GeoDataFrame, columns: tuple[str, ...], *, name: str) -> gpd.GeoDataFrame:
    """Return the frame if it holds the columns and a declared CRS.

    Raises
    ------
    InvalidInputError
        Naming the frame and the columns that are missing.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InvalidInputError(f"the frame of {name} lacks {', '.join(missing)}")
    if frame.crs is None:
        raise InvalidInputError(f"the frame of {name} declares no coordinate system")
    return frame
