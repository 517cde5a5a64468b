"""Read a file for its preview: stage its good rows, count them, and show some as they were understood."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import Fault, FileRejectedError, HuxianError, PersonalDataError
from geo.io.columns import ReadOptions, open_kind
from geo.io.file_kinds import make_kind
from geo.io.kinds import SHAPE_COLUMNS
from geo.io.staged_rows import staged_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from geo.io.columns import KindFile
    from geo.io.kinds import FileKind
    from geo.io.readings import Reading

ROWS_FILE, REJECTED_FILE = "rows.parquet", "rejected.csv"
MOST_FAULTS = 100
MOST_ROWS = 20
MOST_SHAPES = 2_000
_DRAWN_DEGREES = 0.0005
_UNGUARDED = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def fault_view(fault: Fault) -> dict[str, Any]:
    """Return a fault as JSON knows it; half characters of a header are made whole."""
    column = None if fault.column is None else fault.column.encode("utf-8", "replace").decode()
    return {"row": fault.row, "column": column, "code": fault.code, "message": fault.message}


@dataclass(slots=True)
class _Summary:
    """What is told of a file, gathered chunk by chunk; its size does not grow with the file's."""

    good_count: int = 0
    rejected_rows: set[int | None] = field(default_factory=set)
    faults: list[dict[str, Any]] = field(default_factory=list)
    fault_count: int = 0
    notices: list[dict[str, Any]] = field(default_factory=list)
    notice_count: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[tuple[int, Any, float | None]] = field(default_factory=list)
    shape_count: int = 0
    bounds: list[float] | None = None
    first_at: str | None = None
    last_at: str | None = None
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - a sample to draw

    def add(self, reading: Reading) -> None:
        """Take one chunk into account."""
        self.good_count += len(reading.frame)
        self.rejected_rows |= {fault.row for fault in reading.rejected}
        self.fault_count += len(reading.rejected)
        for fault in reading.rejected[: max(0, MOST_FAULTS - len(self.faults))]:
            cells = reading.cells.get(fault.row or 0, {})
            self.faults.append(fault_view(fault) | {"cells": cells})
        self.note(reading.notices)
        if not reading.frame.empty:
            self._show(reading.frame)

    def note(self, notices: tuple[Fault, ...]) -> None:
        """Keep the first notices and count all."""
        self.notice_count += len(notices)
        self.notices += map(fault_view, notices[: max(0, MOST_FAULTS - len(self.notices))])

    def _show(self, frame: gpd.GeoDataFrame) -> None:
        for row, values in frame.iloc[: max(0, MOST_ROWS - len(self.rows))].iterrows():
            self.rows.append({"row": int(str(row)), "values": _texts(values)})
        west, south, east, north = frame.total_bounds
        if west == west:  # noqa: PLR0124 - NaN where the chunk has no place at all
            known = self.bounds or [west, south, east, north]
            self.bounds = [
                min(known[0], west),
                min(known[1], south),
                max(known[2], east),
                max(known[3], north),
            ]
        if "occurred_from" in frame.columns:
            first, last = frame["occurred_from"].min().isoformat(), frame["occurred_until"].max().isoformat()
            self.first_at = min(self.first_at or first, first)
            self.last_at = max(self.last_at or last, last)
        self._sample(frame)

    def _sample(self, frame: gpd.GeoDataFrame) -> None:
        """Keep an even sample of the places, however long the file is."""
        radii = frame["radius_m"] if "radius_m" in frame.columns else pd.Series(None, index=frame.index)
        for row, shape, radius in zip(frame.index, frame.geometry, radii, strict=True):
            if shape is None:
                continue
            self.shape_count += 1
            kept = (int(row), shape, None if pd.isna(radius) else float(radius))
            if len(self.shapes) < MOST_SHAPES:
                self.shapes.append(kept)
            elif (place := self.chance.randrange(self.shape_count)) < MOST_SHAPES:
                self.shapes[place] = kept

    def report(self) -> dict[str, Any]:
        """Return everything as JSON knows it."""
        features = [
            {
                "type": "Feature",
                "geometry": json.loads(shapely.to_geojson(shapely.simplify(shape, _DRAWN_DEGREES))),
                "properties": {"row": row, "radius_m": radius},
            }
            for row, shape, radius in self.shapes
        ]
        return {
            "good_count": self.good_count,
            "rejected_count": len(self.rejected_rows),
            "fault_count": self.fault_count,
            "rejected": self.faults,
            "notices": self.notices,
            "notice_count": self.notice_count,
            "rows": self.rows,
            "shapes": {"type": "FeatureCollection", "features": features},
            "shape_count": self.shape_count,
            "bounds": self.bounds,
            "period": None if self.first_at is None else [self.first_at, self.last_at],
        }


