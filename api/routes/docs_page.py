"""Serve the description of the API to people."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["docs"])
