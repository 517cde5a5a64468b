"""Write rows of the current filter to files people take away."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["exports"])
