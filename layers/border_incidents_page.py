"""Draw the list of incidents behind a number of a zone: place, interval, precision, and on which side each was counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.border_words import STATES, stretch_text, zone_state
from layers.borders_address import ADDRESS, incidents_address
from layers.incidents import PRECISION_WORDS
from layers.payload import number_of, text_of
from layers.periods import occurrence_text, period_text
from layers.run_words import asked_period
from layers.shell import render_page
from layers.texts import texts_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from layers.texts import Texts
    from layers.views import Locale

_M_PER_KM = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneIncidents:
    """The incidents of a zone.

    Parameters
    ----------
    run_id : int
    document : mapping
        Of the run.
    zone : mapping
    incidents : GeoDataFrame
        As `geo.borders.load_zone_incidents` gives them.
    side : str or None
        Only those counted on side ``a`` or ``b``.
    back : str
        Address of the page that led here.
    """

    run_id: int
    document: Mapping[str, Any]
    zone: Mapping[str, Any]
    incidents: gpd.GeoDataFrame
    side: str | None
    back: str


def render_border_incidents(
    found: ZoneIncidents, *, locale: Locale, nonce: str, dataset_title: str, is_demo: bool
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    found : ZoneIncidents
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    """
    say = texts_in(locale)
    zone, incidents = found.zone, found.incidents
    names = dict(zip("ab", zone["areas"], strict=False))
    shown = incidents if found.side is None else incidents[incidents["side"] == found.side]
    return render_page(
        "border_incidents.html",
        locale=locale,
        nonce=nonce,
        here=ADDRESS,
        dataset_title=dataset_title,
        is_demo=is_demo,
        style_links=("/static/borders.css",),
        back=found.back,
        title=stretch_text(zone, say),
        state_word=say("整条交界带")
        if "is_belt" in zone
        else say(STATES[zone_state(zone, alpha=found.document["alpha"])]),
        period=period_text(asked_period(found.document), locale),
        links=_links(found, names, say),
        rows=[_row(number, record, names, say) for number, record in enumerate(_records(shown), start=1)],
        missing_count=zone["case_count"] - len(incidents),
        run_id=found.run_id,
    )


def _links(found: ZoneIncidents, names: Mapping[str, str], say: Texts) -> list[tuple[str, str, bool]]:
    """Return address, words and whether it is shown, of both sides together and of each."""
    choices: list[tuple[str | None, str]] = [
        (None, say("两侧合计%(count)s起", count=found.zone["case_count"])),
        *(
            (side, say("%(city)s%(count)s起", city=name, count=found.zone[f"count_{side}"]))
            for side, name in names.items()
        ),
    ]
    return [
        (incidents_address(found.run_id, found.zone["id"], say.locale, side=side), words, side == found.side)
        for side, words in choices
    ]


def _records(frame: gpd.GeoDataFrame) -> list[tuple[int, dict[Any, Any]]]:
    rows = frame.drop(columns=frame.geometry.name).to_dict("records")
    return [(int(key), record) for key, record in zip(frame.index, rows, strict=True)]


def _row(
    number: int, record: tuple[int, dict[Any, Any]], names: Mapping[str, str], say: Texts
) -> dict[str, Any]:
    key, row = record
    radius_m = number_of(row["radius_m"]) or 0.0
    side = names[row["side"]]
    how = (
        say("登记在%(area)s，计入%(city)s", area=text_of(row["area_name"]), city=side)
        if row["is_by_record"]
        else say("按位置落在%(city)s一侧", city=side)
    )
    return {
        "number": number,
        "id": key,
        "case": f"{text_of(row['source'])} {text_of(row['case_number'])}",
        "when": occurrence_text(
            row["occurred_from"], row["occurred_until"], text_of(row["date_precision"]), say.locale
        ),
        "place": text_of(row["place_text"]),
        "area": text_of(row["area_name"]),
        "precision": say(PRECISION_WORDS[row["place_precision"]]),
        "radius": _radius(radius_m, say),
        "how": how,
    }


def _radius(metres: float, say: Texts) -> str:
    if metres < _M_PER_KM:
        return say("%(metres)s米", metres=f"{metres:.0f}")
    return say("%(km)s公里", km=f"{metres / _M_PER_KM:.1f}")
