"""Incidents counted along a border are linked once, in the same way for the run, its zones and its briefing."""

import json
from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.analysis.border_zones import scan_borders
from geo.analysis.documents import document_bytes
from geo.crs import METRIC, STORED, to_metric
from geo.errors import CancelledRunError
from geo.periods import CHINA
from geo.runs import border_links
from geo.runs.border_links import (
    LINK_STEPS,
    counted_along,
    link_border,
    link_borders,
    linked_row,
    pairs_of_zone,
)
from geo.runs.borders import BorderInput, BordersRequest, located_incidents

X, Y = 500_000.0, 3_800_000.0
CODES = ("411400", "411600", "411700")
FIRST = pd.Timestamp("2007-01-03 22:00", tz=CHINA)
ASKED = BordersRequest(
    start_on=date(2007, 1, 1), until_on=date(2008, 1, 1), replications=99, draws=200, seed=5
)


def areas():
    """Make three cities in a row, each 40 km wide."""
    shapes = [shapely.box(X + 40_000 * k, Y, X + 40_000 * (k + 1), Y + 60_000) for k in range(len(CODES))]
    frame = gpd.GeoDataFrame(
        {
            "level": "city",
            "adcode": CODES,
            "name": ["甲市", "乙市", "丙市"],
            "parent_id": None,
            "extent": "same",
        },
        geometry=shapes,
        crs=METRIC,
        index=[11, 12, 13],
    )
    return frame.to_crs(STORED)


def loaded(*, series=6, others=24, sides=(11, 12), seed=3):
    """Make a series astride the first border in few nights, others along it all the year, each recorded by its city."""
    rng = np.random.default_rng(seed)
    along_m = np.concatenate((rng.uniform(20_000, 24_000, series), rng.uniform(0, 60_000, others)))
    out_m = np.concatenate((rng.uniform(500, 2_500, series), rng.uniform(500, 7_000, others)))
    is_first = np.arange(series + others) % 2 == 0
    days = np.concatenate((np.arange(series) * 3.0, rng.uniform(0, 360, others)))
    at = FIRST + pd.to_timedelta(days, unit="D")
    count = series + others
    incidents = gpd.GeoDataFrame(
        {
            "occurred_from": at,
            "occurred_until": at + pd.Timedelta(hours=4),
            "radius_m": 100.0,
            "area_id": pd.array(np.where(is_first, *sides), dtype="Int64"),
            "category": "cable_theft",
            "sector": "telecom",
            "segment_id": pd.array([pd.NA] * count, dtype="Int64"),
        },
        geometry=gpd.points_from_xy(X + 40_000 + np.where(is_first, -out_m, out_m), Y + along_m),
        crs=METRIC,
        index=pd.RangeIndex(101, 101 + count),
    ).to_crs(STORED)
    empty = gpd.GeoDataFrame(geometry=[], crs=STORED)
    return BorderInput(
        incidents=incidents,
        is_census=True,
        other_origin_count=0,
        areas=areas(),
        pairs=[(11, 12), (12, 13)],
        named_pairs=pd.DataFrame(),
        segments=empty,
        exposure=None,
        stations=empty,
        places=empty,
        # Item 7 was lost in an incident of another origin: it is not among those linked.
        loss_items=pd.DataFrame(
            {
                "incident_id": [*incidents.index[:series], 7],
                "kind": "copper_cable",
                "pairs": [300.0] * series + [np.nan],
            }
        ),
    )


def scanned(given, *, pairs=None):
    return scan_borders(
        located_incidents(given, level="city"),
        to_metric(given.areas),
        pairs=pairs or given.pairs,
        depth_m=8_000.0,
        step_m=2_000.0,
        replications=99,
        seed=5,
    )


@pytest.fixture(scope="module")
def given():
    return loaded()


@pytest.fixture(scope="module")
def found(given):
    return scanned(given)


def test_each_counted_incident_keeps_the_side_it_was_counted_on(found, given):
    for pair, border in found.borders.items():
        told = counted_along(pair, border)
        assert told["sides"].count("a") == border.count_a
        assert told["sides"].count("b") == border.count_b
        own = dict(zip("ab", pair, strict=True))
        recorded = given.incidents["area_id"].loc[told["incidents"]]
        assert [own[side] for side in told["sides"]] == recorded.tolist()


def test_a_border_written_backwards_has_its_sides_exchanged(found, given):
    backwards = scanned(given, pairs=[(12, 11)])
    one = counted_along((11, 12), found.borders[11, 12])
    other = counted_along((12, 11), backwards.borders[12, 11])
    assert other["incidents"] == one["incidents"]
    assert other["sides"] == [{"a": "b", "b": "a"}[side] for side in one["sides"]]


def test_what_the_run_says_and_what_its_document_gives_again_are_equal(found, given):
    links = link_borders(found, given, ASKED)
    row = counted_along((11, 12), found.borders[11, 12]) | linked_row(links[11, 12])
    assert row["linked"]["count"] == len(row["linked"]["pairs"]) > 0
    stored = json.loads(document_bytes(row))
    again = link_border(given, stored, seed=ASKED.seed)
    assert document_bytes(linked_row(again)) == document_bytes(linked_row(links[11, 12]))


