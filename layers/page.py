"""Render the map page: one shell of our own around what folium built, one strict content security policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from geo.crs import STORED
from geo.errors import InvalidInputError
from geo.periods import read_period
from layers.addresses import page_address, page_query
from layers.analysis_charts import analysis_charts
from layers.analysis_texts import analysed_text, analysis_verdict
from layers.captions import change_text, counted_text, provenance_text, subject_text
from layers.client_texts import CLIENT_TEXTS
from layers.folium_guard import escape_text
from layers.incidents import PRECISION_WORDS
from layers.legend import layer_entries, shading_entries, visible_layers
from layers.maps import draw_maps
from layers.payload import payload_text
from layers.periods import period_text
from layers.policy import check_nonce, content_security_policy, tiles_origin_of
from layers.run_texts import run_tables
from layers.shell import environment, shell
from layers.tables import area_rows
from layers.texts import texts_in
from layers.verdicts import cluster_texts, verdict_of
from layers.views import (
    DEFAULT_KIND,
    BaseTiles,
    Choices,
    DatasetNote,
    Filters,
    MapPanel,
    MapPosition,
    MapView,
    RunNote,
    RunState,
    read_layers,
    read_position,
    write_position,
)

if TYPE_CHECKING:
    from layers.maps import DrawnMaps
    from layers.texts import Texts
    from layers.views import Choice, Locale

__all__ = [
    "BaseTiles",
    "Choices",
    "DatasetNote",
    "Filters",
    "MapPanel",
    "MapPosition",
    "MapView",
    "RunNote",
    "RunState",
    "content_security_policy",
    "page_address",
    "read_layers",
    "read_position",
    "render_map_page",
    "render_problem_page",
    "tiles_origin_of",
]


def render_map_page(view: MapView) -> str:
    """Render the whole page.

    Parameters
    ----------
    view : MapView

    Returns
    -------
    str
        HTML to be sent with `content_security_policy` of the same nonce. Equal views give equal bytes.

    Raises
    ------
    InvalidInputError
        If a frame lacks a column or is not in EPSG:4326, there are more than two panels, or the nonce is
        none.
    """
    _check(view)
    drawn = draw_maps(view)
    return environment(view.locale).get_template("map.html").render(**_model(view, drawn))


def render_problem_page(*, locale: Locale, nonce: str, title: str, detail: str, request_id: str = "") -> str:
    """Render the page for people when something went wrong: what, what to do, and the number to quote.

    Parameters
    ----------
    locale : {"zh", "en"}
    nonce : str
    title, detail : str
        Plain text in the language of the page.
    request_id : str
    """
    check_nonce(nonce)
    model = {"title": title, "detail": detail, "request_id": request_id}
    return environment(locale).get_template("problem.html").render(**shell(locale, nonce), **model)


def _check(view: MapView) -> None:
    check_nonce(view.nonce)
    if not view.is_empty and not 1 <= len(view.panels) <= 2:  # noqa: PLR2004 - a period and the one a year before
        raise InvalidInputError("a page has one map or two")
    for panel in view.panels:
        frames = (panel.incidents, panel.areas, panel.key_areas, panel.border_pairs, panel.supervised)
        for frame in frames:
            if frame is not None and not frame.empty and (frame.crs is None or frame.crs.to_epsg() != STORED):
                raise InvalidInputError("frames of a page must be in EPSG:4326")


def _model(view: MapView, drawn: DrawnMaps) -> dict[str, Any]:
    """Return everything the template of the page shows."""
    say = texts_in(view.locale)
    first = view.panels[0] if view.panels else None
    hotspots = None if first is None else first.hotspots
    period = None if first is None else first.period
    document = None if first is None else first.document
    analysis = view.analysis
    is_search = analysis is None or analysis.kind == DEFAULT_KIND
    clusters = () if hotspots is None else cluster_texts(hotspots, period=period, locale=view.locale)
    return {
        **shell(view.locale, view.nonce, here="/"),
        "view": view,
        "query": page_query(view),
        "other_language": page_address(view, lang="en" if view.locale == "zh" else "zh"),
        "without_filters": page_address(
            view, start=None, end=None, category=None, sector=None, area=None, compare=None, view=None
        ),
        "presets": _presets(view),
        "subject": subject_text(view, say),
        "panels": _panel_models(view, drawn, say),
        "scripts": drawn.scripts,
        "styles": drawn.styles,
        "script": Markup("\n".join(part.script for part in drawn.parts)),  # noqa: S704 - names made by layers.basemap
        "blocks": _blocks(view, drawn, say),
        "shadings": shading_entries(view, say),
        "entries": layer_entries(view, drawn.keys, say),
        "verdict": verdict_of(hotspots, run=view.run, period=period, locale=view.locale)
        if analysis is None or is_search
        else analysis_verdict(analysis, document, run=view.run, locale=view.locale),
        "analysis": analysis,
        "is_search": is_search,
        "charts": () if document is None else analysis_charts(document, say),
        "analysis_tables": () if document is None else run_tables(document, locale=view.locale),
        "hotspot_rows": [each for each in clusters if each.is_hotspot],
        "candidate_rows": [each for each in clusters if not each.is_hotspot],
        "area_rows": area_rows(view.panels, say),
        "provenance": provenance_text(view, say),
        "visible": visible_layers(view),
    }


def _presets(view: MapView) -> list[Choice]:
    """Return address and label of each preset period."""
    presets = []
    for text, label in view.choices.period_presets:
        period = read_period(text)
        address = page_address(view, start=period.start_on.isoformat(), end=period.last_on.isoformat())
        presets.append((address, label or period_text(period, view.locale)))
    return presets


def _panel_models(view: MapView, drawn: DrawnMaps, say: Texts) -> list[dict[str, Any]]:
    models = []
    for number, (panel, part) in enumerate(zip(view.panels, drawn.parts, strict=True)):
        title = panel.title or period_text(panel.period, view.locale)
        models.append(
            {
                "title": title if number == 0 else say("上年同期：%(period)s", period=title),
                "counted": counted_text(panel, say),
                "change": change_text(view.panels, say) if number == 0 else "",
                "analysed": analysed_text(panel.document, say),
                "uncomputed": _alone(view, panel) if number > 0 and not _has_result(panel) else "",
                "html": Markup(part.html),  # noqa: S704 - elements and JSON blocks of layers.basemap
            }
        )
    return models


def _alone(view: MapView, panel: MapPanel) -> str:
    """Return the address of a panel's period by itself, where its analysis can be asked for."""
    if panel.period is None:
        return ""
    period = panel.period
    return page_address(view, start=period.start_on.isoformat(), end=period.last_on.isoformat(), compare=None)


