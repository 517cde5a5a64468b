"""Rank borders and write them, and the zones astride them, as tables of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.border_linked import linked_count
from layers.border_words import (
    LEADING,
    STATES,
    found_text,
    pair_text,
    place_text,
    reason_text,
    risk_text,
    zone_state,
)
from layers.run_tables import ShownTable
from layers.run_words import number_text, p_words
from layers.texts import texts_in
from layers.verdicts import share_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts
    from layers.views import Locale

    Border = Mapping[str, Any]
    Document = Mapping[str, Any]

_M_PER_KM = 1000.0


def ranked_borders(document: Document) -> list[Border]:
    """Return all borders, the one with the strongest zone first; those that were not tested last."""
    return sorted(
        document["borders"],
        key=lambda each: (
            each["reason"] is not None,
            1.0 if each["strongest_p"] is None else each["strongest_p"],
            -each["case_count"],
        ),
    )


def border_state(border: Border, document: Document) -> str:
    """Return ``proven``, ``passed`` or ``none``: the surest zone of a border."""
    if _proven_count(border, document):
        return "proven"
    return "passed" if border["zone_count"] else "none"


def border_told(border: Border, document: Document, say: Texts) -> str:
    """Say in a few words what was found at a border, or why it was not tested."""
    reason = reason_text(border, say)
    if reason:
        return reason
    proven_count = _proven_count(border, document)
    if proven_count:
        return say("认定%(count)s处", count=proven_count)
    if border["zone_count"]:
        return say("%(count)s处通过检验，未认定", count=border["zone_count"])
    return say("不足以判定")


def _proven_count(border: Border, document: Document) -> int:
    return sum(zone["is_proven"] for zone in document["zones"] if zone["cities"] == border["cities"])


def border_tables(document: Document, *, locale: Locale) -> tuple[ShownTable, ...]:
    """Return the zones and the ranked borders of a scan as text, empty ones left out.

    Parameters
    ----------
    document : mapping
        Of a run of kind ``borders``; see docs/reference/runs.md.
    locale : {"zh", "en"}
    """
    say = texts_in(locale)
    return tuple(table for table in (_zones(document, say), _borders(document, say)) if table.rows)


def _zones(document: Document, say: Texts) -> ShownTable:
    rows = [
        (
            str(number),
            place_text(zone, document, say),
            f"{zone['count_a']}+{zone['count_b']}",
            number_text(zone["expected"]),
            risk_text(zone, say),
            p_words(zone["p"]),
            "–" if zone["stable_share"] is None else share_text(zone["stable_share"]),
            linked_count(zone, document),
            found_text(zone, say),
            say(STATES[zone_state(zone, alpha=document["alpha"])]),
        )
        for number, zone in enumerate(document["zones"], start=1)
    ]
    columns = (
        say("地方"),
        say("发案"),
        say("预期"),
        say("相对风险"),
        "p",
        say("稳定"),
        say("跨界相关（对）"),
        say("单侧能否发现"),
        say("认定"),
    )
    return ShownTable(title=say("交界段"), columns=("#", *columns), rows=tuple(rows))


def _borders(document: Document, say: Texts) -> ShownTable:
    rows = [
        (
            str(number),
            pair_text(border["names"], say),
            "" if border["lead"] is None else say(LEADING, city=border["lead"]["name"]),
            f"{border['length_m'] / _M_PER_KM:.0f}",
            f"{border['count_a']}+{border['count_b']}",
            "–" if border["strongest_p"] is None else p_words(border["strongest_p"]),
            number_text(border["minimum_relative_risk"]),
            border_told(border, document, say),
        )
        for number, border in enumerate(ranked_borders(document), start=1)
    ]
    columns = (say("交界"), say("牵头"), say("公里"), say("发案"), say("最小p"), say("至少风险"), say("结论"))
    return ShownTable(title=say("各条交界"), columns=("#", *columns), rows=tuple(rows))
