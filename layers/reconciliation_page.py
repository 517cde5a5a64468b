"""Draw the page that lays tickets of utilities beside incidents of the police."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from layers.assets import LEAFLET_CSS, LEAFLET_JS
from layers.payload import packed_outline, text_of
from layers.reconciliation_chart import recording_chart
from layers.reconciliation_texts import (
    OTHER_REASONS,
    book_rows,
    match_rows,
    percent_text,
    recording_verdict,
)
from layers.shell import render_page
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geo.analysis.recording import Recording
    from layers.texts import Texts
    from layers.views import Locale

ADDRESS = "/reconciliation"
LISTED = 100
"""Rows of a list on one page."""

CLIENT_TEXTS = (
    mark("案件"),
    mark("工单"),
    mark("时间"),
    mark("地点"),
    mark("区域"),
    mark("位置：{precision}，真实位置在约{radius}内"),
    mark("没有案件的工单"),
    mark("没有工单的案件"),
    mark("图上画出{drawn}条，共{total}条没有配上"),
    mark("{count}条没有点位，只在表中"),
    mark("正在取没有配上的记录…"),
    mark("没有配上的记录没有取到，请稍后再试"),
    mark("地图脚本没有装好：请运行 python -m layers.assets，再刷新本页"),
    mark("放大"),
    mark("缩小"),
    mark("关闭"),
)
"""Sentences that `static/reconciliation.js` shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationView:
    """What the page shows.

    Parameters
    ----------
    has_tickets : bool
        Whether any ticket is stored at all.
    start, end : str
        First and last day of the period, empty for all time.
    area_id : int or None
    areas : tuple of (str, str)
        Id and label of the areas to choose from.
    incident_count, ticket_count, apart_count : int
        In this period and area.
    open_incidents, open_tickets, apart : GeoDataFrame
        One page of each list, EPSG:4326, in order of id.
    open_incident_count, open_ticket_count, taken_count : int
        In all; tickets whose nearest incident went to another ticket.
    next_incident, next_ticket : int or None
        Id after which the next page of a list begins.
    doubtful : DataFrame
        Doubtful matches: incident_number, ticket_number, distance_m, gap_hours, score, margin.
    doubtful_count, clear_count, outside_count : int
    recording : Recording or None
    by_area : tuple of (str, Recording)
    ground : GeoDataFrame or None
        Areas whose outlines lie under the map, EPSG:4326.
    """

    has_tickets: bool
    start: str = ""
    end: str = ""
    area_id: int | None = None
    areas: tuple[tuple[str, str], ...] = ()
    incident_count: int = 0
    ticket_count: int = 0
    apart_count: int = 0
    open_incidents: gpd.GeoDataFrame | None = None
    open_tickets: gpd.GeoDataFrame | None = None
    apart: gpd.GeoDataFrame | None = None
    open_incident_count: int = 0
    open_ticket_count: int = 0
    taken_count: int = 0
    next_incident: int | None = None
    next_ticket: int | None = None
    doubtful: pd.DataFrame | None = None
    doubtful_count: int = 0
    clear_count: int = 0
    outside_count: int = 0
    recording: Recording | None = None
    by_area: tuple[tuple[str, Recording], ...] = ()
    ground: gpd.GeoDataFrame | None = None


def render_reconciliation_page(
    view: ReconciliationView, *, locale: Locale, nonce: str, dataset_title: str, is_demo: bool
) -> str:
    """Render the page ``/reconciliation``.

    Parameters
    ----------
    view : ReconciliationView
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    """
    say = texts_in(locale)
    return render_page(
        "reconciliation.html",
        locale=locale,
        nonce=nonce,
        here=ADDRESS,
        dataset_title=dataset_title,
        is_demo=is_demo,
        client_texts=CLIENT_TEXTS,
        blocks={"outlines": _outlines(view.ground), "reconciliation-data": _data(view, locale)},
        view=view,
        leaflet_js=LEAFLET_JS.url,
        leaflet_css=LEAFLET_CSS.url,
        **_model(view, say),
    )


