import hashlib
from datetime import timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.exposure import cable_exposure
from geo.analysis.province import START_ON, synthetic_province, truth_document
from geo.analysis.province_areas import CITIES, synthetic_areas
from geo.analysis.province_names import STEMS, town_stems, village_names
from geo.crs import to_metric
from geo.errors import InvalidInputError
from geo.frames import AREAS, INCIDENTS, SEGMENTS, STATIONS
from geo.periods import Period

SEED = 20
WHOLE = Period(START_ON, START_ON + timedelta(days=731))
FRAMES = ("areas", "lines", "segments", "facilities", "stations", "incidents", "loss_items")


@pytest.fixture(scope="module")
def province():
    return synthetic_province(seed=SEED)


def digest(province):
    total = hashlib.sha256()
    for name in (*FRAMES, "places"):
        frame = province.truth.places if name == "places" else getattr(province, name)
        plain = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
        total.update(plain.to_csv().encode())
        if "geometry" in frame:
            total.update(b"".join(shapely.to_wkb(frame.geometry.to_numpy(), byte_order=1)))
    total.update(repr(truth_document(province.truth)).encode())
    return total.hexdigest()


def square_areas(cities=("周口市", "商丘市"), counties_per_city=2):
    """Counties of about 37 by 40 km in two rows, one column or more to each city."""
    lon = 114.0 + 0.4 * np.arange(len(cities) * counties_per_city // 2 + 1)
    lat = 33.5 + 0.36 * np.arange(3)
    rows = [("city", f"41{90 + number}00", name, None, None) for number, name in enumerate(cities)]
    boxes = [
        (column, shapely.box(lon[column], lat[row], lon[column + 1], lat[row + 1]))
        for column in range(len(lon) - 1)
        for row in range(2)
    ]
    per_city = len(boxes) // len(cities)
    for number, (_, box) in enumerate(boxes):
        rows.append(("county", f"4190{number:02d}", f"演示{number}县", 11 + number // per_city, box))
    for number in range(len(cities)):
        own = [box for _, box in boxes[number * per_city : (number + 1) * per_city]]
        rows[number] = (*rows[number][:4], shapely.unary_union(own))
    frame = pd.DataFrame(rows, columns=[*AREAS, "geometry"], index=range(11, 11 + len(rows)))
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=4326)


@given(st.integers(0, 2**32))
@settings(max_examples=12)
def test_invented_areas_have_neither_gaps_nor_overlaps(seed):
    areas = synthetic_areas(seed=seed)
    cities, counties = (areas[areas["level"] == level] for level in ("city", "county"))
    assert shapely.coverage_is_valid(cities.geometry.to_numpy())
    assert shapely.coverage_is_valid(counties.geometry.to_numpy())
    assert areas.is_valid.all()
    whole = areas.geometry.loc[1]
    assert shapely.coverage_union_all(counties.geometry.to_numpy()).equals(whole)
    assert shapely.get_num_interior_rings(shapely.get_parts(whole)).tolist() == [0]
    for city_id, city in cities.geometry.items():
        own = counties.geometry[counties["parent_id"] == city_id]
        assert 3 <= len(own) <= 8
        assert shapely.coverage_union_all(own.to_numpy()).equals(city)
    assert areas["adcode"].is_unique
    assert areas["name"].is_unique


def test_each_city_holds_its_real_seat(province):
    cities = province.areas[province.areas["level"] == "city"]
    assert cities["name"].to_list() == [city.name for city in CITIES]
    seats = gpd.points_from_xy([city.lon for city in CITIES], [city.lat for city in CITIES])
    assert shapely.contains(cities.geometry.to_numpy(), seats).all()


def test_the_same_seed_gives_the_same_frames(province):
    assert digest(synthetic_province(seed=SEED)) == digest(province)


def test_another_seed_gives_other_frames(province):
    other = synthetic_province(seed=SEED + 1)
    for name in FRAMES:
        assert not getattr(other, name).equals(getattr(province, name)), name


def test_the_demo_has_the_size_it_promises(province):
    assert 2_500 <= len(province.segments) <= 4_200
    assert 1_200 <= len(province.incidents) <= 1_650
    assert len(province.facilities) > 300
    assert set(province.stations["state"]) == {"filed", "changed", "missing"}
    for frame in (province.segments, province.facilities, province.incidents):
        assert set(frame["sector"]) == {"power", "telecom", "broadcasting"}
    for frame, columns in (
        (province.areas, AREAS),
        (province.segments, SEGMENTS),
        (province.incidents, INCIDENTS),
        (province.stations, STATIONS),
    ):
        assert set(columns) <= set(frame.columns)
        assert frame.crs.to_epsg() == 4326
        assert frame.index.is_unique


def test_segments_of_a_line_follow_one_another_from_node_to_node(province):
    for line_id, on_line in province.segments.groupby("line_id"):
        assert on_line["sequence"].to_list() == list(range(1, len(on_line) + 1))
        assert on_line["to_node"].to_list()[:-1] == on_line["from_node"].to_list()[1:]
        starts, ends = (
            shapely.get_point(on_line.geometry.to_numpy(), 0),
            shapely.get_point(on_line.geometry, -1),
        )
        assert shapely.equals(ends[:-1], starts[1:]).all()
        assert set(on_line["line_name"]) == {province.lines.loc[line_id, "name"]}
        assert on_line["measure_m"].iloc[0] == 0
        assert on_line["measure_m"].to_list()[1:] == pytest.approx(
            on_line["length_m"].cumsum().to_list()[:-1], abs=1.0
        )


def test_only_copper_has_pairs_and_only_the_annex_sizes(province):
    segments = province.segments
    is_copper = segments["kind"] == "copper"
    assert ((segments["pairs"] > 0) == is_copper).all()
    assert set(segments.loc[is_copper, "pairs"]) == {20, 100, 200, 300, 400}
    assert set(segments.loc[is_copper, "sector"]) == {"telecom"}
    assert segments["owner"].str.startswith("演示").all()
    assert set(segments["laying"]) == {"aerial", "buried", "duct"}
    assert (segments.loc[segments["laying"] == "aerial", "span_count"] > 0).all()


def test_recorded_lengths_are_the_lengths_on_the_map(province):
    segments_m = to_metric(province.segments)
    assert np.abs(segments_m.length - province.segments["length_m"]).max() < 0.2
    assert province.segments.loc[province.segments["kind"] == "copper", "length_m"].between(300, 3_500).all()


def test_some_lines_enter_service_within_the_period(province):
    began = province.segments["in_service_from"]
    ended = province.segments["in_service_until"].dropna()
    assert (began > WHOLE.start_on).any()
    assert (ended < WHOLE.until_on).any()
    assert (ended > began.loc[ended.index]).all()


def test_every_copper_segment_has_exposure(province):
    copper = province.segments[province.segments["kind"] == "copper"]
    exposure = cable_exposure(copper, period=WHOLE)
    assert exposure.kind == "pair_km_nights"
    assert np.min(exposure.values) > 0


def test_a_name_means_one_place_in_a_county(province):
    assert not province.facilities.duplicated(["area_id", "name"]).any()
    assert not province.stations.duplicated(["area_id", "name"]).any()
    shapes = province.segments.geometry.to_numpy()
    ends = gpd.GeoDataFrame(
        {"name": pd.concat([province.segments["from_node"], province.segments["to_node"]]).to_numpy()},
        geometry=np.concatenate([shapely.get_point(shapes, 0), shapely.get_point(shapes, -1)]),
        crs=4326,
    )
    counties = province.areas.loc[province.areas["level"] == "county", ["geometry"]].rename_axis("county")
    ends = ends.sjoin(counties, predicate="within")
    ends["place"] = ends.geometry.to_wkb()
    places = ends.drop_duplicates(["county", "name", "place"])
    assert not places.duplicated(["county", "name"]).any()


@given(st.integers(0, 2**32), st.integers(0, 1_500))
@settings(max_examples=20)
def test_drawn_names_differ(seed, count):
    names = village_names(np.random.default_rng(seed), count)
    assert len(set(names)) == len(names) == count
    stems = town_stems(np.random.default_rng(seed), min(count, len(STEMS)))
    assert len(set(stems)) == len(stems)


def test_given_areas_are_used_with_their_ids():
    areas = square_areas(counties_per_city=4)
    small = synthetic_province(seed=3, areas=areas, days=365, baseline_count=120)
    assert small.areas.loc[areas.index, "name"].to_list() == areas["name"].to_list()
    assert shapely.equals(small.areas.geometry.loc[areas.index].to_numpy(), areas.geometry.to_numpy()).all()
    assert (small.areas["level"] == "province").sum() == 1
    assert set(small.incidents["area_id"]) <= set(areas.index[areas["level"] == "county"])
    (cluster,) = small.truth.border_clusters
    assert set(cluster.city_names) == {"周口市", "商丘市"}
    assert all(len(side) >= 4 for side in cluster.case_numbers)


def test_one_city_alone_has_no_border_cluster():
    small = synthetic_province(seed=3, areas=square_areas(("周口市",), 4), days=365, baseline_count=60)
    assert small.truth.border_clusters == ()
    assert len(small.incidents) >= 60


def test_areas_too_small_for_cable_are_refused():
    city = square_areas(("周口市",), 2).iloc[:2]
    tiny = city.set_geometry([shapely.box(114, 33.5, 114.002, 33.502)] * 2, crs=4326)
    with pytest.raises(InvalidInputError, match="too small"):
        synthetic_province(seed=1, areas=tiny)


def overlapping(areas):
    grown = areas.geometry.iloc[-1].buffer(0.01)
    return areas.set_geometry([*areas.geometry.iloc[:-1], grown], crs=4326)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (overlapping, "overlap"),
        (lambda areas: areas.to_crs(4547), "EPSG:4326"),
        (lambda areas: areas.drop(columns="adcode"), "adcode"),
        (lambda areas: areas[areas["level"] == "county"], "must belong to a city"),
        (lambda areas: areas[areas["level"] == "city"], "every city have one"),
        (lambda areas: areas.set_axis(areas["name"]), "whole numbers"),
        (lambda areas: areas.set_geometry([None, *areas.geometry.iloc[1:]], crs=4326), "no geometry"),
    ],
)
def test_areas_that_are_no_coverage_of_cities_are_refused(spoil, message):
    with pytest.raises(InvalidInputError, match=message):
        synthetic_province(seed=1, areas=spoil(square_areas()))


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 1, "days": 29}, {"seed": 1, "baseline_count": 0}])
def test_figures_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError):
        synthetic_province(**wrong)
