"""List what was taken in, and take whole batches out again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Identifier, PageSize, Sessioned, StrictQuery, refuse_repeats
from api.upload_views import batch_view
from geo.errors import NotFoundError
from geo.imports import undo_file
from geo.store.imports import find_batches

router = APIRouter(tags=["imports"], dependencies=[Depends(refuse_repeats)])


class UndoRequest(BaseModel):
    """Why a batch is taken out again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: str = Field(min_length=1, max_length=500)


class BatchQuery(StrictQuery):
    """A page of batches: ids below `before`."""

    before: Identifier = None
    limit: PageSize = 50


@router.get("/batches")
def list_batches(session: Sessioned, query: Annotated[BatchQuery, Query()]) -> dict[str, Any]:
    """Return batches, newest first."""
    found = find_batches(session, before=query.before, limit=query.limit)
    return {"batches": [batch_view(batch) for batch in found]}


@router.post("/batches/{batch_id}/undo")
def undo_batch(session: Sessioned, batch_id: int, body: UndoRequest) -> dict[str, Any]:
    """Take a whole batch out again; refused when something builds on it."""
    if not 1 <= batch_id <= 2**62:
        raise NotFoundError("there is no such batch")
    return batch_view(undo_file(session, batch_id, reason=body.reason))
