"""Act on an operation: each act by one city, from a state that allows it, written into the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.dialects.postgresql import Range

from geo.duplicates import unit_name
from geo.errors import ConflictError, InvalidInputError
from geo.operations.texts import MAX_TEXT, plain_text
from geo.operations.windows import Window
from geo.store.operation_changes import add_change
from geo.store.operations import find_operation_cities, moment

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.store.operations import JointOperation, OperationCity

ActName = Literal["agree", "decline", "withdraw", "start", "end"]
ACTS: dict[str, frozenset[str]] = {
    "agree": frozenset({"proposed", "declined"}),
    "decline": frozenset({"proposed", "agreed", "declined"}),
    "withdraw": frozenset({"proposed", "agreed", "declined"}),
    "start": frozenset({"agreed"}),
    "end": frozenset({"running"}),
}
"""Act -> states that allow it. ``ended`` and ``withdrawn`` allow none."""
LIVE = frozenset({"proposed", "agreed", "running"})
"""States in which units are named and the overlay is drawn on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who acts.

    Parameters
    ----------
    city_id : int
        Area of the city that acts.
    unit : str
        Name of its unit, never of a person.
    text : str
        Reason or remark.
    key : str or None
        Of a request that may come twice.
    body_sha256 : str
        Digest of the whole request; goes with `key`.
    """

    city_id: int
    unit: str
    text: str = ""
    key: str | None = None
    body_sha256: str = ""

    def __post_init__(self) -> None:
        """Refuse a unit or a text that names a person."""
        object.__setattr__(self, "unit", unit_name(self.unit))
        object.__setattr__(self, "text", plain_text(self.text, name="the text", most=MAX_TEXT))

    def told(self) -> dict[str, Any]:
        """Return what a change keeps of it."""
        return {
            "area_id": self.city_id,
            "unit": self.unit,
            "text": self.text,
            "idempotency_key": self.key,
            "body_sha256": None if self.key is None else self.body_sha256,
        }


def cities_of(session: Session, operation: JointOperation) -> dict[int, OperationCity]:
    """Return the cities of an operation by area id."""
    return {city.area_id: city for city, _, _ in find_operation_cities(session, [operation.id])}


def check_part(session: Session, operation: JointOperation, act: Act) -> dict[int, OperationCity]:
    """Return the cities of an operation if the one that acts is among them.

    Raises
    ------
    InvalidInputError
    """
    cities = cities_of(session, operation)
    if act.city_id not in cities:
        raise InvalidInputError("the city that acts takes no part in this operation", code="actor_apart")
    return cities


def allowed_acts(
    state: str, *, answers: dict[int, str], lead_id: int | None, proposer_id: int
) -> dict[str, tuple[int, ...]]:
    """Return the acts that a state allows, each with the cities that may do it now.

    Parameters
    ----------
    state : str
    answers : dict of int to str
        Area id of each city -> asked, agreed or declined.
    lead_id : int or None
    proposer_id : int
        The city that proposed; only it withdraws.
    """
    everyone = tuple(answers)
    who = {
        "agree": tuple(city for city, answer in answers.items() if answer != "agreed"),
        "decline": tuple(city for city, answer in answers.items() if answer != "declined"),
        "withdraw": (proposer_id,),
        "start": everyone if lead_id is None else (lead_id,),
        "end": everyone,
    }
    return {act: who[act] for act, states in ACTS.items() if state in states and who[act]}


def act_on(session: Session, operation: JointOperation, name: ActName, act: Act) -> None:
    """Agree, decline, withdraw, start or end.

    Parameters
    ----------
    session : Session
        The caller commits.
    operation : JointOperation
        Locked.
    name : {"agree", "decline", "withdraw", "start", "end"}
    act : Act
        Whoever acts answers for its own city and for no other.

    Raises
    ------
    ConflictError
        If the state, or what this city did before, does not allow it.
    InvalidInputError
        If the city takes no part.
    """
    cities = check_part(session, operation, act)
    allowed = allowed_acts(
        operation.state,
        answers={area_id: city.answer for area_id, city in cities.items()},
        lead_id=operation.lead_area_id,
        proposer_id=operation.proposer_area_id,
    )
    if name not in allowed:
        raise ConflictError(
            f"an operation that is {operation.state} does not allow this: {name}", code="state_forbids"
        )
    if act.city_id not in allowed[name]:
        raise ConflictError(f"this is not up to that city now: {name}", code="not_its_turn")
    if name in ("agree", "decline"):
        _answer(session, operation, cities, name, act)
    elif name == "withdraw":
        operation.state = "withdrawn"
        add_change(session, operation, kind="withdrawn", detail={}, **act.told())
    elif name == "start":
        _start(session, operation, act)
    else:
        _end(session, operation, act)
    operation.version += 1
    session.flush()


def _answer(
    session: Session, operation: JointOperation, cities: dict[int, OperationCity], name: str, act: Act
) -> None:
    own, now = cities[act.city_id], moment(session)
    own.answer = "agreed" if name == "agree" else "declined"
    own.answered_by, own.answered_at = act.unit, now
    add_change(session, operation, kind=own.answer, detail={}, **act.told())
    answers = {city.answer for city in cities.values()}
    if "declined" in answers:
        operation.state = "declined"
    elif answers == {"agreed"}:
        operation.state = "agreed"
        add_change(session, operation, kind="all_agreed", detail={}, area_id=act.city_id, unit=act.unit)
    else:
        operation.state = "proposed"


def window_of(operation: JointOperation) -> Window:
    """Return the days and hours of an operation."""
    return Window(
        from_on=operation.from_on,
        until_on=operation.until_on,
        from_hour=operation.from_hour,
        until_hour=operation.until_hour,
    )


def _start(session: Session, operation: JointOperation, act: Act) -> None:
    """Start, and share from now until the last day: the end needs no job that somebody must run."""
    now = moment(session)
    first, last = window_of(operation).bounds_at()
    if now < first:
        raise ConflictError(
            f"the operation begins on {operation.from_on}; move its days to begin earlier",
            code="begins_later",
            day=operation.from_on.isoformat(),
        )
    operation.state, operation.started_at = "running", now
    # An operation that is written down after its days shares nothing any more.
    operation.valid = Range(now, max(now, last), bounds="[)")
    add_change(session, operation, kind="started", detail={"is_late": now >= last}, **act.told())


def _end(session: Session, operation: JointOperation, act: Act) -> None:
    now = moment(session)
    valid = operation.valid
    if valid is not None and not valid.isempty and valid.upper is not None and valid.upper > now:
        operation.valid = Range(valid.lower, now, bounds="[)")
    operation.state, operation.ended_at = "ended", now
    add_change(session, operation, kind="ended", detail={}, **act.told())
