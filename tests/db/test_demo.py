"""The demo province goes through the same road as real rows, and its planted hotspots are found and named."""

from datetime import date

import pytest

from geo.analysis.province import synthetic_province
from geo.demo import store_province
from geo.runs import HotspotRequest, compute_hotspots, load_hotspot_input
from geo.store.dataset import find_dataset

SEED = 20


@pytest.fixture
def province(session):
    made = synthetic_province(seed=SEED)
    store_province(session, made, seed=SEED)
    return made


def test_planted_hotspots_are_found_named_and_nothing_else_is_claimed(session, province):
    request = HotspotRequest(start_on=date(2006, 3, 1), until_on=date(2008, 3, 1), replications=199)
    loaded = load_hotspot_input(session, request)
    answer = compute_hotspots(loaded, request)
    found = answer.hotspots
    assert found.verdict == "hotspots"
    assert found.exposure_kind == "pair_km_nights"
    proven = found.clusters[found.clusters["is_hotspot"]]
    truth = province.truth
    lasting = [planted for planted in truth.hotspots if planted.period.days > 700]
    named = " ".join(name for names in proven["labels"] for name in names)
    assert lasting
    for planted in lasting:
        assert planted.line_name in named
    planted = {number for hotspot in truth.hotspots for number in hotspot.case_numbers}
    planted |= {number for border in truth.border_clusters for side in border.case_numbers for number in side}
    planted |= {number for series in truth.series for number in series.case_numbers}
    segment_of = loaded.incidents.set_index("case_number")["segment_id"]
    planted_on = segment_of[segment_of.index.isin(planted)].dropna()
    for members in proven["members"]:
        assert planted_on.isin(members).sum() >= 3, "a proven hotspot where nothing was planted"
    again = compute_hotspots(load_hotspot_input(session, request), request)
    assert again.result == answer.result


def test_the_truth_is_kept_apart_from_the_rows(session, province):
    dataset = find_dataset(session)
    assert dataset.kind == "demo"
    assert dataset.seed == SEED
    assert len(dataset.truth["hotspots"]) == len(province.truth.hotspots)
