"""Say what clients see of uploads and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.io.aliases import read_column_names

if TYPE_CHECKING:
    from api.uploads import Upload
    from geo.store.imports import ImportBatch

KIND_LABELS = (
    ("incidents", "案件", "incidents"),
    ("lines", "线路区段", "cable segments"),
    ("areas", "行政区划", "areas"),
    ("stations", "废旧金属收购站点", "scrap-metal stations"),
    ("facilities", "设施", "facilities"),
    ("places", "地名", "places"),
    ("tickets", "企业工单", "utility tickets"),
)
"""Code, Chinese and English label of every kind of file, in the order in which people need them."""

_FACTS = ("kind", "source", "file_name", "byte_count", "created_at")
_HIDDEN = ("faulty_stored_count", "is_offline", "problem", "revision")


def upload_view(upload: Upload, *, with_preview: bool = True) -> dict[str, Any]:
    """Return an upload as clients see it."""
    facts, settings, state = upload.facts(), upload.settings(), upload.state()
    view = {"id": upload.id} | {name: facts[name] for name in _FACTS}
    view["settings"] = {name: value for name, value in settings.items() if name != "revision"}
    view |= state | {"progress": upload.progress()}
    preview = upload.preview() if with_preview else None
    view["preview"] = None if preview is None else _preview_view(preview)
    return view


def _preview_view(preview: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in preview.items() if name not in _HIDDEN}
    names = read_column_names()
    shown["columns"] = [
        column | dict(zip(("label_zh", "label_en"), names[column["name"]], strict=True))
        for column in preview["columns"]
    ]
    return shown


def batch_view(batch: ImportBatch) -> dict[str, Any]:
    """Return a batch as clients see it."""
    return {
        "id": batch.id,
        "kind": batch.kind,
        "source": batch.source,
        "file_name": batch.file_name,
        "sha256": batch.sha256,
        "datum": batch.declared_datum,
        "row_count": batch.row_count,
        "skipped_count": batch.skipped_count,
        "created_at": batch.created_at.isoformat(),
        "undone_at": None if batch.undone_at is None else batch.undone_at.isoformat(),
        "undone_count": batch.undone_count,
        "undo_reason": batch.undo_reason,
    }
