"""Pairs that may be one event: found where planted, few where there are none, and the same however rows lie."""

import functools
import sys
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.duplicates import COLUMNS, find_duplicates
from geo.analysis.province import synthetic_province
from geo.crs import METRIC, to_metric
from geo.errors import InvalidInputError, UnitError

SEEDS = (1, 2, 3, 4, 5)
CABLES = {
    "cable_theft": "copper",
    "optical_cable_sabotage": "optical",
    "power_equipment_theft": "power",
    "transformer_theft": "power",
    "broadcasting_equipment_theft": "coaxial",
}
X_M, Y_M = 500_000.0, 3_840_000.0


def tell(text):
    """Print a figure for those who run pytest with -s."""
    sys.stdout.write(f"{text}\n")


def record(**given):
    day = pd.Timestamp("2008-03-10T00:00:00+08:00")
    return {
        "source": "许昌",
        "record_area_id": 1,
        "occurred_from": day,
        "occurred_until": day + pd.Timedelta(days=1),
        "place_text": "许昌市长葛市大周镇苏沟村",
        "radius_m": 1500.0,
        "area_id": 11,
        "city_id": 1,
        "category": "cable_theft",
        "category_parent": "line_theft",
        "cable_kind": "copper",
        "sector": "telecom",
        "direct_loss_yuan": np.nan,
        "loss_qualifier": None,
        "segment_id": np.nan,
        "segment_measure_m": np.nan,
        "x": X_M,
        "y": Y_M,
    } | given


def frame(records, *, first=1):
    table = pd.DataFrame(records, index=pd.RangeIndex(first, first + len(records), name="id"))
    table = table.reindex(columns=[*COLUMNS, "x", "y"])
    points = gpd.points_from_xy(table.pop("x"), table.pop("y"))
    missing = pd.Series(points, index=table.index).map(lambda point: point.is_empty or np.isnan(point.x))
    geometry = gpd.GeoSeries(points, index=table.index, crs=METRIC).where(~missing, None)
    return gpd.GeoDataFrame(table, geometry=geometry, crs=METRIC)


def score(*records, others=()):
    """Return the score of the first two records among others, 0 if they are no pair."""
    pairs = find_duplicates(frame([*records, *others]), least_score=0.0).pairs
    found = pairs[(pairs["incident_a_id"] == 1) & (pairs["incident_b_id"] == 2)]
    return 0.0 if found.empty else float(found["score"].iloc[0])


def codes(*records, others=()):
    pairs = find_duplicates(frame([*records, *others]), least_score=0.0).pairs
    return {reason["code"]: reason for reason in pairs["reasons"].iloc[0]}


@functools.cache
def made(seed):
    incidents = to_metric(synthetic_province(seed=seed).incidents)
    return incidents.assign(
        source="police",
        category_parent=incidents["category"].map({"cable_theft": "line_theft"}),
        cable_kind=incidents["category"].map(CABLES),
        city_id=incidents["record_area_id"],
        segment_id=np.nan,
        segment_measure_m=np.nan,
    )[[*COLUMNS, "geometry"]]


def province(seed):
    return made(seed).copy()


def in_disc(rng, radius_m):
    away, angle = radius_m * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
    return np.array([away * np.cos(angle), away * np.sin(angle)])


