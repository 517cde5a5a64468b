"""Check what a person says about an upload."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from geo.errors import InvalidInputError
from geo.frames import PLACE_PRECISIONS
from geo.io.forms.texts import MAX_CELL, forbidden
from geo.io.shapes import declared_datum

_ROW = re.compile(r"[1-9]\d{0,7}", re.ASCII)
_MOST_ROWS = 10**8


class SettingsChange(BaseModel):
    """What a person says about an upload; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    datum: str | None = Field(default=None, min_length=1, max_length=20)
    place_precision: str | None = Field(default=None, max_length=20)
    layer: str | None = Field(default=None, max_length=200)
    mapping: dict[str, str] | None = Field(default=None, max_length=200)
    fill_down: list[str] | None = Field(default=None, max_length=200)
    corrections: dict[str, dict[str, str]] | None = Field(default=None, max_length=2_000)
    skip_rejected: bool | None = None
    skipped_rows: list[int] | None = Field(default=None, max_length=20_000)


def checked_changes(body: SettingsChange) -> dict[str, Any]:
    """Return what a person says, or refuse what cannot be meant: a correction is checked as a file's cell is."""
    changes = body.model_dump(exclude_unset=True)
    for name in ("mapping", "fill_down", "corrections", "skip_rejected", "skipped_rows", "datum"):
        if name in changes and changes[name] is None:
            raise InvalidInputError(f"{name} cannot be null")
    if "datum" in changes:
        declared_datum(changes["datum"])
    check_precision(changes.get("place_precision"))
    corrections: dict[str, dict[str, str]] = changes.get("corrections", {})
    if not all(_ROW.fullmatch(row) for row in corrections):
        raise InvalidInputError("corrections go by row number")
    if not all(1 <= row < _MOST_ROWS for row in changes.get("skipped_rows", [])):
        raise InvalidInputError("skipped_rows are row numbers")
    if "skipped_rows" in changes:
        changes["skipped_rows"] = sorted(set(changes["skipped_rows"]))
    texts = [*changes.get("fill_down", []), changes.get("layer") or ""]
    for pairs in (changes.get("mapping", {}), *corrections.values()):
        texts += [*pairs.keys(), *pairs.values()]
    if any(len(text) > MAX_CELL or forbidden(text) for text in texts):
        raise InvalidInputError("a text is too long, or holds characters that no cell of a file may hold")
    return changes


def check_precision(precision: str | None) -> None:
    """Refuse a class of places that is none."""
    if precision is not None and precision not in PLACE_PRECISIONS:
        raise InvalidInputError(f"place_precision is one of {', '.join(PLACE_PRECISIONS)}")
