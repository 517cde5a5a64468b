"""Serve OGC API Features and Tiles over the same queries."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["ogc"])
