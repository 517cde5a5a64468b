"""Take files in: preview, mend, commit, undo."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["imports"])
