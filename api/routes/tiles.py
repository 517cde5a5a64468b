"""Serve vector tiles of every layer."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["tiles"])
