"""Bring the rows of a file into a table of this transaction's own, compare them with what is stored, insert.

Rows travel by COPY, and everything after that is one statement per step over all rows: a million incidents
take as many statements as ten.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import text

from geo.store.staging_target import STAGED_TYPES
from geo.store.staging_targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.store.staging_target import Target

# No cell may hold this character, so nothing that was written is taken for an absent value.
_NULL = "\x01"
_MOST_SHOWN = 50
# A cancelled import stops after one of these at the latest.
_SLICE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the staged rows would change.

    Parameters
    ----------
    new_count, known_count, conflict_count : int
        Rows that are not stored yet, stored with the same values, stored with others.
    conflicts : list of dict
        The first conflicts: row, key, and the values that differ, as ``stored`` and as ``given``.
    """

    new_count: int
    known_count: int
    conflict_count: int
    conflicts: list[dict[str, Any]] = field(default_factory=list)


def stage_rows(
    session: Session,
    kind: str,
    frames: Iterable[gpd.GeoDataFrame],
    *,
    source: str,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Copy rows into the table ``staged``, which ends with the transaction, and find what they name.

    Parameters
    ----------
    session : Session
    kind : str
        A key of `geo.store.staging_targets.TARGETS`.
    frames : iterable of GeoDataFrame
        As the readers give them: EPSG:4326, indexed by row number.
    source : str
        Who sent the file.
    progress : callable, optional
        Told how many rows are copied.

    Returns
    -------
    int
        Rows staged.
    """
    target = TARGETS[kind]
    session.execute(text("drop table if exists pg_temp.staged"))
    columns = ", ".join(target.columns.values())
    session.execute(
        text(f"create temp table staged on commit drop as select {columns} from {target.table} limit 0")  # noqa: S608 - our own names
    )
    extras = "".join(f", add {name} {kind_of}" for name, kind_of in target.extras.items())
    session.execute(text(f"alter table staged add row_number bigint, add source text{extras}"))
    count = 0
    names = [*target.columns.values(), *target.extras_in_file, "row_number", "source"]
    statement = f"copy staged ({', '.join(names)}) from stdin (format csv, null '{_NULL}')"
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for frame in frames:
            copy.write(_lines(frame, target, source))
            count += len(frame)
            if progress is not None:
                progress(count)
    session.execute(text("analyze staged"))
    for statement in target.resolve:
        session.execute(text(statement))
    return count


def _lines(frame: gpd.GeoDataFrame, target: Target, source: str) -> bytes:
    """Return the rows of a frame as COPY reads them."""
    parts: dict[str, Any] = {}
    for name, column in (target.columns | {key: key for key in target.extras_in_file.values()}).items():
        if name == "geometry":
            shapes = shapely.set_srid(frame.geometry.to_numpy(), 4326)
            parts[column] = pd.Series(shapely.to_wkb(shapes, hex=True, include_srid=True), dtype=object)
        elif name in frame.columns:
            parts[column] = _plain(frame[name])
        else:
            parts[column] = pd.Series([None] * len(frame), dtype=object)
    parts["row_number"] = pd.Series(frame.index.to_numpy())
    parts["source"] = pd.Series([source] * len(frame), dtype=object)
    buffer = io.StringIO()
    pd.DataFrame(parts).to_csv(buffer, header=False, index=False, na_rep=_NULL)
    return buffer.getvalue().encode()


def _plain(values: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        instants = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        texts = np.char.add(np.datetime_as_string(instants.astype("datetime64[us]")), "+00")
        return pd.Series(texts, dtype=object)
    first = values.first_valid_index() if values.dtype == object else None
    if first is not None and isinstance(values[first], list | tuple | np.ndarray):
        return pd.Series([_array(value) for value in values], dtype=object)
    return values.reset_index(drop=True)


def _array(value: Any) -> str:
    escaped = (str(item).replace("\\", "\\\\").replace('"', '\\"') for item in value if item is not None)
    return "{" + ",".join(f'"{item}"' for item in escaped) + "}" if value is not None else "{}"


def find_faults(session: Session, kind: str) -> list[tuple[int, str, str, str]]:
    """Return (row, column, code, sentence) of staged rows that contradict what is stored beside them."""
    faults: list[tuple[int, str, str, str]] = []
    for check in TARGETS[kind].checks:
        rows = session.scalars(text(check.query))
        faults += [(row, check.column, check.code, check.message) for row in rows]
    return sorted(faults)


def drop_rows(session: Session, rows: Iterable[int]) -> int:
    """Take rows out of the staged ones; return how many were there."""
    # Joined, not `= any(…)`: that would look through the whole list for every row.
    query = text(
        "delete from staged using unnest(cast(:rows as bigint[])) as gone(number)"
        " where row_number = gone.number"
    )
    found: Any = session.execute(query, {"rows": list(rows)})
    return int(found.rowcount)


def compare_rows(session: Session, kind: str) -> Comparison:
    """Compare the staged rows with the stored ones of the same key."""
    target = TARGETS[kind]
    differs = " or ".join(f"{given} is distinct from {stored}" for given, stored in target.compared.values())
    joined = f"from staged s join {target.joined} on {target.match}"
    total = session.scalar(text("select count(*) from staged")) or 0
    matched, differing = session.execute(
        text(f"select count(*), count(*) filter (where {differs}) {joined}")
    ).one()
    conflicts: list[dict[str, Any]] = []
    if differing:
        pairs = ", ".join(
            f"'{name}', json_build_array({stored}::text, {given}::text)"
            for name, (given, stored) in _shown(target).items()
        )
        query = (
            f"select s.row_number, {target.key_text}, json_build_object({pairs}) {joined} where {differs}"
            f" order by s.row_number limit {_MOST_SHOWN}"
        )
        for row, key, values in session.execute(text(query)):
            unequal = {name: pair for name, pair in values.items() if pair[0] != pair[1]}
            conflicts.append(
                {
                    "row": row,
                    "key": key,
                    "stored": {name: pair[0] for name, pair in unequal.items()},
                    "given": {name: pair[1] for name, pair in unequal.items()},
                }
            )
    return Comparison(
        new_count=total - matched,
        known_count=matched - differing,
        conflict_count=differing,
        conflicts=conflicts,
    )


def _shown(target: Target) -> dict[str, tuple[str, str]]:
    """Return the compared pairs as people read them: places as text, not as bytes."""
    return {
        name: tuple(f"ST_AsText({side}, 7)" for side in pair) if name == "geometry" else pair  # type: ignore[misc] # pairs stay pairs
        for name, pair in target.compared.items()
    }


def insert_rows(
    session: Session, kind: str, *, batch_id: int, progress: Callable[[int, int], None] | None = None
) -> int:
    """Insert the staged rows that are not stored yet, slice by slice; return how many.

    Parameters
    ----------
    session : Session
    kind : str
    batch_id : int
    progress : callable, optional
        Told (done, total) rows of the file after each slice; what it raises ends the insert.
    """
    target = TARGETS[kind]
    given = {"batch": batch_id}
    for statement in target.before_insert:
        session.execute(text(statement), given)
    columns = [name for name in target.inserted if name not in STAGED_TYPES]
    names = ", ".join(columns)
    values = ", ".join(f"s.{name}" for name in columns)
    query = text(
        f"insert into {target.table} ({names}, import_batch_id{target.fixed_names})"  # noqa: S608 - our own names
        f" select {values}, :batch{target.fixed_values} from staged s"
        f" where s.row_number between :first and :last"
        f" and not exists (select 1 from {target.joined} where {target.match}) order by s.row_number"
    )
    first, last = session.execute(text("select min(row_number), max(row_number) from staged")).one()
    added = 0
    for start in range(first or 0, (last or -1) + 1, _SLICE):
        done: Any = session.execute(query, given | {"first": start, "last": start + _SLICE - 1})
        added += done.rowcount
        if progress is not None:
            progress(min(start + _SLICE, last + 1) - first, last + 1 - first)
    for statement in target.after_insert:
        session.execute(text(statement), given)
    return added
