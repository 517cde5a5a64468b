"""Documents of runs have one shape, one form of bytes, and are read back as what was written."""

import json
import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point, box

from geo.analysis.density import kernel_density
from geo.analysis.documents import (
    density_from_raster,
    density_raster,
    document_bytes,
    finding_features,
    finding_rows,
    hotspots_document,
    hotspots_from_document,
    run_document,
    table,
)
from geo.analysis.hotspots import CLUSTER_COLUMNS, find_hotspots
from geo.errors import InvalidInputError

WEST, SOUTH = 400_000, 3_800_000
QUICK = {"exposure_kind": "pair_km_nights", "replications": 99, "draws": 40, "seed": 7}
EVERY_KEY = {
    "kind", "form", "method", "why", "verdict", "reasons", "findings", "tables", "raster", "lines", "exposure_kind",
    "incident_count", "used_count", "omitted_count", "strongest_p", "minimum_relative_risk", "minimum_share",
    "critical_llr", "alpha", "replications", "draws", "seed", "metric_epsg", "outlines",
}  # fmt: skip


def cells(side=12):
    squares = [
        box(WEST + 1000 * i, SOUTH + 1000 * j, WEST + 1000 * (i + 1), SOUTH + 1000 * (j + 1))
        for j in range(side)
        for i in range(side)
    ]
    frame = {"exposure": np.ones(len(squares)), "label": [f"row {k // side}" for k in range(len(squares))]}
    return gpd.GeoDataFrame(frame, geometry=squares, crs=4547, index=range(100, 100 + len(squares)))


def line(count=60):
    pieces = [LineString([(WEST + 1000 * k, SOUTH), (WEST + 1000 * (k + 1), SOUTH)]) for k in range(count)]
    frame = {"exposure": np.full(count, 30.0), "label": [f"trunk {k // 10}" for k in range(count)]}
    return gpd.GeoDataFrame(frame, geometry=pieces, crs=4547, index=[f"s{k:03d}" for k in range(count)])


def incidents(spots, radius_m=50.0):
    spots = np.asarray(spots, dtype=float).reshape(-1, 2)
    columns = {"radius_m": np.full(len(spots), radius_m), "place_precision": ["point"] * len(spots)}
    return gpd.GeoDataFrame(columns, geometry=[Point(*spot) for spot in spots], crs=4547)


def spread(count):
    return np.random.default_rng(0).random((count, 2)) * 12_000 + [WEST, SOUTH]


def stacked(count, east=6300, north=6600):
    return np.tile([WEST + east, SOUTH + north], (count, 1))


def test_a_document_read_back_is_the_result_itself():
    found = find_hotspots(incidents(np.vstack((stacked(12), spread(20)))), cells(), **QUICK)
    stored = document_bytes(hotspots_document(found))
    back = hotspots_from_document(json.loads(stored))
    assert document_bytes(hotspots_document(back)) == stored
    columns = list(CLUSTER_COLUMNS)
    pd.testing.assert_frame_equal(
        pd.DataFrame(back.clusters[columns]), pd.DataFrame(found.clusters[columns]), rtol=1e-9
    )
    assert back.clusters.crs == found.clusters.crs
    for one, other in zip(found.clusters.geometry, back.clusters.geometry, strict=True):
        assert one.symmetric_difference(other).area < 0.02 * one.length
    plain = {"clusters": None, "critical_llr": 0.0, "minimum_relative_risk": None, "minimum_share": None}
    assert replace(back, **plain).__repr__() == replace(found, **plain).__repr__()


def test_a_document_keeps_endless_risks_and_text_ids():
    found = find_hotspots(incidents(stacked(9, 5000, 0), 0), line(), **QUICK)
    document = hotspots_document(found)
    finding = document["findings"][0]
    assert finding["relative_risk"] is None
    assert finding["members"] == ["s004"]
    lon, lat = finding["geometry"]["coordinates"][0][0]
    assert (round(lon, 7), round(lat, 7)) == (lon, lat)
    assert 110 < lon < 117
    assert 31 < lat < 37
    back = hotspots_from_document(json.loads(document_bytes(document)))
    assert back.clusters["relative_risk"].iloc[0] == math.inf


def test_equal_documents_have_equal_bytes_whatever_the_order_of_keys():
    assert document_bytes({"b": [1, 0.1], "a": "庙"}) == '{"a":"庙","b":[1,0.1]}'.encode()
    assert document_bytes({"a": "庙", "b": [1, 0.1]}) == document_bytes({"b": [1, 0.1], "a": "庙"})
    with pytest.raises(InvalidInputError):
        document_bytes({"a": math.nan})
    with pytest.raises(InvalidInputError):
        document_bytes({"a": object()})


