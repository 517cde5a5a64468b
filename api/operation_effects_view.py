"""Judge operations once per version of the data, and gather what their page shows of it."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from geo.operation_effects import RING_M, OperationEffects, load_operation_effects
from geo.store.dataset import find_dataset
from geo.store.operations import get_operation
from layers.operation_effects import ComparisonShown, EffectsView

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy.orm import Session

_KEPT = 32


class EffectShelf:
    """The last judgements, by operation, its version, the version of the data and the ring."""

    def __init__(self) -> None:
        self._found: OrderedDict[object, OperationEffects] = OrderedDict()
        self._lock = Lock()
        self._computing = Lock()

    def get(self, session: Session, operation_id: int, *, ring_m: float) -> OperationEffects:
        """Return a judgement, computing it unless it is on the shelf; one at a time."""
        key = _key(session, operation_id, ring_m)
        with self._computing:
            found = self._take(key)
            if found is None:
                found = load_operation_effects(session, operation_id, ring_m=ring_m)
                with self._lock:
                    self._found[key] = found
                    while len(self._found) > _KEPT:
                        self._found.popitem(last=False)
        return found

    def peek(self, session: Session, operation_id: int) -> OperationEffects | None:
        """Return the judgement with the usual ring if it is on the shelf."""
        return self._take(_key(session, operation_id, RING_M))

    def _take(self, key: object) -> OperationEffects | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)


def _key(session: Session, operation_id: int, ring_m: float) -> object:
    dataset = find_dataset(session)
    version = get_operation(session, operation_id).version
    return operation_id, version, None if dataset is None else dataset.version, ring_m


def shelf_of(app: FastAPI) -> EffectShelf:
    """Return the shelf of an application, made with the first question."""
    if not hasattr(app.state, "effect_shelf"):
        app.state.effect_shelf = EffectShelf()
    shelf: EffectShelf = app.state.effect_shelf
    return shelf


def effects_shown(found: OperationEffects) -> EffectsView:
    """Return what a page shows of a judgement."""
    return EffectsView(
        operation_id=found.operation_id,
        title=found.title,
        cities=found.cities,
        hours=found.hours,
        ring_m=found.ring_m,
        comparisons=tuple(
            ComparisonShown(
                name=view.name, before=view.before, after=view.after, effect=view.effect, reason=view.reason
            )
            for view in found.views
        ),
    )


def effects_piece(app: FastAPI, session: Session, operation_id: int) -> EffectsView:
    """Return what the page of an operation that has ended shows at once: the judgement, or the offer to make one."""
    found = shelf_of(app).peek(session, operation_id)
    return EffectsView(operation_id=operation_id) if found is None else effects_shown(found)
