"""Gather what the page of pairs shows: one page of questions, the borders about them, what was decided last."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from geo.duplicates import load_history, load_questions
from geo.store.duplicate_maps import find_borders
from layers.duplicates_view import DecisionShown, DuplicatesView, PairShown

if TYPE_CHECKING:
    from datetime import date

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.duplicates import History, Question
    from geo.store.duplicates import DuplicateDecision

_HISTORY = 20
_METRES_PER_DEGREE = 111_320.0
_ROOM = 1.6
_LEAST_DEGREES = 0.02


def duplicates_view(session: Session, *, state: str | None, after: int | None, limit: int) -> DuplicatesView:
    """Return one page of pairs in a state (all without one), the strongest first."""
    questions, following = load_questions(session, state=state, after=after, limit=limit)
    windows = [window for window in map(_window, questions) if window is not None]
    borders = find_borders(session, windows)
    history = load_history(session, limit=_HISTORY)
    return DuplicatesView(
        state=state,
        is_first=after is None,
        counts=history.counts,
        pairs=tuple(_pair(question, borders) for question in questions),
        following=following,
        decisions=tuple(_decision(each, history) for each in history.decisions),
    )


def _pair(question: Question, borders: gpd.GeoDataFrame) -> PairShown:
    pair = question.pair
    return PairShown(
        pair_id=pair.id,
        state=pair.state,
        score=pair.score,
        reasons=tuple(pair.reasons),
        etag=f'"{question.version}"',
        sides=question.sides,
        borders=borders[borders["key"] == pair.id],
    )


def _decision(decision: DuplicateDecision, history: History) -> DecisionShown:
    question = history.questions[decision.pair_id]
    sides = question.sides
    return DecisionShown(
        pair_id=decision.pair_id,
        decision=decision.decision,
        numbers=tuple(zip(sides["source"], sides["case_number"], strict=True)),
        kept_side=None
        if decision.kept_incident_id is None
        else sides.index.tolist().index(decision.kept_incident_id),
        decided_by=decision.decided_by,
        note=decision.note,
        decided_at=decision.decided_at,
        state=question.pair.state,
        is_last=question.decisions[0].id == decision.id,
        etag=f'"{question.version}"',
    )


def _window(question: Question) -> tuple[int, date, float, float, float, float] | None:
    """Return the window of a pair's map, or None where neither record has a point."""
    located = question.sides[~question.sides.geometry.isna()]
    if located.empty:
        return None
    west, south, east, north = located.total_bounds
    reach = max(float(located["radius_m"].max()) / _METRES_PER_DEGREE * _ROOM, _LEAST_DEGREES)
    # A degree of longitude is shorter, and the map is wider than high.
    along = 2 * reach / math.cos(math.radians((south + north) / 2))
    on = located["occurred_from"].iloc[0].date()
    return question.pair.id, on, west - along, south - reach, east + along, north + reach
