"""Spread 10,000 events over a network of 20,000 nodes, beside R's spatstat.linnet."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measurement import Growth, Measurement, seconds_of
from geo.analysis.network import Events, build_graph
from geo.analysis.network.density import network_density
from geo.analysis.network.density_lixels import cut_lixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.analysis.network import Graph
    from geo.analysis.network.density import NetworkDensity

_BANDWIDTH_M = 300.0
_LIXEL_M = 10.0
# The quartic kernel of 300 m has this standard deviation.
_SIGMA_M = _BANDWIDTH_M / np.sqrt(7)
_SIDE, _EVENTS = 141, 10_000
_R = """
suppressMessages(library(spatstat.linnet))
read <- function(name) as.matrix(read.csv(file.path("{folder}", name), header = FALSE))
xy <- read("nodes.csv"); on <- read("events.csv")
frame <- owin(range(xy[, 1]) + c(-1, 1), range(xy[, 2]) + c(-1, 1))
net <- linnet(ppp(xy[, 1], xy[, 2], frame, check = FALSE), edges = read("edges.csv"), sparse = {sparse}, warn = FALSE)
events <- lpp(data.frame(seg = on[, 1], tp = on[, 2]), net)
start <- proc.time()[[3]]
values <- {call}
cat(proc.time()[[3]] - start, as.character(packageVersion("spatstat.linnet")), "\\n")
writeBin(as.numeric(values), file.path("{folder}", "values.bin"))
"""
_HEAT = "densityHeat(events, sigma = {sigma}, dx = {dx}, iterMax = 1e8, at = 'points', leaveoneout = FALSE)"
_SPLIT = (
    "densityEqualSplit(events, sigma = {sigma}, kernel = 'epanechnikov', continuous = {continuous}, "
    "at = 'points', leaveoneout = FALSE, verbose = FALSE)"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A street network with events on it."""

    node_xy_m: NDArray[np.float64]
    graph: Graph
    events: Events


def _place(side: int, event_count: int, *, dropped: float) -> Place:
    """Shake a square lattice of 100 m, drop some of its edges and scatter events evenly along the rest."""
    rng = np.random.default_rng(1)
    node = np.arange(side * side).reshape(side, side)
    xy = np.argwhere(node >= 0) * 100.0 + rng.uniform(-25, 25, (side * side, 2))
    first = np.concatenate((node[:, :-1].ravel(), node[:-1].ravel()))
    second = np.concatenate((node[:, 1:].ravel(), node[1:].ravel()))
    kept = rng.random(len(first)) >= dropped
    first, second = first[kept], second[kept]
    graph = build_graph(first, second, np.hypot(*(xy[first] - xy[second]).T), node_count=len(xy))
    edge = rng.choice(graph.edge_count, event_count, p=graph.length_m / graph.total_m)
    events = Events(
        edge=edge.astype(np.int32),
        offset_m=rng.random(event_count) * graph.length_m[edge],
        residual_m=np.zeros(event_count),
        source=np.arange(event_count),
    )
    return Place(node_xy_m=xy, graph=graph, events=events)


def _first(place: Place, count: int) -> Events:
    """Return the first events."""
    events = place.events
    return Events(
        edge=events.edge[:count],
        offset_m=events.offset_m[:count],
        residual_m=events.residual_m[:count],
        source=events.source[:count],
    )


def _at_events(place: Place, found: NetworkDensity) -> NDArray[np.float64]:
    """Return the density of the lixel on which each event stands, events per metre."""
    lixels = cut_lixels(place.graph, lixel_m=found.lixel_m)
    edge = place.events.edge
    within = (place.events.offset_m / lixels.width_m[edge]).astype(np.int64)
    within = np.minimum(within, np.diff(lixels.first)[edge] - 1)
    return found.values[lixels.first[edge] + within] / 1000


def _peer() -> str | None:
    """Return the path of Rscript where it can load spatstat.linnet."""
    program = shutil.which("Rscript")
    if program is None:
        return None
    asked = [program, "-e", "quit(status = !requireNamespace('spatstat.linnet', quietly = TRUE))"]
    return program if subprocess.run(asked, capture_output=True, check=False).returncode == 0 else None


def _run_peer(
    program: str, place: Place, call: str, *, sparse: bool
) -> tuple[float, str, NDArray[np.float64]]:
    """Return seconds, version and the values at the events of one call in R."""
    graph, events = place.graph, place.events
    with tempfile.TemporaryDirectory() as folder:
        part = events.offset_m / graph.length_m[events.edge]
        for name, columns in (
            ("nodes", place.node_xy_m),
            ("edges", np.column_stack((graph.edge_from, graph.edge_to)) + 1),
            ("events", np.column_stack((events.edge + 1, part))),
        ):
            np.savetxt(Path(folder, f"{name}.csv"), columns, delimiter=",", fmt="%.17g")
        script = Path(folder, "density.R")
        script.write_text(_R.format(folder=folder, sparse=str(sparse).upper(), call=call), encoding="utf-8")
        said = subprocess.run([program, script], capture_output=True, text=True, check=True).stdout
        seconds, version = said.split()[-2:]
        return float(seconds), version, np.fromfile(Path(folder, "values.bin"))


