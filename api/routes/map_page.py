"""Serve the map page."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.deps import refuse_repeats

router = APIRouter(tags=["map"], dependencies=[Depends(refuse_repeats)])
