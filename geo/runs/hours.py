"""Say at which hours and on which weekdays incidents happen, each spread over the interval it is known to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from geo.analysis.aoristic import aoristic_hours
from geo.analysis.documents import run_document, table
from geo.runs.requests import RedrawnRequest

if TYPE_CHECKING:
    from geo.analysis.aoristic import Hours
    from geo.runs.answers import Progress
    from geo.runs.inputs import RunInput

_ALPHA = 0.05
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRequest(RedrawnRequest):
    """What the hours are asked: only which incidents; draws are moments within their intervals."""

    kind: ClassVar[str] = "hours"
    version: ClassVar[str] = "hours/1"


def _matrix(hours: Hours) -> pd.DataFrame:
    """Return weights by weekday and hour, a row a weekday."""
    by_hour = pd.DataFrame(hours.matrix, columns=[f"h{hour:02d}" for hour in range(hours.matrix.shape[1])])
    return pd.concat((pd.Series(_WEEKDAYS, name="weekday"), by_hour), axis=1)


def compute_hours(
    loaded: RunInput, request: HoursRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Weigh the hours and return the document."""
    incidents = loaded.incidents
    hours = aoristic_hours(
        incidents["occurred_from"],
        incidents["occurred_until"],
        replications=request.replications,
        draws=request.draws,
        seed=request.seed,
        progress=progress,
    )
    is_found = hours.reason is None and hours.p <= _ALPHA
    verdict = "found" if is_found else "not_enough"
    holds = {"no_hour_known": hours.reason == "no_hour_known", "not_significant": not is_found}
    known = {
        "effective_count": [hours.effective_count],
        "within_hour_share": [hours.within_hour_share],
        "p": [hours.p],
    }
    return run_document(
        kind=request.kind,
        method="aoristic_hours",
        verdict="no_incidents" if hours.reason == "no_incidents" else verdict,
        reasons=[code for code, is_so in holds.items() if is_so],
        tables={
            "hours": table(hours.hours),
            "weekdays": table(_matrix(hours)),
            "months": table(
                pd.DataFrame({"month": np.arange(1, len(hours.months) + 1), "weight": hours.months})
            ),
            "whole": table(pd.DataFrame(known)),
        },
        facts={
            "incident_count": len(incidents),
            "used_count": hours.incident_count,
            "omitted_count": 0,
            "alpha": _ALPHA,
            "replications": request.replications,
            "draws": request.draws,
            "seed": request.seed,
            "strongest_p": hours.p,
        },
    )
