import numpy as np
import pytest

from geo.analysis.network.distances import network_distances
from geo.analysis.network.graph import build_graph
from geo.analysis.network.scan_windows import cut_pieces, lay_balls
from geo.errors import InvalidInputError


def grid(side=5, step_m=700.0):
    """Streets of a square grid, lengths a little apart so that few distances are equal."""
    ends = [
        (side * row + column, side * (row + down) + column + right)
        for row in range(side)
        for column in range(side)
        for down, right in ((0, 1), (1, 0))
        if row + down < side and column + right < side
    ]
    start, end = np.array(ends).T
    length = step_m + np.random.default_rng(1).random(len(ends)) * 50
    return build_graph(start, end, length)


def test_pieces_cover_every_edge_once_and_are_no_longer_than_asked():
    graph = grid()
    pieces = cut_pieces(graph, most_m=300)
    length_m = pieces.until_m - pieces.from_m
    assert (length_m <= 300 + 1e-9).all()
    assert np.bincount(pieces.edge, weights=length_m) == pytest.approx(graph.length_m)
    assert (np.bincount(pieces.edge) == 3).all()
    assert (cut_pieces(graph, most_m=1e6).until_m == graph.length_m).all()


@pytest.mark.parametrize(("max_share", "reach_m"), [(0.5, 1e6), (1.0, 1500.0), (0.1, 1500.0)])
def test_balls_are_those_of_the_whole_matrix_of_distances(max_share, reach_m):
    graph = grid()
    pieces = cut_pieces(graph, most_m=400)
    exposure = np.random.default_rng(2).random(len(pieces)) + 0.1
    exposure[3] = 0
    balls = lay_balls(graph, pieces, exposure=exposure, max_share=max_share, reach_m=reach_m)
    apart_m = network_distances(graph, pieces.middles())
    share = exposure / exposure.sum()
    for centre in range(len(pieces)):
        near = np.argsort(apart_m[centre], kind="stable")
        near = near[apart_m[centre][near] <= reach_m]
        held = np.cumsum(share[near])
        rim = np.append(np.diff(apart_m[centre][near]) > 1e-3, [True])
        stop = np.flatnonzero(rim & (held <= max_share * (1 + 1e-9)))
        wanted = near[: stop[-1] + 1] if len(stop) else near[:0]
        got = balls.order[balls.starts[centre] : balls.starts[centre + 1]]
        assert sorted(got >> 1) == sorted(wanted)
        assert balls.distance_m[balls.starts[centre] : balls.starts[centre + 1]] == pytest.approx(
            apart_m[centre][wanted]
        )
        ends = np.flatnonzero(got & 1)
        assert ends.tolist() == np.flatnonzero(rim[: len(wanted)]).tolist()


def test_equal_distances_enter_together():
    # A star of four equal arms: from the middle of one, the other three are equally far.
    graph = build_graph(np.zeros(4, dtype=int), np.arange(1, 5), np.full(4, 100.0))
    balls = lay_balls(graph, cut_pieces(graph, most_m=100), exposure=np.ones(4), max_share=1, reach_m=1000)
    first = balls.order[: balls.starts[1]]
    assert (first & 1).tolist() == [1, 0, 0, 1]
    assert balls.radii_m(np.array([0]), np.array([4])).tolist() == [100.0]


def test_balls_never_cross_to_an_island():
    graph = build_graph([0, 2], [1, 3], [100.0, 100.0])
    balls = lay_balls(graph, cut_pieces(graph, most_m=50), exposure=np.ones(4), max_share=1, reach_m=1e9)
    assert set((balls.order[: balls.starts[2]] >> 1).tolist()) == {0, 1}


def test_a_length_that_cannot_be_is_refused():
    for most_m in (0, -1, np.nan, np.inf):
        with pytest.raises(InvalidInputError, match="most_m"):
            cut_pieces(grid(), most_m=most_m)
