"""Read files of cable segments: a line by name, its segments by number, each between two nodes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geo.crs import to_metric
from geo.errors import Fault
from geo.io.catalogue_files import Catalogues, coded_words, read_catalogues
from geo.io.cells import CellError, choice_cell, integer_cell, number_cell, text_cell
from geo.io.columns import read_kind
from geo.io.kinds import Checked, Column, FileKind, coded_column
from geo.io.times import day_cell

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.io.kinds import Row
    from geo.io.readings import Reading

KINDS = ("copper", "optical", "power", "coaxial")
LAYINGS = ("aerial", "buried", "duct")
_LEAST_M, _MOST_M = 0.1, 999_999.9
# Slack and sag make a cable longer than its path on the map, but not twice as long.
_FACTOR = 2.0


@dataclass(slots=True)
class _Lines:
    """What the rows before this one said of their lines."""

    counts: Counter[str] = field(default_factory=Counter)
    owners: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    has_numbered: bool = False
    has_named_nodes: bool = False

    def finish(self, row: Row) -> Row:
        """Complete a segment; refuse one whose line has another sector or owner than before."""
        name = row["line_name"]
        said = self.owners.setdefault(name, (row["sector"], row["owner"]))
        if said != (row["sector"], row["owner"]):
            message = "the segments of one line have different sectors or owners"
            raise CellError("line_differs", message, column="owner" if said[0] == row["sector"] else "sector")
        if row["kind"] == "copper" and not row["pairs"]:
            raise CellError("missing_value", "copper cable has pairs", column="pairs")
        start, until = row["in_service_from"], row["in_service_until"]
        if start and until and until <= start:
            raise CellError(
                "end_before_start", "the end does not lie after the start", column="in_service_until"
            )
        self.counts[name] += 1
        return row | self._numbered(row) | self._nodes(row)

    def _numbered(self, row: Row) -> Row:
        if row["sequence"] is not None:
            return {}
        self.has_numbered = True
        return {"sequence": self.counts[row["line_name"]]}

    def _nodes(self, row: Row) -> Row:
        if row["from_node"] and row["to_node"]:
            return {}
        self.has_named_nodes = True
        ends = row["geometry"].coords
        return {
            "from_node": row["from_node"] or _node_name(ends[0]),
            "to_node": row["to_node"] or _node_name(ends[-1]),
        }

    def notices(self) -> tuple[Fault, ...]:
        """Say what was assumed."""
        numbered = Fault(
            None, "sequence", "sequence_assumed", "segments were numbered in the order of the file"
        )
        named = Fault(None, "from_node", "nodes_assumed", "nodes without names were named by their position")
        return (numbered,) * self.has_numbered + (named,) * self.has_named_nodes


def _node_name(position: tuple[float, ...]) -> str:
    return f"{position[0]:.7f},{position[1]:.7f}"


def read_lines(data: bytes, *, file_name: str, datum: str, catalogues: Catalogues | None = None) -> Reading:
    """Read a GeoJSON file of lines, or a CSV with a WKT column, one row a segment.

    Parameters
    ----------
    data : bytes
    file_name : str
    datum : str
        Declared datum; see `geo.io.shapes.declared_datum`.
    catalogues : Catalogues, optional
        Sectors to know; the ones of ``data/catalogues`` by default.

    Returns
    -------
    Reading
        LineStrings, EPSG:4326, with line_name, sequence, from_node, to_node, sector, kind, pairs, laying,
        owner, responsible_unit, length_m, in_service_from, in_service_until, area, declared_datum. A length that is
        missing is measured in EPSG:4547; nodes without a name are named by their position.

    Raises
    ------
    FileRejectedError
        If the file as a whole cannot be read.
    PersonalDataError
        If it has a column of persons.
    """
    kind = line_kind(catalogues or read_catalogues())
    return read_kind(data, file_name=file_name, datum=datum, kind=kind)


def line_kind(catalogues: Catalogues) -> FileKind:
    """Return what a file of lines looks like."""
    lines = _Lines()
    sectors = coded_words(catalogues.sectors, "sector")
    return FileKind(
        name="lines",
        columns=(
            Column("line_name", text_cell(200), is_required=True, is_code=True),
            Column("sequence", integer_cell(0, 1_000_000), dtype="int64"),
            Column("from_node", text_cell(200), is_code=True),
            Column("to_node", text_cell(200), is_code=True),
            Column("sector", choice_cell(sectors, code="unknown_sector"), is_required=True),
            coded_column("kind", KINDS, code="unknown_kind", is_required=True),
            Column("pairs", integer_cell(0, 10_000), default=0, dtype="int64"),
            coded_column("laying", LAYINGS, code="unknown_laying", is_required=True),
            Column("owner", text_cell(200)),
            Column("responsible_unit", text_cell(200)),
            Column("length_m", number_cell(_LEAST_M, _MOST_M, unit_of="m"), dtype="float64"),
            Column("in_service_from", day_cell),
            Column("in_service_until", day_cell),
            Column("area", text_cell(100)),
        ),
        shape="LineString",
        is_shape_required=True,
        key=("line_name", "sequence"),
        finish=lines.finish,
        check=_measured,
        closing=lines.notices,
    )


def _measured(frame: gpd.GeoDataFrame) -> Checked:
    """Fill in the lengths that are missing; point out those that the map contradicts."""
    if frame.empty:
        return Checked(frame=frame)
    measured_m = to_metric(frame[["geometry"]]).length.round(1).clip(lower=_LEAST_M)
    too_long = frame["length_m"].isna() & (measured_m > _MOST_M)
    rejected = tuple(
        Fault(int(row), "geometry", "out_of_range", "the line is longer than 1,000 km")
        for row in frame.index[too_long]
    )
    ratio = frame["length_m"] / measured_m
    doubtful = frame.index[(ratio > _FACTOR) | (ratio < 1 / _FACTOR)]
    message = "the stated length is more than twice or less than half of the length on the map"
    notices = tuple(Fault(int(row), "length_m", "length_differs", message) for row in doubtful)
    frame["length_m"] = frame["length_m"].round(1).fillna(measured_m)
    return Checked(frame=frame[~too_long], rejected=rejected, notices=notices)
