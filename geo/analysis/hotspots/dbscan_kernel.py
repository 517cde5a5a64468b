"""Find core points, join their cells and label every point, row of cells by row of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.analysis.hotspots.dbscan_cells import (
    PADDING,
    ROWS_ACROSS,
    Cells,
    each,
    in_sight,
    shares_of_cells,
    shares_of_rows,
)
from geo.analysis.hotspots.dbscan_contact import touch

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISE = -1
NONE = np.int32(2**31 - 1)


class Forest(NamedTuple):
    """Trees of nodes (cells, or runs in time) that are one cluster; arrays by number of node."""

    parents: NDArray[np.int32]  # another node of the same cluster, the root's own; -1 for what is no node
    lows: NDArray[np.int32]  # lowest place of a core point of the tree, at its root


class Components(NamedTuple):
    """Clusters as sets of cells; arrays by number of cell."""

    roots: NDArray[np.int32]  # (n,) lowest cell of the cluster; -1 for a cell without core points
    numbers: NDArray[np.int32]  # (n,) number of the cluster, at its root only
    lowest: NDArray[np.int32]  # (clusters,) lowest index of a core point of each cluster, ascending


def core_points(
    cells: Cells, *, eps_m: float, min_samples: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which points of `cells` are core points, and which of the others have a neighbour at all.

    Notes
    -----
    A cell with `min_samples` points is all core without one distance; elsewhere counting stops as soon as
    there are enough.
    """
    is_core, has_company = np.empty(len(cells.places), np.bool_), np.empty(len(cells.places), np.bool_)
    each(
        lambda share: _mark_cores(cells, *share, eps_m * eps_m, min_samples, is_core, has_company),
        shares_of_cells(cells),
    )
    return is_core, has_company


def join_cells(cells: Cells, is_core: NDArray[np.bool_], *, eps_m: float) -> Components:
    """Join the cells whose core points are neighbours, and number the clusters by their lowest core point.

    Notes
    -----
    Union-find over cells. Threads join within stretches of cells, then what crosses from one stretch into
    a later one is joined; the lowest cell of a cluster is its root whatever the order.
    """
    count = len(cells.starts) - 1
    forest = Forest(parents=np.empty(count, np.int32), lows=np.empty(count, np.int32))
    parts = shares_of_cells(cells)
    square = eps_m * eps_m
    each(lambda share: _set_out(cells, *share, is_core, forest), parts)
    each(lambda share: _join(cells, *share, *share, square, is_core, forest), parts)
    for first, last in shares_of_rows(cells)[:-1]:
        # Only the last two rows of a stretch see beyond it.
        begin, end = int(cells.rows[max(first, last - 2)]), int(cells.rows[last])
        _join(cells, begin, end, end, count, square, is_core, forest)
    roots = np.concatenate(each(lambda share: point_at_roots(*share, forest.parents), parts))
    lowest = number_roots(roots, forest.lows)
    return Components(roots=forest.parents, numbers=forest.lows, lowest=lowest)