def _has_result(panel: MapPanel) -> bool:
    return panel.hotspots is not None or panel.document is not None


def _blocks(view: MapView, drawn: DrawnMaps, say: Texts) -> dict[str, Markup]:
    """Return the blocks of data that all scripts of the page share, by id."""
    tiles = view.tiles
    page = {
        "locale": view.locale,
        "texts": {sentence: say(sentence) for sentence in CLIENT_TEXTS},
        "words": {
            "category": _words(view.choices.categories),
            "sector": _words(view.choices.sectors),
            "precision": {key: say(word) for key, word in PRECISION_WORDS.items()},
        },
        "home": drawn.home,
        "area": None if view.filters.area_id is None else str(view.filters.area_id),
        "view": None if view.filters.view is None else write_position(view.filters.view),
        "tiles": None if tiles is None else {"url": tiles.url, "attribution": escape_text(tiles.attribution)},
        "run": {
            "id": view.run.run_id,
            "state": view.run.state,
            "request": None if view.analysis is None else view.analysis.request,
        },
    }
    blocks = {"page-data": page, "outlines": drawn.outlines}
    return {name: Markup(payload_text(value)) for name, value in blocks.items()}  # noqa: S704 - escaped there


def _words(choices: tuple[Choice, ...]) -> dict[str, str]:
    """Return labels by code, without the indent that shows a child in its list."""
    return {code: label.strip() for code, label in choices}
