"""Say what a question for a place is answered with, and put the answer into words, Chinese first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

STATUSES = ("found", "ambiguous", "other_date", "unknown")

NOTES = {
    "empty": ("没有文字", "there is no text"),
    "no_areas": (
        "库中没有行政区划，请先装入",
        "no areas are stored; load a campaign or import areas first",
    ),
    "no_area": (
        "文字没有以已知的市、县开头，不作猜测",
        "the text does not begin with a known city or county; nothing is guessed",
    ),
    "area_conflict": ("所写的县不属于所写的市", "the county lies in another city than the one named"),
    "city_conflict": ("文字所写的市与指定的市不同", "the text names another city than the one asked for"),
    "other_date": ("当日没有这个名称的区划", "no area had this name on that day"),
    "several_areas": ("几个市都有这个名称的县", "several cities have a county of this name"),
    "several_places": ("一名多地，不能确定是哪一处", "the name fits several places and nothing decides"),
    "place_unknown": (
        "地名不在名录中，只定到上一级",
        "a name is in no register, so the answer is what holds it",
    ),
    "township_unknown": ("乡镇不在名录中", "the township is in no register"),
    "no_point": ("没有点位", "no point is known"),
    "county_inferred": ("文字未写县，由名录推定", "the county is not written and follows from the register"),
    "township_inferred": (
        "文字未写乡镇，由名录推定",
        "the township is not written and follows from the register",
    ),
    "by_branch_office": ("按支局所在乡镇定位", "placed by the township of the branch office"),
    "several_sites": ("几处，圆覆盖各处", "several places; the circle holds all"),
}
"""Reason or note -> what it says in Chinese and in English."""

_EXTENTS = {
    "same": ("范围未发现变化", "no change of extent was found"),
    "approximately_same": ("整体改设，范围大致相同", "turned over as it stood, about the same extent"),
    "differs": ("今日范围与当时不同", "the extent of today differs"),
    "unknown": ("范围是否相同不明", "whether the extent is the same is not known"),
}
_PRECISIONS = {
    "point": "点",
    "section": "区段",
    "village": "村",
    "township": "乡镇",
    "county": "县",
    "city": "市",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaName:
    """An area by its name, code and days; bounds that are not known are None."""

    level: str
    name: str
    adcode: str | None
    city: str | None
    city_adcode: str | None
    valid_from: date | None
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCandidate:
    """One of the places that a text may mean; without a point where none is known."""

    name: str
    kind: str
    county: str | None
    city: str | None
    lon: float | None
    lat: float | None
    radius_m: float | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceParts:
    """Which part of the text was taken as what.

    `matched` are the registered places it means, with their township and what they are called today;
    `unmatched` the names that no register knows.
    """

    city: str | None = None
    county: str | None = None
    township: str | None = None
    branch_office: str | None = None
    places: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    kind: str = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAnswer:
    """Where a written place was, on a day.

    Parameters
    ----------
    text : str
        Normalised.
    on : date
    status : str
        One of `STATUSES`; only ``found`` and ``ambiguous`` have a circle.
    reason : str or None
        A key of `NOTES`, for every status but ``found``.
    notes : tuple of str
        Keys of `NOTES`: what was inferred and what is not known.
    area : AreaName or None
        City or county as it was on that day.
    area_today : AreaName or None
        What it is today.
    extent : str or None
        How the extent of today relates to that of then: same, approximately_same, differs, unknown.
    extent_note, extent_note_en : str or None
    lon, lat : float or None
        WGS 84; of a county or city its centre, never finer.
    radius_m : float or None
        Surely holds the place; of a county or city the radius of the area.
    precision : str or None
        point, section, village, township, county or city.
    point_source : str or None
    candidates : tuple of PlaceCandidate
        Where the text is ambiguous, or as a hint where it is not known.
    parts : PlaceParts
    """

    text: str
    on: date
    status: str
    reason: str | None = None
    notes: tuple[str, ...] = ()
    area: AreaName | None = None
    area_today: AreaName | None = None
    extent: str | None = None
    extent_note: str | None = None
    extent_note_en: str | None = None
    lon: float | None = None
    lat: float | None = None
    radius_m: float | None = None
    precision: str | None = None
    point_source: str | None = None
    candidates: tuple[PlaceCandidate, ...] = ()
    parts: PlaceParts = PlaceParts()


def answer_lines(answer: PlaceAnswer) -> list[str]:
    """Return an answer in lines for people, Chinese first."""
    lines = []
    if answer.reason:
        chinese, english = NOTES[answer.reason]
        lines.append(f"{chinese} · {english}")
    if answer.area:
        lines.append(f"{answer.on} 属 · then: {_named(answer.area)}")
    if answer.area_today:
        chinese, english = _EXTENTS[answer.extent or "unknown"]
        lines.append(f"今 · today: {_named(answer.area_today)}（{chinese} · {english}）")
    if answer.extent_note:
        lines.append(f"  {answer.extent_note} · {answer.extent_note_en or ''}")
    if answer.precision:
        lines.append(_point(answer))
    if answer.parts.matched:
        lines.append(f"名录中有 · in the register: {'、'.join(answer.parts.matched)}")
    lines += [f"· {NOTES[note][0]} · {NOTES[note][1]}" for note in answer.notes if note != answer.reason]
    if answer.parts.unmatched:
        lines.append(f"名录中没有 · in no register: {'、'.join(answer.parts.unmatched)}")
    lines += [f"可能是 · perhaps: {_candidate(candidate)}" for candidate in answer.candidates]
    return lines


def _named(area: AreaName) -> str:
    city = area.city if area.city and area.city != area.name else ""
    days = ""
    if area.valid_from or area.valid_until:
        days = f" [{area.valid_from or '…'}, {area.valid_until or '…'})"
    return f"{city}{area.name} {area.adcode or ''}{days}".rstrip()


def _point(answer: PlaceAnswer) -> str:
    precision = f"{_PRECISIONS[answer.precision or 'city']} · {answer.precision}"
    if answer.lon is None or answer.lat is None or answer.radius_m is None:
        return f"精度 · precision: {precision}"
    return (
        f"{answer.lon:.5f}, {answer.lat:.5f} ± {answer.radius_m:,.0f} m（{precision}）"
        f"；{answer.point_source or ''}"
    )


def _candidate(candidate: PlaceCandidate) -> str:
    where = f"{candidate.city or ''}{candidate.county or ''}{candidate.name}"
    if candidate.lon is None or candidate.lat is None:
        return where
    return f"{where} {candidate.lon:.5f}, {candidate.lat:.5f} ± {candidate.radius_m:,.0f} m"