@given(st.floats(-1e300, 1e300))
def test_numbers_are_rounded_once_and_keep_their_centimetre(value):
    once = json.loads(document_bytes({"a": value}))["a"]
    assert document_bytes({"a": once}) == document_bytes({"a": value})
    assert once == pytest.approx(value, rel=1e-9)
    assert json.loads(document_bytes({"a": 114.1234567}))["a"] == 114.1234567


def test_a_document_passes_over_keys_it_does_not_know_and_refuses_damage():
    document = hotspots_document(find_hotspots(incidents(spread(9)), cells(), **QUICK))
    assert hotspots_from_document(document | {"unlocated_count": 3}).used_count == 9
    damaged = [
        {},
        document | {"form": 3},
        document | {"findings": {}},
        document | {"findings": [{"rank": 1, "geometry": None}]},
        {key: value for key, value in document.items() if key != "alpha"},
    ]
    for one in damaged:
        with pytest.raises(InvalidInputError):
            hotspots_from_document(one)


def test_a_document_of_the_first_form_is_still_read():
    document = hotspots_document(
        find_hotspots(incidents(stacked(12)), cells(), method="poisson_scan", **QUICK)
    )
    features = [
        {"type": "Feature", "geometry": finding["geometry"], "properties": finding | {"geometry": None}}
        for finding in document["findings"]
    ]
    old = {name: value for name, value in document.items() if name not in ("findings", "tables", "why")}
    old |= {"form": 1, "clusters": {"type": "FeatureCollection", "features": features}}
    assert document_bytes(hotspots_document(hotspots_from_document(old))) == document_bytes(document)
    assert [feature["id"] for feature in finding_features(old)] == [1]


def test_unit_ids_that_json_would_change_are_refused():
    units = cells().set_index(np.arange(144) / 2)
    found = find_hotspots(incidents(spread(9)), units, **QUICK)
    with pytest.raises(InvalidInputError):
        hotspots_document(found)


def test_every_document_has_the_same_keys():
    described = run_document(
        kind="hours", method="aoristic", verdict="found", facts={"used_count": np.int64(3)}
    )
    assert set(described) == EVERY_KEY
    assert described["used_count"] == 3
    assert set(hotspots_document(find_hotspots(incidents([]), cells(), **QUICK))) == EVERY_KEY
    for wrong in ({"verdict": "surely"}, {"facts": {"colour": 1}}):
        with pytest.raises(InvalidInputError):
            run_document(**({"kind": "hours", "method": "aoristic", "verdict": "found", "facts": {}} | wrong))


def test_findings_are_plain_values_with_geometry_in_degrees():
    frame = gpd.GeoDataFrame(
        {
            "rank": np.array([1, 2]),
            "labels": [("甲线",), ("乙线",)],
            "is_hotspot": np.array([True, False]),
            "relative_risk": [math.inf, math.nan],
            "from_on": [pd.Timestamp("2008-03-01"), pd.NaT],
        },
        geometry=[Point(WEST, SOUTH), None],
        crs=4547,
    )
    first, second = finding_rows(frame)
    assert (first["labels"], first["is_hotspot"], first["relative_risk"]) == (["甲线"], True, None)
    assert first["from_on"] == "2008-03-01T00:00:00"
    assert second["from_on"] is second["geometry"] is None
    assert 110 < first["geometry"]["coordinates"][0] < 117
    document_bytes({"findings": [first, second]})
    with pytest.raises(InvalidInputError):
        finding_rows(frame.drop(columns="rank"))


def test_a_table_keeps_whole_numbers_whole_and_gaps_empty():
    frame = pd.DataFrame({"area_id": [7, 8], "ratio": [1.5, math.nan], "name": ["甲", None]})
    assert table(frame) == {
        "columns": ["area_id", "ratio", "name"],
        "rows": [[7, 1.5, "甲"], [8, None, None]],
    }
    assert table(frame.iloc[:0])["rows"] == []


def test_a_density_comes_back_from_its_raster():
    within = box(WEST, SOUTH, WEST + 20_000, SOUTH + 12_000).difference(
        box(WEST, SOUTH, WEST + 9_000, SOUTH + 5_000)
    )
    found = kernel_density(spread(40), bandwidth_m=3000, cell_m=1000, within=within)
    raster = json.loads(document_bytes(density_raster(found, epsg=4547)))
    back = density_from_raster(raster)
    np.testing.assert_allclose(back.values, found.values, rtol=1e-3)
    np.testing.assert_allclose(back.x_m, found.x_m)
    np.testing.assert_allclose(back.y_m, found.y_m)
    assert np.isnan(back.values).any()
    assert back.incident_count == found.incident_count
    empty = density_raster(kernel_density(np.empty((0, 2)), bandwidth_m=3000, cell_m=1000), epsg=4547)
    assert density_from_raster(empty).reason == "no_incidents"
    with pytest.raises(InvalidInputError):
        density_from_raster(raster | {"rows": 5})
