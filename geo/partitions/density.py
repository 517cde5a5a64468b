"""Spread incidents over bands of a raster, each on a worker that holds the incidents within reach of it."""

# mypy: allow-untyped-calls

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.analysis.density import Density
from geo.analysis.density.kernel import area_cells, check_sizes, density_values, prepare_density
from geo.analysis.density.raster import box_around, check_area, cover, points_inside
from geo.analysis.density.sums import SHAPES
from geo.errors import InvalidInputError
from geo.partitions.boxes import cut_boxes, sample_of
from geo.partitions.parts import deal_points
from geo.partitions.scheduler import thread_count
from geo.partitions.stored import hold_stored
from geo.partitions.waiting import results_of
from geo.store.incident_queries import incident_count

if TYPE_CHECKING:
    import geopandas as gpd
    from distributed import Client
    from numpy.typing import ArrayLike, NDArray
    from shapely import MultiPolygon, Polygon
    from sqlalchemy.orm import Session

    from geo.analysis.blocks import Progress
    from geo.analysis.density.kernel import Kernel
    from geo.analysis.density.raster import Inside, Raster
    from geo.partitions.boxes import Box
    from geo.partitions.parts import HeldParts, Part
    from geo.store.incident_queries import IncidentFilter

_NORTH = 1


class Band(NamedTuple):
    """Some rows of a raster.

    Parameters
    ----------
    values : ndarray of float64, shape (rows, columns)
    spread_count : int
        The part's own points that were spread.
    left_out : ndarray of int64
        Ids of its own points that were not.
    """

    values: NDArray[np.float64]
    spread_count: int
    left_out: NDArray[np.int64]


def shared_density(
    client: Client,
    incidents: gpd.GeoDataFrame | ArrayLike,
    *,
    bandwidth_m: float,
    cell_m: float,
    within: Polygon | MultiPolygon | None = None,
    kernel: Kernel = "quartic",
    weights: ArrayLike | None = None,
    parts: int | None = None,
    progress: Progress | None = None,
) -> Density:
    """Estimate the density of incidents with bands of rows shared among workers.

    Parameters
    ----------
    client : Client
        From `geo.partitions.connected`.
    incidents, bandwidth_m, cell_m, within, kernel, weights
        As in `geo.analysis.density.kernel_density`.
    parts : int, optional
        Bands; by default one for each thread of the workers.
    progress : callable, optional
        Called with (bands done, bands) at least every half second; may raise to stop.

    Returns
    -------
    Density
        Equal to the last bit to that of one process.

    Raises
    ------
    InvalidInputError, UnitError
        As `kernel_density` does.
    MissingResourceError
        If workers or the scheduler are lost.

    Notes
    -----
    Incidents travel once, 16 bytes each (24 with weights), those within reach of two bands twice. That takes longer
    than spreading them here: it pays for incidents that workers read themselves, see
    `stored_density`.
    """
    ready = prepare_density(
        incidents, bandwidth_m=bandwidth_m, cell_m=cell_m, within=within, kernel=kernel, weights=weights
    )
    if ready.raster is None:
        return ready.density(*ready.values())
    boxes = cut_boxes(
        sample_of(ready.xy_m), parts=thread_count(client) if parts is None else parts, axes=(_NORTH,)
    )
    held = deal_points(
        client,
        ready.xy_m,
        boxes=boxes,
        halo_m=halo_of(kernel, bandwidth_m=bandwidth_m, cell_m=cell_m),
        amounts=ready.amounts if ready.is_weighted else None,
    )
    bands = draw_bands(
        held,
        raster=ready.raster,
        inside=ready.inside,
        kernel=kernel,
        bandwidth_m=ready.bandwidth_m,
        progress=progress,
    )
    is_spread = np.ones(len(ready.xy_m), dtype=np.bool_)
    for band in bands:
        is_spread[band.left_out] = False
    return ready.density(np.concatenate([band.values for band in bands]), is_spread)


def stored_density(
    client: Client,
    session: Session,
    wanted: IncidentFilter,
    *,
    bandwidth_m: float,
    cell_m: float,
    within: Polygon | MultiPolygon | None = None,
    kernel: Kernel = "quartic",
    parts: int | None = None,
    progress: Progress | None = None,
) -> Density:
    """Estimate the density of stored incidents that workers read themselves.

    Parameters
    ----------
    client, session, wanted, parts, progress
        As in `geo.partitions.stored.hold_stored`; `progress` counts a part when it is read and when it is drawn.
    bandwidth_m, cell_m, within, kernel
        As in `geo.analysis.density.kernel_density`.

    Returns
    -------
    Density
        Equal to the last bit to `kernel_density` of the same incidents in order of their ids.

    Raises
    ------
    InvalidInputError, UnitError
        As `kernel_density` does.
    MissingResourceError
        As `hold_stored` does.
    """
    check_sizes(bandwidth_m=bandwidth_m, cell_m=cell_m, kernel=kernel)
    if within is not None:
        check_area(within)
    given_count = incident_count(session, wanted)
    held = hold_stored(
        client,
        session,
        wanted,
        halo_m=halo_of(kernel, bandwidth_m=bandwidth_m, cell_m=cell_m),
        parts=parts,
        axes=(_NORTH,),
        progress=_half(progress, after=0),
    )
    raster, inside = _lay(held, bandwidth_m=bandwidth_m, cell_m=cell_m, within=within, kernel=kernel)
    bands: list[Band] = []
    if raster is not None:
        bands = draw_bands(
            held,
            raster=raster,
            inside=inside,
            kernel=kernel,
            bandwidth_m=bandwidth_m,
            progress=_half(progress, after=1),
        )
    spread_count = sum(band.spread_count for band in bands)
    return Density(
        values=np.concatenate([band.values for band in bands]) if bands else np.empty((0, 0)),
        x_m=np.empty(0) if raster is None else raster.x_m,
        y_m=np.empty(0) if raster is None else raster.y_m,
        bandwidth_m=float(bandwidth_m),
        cell_m=float(cell_m),
        kernel=kernel,
        incident_count=spread_count,
        omitted_count=given_count - spread_count,
        reason=None if spread_count else "no_incidents",
    )


