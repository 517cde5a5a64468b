import json
from dataclasses import fields
from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.stats import chisquare

from geo.analysis.exposure import cable_exposure
from geo.analysis.province import START_ON, synthetic_province, truth_document
from geo.crs import to_metric
from geo.frames import DATE_PRECISIONS, PLACE_PRECISIONS
from geo.periods import Period

SEED = 20
WHOLE = Period(START_ON, START_ON + timedelta(days=731))


@pytest.fixture(scope="module")
def province():
    return synthetic_province(seed=SEED)


@pytest.fixture(scope="module")
def true_m(province):
    return to_metric(province.truth.places)


@pytest.fixture(scope="module")
def recorded_m(province):
    return to_metric(province.incidents).set_index("case_number")


@pytest.fixture(scope="module")
def exposed(province):
    """Pair-kilometre-nights of copper by segment."""
    copper = province.segments[province.segments["kind"] == "copper"]

    def of(period):
        return pd.Series(cable_exposure(copper, period=period).values, index=copper.index)

    return of


def metric(line):
    return to_metric(gpd.GeoSeries([line], crs=4326).to_frame("geometry")).geometry.iloc[0]


def test_every_record_is_marked_as_a_demonstration(province):
    numbers = province.incidents["case_number"]
    assert numbers.str.fullmatch(r"演示-\d{4}-\d{5}").all()
    assert numbers.is_unique
    assert numbers.to_list() == sorted(numbers)
    assert set(province.loss_items["case_number"]) == set(numbers)
    assert set(province.truth.places.index) == set(numbers)


def test_the_true_place_lies_within_the_recorded_radius(true_m, recorded_m):
    apart = true_m.geometry.distance(recorded_m.geometry.loc[true_m.index])
    assert (apart <= recorded_m["radius_m"].loc[true_m.index]).all()


def test_true_and_recorded_places_lie_in_the_same_county(province):
    places = province.truth.places.geometry.loc[province.incidents["case_number"]].to_numpy()
    counties = province.areas.geometry.loc[province.incidents["area_id"]].to_numpy()
    assert shapely.intersects(counties, places).all()
    assert shapely.intersects(counties, province.incidents.geometry.to_numpy()).all()
    cities = province.areas["parent_id"].loc[province.incidents["area_id"]]
    assert cities.to_list() == province.incidents["record_area_id"].to_list()


def test_recorded_times_hold_the_true_instant(province):
    true_at = province.truth.places["occurred_at"].loc[province.incidents["case_number"]].to_numpy()
    assert (province.incidents["occurred_from"].to_numpy() <= true_at).all()
    assert (true_at < province.incidents["occurred_until"].to_numpy()).all()
    start_at, until_at = WHOLE.bounds_at()
    night = timedelta(hours=6)
    assert (province.incidents["occurred_from"] >= start_at - night).all()
    assert (province.incidents["occurred_until"] <= until_at + night).all()
    hours = province.truth.places["occurred_at"].dt.hour
    assert ((hours >= 18) | (hours < 6)).mean() > 0.9


def test_times_are_recorded_as_minutes_nights_days_and_months(province):
    incidents = province.incidents
    length = incidents["occurred_until"] - incidents["occurred_from"]
    for precision, hours in (("minute", 1 / 60), ("night", 12), ("day", 24)):
        is_such = incidents["date_precision"] == precision
        assert is_such.any()
        assert (length[is_such] == pd.Timedelta(hours=hours)).all()
    months = length[incidents["date_precision"] == "month"]
    assert months.between(pd.Timedelta(days=28), pd.Timedelta(days=31)).all()
    assert set(incidents["date_precision"]) < set(DATE_PRECISIONS)


def test_places_are_as_imprecise_as_promised(province):
    incidents = province.incidents
    shares = incidents["place_precision"].value_counts(normalize=True)
    for precisions, share in (
        (["point", "section"], 0.45),
        (["village"], 0.3),
        (["township"], 0.15),
        (["county"], 0.1),
    ):
        assert shares[precisions].sum() == pytest.approx(share, abs=0.04)
    assert set(shares.index) < set(PLACE_PRECISIONS)
    for precision, low, high in (
        ("point", 100, 200),
        ("section", 150, 300),
        ("village", 1_200, 2_000),
        ("township", 3_000, 9_000),
    ):
        assert incidents.loc[incidents["place_precision"] == precision, "radius_m"].between(low, high).all()
    assert incidents["place_text"].str.contains("市演示").all()


def test_losses_follow_the_price_of_copper(province):
    items = province.loss_items[province.loss_items["kind"] == "copper_cable"]
    pair_m = (items["pairs"] * items["length_m"]).groupby(items["case_number"]).sum()
    exact = province.incidents[province.incidents["loss_qualifier"] == "exact"].set_index("case_number")
    price = (exact["direct_loss_yuan"] / pair_m).dropna()
    assert price.median() == pytest.approx(0.223, rel=0.05)
    assert price.between(0.08, 0.6).all()
    told = province.incidents["loss_qualifier"].notna()
    assert (province.incidents["direct_loss_yuan"].notna() == told).all()
    assert (province.incidents["outage_hours"].dropna() > 0).all()


def test_the_state_of_a_case_is_not_older_than_the_case(province):
    discovered_on = (province.incidents["occurred_until"] - timedelta(minutes=1)).dt.date
    since = province.incidents["status_since_on"]
    within = discovered_on < WHOLE.until_on
    assert (since[within] >= discovered_on[within]).all()
    assert (since < WHOLE.until_on).all()
    assert set(province.incidents["origin"]) == {"reported", "patrol"}


