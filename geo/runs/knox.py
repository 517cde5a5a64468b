"""Test near repeats: whether incidents near in place are also near in time more often than chance has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from geo.analysis.documents import run_document, table
from geo.analysis.near_repeat import knox
from geo.runs.inputs import RunInput, load_incidents
from geo.runs.points import located_points, middle_days
from geo.runs.requests import RunRequest, SimulatedRequest, choice, numbers

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.analysis.near_repeat import Knox
    from geo.runs.answers import Progress

_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class KnoxRequest(SimulatedRequest):
    """What a test of near repeats is asked.

    Parameters
    ----------
    distance_bands : tuple of float
        Ends of the half-open bands; incidents known no better than the first band is wide are left out.
    time_bands : tuple of float
        The same in days, against the length of the interval of occurrence.
    metric : str
        ``euclidean`` or ``manhattan``.
    """

    kind: ClassVar[str] = "knox"
    version: ClassVar[str] = "knox/1"

    distance_bands: tuple[float, ...] = numbers(
        (0.0, 1000.0, 2000.0, 4000.0, 8000.0), least=0.0, most=200_000.0, unit="m"
    )
    time_bands: tuple[float, ...] = numbers((0.0, 7.0, 14.0, 28.0, 56.0), least=0.0, most=3660.0, unit="days")
    metric: str = choice("euclidean", among=("euclidean", "manhattan"))


def load_points(session: Session, request: RunRequest) -> RunInput:
    """Load the incidents of a request and nothing else."""
    return RunInput(**load_incidents(session, request))


def _verdict(found: Knox) -> str:
    if found.reason is not None:
        return "no_incidents" if found.reason == "too_few_events" else "not_enough"
    strongest = found.strongest
    is_found = strongest is not None and strongest["p_family"] <= _ALPHA and strongest["ratio"] > 1
    return "found" if is_found else "not_enough"


def compute_knox(
    loaded: RunInput, request: KnoxRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Test near repeats in what was loaded and return the document."""
    points = located_points(
        loaded.incidents,
        most_radius_m=request.distance_bands[1] - request.distance_bands[0],
        longest_days=request.time_bands[1] - request.time_bands[0],
    )
    found = knox(
        points.xy_m,
        middle_days(points.incidents, request.period),
        distance_bands=request.distance_bands,
        time_bands=request.time_bands,
        permutations=request.replications,
        seed=request.seed,
        metric="manhattan" if request.metric == "manhattan" else "euclidean",
        same_place=True,
        progress=progress,
    )
    verdict = _verdict(found)
    reasons = ("not_significant",) if verdict == "not_enough" else ()
    strongest = found.strongest
    return run_document(
        kind=request.kind,
        method="knox",
        verdict=verdict,
        reasons=(*reasons, *points.reasons()),
        tables={"near_repeat": table(pd.concat((found.same_place, found.table), ignore_index=True))},
        facts=points.facts()
        | {
            "alpha": _ALPHA,
            "replications": request.replications,
            "seed": request.seed,
            "strongest_p": None if strongest is None else strongest["p_family"],
        },
    )
