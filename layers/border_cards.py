"""Say everything about one zone that two commanders need of it: aloud, in figures, and as lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from layers.border_charts import hours_chart, hours_sentence, sides_bar, weekdays_chart
from layers.border_linked import linked_of_zone
from layers.border_words import (
    STATES,
    found_sentence,
    found_text,
    risk_text,
    stretch_text,
    zone_sentence,
    zone_state,
)
from layers.borders_address import borders_address, incidents_address
from layers.borders_texts import STATION_WORDS
from layers.briefing_links import briefing_links
from layers.run_words import number_text, p_words
from layers.verdicts import share_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.borders_view import BordersView
    from layers.texts import Texts

    Zone = Mapping[str, Any]

_M_PER_KM = 1000.0


def zone_cards(view: BordersView, say: Texts) -> list[dict[str, Any]]:
    """Return what the template shows of every zone of a pair; nothing for all borders together."""
    if view.document is None or view.filters.pair is None:
        return []
    zones = view.zones()
    chosen = chosen_zone(view)
    return [
        _card(view, zone, number, say) | {"is_chosen": zone["id"] == chosen}
        for number, zone in enumerate(zones, start=1)
    ]


def chosen_zone(view: BordersView) -> str | None:
    """Return the id of the zone told in full: the one of the address, else the first proven, else the first."""
    zones = view.zones()
    ids = [str(zone["id"]) for zone in zones]
    if view.filters.zone in ids:
        return view.filters.zone
    proven = [str(zone["id"]) for zone in zones if zone["is_proven"]]
    return next(iter(proven or ids), None)


def zone_rows(view: BordersView, say: Texts) -> list[dict[str, Any]]:
    """Return the rows of the table of zones."""
    if view.document is None or view.run_id is None:
        return []
    chosen = chosen_zone(view) if view.filters.pair else None
    return [
        {
            "id": zone["id"],
            "number": number,
            "href": borders_address(view.filters, say.locale, pair="-".join(zone["cities"]), zone=zone["id"]),
            "cities": say.listed(tuple(zone["areas"])) if view.filters.level == "city" else "",
            "place": stretch_text(zone, say),
            "state": zone_state(zone, alpha=view.document["alpha"]),
            "state_word": say(STATES[zone_state(zone, alpha=view.document["alpha"])]),
            "found": found_text(zone, say),
            "cases": zone["case_count"],
            "cases_href": incidents_address(view.run_id, zone["id"], say.locale),
            "risk": risk_text(zone, say),
            "p": p_words(zone["p"]),
            "stable": "–" if zone["stable_share"] is None else share_text(zone["stable_share"]),
            "is_chosen": zone["id"] == chosen,
        }
        for number, zone in enumerate(view.zones(), start=1)
    ]


def briefing_menu(view: BordersView, say: Texts) -> list[dict[str, str]]:
    """Return address and name of every form of the briefing of a pair, and of its masked version."""
    if view.run_id is None or view.filters.pair is None or view.border() is None:
        return []
    return briefing_links(f"/runs/{view.run_id}/briefing", {"pair": view.filters.pair}, say)


def _card(view: BordersView, zone: Zone, number: int, say: Texts) -> dict[str, Any]:
    document = view.document or {}
    run_id = view.run_id or 0
    state = zone_state(zone, alpha=document["alpha"])
    parts = [(str(name), int(zone[f"count_{side}"])) for name, side in zip(zone["areas"], "ab", strict=False)]
    return {
        "id": zone["id"],
        "number": number,
        "title": stretch_text(zone, say),
        "state": state,
        "state_word": say(STATES[state]),
        "sentence": zone_sentence(zone, document, say),
        "found": found_text(zone, say),
        "found_sentence": found_sentence(zone, say),
        "sides_bar": sides_bar(parts, caption=say("两侧各占多少")),
        "sides": [
            {
                "name": name,
                "count": count,
                "share": share_text(count / zone["case_count"]),
                "href": incidents_address(run_id, zone["id"], say.locale, side=side),
            }
            for (name, count), side in zip(parts, "ab", strict=True)
        ],
        "cases_href": incidents_address(run_id, zone["id"], say.locale),
        "cases": zone["case_count"],
        "facts": _facts(zone, say),
        "is_unsure": zone["times"]["from_hour"] is None,
        "hours_chart": hours_chart(zone, say),
        "hours_sentence": hours_sentence(zone, say),
        "weekdays_chart": weekdays_chart(zone, say),
        "sections": [
            {
                "name": section["name"],
                "owner": section["owner"],
                "place": section["place"],
                "count": section["case_count"],
            }
            for section in zone["sections"]
        ],
        "stations": [
            {
                "name": station["name"],
                "state": say(STATION_WORDS.get(station["state"], STATION_WORDS["unknown"])),
                "distance": _distance(station["distance_m"], say),
            }
            for station in zone["stations"]
        ],
        "linked": linked_of_zone(view, zone, say),
        "operation_href": f"/operations/new?{urlencode({'run': run_id, 'zone': zone['id'], 'lang': say.locale})}",
    }


def _facts(zone: Zone, say: Texts) -> list[tuple[str, str]]:
    """Return label and value of the figures of a zone."""
    names = dict(zip("ab", zone["areas"], strict=False))
    places = {
        side: [*counties, *zone["places"][i]]
        for i, (side, counties) in enumerate(zip("ab", zone["counties"], strict=True))
    }
    facts = [(say("%(city)s一侧", city=names[side]), say.listed(tuple(places[side])) or "–") for side in "ab"]
    facts += [
        (say("预期"), say("%(expected)s起", expected=number_text(zone["expected"]))),
        (say("相对风险"), risk_text(zone, say)),
        ("p", p_words(zone["p"])),
        (say("位置抽样稳定"), "–" if zone["stable_share"] is None else share_text(zone["stable_share"])),
        (
            say("单侧检验"),
            say.listed(tuple(f"{names[side]} p={p_words(zone[f'p_alone_{side}'])}" for side in "ab")),
        ),
        (
            say("深入两侧"),
            say.listed(
                tuple(
                    say("%(city)s%(km)s公里", city=names[side], km=f"{zone[f'depth_{side}_m'] / _M_PER_KM:g}")
                    for side in "ab"
                )
            ),
        ),
    ]
    if zone["power"] is not None:
        facts.append((say("这样强的集中，看得出来的把握"), _power(zone, names, say)))
    return facts


def _power(zone: Zone, names: Mapping[str, str], say: Texts) -> str:
    told = [say("合起来%(share)s", share=share_text(zone["power"]))]
    told += [
        say("只看%(city)s%(share)s", city=names[side], share=share_text(zone[f"power_{side}"]))
        for side in "ab"
        if zone[f"power_{side}"] is not None
    ]
    return say.listed(tuple(told))


def _distance(metres: float, say: Texts) -> str:
    if metres <= 0:
        return say("在区内")
    return say("%(km)s公里", km=number_text(metres / _M_PER_KM))