def _lay(
    held: HeldParts,
    *,
    bandwidth_m: float,
    cell_m: float,
    within: Polygon | MultiPolygon | None,
    kernel: Kernel,
) -> tuple[Raster | None, Inside | None]:
    """Lay the raster over the area, or over all that the parts hold; None where they hold nothing in it."""
    inside = None if within is None else area_cells(within, cell_m=cell_m)
    area = None if inside is None else held.client.scatter([inside], broadcast=True, hash=False)[0]
    found = results_of(held.client, held.submit(bounds_of, held.futures, [area] * len(held.futures)))
    bounds = np.array([each for each in found if each is not None])
    if not len(bounds):
        return None, None
    if inside is not None:
        if not inside.cells.any():
            raise InvalidInputError("the study area holds no cell centre; choose smaller cells")
        return inside.raster, inside
    corners = np.concatenate((bounds[:, :2], bounds[:, 2:]))
    box_m = box_around(corners, reach_m=SHAPES[kernel].reach * bandwidth_m)
    return cover(box_m, cell_m=cell_m), None


def bounds_of(part: Part, inside: Inside | None) -> tuple[float, float, float, float] | None:
    """Return west, south, east and north of a part's own points within the area, or None without any."""
    own = part.xy_m[part.is_own]
    if inside is not None:
        own = own[points_inside(inside, own)]
    if not len(own):
        return None
    west, south = own.min(axis=0)
    east, north = own.max(axis=0)
    return float(west), float(south), float(east), float(north)


def _half(progress: Progress | None, *, after: int) -> Progress | None:
    """Report one half of the work as a half of the whole."""
    return None if progress is None else lambda done, total: progress(after * total + done, 2 * total)


def halo_of(kernel: str, *, bandwidth_m: float, cell_m: float) -> float:
    """Return how far beyond its own points a band must see: the reach, and a row at either end of it."""
    return SHAPES[kernel].reach * bandwidth_m + 3 * cell_m


def draw_bands(
    held: HeldParts,
    *,
    raster: Raster,
    inside: Inside | None,
    kernel: str,
    bandwidth_m: float,
    progress: Progress | None = None,
) -> list[Band]:
    """Have every part draw the rows that begin in its box, from south to north.

    Parameters
    ----------
    held : HeldParts
        Strips from south to north, that see as far as `halo_of` says.
    raster, inside
        As laid for all points.
    kernel : str
    bandwidth_m : float
    progress : callable, optional
        As in `shared_density`.
    """
    client, count = held.client, len(held.futures)
    edges = [0, *(first_row(box, raster) for box in held.boxes[1:]), raster.rows]
    rows = list(pairwise(edges))
    draw = partial(draw_band, raster=raster, kernel=kernel, bandwidth_m=bandwidth_m)
    # In a list: a tuple would be taken for one.
    area = client.scatter([inside], broadcast=True, hash=False)[0] if inside is not None else None
    futures = held.submit(draw, held.futures, rows, [area] * count)
    tell = None if progress is None else lambda done: progress(done, count)
    return results_of(client, futures, tell=tell)


def first_row(box: Box, raster: Raster) -> int:
    """Return the first row that begins in a box, or beyond its southern edge."""
    row = int(np.ceil((box.south_m - raster.south_m) / raster.cell_m))
    return min(max(row, 0), raster.rows)


def draw_band(
    part: Part,
    rows: tuple[int, int],
    inside: Inside | None,
    *,
    raster: Raster,
    kernel: str,
    bandwidth_m: float,
) -> Band:
    """Draw some rows on a worker."""
    ids, xy_m, is_own = part.ids, part.xy_m, part.is_own
    amounts = np.ones(len(ids)) if part.amounts is None else part.amounts
    own_ids = ids[is_own]
    if inside is not None:
        is_in = points_inside(inside, xy_m)
        ids, xy_m, amounts, is_own = ids[is_in], xy_m[is_in], amounts[is_in], is_own[is_in]
    values, is_spread = density_values(
        xy_m,
        amounts,
        raster=raster,
        inside=inside,
        shape=SHAPES[kernel],
        bandwidth_m=bandwidth_m,
        rows=rows,
    )
    spread_ids = ids[is_own & is_spread]
    return Band(values, len(spread_ids), np.setdiff1d(own_ids, spread_ids, assume_unique=True))
