"""Choose the period of a run that names none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from geo.periods import Period

if TYPE_CHECKING:
    import pandas as pd


def default_period(first: pd.Timestamp, last: pd.Timestamp) -> Period:
    """Return the whole months that hold all incidents."""
    start = first.date().replace(day=1)
    until = ((last - timedelta(microseconds=1)).date().replace(day=1) + timedelta(days=32)).replace(day=1)
    return Period(start, until)
