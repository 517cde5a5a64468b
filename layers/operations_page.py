"""Draw the pages of joint operations: the list, the form of a proposal, and the page that teams carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import shapely

from layers.areas import area_outlines
from layers.assets import LEAFLET_CSS, LEAFLET_JS
from layers.briefing_links import briefing_links, unbriefed
from layers.operations_client_texts import CLIENT_TEXTS, FORM_TEXTS
from layers.operations_texts import (
    ACTS,
    ANSWERS,
    MARKS,
    NEXT,
    ROLES,
    STATES,
    entry_sentence,
    fact_sentences,
    moment_text,
    who_text,
    window_text,
)
from layers.payload import packed_outline
from layers.shell import render_page
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    import geopandas as gpd

    from layers.operations_view import (
        CityShown,
        EntryShown,
        OperationRow,
        OperationsView,
        OperationView,
        ProposalView,
    )
    from layers.texts import Texts
    from layers.views import BaseTiles, Locale

ADDRESS = "/operations"
_EMPTY = {
    None: mark("还没有区域会战。"),
    "proposed": mark("没有等着同意的会战。"),
    "agreed": mark("没有各方已同意、还没开始的会战。"),
    "running": mark("现在没有进行中的会战。"),
    "ended": mark("还没有结束的会战。"),
    "declined": mark("没有被哪一方拒绝的会战。"),
    "withdrawn": mark("没有撤回的提议。"),
}
_FAULTS = {
    "": "",
    "no_run": mark("没有找到这次交界扫描，或者它还没有算完。"),
    "no_zone": mark("这次计算里没有这个区，或者它的写法读不懂。"),
}
_BUTTON_ORDER = ("agree", "start", "end", "decline", "withdraw")
EFFECTS = "operation_effects.html"
"""Template that shows what came of an operation; included once it has ended, if somebody computed it."""


def render_operations_page(
    view: OperationsView,
    *,
    city_id: int | None,
    unit: str,
    position: str | None,  # noqa: ARG001 - the list has no map
    locale: Locale,
    nonce: str,
    dataset_title: str,
    is_demo: bool,
) -> str:
    """Return the list as HTML.

    Parameters
    ----------
    view : OperationsView
    city_id : int or None
        The city for which the page acts, as the address says.
    unit : str
        The unit, likewise.
    position : str or None
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    """
    say = texts_in(locale)
    kept = _kept(city_id, unit, locale)
    words: list[tuple[str | None, str]] = [(None, mark("全部")), *STATES.items()]
    total = sum(view.counts.values())
    following = None if view.following is None else _address(kept, state=view.state, before=view.following)
    return render_page(
        "operations.html",
        locale=locale,
        nonce=nonce,
        here=ADDRESS,
        dataset_title=dataset_title,
        is_demo=is_demo,
        style_links=("/static/operations.css",),
        script_links=(),
        states=[
            (
                _address(kept, state=code),
                say(word),
                total if code is None else view.counts[code],
                code == view.state,
            )
            for code, word in words
            if code is None or view.counts[code] or code in (view.state, "proposed", "running", "ended")
        ],
        rows=[_row(row, kept, say) for row in view.rows],
        empty_text=say(_EMPTY[view.state]) if view.is_first else say("后面没有了。"),
        is_very_empty=not total,
        new_address=_address(kept, rest="/new"),
        first_address=None if view.is_first else _address(kept, state=view.state),
        next_address=following,
    )


def _kept(city_id: int | None, unit: str, locale: Locale) -> dict[str, Any]:
    """Return what every link of these pages keeps: who acts, and the language."""
    return {"city": city_id, "unit": unit or None, "lang": "en" if locale == "en" else None}


def _address(kept: dict[str, Any], *, rest: str = "", **more: Any) -> str:
    query = urlencode({name: value for name, value in (more | kept).items() if value is not None})
    return f"{ADDRESS}{rest}{'?' if query else ''}{query}"


def _row(row: OperationRow, kept: dict[str, Any], say: Texts) -> dict[str, Any]:
    return {
        "address": _address(kept, rest=f"/{row.id}"),
        "title": row.title,
        "state": row.state,
        "state_word": say(STATES[row.state]),
        "cities": [_answer(city, say) for city in row.cities],
        "lead": row.lead,
        "window": window_text(row.window, say),
        "zones": say.listed(row.zone_labels),
        "unit_count": row.unit_count,
    }


def _answer(city: CityShown, say: Texts) -> dict[str, Any]:
    return {
        "id": city.id,
        "name": city.name,
        "answer": city.answer,
        "answer_word": say(ANSWERS[city.answer]),
        "sign": {"agreed": "✓", "declined": "✗", "asked": "…"}[city.answer],
        "by": city.answered_by or "",
        "at": moment_text(city.answered_at),
    }


def render_proposal_page(
    view: ProposalView,
    *,
    city_id: int | None,
    unit: str,
    position: str | None,
    locale: Locale,
    nonce: str,
    dataset_title: str,
    is_demo: bool,
) -> str:
    """Return the form of a proposal as HTML; see `render_operations_page`."""
    say = texts_in(locale)
    names = {city.id: city.name for city in view.choices}
    # Nobody is taken to speak for a city by default: the address says it, or the form asks.
    acting = city_id if city_id in (view.city_ids or names) else None
    zones = [] if view.outline is None else [_outline(1, view.label, view.outline)]
    page = _page_data(FORM_TEXTS, view.home, view.tiles, position, locale=locale)
    return render_page(
        "operation_new.html",
        locale=locale,
        nonce=nonce,
        here=ADDRESS,
        dataset_title=dataset_title,
        is_demo=is_demo,
        blocks={
            "page-data": page,
            "outlines": _outlines(view.areas, locale),
            "proposal": {
                "run_id": view.run_id if view.outline is not None else None,
                "zone": view.zone,
                "zones": zones,
            },
        },
        style_links=(LEAFLET_CSS.url, "/static/operations.css"),
        script_links=(LEAFLET_JS.url,),
        fault=say(_FAULTS[view.fault]) if view.fault else "",
        is_drawn=view.outline is None,
        label=view.label,
        facts=fact_sentences(view.facts, say),
        choices=[(city.id, city.name, city.id in view.city_ids) for city in view.choices],
        city_names=say.listed(tuple(names[each] for each in view.city_ids)),
        participants=[(each, names[each]) for each in view.city_ids or names],
        acting=acting,
        lead_id=view.lead_id,
        lead_name=names.get(view.lead_id or 0, ""),
        window=window_text(view.window, say),
        view=view,
        title_value=view.title,
        unit=unit or _usual_unit(names.get(acting or 0, "")),
        list_address=_address(_kept(city_id, unit, locale)),
    )


def _usual_unit(city: str) -> str:
    """Return the unit that usually speaks for a city."""
    return f"{city}公安局" if city else ""


def _page_data(
    texts: tuple[str, ...],
    home: tuple[float, float, float, float],
    tiles: BaseTiles | None,
    position: str | None,
    *,
    locale: Locale,
) -> dict[str, Any]:
    """Return what `static/page.js` and `static/maps.js` need."""
    say = texts_in(locale)
    west, south, east, north = home
    return {
        "locale": locale,
        "texts": {sentence: say(sentence) for sentence in texts},
        "words": {},
        "home": [[south, west], [north, east]],
        "view": position,
        "area": None,
        "tiles": None if tiles is None else {"url": tiles.url, "attribution": tiles.attribution},
    }


def _outlines(areas: gpd.GeoDataFrame, locale: Locale) -> dict[str, Any]:
    return area_outlines([areas.assign(incident_count=0)], locale=locale)


def _outline(rank: int, label: str, outline: Any) -> dict[str, Any]:
    geometry = outline if outline.geom_type == "MultiPolygon" else shapely.MultiPolygon([outline])
    return {"rank": rank, "label": label, "outline": packed_outline(geometry)}


def render_operation_page(
    view: OperationView,
    *,
    city_id: int | None,
    unit: str,
    position: str | None,
    locale: Locale,
    nonce: str,
    dataset_title: str,
    is_demo: bool,
) -> str:
    """Return the page of an operation as HTML; see `render_operations_page`."""
    say = texts_in(locale)
    return render_page(
        "operation.html",
        locale=locale,
        nonce=nonce,
        here=ADDRESS,
        dataset_title=dataset_title,
        is_demo=is_demo,
        blocks={
            "page-data": _page_data(CLIENT_TEXTS, view.home, view.tiles, position, locale=locale),
            "outlines": _outlines(view.areas, locale),
            "operation": _live_block(view),
        },
        style_links=(LEAFLET_CSS.url, "/static/operations.css"),
        script_links=(LEAFLET_JS.url,),
        acting=city_id if city_id in {city.id for city in view.cities} else None,
        unit=unit,
        effects_template=EFFECTS,
        **_operation_model(view, _kept(city_id, unit, locale), say),
    )


def _live_block(view: OperationView) -> dict[str, Any]:
    """Return what the scripts of the page follow: version, state, zones and marks."""
    zones = view.zones
    return {
        "id": view.id,
        "etag": view.etag,
        "state": view.state,
        "last": view.last_change,
        "acts": {act: list(cities) for act, cities in view.acts.items()},
        "can_draw": view.can_draw,
        "can_change": view.can_change,
        "zones": [
            _outline(int(rank), label, outline)
            for rank, label, outline in zip(zones["rank"], zones["label"], zones.geometry, strict=True)
        ],
        "marks": [_mark(record) for record in _records(view.marks)],
    }


def _operation_model(view: OperationView, kept: dict[str, Any], say: Texts) -> dict[str, Any]:
    """Return what the template shows of an operation."""
    names = {city.id: city.name for city in view.cities}
    zones = view.zones
    here = f"/{view.id}"
    return {
        "view": view,
        "state_word": say(STATES[view.state]),
        "state_text": say(NEXT[view.state]),
        "lead": names.get(view.lead_id or 0),
        "proposer": names[view.proposer_id],
        "cities": [_answer(city, say) for city in view.cities],
        "city_names": say.listed(tuple(names.values())),
        "window": window_text(view.window, say),
        "shared": _shared(view, say),
        "zones": [
            {"rank": rank, "label": label, "facts": fact_sentences(facts, say)}
            for rank, label, facts in zip(zones["rank"], zones["label"], zones["facts"], strict=True)
        ],
        "units": [
            {"id": each.id, "city_id": each.city_id, "city": each.city, "name": each.name}
            | {"role": say(ROLES[each.role]), "contact": each.contact or ""}
            for each in view.units
        ],
        "roles": [(code, say(word)) for code, word in ROLES.items()],
        "marks": [_mark_row(record, say) for record in _records(view.marks)],
        "acts": [(act, say(ACTS[act]), view.acts.get(act, ())) for act in _BUTTON_ORDER],
        "entries": [_entry(entry, say) for entry in view.entries],
        "older_address": None if view.older is None else _address(kept, rest=here, before=view.older),
        "newest_address": None if view.is_newest else _address(kept, rest=here),
        "list_address": _address(kept),
        "run_address": _run_address(view),
        "briefings": [] if view.unbriefed else briefing_links(f"{ADDRESS}{here}/briefing", {}, say),
        "unbriefed": unbriefed(view.unbriefed, say),
        "effects": view.effects if view.state == "ended" else None,
    }


def _run_address(view: OperationView) -> str | None:
    """Return the address that lists the incidents of the zone that the operation was proposed from."""
    of_run = [
        facts["id"]
        for facts in view.zones["facts"]
        if isinstance(facts, dict) and facts.get("rank") == view.zone_rank and "id" in facts
    ]
    if view.run_id is None or not of_run:
        return None
    return f"/borders/incidents?{urlencode({'run': view.run_id, 'zone': of_run[0]})}"


def _records(marks: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    return [
        {"id": int(key), "point": point, **record}
        for key, point, record in zip(
            marks.index, marks.geometry, marks.drop(columns="geometry").to_dict("records"), strict=True
        )
    ]


def _mark(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": record["id"],
        "kind": record["kind"],
        "text": record["text"],
        "version": int(record["version"]),
        "etag": record["etag"],
        "at": [record["point"].y, record["point"].x],
        "city": record["city"],
        "unit": record["unit"],
        "changed_at": moment_text(record["changed_at"]),
    }


def _mark_row(record: dict[str, Any], say: Texts) -> dict[str, Any]:
    point = record["point"]
    return {
        "id": record["id"],
        "kind": record["kind"],
        "kind_word": say(MARKS[record["kind"]]),
        "text": record["text"],
        "who": who_text(record["city"], record["unit"]),
        "at": moment_text(record["changed_at"]),
        "place": f"{point.y:.5f}, {point.x:.5f}",
    }


def _shared(view: OperationView, say: Texts) -> str:
    if view.shared_from is None or view.shared_until is None:
        return say("没有共享") if view.state in ("running", "ended") else say("开始后才共享")
    return say(
        "%(first)s至%(last)s", first=moment_text(view.shared_from), last=moment_text(view.shared_until)
    )


def _entry(entry: EntryShown, say: Texts) -> dict[str, Any]:
    return {
        "number": entry.number,
        "kind": entry.kind,
        "at": moment_text(entry.at),
        "happened_at": moment_text(entry.happened_at),
        "who": who_text(entry.city, entry.unit),
        "what": entry_sentence(entry, say),
        "text": entry.text,
        "is_entry": entry.kind == "entry",
    }