def retold(row, rng):
    """Tell an event once more as another city would: another place, hour and sum, each within its precision."""
    radius_m = float(rng.choice([150.0, 300.0, 1500.0]))
    true_xy = np.array([row["x"], row["y"]]) + in_disc(rng, 0.9 * row["radius_m"])
    x, y = true_xy + in_disc(rng, 0.9 * radius_m)
    start = row["occurred_from"]
    kind = rng.choice(["same", "day", "late"], p=[0.5, 0.4, 0.1])
    if kind != "same":
        start = row["occurred_from"].floor("D") + pd.Timedelta(days=int(kind == "late"))
    until = row["occurred_until"] if kind == "same" else start + pd.Timedelta(days=1)
    yuan = row["direct_loss_yuan"]
    loss = rng.choice(["same", "hundred", "wan", "missing", "near"], p=[0.55, 0.15, 0.08, 0.12, 0.10])
    told = {
        "same": yuan,
        "hundred": np.rint(yuan / 100) * 100,
        "wan": round(yuan / 10_000, 4),
        "missing": np.nan,
        "near": np.round(yuan * rng.uniform(0.9, 1.1), 2),
    }[loss]
    text = row["place_text"] if rng.random() < 0.5 else row["place_text"][:6] + "境内"
    return row | {
        "source": "other city",
        "record_area_id": row["record_area_id"] + 100,
        "radius_m": radius_m,
        "x": x,
        "y": y,
        "occurred_from": start,
        "occurred_until": until,
        "direct_loss_yuan": told,
        "place_text": text,
    }


def planted(seed, count=80):
    """Return a province with `count` events told twice, and the pairs of ids."""
    rng = np.random.default_rng(seed)
    incidents = province(seed)
    # An event known to a county or a month only can be recognised by nothing but its loss: see below.
    hours = (incidents["occurred_until"] - incidents["occurred_from"]).dt.total_seconds() / 3600
    clear = incidents[(incidents["radius_m"] <= 2500) & (hours <= 24)]
    chosen = clear.loc[rng.choice(clear.index, count, replace=False)]
    rows = chosen.assign(x=chosen.geometry.x, y=chosen.geometry.y).drop(columns="geometry").to_dict("records")
    twins = frame([retold(row, rng) for row in rows], first=100_001)
    truth = set(zip(chosen.index.tolist(), twins.index.tolist(), strict=True))
    return gpd.GeoDataFrame(pd.concat([incidents, twins]), crs=METRIC), truth


def as_pairs(found):
    return set(zip(found.pairs["incident_a_id"], found.pairs["incident_b_id"], strict=True))


def test_events_told_twice_are_found_and_little_else():
    hits = told = proposed = 0
    for seed in SEEDS:
        incidents, truth = planted(seed)
        pairs = as_pairs(find_duplicates(incidents))
        hits, told, proposed = hits + len(pairs & truth), told + len(truth), proposed + len(pairs)
    tell(f"\nplanted {told}, found {hits}: recall {hits / told:.3f}, precision {hits / proposed:.3f}")
    assert hits / told >= 0.95
    assert hits / proposed >= 0.90


def test_scores_mean_what_they_say():
    scores, right = [], []
    for seed in SEEDS:
        incidents, truth = planted(seed)
        pairs = find_duplicates(incidents, least_score=0.05).pairs
        scores += pairs["score"].tolist()
        right += [ids in truth for ids in zip(pairs["incident_a_id"], pairs["incident_b_id"], strict=True)]
    scores, right = np.array(scores), np.array(right)
    sure = right[scores >= 0.9]
    unsure = right[scores < 0.5]
    tell(
        f"\nof 0.9 and more {sure.mean():.3f} right ({len(sure)}), of less than 0.5 {unsure.mean():.3f} ({len(unsure)})"
    )
    assert sure.mean() >= 0.95
    assert unsure.mean() <= 0.5


@pytest.mark.parametrize("source", ["one", "two"])
def test_busy_lines_without_duplicates_give_few_proposals(source):
    proposed = looked_at = 0
    for seed in SEEDS:
        incidents = province(seed)
        if source == "two":
            rng = np.random.default_rng(seed)
            incidents["source"] = np.where(rng.random(len(incidents)) < 0.5, "police", "telecom")
        proposed += len(find_duplicates(incidents).pairs)
        looked_at += len(incidents)
    tell(f"\n{source}: {proposed} proposals for {looked_at} incidents without any duplicate")
    assert proposed <= 0.002 * looked_at


