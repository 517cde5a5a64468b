"""Tell of the incidents linked across a border, by zone and for the whole border: leads to look into, never a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from layers.borders_address import incidents_address
from layers.linked_words import AGAINST, REASONS, evidence_text, probability_text
from layers.payload import text_of
from layers.periods import occurrence_text
from layers.run_words import number_text, p_words
from layers.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.borders_view import BordersView
    from layers.texts import Texts

    Row = Mapping[str, Any]

MOST_ROWS = 8
"""Pairs of a zone that its card writes out; the map draws all of the border."""
_ENDS, _SIDES = ("incident_a", "incident_b"), ("side_a", "side_b")
_NOT_LOOKED_AT = {
    "too_few_incidents": mark("未比对：交界带内案件不足3起。"),
    "one_side": mark("未比对：交界带内案件都在一侧。"),
    "too_many_incidents": mark("未比对：交界带内案件超过%(incidents)s起；请缩短时段。"),
    "no_zone_passed": mark("未比对：全部交界一起检验时，这条没有一处通过；选“只检验这一条”会比对。"),
    "too_many_borders": mark(
        "未比对：全部交界一起检验时，只比对最强的%(borders)s条；选“只检验这一条”会比对。"
    ),
}
"""Why incidents were not linked across a border; figures are those of the document's ``linked_limits``."""


def linked_of_zone(view: BordersView, zone: Row, say: Texts) -> dict[str, Any]:
    """Return the table of pairs across the line with an end in a zone, or why there is none."""
    border, told = view.border(), _incidents(view, say)
    if border is None or border["linked"] is None:
        return {"rows": [], "left_count": 0, "empty": _not_looked_at(view, say)}
    rows = [
        {
            "ends": [
                _end(view, pair[name], told, say)
                | {"side": border["names"][border["cities"].index(pair[side])]}
                for name, side in zip(_ENDS, _SIDES, strict=True)
            ],
            "unsure": pair["is_side_unsure"],
            **_evidence(pair, say),
        }
        for pair in zone["linked"][:MOST_ROWS]
    ]
    return {
        "rows": rows,
        "left_count": len(zone["linked"]) - len(rows),
        "empty": "" if rows else say("没有找到：没有一对跨界相关的候选落在这一处。"),
    }


def linked_of_border(view: BordersView, say: Texts) -> dict[str, Any] | None:
    """Return what is told of the whole border of a pair, and where both areas are compared as a whole."""
    filters, border = view.filters, view.border()
    if filters.pair is None or filters.period is None or border is None:
        return None
    first, second = filters.pair.split("-")
    query = urlencode({"first": first, "second": second, "period": str(filters.period), "lang": say.locale})
    linked = border["linked"]
    return {
        "page": f"/linked?{query}",
        "sentence": _not_looked_at(view, say) if linked is None else _counted(border, say),
        "has_lines": linked is not None and any(pair["geometry"] for pair in linked["pairs"]),
        "is_shown": filters.has_links,
    }


def linked_lines(view: BordersView, say: Texts) -> dict[str, Any]:
    """Return the lines that the map draws across the border, and how many pairs have none."""
    border = view.border()
    pairs = [] if border is None or border["linked"] is None else border["linked"]["pairs"]
    told = _incidents(view, say)
    drawn = [pair for pair in pairs if pair["geometry"]]
    return {
        "lines": [
            {
                "points": [[y, x] for x, y in pair["geometry"]["coordinates"]],
                "pair": say(
                    "%(one)s与%(other)s",
                    **dict(
                        zip(("one", "other"), (_name(pair[end], told, say) for end in _ENDS), strict=True)
                    ),
                ),
                "reasons": _evidence(pair, say)["reasons"],
            }
            for pair in drawn
        ],
        "undrawn": len(pairs) - len(drawn),
    }


def linked_count(zone: Row, document: Row) -> str:
    """Return how many pairs across the line have an end in a zone; a dash where they were not looked for."""
    border = next(each for each in document["borders"] if each["cities"] == zone["cities"])
    return "–" if border["linked"] is None else str(len(zone["linked"]))


def _counted(border: Row, say: Texts) -> str:
    linked = border["linked"]
    told = {
        "cases": border["case_count"],
        "chance": number_text(linked["chance"]),
        "p": p_words(linked["p"]),
    }
    if not linked["count"]:
        return say(
            "没有找到：交界带内%(cases)s起逐对比过，没有跨界相关的候选；单凭碰巧预计%(chance)s对。",
            **{name: told[name] for name in ("cases", "chance")},
        )
    return say(
        "交界带内%(cases)s起逐对比过：跨界相关的候选%(count)s对，单凭碰巧预计%(chance)s对（p=%(p)s）。",
        count=linked["count"],
        **told,
    )


def _not_looked_at(view: BordersView, say: Texts) -> str:
    border, document = view.border(), view.document
    if border is None or document is None:
        return ""
    sentence = _NOT_LOOKED_AT[border["linked_reason"]]
    limits = {name: value for name, value in document["linked_limits"].items() if f"%({name})s" in sentence}
    return say(sentence, **limits)


def _evidence(pair: Row, say: Texts) -> dict[str, str]:
    return {
        "odds": probability_text(pair["odds"]),
        "reasons": evidence_text(pair, REASONS, pair["reasons"], say),
        "against": evidence_text(pair, AGAINST, pair["against"], say),
    }


def _incidents(view: BordersView, say: Texts) -> dict[int, dict[str, str]]:
    """Return number and time of the incidents that are still stored, by id."""
    frame = view.linked_incidents
    if frame is None:
        return {}
    rows = frame.drop(columns=frame.geometry.name).to_dict("records")
    return {
        int(key): {
            "number": text_of(row["case_number"]) or str(key),
            "when": occurrence_text(
                row["occurred_from"], row["occurred_until"], text_of(row["date_precision"]), say.locale
            ),
            "place": text_of(row["place_text"]),
        }
        for key, row in zip(frame.index, rows, strict=True)
    }


def _name(incident: int, told: Mapping[int, Mapping[str, str]], say: Texts) -> str:
    return told[incident]["number"] if incident in told else say("已作废的案件")


def _end(
    view: BordersView, incident: int, told: Mapping[int, Mapping[str, str]], say: Texts
) -> dict[str, str]:
    """Tell of one incident of a pair, with the address of its row in the list of the whole belt."""
    if incident not in told:
        return {"number": _name(incident, told, say), "when": "", "place": "", "href": ""}
    belt = f"{view.filters.pair}-0"
    href = f"{incidents_address(view.run_id or 0, belt, say.locale)}#incident-{incident}"
    return {**told[incident], "href": href}
