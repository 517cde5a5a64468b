"""Read the placemarks of KML and KMZ: names, extended data and one geometry each; links are not followed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from geo.errors import Fault
from geo.io.forms.archives import open_archive, refuse_nested
from geo.io.forms.features import GEOMETRY, Feature, ShapeError, feature_tables, text_cell
from geo.io.forms.geojson import build_geometry
from geo.io.forms.opened import TableFile, share_of, size_of
from geo.io.forms.texts import MAX_COLUMNS, check_header, refuse
from geo.io.forms.xml_streams import feed, local_name, strict_parser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from geo.io.forms.opened import TableOptions

MAX_KML_BYTES = 100_000_000
_KINDS = ("Point", "LineString", "Polygon")
_OTHER_SHAPES = frozenset(("Model", "Track", "MultiTrack"))
_LINKS = frozenset(("NetworkLink", "GroundOverlay", "PhotoOverlay", "ScreenOverlay"))
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_NAME = "name"


@dataclass(slots=True)
class _Placemark:
    """One placemark while it is being read."""

    cells: dict[str, str] = field(default_factory=dict)
    shapes: list[tuple[str, str | list[str]]] = field(default_factory=list)
    has_other_shape: bool = False


class _Reader:
    """Gathers placemarks from the events of a parser."""

    def __init__(self) -> None:
        self.done: list[_Placemark] = []
        self.link_count = 0
        self._path: list[str] = []
        self._text: list[str] = []
        self._word = ""
        self._rings: list[str] = []
        self._coordinates = ""
        self._mark: _Placemark | None = None
        self.parser = strict_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local_name(tag)
        self._path.append(name)
        self._text.clear()
        if name == "Placemark":
            self._mark = _Placemark()
        elif name in ("Data", "SimpleData"):
            self._word = attributes.get("name", "")
        elif name in _KINDS:
            self._rings, self._coordinates = [], ""
        elif name in _OTHER_SHAPES and self._mark:
            self._mark.has_other_shape = True
        elif name in _LINKS:
            self.link_count += 1

    def _end(self, _tag: str) -> None:
        name = self._path.pop()
        mark = self._mark
        if mark is None:
            self._text.clear()
        elif name == "Placemark":
            self.done.append(mark)
            self._mark = None
        elif name in ("coordinates", "LinearRing", *_KINDS):
            self._end_of_shape(name, mark)
        else:
            self._end_of_cell(name, mark)
        self._text.clear()

    def _end_of_cell(self, name: str, mark: _Placemark) -> None:
        parent = self._path[-1] if self._path else ""
        if name == _NAME and parent == "Placemark":
            mark.cells[_NAME] = "".join(self._text)
        elif name == "SimpleData" or (name == "value" and parent == "Data"):
            mark.cells[self._word] = "".join(self._text)

    def _end_of_shape(self, name: str, mark: _Placemark) -> None:
        if name == "coordinates":
            self._coordinates = "".join(self._text)
        elif name == "LinearRing" and "Polygon" in self._path:
            # The outer ring is written first; a polygon of inner rings alone has none and is refused below.
            if self._path[-1] == "outerBoundaryIs":
                self._rings.insert(0, self._coordinates)
            else:
                self._rings.append(self._coordinates)
        elif name in _KINDS:
            mark.shapes.append((name, self._rings if name == "Polygon" else self._coordinates))


def open_kml(source: BinaryIO, *, options: TableOptions, stack: ExitStack) -> TableFile:  # noqa: ARG001 - as all
    """Open a KML.

    Parameters
    ----------
    source : binary file
    options : TableOptions
    stack : ExitStack

    Returns
    -------
    TableFile
        Columns are ``name``, where a placemark has one, and the extended data in order of first
        appearance. `stated_epsg` is None: KML is WGS 84 by definition, which in China often is not so.

    Raises
    ------
    FileRejectedError
        too_large, bad_xml, xml_not_allowed, too_many_columns, no_rows.
    """
    if size_of(source) > MAX_KML_BYTES:
        raise refuse(
            "too_large", f"a KML may have {MAX_KML_BYTES // 1_000_000} MB at most; write a GeoPackage"
        )
    columns: dict[str, None] = {}
    count = 0
    for mark in _placemarks(source, _Reader()):
        count += 1
        columns.update(dict.fromkeys(mark.cells))
        if len(columns) > MAX_COLUMNS:
            raise refuse("too_many_columns", f"the file has more than {MAX_COLUMNS} columns")
    if not count:
        raise refuse("no_rows", "the file has no placemarks")
    words = list(columns)
    header = check_header(words, row=None)
    reader = _Reader()
    notices: list[Fault] = []
    return TableFile(
        form="kml",
        encoding="utf-8",
        header=header,
        header_row=None,
        read_chunks=lambda: feature_tables(
            _features(source, reader, words, notices),
            form="kml",
            encoding="utf-8",
            header=header,
            chunk_rows=options.chunk_rows,
            notices=notices,
        ),
        read_share=share_of(source),
    )


def open_kmz(source: BinaryIO, *, options: TableOptions, stack: ExitStack) -> TableFile:
    """Open the one KML of a KMZ; see `open_kml`."""
    archive = open_archive(source, stack)
    refuse_nested(archive)
    members = [member for member in archive.members if member.name.lower().endswith(".kml")]
    if len(members) != 1:
        raise refuse("wrong_kind", f"the archive holds {len(members)} KML files; exactly one can be read")
    return open_kml(archive.spill(members[0], stack), options=options, stack=stack)


def _placemarks(source: BinaryIO, reader: _Reader) -> Iterator[_Placemark]:
    source.seek(0)
    for _ in feed(reader.parser, source):
        yield from reader.done
        reader.done.clear()


def _features(source: BinaryIO, reader: _Reader, words: list[str], notices: list[Fault]) -> Iterator[Feature]:
    for number, mark in enumerate(_placemarks(source, reader), start=1):
        faults: list[Fault] = []
        cells = [text_cell(mark.cells.get(word), row=number, column=word, faults=faults) for word in words]
        feature = Feature(number=number, cells=cells, faults=faults)
        try:
            feature.shape, feature.has_height = _shape(mark)
        except ShapeError as error:
            faults.append(Fault(number, GEOMETRY, *error.args))
        yield feature
    if reader.link_count:
        message = f"{reader.link_count} links and overlays were not followed"
        notices.append(Fault(None, None, "link_not_followed", message))


def _shape(mark: _Placemark) -> tuple[Any, bool]:
    """Build the geometry of a placemark; several lines or several polygons are one of many parts."""
    kinds = {kind for kind, _ in mark.shapes}
    if mark.has_other_shape or len(kinds) > 1 or (kinds == {"Point"} and len(mark.shapes) > 1):
        raise ShapeError("wrong_geometry", "a placemark must have one point, line or polygon")
    if not mark.shapes:
        return None, False
    kind = kinds.pop()
    values = [_coordinates(kind, written) for kind, written in mark.shapes]
    if len(values) > 1:
        return build_geometry({"type": f"Multi{kind}", "coordinates": values})
    return build_geometry({"type": kind, "coordinates": values[0]})


def _coordinates(kind: str, written: str | list[str]) -> Any:
    if isinstance(written, list):
        return [_positions(ring) for ring in written]
    positions = _positions(written)
    if kind != "Point":
        return positions
    if len(positions) != 1:
        raise ShapeError("bad_coordinates", "a point needs one position")
    return positions[0]


def _positions(text: str) -> list[list[float]]:
    positions = []
    for item in text.split():
        numbers = item.split(",")
        if not all(_NUMBER.fullmatch(number) for number in numbers):
            raise ShapeError("bad_coordinates", "a coordinate is not a number")
        positions.append([float(number) for number in numbers])
    return positions