def _texts(values: pd.Series[Any]) -> dict[str, str]:
    """Return the values of a row as people read them; absent ones are left out."""
    texts = {}
    for name, value in values.items():
        if value is None or (not isinstance(value, list | tuple) and pd.isna(value)):
            continue
        if isinstance(value, BaseGeometry):
            west, south, *_ = value.bounds
            is_point = value.geom_type == "Point"
            text = f"{west:.7f}, {south:.7f}" if is_point else f"{value.geom_type} {_extent_text(value)}"
        elif isinstance(value, datetime):
            text = value.isoformat(sep=" ", timespec="minutes")
        elif isinstance(value, float):
            text = f"{value:.10g}"
        else:
            text = "、".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        texts[str(name)] = text
    return texts


def _extent_text(shape: BaseGeometry) -> str:
    return " ".join(f"{value:.4f}" for value in shape.bounds)


def preview_file(request: dict[str, Any], *, say: Callable[[float], None]) -> dict[str, Any]:
    """Read the file a request names, stage its good rows in the folder, and return the report.

    Parameters
    ----------
    request : dict
        path, file_name, folder, kind, datum, as_of, place_precision, layer, mapping, fill_down,
        corrections, skipped_rows; see `geo.io.reading_process.ReadingRequest`.
    say : callable
        Told the share of the file that is read.

    Returns
    -------
    dict
        The preview, or ``{"problem": …}`` when the file as a whole is refused.
    """
    options = ReadOptions(
        layer=request["layer"],
        mapping=request["mapping"],
        fill_down=frozenset(request["fill_down"]),
        corrections={int(row): cells for row, cells in request["corrections"].items()},
        skipped_rows=frozenset(request["skipped_rows"]),
    )
    try:
        kind = make_kind(
            request["kind"],
            as_of=date.fromisoformat(request["as_of"]),
            place_precision=request["place_precision"],
        )
        with (
            Path(request["path"]).open("rb") as source,
            open_kind(
                source, file_name=request["file_name"], datum=request["datum"], kind=kind, options=options
            ) as file,
        ):
            return _described(file, kind) | _read_or_refuse(file, kind, Path(request["folder"]), say)
    except HuxianError as error:
        return _refused(error)


def _described(file: KindFile, kind: FileKind) -> dict[str, Any]:
    """Return what the header alone tells: enough to map the columns of a file that cannot be read yet."""
    table = file.table
    columns = [{"name": column.name, "is_required": column.is_required} for column in kind.columns]
    return {
        "form": table.form,
        "encoding": table.encoding,
        "layers": list(table.layers),
        "header": list(table.header),
        "header_row": table.header_row,
        "mapping": file.mapping,
        "columns": columns + [{"name": name, "is_required": False} for name in SHAPE_COLUMNS],
    }


def _read_or_refuse(
    file: KindFile, kind: FileKind, folder: Path, say: Callable[[float], None]
) -> dict[str, Any]:
    try:
        return _read(file, kind, folder, say)
    except HuxianError as error:
        return _Summary().report() | _refused(error)


def _refused(error: HuxianError) -> dict[str, Any]:
    faults = error.faults if isinstance(error, FileRejectedError) else ()
    return {
        "problem": {
            "kind": "personal" if isinstance(error, PersonalDataError) else "rejected",
            "detail": str(error).encode("utf-8", "replace").decode(),
            "errors": [fault_view(fault) for fault in faults[:MOST_FAULTS]],
        }
    }


def _read(file: KindFile, kind: FileKind, folder: Path, say: Callable[[float], None]) -> dict[str, Any]:
    summary = _Summary()
    summary.note(file.notices)
    with (
        staged_writer(folder / ROWS_FILE, kind) as stage,
        (folder / REJECTED_FILE).open("w", encoding="utf-8-sig", newline="") as rejected,
    ):
        writer = csv.writer(rejected)
        writer.writerow(["row", "column", "code", "message", *map(_guarded, file.table.header)])
        for reading in file.chunks():
            summary.add(reading)
            stage(reading.frame)
            for fault in reading.rejected:
                cells = reading.cells.get(fault.row or 0, {})
                texts = (fault.column or "", fault.code, fault.message, *cells.values())
                writer.writerow([fault.row or "", *map(_guarded, texts)])
            say(file.table.share_read())
    return summary.report()


def add_refused(path: Path, faults: list[dict[str, Any]]) -> None:
    """Add rows that the database refused to the file of refused rows."""
    if not faults:
        return
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for fault in faults:
            texts = (fault["column"] or "", fault["code"], fault["message"])
            writer.writerow([fault["row"] or "", *map(_guarded, texts)])


def _guarded(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()
    return f"'{whole}" if whole.startswith(_UNGUARDED) else whole
