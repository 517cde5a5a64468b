"""Show tickets of utilities beside incidents of the police."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["reconciliation"])
