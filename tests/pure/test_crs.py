"""Degrees are refused where metres are meant, and the metric system measures Henan rightly."""

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from geo.crs import check_metres, to_metric, to_stored
from geo.errors import InvalidInputError, UnitError


def test_degrees_are_refused_where_metres_are_meant():
    with pytest.raises(UnitError, match="degrees"):
        check_metres([(113.62, 34.74), (114.3, 34.8)])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_no_numbers_are_refused(value):
    with pytest.raises(InvalidInputError, match="finite"):
        check_metres([(500_000.0, value)])


def test_a_wrong_shape_is_named():
    with pytest.raises(InvalidInputError, match=r"\(n, 2\)"):
        check_metres([1.0, 2.0, 3.0])


def test_small_whole_numbers_are_metres_and_nothing_is_nothing():
    assert check_metres([(0, 0), (10, 10)]).shape == (2, 2)
    assert check_metres([]).shape == (0, 2)


def test_a_frame_without_crs_is_refused():
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(113, 34)])
    with pytest.raises(UnitError):
        to_metric(frame)
    with pytest.raises(UnitError):
        to_stored(frame)


def test_lengths_over_henan_are_within_0_15_per_cent():
    geod = pyproj.Geod(ellps="WGS84")
    for lon in np.arange(110.5, 116.5, 1.0):
        line = shapely.LineString([(lon, 34.0), (lon + 0.1, 34.1)])
        metric = to_metric(gpd.GeoDataFrame(geometry=[line], crs=4326)).length.iloc[0]
        assert metric == pytest.approx(geod.geometry_length(line), rel=0.0015)
