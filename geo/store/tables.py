"""Gather every table, so that migrations and tests see the whole schema."""

from geo.store import (
    areas,
    campaigns,
    catalogues,
    dataset,
    duplicates,
    imports,
    incidents,
    lines,
    operation_changes,
    operation_marks,
    operations,
    places,
    runs,
    stations,
    tickets,
)
from geo.store.base import Base

TABLES = (
    areas,
    campaigns,
    catalogues,
    dataset,
    duplicates,
    imports,
    incidents,
    lines,
    operation_changes,
    operation_marks,
    operations,
    places,
    runs,
    stations,
    tickets,
)
"""The modules that declare tables; importing them is what fills `metadata`."""

metadata = Base.metadata