def test_the_baseline_follows_the_exposure_of_cable(province, exposed):
    exposure = exposed(WHOLE)
    copper = province.segments.loc[exposure.index]
    places = province.truth.places
    baseline = places[(places["planted"] == "baseline") & places["segment_id"].isin(copper.index)]
    for unit in ("area_id", "pairs", "line_id"):
        share = exposure.groupby(copper[unit]).sum() / exposure.sum()
        counts = baseline["segment_id"].map(copper[unit]).value_counts().reindex(share.index, fill_value=0)
        is_large = share * len(baseline) >= 5
        observed = [*counts[is_large], counts[~is_large].sum()]
        expected = [*share[is_large], share[~is_large].sum()]
        kept = np.array(expected) > 0
        assert chisquare(np.array(observed)[kept], np.array(expected)[kept] * len(baseline)).pvalue > 0.001, (
            unit
        )


def test_nothing_happens_on_cable_that_is_not_in_service(province):
    places = province.truth.places[province.truth.places["segment_id"].notna()]
    segments = province.segments.loc[places["segment_id"].astype(int)]
    day = places["occurred_at"].dt.date.to_numpy()
    assert (segments["in_service_from"].to_numpy() <= day).all()
    until = segments["in_service_until"].fillna(date(2100, 1, 1)).to_numpy()
    assert (day < until).all()


def test_true_places_lie_on_their_segment(province, true_m):
    segments_m = to_metric(province.segments)
    on_line = true_m[true_m["segment_id"].notna()]
    shapes = segments_m.geometry.loc[on_line["segment_id"].astype(int)].to_numpy()
    assert shapely.distance(on_line.geometry.to_numpy(), shapes).max() < 0.5


def test_planted_hotspots_lie_on_their_section(province, true_m):
    hotspots = province.truth.hotspots
    assert len(hotspots) == 4
    assert len({hotspot.line_id for hotspot in hotspots}) == 4
    assert sorted(hotspot.period.days < 200 for hotspot in hotspots) == [False, False, True, True]
    for number, hotspot in enumerate(hotspots, start=1):
        cases = true_m.loc[list(hotspot.case_numbers)]
        assert set(cases["planted"]) == {f"hotspot-{number}"}
        assert len(cases) == (true_m["planted"] == f"hotspot-{number}").sum() >= 4
        assert set(cases["segment_id"]) <= set(hotspot.segment_ids)
        assert cases["occurred_at"].between(*hotspot.period.bounds_at()).all()
        assert 1_500 <= hotspot.to_m - hotspot.from_m <= 4_000
        section = metric(hotspot.section)
        assert section.length == pytest.approx(hotspot.to_m - hotspot.from_m, abs=1)
        assert cases.geometry.distance(section).max() < 0.5


def test_hotspots_are_as_hot_as_they_say(province, exposed):
    copper_count = (province.truth.places["planted"] == "baseline").sum() * 0.88
    whole = exposed(WHOLE).sum()
    for hotspot in province.truth.hotspots:
        own = exposed(hotspot.period)[list(hotspot.segment_ids)].sum()
        # The season moves a few months by a quarter at most.
        assert hotspot.expected_count == pytest.approx(copper_count * own / whole, rel=0.27)
        risk = 1 + len(hotspot.case_numbers) / hotspot.expected_count
        assert risk == pytest.approx(hotspot.relative_risk, abs=0.01)
        assert 8 <= risk <= 15


def test_border_clusters_straddle_their_border(province, true_m, recorded_m):
    clusters = province.truth.border_clusters
    assert len(clusters) == 3
    assert set(clusters[0].city_names) == {"周口市", "商丘市"}
    assert len({cluster.city_ids for cluster in clusters}) == 3
    for cluster in clusters:
        cities = [to_metric(province.areas).geometry.loc[city] for city in cluster.city_ids]
        stretch = metric(cluster.stretch)
        assert stretch.distance(cities[0]) < 1
        assert stretch.distance(cities[1]) < 1
        for city_id, city, numbers in zip(cluster.city_ids, cities, cluster.case_numbers, strict=True):
            cases = true_m.loc[list(numbers)]
            assert len(cases) >= 4
            assert cases.intersects(city).all()
            assert cases.geometry.distance(stretch).max() <= cluster.depth_m + 1
            assert cases["occurred_at"].between(*cluster.period.bounds_at()).all()
            assert set(province.segments["kind"].loc[cases["segment_id"].astype(int)]) == {"copper"}
            assert set(recorded_m["record_area_id"].loc[list(numbers)]) == {city_id}


def test_the_series_travels_along_one_line_by_one_method(province, true_m, recorded_m):
    (series,) = province.truth.series
    assert 6 <= len(series.case_numbers) <= 9
    cases = true_m.loc[list(series.case_numbers)]
    line = to_metric(province.lines).geometry.loc[series.line_id]
    measures = shapely.line_locate_point(line, cases.geometry.to_numpy())
    assert (np.diff(measures) > 500).all()
    gaps = cases["occurred_at"].diff().dropna()
    assert gaps.between(pd.Timedelta(days=3), pd.Timedelta(days=10)).all()
    assert cases["occurred_at"].between(*series.period.bounds_at()).all()
    assert set(recorded_m["method"].loc[cases.index]) == {series.method}
    spoils = province.loss_items[province.loss_items["case_number"].isin(series.case_numbers)]
    assert len(spoils) == len(cases)
    assert len(set(spoils["pairs"])) == 1
    assert spoils["length_m"].between(100, 130).all()


def test_the_truth_can_be_stored_as_json(province):
    document = truth_document(province.truth)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert set(document) == {field.name for field in fields(province.truth)}
    assert set(document["places"]) == set(province.incidents["case_number"])
    assert len(document["hotspots"]) == 4
