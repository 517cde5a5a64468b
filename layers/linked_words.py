"""Put evidence of linked incidents into words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from layers.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layers.texts import Texts

REASONS = {
    "place": mark("地点近"),
    "time": mark("时间近"),
    "hour": mark("时段相近"),
    "category": mark("类别相同"),
    "items": mark("被盗物品相近"),
}
AGAINST = {
    "place": mark("地点远"),
    "time": mark("时间远"),
    "hour": mark("时段不同"),
    "category": mark("类别不同"),
    "items": mark("被盗物品不同"),
}
ITEMS = {
    "copper_cable": mark("铜芯电缆"),
    "optical_cable": mark("光缆"),
    "power_cable": mark("电力电缆"),
    "coaxial_cable": mark("同轴电缆"),
    "cable": mark("电缆"),
    "transformer": mark("变压器"),
    "battery": mark("蓄电池"),
    "battery_set": mark("蓄电池组"),
    "air_conditioner_outdoor_unit": mark("空调室外机"),
    "security_door": mark("防盗门"),
    "access_control": mark("门禁"),
    "other": mark("其他物品"),
}
_KM, _TENS = 1_000.0, 10.0
_FINE_KM = 100.0


def distance_text(metres: float, say: Texts) -> str:
    """Write a distance: metres below a kilometre, kilometres above."""
    if metres < _KM:
        return say("%(count)s米", count=f"{metres:.0f}")
    decimals = 1 if metres < _FINE_KM * _KM else 0
    return say("%(count)s公里", count=f"{metres / _KM:.{decimals}f}")


def kind_text(kind: str, say: Texts) -> str:
    """Name a kind of lost item; one of a force's own import stands as it is written."""
    return say(ITEMS[kind]) if kind in ITEMS else kind


def lost_item_text(
    kind: str, *, pairs: int | None, length_m: float | None, as_written: str, say: Texts
) -> str:
    """Say what was lost: as the source wrote it, else pairs, kind and length.

    Examples
    --------
    >>> from layers.texts import texts_in
    >>> lost_item_text("copper_cable", pairs=300, length_m=245.4, as_written="", say=texts_in("zh"))
    '300对铜芯电缆245米'
    """
    if as_written:
        return as_written
    digits = 0 if length_m is None or length_m >= _TENS else 1
    parts = (
        "" if pairs is None else say("%(pairs)s对", pairs=pairs),
        kind_text(kind, say),
        "" if length_m is None else say("%(count)s米", count=f"{length_m:,.{digits}f}"),
    )
    # A kind that a force wrote in Latin letters is set apart from figures.
    is_close = say.locale == "zh" and not kind_text(kind, say).isascii()
    return ("" if is_close else " ").join(filter(None, parts))


def probability_text(odds: float) -> str:
    """Write odds as the probability that people understand, rounded down: what stays below the bar never reads as on it.

    Examples
    --------
    >>> probability_text(0.36), probability_text(0.2499)
    ('26%', '19%')
    """
    return f"{math.floor(100 * odds / (1 + odds))}%"


def evidence_text(link: Mapping[Any, Any], words: Mapping[str, str], kinds: Iterable[str], say: Texts) -> str:
    """Put kinds of evidence of a pair into words, each with its figure; a dash where there is none.

    Parameters
    ----------
    link : mapping
        A row of `geo.analysis.series_across.LinkedAcross.links`, or as a document holds it.
    words : mapping
        `REASONS` or `AGAINST`.
    kinds : iterable of str
        Heaviest first.
    say : Texts
    """
    return say.listed(tuple(_kind_text(kind, link, words, say) for kind in kinds)) or "—"


def _kind_text(kind: str, link: Mapping[Any, Any], words: Mapping[str, str], say: Texts) -> str:
    if kind == "place":
        figure = say(
            "相距%(away)s，位置误差合计%(unsure)s",
            away=distance_text(link["distance_m"], say),
            unsure=distance_text(link["radius_sum_m"], say),
        )
    elif kind == "time":
        figure = say("相隔%(days)s天", days=f"{link['days_apart']:.0f}")
    elif kind == "items":
        things = [kind_text(str(each), say) for each in link["shared_kinds"]]
        things += [say("%(pairs)s对", pairs=each) for each in link["shared_pairs"]]
        figure = say.listed(tuple(things))
    else:
        figure = ""
    word = say(words[kind])
    return in_brackets(word, figure, say) if figure else word


def in_brackets(word: str, more: str, say: Texts) -> str:
    """Write more about a word in the brackets of the language."""
    return f"{word}（{more}）" if say.locale == "zh" else f"{word} ({more})"
