"""Show incidents that may be one event, and take decisions about them."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["duplicates"])
