"""Hold what a run leaves behind, and what a kind of run is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from geo.runs.inputs import RunInput
from geo.runs.requests import RunRequest

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Progress = Callable[[int, int], None]
RequestT = TypeVar("RequestT", bound=RunRequest)
InputT = TypeVar("InputT", bound=RunInput)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnswer:
    """What a run leaves behind.

    Parameters
    ----------
    document : mapping
        As `geo.analysis.documents.run_document` says, with what was asked.
    result : bytes
        The same as canonical JSON: the same stored rows and the same request give the same bytes.
    input_count : int
        Incidents read.
    input_hash : str
        Of everything that was read.
    """

    document: Mapping[str, Any]
    result: bytes
    input_count: int
    input_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKind(Generic[RequestT, InputT]):
    """A kind of run: what it is asked, how it loads and how it computes.

    Parameters
    ----------
    request : type of RunRequest
        Knows its name and version.
    load : callable
        (session, request) -> input; only reads.
    compute : callable
        (input, request, progress=) -> document; progress is told (steps done, steps in all) and may raise to stop.
    check : callable, optional
        (session, request) -> None; refuses before anything is queued what the stored areas do not allow.
    proves : bool
        Whether its findings can be hotspots at all.
    is_for_commanders : bool
        Whether it is offered to everybody rather than to analysts by name.
    """

    request: type[RequestT]
    load: Callable[[Session, RequestT], InputT]
    compute: Callable[..., dict[str, object]]
    check: Callable[[Session, RequestT], None] | None = None
    proves: bool = False
    is_for_commanders: bool = False
