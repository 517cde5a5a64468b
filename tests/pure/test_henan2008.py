import itertools
import shutil
from datetime import date

import numpy as np
import pandas as pd
import pytest

from geo.crs import METRIC, STORED
from geo.errors import FileRejectedError, MissingResourceError
from geo.frames import DATE_PRECISIONS, PLACE_PRECISIONS
from geo.io.campaign_files import CampaignFiles, read_campaign
from geo.io.person_names import holds_person_name
from geo.io.persons import names_a_person
from geo.io.place_names import HENAN2008, read_place_names


@pytest.fixture(scope="module")
def files():
    return read_campaign(HENAN2008)


def metres(lonlat):
    from pyproj import Transformer

    transformer = Transformer.from_crs(STORED, METRIC, always_xy=True)
    return np.column_stack(transformer.transform(lonlat["lon"].to_numpy(), lonlat["lat"].to_numpy()))


def test_the_annex_holds_13_and_1_and_10_cases(files):
    by = files.incidents.groupby(["annex", "supervised_by"], sort=False).size()
    assert by.to_dict() == {(2, "省公安厅"): 13, (3, "公安部"): 1, (3, "省公安厅"): 10}
    assert files.incidents["case_key"].tolist() == [
        *(f"A2-{number}" for number in range(1, 14)),
        *(f"A3-{number}" for number in range(11)),
    ]


def test_22_losses_are_stated_and_add_up(files):
    loss = files.incidents.set_index("case_key")["direct_loss_yuan"]
    assert loss.notna().sum() == 22
    assert loss.index[loss.isna()].tolist() == ["A3-0", "A3-1"]
    assert round(loss.sum(), 2) == 1_248_264.26
    assert round(loss[loss.index.str.startswith("A2")].sum(), 2) == 712_084.58
    qualifiers = files.incidents["loss_qualifier"]
    assert (qualifiers.isna() == files.incidents["direct_loss_yuan"].isna()).all()
    assert qualifiers.value_counts().to_dict() == {"exact": 14, "at_least": 5, "approx": 3}


def test_cases_by_city_and_none_where_targets_are_sharpest(files):
    assert files.incidents["city"].value_counts().to_dict() == {
        "许昌市": 6,
        "开封市": 3,
        "洛阳市": 2,
        "三门峡市": 2,
        "信阳市": 2,
        "周口市": 2,
        "驻马店市": 2,
        "鹤壁市": 2,
        "安阳市": 1,
        "平顶山市": 1,
        "郑州市": 1,
    }
    assert not {"南阳市", "商丘市"} & set(files.incidents["city"])


def test_all_seven_times_of_day_are_at_night(files):
    timed = files.incidents[files.incidents["date_precision"].isin(["minute", "hour", "night"])]
    assert len(timed) == 7
    hours = pd.concat(
        [timed["occurred_from"].dt.hour, (timed["occurred_until"] - pd.Timedelta("1us")).dt.hour]
    )
    assert ((hours >= 18) | (hours < 6)).all()


def test_intervals_are_as_wide_as_their_precision_says(files):
    assert files.incidents["date_precision"].value_counts().to_dict() == {
        "day": 15,
        "night": 3,
        "minute": 3,
        "month": 2,
        "hour": 1,
    }
    assert set(files.incidents["date_precision"]) <= set(DATE_PRECISIONS)
    width = files.incidents["occurred_until"] - files.incidents["occurred_from"]
    by_precision = {name: set(rows) for name, rows in width.groupby(files.incidents["date_precision"])}
    assert by_precision["day"] == {pd.Timedelta("1D")}
    assert by_precision["night"] == {pd.Timedelta("12h")}
    assert by_precision["month"] == {pd.Timedelta("31D")}
    assert by_precision["hour"] == {pd.Timedelta("1h")}
    assert by_precision["minute"] == {pd.Timedelta("20min"), pd.Timedelta("1min"), pd.Timedelta("7h45min")}
    assert str(files.incidents["occurred_from"].dt.tz) == "Asia/Shanghai"


