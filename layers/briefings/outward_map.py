"""Draw counts by county or square for those outside: areas and their colours, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.briefings import map_layers, map_legend
from layers.briefings.map_frame import fit_frame, north_arrow, scale_bar
from layers.briefings.map_labels import Room, area_name
from layers.briefings.maps import Picture, clipped, frame_edge
from layers.briefings.paper import Figure
from layers.briefings.svg import drawing, joined, path_data, tag
from layers.periods import period_text
from layers.theme import COLOURS, count_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from geo.analysis.briefings import MaskedBriefing, MaskedCell
    from layers.briefings.map_frame import Frame
    from layers.theme import CountClass

_WIDE_MM, _TALL_MM = 178.0, 118.0
_NAME_MM = 2.8


def how_many(exact: int | None, at_least: int, k: int) -> str:
    """Write a total, or what the published counts add up to."""
    if exact is not None:
        return f"{exact:,}起"
    return f"不少于{at_least:,}起" if at_least >= k else "数量不公布"


def counted_text(masked: MaskedBriefing) -> str:
    """Write what is counted: what was recorded in a county, or what has a place in the belt."""
    return "登记到县（市、区）的案件" if masked.cell_m is None else "交界带内有位置的案件"


def outward_map(masked: MaskedBriefing) -> Figure | None:
    """Draw counts by county or square; None where the outlines may not leave the house."""
    shaped = [cell for cell in masked.cells if cell.shape is not None]
    if not shaped:
        return None
    frame = fit_frame([cell.shape for cell in shaped], width_mm=_WIDE_MM, height_mm=_TALL_MM, margin=0.04)
    classes = count_classes(max(cell.incident_count or 0 for cell in shaped))
    parts = [
        tag("rect", width=frame.width_mm, height=frame.height_mm, fill=COLOURS["ground"]),
        _areas(frame, masked, shaped, classes),
        _names(frame, shaped) if masked.cell_m is None else joined(()),
        scale_bar(frame, x=3.5, y=frame.height_mm - 2.6),
        north_arrow(x=frame.width_mm - 6, y=6.4),
    ]
    legend, tall = map_legend.legend(
        _entries(masked, shaped, classes), width=frame.width_mm, top=frame.height_mm + 1.2
    )
    height = round(frame.height_mm + 1.2 + tall, 2)
    caption = _caption(masked, shaped)
    svg = drawing(
        [clipped(parts, frame), frame_edge(frame), legend],
        width_mm=frame.width_mm,
        height_mm=height,
        alt=caption,
    )
    picture = Picture(svg=svg, width_mm=frame.width_mm, height_mm=height, alt=caption)
    return Figure(picture=picture, caption=caption)


def _areas(
    frame: Frame, masked: MaskedBriefing, shaped: Sequence[MaskedCell], classes: Sequence[CountClass]
) -> Markup:
    """Colour what is published, leave white what is not, hatch what has no data, and draw the borders."""
    fills, outlines = [], []
    for cell in shaped:
        shape = frame.shape(cell.shape)
        if shape is None or shape.is_empty:
            continue
        data = path_data(shape)
        outlines.append(data)
        if cell.incident_count is None:
            fills.append(tag("path", d=data, fill=COLOURS["area"]))
            if not cell.has_data:
                fills.append(map_layers.hatching(shape))
        else:
            colour = next(each.colour for each in classes if cell.incident_count <= each.upper)
            fills.append(tag("path", d=data, fill=colour))
    cities = "".join(path_data(frame.shape(shape)) for shape in masked.outlines)
    edges = [
        tag("path", d="".join(outlines), fill="none", stroke=COLOURS["area-edge"], stroke_width=0.2),
        tag("path", d=cities, fill="none", stroke=COLOURS["city-edge"], stroke_width=0.5),
    ]
    return joined((*fills, *edges))


def _names(frame: Frame, shaped: Sequence[MaskedCell]) -> Markup:
    bar = (0.0, frame.height_mm - 7.5, frame.width_mm * 0.42, frame.height_mm)
    room = Room(frame.width_mm, frame.height_mm, [bar])
    return joined(
        area_name(frame, cell.shape, cell.name, room, _NAME_MM) for cell in shaped if cell.shape is not None
    )


def _entries(
    masked: MaskedBriefing, shaped: Sequence[MaskedCell], classes: Sequence[CountClass]
) -> list[tuple[map_legend.Sign, str]]:
    """Return signs and words of the classes that are on the map; none begins below k."""
    counts = [cell.incident_count for cell in shaped]
    entries = []
    for each in classes:
        if any(count is not None and each.lower <= count <= each.upper for count in counts):
            lower = max(each.lower, masked.k)
            bounds = f"{lower}" if lower == each.upper else f"{lower}–{each.upper}"
            entries.append((map_legend.box(fill=each.colour), f"{bounds}起"))
    if any(cell.incident_count is None and cell.has_data for cell in shaped):
        entries.append((map_legend.blank(), "不公布"))
    if not all(cell.has_data for cell in shaped):
        entries.append((map_legend.hatched(), "没有数据"))
    return entries


def _caption(masked: MaskedBriefing, shaped: Sequence[MaskedCell]) -> str:
    unit = "各县" if masked.cell_m is None else f"每格（{masked.cell_m / 1000:g}公里见方）"
    total = how_many(masked.total, masked.total_at_least, masked.k)
    hatched = "斜线没有数据。" if not all(cell.has_data for cell in shaped) else ""
    return f"图1　{period_text(masked.period, 'zh')}{unit}{counted_text(masked)}，{total}。{hatched}"
