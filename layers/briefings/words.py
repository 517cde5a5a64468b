"""Write numbers, hours and names of a briefing as people say them in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.analysis.risk_window import LEAST_KNOWN, risk_window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from geo.analysis.briefings import Briefing, Section, Zone

DASH = "—"
"""Stands where nobody has a number."""

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
SECTOR_WORDS = {"power": "电力", "telecom": "电信", "broadcasting": "广播电视", "other": "其他"}
PRECISION_WORDS = {
    "point": "到点",
    "section": "到线路区段",
    "village": "到村",
    "township": "只到乡镇",
    "county": "只到县",
    "city": "只到市",
}
STATE_WORDS = {
    "filed": "已备案",
    "changed": "备案信息有变动",
    "missing": "未备案",
    "closed": "已停业",
    "unknown": "备案情况不详",
}
LEAD_WORDS = {"stated": "2008年文件明确", "inferred": "据文件推断", "chosen": "本次商定"}

_FEW_DIGITS, _MANY = 10, 100
_KM = 1_000.0
FEW_TIMED = 20
"""Incidents of a known time below which hours are called a hint, and never said not to gather."""
_FULL_DAY = 24


def count_text(count: int | None) -> str:
    """Write a count; a dash where there is none."""
    return DASH if count is None else f"{count:,}"


def number_text(number: float | None) -> str:
    """Write a number with as many digits as matter: 0.42, 7.3, 128."""
    if number is None:
        return DASH
    if number >= _MANY:
        return f"{number:,.0f}"
    return f"{number:.1f}".removesuffix(".0") if number >= 1 else f"{number:.2g}"


def p_text(p: float | None) -> str:
    """Write a p; never 0."""
    if p is None:
        return DASH
    return "<0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004 - three decimals are written


def share_text(share: float | None) -> str:
    """Write a share as whole per cent."""
    return DASH if share is None else f"{100 * share:.0f}%"


def part_text(part: int, whole: int, *, unit: str = "") -> str:
    """Write a part with its share, out of nothing without one."""
    return f"{part:,}{unit}（{share_text(part / whole)}）" if whole else f"{part:,}{unit}"


def metres_text(metres: float) -> str:
    """Write a distance: metres below a kilometre, kilometres above."""
    if metres < _KM:
        return f"{metres:.0f}米"
    km = metres / _KM
    return f"{km:.1f}公里" if km < _FEW_DIGITS and km != int(km) else f"{km:.0f}公里"


def date_text(day: date) -> str:
    """Write a day in full."""
    return f"{day.year}年{day.month}月{day.day}日"


def short_name(name: str) -> str:
    """Leave out 市 where the name says enough without it."""
    return name.removesuffix("市") if len(name) > 2 else name  # noqa: PLR2004 - two characters are a name


def listed(parts: Sequence[str], *, most: int = 6) -> str:
    """Join members of a list; of a long one the first, and how many there are."""
    if len(parts) <= most:
        return "、".join(parts)
    return "、".join(parts[:most]) + f"等{len(parts)}处"


def risk_text(risk: float | None) -> str:
    """Write a relative risk; where nothing happened outside a zone there is none to divide by."""
    return "带内其余无案件" if risk is None else number_text(risk)


def hours_text(weights: Sequence[float], known: int, count: int) -> str:
    """Write at which hours incidents gather, out of how many whose time is known; that nobody knows, where few are.

    Parameters
    ----------
    weights : sequence of 24 float, or empty
        Of the incidents known to within a day.
    known, count : int
        How many these are, and all incidents.
    """
    missing = f"，另{count - known:,}起时刻不详" if count > known else ""
    if not known:
        return f"{count:,}起的发案时刻都不详"
    window = risk_window(weights, known_count=known)
    if window is not None:
        first, length, share = window
        return f"时刻已知的{known:,}起中{share_text(share)}在{span_text(first, length)}{missing}"
    if known < LEAST_KNOWN:
        return f"时刻已知的只有{known:,}起，说不出时段{missing}"
    if known < FEW_TIMED:
        return f"时刻已知的{known:,}起中看不出集中的时段{missing}"
    return f"时刻已知的{known:,}起时段不集中{missing}"


def span_text(first: int, length: int) -> str:
    """Write a stretch of hours, also past midnight."""
    last = first + length
    return (
        f"{first}时至{'次日' if last > _FULL_DAY else ''}{last - _FULL_DAY if last > _FULL_DAY else last}时"
    )


def section_text(section: Section) -> str:
    """Write a section as people name it: line, A to B, kilometres."""
    ends = f"{section.line_name} {section.from_place}至{section.until_place}段"
    if section.from_km is None or section.until_km is None:
        return ends
    return f"{ends} {section.from_km:.1f}–{section.until_km:.1f}公里"


def sides_text(zone: Zone, briefing: Briefing, *, unit: str = "") -> str:
    """Write the counts of a zone by city with their shares."""
    return "、".join(
        f"{short_name(briefing.city_name(code))}{part_text(count, zone.case_count, unit=unit)}"
        for code, count in zip(zone.city_codes, zone.side_counts, strict=True)
    )


def finders(zone: Zone) -> tuple[str, ...]:
    """Return the codes of the cities that alone would have found a zone."""
    if zone.found_by == "none":
        return ()
    if zone.found_by == "both":
        return zone.city_codes
    position = "abc".index(zone.found_by)
    return (zone.city_codes[position],) if position < len(zone.city_codes) else ()


def found_text(zone: Zone, briefing: Briefing) -> str:
    """Write which city alone would have found a zone."""
    codes = finders(zone)
    if not codes:
        return "单侧均未发现"
    if len(codes) == len(zone.city_codes):
        return "各侧均可发现"
    return f"仅{briefing.city_name(codes[0])}可见"
