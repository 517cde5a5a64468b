"""Place names and numbers on the map so that none covers another: the important ones first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from layers.briefings.svg import joined, label, tag, text_width
from layers.theme import COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from markupsafe import Markup
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.briefings import BriefingMap, Zone
    from layers.briefings.map_frame import Frame

    Box = tuple[float, float, float, float]

SIZES = {"city": 4.2, "county": 2.7, "town": 2.2}
CLOSE_SIZES = {"city": 3.2, "county": 2.6, "town": 2.3}
"""Heights of names, millimetres; the second for maps of one zone."""
_EVERY = 1.2
_BADGE = 2.3
_MOST_BADGES = 30
_MARGIN = 0.6
_LEAST_MM2 = 60.0
_TRIED = (0.5, 0.35, 0.65, 0.2, 0.8, 0.1, 0.9)


class Room:
    """What is taken already."""

    def __init__(self, width: float, height: float, taken: Sequence[Box] = ()) -> None:
        self._width, self._height = width, height
        self._taken: list[Box] = list(taken)

    def take(self, box: Box, *, is_forced: bool = False) -> bool:
        """Take a box (west, north, east, south) if it is free and inside; a forced one is taken anyway."""
        west, north, east, south = box
        is_inside = (
            west >= _MARGIN
            and north >= _MARGIN
            and east <= self._width - _MARGIN
            and south <= self._height - _MARGIN
        )
        is_free = all(
            east <= other[0] or west >= other[2] or south <= other[1] or north >= other[3]
            for other in self._taken
        )
        if not is_forced and not (is_inside and is_free):
            return False
        self._taken.append(box)
        return True


def outline_boxes(frame: Frame, shapes: Sequence[BaseGeometry]) -> list[Box]:
    """Return small boxes along outlines, so that no name crosses one."""
    boxes = []
    for shape_m in shapes:
        shape = frame.shape(shape_m)
        if shape is None or shape.is_empty:
            continue
        along = shapely.segmentize(shape.boundary, _EVERY)
        boxes += [(x - 0.4, y - 0.4, x + 0.4, y + 0.4) for x, y in shapely.get_coordinates(along).tolist()]
    return boxes


def point_boxes(xy: NDArray[np.float64], half: float) -> list[Box]:
    """Return boxes about points, so that no name covers one."""
    return [(x - half, y - half, x + half, y + half) for x, y in xy.tolist()]


def zone_badges(frame: Frame, zones: Sequence[Zone], room: Room) -> Markup:
    """Write the rank of each zone in a disc at its northern end, those that passed first."""
    parts = []
    ordered = sorted(zones, key=lambda zone: (not zone.is_proven, zone.rank))
    for zone in ordered[:_MOST_BADGES]:
        shape = frame.shape(zone.shape)
        if shape is None or shape.is_empty:
            continue
        west, north, east, _ = shape.bounds
        spots = [((west + east) / 2, north - _BADGE - 0.4), (east + _BADGE, north), (west - _BADGE, north)]
        spots = [
            (
                min(max(x, _BADGE + 1), frame.width_mm - _BADGE - 1),
                min(max(y, _BADGE + 1), frame.height_mm - _BADGE - 1),
            )
            for x, y in spots
        ]
        boxes = [(x - _BADGE, y - _BADGE, x + _BADGE, y + _BADGE) for x, y in spots]
        chosen = next((place for place, box in enumerate(boxes) if room.take(box)), None)
        if chosen is None:
            if not zone.is_proven:
                continue
            chosen = 0
            room.take(boxes[0], is_forced=True)
        parts.append(_badge(*spots[chosen], zone))
    return joined(parts)


def _badge(x: float, y: float, zone: Zone) -> Markup:
    colour = COLOURS["proven"] if zone.is_proven else COLOURS["candidate"]
    fill, ink = (colour, COLOURS["paper"]) if zone.is_proven else (COLOURS["paper"], colour)
    return joined(
        (
            tag("circle", cx=x, cy=y, r=_BADGE - 0.2, fill=fill, stroke=colour, stroke_width=0.35),
            label(x, y + 1.0, str(zone.rank), 2.8, anchor="middle", colour=ink, weight="bold"),
        )
    )


def place_names(frame: Frame, drawn: BriefingMap, room: Room, *, sizes: dict[str, float] = SIZES) -> Markup:
    """Write names of cities, counties and towns where there is room, a small mark at each town."""
    parts = [
        area_name(frame, each.shape, each.name, room, sizes["city"], is_bold=True) for each in drawn.cities
    ]
    rank = {"city": 0, "county": 1, "town": 2}
    seats = {place.name for place in drawn.labels}
    parts += [
        _seat(
            frame,
            shapely.get_coordinates(place.at),
            place.name,
            room,
            sizes["county" if place.kind == "city" else place.kind],
        )
        for place in sorted(drawn.labels, key=lambda each: rank[each.kind])
    ]
    parts += [
        area_name(frame, county.shape, county.name, room, sizes["county"])
        for county in drawn.counties
        if county.name not in seats
    ]
    return joined(parts)


def area_name(
    frame: Frame, shape_m: BaseGeometry, name: str, room: Room, size: float, *, is_bold: bool = False
) -> Markup:
    """Write a name inside the part of an area that is seen, if it fits anywhere there."""
    shape = frame.shape(shape_m)
    if shape is None or shape.is_empty or shape.area < _LEAST_MM2:
        return joined(())
    wide = text_width(name, size)
    west, north, east, south = shape.bounds
    spots = [shapely.get_coordinates(shapely.point_on_surface(shape))[0].tolist()]
    spots += [
        (west + (east - west) * across, north + (south - north) * down)
        for down in _TRIED
        for across in _TRIED
    ]
    for x, y in spots:
        box = (x - wide / 2, y - size, x + wide / 2, y + size * 0.3)
        if shape.contains(shapely.box(*box)) and room.take(box):
            return label(
                x,
                y,
                name,
                size,
                anchor="middle",
                colour=COLOURS["ink"] if is_bold else COLOURS["quiet-ink"],
                weight="bold" if is_bold else "normal",
                halo=COLOURS["area"],
            )
    return joined(())


def _seat(frame: Frame, at_m: NDArray[np.float64], name: str, room: Room, size: float) -> Markup:
    """Mark a seat and write its name on whichever side is free; nothing where neither is."""
    xy = frame.points(at_m)
    if not frame.holds(xy, margin_mm=1.0)[0]:
        return joined(())
    x, y = xy[0].tolist()
    wide = text_width(name, size)
    mark = 0.55
    for anchor, left, base in (
        ("start", x + 1.1, y + size * 0.36),
        ("end", x - 1.1 - wide, y + size * 0.36),
        ("middle", x - wide / 2, y - 1.1),
        ("middle", x - wide / 2, y + 1.0 + size),
    ):
        if room.take((left - 0.2, base - size, left + wide + 0.2, base + size * 0.25)):
            at = {"start": left, "end": left + wide, "middle": x}[anchor]
            return joined(
                (
                    tag(
                        "circle",
                        cx=x,
                        cy=y,
                        r=mark,
                        fill=COLOURS["paper"],
                        stroke=COLOURS["quiet-ink"],
                        stroke_width=0.25,
                    ),
                    label(
                        at, base, name, size, anchor=anchor, colour=COLOURS["quiet-ink"], halo=COLOURS["area"]
                    ),
                )
            )
    return joined(())
