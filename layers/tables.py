"""Write what the maps show as tables: for the keyboard, for print, and for who cannot see a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layers.areas import area_ids, area_notes, has_data
from layers.payload import number_of, text_of
from layers.texts import mark

if TYPE_CHECKING:
    from layers.texts import Texts
    from layers.views import MapPanel

LEVEL_WORDS = {
    "province": mark("省"),
    "city": mark("市"),
    "county": mark("县（市、区）"),
    "township": mark("乡镇"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRow:
    """One area with its counts.

    Parameters
    ----------
    area_id : str
    name, level : str
    counts : tuple of int or None
        One for each panel; None where the panel does not have the area, or nothing was reported.
    note : str
        What to know about its extent.
    """

    area_id: str
    name: str
    level: str
    counts: tuple[int | None, ...]
    note: str


def area_rows(panels: tuple[MapPanel, ...], say: Texts) -> tuple[AreaRow, ...]:
    """List all cities, and those counties in which something happened, from which nothing came, or with a note.

    Parameters
    ----------
    panels : tuple of MapPanel
    say : Texts

    Returns
    -------
    tuple of AreaRow
        Cities first; within a level, most incidents of the first panel first.
    """
    counts: dict[str, list[int | None]] = {}
    facts: dict[str, tuple[str, str, str]] = {}
    for number, panel in enumerate(panels):
        areas = panel.areas
        if areas is None or areas.empty:
            continue
        cells = zip(
            area_ids(areas),
            areas["level"],
            areas["name"],
            area_notes(areas, locale=say.locale),
            areas["incident_count"],
            has_data(areas),
            strict=True,
        )
        for key, level, name, note, count, is_told in cells:
            facts.setdefault(key, (level, text_of(name), note))
            row = counts.setdefault(key, [None] * len(panels))
            row[number] = int(number_of(count) or 0) if is_told else None
    rows = [
        AreaRow(area_id=key, name=name, level=level, counts=tuple(counts[key]), note=note)
        for key, (level, name, note) in facts.items()
        if level == "city" or (level == "county" and (note or None in counts[key] or any(counts[key])))
    ]
    ordered = sorted(rows, key=lambda row: (row.level != "city", -(row.counts[0] or 0)))
    return tuple(_with_level_word(row, say) for row in ordered)


def _with_level_word(row: AreaRow, say: Texts) -> AreaRow:
    word = say(LEVEL_WORDS[row.level])
    return AreaRow(area_id=row.area_id, name=row.name, level=word, counts=row.counts, note=row.note)
