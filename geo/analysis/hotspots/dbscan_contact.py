"""Decide whether any point of one set lies within eps of any of another, without trying all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pairs that are tried one by one before anything cleverer.
_FEW_PAIRS = 512


@njit(nogil=True, cache=True)
def touch(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    is_core: NDArray[np.bool_],
    first: tuple[int, int],
    second: tuple[int, int],
    square: float,
) -> bool:
    """Say whether a core point of one stretch of points lies within eps of a core point of another.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Coordinates in metres.
    is_core : ndarray of bool, shape (n,)
    first, second : (int, int)
        Stretches of points: begin, end.
    square : float
        eps squared.

    Returns
    -------
    bool

    Notes
    -----
    Small stretches are compared pair by pair. Larger ones are halved in turn along their longer side, and a
    pair of halves is left as soon as their bounding boxes, or a strip between them, are too far apart to
    touch, or the boxes so near that they must: two dense crowds a little more than eps apart cost O(n log n),
    not O(n^2). Differences, squares and sums of floats are monotone, so that what a box says of its points
    is true of their rounded distances too.
    """
    if (first[1] - first[0]) * (second[1] - second[0]) <= _FEW_PAIRS:
        for i in range(first[0], first[1]):
            if is_core[i]:
                for j in range(second[0], second[1]):
                    if is_core[j] and (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 <= square:
                        return True
        return False
    return _do_crowds_touch(_cores(x, y, is_core, first), _cores(x, y, is_core, second), square)


@njit(nogil=True, cache=True)
def _cores(
    x: NDArray[np.float64], y: NDArray[np.float64], is_core: NDArray[np.bool_], stretch: tuple[int, int]
) -> NDArray[np.float64]:
    """Copy the core points of a stretch; shape (2, cores)."""
    points = np.empty((2, stretch[1] - stretch[0]))
    count = 0
    for i in range(stretch[0], stretch[1]):
        if is_core[i]:
            points[0, count] = x[i]
            points[1, count] = y[i]
            count += 1
    return points[:, :count]


@njit(nogil=True, cache=True)
def _do_crowds_touch(ours: NDArray[np.float64], theirs: NDArray[np.float64], square: float) -> bool:
    """Compare two sets by halves; reorders both."""
    # What rounding does to a gap, and to the distances behind it, is far less than this.
    apart = np.sqrt(square) * (1 + 1e-12)
    stack = [(0, ours.shape[1], 0, theirs.shape[1])]
    while len(stack) > 0:
        a, b, c, d = stack.pop()
        if a == b or c == d:
            continue
        box, other = box_of(ours[0], ours[1], a, b), box_of(theirs[0], theirs[1], c, d)
        nearest, farthest = _reach(box, other)
        if nearest > square:
            continue
        if farthest <= square:
            return True
        if _gap(ours[:, a:b], theirs[:, c:d], box, other) > apart:
            continue
        if (b - a) * (d - c) <= _FEW_PAIRS:
            if _does_any_pair_touch(ours[:, a:b], theirs[:, c:d], square):
                return True
        elif max(box[1] - box[0], box[3] - box[2]) >= max(other[1] - other[0], other[3] - other[2]):
            cut = _halve(ours, a, b, box)
            stack.append((a, cut, c, d))
            stack.append((cut, b, c, d))
        else:
            cut = _halve(theirs, c, d, other)
            stack.append((a, b, c, cut))
            stack.append((a, b, cut, d))
    return False


@njit(nogil=True, cache=True)
def _does_any_pair_touch(ours: NDArray[np.float64], theirs: NDArray[np.float64], square: float) -> bool:
    """Try all pairs."""
    for i in range(ours.shape[1]):
        for j in range(theirs.shape[1]):
            if (theirs[0, j] - ours[0, i]) ** 2 + (theirs[1, j] - ours[1, i]) ** 2 <= square:
                return True
    return False


@njit(nogil=True, cache=True)
def box_of(
    x: NDArray[np.float64], y: NDArray[np.float64], begin: int, end: int
) -> tuple[float, float, float, float]:
    """Return west, east, south, north of some points."""
    west = east = x[begin]
    south = north = y[begin]
    for i in range(begin + 1, end):
        west, east = min(west, x[i]), max(east, x[i])
        south, north = min(south, y[i]), max(north, y[i])
    return west, east, south, north


@njit(nogil=True, cache=True)
def _reach(
    box: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> tuple[float, float]:
    """Return the squared distance that two points of two boxes have at least, and at most."""
    run = max(0.0, other[0] - box[1], box[0] - other[1])
    rise = max(0.0, other[2] - box[3], box[2] - other[3])
    far_run = max(other[1] - box[0], box[1] - other[0])
    far_rise = max(other[3] - box[2], box[3] - other[2])
    return run * run + rise * rise, far_run * far_run + far_rise * far_rise


@njit(nogil=True, cache=True)
def _gap(
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    box: tuple[float, float, float, float],
    other: tuple[float, float, float, float],
) -> float:
    """Return the width of the empty strip between two sets, across the line from box to box."""
    x, y = (box[0] + box[1]) / 2, (box[2] + box[3]) / 2
    run, rise = (other[0] + other[1]) / 2 - x, (other[2] + other[3]) / 2 - y
    length = np.sqrt(run * run + rise * rise)
    if length == 0:
        return -1.0
    run, rise = run / length, rise / length
    front, back = -np.inf, np.inf
    for i in range(ours.shape[1]):
        front = max(front, (ours[0, i] - x) * run + (ours[1, i] - y) * rise)
    for j in range(theirs.shape[1]):
        back = min(back, (theirs[0, j] - x) * run + (theirs[1, j] - y) * rise)
    return back - front


@njit(nogil=True, cache=True)
def _halve(points: NDArray[np.float64], begin: int, end: int, box: tuple[float, float, float, float]) -> int:
    """Put the points up to the middle of the box's longer side first; returns where the others begin."""
    axis = 0 if box[1] - box[0] >= box[3] - box[2] else 1
    low, high = box[2 * axis], box[2 * axis + 1]
    middle = low + (high - low) / 2
    if middle >= high:
        middle = low
    cut = begin
    for i in range(begin, end):
        if points[axis, i] <= middle:
            for k in range(2):
                points[k, cut], points[k, i] = points[k, i], points[k, cut]
            cut += 1
    return cut
