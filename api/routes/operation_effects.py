"""Tell what an operation changed: before and after, with what was to be expected anyway."""

from __future__ import annotations

import math
from datetime import date
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.deps import Sessioned, refuse_repeats
from api.operation_effects_view import effects_shown, shelf_of
from api.pages import LanguageQuery, answer_page
from geo.analysis.operation_effects import OperationEffect
from geo.operation_effects import RING_M, EffectView, OperationEffects
from geo.periods import Period
from layers.operation_effects import render_effects_page

router = APIRouter(prefix="/operations", tags=["operations"], dependencies=[Depends(refuse_repeats)])

OperationId = Annotated[int, Path(ge=1, le=2**62)]
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "For a browser that asks for text/html the page, else the record.",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}


class EffectsQuery(LanguageQuery):
    """How wide the ring is into which incidents could have moved."""

    ring_m: float = Field(
        default=RING_M, ge=200, le=20_000, description="width of the ring about the zones, m"
    )


class DaysView(BaseModel):
    """Days, both included."""

    first_on: date
    last_on: date


class PartView(BaseModel):
    """Reported incidents of one part, and apart from them what patrols found there."""

    part: str = Field(description="treated, ring, control, control_zones or control_ring")
    before: int
    after: int
    patrol_before: int
    patrol_after: int
    exposure: float
    weight: float | None = Field(description="in the weighted displacement difference")


class ZoneView(BaseModel):
    """Reported incidents of one zone."""

    label: str
    before: int
    after: int


class DifferenceView(BaseModel):
    """The weighted displacement difference with its standard error and interval."""

    difference: float
    standard_error: float
    z: float | None
    low: float
    high: float


class FiguresView(BaseModel):
    """What was counted, what was to be expected without action, and what is left."""

    parts: list[PartView]
    zones: list[ZoneView]
    difference: DifferenceView | None
    expected_alone: float | None = Field(description="by regression to the mean alone")
    trend: float | None = Field(description="control, after over before")
    expected: float | None = Field(description="by regression to the mean and the control's change")
    expected_low: int | None
    expected_high: int | None
    remaining: float | None = Field(description="counted less expected; below 0 is a fall")
    remaining_low: int | None
    remaining_high: int | None
    p_fell: float | None
    p_rose: float | None
    p_ring: float | None
    control_p: float | None
    dispersion: float
    detectable_share: float | None
    comparable_count: int
    sure_count: int
    unsure_count: int
    unplaced_before: int
    unplaced_after: int
    hour_unsure_count: int
    stable_share: float
    draws: int
    seed: int


class ComparisonView(BaseModel):
    """One comparison; `figures` is null where nothing could be compared."""

    name: str = Field(description="year_before, just_before or in_hours")
    before: DaysView | None
    after: DaysView
    verdict: str = Field(description="fell, rose or cannot_tell")
    reasons: list[str]
    notes: list[str]
    figures: FiguresView | None


class EffectsBody(BaseModel):
    """Before and after of an operation; the first comparison is what is told."""

    operation_id: int
    title: str
    cities: list[str]
    days: DaysView
    hours: tuple[int, int] | None
    ring_m: float
    exposure_kind: str
    comparisons: list[ComparisonView]


@router.get("/{operation_id}/effects", response_model=EffectsBody, responses=_PAGE)
def get_effects(
    request: Request,
    response: Response,
    session: Sessioned,
    operation_id: OperationId,
    query: Annotated[EffectsQuery, Query()],
) -> Any:
    """Return what an ended operation changed, or that it cannot be told; computed once per version of the data."""
    found = shelf_of(request.app).get(session, operation_id, ring_m=query.ring_m)
    if "text/html" in request.headers.get("accept", ""):
        page = answer_page(
            request, session, partial(render_effects_page, effects_shown(found)), lang=query.lang
        )
        page.headers["Vary"] = "Accept"
        return page
    response.headers["Vary"] = "Accept"
    return _body(found)


def _body(found: OperationEffects) -> EffectsBody:
    return EffectsBody(
        operation_id=found.operation_id,
        title=found.title,
        cities=list(found.cities),
        days=_days(found.period),
        hours=found.hours,
        ring_m=found.ring_m,
        exposure_kind=found.exposure_kind,
        comparisons=[_comparison(view, found.zone_labels) for view in found.views],
    )


def _days(period: Period) -> DaysView:
    return DaysView(first_on=period.start_on, last_on=period.last_on)


def _comparison(view: EffectView, labels: tuple[str, ...]) -> ComparisonView:
    effect = view.effect
    return ComparisonView(
        name=view.name,
        before=None if view.before is None else _days(view.before),
        after=_days(view.after),
        verdict="cannot_tell" if effect is None else effect.verdict,
        reasons=[view.reason] if view.reason is not None else [] if effect is None else list(effect.reasons),
        notes=[] if effect is None else list(effect.notes),
        figures=None if effect is None else _figures(effect, labels),
    )


_OF_COUNTS = (
    "expected_alone",
    "trend",
    "expected",
    "expected_low",
    "expected_high",
    "remaining",
    "remaining_low",
    "remaining_high",
    "p_fell",
    "p_rose",
    "p_ring",
    "control_p",
    "dispersion",
    "detectable_share",
)
_OF_EFFECT = (
    "comparable_count",
    "sure_count",
    "unsure_count",
    "unplaced_before",
    "unplaced_after",
    "hour_unsure_count",
    "stable_share",
    "draws",
    "seed",
)


def _figures(effect: OperationEffect, labels: tuple[str, ...]) -> FiguresView:
    difference = effect.counts.difference
    facts = {name: getattr(effect.counts, name) for name in _OF_COUNTS}
    facts |= {name: getattr(effect, name) for name in _OF_EFFECT}
    return FiguresView(
        parts=[
            PartView(
                part=str(name), **(row | {"weight": None if math.isnan(row["weight"]) else row["weight"]})
            )
            for name, row in zip(effect.parts.index, effect.parts.to_dict("records"), strict=True)
        ],
        zones=[
            ZoneView(label=label, before=int(before), after=int(after))
            for label, before, after in zip(
                labels, effect.zones["before"], effect.zones["after"], strict=True
            )
        ],
        difference=None
        if difference is None
        else DifferenceView(
            difference=difference.difference,
            standard_error=difference.standard_error,
            z=difference.z,
            low=difference.low,
            high=difference.high,
        ),
        **facts,
    )