def test_an_omitted_county_stays_empty_beside_the_one_found_by_hand(files):
    omitted = files.incidents[files.incidents["county"].isna()].set_index("case_key")
    assert omitted["county_by_hand"].to_dict() == {"A3-1": "驿城区", "A3-7": "禹州市", "A3-8": "禹州市"}
    is_inferred = files.incidents["county_basis"] == "inferred"
    assert (is_inferred == files.incidents["county"].isna()).all()
    written = files.incidents[~is_inferred]
    assert (written["county"] == written["county_by_hand"]).all()
    assert (is_inferred == files.incidents["flags"].str.contains("county_omitted").fillna(value=False)).all()


def test_no_place_is_finer_than_its_radius(files):
    assert set(files.incidents["place_precision"]) <= set(PLACE_PRECISIONS)
    least = {"township": 3_000, "county": 15_000}
    for frame in (files.incidents, files.sites.rename(columns={"precision": "place_precision"})):
        assert set(frame["place_precision"]) == set(least)
        assert (frame["radius_m"] >= frame["place_precision"].map(least)).all()
        assert (frame[["lon", "lat"]].round(5) == frame[["lon", "lat"]]).all(axis=None)
        assert frame["lon"].between(110.3, 116.7).all()
        assert frame["lat"].between(31.3, 36.4).all()


def test_the_circle_of_a_case_holds_the_circles_of_its_sites(files):
    joined = files.sites.merge(files.incidents, on="case_key", suffixes=("", "_case"))
    assert joined.groupby("case_key").size().to_dict() == {"A3-2": 3, "A3-3": 3}
    own = metres(joined)
    case = metres(joined[["lon_case", "lat_case"]].rename(columns={"lon_case": "lon", "lat_case": "lat"}))
    assert (np.hypot(*(own - case).T) + joined["radius_m"] <= joined["radius_m_case"] + 1).all()


def test_cable_of_annex_2_is_16666_metres_long(files):
    items = files.loss_items
    cable = items[items["kind"].isin(["copper_cable", "optical_cable"]) & items["length_m"].notna()]
    total = (cable["length_m"] * cable["count"].fillna(1).astype(float)).groupby(cable["case_key"]).sum()
    assert total[total.index.str.startswith("A2")].sum() == 16_666
    assert (total["A3-7"], total["A3-8"], total["A3-4"]) == (900, 2400, 120)


def test_loss_per_pair_metre_over_the_17_copper_cases(files):
    copper = files.loss_items[(files.loss_items["kind"] == "copper_cable")]
    assert copper[["pairs", "length_m"]].notna().all(axis=None)
    pair_metres = copper["pairs"].astype(float) * copper["length_m"] * copper["count"].fillna(1).astype(float)
    loss = files.incidents.set_index("case_key")["direct_loss_yuan"]
    ratios = (loss / pair_metres.groupby(copper["case_key"]).sum()).dropna()
    assert len(ratios) == 17
    assert [round(value, 3) for value in (ratios.min(), ratios.median(), ratios.max())] == [
        0.172,
        0.223,
        0.412,
    ]
    assert ratios.idxmax() == "A2-10"


def test_classes_of_the_cases(files):
    assert files.incidents["category"].value_counts().to_dict() == {
        "cable_theft": 18,
        "optical_cable_theft": 2,
        "base_station_equipment_theft": 2,
        "transformer_theft": 1,
        "optical_cable_sabotage": 1,
    }
    assert files.incidents["sector"].value_counts().to_dict() == {"telecom": 23, "power": 1}
    assert set(files.loss_items["case_key"]) == set(files.incidents["case_key"])


def test_city_targets_stand_in_four_tiers(files):
    targets = files.city_targets
    assert targets.groupby("target_change_pct").size().to_dict() == {-50: 5, -40: 5, -30: 5, 0: 3}
    assert (targets["comparison"] == "at_most").all()
    cities = files.areas_2008[files.areas_2008["level"] == "city"]
    assert dict(zip(targets["city"], targets["adcode"], strict=True)) == dict(
        zip(cities["name_2008"], cities["adcode_2008"], strict=True)
    )


