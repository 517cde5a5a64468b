import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.analysis.proximity_graphs import relative_neighbours
from geo.errors import InvalidInputError, UnitError

points = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=18, unique=True
).map(lambda rows: np.array(rows, dtype=np.float64) * 1_000)


def brute_force(xy):
    edges = []
    for p in range(len(xy)):
        for q in range(p + 1, len(xy)):
            apart = ((xy[p] - xy[q]) ** 2).sum()
            others = (r for r in range(len(xy)) if r not in {p, q})
            if not any(
                max(((xy[r] - xy[p]) ** 2).sum(), ((xy[r] - xy[q]) ** 2).sum()) < apart for r in others
            ):
                edges.append([p, q])
    return edges


@given(points)
@settings(max_examples=60)
def test_the_graph_is_the_one_that_trying_every_third_point_gives(xy):
    assert relative_neighbours(xy).tolist() == brute_force(xy)


@given(points)
@settings(max_examples=40)
def test_the_graph_is_connected(xy):
    edges = relative_neighbours(xy)
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(xy), len(xy)))
    assert connected_components(graph, directed=False)[0] == 1


def test_a_square_has_its_sides_and_no_diagonal():
    square = [(0, 0), (1_000, 0), (1_000, 1_000), (0, 1_000)]
    assert relative_neighbours(square).tolist() == [[0, 1], [0, 3], [1, 2], [2, 3]]


def test_no_points_and_one_point_have_no_edges():
    assert relative_neighbours(np.zeros((0, 2))).shape == (0, 2)
    assert relative_neighbours([(1_000, 2_000)]).shape == (0, 2)


def test_points_in_one_place_are_refused():
    with pytest.raises(InvalidInputError, match="coincide"):
        relative_neighbours([(0, 0), (1_000, 0), (0, 0)])


def test_degrees_are_refused():
    with pytest.raises(UnitError):
        relative_neighbours([(113.6, 34.7), (114.3, 34.8)])
