"""A scan of borders as a run leaves it: one border with two zones, one that is silent on a side, one named with its lead."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import pandas as pd
from shapely.geometry import LineString, Point, box, mapping

from geo.periods import CHINA, Period
from layers.borders_view import BorderFilters, BordersView, PairShown
from layers.views import RunNote, RunState

PERIOD = Period(date(2006, 3, 1), date(2008, 3, 1))
CITIES = {"411400": "商丘市", "411600": "周口市", "411700": "驻马店市"}
IDS = {"411400": 15, "411600": 17, "411700": 18}
RISKS = (2.0, 4.0, 6.0, 8.0)


def named(text=str):
    return {code: text(name) for code, name in CITIES.items()}


def power(steps=RISKS):
    return [
        {"relative_risk": risk, "pooled": risk / 10, "a": risk / 20, "b": risk / 40, "either": risk / 15}
        for risk in steps
    ]


def link(a=4, b=1, **changes):
    """Make a pair linked across that border: incident 4 lies on its second side."""
    return {
        "incident_a": a,
        "incident_b": b,
        "side_a": "411600",
        "side_b": "411400",
        "odds": 1.4,
        "chance_pairs": 0.2,
        "distance_m": 3200.0,
        "radius_sum_m": 5050.0,
        "days_apart": 12.0,
        "reasons": ["place", "items"],
        "against": ["time"],
        "shared_kinds": ["copper_cable"],
        "shared_pairs": [300],
        "is_side_unsure": True,
        "chain": 1,
        "geometry": mapping(LineString([(115.01, 34.15), (114.98, 34.15)])),
    } | changes


def border(a, b, *, west=115.0, text=str, **changes):
    """Make the row of a border that runs north at a longitude."""
    names = named(text)
    line = LineString([(west, 34.0), (west, 34.8)])
    return {
        "cities": [a, b],
        "area_ids": [IDS[a], IDS[b]],
        "names": [names[a], names[b]],
        "lead": None,
        "length_m": 88_000.0,
        "incidents": list(range(1, 31)),
        "sides": [*"aaab", *"a" * 15, *"b" * 11],
        "linked": {"count": 2, "chance": 0.8, "p": 0.03, "pairs": [link(), link(5, 20, geometry=None)]},
        "linked_reason": None,
        "case_count": 30,
        "count_a": 18,
        "count_b": 12,
        "exposure_a": 8.0,
        "exposure_b": 7.0,
        "omitted_count": 2,
        "moved_count": 1,
        "reason": None,
        "silent": [],
        "strongest_p": 0.002,
        "zone_count": 2,
        "minimum_relative_risk": 5.4,
        "power": power(),
        "extent_notes": [],
        "boundary": mapping(line),
        "belt_a": mapping(box(west - 0.1, 34.0, west, 34.8)),
        "belt_b": mapping(box(west, 34.0, west + 0.1, 34.8)),
    } | changes


def zone(rank=1, a="411400", b="411600", *, west=115.0, text=str, **changes):
    """Make a zone astride that border."""
    names = named(text)
    hours = [0.5] * 24
    hours[22] = hours[23] = hours[0] = 3.0
    return {
        "id": f"{a}-{b}-{rank}",
        "rank": rank,
        "p": 0.002,
        "llr": 10.5,
        "relative_risk": 6.4,
        "case_count": 4,
        "count_a": 3,
        "count_b": 1,
        "expected": 0.8,
        "expected_a": 0.5,
        "expected_b": 0.3,
        "stretch_from_m": 0.0,
        "stretch_until_m": 22_000.0,
        "depth_a_m": 2500.0,
        "depth_b_m": 5000.0,
        "found_by_a": False,
        "found_by_b": False,
        "p_alone_a": 0.21,
        "p_alone_b": 0.4,
        "power": 0.7,
        "power_a": 0.4,
        "power_b": 0.2,
        "stable_share": 0.99,
        "stacked_share": 0.0,
        "cities": [a, b],
        "area_ids": [IDS[a], IDS[b]],
        "areas": [names[a], names[b]],
        "lead": None,
        "stretch_name": "睢县—太康县交界22.0公里",
        "counties": [[text("睢县")], [text("太康县")]],
        "places": [[], [text("某镇")]],
        "share_a": 0.75,
        "found_by": "none",
        "sections": [
            {
                "name": text("睢县局—太康县局线 甲–乙 段 km 1.0–2.0"),
                "line_name": text("睢县局—太康县局线"),
                "from_node": text("甲"),
                "to_node": text("乙"),
                "from_m": 1000.0,
                "until_m": 2000.0,
                "case_count": 3,
                "owner": text("某公司"),
                "place": text("睢县"),
                "segments": [7],
            }
        ],
        "times": {
            "hours": hours,
            "weekdays": [1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
            "known_count": 6,
            "from_hour": 22,
            "until_hour": 1,
            "share": 0.62,
        },
        "stations": [{"station_id": 3, "name": text("某站"), "state": "missing", "distance_m": 1234.0}],
        "incidents": [1, 2, 3, 4],
        "geometry": mapping(box(west - 0.04, 34.1, west + 0.04, 34.3)),
        "stretch": mapping(LineString([(west, 34.1), (west, 34.3)])),
        "linked": [link()],
        "is_proven": True,
    } | changes


def document(*, zones=None, borders=None, text=str, **changes):
    """Make the document of a run over all borders."""
    if zones is None:
        zones = [
            zone(text=text),
            zone(
                2,
                text=text,
                p=0.03,
                stable_share=0.5,
                is_proven=False,
                found_by="a",
                linked=[],
                geometry=mapping(box(114.97, 34.5, 115.03, 34.6)),
            ),
        ]
    if borders is None:
        lead = {"name": text("周口市"), "basis": "inferred"}
        silent = {
            "reason": "no_cases_b",
            "silent": ["b"],
            "count_b": 0,
            "strongest_p": None,
            "zone_count": 0,
            "power": [],
            "minimum_relative_risk": None,
            "linked": None,
            "linked_reason": "one_side",
        }
        borders = [
            border("411400", "411600", text=text, lead=lead),
            border("411600", "411700", west=116.0, text=text, **silent),
        ]
    return {
        "kind": "borders",
        "form": 2,
        "method": "border_scan",
        "verdict": "hotspots" if any(each["is_proven"] for each in zones) else "not_enough",
        "why": [],
        "reasons": ["silent_side", "coarse_places"],
        "findings": [],
        "tables": {},
        "raster": None,
        "lines": None,
        "borders": borders,
        "zones": zones,
        "skipped": [],
        "asked": {
            "start_on": "2006-03-01",
            "until_on": "2008-03-01",
            "origin": "reported",
            "level": "city",
            "pair": None,
            "depth_m": 10_000.0,
            "step_m": 2_000.0,
        },
        "exposure_kind": "pair_km_nights",
        "incident_count": 40,
        "used_count": 30,
        "omitted_count": 2,
        "strongest_p": 0.002,
        "minimum_relative_risk": 5.4,
        "alpha": 0.05,
        "replications": 999,
        "draws": 200,
        "seed": 1,
        "outlines": "areas",
        "linked_limits": {"incidents": 800, "borders": 6},
        "is_census": True,
        "other_origin_count": 0,
        "unlocated_count": 0,
    } | changes


def areas(text=str):
    names = named(text)
    shapes = {
        "411400": box(114.0, 34.0, 115.0, 35.0),
        "411600": box(115.0, 34.0, 116.0, 35.0),
        "411700": box(116.0, 34.0, 117.0, 35.0),
    }
    rows = [
        {
            "level": "city",
            "adcode": code,
            "name": names[code],
            "parent_id": None,
            "extent_note": "",
            "extent_note_en": "",
        }
        for code in CITIES
    ]
    return gpd.GeoDataFrame(
        rows, geometry=list(shapes.values()), crs=4326, index=[IDS[code] for code in CITIES]
    )


def pairs(text=str):
    names = named(text)
    made = [("411400", "411600", 115.0, text("周口市"), "inferred"), ("411600", "411700", 116.0, "", "")]
    return tuple(
        PairShown(
            key=f"{a}-{b}",
            area_ids=(IDS[a], IDS[b]),
            names=(names[a], names[b]),
            cities=(names[a], names[b]),
            line=LineString([(west, 34.0), (west, 35.0)]),
            lead=lead,
            lead_basis=basis,
        )
        for a, b, west, lead, basis in made
    )


def incidents(text=str):
    at = pd.Timestamp("2007-01-05 18:00", tz=CHINA)
    rows = [
        {
            "source": "演示",
            "case_number": text(f"A-{number}"),
            "occurred_from": at,
            "occurred_until": at + pd.Timedelta(hours=12),
            "date_precision": "night",
            "place_text": text(f"某乡第{number}村"),
            "place_precision": "point" if number < 4 else "township",
            "radius_m": 50.0 if number < 4 else 5000.0,
            "area_name": text("睢县"),
            "side": "a" if number < 4 else "b",
            "is_by_record": number != 3,
        }
        for number in range(1, 5)
    ]
    points = [Point(114.98 + 0.01 * number, 34.15) for number in range(4)]
    return gpd.GeoDataFrame(rows, geometry=points, crs=4326, index=range(1, 5))


def view(*, pair=None, told=None, text=str, **changes):
    """Make what the page is given, with a finished run unless `told` is False."""
    found = document(text=text) if told is None else told
    filters = BorderFilters(pair=pair, period=PERIOD, scope="all" if pair else "pair")
    given = {
        "filters": filters,
        "whole": PERIOD,
        "areas": areas(text),
        "pairs": pairs(text),
        "request": {"kind": "borders", "period": "2006-03-01/2008-02-29"},
    }
    if found:
        given |= {
            "run": RunState(state="done", run_id=5),
            "run_id": 5,
            "document": found,
            "note": RunNote(
                run_id=5,
                method="borders/4",
                period=PERIOD,
                input_count=40,
                input_hash="ab" * 32,
                replications=999,
                draws=200,
                seed=1,
                version="0.1.0",
                created_at=pd.Timestamp("2026-01-01", tz=CHINA).to_pydatetime(),
            ),
        }
        if pair:
            segments = gpd.GeoDataFrame(
                {"line_name": ["x"]},
                geometry=[LineString([(114.98, 34.15), (115.02, 34.15)])],
                crs=4326,
                index=[7],
            )
            stations = gpd.GeoDataFrame(
                {"name": [text("某站")], "state": ["missing"]},
                geometry=[Point(115.02, 34.2)],
                crs=4326,
                index=[3],
            )
            shown = [each for each in found["zones"] if "-".join(each["cities"]) == pair]
            given |= {
                "incidents": {each["id"]: incidents(text) for each in shown},
                "segments": segments,
                "stations": stations,
                "linked_incidents": incidents(text).drop(columns=["side", "is_by_record"]),
            }
    return BordersView(**(given | changes))
