"""GCJ-02 and BD-09 agree with the published answers and invert to less than a millimetre."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.datum import (
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    geometry_to_wgs84,
    wgs84_to_gcj02,
)

MILLIMETRE = 1e-8
IN_CHINA = st.tuples(st.floats(75, 134), st.floats(19, 52))


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        ((113.625368, 34.746599), (113.63141463741, 34.74541641532)),
        ((116.3912, 39.9075), (116.39744112902, 39.90890122807)),
        ((121.47, 31.23), (121.47453490044, 31.22806748194)),
    ],
)
def test_gcj02_gives_the_published_answers(wgs84, gcj02):
    assert wgs84_to_gcj02([wgs84])[0] == pytest.approx(gcj02, abs=1e-10)


def test_bd09_gives_the_published_answer():
    assert gcj02_to_bd09([(113.63141463741, 34.74541641532)])[0] == pytest.approx(
        (113.63781540468, 34.75172180587), abs=1e-10
    )


@given(st.lists(IN_CHINA, min_size=1, max_size=20))
def test_both_shifts_invert_to_less_than_a_millimetre(positions):
    start = np.array(positions)
    assert np.abs(gcj02_to_wgs84(wgs84_to_gcj02(start)) - start).max() < MILLIMETRE
    assert np.abs(bd09_to_wgs84(gcj02_to_bd09(wgs84_to_gcj02(start))) - start).max() < MILLIMETRE


def test_the_shift_in_henan_is_478_to_631_metres():
    positions = np.array(
        [(lon, lat) for lon in np.arange(110.4, 116.6, 0.3) for lat in np.arange(31.4, 36.4, 0.3)]
    )
    degrees = wgs84_to_gcj02(positions) - positions
    metres = np.hypot(degrees[:, 0] * 111_320 * np.cos(np.radians(positions[:, 1])), degrees[:, 1] * 110_950)
    assert metres.min() > 470
    assert metres.max() < 640


def test_shared_borders_stay_shared():
    left = shapely.box(113, 34, 114, 35)
    right = shapely.box(114, 34, 115, 35)
    shifted = [geometry_to_wgs84(side, datum="gcj02") for side in (left, right)]
    assert shifted[0].touches(shifted[1])
    assert geometry_to_wgs84(left, datum="cgcs2000") is left