def test_key_areas_pilots_and_their_cities(files):
    areas = files.key_areas
    assert areas.groupby("level")["target_change_pct"].agg(["size", "min", "max"]).to_numpy().tolist() == [
        [5, -70, -70],
        [21, -60, -60],
    ]
    assert areas.loc[areas["level"] == "provincial", "city"].nunique() == 13
    assert len(files.pilots) == 10
    assert set(files.pilots["county"]) <= set(areas["county"])
    known = files.areas_2008.set_index(["name_2008", "city"])["adcode_2008"]
    for frame in (areas, files.pilots):
        assert (
            known.loc[list(zip(frame["county"], frame["city"], strict=True))].to_numpy()
            == frame["adcode_2008"]
        ).all()
        assert all(
            written.endswith(name) for written, name in zip(frame["as_written"], frame["county"], strict=True)
        )


def test_phases_follow_each_other_through_the_campaign(files):
    campaign = files.campaign.iloc[0]
    assert files.phases["start_on"].tolist() == [campaign["start_on"], *files.phases["until_on"][:-1]]
    assert files.phases["until_on"].iloc[-1] == campaign["until_on"] == date(2008, 11, 1)
    assert len(files.phases) == 4
    days = [
        (until - start).days
        for start, until in zip(files.sweeps["start_on"], files.sweeps["until_on"], strict=True)
    ]
    assert days == files.sweeps["days"].tolist() == [10, 10]
    assert set(files.sweeps["date_precision"]) == {"late_month"}


def test_the_notice_was_published_after_its_own_deadline(files):
    campaign = files.campaign.iloc[0]
    assert campaign["planned_on"] < campaign["forwarded_on"] < date(2008, 3, 28) < campaign["published_on"]
    assert "28" in campaign["note"]
    assert "28" in campaign["note_en"]


def test_border_pairs_have_a_lead_among_themselves(files):
    pairs = files.border_pairs
    assert pairs["lead_city"].tolist() == ["周口市", "周口市", "许昌市", "许昌市", "郑州市"]
    assert all(
        lead in both for lead, *both in pairs[["lead_city", "city_a", "city_b"]].itertuples(index=False)
    )
    assert set(pairs["lead_basis"]) == {"inferred"}
    assert pairs["list_open"].all()
    assert pairs["shared_border_km"].between(50, 200).all()


def test_other_goals_are_stated_as_written(files):
    goals = files.indicators.set_index("indicator_code")
    assert goals.loc["clearance_rate", ["comparison", "value"]].tolist() == ["at_least", 50]
    assert goals.loc["supervised_cleared_rate", ["comparison", "value"]].tolist() == ["equal", 100]
    assert goals.loc[["olympic_incident_count", "severe_incident_count"], "value"].tolist() == [0, 0]
    assert goals["as_written"].notna().all()
    assert files.scrap_towns["town"].tolist() == ["大周镇", "大块镇", "回郭镇"]


def test_names_of_2008_lead_to_the_names_of_today(files):
    areas = files.areas_2008
    assert areas.groupby("level").size().to_dict() == {"city": 18, "county": 159}
    counties = areas[areas["level"] == "county"]
    assert not counties["adcode_2008"].duplicated().any()
    assert counties["adcode_2008"].str.fullmatch(r"41\d{4}").all()
    ending = counties["name_2008"].str[-1].value_counts().to_dict()
    assert ending == {"县": 88, "区": 50, "市": 21}
    renamed = counties.set_index("name_2008")["name_today"]
    for then, now in {
        "孟津县": "孟津区",
        "许昌县": "建安区",
        "淮阳县": "淮阳区",
        "陕县": "陕州区",
        "开封县": "祥符区",
        "偃师市": "偃师区",
        "长垣县": "长垣市",
    }.items():
        assert renamed[then] == now
    assert len(set(counties["adcode_today"])) == 157


