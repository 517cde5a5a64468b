"""Look for changes of operations once for everybody who watches, however many pages are open."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

from api.operation_bodies import ChangeView
from geo.operations import load_log
from geo.store.operation_changes import newest_numbers
from geo.store.operations import get_operation

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.database import SessionMaker

POLL_S = 0.3
BATCH = 200
_KEPT = 64


class ChangeBoard:
    """The newest numbers of the operations that are watched, and the last changes that were handed out.

    Parameters
    ----------
    sessions : SessionMaker

    Notes
    -----
    A change is never changed, so that what follows a number, up to the newest one known, can be kept as it is.
    """

    def __init__(self, sessions: SessionMaker) -> None:
        self._sessions = sessions
        self._lock = Lock()
        self._watched: Counter[int] = Counter()
        self._newest: dict[int, int] = {}
        self._due_at = 0.0
        self._batches: OrderedDict[tuple[int, int, int], list[dict[str, Any]]] = OrderedDict()

    def enter(self, operation_id: int) -> None:
        """Begin to watch an operation."""
        with self._lock:
            self._watched[operation_id] += 1

    def leave(self, operation_id: int) -> None:
        """End one watch; what nobody watches is no longer asked for."""
        with self._lock:
            self._watched[operation_id] -= 1
            if self._watched[operation_id] <= 0:
                del self._watched[operation_id]
                self._newest.pop(operation_id, None)

    def newest(self, operation_id: int) -> int:
        """Return the newest number as far as it is known."""
        return self._newest.get(operation_id, 0)

    def is_due(self) -> bool:
        """Tell one of those who ask that it is time to look again; the others need not."""
        now = time.monotonic()
        with self._lock:
            if now < self._due_at:
                return False
            self._due_at = now + POLL_S
            return True

    def look(self) -> None:
        """Ask the database once for all operations that are watched."""
        with self._lock:
            watched = list(self._watched)
        with self._sessions.begin() as session:
            newest = newest_numbers(session, watched)
        with self._lock:
            self._newest |= {key: number for key, number in newest.items() if key in self._watched}

    def changes(self, operation_id: int, after: int) -> list[dict[str, Any]]:
        """Return the changes that follow a number, in order, at most `BATCH`."""
        key = (operation_id, after, self.newest(operation_id))
        with self._lock:
            found = self._batches.get(key)
        if found is not None:
            return found
        with self._sessions.begin() as session:
            entries = load_log(session, get_operation(session, operation_id), after=after, limit=BATCH)
        told = [ChangeView.of(entry).model_dump(mode="json") for entry in entries]
        with self._lock:
            self._batches[key] = told
            while len(self._batches) > _KEPT:
                self._batches.popitem(last=False)
        return told


def board_of(app: FastAPI) -> ChangeBoard:
    """Return the board of an application, made with the first watch."""
    if not hasattr(app.state, "change_board"):
        app.state.change_board = ChangeBoard(app.state.sessions)
    board: ChangeBoard = app.state.change_board
    return board
