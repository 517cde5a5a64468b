"""Spread events along a network: incidents per kilometre of line. A background, never an outline: it has no p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from geo.analysis.network.density_lixels import KERNELS, Spots, Ways, cut_lixels, leaving_halves, shape_of
from geo.analysis.network.density_walks import walk
from geo.analysis.network.density_waves import MOST_WAVE_HALVES, run_waves
from geo.analysis.network.graph import check_events
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.network.density_lixels import Lixels
    from geo.analysis.network.graph import Events, Graph

Split = Literal["continuous", "discontinuous"]
LineKernel = Literal["quartic", "epanechnikov", "gaussian"]

MOST_STEPS = 10**9
"""Passages of edges that one density may take; about a minute."""
_STEPS_PER_HALF = 50
_FEWEST_STEPS = 1_000_000
_SAMPLED = 100
_M_PER_KM = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkDensity:
    """Incidents per kilometre of line on every lixel of a network.

    Parameters
    ----------
    lixels : DataFrame
        One row a lixel, edge by edge: ``edge``, ``from_m``, ``until_m`` (offsets on the edge, half-open).
        The lixels of one edge are of one length, at most ``lixel_m``, and cover it.
    values : ndarray of float64, shape (lixels,)
        Incidents per km: the mean over the lixel, not the value at its middle, so that the values times
        the lengths sum to ``event_count`` whatever the length of the lixels.
    bandwidth_m, lixel_m : float
        As given.
    split, kernel : str
        As given.
    event_count : int
        Events spread.
    reason : str or None
        ``no_events`` (all values are 0) or ``no_edges``; None otherwise.
    """

    lixels: pd.DataFrame
    values: NDArray[np.float64]
    bandwidth_m: float
    lixel_m: float
    split: Split
    kernel: LineKernel
    event_count: int
    reason: str | None = None

    @property
    def mass(self) -> float:
        """Incidents that the lixels hold together."""
        length_m = self.lixels["until_m"].to_numpy() - self.lixels["from_m"].to_numpy()
        return float((self.values * length_m).sum() / _M_PER_KM)


def network_density(
    graph: Graph,
    events: Events,
    *,
    bandwidth_m: float,
    lixel_m: float,
    split: Split = "continuous",
    kernel: LineKernel = "quartic",
) -> NetworkDensity:
    """Estimate the density of events along the edges of a network.

    Parameters
    ----------
    graph : Graph
        The network.
    events : Events
        Points on it; several may stand at one place.
    bandwidth_m : float
        Reach of the quartic and Epanechnikov kernels along the lines, standard deviation of the Gaussian;
        > 0.
    lixel_m : float
        Largest length of a lixel, > 0. Shorter lixels show more, and cost more; the mass is the same.
    split : {"continuous", "discontinuous"}
        What becomes of a kernel at a node of n edges. ``discontinuous``: each edge but the one it came
        along gets 1/(n - 1) of it. ``continuous``: each of these gets 2/n, and (2 - n)/n is sent back, so
        that the density does not jump at the node.
    kernel : {"quartic", "epanechnikov", "gaussian"}
        The Gaussian is cut off, and renormalised, at 4 standard deviations.

    Returns
    -------
    NetworkDensity

    Raises
    ------
    InvalidInputError
        If a size is not positive, the split or the kernel is unknown, an event does not stand on the
        network, there would be more than `geo.analysis.network.density_lixels.MOST_LIXELS` lixels, or the
        bandwidth reaches over so many edges that `MOST_STEPS` do not suffice.

    Notes
    -----
    f(x) = sum_i sum over walks w from event i to x of a(w) k(length of w), with a(w) the product of the
    factors above over the nodes passed, and k the kernel on a line: 15/(16 h) (1 - u^2)^2 (quartic),
    3/(4 h) (1 - u^2) (Epanechnikov), exp(-u^2/2) / (h sqrt(2 pi)) (Gaussian), u = length / h. A
    discontinuous walk never turns round at a node; a continuous one may, with a negative factor. At a dead
    end (n = 1) either kind turns round with the factor 1. The factors at a node sum to 1, hence each event
    keeps its mass of 1, on cycles too, where a kernel along shortest paths loses some. An event on a node
    gives 2/n of a half kernel to each of its edges, whichever of them it was put on.

    On a single line both splits are the kernel on a line. With the Gaussian the continuous split is the
    heat kernel of the network (but for what lies beyond 4 standard deviations). The factors sent back may
    carry a continuous quartic or Epanechnikov density slightly below 0 between two nodes of many edges
    nearer to each other than the bandwidth; it is left so, as cutting it off would add mass.

    While there are few walks, every one is followed, and nothing is rounded: cost O(events x walks). Beyond
    about 50 passages for every half-edge of the network, all events run along it at once in 256 steps of
    distance: cost O(edges), for up to `geo.analysis.network.density_waves.MOST_WAVE_HALVES` half-edges; a
    weight between two steps is shared by them, which moves a value by less than .02 % of the largest.

    References
    ----------
    Okabe, A., & Sugihara, K. (2012). Spatial analysis along networks, chapter 9. Wiley.
    McSwiggan, G., Baddeley, A., & Nair, G. (2017). Kernel density estimation on a linear network.
    Scandinavian Journal of Statistics 44(2), 324-345.
    """
    _check(bandwidth_m=bandwidth_m, lixel_m=lixel_m, split=split, kernel=kernel)
    check_events(graph, events)
    lixels = cut_lixels(graph, lixel_m=lixel_m)
    shape = shape_of(kernel, bandwidth_m=bandwidth_m)
    ways = Ways(graph, leaving_halves(graph), lixels, shape, split == "continuous")
    mass = _spread(graph, events, ways)
    width_m = np.repeat(lixels.width_m, np.diff(lixels.first))
    return NetworkDensity(
        lixels=_lixel_frame(lixels),
        values=mass / width_m * _M_PER_KM,
        bandwidth_m=float(bandwidth_m),
        lixel_m=float(lixel_m),
        split=split,
        kernel=kernel,
        event_count=len(events),
        reason=_reason(graph, events),
    )


def _spread(graph: Graph, events: Events, ways: Ways) -> NDArray[np.float64]:
    """Return the mass on each lixel, by the cheaper of the two ways."""
    # Sorted, so that the order of the events cannot change the last digit.
    places, count = np.unique(
        np.column_stack((events.edge, events.offset_m)).astype(np.float64), axis=0, return_counts=True
    )
    spots = Spots(places[:, 0].astype(np.int64), places[:, 1].copy(), count.astype(np.float64))
    halves = 2 * graph.edge_count
    can_wave = halves <= MOST_WAVE_HALVES
    most_steps = max(halves * _STEPS_PER_HALF, _FEWEST_STEPS) if can_wave else MOST_STEPS
    mass = np.zeros(int(ways.lixels.first[-1]))
    is_short = not can_wave or _walks_are_few(ways, spots, most_steps)
    if is_short and walk(ways, spots, most_steps, mass):
        return mass
    mass[:] = 0.0
    if can_wave and run_waves(ways, spots, MOST_STEPS, mass):
        return mass
    raise InvalidInputError(
        "the bandwidth reaches over too many short edges; choose a smaller one or clean the network",
        code="bandwidth_over_short_edges",
    )


def _walks_are_few(ways: Ways, spots: Spots, most_steps: int) -> bool:
    """Judge by a few places, evenly chosen, whether all of them are likely to stay within so many steps."""
    step = len(spots.edge) // _SAMPLED
    if step < 2:  # noqa: PLR2004 - the sample would be all there is
        return True
    sample = Spots(spots.edge[::step].copy(), spots.offset_m[::step].copy(), spots.counts[::step].copy())
    scratch = np.zeros(int(ways.lixels.first[-1]))
    return bool(walk(ways, sample, 2 * most_steps // step, scratch))


def _check(*, bandwidth_m: float, lixel_m: float, split: str, kernel: str) -> None:
    for name, size in (("bandwidth_m", bandwidth_m), ("lixel_m", lixel_m)):
        if not 0 < size < np.inf:
            raise InvalidInputError(f"{name} must be a positive number of metres")
    if split not in get_args(Split):
        raise InvalidInputError(f"split must be one of {', '.join(get_args(Split))}")
    if kernel not in KERNELS:
        raise InvalidInputError(f"kernel must be one of {', '.join(KERNELS)}")


def _reason(graph: Graph, events: Events) -> str | None:
    if graph.edge_count == 0:
        return "no_edges"
    return "no_events" if len(events) == 0 else None


def _lixel_frame(lixels: Lixels) -> pd.DataFrame:
    counts = np.diff(lixels.first)
    edge = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    place = np.arange(lixels.first[-1]) - lixels.first[edge]
    width_m = lixels.width_m[edge]
    return pd.DataFrame({"edge": edge, "from_m": place * width_m, "until_m": (place + 1) * width_m})