def busy_county(rng, count=150):
    """Return a year of incidents that are known to their county only."""
    days = pd.Timestamp("2008-01-01T00:00:00+08:00") + pd.to_timedelta(rng.integers(365, size=count), "D")
    return [
        record(
            source="许昌" if number % 2 else "电信",
            radius_m=25_000.0,
            place_text="许昌市长葛市境内",
            occurred_from=day,
            occurred_until=day + pd.Timedelta(days=1),
            direct_loss_yuan=round(float(rng.lognormal(9, 0.9)), 2),
        )
        for number, day in enumerate(days)
    ]


def test_vague_places_in_a_busy_county_are_no_duplicate_unless_the_loss_is_equal_to_the_cent():
    others = busy_county(np.random.default_rng(3))
    vague = {"radius_m": 25_000.0, "place_text": "许昌市长葛市境内"}
    here, there = record(**vague), record(**vague, source="电信", record_area_id=2)
    assert score(here, there, others=others) < 0.1
    other = {"direct_loss_yuan": 8123.45}, {"direct_loss_yuan": 21040.5}
    assert score(here | other[0], there | other[1], others=others) < 0.02
    equal = {"direct_loss_yuan": 8123.45}
    assert score(here | equal, there | equal, others=others) > 0.9
    assert codes(here | equal, there | equal, others=others)["loss_equal"]["yuan_b"] == 8123.45
    # A round sum is nobody's fingerprint.
    assert (
        score(here | {"direct_loss_yuan": 5000.0}, there | {"direct_loss_yuan": 5000.0}, others=others) < 0.5
    )


def test_records_without_a_point_are_told_apart_by_names_and_losses():
    blank = {"x": np.nan, "y": np.nan, "radius_m": np.nan}
    others = [one | blank for one in busy_county(np.random.default_rng(4))]
    village = record(**blank)
    twin = record(**blank, source="电信", place_text="长葛市大周镇苏沟村附近")
    elsewhere = record(**blank, source="电信", place_text="长葛市石固镇花园村")
    assert score(village, twin, others=others) > 3 * score(village, elsewhere, others=others)
    equal = {"direct_loss_yuan": 8123.45}
    assert score(village | equal, twin | equal, others=others) > 0.9
    assert score(village | equal, record(**blank, city_id=2, area_id=21, source="电信") | equal) == 0
    assert codes(village, twin)["area"] == {"code": "area"}


def test_reasons_tell_the_numbers():
    here = record(x=X_M, direct_loss_yuan=13265.1, segment_id=7, segment_measure_m=800.0)
    there = record(
        x=X_M + 120,
        radius_m=50.0,
        source="电信",
        direct_loss_yuan=13_300.0,
        segment_id=7,
        segment_measure_m=910.0,
        occurred_from=pd.Timestamp("2008-03-11T06:00:00+08:00"),
        occurred_until=pd.Timestamp("2008-03-11T07:00:00+08:00"),
    )
    told = codes(here, there)
    assert told["place"] == {"code": "place", "distance_m": 120, "radius_sum_m": 1550}
    assert told["time"] == {"code": "time", "hours_apart": 6.0}
    assert told["segment_same"]["along_m"] == 110
    assert told["names_shared"]["words"] == ["大周", "苏沟"]
    assert {"loss_rounded", "kind_same", "source_other", "chance"} <= told.keys()
    odds = np.prod([reason["factor"] for reason in told.values() if "factor" in reason])
    assert score(here, there) == pytest.approx(odds / (1 + odds), abs=0.01)


@pytest.mark.parametrize(
    "change",
    [
        {"sector": "power"},
        {"category": "transformer_theft", "cable_kind": "power"},
        {
            "occurred_from": pd.Timestamp("2008-03-12T01:00:00+08:00"),
            "occurred_until": pd.Timestamp("2008-03-12T02:00:00+08:00"),
        },
        {"x": X_M + 3300},
    ],
)
def test_what_cannot_be_one_event_is_no_pair(change):
    assert score(record(), record(source="电信") | change) == 0


