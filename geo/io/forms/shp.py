"""Read the geometries of a shapefile: every count is checked against the bytes that are there."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import shapely

from geo.io.forms.features import ShapeError, check_shape, check_vertices
from geo.io.forms.opened import size_of
from geo.io.forms.texts import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_HEAD_BYTES, _RECORD_HEAD = 100, 8
_FILE_CODE = 9994
_INDEX_BYTES = 8
# Shape types with their Z and M variants.
_POINTS, _LINES, _POLYGONS = frozenset((1, 11, 21)), frozenset((3, 13, 23)), frozenset((5, 15, 25))
_NULL = 0
_PLAIN = frozenset((1, 3, 5))
_PART_HEAD = 44
_POINT_BYTES = 20
_NO_DATA = -1e38
_MAX_RECORD = 20_000_000
_RING = 4


def count_index(source: BinaryIO) -> int:
    """Return the number of records that a .shx lists."""
    size = _check_head(source, ".shx")
    return (size - _HEAD_BYTES) // _INDEX_BYTES


def _check_head(source: BinaryIO, part: str) -> int:
    """Check the header of a .shp or .shx; return the length that it declares."""
    size = size_of(source)
    head = source.read(_HEAD_BYTES)
    if len(head) < _HEAD_BYTES or struct.unpack_from(">I", head)[0] != _FILE_CODE:
        raise refuse("bad_shapefile", f"the {part} is damaged")
    length = int(struct.unpack_from(">I", head, 24)[0]) * 2
    if not _HEAD_BYTES <= length <= size:
        raise refuse("bad_shapefile", f"the {part} is shorter than its header says")
    return length


def read_shapes(source: BinaryIO) -> Iterator[tuple[Any, bool] | ShapeError]:
    """Yield each geometry (or None) and whether heights were dropped, or what is wrong with it.

    Raises
    ------
    FileRejectedError
        ``bad_shapefile`` where the file itself is broken.
    """
    length = _check_head(source, ".shp")
    position = _HEAD_BYTES
    while position < length:
        source.seek(position)
        head = source.read(_RECORD_HEAD)
        size = struct.unpack(">I", head[4:])[0] * 2 if len(head) == _RECORD_HEAD else 0
        position += _RECORD_HEAD + size
        if size < 4 or position > length:  # noqa: PLR2004 - a record holds at least its type
            raise refuse("bad_shapefile", "a record of the .shp is longer than the file")
        if size > _MAX_RECORD:
            yield ShapeError("too_many_vertices", "the geometry has too many vertices")
            continue
        try:
            yield _shape(source.read(size))
        except ShapeError as error:
            yield error


def _shape(content: bytes) -> tuple[Any, bool]:
    (kind,) = struct.unpack_from("<i", content)
    if kind == _NULL:
        return None, False
    has_height = kind not in _PLAIN
    shape: Any
    if kind in _POINTS:
        if len(content) < _POINT_BYTES:
            raise ShapeError("bad_geometry", "the record is shorter than its geometry")
        shape = shapely.Point(np.frombuffer(content, "<f8", 2, 4))
    elif kind in _LINES:
        parts = _parts(content, "LineString")
        lines = [_line(part) for part in parts]
        shape = lines[0] if len(lines) == 1 else shapely.multilinestrings(lines)
    elif kind in _POLYGONS:
        shape = _polygon(_parts(content, "Polygon"))
    else:
        raise ShapeError("wrong_geometry", "the geometry must be a point, line or polygon")
    return check_shape(shape)[0], has_height


def _parts(content: bytes, kind: str) -> list[NDArray[np.float64]]:
    """Return the parts of a line or polygon as arrays of shape (n, 2)."""
    if len(content) < _PART_HEAD:
        raise ShapeError("bad_geometry", "the record is shorter than its geometry")
    part_count, point_count = struct.unpack_from("<ii", content, 36)
    if part_count < 1 or point_count < 1 or part_count > point_count:
        raise ShapeError("bad_geometry", "the geometry has no parts or no points")
    check_vertices(kind, point_count)
    if _PART_HEAD + 4 * part_count + 16 * point_count > len(content):
        raise ShapeError("bad_geometry", "the record is shorter than its geometry")
    starts = np.frombuffer(content, "<i4", part_count, _PART_HEAD)
    if starts[0] != 0 or (np.diff(starts) <= 0).any() or starts[-1] >= point_count:
        raise ShapeError("bad_geometry", "the parts of the geometry overlap or lie outside it")
    points = np.frombuffer(content, "<f8", 2 * point_count, _PART_HEAD + 4 * part_count).reshape(-1, 2)
    if not np.isfinite(points).all() or (points < _NO_DATA).any():
        raise ShapeError("bad_coordinates", "a coordinate is not finite")
    return np.split(points, starts[1:])


def _line(points: NDArray[np.float64]) -> shapely.LineString:
    if len(points) < 2:  # noqa: PLR2004 - a line has two ends
        raise ShapeError("bad_geometry", "a line needs two positions")
    return shapely.LineString(points)


def _polygon(parts: list[NDArray[np.float64]]) -> Any:
    """Build polygons from rings; which is a hole of which is told by where they lie, not by their winding."""
    for points in parts:
        # shapely would close the ring by itself and so hide that something is missing.
        if len(points) < _RING or (points[0] != points[-1]).any():
            raise ShapeError("ring_not_closed", "a ring needs four positions, the last equal to the first")
    rings = [shapely.LinearRing(points) for points in parts]
    if len(rings) == 1:
        return shapely.Polygon(rings[0])
    disks = shapely.polygons(rings)
    areas = shapely.area(disks)
    order = np.argsort(-areas, kind="stable")
    # Only a larger ring can hold another; equal ones are twins, which the check of validity finds.
    covers = shapely.covers(disks[:, None], np.asarray(rings, dtype=object)[None, :])
    covers &= areas[:, None] > areas[None, :]
    depth = covers.sum(axis=0)
    holes: dict[int, list[Any]] = {int(index): [] for index in order if depth[index] % 2 == 0}
    for index in order:
        if depth[index] % 2:
            owners = [int(owner) for owner in np.flatnonzero(covers[:, index]) if int(owner) in holes]
            holes[min(owners, key=lambda owner: areas[owner])].append(rings[index])
    polygons = [shapely.Polygon(rings[index], inner) for index, inner in holes.items()]
    return polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)