def _model(view: ReconciliationView, say: Texts) -> dict[str, Any]:
    recording = view.recording
    doubtful = view.doubtful
    return {
        "headline": _headline(view, say),
        "verdict": None
        if recording is None
        else recording_verdict(recording, say, taken_count=view.taken_count),
        "reasons": [say(reason) for reason in OTHER_REASONS],
        "chart": "" if recording is None else recording_chart(recording, say),
        "month_rows": [] if recording is None else _month_rows(recording),
        "area_rows": [_area_row(name, each, say) for name, each in view.by_area],
        "ticket_rows": [] if view.open_tickets is None else book_rows(view.open_tickets, say),
        "incident_rows": [] if view.open_incidents is None else book_rows(view.open_incidents, say),
        "apart_rows": [] if view.apart is None else book_rows(view.apart, say),
        "doubtful_rows": [] if doubtful is None else match_rows(doubtful, say),
        "more_tickets": _address(view, say, after_ticket=view.next_ticket),
        "more_incidents": _address(view, say, after_incident=view.next_incident),
        "downloads": {
            side: f"{ADDRESS}/unmatched.geojson?{_query(view, side=side, limit=2000)}"
            for side in ("tickets", "incidents", "apart")
        },
        "whole": f"{ADDRESS}?lang={say.locale}",
    }


def _headline(view: ReconciliationView, say: Texts) -> str:
    return say(
        "%(tickets)s张可能是案件的工单，%(matched)s张配上了案件，%(open)s张没有；"
        "%(incidents)s起案件，%(open_incidents)s起没有工单。",
        tickets=view.ticket_count,
        matched=view.ticket_count - view.open_ticket_count,
        open=view.open_ticket_count,
        incidents=view.incident_count,
        open_incidents=view.open_incident_count,
    )


def _query(view: ReconciliationView, **more: Any) -> str:
    given = {"start": view.start, "end": view.end, "area": view.area_id} | more
    return urlencode({name: value for name, value in given.items() if value not in (None, "")})


def _address(view: ReconciliationView, say: Texts, **after: int | None) -> str:
    """Return the address of the next page of a list, empty after the last one."""
    if None in after.values():
        return ""
    return f"{ADDRESS}?{_query(view, lang=say.locale, **after)}"


def _month_rows(recording: Recording) -> list[tuple[str, int, int, str, str]]:
    rows = []
    for month, row in recording.months.iterrows():
        count = int(row["ticket_count"])
        share = percent_text(row["share"]) if count else "—"
        interval = f"{row['lower']:.0%}–{row['upper']:.0%}" if count else "—"
        rows.append((f"{month:%Y-%m}", count, int(row["recorded_count"]), share, interval))
    return rows


def _area_row(name: str, recording: Recording, say: Texts) -> dict[str, Any]:
    verdict = recording_verdict(recording, say)
    share = recording.recorded_count / recording.ticket_count
    return {
        "name": name or say("名称不明的区域"),
        "count": recording.ticket_count,
        "share": percent_text(share),
        "is_drop": verdict.kind == "drop",
        "headline": verdict.headline,
        "told": verdict.sentences[0],
    }


def _data(view: ReconciliationView, locale: Locale) -> dict[str, Any]:
    """Return where the map's script finds its rows."""
    addresses = {
        side: f"{ADDRESS}/unmatched.geojson?{_query(view, side=side, limit=1000, lang=locale)}"
        for side in ("tickets", "incidents")
    }
    return {
        "addresses": addresses,
        "totals": {"tickets": view.open_ticket_count, "incidents": view.open_incident_count},
    }


def _outlines(ground: gpd.GeoDataFrame | None) -> dict[str, dict[str, Any]]:
    if ground is None:
        return {}
    return {
        str(key): {"level": level, "name": text_of(name), "outline": packed_outline(shape)}
        for key, level, name, shape in zip(
            ground.index, ground["level"], ground["name"], ground.geometry, strict=True
        )
    }