def number_roots(roots: NDArray[np.int32], lows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Write over each root's lowest index the rank of it; returns the lowest indices in order."""
    order = np.argsort(lows[roots])
    lowest = lows[roots[order]]
    lows[roots[order]] = np.arange(len(roots), dtype=np.int32)
    return lowest


def label_points(
    cells: Cells,
    is_core: NDArray[np.bool_],
    has_company: NDArray[np.bool_],
    components: Components,
    *,
    eps_m: float,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return labels and core flags in the order in which the points were given."""
    n = len(cells.places)
    labels, core = np.empty(n, np.int64), np.empty(n, np.bool_)
    numbers = np.empty(n + PADDING, np.int32)
    numbers[n:] = NONE
    each(lambda share: number_cores(cells, *share, is_core, components, numbers), shares_of_cells(cells))
    each(
        lambda share: _label(cells, *share, eps_m * eps_m, has_company, numbers, labels, core),
        shares_of_cells(cells),
    )
    return labels, core


@njit(nogil=True, cache=True)
def _mark_cores(
    cells: Cells,
    first: int,
    last: int,
    square: float,
    enough: int,
    is_core: NDArray[np.bool_],
    has_company: NDArray[np.bool_],
) -> None:
    """Count the neighbours of the points of some cells."""
    spans = np.empty((ROWS_ACROSS, 2), np.int64)
    for cell in range(first, last):
        begin, end = cells.starts[cell], cells.starts[cell + 1]
        if end - begin >= enough:
            is_core[begin:end] = True
            continue
        for line in range(ROWS_ACROSS):
            low, high = in_sight(cells, cell, line)
            spans[line, 0] = cells.starts[low]
            spans[line, 1] = cells.starts[high]
        for i in range(begin, end):
            found = 0
            x, y = cells.x[i], cells.y[i]
            for line in (2, 1, 3, 0, 4):
                low, high = spans[line, 0], spans[line, 1]
                while low < high and found < enough:
                    for step in range(PADDING):
                        j = np.uint64(low + step)
                        is_near = (cells.x[j] - x) ** 2 + (cells.y[j] - y) ** 2 <= square
                        found += is_near & (low + step < high)
                    low += PADDING
            is_core[i] = found >= enough
            has_company[i] = found > 1


@njit(nogil=True, cache=True)
def _set_out(
    cells: Cells,
    first: int,
    last: int,
    is_core: NDArray[np.bool_],
    forest: Forest,
) -> None:
    """Make every cell with core points a cluster of its own, with the lowest index of its core points."""
    for cell in range(first, last):
        forest.parents[cell] = NOISE
        for i in range(cells.starts[cell], cells.starts[cell + 1]):
            if is_core[i]:
                forest.parents[cell] = cell
                forest.lows[cell] = cells.places[i]
                break


@njit(nogil=True, cache=True)
def root_of(parents: NDArray[np.int32], cell: int) -> int:
    """Follow the parents to the root, shortening the way."""
    while parents[cell] != cell:
        parents[cell] = parents[parents[cell]]
        cell = parents[cell]
    return cell


@njit(nogil=True, cache=True)
def _join(
    cells: Cells,
    first: int,
    last: int,
    least: int,
    most: int,
    square: float,
    is_core: NDArray[np.bool_],
    forest: Forest,
) -> None:
    """Join some cells with those after them, from number `least` until before `most`."""
    for cell in range(first, last):
        if forest.parents[cell] == NOISE:
            continue
        root = root_of(forest.parents, cell)
        here = cells.starts[cell], cells.starts[cell + 1]
        for line in range(ROWS_ACROSS // 2, ROWS_ACROSS):
            low, high = in_sight(cells, cell, line)
            for other in range(max(low, cell + 1, least), min(high, most)):
                if forest.parents[other] == NOISE:
                    continue
                theirs = root_of(forest.parents, other)
                there = cells.starts[other], cells.starts[other + 1]
                if root != theirs and touch(cells.x, cells.y, is_core, here, there, square):
                    root = join_roots(forest, root, theirs)


@njit(nogil=True, cache=True, inline="always")
def join_roots(forest: Forest, one: int, other: int) -> int:
    """Make one tree of two; returns its root, the lower of theirs."""
    root, child = min(one, other), max(one, other)
    forest.parents[child] = root
    forest.lows[root] = min(forest.lows[root], forest.lows[child])
    return root


@njit(nogil=True, cache=True)
def point_at_roots(first: int, last: int, parents: NDArray[np.int32]) -> NDArray[np.int32]:
    """Let every one of some nodes point at its root; returns the roots among them."""
    count = 0
    for cell in range(first, last):
        count += parents[cell] == cell
    roots = np.empty(count, np.int32)
    count = 0
    for cell in range(first, last):
        if parents[cell] == cell:
            roots[count] = cell
            count += 1
        elif parents[cell] != NOISE:
            # Other threads shorten ways through here: only ever to an ancestor.
            root = parents[cell]
            while parents[root] != root:
                root = parents[root]
            parents[cell] = root
    return roots


@njit(nogil=True, cache=True)
def number_cores(
    cells: Cells,
    first: int,
    last: int,
    is_core: NDArray[np.bool_],
    components: Components,
    numbers: NDArray[np.int32],
) -> None:
    """Write the number of its cluster for each core point of some cells, NONE for the other points."""
    for cell in range(first, last):
        root = components.roots[cell]
        number = NONE if root == NOISE else components.numbers[root]
        for i in range(cells.starts[cell], cells.starts[cell + 1]):
            numbers[i] = number if is_core[i] else NONE


@njit(nogil=True, cache=True)
def _label(
    cells: Cells,
    first: int,
    last: int,
    square: float,
    has_company: NDArray[np.bool_],
    numbers: NDArray[np.int32],
    labels: NDArray[np.int64],
    core: NDArray[np.bool_],
) -> None:
    """Label the points of some cells; a border point takes the lowest of the clusters that it touches."""
    for cell in range(first, last):
        for i in range(cells.starts[cell], cells.starts[cell + 1]):
            index = cells.places[i]
            label = numbers[i]
            core[index] = label != NONE
            if label == NONE and has_company[i]:
                x, y = cells.x[i], cells.y[i]
                for line in range(ROWS_ACROSS):
                    low, high = in_sight(cells, cell, line)
                    begin, end = cells.starts[low], cells.starts[high]
                    while begin < end:
                        for step in range(PADDING):
                            j = np.uint64(begin + step)
                            is_near = (cells.x[j] - x) ** 2 + (cells.y[j] - y) ** 2 <= square
                            number = numbers[j]
                            label = min(label, number if is_near & (begin + step < end) else NONE)
                        begin += PADDING
            labels[index] = NOISE if label == NONE else label
