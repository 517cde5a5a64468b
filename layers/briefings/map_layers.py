"""Draw what lies on the map of a briefing, from the land up to the zones; each function draws one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from layers.briefings.svg import dots_data, hatch, joined, label, path_data, tag
from layers.theme import COLOURS, COUNT_RAMP, count_classes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markupsafe import Markup
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.briefings import BriefingMap, MapArea, Section, Station, Zone
    from layers.briefings.map_frame import Frame
    from layers.theme import CountClass

LINE_DASHES = {"power": None, "telecom": "1.6 0.7", "broadcasting": "0.4 0.6", "other": "2.2 0.5 0.4 0.5"}
BELT_DASH = "1.2 0.9"
CIRCLE_DASH = "0.7 0.6"
CANDIDATE_DASH = "1.4 1"
DOT_MM, BLURRED_MM, _FILLED_MM = 0.62, 1.0, 9.0
MOST_DOTS, MOST_CIRCLES = 400, 60
"""Incidents with a known and a blurred place that one map still draws one by one; of more, cells are counted."""
_CELL_MM = 3.4
WATCHED, WATCHED_MM = COUNT_RAMP[4], 1.3
"""Sections to watch: a colour that no line has, wide enough for dots to lie on it."""
STATION_MM = 0.75


def land(frame: Frame, drawn: BriefingMap, *, own: frozenset[str]) -> Markup:
    """Fill cities, hatch those from which nothing came, and draw the borders of counties and cities."""
    parts = []
    for city in drawn.cities:
        shape = frame.shape(city.shape)
        fill = COLOURS["area"] if city.code in own else COLOURS["ground"]
        parts.append(tag("path", d=path_data(shape), fill=fill))
        if not city.has_data and shape is not None:
            parts.append(hatching(shape))
    silent = [
        county for county in drawn.counties if not county.has_data and county.city_code in _with_data(drawn)
    ]
    parts += [hatching(shape) for county in silent if (shape := frame.shape(county.shape)) is not None]
    parts.append(_outlines(frame, drawn.counties, colour=COLOURS["area-edge"], width=0.16))
    parts.append(_outlines(frame, drawn.cities, colour=COLOURS["city-edge"], width=0.34))
    return joined(parts)


def _with_data(drawn: BriefingMap) -> frozenset[str]:
    return frozenset(city.code for city in drawn.cities if city.has_data)


def hatching(shape: BaseGeometry) -> Markup:
    """Hatch an area from which nothing came."""
    return tag("path", d=path_data(hatch(shape)), fill="none", stroke=COLOURS["hatch"], stroke_width=0.22)


def _outlines(frame: Frame, areas: Iterable[MapArea], *, colour: str, width: float) -> Markup:
    data = "".join(path_data(frame.shape(area.shape)) for area in areas)
    return tag("path", d=data, fill="none", stroke=colour, stroke_width=width, stroke_linejoin="round")


def border(frame: Frame, drawn: BriefingMap) -> Markup:
    """Draw the shared boundary strongly and the belt on either side faintly."""
    belt, boundary = frame.shape(drawn.belt), frame.shape(drawn.boundary)
    teal = COLOURS["border-pair"]
    return joined(
        (
            tag(
                "path",
                d=path_data(belt),
                fill=teal,
                fill_opacity=0.05,
                stroke=teal,
                stroke_width=0.22,
                stroke_dasharray=BELT_DASH,
            ),
            tag(
                "path",
                d=path_data(boundary),
                fill="none",
                stroke=teal,
                stroke_width=0.75,
                stroke_linejoin="round",
            ),
        )
    )


def lines(frame: Frame, drawn: BriefingMap) -> Markup:
    """Draw the lines of each sector thin, told apart by dashes as well."""
    parts = []
    for sector, dash in LINE_DASHES.items():
        data = "".join(path_data(frame.shape(line.shape)) for line in drawn.lines if line.sector == sector)
        if data:
            parts.append(
                tag(
                    "path",
                    d=data,
                    fill="none",
                    stroke=COLOURS[f"line-{sector}"],
                    stroke_width=0.2,
                    stroke_opacity=0.75,
                    stroke_dasharray=dash,
                )
            )
    return joined(parts)


def sections(frame: Frame, watched: Sequence[Section]) -> Markup:
    """Draw the sections to watch thick on white."""
    data = "".join(path_data(frame.shape(section.shape)) for section in watched)
    shared = {"d": data, "fill": "none", "stroke_linecap": "round", "stroke_linejoin": "round"}
    return joined(
        (
            tag("path", **shared, stroke=COLOURS["paper"], stroke_width=WATCHED_MM + 0.7),
            tag("path", **shared, stroke=WATCHED, stroke_width=WATCHED_MM),
        )
    )


def shown_incidents(frame: Frame, drawn: BriefingMap) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places (millimetres) and radii (millimetres) of the incidents inside the frame."""
    xy = frame.points(drawn.incident_xy_m)
    inside = frame.holds(xy)
    return xy[inside], drawn.incident_radius_m[inside] * frame.mm_per_m


