"""Refuse a briefing that would say nothing, at either door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_worth_telling(document: Mapping[str, Any]) -> None:
    """Refuse the scan of a period that holds no incident.

    Raises
    ------
    InvalidInputError
    """
    if document.get("incident_count") == 0:
        raise InvalidInputError(
            "no incidents in this period: nothing to write a briefing about",
            code="nothing_to_brief",
        )
