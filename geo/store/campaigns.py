"""Store campaigns: phases, targets, key areas, border pairs, sweeps and supervised items."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import CheckConstraint, ForeignKey, Numeric, UniqueConstraint, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from geo.store.areas import Area
from geo.store.base import Base, identity
from geo.store.rows import read_frame

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy.orm import Session


class Campaign(Base):
    """A 专项斗争: its code, names and dates."""

    __tablename__ = "campaign"

    id: Mapped[int] = identity()
    code: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    start_on: Mapped[date]
    until_on: Mapped[date]
    source: Mapped[str]
    note: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("code"),
        CheckConstraint("start_on < until_on", name="period"),
    )


class CampaignPhase(Base):
    """A phase or a sweep of a campaign, half-open."""

    __tablename__ = "campaign_phase"

    id: Mapped[int] = identity()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    kind: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    start_on: Mapped[date]
    until_on: Mapped[date]
    date_precision: Mapped[str] = mapped_column(default="day")
    note: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind in ('phase','sweep')", name="kind"),
        CheckConstraint("start_on < until_on", name="period"),
        UniqueConstraint("campaign_id", "kind", "start_on"),
    )


class Indicator(Base):
    """What a target counts: a catalogue, so that each campaign brings its own."""

    __tablename__ = "indicator"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    unit: Mapped[str]


class CampaignTarget(Base):
    """What an area (or, without one, the whole campaign) must reach."""

    __tablename__ = "campaign_target"

    id: Mapped[int] = identity()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    indicator_code: Mapped[str] = mapped_column(ForeignKey("indicator.code"))
    comparison: Mapped[str]
    value: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    as_written: Mapped[str]

    __table_args__ = (
        CheckConstraint("comparison in ('at_most','at_least','equal')", name="comparison"),
        UniqueConstraint("campaign_id", "area_id", "indicator_code", postgresql_nulls_not_distinct=True),
    )


class CampaignArea(Base):
    """An area with a role in a campaign: key area of a level, pilot, scrap-metal town."""

    __tablename__ = "campaign_area"

    id: Mapped[int] = identity()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    role: Mapped[str]
    note: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("role in ('key_national','key_provincial','pilot','scrap_town')", name="role"),
        UniqueConstraint("campaign_id", "area_id", "role"),
    )


class BorderPair(Base):
    """Two areas that fight together on their border, and the one that leads."""

    __tablename__ = "border_pair"

    id: Mapped[int] = identity()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    area_a_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    area_b_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    lead_area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    lead_basis: Mapped[str]
    note: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("area_a_id <> area_b_id and lead_area_id in (area_a_id, area_b_id)", name="areas"),
        CheckConstraint("lead_basis in ('stated','inferred')", name="lead_basis"),
        UniqueConstraint("campaign_id", "area_a_id", "area_b_id"),
    )


class SupervisedItem(Base):
    """A case, area or problem under supervision (挂牌督办), with unit, deadline and state."""

    __tablename__ = "supervised_item"

    id: Mapped[int] = identity()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    item_key: Mapped[str]
    kind: Mapped[str]
    supervised_by: Mapped[str]
    supervised_year: Mapped[int]
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    responsible_unit_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    due_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(default="open")
    state_on: Mapped[date | None]

    __table_args__ = (
        CheckConstraint("kind in ('case','area','problem')", name="kind"),
        CheckConstraint("state in ('open','cleared','withdrawn')", name="state"),
        UniqueConstraint("campaign_id", "item_key"),
    )


def find_campaigns(session: Session) -> list[Campaign]:
    """Return all campaigns, newest first."""
    return list(session.scalars(select(Campaign).order_by(Campaign.start_on.desc(), Campaign.id)))


def find_phases(session: Session) -> list[CampaignPhase]:
    """Return phases and sweeps of all campaigns in order of time."""
    return list(session.scalars(select(CampaignPhase).order_by(CampaignPhase.start_on, CampaignPhase.id)))


def find_campaign_areas(session: Session) -> gpd.GeoDataFrame:
    """Return every area with a role in a campaign.

    Returns
    -------
    GeoDataFrame
        Points (where the area's label stands) or None, EPSG:4326: area_id, name, role, note, and
        target_change_pct where the campaign sets that area a change of its incidents.
    """
    target = (
        select(CampaignTarget.campaign_id, CampaignTarget.area_id, CampaignTarget.value)
        .where(CampaignTarget.indicator_code == "incident_change_pct", CampaignTarget.area_id.is_not(None))
        .subquery()
    )
    query = (
        select(
            CampaignArea.id,
            CampaignArea.area_id,
            Area.name,
            CampaignArea.role,
            CampaignArea.note,
            target.c.value.label("target_change_pct"),
            Area.label_point.label("geom"),
        )
        .join(Area, Area.id == CampaignArea.area_id)
        .outerjoin(
            target,
            (target.c.area_id == CampaignArea.area_id) & (target.c.campaign_id == CampaignArea.campaign_id),
        )
        .order_by(CampaignArea.id)
    )
    return read_frame(session, query)


def find_border_pairs(session: Session) -> pd.DataFrame:
    """Return the pairs with ids and names of both areas, the lead's name and on what it rests."""
    first, second, lead = aliased(Area), aliased(Area), aliased(Area)
    query = (
        select(
            BorderPair.id,
            BorderPair.area_a_id,
            BorderPair.area_b_id,
            first.name.label("name_a"),
            second.name.label("name_b"),
            lead.name.label("lead_name"),
            BorderPair.lead_basis,
            BorderPair.note,
        )
        .join(first, first.id == BorderPair.area_a_id)
        .join(second, second.id == BorderPair.area_b_id)
        .join(lead, lead.id == BorderPair.lead_area_id)
        .order_by(BorderPair.id)
    )
    return pd.read_sql(query, session.connection())


def find_supervised_incidents(session: Session) -> pd.DataFrame:
    """Return incident_id, item_key, supervised_by, supervised_year, state of every supervised case."""
    query = select(
        SupervisedItem.incident_id,
        SupervisedItem.item_key,
        SupervisedItem.supervised_by,
        SupervisedItem.supervised_year,
        SupervisedItem.state,
    ).where(SupervisedItem.incident_id.is_not(None))
    return pd.read_sql(query.order_by(SupervisedItem.id), session.connection())