def test_areas_that_differ_say_so_in_both_languages(files):
    areas = files.areas_2008.set_index("name_2008")
    assert set(areas["extent"]) == {"same", "approximately_same", "differs"}
    for name in ("驿城区", "安阳县", "山阳区"):
        assert (areas.loc[name, "extent"], areas.loc[name, "name_today"]) == ("differs", name)
        assert areas.loc[name, "adcode_2008"] == areas.loc[name, "adcode_today"]
    changed = areas[areas["extent"] != "same"]
    assert changed[["note", "note_en"]].notna().all(axis=None)
    is_renamed = areas.index != areas["name_today"]
    assert (areas.loc[is_renamed, "extent"] != "same").all()
    assert areas.loc[is_renamed, "valid_until"].notna().all()
    assert (areas["valid_until"].notna() == areas["valid_until_precision"].notna()).all()
    dated = areas[areas["valid_until"].notna()]
    assert all(day > date(2008, 11, 1) for day in dated["valid_until"])
    for precision, day in zip(dated["valid_until_precision"], dated["valid_until"], strict=True):
        assert precision == "day" or day.day == 1
        assert precision != "year" or day.month == 1


def test_no_county_name_is_used_twice_in_the_province():
    names = read_place_names()
    assert all(len(cities) == 1 for cities in names.counties.values())
    assert len(names.counties) == 159


def test_nothing_in_the_folder_names_a_person():
    for path in sorted(HENAN2008.iterdir()):
        text = path.read_text(encoding="utf-8")
        assert not holds_person_name(text), path.name
        assert not any(names_a_person(line) for line in text.splitlines()), path.name


def test_every_file_is_plain_utf_8_with_unix_line_ends():
    for path in sorted(HENAN2008.glob("*.csv")):
        data = path.read_bytes()
        assert not data.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in data
        assert data.endswith(b"\n")


@pytest.mark.parametrize("name", list(CampaignFiles.__slots__))
def test_a_missing_file_is_named(tmp_path, name):
    folder = shutil.copytree(HENAN2008, tmp_path / "campaign")
    (folder / f"{name}.csv").unlink()
    with pytest.raises(FileRejectedError, match=f"{name}.csv") as caught:
        read_campaign(folder)
    assert [fault.code for fault in caught.value.faults] == ["missing_file"]


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "column", "row"),
    [
        ("phases", "start_on", "began_on", "missing_column", "start_on", 1),
        ("phases", "2008-04-01,2008-07-01", "2008-04-31,2008-07-01", "bad_date", "start_on", 3),
        ("city_targets", ",-50,", ",half,", "bad_number", "target_change_pct", 2),
        ("loss_items", "copper_cable,300,58", "copper_cable,300.5,58", "bad_number", "pairs", 2),
        ("incidents", "2007-11-13T00:00:00+08:00", "2007-11-13", "bad_date", "occurred_from", 2),
        ("border_pairs", ",true,", ",perhaps,", "bad_value", "list_open", 2),
    ],
)
def test_a_bad_cell_or_column_is_named_without_its_value(tmp_path, name, old, new, code, column, row):
    folder = shutil.copytree(HENAN2008, tmp_path / "campaign")
    path = folder / f"{name}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileRejectedError, match=f"{name}.csv") as caught:
        read_campaign(folder)
    assert [(fault.code, fault.column, fault.row) for fault in caught.value.faults] == [(code, column, row)]
    assert new not in str(caught.value)


def test_a_file_of_bytes_or_without_rows_is_refused(tmp_path):
    folder = shutil.copytree(HENAN2008, tmp_path / "campaign")
    for data, code in (
        (b"\xff\xfe\x00", "encoding"),
        ((HENAN2008 / "phases.csv").read_bytes().split(b"\n")[0], "no_rows"),
    ):
        (folder / "phases.csv").write_bytes(data)
        with pytest.raises(FileRejectedError, match=r"phases\.csv") as caught:
            read_campaign(folder)
        assert caught.value.faults[0].code == code


def test_place_names_without_their_table_are_a_missing_resource(tmp_path):
    with pytest.raises(MissingResourceError, match=r"areas_2008\.csv"):
        read_place_names(tmp_path)


def test_the_same_cases_are_linked_by_nothing_but_their_place(files):
    """梁北 stands under two headings: the township points agree, so a repeated area can be found."""
    at = files.incidents.set_index("case_key")[["lon", "lat"]]
    assert at.loc["A2-10"].tolist() == at.loc["A3-7"].tolist()
    pairs = itertools.combinations(at.index, 2)
    assert [pair for pair in pairs if at.loc[pair[0]].equals(at.loc[pair[1]])] == [
        ("A2-7", "A3-10"),
        ("A2-10", "A3-7"),
    ]