def test_the_pairs_cross_and_carry_reasons_and_a_line(found, given):
    row = linked_row(link_borders(found, given, ASKED)[11, 12])
    pairs = row["linked"]["pairs"]
    assert [pair["odds"] for pair in pairs] == sorted((pair["odds"] for pair in pairs), reverse=True)
    for pair in pairs:
        assert {pair["side_a"], pair["side_b"]} == {"411400", "411600"}
        assert pair["odds"] >= 0.25
        assert pair["reasons"]
        ends = [given.incidents.geometry.loc[pair[name]] for name in ("incident_a", "incident_b")]
        line = shapely.geometry.shape(pair["geometry"])
        for end, at in zip(ends, line.coords, strict=True):
            assert at == pytest.approx((end.x, end.y), abs=1e-6)
    planted = set(range(101, 107))
    inside = [pair for pair in pairs if {pair["incident_a"], pair["incident_b"]} <= planted]
    assert inside
    assert all(pair["shared_kinds"] == ["copper_cable"] for pair in inside)
    assert all(pair["shared_kinds"] == [] for pair in pairs if pair not in inside)


def test_a_zone_holds_the_pairs_with_an_end_inside(found, given):
    row = linked_row(link_borders(found, given, ASKED)[11, 12])
    one = row["linked"]["pairs"][0]
    assert one in pairs_of_zone(row, [one["incident_a"]])
    assert pairs_of_zone(row, []) == []
    assert pairs_of_zone({"linked": None}, [one["incident_a"]]) == []
    whole = pairs_of_zone(row, given.incidents.index.tolist())
    assert whole == row["linked"]["pairs"]


def test_a_pair_of_one_place_has_no_line():
    given = loaded()
    geometry = given.incidents.geometry.copy()
    geometry.iloc[1] = geometry.iloc[0]
    given = replace(given, incidents=given.incidents.set_geometry(geometry))
    links = link_borders(scanned(given), given, ASKED)
    pairs = linked_row(links[11, 12])["linked"]["pairs"]
    (same,) = [pair for pair in pairs if {pair["incident_a"], pair["incident_b"]} == {101, 102}]
    assert same["geometry"] is None
    assert same["is_side_unsure"]


def test_incidents_voided_since_the_scan_are_left_out(found, given):
    border = counted_along((11, 12), found.borders[11, 12])
    left = replace(given, incidents=given.incidents.drop(index=101))
    again = link_border(left, border, seed=ASKED.seed)
    assert again.linkage.incident_count == len(border["incidents"]) - 1
    none = link_border(replace(given, incidents=given.incidents.iloc[:0]), border, seed=ASKED.seed)
    assert none.reason == "too_few_incidents"
    assert none.across_count == 0


def test_a_border_without_a_zone_is_looked_at_only_when_it_is_asked_for_alone():
    given = loaded(series=0, others=30)
    found = scanned(given)
    assert found.borders[11, 12].zones["p"].min() > 0.05
    assert link_borders(found, given, ASKED) == {(11, 12): "no_zone_passed", (12, 13): "too_few_incidents"}
    alone = link_borders(scanned(given, pairs=[(11, 12)]), given, replace(ASKED, pair="411400-411600"))
    assert alone[11, 12].linkage.incident_count == 30


def test_one_side_and_too_few_have_their_reasons(given):
    silent = loaded(sides=(11, 11))
    asked = replace(ASKED, pair="411400-411600")
    assert link_borders(scanned(silent), silent, asked)[11, 12] == "one_side"
    few = replace(given, incidents=given.incidents.iloc[:2])
    assert link_borders(scanned(few), few, asked)[11, 12] == "too_few_incidents"
    assert linked_row("one_side") == {"linked": None, "linked_reason": "one_side"}


def test_too_many_incidents_or_borders_are_not_compared_and_say_so(found, given, monkeypatch):
    monkeypatch.setattr(border_links, "MOST_BORDERS", 0)
    assert link_borders(found, given, ASKED)[11, 12] == "too_many_borders"
    monkeypatch.setattr(border_links, "MOST_COMPARED", found.borders[11, 12].case_count - 1)
    assert link_borders(found, given, ASKED)[11, 12] == "too_many_incidents"
    assert link_borders(found, given, replace(ASKED, pair="411400-411600"))[11, 12] == "too_many_incidents"


def test_progress_goes_up_to_the_end_and_may_stop(found, given):
    told = []
    link_borders(found, given, ASKED, progress=lambda done, total: told.append((done, total)))
    assert [total for _, total in told] == [LINK_STEPS] * len(told)
    done = [each for each, _ in told]
    assert done == sorted(done)
    assert done[-1] == LINK_STEPS

    def stop(_done, _total):
        raise CancelledRunError

    with pytest.raises(CancelledRunError):
        link_borders(found, given, ASKED, progress=stop)
