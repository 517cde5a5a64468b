"""Say where a stretch of the course lies: line, marks, nodes, segments, whose it is, and its geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.ops import substring

from geo.analysis.sections.names import section_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.sections.layout import Course

_SAME_M = 1e-6
_OF_SEGMENTS = ("owner", "responsible_unit", "place")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gazette:
    """What is recorded of the segments of a course, by column.

    Parameters
    ----------
    course : Course
    ids : ndarray of object, shape (segments,)
        Segment ids in the order of the course.
    lines : ndarray of object, shape (segments,)
        Courses as drawn.
    texts : dict
        Column -> texts, empty where nothing is recorded.
    """

    course: Course
    ids: NDArray[np.object_]
    lines: NDArray[np.object_]
    texts: dict[str, NDArray[np.object_]]

    def describe(self, low_m: float, high_m: float) -> dict[str, object]:
        """Return the columns of `Sections` that say where a stretch of the axis lies."""
        bounds_m = self.course.from_m
        first = segment_at(self.course, low_m)
        last = max(first, int(np.searchsorted(bounds_m, high_m - _SAME_M, side="left")) - 1)
        origin_m = float(self.course.line_from_m[first])
        from_m, until_m = low_m - origin_m, high_m - origin_m
        names = {column: str(self.texts[column][first]) for column in ("line_name", "from_node")}
        names["to_node"] = str(self.texts["to_node"][last])
        return {
            "name": section_name(**names, from_m=from_m, until_m=until_m),
            **names,
            "from_m": from_m,
            "until_m": until_m,
            "length_m": until_m - from_m,
            "segments": tuple(self.ids[first : last + 1].tolist()),
            **{column: self._joined(column, first, last) for column in _OF_SEGMENTS},
            "geometry": self._cut(first, last, low_m, high_m),
        }

    def _joined(self, column: str, first: int, last: int) -> str:
        """Return the distinct texts of a column in order, joined."""
        texts = self.texts.get(column)
        return "" if texts is None else "、".join(filter(None, dict.fromkeys(texts[first : last + 1])))

    def _cut(self, first: int, last: int, low_m: float, high_m: float) -> shapely.Geometry:
        """Return the geometry between two places of the axis."""
        parts: list[Any] = []
        for row in range(first, last + 1):
            begin_m, end_m = self.course.from_m[row], self.course.from_m[row + 1]
            low, high = (min(max((at - begin_m) / (end_m - begin_m), 0.0), 1.0) for at in (low_m, high_m))
            parts.append(substring(self.lines[row], low, high, normalized=True))
        return parts[0] if len(parts) == 1 else shapely.line_merge(shapely.MultiLineString(parts))


def segment_at(course: Course, at_m: float) -> int:
    """Return the position of the segment that begins at, or holds, a place of the axis."""
    return int(np.searchsorted(course.from_m, at_m + _SAME_M, side="right")) - 1


def gazette_of(course: Course) -> Gazette:
    """Take what is recorded of the segments out of their frame."""
    segments = course.segments
    columns = [
        column
        for column in ("line_name", "from_node", "to_node", *_OF_SEGMENTS)
        if column in segments.columns
    ]
    return Gazette(
        course=course,
        ids=segments.index.to_numpy(dtype=object),
        lines=segments.geometry.to_numpy(),
        texts={
            column: np.where(segments[column].isna(), "", segments[column].astype(str)).astype(object)
            for column in columns
        },
    )