def _near(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> str:
    apart = float(np.abs(ours - theirs).max() / ours.max())
    return f"correlation {np.corrcoef(ours, theirs)[0, 1]:.4f}, within {apart:.1%} of the peak"


def _against_heat(place: Place, *, program: str | None) -> Iterator[Measurement]:
    """Compare both splits and the Gaussian with the heat kernel, solved on points 10 m apart."""
    peer_s, version, theirs = None, "", None
    if program is not None:
        call = _HEAT.format(sigma=_SIGMA_M, dx=_LIXEL_M)
        peer_s, version, theirs = _run_peer(program, place, call, sparse=True)
    size = f"{len(place.node_xy_m):,} nodes, {len(place.events):,} events"
    for split, kernel, bandwidth_m, target in (
        ("continuous", "quartic", _BANDWIDTH_M, 20.0),
        ("discontinuous", "quartic", _BANDWIDTH_M, 20.0),
        ("continuous", "gaussian", _SIGMA_M, None),
    ):

        def own(split=split, kernel=kernel, bandwidth_m=bandwidth_m) -> NetworkDensity:  # noqa: ANN001
            return network_density(
                place.graph,
                place.events,
                bandwidth_m=bandwidth_m,
                lixel_m=_LIXEL_M,
                split=split,
                kernel=kernel,
            )

        found = own()
        lost = abs(found.mass / len(place.events) - 1)
        if lost > 1e-2:  # noqa: PLR2004 - what was promised
            raise AssertionError("the density does not hold the mass of the events")
        same = f"mass kept to {max(lost, 1e-12):.0e}"
        note = "the peer is absent: Rscript with spatstat.linnet"
        if theirs is not None:
            ours = _at_events(place, found)
            same += f"; at the events {_near(ours, theirs)}"
            note = "heat kernel of the same standard deviation, evaluated at the events only"
            if kernel == "gaussian":
                more = theirs.mean() / ours.mean() - 1
                note = f"the same kernel; the peer's values lie {more:.1%} higher at its 10 m steps"
        yield Measurement(
            kernel=f"network density, {split} {kernel}, {size}",
            peer=f"R spatstat.linnet {version} densityHeat".replace("  ", " "),
            own_s=seconds_of(own),
            peer_s=peer_s,
            target=target,
            same=same,
            note=note,
        )


def _against_equal_split(*, program: str | None) -> Iterator[Measurement]:
    """Compare with the same kernels where the peer can compute them: on a small net without dead ends."""
    if program is None:
        return
    place = _place(12, 50, dropped=0.0)
    for split in ("continuous", "discontinuous"):
        call = _SPLIT.format(sigma=200 / np.sqrt(5), continuous=str(split == "continuous").upper())
        peer_s, version, theirs = _run_peer(program, place, call, sparse=False)

        def own(split=split) -> NetworkDensity:  # noqa: ANN001
            return network_density(
                place.graph, place.events, bandwidth_m=200, lixel_m=1, split=split, kernel="epanechnikov"
            )

        yield Measurement(
            kernel=f"network density, {split} Epanechnikov, 144 nodes, 50 events",
            peer=f"R spatstat.linnet {version} densityEqualSplit",
            own_s=seconds_of(own),
            peer_s=peer_s,
            same=f"at the events {_near(_at_events(place, own()), theirs)}",
            note="same definition; at dead ends the peer's discontinuous kernel loses mass, ours turns round",
        )


def measure() -> Iterator[Measurement | Growth]:
    """Compare with R, and fit the growth by events, network and bandwidth."""
    program = _peer()
    place = _place(_SIDE, _EVENTS, dropped=0.25)
    yield from _against_heat(place, program=program)
    yield from _against_equal_split(program=program)
    asked = {"bandwidth_m": _BANDWIDTH_M, "lixel_m": _LIXEL_M}
    many = _place(_SIDE, 80_000, dropped=0.25)
    sizes = [10_000, 20_000, 40_000, 80_000]
    yield Growth(
        kernel="network density, by events on 20,000 nodes",
        sizes=sizes,
        seconds=[
            seconds_of(lambda count=count: network_density(many.graph, _first(many, count), **asked))
            for count in sizes
        ],
    )
    places = [_place(side, side * side // 2, dropped=0.25) for side in (100, 141, 200, 283)]
    yield Growth(
        kernel="network density, by nodes with half as many events",
        sizes=[len(each.node_xy_m) for each in places],
        seconds=[
            seconds_of(lambda each=each: network_density(each.graph, each.events, **asked)) for each in places
        ],
    )