def test_a_kind_named_more_broadly_by_one_office_still_pairs():
    broad = {"category": "line_theft", "category_parent": None, "cable_kind": None, "sector": None}
    precise = {"radius_m": 100.0, "direct_loss_yuan": 13265.1}
    assert score(record(**precise), record(source="电信") | precise | broad) > 0.9


def test_one_office_with_two_numbers_is_believed_less():
    assert score(record(), record()) < score(record(), record(record_area_id=2))


@given(st.randoms(use_true_random=False), st.integers(0, 30))
@settings(max_examples=15)
def test_the_order_of_rows_means_nothing(random, seed):
    rng = np.random.default_rng(seed)
    rows = [
        record(
            x=X_M + rng.normal(0, 900),
            source=str(rng.integers(3)),
            direct_loss_yuan=float(rng.choice([np.nan, 4300, 13265.1])),
        )
        for _ in range(25)
    ]
    incidents = frame(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    first, second = find_duplicates(incidents), find_duplicates(incidents.iloc[order])
    pd.testing.assert_frame_equal(first.pairs, second.pairs)
    assert first.capped_ids == second.capped_ids
    assert first.candidate_count == second.candidate_count


def test_only_new_rows_gives_the_same_scores():
    incidents, truth = planted(1)
    whole = find_duplicates(incidents).pairs
    twins = {second for _, second in truth}
    part = find_duplicates(incidents, only=twins).pairs
    expected = whole[whole["incident_a_id"].isin(twins) | whole["incident_b_id"].isin(twins)]
    pd.testing.assert_frame_equal(part, expected.reset_index(drop=True))


def test_thousands_of_equal_rows_stay_few_pairs_and_are_told():
    incidents = frame([record(source=str(number % 2), direct_loss_yuan=13265.1) for number in range(5000)])
    began = time.perf_counter()
    found = find_duplicates(incidents)
    taken = time.perf_counter() - began
    tell(f"\n5000 equal rows: {len(found.pairs)} pairs, {found.candidate_count} compared, {taken:.1f} s")
    ids = pd.concat([found.pairs["incident_a_id"], found.pairs["incident_b_id"]])
    assert ids.value_counts().max() <= 5
    assert len(found.capped_ids) > 4900
    assert found.candidate_count < 30_000
    assert taken < 10


def test_twenty_thousand_rows_take_seconds():
    rng = np.random.default_rng(5)
    base = province(5)
    rows = base.iloc[rng.integers(len(base), size=20_000)].reset_index(drop=True)
    rows.index = pd.RangeIndex(1, 20_001)
    shift = pd.to_timedelta(rng.integers(-400, 400, size=len(rows)), "D")
    rows["occurred_from"] += shift
    rows["occurred_until"] += shift
    rows["direct_loss_yuan"] = np.round(rng.lognormal(9, 0.9, size=len(rows)), 2)
    began = time.perf_counter()
    found = find_duplicates(rows)
    tell(
        f"\n20000 rows: {found.candidate_count} compared, {len(found.pairs)} pairs, {time.perf_counter() - began:.1f} s"
    )
    assert time.perf_counter() - began < 30


def test_nothing_and_one_row_give_no_pair():
    for count in (0, 1):
        found = find_duplicates(frame([record()] * count))
        assert found.pairs.empty
        assert list(found.pairs.columns) == ["incident_a_id", "incident_b_id", "score", "reasons"]
        assert found.capped_ids == ()


def test_degrees_and_missing_columns_are_refused():
    degrees = gpd.GeoDataFrame(
        frame([record(), record()]).drop(columns="geometry"),
        geometry=gpd.points_from_xy([113.4, 113.5], [34.1, 34.2]),
        crs=4326,
    )
    with pytest.raises(UnitError):
        find_duplicates(degrees)
    with pytest.raises(InvalidInputError, match="place_text"):
        find_duplicates(frame([record()]).drop(columns="place_text"))
