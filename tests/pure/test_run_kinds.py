"""Kinds of run find what was planted, and call nothing a hotspot that has not passed every test."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, Point, box

from geo.analysis.exposure import Exposure
from geo.errors import InvalidInputError
from geo.periods import CHINA
from geo.runs import KINDS, compute_run
from geo.runs.cells import lay_over, region_frame, study_of, touching_regions
from geo.runs.grounds import GroundInput
from geo.runs.inputs import RunInput, UnitInput
from layers.run_texts import run_tables, run_text

WEST, SOUTH = 400_000, 3_800_000
DAYS = {"start_on": date(2007, 1, 1), "until_on": date(2008, 1, 1)}
START = pd.Timestamp("2007-01-01", tz=CHINA)


def incidents(xy_m, days, *, radius_m=50.0, precision="point", hours=2.0):
    """Incidents as the store gives them: in degrees, with the interval about each day."""
    xy_m = np.asarray(xy_m, dtype=float)
    from_at = START + pd.to_timedelta(np.asarray(days, dtype=float), unit="D")
    frame = gpd.GeoDataFrame(
        {
            "occurred_from": from_at,
            "occurred_until": from_at + pd.Timedelta(hours=hours),
            "radius_m": np.full(len(xy_m), radius_m),
            "place_precision": precision,
            "area_id": 1,
            "area_name": "甲县",
            "cable_kind": "copper",
            "segment_id": pd.Series([None] * len(xy_m), dtype=object),
            "flags": [[] for _ in range(len(xy_m))],
        },
        geometry=[Point(*each) for each in xy_m],
        crs=4547,
    )
    frame.index = range(1, len(frame) + 1)
    return frame.to_crs(4326)


def squares(side=12, size_m=5000):
    made = [
        box(WEST + size_m * i, SOUTH + size_m * j, WEST + size_m * (i + 1), SOUTH + size_m * (j + 1))
        for j in range(side)
        for i in range(side)
    ]
    return gpd.GeoDataFrame({"label": ["a"] * len(made)}, geometry=made, crs=4547).to_crs(4326)


def grounded(found):
    return GroundInput(
        incidents=found, is_census=True, other_origin_count=0, ground=squares(), is_on_lines=False
    )


def spread(count, seed=0, side_m=60_000):
    return np.random.default_rng(seed).random((count, 2)) * side_m + [WEST, SOUTH]


def spread_days(count, seed=0):
    return np.random.default_rng(seed + 100).random(count) * 364


def around(count, east, north, reach_m=3000.0, seed=1):
    return np.random.default_rng(seed).normal(size=(count, 2)) * reach_m / 2 + [WEST + east, SOUTH + north]


def run(name, loaded, **changes):
    return compute_run(loaded, KINDS[name].request(**(DAYS | changes))).document


def test_gi_star_finds_a_planted_crowd_on_every_grid_and_calls_it_no_hotspot():
    # Over several cells: shuffled, a single crowded cell is as crowded anywhere.
    places = np.vstack((spread(80), around(80, 30_000, 30_000, reach_m=12_000.0)))
    found = run("gi_star", grounded(incidents(places, spread_days(160))), replications=199)
    assert found["verdict"] == "found"
    first = found["findings"][0]
    assert (first["is_hotspot"], first["is_stable_grid"], first["labels"]) == (False, True, ["甲县"])
    assert first["stable_share"] > 0.95
    assert first["case_count"] > 2 * first["expected"]
    assert "no_exposure_in_method" in found["reasons"]
    assert "unstable_places" not in found["reasons"]
    lon, lat = np.array(first["geometry"]["coordinates"][0]).mean(axis=0)
    middle = gpd.GeoSeries([Point(WEST + 30_000, SOUTH + 30_000)], crs=4547).to_crs(4326).iloc[0]
    assert abs(lon - middle.x) < 0.1
    assert abs(lat - middle.y) < 0.1


def test_a_crowd_of_imprecise_places_is_left_out_and_said_so():
    places = np.vstack((spread(80), around(60, 30_000, 30_000)))
    vague = incidents(places, spread_days(140), radius_m=9000.0, precision="township")
    found = run("gi_star", grounded(vague), replications=199)
    assert (found["verdict"], found["used_count"], found["omitted_count"]) == ("no_incidents", 0, 140)
    assert "imprecise_omitted" in found["reasons"]


def test_local_moran_tells_the_crowd_from_its_surroundings():
    places = np.vstack((spread(60), around(120, 30_000, 30_000, reach_m=9000.0)))
    found = run("local_moran", grounded(incidents(places, spread_days(180))), replications=199)
    assert found["verdict"] == "found"
    assert found["findings"][0]["class"] == "HH"
    assert found["findings"][0]["case_count"] > 20
    assert not any(row["is_hotspot"] for row in found["findings"])


def test_a_crowd_that_begins_in_the_last_month_is_new():
    places = np.vstack((spread(120), around(60, 30_000, 30_000, reach_m=9_000.0)))
    days = np.concatenate((spread_days(120), 335 + np.random.default_rng(5).random(60) * 29))
    found = run("emerging", grounded(incidents(places, days)), replications=499, cell_m=5000.0)
    assert found["verdict"] == "found"
    assert "new" in {row["class"] for row in found["findings"]}
    assert {row["class"] for row in found["findings"]} <= {"new", "sporadic", "oscillating"}
    steps = found["tables"]["steps"]
    assert len(steps["rows"]) == 12
    assert sum(row[steps["columns"].index("case_count")] for row in steps["rows"]) == found["used_count"]


def test_steps_that_the_replications_cannot_prove_are_refused():
    with pytest.raises(InvalidInputError, match="replications at least"):
        run("emerging", grounded(incidents(spread(9), spread_days(9))), replications=199, step="week")
    with pytest.raises(InvalidInputError, match="steps"):
        run("emerging", grounded(incidents(spread(9), spread_days(9))), until_on=date(2007, 2, 1))


@pytest.mark.parametrize("name", ["dbscan", "st_dbscan", "hdbscan"])
def test_clusters_are_candidates_however_dense_they_are(name):
    places = np.vstack((spread(60), around(12, 30_000, 30_000, reach_m=800.0)))
    days = np.concatenate((spread_days(60), 100 + np.arange(12) * 0.5))
    loaded = RunInput(incidents=incidents(places, days), is_census=True, other_origin_count=0)
    found = run(name, loaded)
    assert found["verdict"] == "candidates"
    first = found["findings"][0]
    assert set(range(61, 73)) <= {member for row in found["findings"] for member in row["members"]}
    assert not any(row["is_hotspot"] for row in found["findings"])
    assert "never_proves" in found["reasons"]
    assert first["labels"] == ("甲县",) or first["labels"] == ["甲县"]
    if name == "st_dbscan":
        assert (first["from_on"], first["until_on"]) == ("2007-04-11", "2007-04-17")


def test_near_repeats_are_found_where_they_were_planted():
    places, days = spread(150), spread_days(150)
    again = places[:40] + 150.0
    loaded = RunInput(
        incidents=incidents(
            np.vstack((places, again)), np.concatenate((days, np.minimum(days[:40] + 3, 363)))
        ),
        is_census=True,
        other_origin_count=0,
    )
    found = run("knox", loaded, replications=199)
    assert found["verdict"] == "found"
    assert found["findings"] == []
    table = found["tables"]["near_repeat"]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    (nearest,) = [
        row for row in rows if row["distance_from"] == 0 < row["distance_until"] and row["days_from"] == 0
    ]
    assert nearest["pairs"] >= 40
    assert nearest["p_family"] <= 0.05


def test_night_is_told_from_day():
    hours = np.random.default_rng(2).choice([22, 23, 0, 1, 2], 80)
    days = np.floor(spread_days(80)) + hours / 24
    loaded = RunInput(incidents=incidents(spread(80), days, hours=1.0), is_census=True, other_origin_count=0)
    found = run("hours", loaded, replications=199)
    assert found["verdict"] == "found"
    table = found["tables"]["hours"]
    weight = [row[table["columns"].index("weight")] for row in table["rows"]]
    assert sum(weight) == pytest.approx(80)
    assert sum(weight[hour] for hour in (22, 23, 0, 1, 2)) == pytest.approx(80)


def lines(count=60, *, responsible_unit=None):
    """One line of segments of a kilometre."""
    courses = [LineString([(WEST + 1000 * k, SOUTH), (WEST + 1000 * (k + 1), SOUTH)]) for k in range(count)]
    frame = gpd.GeoDataFrame(
        {
            "line_id": 1,
            "line_name": "王店支局线",
            "sequence": range(1, count + 1),
            "from_node": [f"{k}号" for k in range(count)],
            "to_node": [f"{k + 1}号" for k in range(count)],
            "sector": "telecom",
            "kind": "copper",
            "pairs": 30,
            "owner": "电信",
            "laying": "aerial",
            "length_m": 1000.0,
            "in_service_from": None,
            "in_service_until": None,
            "area_id": 1,
            "place": "甲县",
            "responsible_unit": responsible_unit,
            "label": "王店支局线",
        },
        geometry=courses,
        crs=4547,
        index=range(501, 501 + count),
    )
    return frame.to_crs(4326)


def on_lines(xy_m, *, responsible_unit=None, **changes):
    units = lines(responsible_unit=responsible_unit)
    told = {"is_census": True, "other_origin_count": 0, "is_on_lines": True} | changes
    exposure = Exposure(values=np.full(len(units), 30.0), kind="pair_km_nights")
    found = incidents(xy_m, spread_days(len(xy_m)))
    return UnitInput(incidents=found, units=units, exposure=exposure, **told)


def struck():
    """Return cases along the line and a crowd between kilometres 20 and 21.5."""
    rng = np.random.default_rng(3)
    east = np.concatenate((rng.random(25) * 60_000, 20_000 + rng.random(14) * 1500))
    return np.column_stack((WEST + east, np.full(len(east), SOUTH + 20.0)))


def test_a_planted_section_is_found_named_and_proven():
    found = run("sections", on_lines(struck()), replications=199)
    first = found["findings"][0]
    assert found["verdict"] == "hotspots"
    assert first["is_hotspot"]
    assert first["labels"][0].startswith("王店支局线 20号–2")
    assert (first["owner"], first["unit"], first["place"]) == ("电信", None, "甲县")
    assert first["case_count"] >= 14
    assert 19_900 <= first["from_m"] < first["until_m"] <= 21_600
    nights = first["case_count"] / (30 * first["judged_m"] / 1000 * 365)
    assert first["rate_per_pair_km_night"] == pytest.approx(nights, rel=1e-6)
    assert found["tables"]["repeats"]["rows"]


def test_a_section_names_the_unit_that_guards_its_segments_and_no_other():
    units = [None] * 18 + ["王店派出所"] * 3 + ["平原巡线队"] * 39
    found = run("sections", on_lines(struck(), responsible_unit=units), replications=199)
    first = found["findings"][0]
    assert set(first["unit"].split("、")) <= {"王店派出所", "平原巡线队"}
    assert first["unit"].startswith("王店派出所")
    for locale, said in (("zh", "责任单位：王店派出所"), ("en", "Responsible: 王店派出所")):
        document = found | {"asked": {"start_on": "2007-01-01", "until_on": "2008-01-01"}}
        assert said in run_text(document, locale=locale).sentences[0]
        titles = [str(name) for name in run_tables(document, locale=locale)[0].columns]
        assert ("所在县" if locale == "zh" else "County") in titles


def test_selected_cases_and_vague_places_prove_no_section():
    listed = run("sections", on_lines(struck(), is_census=False), replications=199)
    assert listed["verdict"] == "not_enough"
    assert "selected_cases" in listed["reasons"]
    loaded = on_lines(struck())
    vague = loaded.incidents.assign(radius_m=4900.0, place_precision="township")
    moved = UnitInput(
        incidents=vague,
        units=loaded.units,
        exposure=loaded.exposure,
        is_census=True,
        other_origin_count=0,
        is_on_lines=True,
    )
    found = run("sections", moved, replications=199)
    assert found["verdict"] == "not_enough"
    assert "unstable_places" in found["reasons"]


@pytest.mark.parametrize("model", ["permutation", "poisson"])
def test_a_scan_in_space_and_time_along_lines_gives_the_same_bytes_and_says_what_was_scanned(model):
    asked = KINDS["space_time_scan"].request(
        **DAYS, places="lines", model=model, replications=199, most_radius_m=5_000.0
    )
    told = []
    answer = compute_run(on_lines(struck()), asked, progress=lambda *step: told.append(step))
    again = compute_run(on_lines(struck()), asked)
    assert answer.result == again.result
    assert told[-1] == (399, 399)
    document = answer.document
    assert document["method"] == f"space_time_{model}"
    assert document["tables"]["places"] == {"columns": ["place_count", "piece_m"], "rows": [[60, 1000.0]]}
    assert document["verdict"] == ("hotspots" if model == "poisson" else "not_enough")
    assert all(finding["radius_m"] <= 5_000 for finding in document["findings"])
    for locale, said in (
        ("zh", "线路按1000米见方并成60处来找，圆的半径最大5公里"),
        ("en", "circles reach 5 km"),
    ):
        assert said in run_text(document, locale=locale).method


def test_a_scan_in_space_and_time_over_lines_falls_back_on_counties_and_says_so():
    counties = squares().assign(name="甲县")
    loaded = UnitInput(
        incidents=incidents(spread(30), spread_days(30)),
        units=counties,
        exposure=Exposure(values=np.ones(len(counties)), kind="area_km2"),
        is_census=True,
        other_origin_count=0,
        is_on_lines=False,
    )
    found = run("space_time_scan", loaded, places="lines", replications=99)
    assert found["tables"]["places"]["rows"] == [[len(counties), None]]


def test_without_lines_there_are_no_sections():
    counties = squares().assign(name="甲县")
    loaded = UnitInput(
        incidents=incidents(spread(30), spread_days(30)),
        units=counties,
        exposure=Exposure(values=np.ones(len(counties)), kind="area_km2"),
        is_census=True,
        other_origin_count=0,
        is_on_lines=False,
    )
    assert run("sections", loaded)["verdict"] == "no_exposure"


@pytest.mark.parametrize("name", ["poisson_scan", "network_scan"])
def test_a_scan_by_name_proves_what_the_search_proves(name):
    found = run(name, on_lines(struck()), replications=199)
    assert (found["kind"], found["method"], found["verdict"]) == (name, name, "hotspots")
    assert found["findings"][0]["is_hotspot"]
    assert found["why"] == []


def test_a_grid_covers_the_ground_and_regions_are_what_touches():
    study = study_of(squares().to_crs(4547).geometry)
    grid = lay_over(study, np.empty((0, 2)), cell_m=5000.0)
    assert 144 <= len(grid.cells) <= 169
    assert study_of(gpd.GeoSeries([], crs=4547)) is None
    about = lay_over(None, np.array([[WEST, SOUTH], [WEST + 9_000.0, SOUTH]]), cell_m=3000.0)
    from geo.analysis.grids import cell_weights

    weights = cell_weights(about)
    regions = touching_regions(weights, np.array([True, False, True]))
    assert [region.tolist() for region in regions] == [[0], [2]]
    assert region_frame(about, regions).geometry.area.tolist() == pytest.approx([9e6, 9e6])
    assert region_frame(about, []).empty
