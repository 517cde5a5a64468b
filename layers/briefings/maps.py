"""Draw the maps of a briefing as vectors: the whole border, and each zone close up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from layers.briefings import map_layers, map_legend
from layers.briefings.map_frame import fit_frame, north_arrow, scale_bar
from layers.briefings.map_labels import (
    CLOSE_SIZES,
    SIZES,
    Room,
    outline_boxes,
    place_names,
    point_boxes,
    zone_badges,
)
from layers.briefings.svg import drawing, joined, label, path_data, tag
from layers.briefings.words import SECTOR_WORDS
from layers.theme import COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.briefings import Briefing, BriefingMap, Section, Station, Zone
    from layers.briefings.map_frame import Frame
    from layers.theme import CountClass

_CLOSE_MARGIN = 0.18
_INSET_WIDE, _INSET_TALL = 34.0, 26.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """A drawing with its size and what it shows in words.

    Parameters
    ----------
    svg : Markup
    width_mm, height_mm : float
    alt : str
        For who cannot see it.
    """

    svg: Markup
    width_mm: float
    height_mm: float
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shown:
    """What one map shows beside the land."""

    zones: Sequence[Zone]
    sections: Sequence[Section]
    stations: Sequence[Station]


def border_map(briefing: Briefing, *, width_mm: float, height_mm: float, alt: str) -> Picture:
    """Draw the belt along the shared boundary with everything found in it, and where it lies.

    Parameters
    ----------
    briefing : Briefing
    width_mm, height_mm : float
        Of the map itself; the legend comes beneath it.
    alt : str
    """
    drawn = briefing.map
    shapes: list[BaseGeometry | None] = [drawn.belt, *(zone.shape for zone in briefing.zones)]
    own = frozenset(city.code for city in briefing.cities)
    if not any(shape is not None for shape in shapes):
        shapes = [city.shape for city in drawn.cities if city.code in own] or [drawn.cities[0].shape]
    frame = fit_frame(shapes, width_mm=width_mm, height_mm=height_mm)
    shown = _Shown(zones=briefing.zones, sections=briefing.sections, stations=briefing.stations)
    inset = _inset(frame, drawn, own)
    return _picture(frame, briefing, shown, alt=alt, inset=inset)


def zone_map(briefing: Briefing, zone: Zone, *, width_mm: float, height_mm: float, alt: str) -> Picture:
    """Draw one zone close up."""
    frame = fit_frame([zone.shape], width_mm=width_mm, height_mm=height_mm, margin=_CLOSE_MARGIN)
    watched = [*zone.sections, *(each for each in briefing.sections if each.zone_rank == zone.rank)]
    shown = _Shown(zones=[zone], sections=watched, stations=briefing.stations)
    return _picture(frame, briefing, shown, alt=alt, is_close=True)


def _picture(
    frame: Frame,
    briefing: Briefing,
    shown: _Shown,
    *,
    alt: str,
    inset: Markup | None = None,
    is_close: bool = False,
) -> Picture:
    """Draw everything in its order, from the land to the names."""
    drawn = briefing.map
    own = frozenset(city.code for city in briefing.cities)
    xy, radius = map_layers.shown_incidents(frame, drawn)
    is_counted = map_layers.are_too_many(radius)
    classes: tuple[CountClass, ...] = ()
    cells = joined(())
    if is_counted:
        cells, classes = map_layers.incident_cells(xy)
    taken = [(0.0, frame.height_mm - 7.5, frame.width_mm * 0.42, frame.height_mm)]
    taken.append((frame.width_mm - 11.0, 0.0, frame.width_mm, 11.0))
    taken += outline_boxes(frame, [zone.shape for zone in shown.zones])
    if not is_counted:
        taken += point_boxes(xy[radius <= map_layers.BLURRED_MM], map_layers.DOT_MM)
    taken += point_boxes(map_layers.station_xy(frame, shown.stations), map_layers.STATION_MM)
    if inset is not None:
        taken.append(_inset_box(frame))
    room = Room(frame.width_mm, frame.height_mm, taken)
    badges = zone_badges(frame, shown.zones, room)
    parts = [
        tag("rect", width=frame.width_mm, height=frame.height_mm, fill=COLOURS["ground"]),
        map_layers.land(frame, drawn, own=own),
        cells,
        map_layers.lines(frame, drawn),
        map_layers.border(frame, drawn),
        map_layers.sections(frame, shown.sections),
        map_layers.zone_outlines(frame, shown.zones),
        map_layers.stations(frame, shown.stations),
        joined(()) if is_counted else map_layers.incidents(xy, radius),
        place_names(frame, drawn, room, sizes=CLOSE_SIZES if is_close else SIZES),
        badges,
        joined(()) if is_counted else map_layers.incident_counts(xy, radius),
        scale_bar(frame, x=3.5, y=frame.height_mm - 2.6),
        north_arrow(x=frame.width_mm - 6, y=6.4),
    ]
    if inset is not None:
        parts.append(inset)
    body = [clipped(parts, frame), frame_edge(frame)]
    height = frame.height_mm
    if not is_close:
        entries = _entries(drawn, shown, frame=frame, classes=classes, radius=None if is_counted else radius)
        written, tall = map_legend.legend(entries, width=frame.width_mm, top=frame.height_mm + 1.2)
        body.append(written)
        height += 1.2 + tall
    return Picture(
        svg=drawing(body, width_mm=frame.width_mm, height_mm=round(height, 2), alt=alt),
        width_mm=frame.width_mm,
        height_mm=round(height, 2),
        alt=alt,
    )


def clipped(parts: Sequence[Markup], frame: Frame) -> Markup:
    """Cut circles and names off at the frame; a picture within the picture clips in every reader."""
    return tag(
        "svg",
        joined(parts),
        x=0,
        y=0,
        width=frame.width_mm,
        height=frame.height_mm,
        viewBox=f"0 0 {frame.width_mm:g} {frame.height_mm:g}",
        overflow="hidden",
    )


def frame_edge(frame: Frame) -> Markup:
    """Draw the edge of the map."""
    return tag(
        "rect",
        x=0.15,
        y=0.15,
        width=frame.width_mm - 0.3,
        height=frame.height_mm - 0.3,
        fill="none",
        stroke=COLOURS["city-edge"],
        stroke_width=0.3,
    )


def _inset_box(frame: Frame) -> tuple[float, float, float, float]:
    return (
        frame.width_mm - _INSET_WIDE - 1,
        frame.height_mm - _INSET_TALL - 1,
        frame.width_mm,
        frame.height_mm,
    )


def _inset(frame: Frame, drawn: BriefingMap, own: frozenset[str]) -> Markup | None:
    """Draw where the map lies within its cities, small, in the lower right corner."""
    cities = [city for city in drawn.cities if city.code in own]
    if not cities:
        return None
    small = fit_frame(
        [city.shape for city in cities], width_mm=_INSET_WIDE, height_mm=_INSET_TALL, margin=0.06
    )
    window = shapely.box(
        frame.west_m,
        frame.south_m,
        frame.west_m + frame.width_mm / frame.mm_per_m,
        frame.south_m + frame.height_mm / frame.mm_per_m,
    )
    if window.contains(shapely.union_all([city.shape for city in cities])):
        return None
    x, y, _, _ = _inset_box(frame)
    edge = COLOURS["city-edge"]
    parts = [tag("rect", width=_INSET_WIDE, height=_INSET_TALL, fill=COLOURS["ground"])]
    for city in cities:
        shape = small.shape(city.shape)
        parts.append(tag("path", d=path_data(shape), fill=COLOURS["paper"], stroke=edge, stroke_width=0.25))
        if shape is not None and not shape.is_empty:
            at = shapely.point_on_surface(shape)
            parts.append(label(at.x, at.y + 0.8, city.name, 2.4, anchor="middle", halo=COLOURS["paper"]))
    parts.append(
        tag("path", d=path_data(small.shape(window)), fill="none", stroke=COLOURS["ink"], stroke_width=0.35)
    )
    parts.append(
        tag(
            "rect",
            x=0,
            y=0,
            width=_INSET_WIDE,
            height=_INSET_TALL,
            fill="none",
            stroke=edge,
            stroke_width=0.4,
        )
    )
    return tag(
        "svg",
        joined(parts),
        x=x,
        y=y,
        width=_INSET_WIDE,
        height=_INSET_TALL,
        viewBox=f"0 0 {_INSET_WIDE:g} {_INSET_TALL:g}",
        overflow="hidden",
    )


def _entries(
    drawn: BriefingMap, shown: _Shown, *, frame: Frame, classes: Sequence[CountClass], radius: object
) -> list[tuple[map_legend.Sign, str]]:
    """Return signs and words of what is on the map."""
    teal = COLOURS["border-pair"]
    entries: list[tuple[map_legend.Sign, str]] = []
    if any(zone.is_proven for zone in shown.zones):
        entries.append((map_legend.box(edge=COLOURS["proven"], width=0.8), "通过检验的区域"))
    if any(not zone.is_proven for zone in shown.zones):
        dash = map_layers.CANDIDATE_DASH
        entries.append(
            (map_legend.box(edge=COLOURS["candidate"], width=0.35, dash=dash), "未通过检验，仅作线索")
        )
    if drawn.boundary is not None:
        entries.append((map_legend.stroke(teal, 0.75), "共同边界"))
    if drawn.belt is not None:
        entries.append((map_legend.box(edge=teal, width=0.22, dash=map_layers.BELT_DASH), "交界带"))
    entries += _incident_entries(frame, classes, radius)
    sectors = [
        sector for sector in map_layers.LINE_DASHES if any(line.sector == sector for line in drawn.lines)
    ]
    entries += [
        (
            map_legend.stroke(COLOURS[f"line-{each}"], 0.3, map_layers.LINE_DASHES[each]),
            f"{SECTOR_WORDS[each]}线路",
        )
        for each in sectors
    ]
    if any(section.shape is not None for section in shown.sections):
        entries.append((map_legend.stroke(map_layers.WATCHED, map_layers.WATCHED_MM), "重点线路区段"))
    if any(station.at is not None for station in shown.stations):
        entries.append((map_legend.square(), "需核查的站点"))
    if not all(area.has_data for area in (*drawn.cities, *drawn.counties)):
        entries.append((map_legend.hatched(), "没有数据，不等于没有发案"))
    return entries


def _incident_entries(
    frame: Frame, classes: Sequence[CountClass], radius: object
) -> list[tuple[map_legend.Sign, str]]:
    if classes:
        side = f"{map_layers.cell_km(frame):.1f}"
        first, *rest = classes
        return [
            (map_legend.box(fill=first.colour), f"每格（{side}公里见方）发案 {first.label} 起"),
            *((map_legend.box(fill=each.colour), each.label) for each in rest),
        ]
    import numpy as np

    radii = np.asarray(radius, dtype=np.float64)
    entries = []
    if (radii <= map_layers.BLURRED_MM).any():
        entries.append((map_legend.dot(), "案件"))
    if (radii > map_layers.BLURRED_MM).any():
        entries.append((map_legend.circle(), "位置只知在圈内的案件（不止1起时写起数）"))
    return entries
