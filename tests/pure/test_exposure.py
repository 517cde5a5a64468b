"""Exposure is counted in pair-kilometre-nights of cable in service."""

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.analysis.exposure import area_exposure, cable_exposure, nights_in_service
from geo.errors import InvalidInputError
from geo.periods import Period

MARCH = Period(date(2008, 3, 1), date(2008, 4, 1))


def segments(**columns):
    count = len(columns.get("pairs", columns.get("kind", [0])))
    plain = {
        "line_name": ["甲线"] * count,
        "from_node": ["甲"] * count,
        "to_node": ["乙"] * count,
        "sector": ["telecom"] * count,
        "kind": ["copper"] * count,
        "pairs": [100] * count,
        "owner": [None] * count,
        "laying": ["aerial"] * count,
        "length_m": [1000.0] * count,
        "in_service_from": [None] * count,
        "in_service_until": [None] * count,
        "area_id": [1] * count,
    }
    lines = [shapely.LineString([(0, i * 10), (1000, i * 10)]) for i in range(count)]
    return gpd.GeoDataFrame(plain | columns, geometry=lines, crs=4547)


def test_a_kilometre_of_100_pairs_over_march_is_3100_pair_km_nights():
    exposure = cable_exposure(segments(), period=MARCH)
    assert exposure.kind == "pair_km_nights"
    assert exposure.values == pytest.approx([3100.0])


def test_only_nights_in_service_count():
    frame = segments(
        pairs=[1, 1, 1, 1],
        in_service_from=[date(2008, 3, 30), None, date(2008, 5, 1), date(2007, 1, 1)],
        in_service_until=[None, date(2008, 3, 3), None, date(2007, 2, 1)],
    )
    assert nights_in_service(frame, MARCH).tolist() == [2, 2, 0, 0]


def test_lines_without_pairs_are_counted_in_line_km_nights():
    exposure = cable_exposure(
        segments(kind=["power", "power"], pairs=[0, 0], length_m=[500.0, 1000.0]), period=MARCH
    )
    assert exposure.kind == "line_km_nights"
    assert exposure.values == pytest.approx([15.5, 31.0])


def test_each_kind_gets_the_share_of_its_cases():
    frame = segments(kind=["copper", "copper", "optical"], pairs=[300, 100, 0])
    values = cable_exposure(frame, period=MARCH, case_counts={"copper": 9, "optical": 3}).values
    assert values == pytest.approx([9.5 * 0.75, 9.5 * 0.25, 3.5])


def test_a_frame_that_lacks_a_column_is_refused_by_name():
    with pytest.raises(InvalidInputError, match="pairs"):
        cable_exposure(segments().drop(columns="pairs"), period=MARCH)


def test_area_is_measured_in_square_kilometres():
    areas = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 2000, 3000)], crs=4547)
    assert np.allclose(area_exposure(areas).values, [6.0])
