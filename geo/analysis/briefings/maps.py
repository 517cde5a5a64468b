"""What the map of a briefing shows: shapes in metres, nothing that has still to be looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.briefings.checks import check_choice, check_count, check_shape, check_text, checked_array
from geo.crs import METRIC, check_metres
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon

_AREAS = ("Polygon", "MultiPolygon")
_LINES = ("LineString", "MultiLineString")
SECTORS = ("power", "telecom", "broadcasting", "other")


def _no_points() -> NDArray[np.float64]:
    return np.zeros((0, 2))


def _no_radii() -> NDArray[np.float64]:
    return np.zeros(0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapArea:
    """A city or county of the map.

    Parameters
    ----------
    code : str
        Administrative code.
    name : str
    city_code : str
        Code of the city it belongs to; its own for a city.
    shape : Polygon or MultiPolygon, metres
        Simplified for drawing, neighbours together (`shapely.coverage_simplify`).
    incident_count : int or None
        Incidents of the period with this as their place; None where the area sent no data.
    has_data : bool
        False hatches it: nothing came from there, which is not the same as nothing happened.
    """

    code: str
    name: str
    city_code: str
    shape: Polygon | MultiPolygon
    incident_count: int | None = None
    has_data: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        check_text(self.code, name="the code of an area", most=12)
        check_text(self.name, name="the name of an area", most=120)
        check_shape(self.shape, kinds=_AREAS, name="the shape of an area")
        check_count(self.incident_count, name="incident_count of an area")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapLine:
    """A line near the boundary, drawn thin beneath everything that was found.

    Parameters
    ----------
    sector : {"power", "telecom", "broadcasting", "other"}
        Sets colour and dashes.
    shape : LineString or MultiLineString, metres
        All lines of a sector may come as one MultiLineString.
    """

    sector: str
    shape: LineString | MultiLineString

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        check_choice(self.sector, among=SECTORS, name="the sector of a line")
        check_shape(self.shape, kinds=_LINES, name="the shape of a line")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapLabel:
    """A name on the map: seats of counties and towns along the boundary.

    Parameters
    ----------
    name : str
    at : Point, metres
    kind : {"city", "county", "town"}
        Where there is no room, towns go first.
    """

    name: str
    at: Point
    kind: str

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        check_text(self.name, name="a label", most=120)
        check_shape(self.at, kinds=("Point",), name="the place of a label")
        check_choice(self.kind, among=("city", "county", "town"), name="the kind of a label")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BriefingMap:
    """Everything the map shows, in one metric system; zones, sections and stations bring their own shapes.

    Parameters
    ----------
    cities : tuple of MapArea
        Those of the briefing, then neighbours that frame the map, if any.
    counties : tuple of MapArea
        Counties of the briefing's cities, with their counts: the outward form is made of these.
    boundary : LineString or MultiLineString or None, metres
        The shared boundary.
    belt : Polygon or MultiPolygon or None, metres
        What lies within the depth on either side of it.
    lines : tuple of MapLine
        Lines near the boundary; empty where none are known.
    labels : tuple of MapLabel
        Most important first.
    incident_xy_m : ndarray of float64, shape (n, 2)
        Places of the incidents that have one, metres.
    incident_radius_m : ndarray of float64, shape (n,)
        Radius that holds the true place, >= 0.
    epsg : int
        The metric system of all shapes.
    attribution : str
        Whom the outlines must name, may be empty.
    is_redistributable : bool
        Whether the licence of the outlines lets them leave the house; the outward form draws no map otherwise.
    """

    cities: tuple[MapArea, ...]
    counties: tuple[MapArea, ...] = ()
    boundary: LineString | MultiLineString | None = None
    belt: Polygon | MultiPolygon | None = None
    lines: tuple[MapLine, ...] = ()
    labels: tuple[MapLabel, ...] = ()
    incident_xy_m: NDArray[np.float64] = field(default_factory=_no_points)
    incident_radius_m: NDArray[np.float64] = field(default_factory=_no_radii)
    epsg: int = METRIC
    attribution: str = ""
    is_redistributable: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not self.cities:
            raise InvalidInputError("a map needs the outline of at least one city")
        check_shape(self.boundary, kinds=_LINES, name="the shared boundary")
        check_shape(self.belt, kinds=_AREAS, name="the belt")
        check_text(self.attribution, name="attribution", may_be_empty=True)
        n = len(self.incident_xy_m)
        checked_array(self.incident_xy_m, shape=(n, 2), name="incident_xy_m")
        checked_array(self.incident_radius_m, shape=(n,), name="incident_radius_m")
        check_metres(self.incident_xy_m, name="incident_xy_m")
        if (self.incident_radius_m < 0).any():
            raise InvalidInputError("incident_radius_m must not be negative")