def are_too_many(radius: NDArray[np.float64]) -> bool:
    """Tell whether incidents are to be counted in cells: more of them would hide the land and each other."""
    blurred = int((radius > BLURRED_MM).sum())
    return blurred > MOST_CIRCLES or len(radius) - blurred > MOST_DOTS


def incidents(xy: NDArray[np.float64], radius: NDArray[np.float64]) -> Markup:
    """Draw a dot where the place is known at this scale, else a dashed circle that holds it."""
    is_blurred = radius > BLURRED_MM
    blurred = np.unique(np.round(np.column_stack((xy, radius))[is_blurred], 2), axis=0)
    ink = COLOURS["incident"]
    small = blurred[blurred[:, 2] <= _FILLED_MM]
    parts = [
        # Circles of whole counties stay empty: their grey would cover the land and say the least.
        tag("path", d=dots_data(small[:, :2], small[:, 2]), fill=ink, fill_opacity=0.035),
        tag(
            "path",
            d=dots_data(blurred[:, :2], blurred[:, 2]),
            fill="none",
            stroke=ink,
            stroke_width=0.18,
            stroke_opacity=0.7,
            stroke_dasharray=CIRCLE_DASH,
        ),
        tag(
            "path", d=dots_data(xy[~is_blurred], DOT_MM), fill=ink, stroke=COLOURS["paper"], stroke_width=0.18
        ),
    ]
    return joined(parts)


def incident_counts(xy: NDArray[np.float64], radius: NDArray[np.float64]) -> Markup:
    """Write how many incidents share a circle, or stand so close that their dots are one."""
    at = np.column_stack((xy, np.where(radius > BLURRED_MM, radius, 0.0)))
    stacks: dict[tuple[float, ...], int] = {}
    for x, y, r in at.tolist():
        key = (round(x, 2), round(y, 2), round(r, 2)) if r else (round(x / DOT_MM), round(y / DOT_MM), 0.0)
        stacks[key] = stacks.get(key, 0) + 1
    parts = []
    for (x, y, r), count in stacks.items():
        if count > 1:
            left, base = (x, y + 0.9) if r else (x * DOT_MM + 1.0, y * DOT_MM - 0.5)
            anchor = "middle" if r else "start"
            parts.append(
                label(
                    left,
                    base,
                    str(count),
                    2.4,
                    anchor=anchor,
                    colour=COLOURS["incident"],
                    weight="bold",
                    halo=COLOURS["paper"],
                )
            )
    return joined(parts)


def incident_cells(xy: NDArray[np.float64]) -> tuple[Markup, tuple[CountClass, ...]]:
    """Draw counts of incidents in square cells, one path for each class; return the classes too."""
    at, counts = np.unique(np.floor(xy / _CELL_MM).astype(np.int64), axis=0, return_counts=True)
    classes = count_classes(int(counts.max(initial=0)))
    parts = []
    for each in classes:
        chosen = at[(counts >= each.lower) & (counts <= each.upper)] * _CELL_MM
        data = "".join(
            f"M{x:.1f} {y:.1f}h{_CELL_MM:g}v{_CELL_MM:g}h{-_CELL_MM:g}Z" for x, y in chosen.tolist()
        )
        parts.append(tag("path", d=data, fill=each.colour, fill_opacity=0.92))
    return joined(parts), classes


def cell_km(frame: Frame) -> float:
    """Return the side of a cell in kilometres."""
    return _CELL_MM / frame.mm_per_m / 1_000


def zone_outlines(frame: Frame, zones: Sequence[Zone]) -> Markup:
    """Outline zones: strongly what passed its test, thin and dashed what did not."""
    parts = []
    for zone in sorted(zones, key=lambda zone: zone.is_proven):
        data = path_data(frame.shape(zone.shape))
        if zone.is_proven:
            parts.append(tag("path", d=data, fill="none", stroke=COLOURS["paper"], stroke_width=1.5))
            style = {"stroke": COLOURS["proven"], "stroke_width": 0.8, "stroke_dasharray": None}
        else:
            style = {"stroke": COLOURS["candidate"], "stroke_width": 0.35, "stroke_dasharray": CANDIDATE_DASH}
        parts.append(tag("path", d=data, fill="none", stroke_linejoin="round", **style))
    return joined(parts)


def station_xy(frame: Frame, checked: Sequence[Station]) -> NDArray[np.float64]:
    """Return the places of the stations inside the frame, millimetres."""
    at = [station.at for station in checked if station.at is not None]
    xy = frame.points(shapely.get_coordinates(at)) if at else np.zeros((0, 2))
    inside: NDArray[np.float64] = xy[frame.holds(xy)]
    return inside


def stations(frame: Frame, checked: Sequence[Station]) -> Markup:
    """Mark stations by small white squares."""
    xy, half = station_xy(frame, checked), STATION_MM
    data = "".join(
        f"M{x - half:.2f} {y - half:.2f}h{2 * half:g}v{2 * half:g}h{-2 * half:g}Z" for x, y in xy.tolist()
    )
    return tag("path", d=data, fill=COLOURS["paper"], stroke=COLOURS["supervised"], stroke_width=0.4)
