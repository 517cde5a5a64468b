"""Sample views of the map page: a made-up province of four cities, with every layer and every kind of row."""

from __future__ import annotations

from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import LineString, Point, box

from api.run_address import analysis_view
from geo.analysis.density import kernel_density
from geo.analysis.hotspots import Hotspots
from geo.crs import METRIC, STORED, to_metric
from geo.periods import CHINA, read_period
from layers.page import Choices, DatasetNote, Filters, MapPanel, MapView, RunNote, RunState

NONCE = "bm9uY2Vub25jZW5vbmNl"
PERIOD = read_period("2008-01/2008-06")
WEST, SOUTH = 113.0, 34.0


def plain(text):
    return text


def sample_areas(text=plain):
    """Make a province of 2 x 2 cities, each of two counties; one county is silent, one had another extent."""
    rows = [(1, "province", "演示省", box(WEST, SOUTH, WEST + 2, SOUTH + 2), 24, "", True)]
    for city in range(4):
        x, y = WEST + city % 2, SOUTH + city // 2
        rows.append((10 + city, "city", f"第{city}市", box(x, y, x + 1, y + 1), 6 * city, "", True))
        for county in range(2):
            shape = box(x + county / 2, y, x + county / 2 + 0.5, y + 1)
            number = 2 * city + county
            note = "2008年时不含新区" if number == 1 else ""
            rows.append((100 + number, "county", f"第{number}县", shape, 3 * city, note, number != 2))
    frame = pd.DataFrame(
        rows, columns=["id", "level", "name", "geometry", "incident_count", "extent_note", "has_data"]
    )
    for column in ("name", "extent_note"):
        frame[column] = [text(cell) if cell else cell for cell in frame[column]]
    frame["extent_note_en"] = frame["extent_note"]
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=STORED).set_index("id")


def sample_incidents(text=plain):
    """One incident of every precision, two known to one county only, one without a place."""
    places = [
        ("point", 20, 113.2, 34.3),
        ("section", 150, 113.7, 34.3),
        ("village", 1500, 114.2, 34.6),
        ("township", 7400, 113.3, 35.4),
        ("county", 24000, 114.25, 35.5),
        ("county", 24000, 114.25, 35.5),
        ("city", 60000, np.nan, np.nan),
    ]
    rows = [
        {
            "case_number": text(f"A-{number}"),
            "occurred_from": datetime(2008, 1, 1 + number, 18, tzinfo=CHINA),
            "occurred_until": datetime(2008, 1, 2 + number, 6, tzinfo=CHINA),
            "date_precision": "night",
            "place_text": text(f"某乡第{number}村"),
            "place_precision": precision,
            "radius_m": None if np.isnan(x) else float(radius_m),
            "area_name": text("第1县"),
            "category": "cable_theft",
            "sector": "telecom",
            "origin": "reported",
            "is_census": number % 2 == 0,
            "direct_loss_yuan": 58500.0,
            "loss_qualifier": "approx",
            "outage_hours": 3.5,
            "flags": ["time_approx", text("未知标记")],
            "geometry": None if np.isnan(x) else Point(x, y),
        }
        for number, (precision, radius_m, x, y) in enumerate(places, start=1)
    ]
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=STORED, index=range(1, len(rows) + 1))


def sample_hotspots(text=plain, **changes):
    """Two candidates, the first proven."""
    clusters = gpd.GeoDataFrame(
        {
            "rank": [1, 2],
            "members": [(1, 2), (7,)],
            "labels": [(text("第1县 甲—乙线 东村至西村段"),), (text("第3县 丙—丁线"), text("第4县 戊线"))],
            "case_count": [7, 3],
            "expected": [1.2, 0.9],
            "relative_risk": [5.8, 3.3],
            "llr": [8.1, 2.2],
            "p": [0.002, 0.31],
            "stable_share": [0.94, 0.4],
            "radius_m": [4000.0, 2500.0],
            "is_hotspot": [True, False],
        },
        geometry=gpd.GeoSeries(
            [box(113.15, 34.25, 113.3, 34.35), box(114.1, 35.1, 114.3, 35.2)], crs=STORED
        ).to_crs(METRIC),
        crs=METRIC,
    )
    clusters = changes.pop("clusters", clusters)
    values = {
        "verdict": "hotspots",
        "reasons": ("imprecise_omitted",),
        "exposure_kind": "pair_km_nights",
        "incident_count": 7,
        "used_count": 5,
        "omitted_count": 2,
        "strongest_p": 0.002,
        "minimum_relative_risk": 4.6,
        "minimum_share": 0.03,
        "critical_llr": 6.0,
        "alpha": 0.05,
        "replications": 999,
        "draws": 200,
        "seed": 20080310,
    }
    return Hotspots(clusters=clusters, **(values | changes))


def not_enough(text=plain, **changes):
    """Make the same candidates, none of them proven."""
    hotspots = sample_hotspots(text)
    clusters = hotspots.clusters.assign(is_hotspot=False)
    reasons = ("selected_cases", "area_exposure", "imprecise_omitted")
    told = {"verdict": "not_enough", "reasons": reasons, "exposure_kind": "area_km2"}
    return sample_hotspots(text, clusters=clusters, **(told | changes))


def sample_density():
    """Make a raster over the incidents that have a place."""
    located = sample_incidents().dropna(subset="radius_m")
    return kernel_density(to_metric(located), bandwidth_m=30_000, cell_m=6_000)


def sample_campaign(text=plain):
    """Key areas, border pairs and supervised cases."""
    key_areas = gpd.GeoDataFrame(
        {
            "area_id": [100, 100, 103, 900],
            "name": [text("第0县"), text("第0县"), text("第3县"), text("某镇")],
            "role": ["key_national", "pilot", "key_provincial", "scrap_town"],
            "target_change_pct": [-70.0, np.nan, -60.0, np.nan],
            "note": [text("说明"), None, None, text("原文未写县")],
        },
        geometry=[Point(113.25, 34.5), Point(113.25, 34.5), Point(113.75, 34.5), Point(114.4, 34.2)],
        crs=STORED,
    )
    border_pairs = gpd.GeoDataFrame(
        {
            "name_a": [text("第0市")],
            "name_b": [text("第1市")],
            "lead_name": [text("第0市")],
            "lead_basis": ["inferred"],
            "note": [text("名单以等收尾")],
        },
        geometry=[LineString([(114, 34), (114, 35)])],
        crs=STORED,
    )
    incidents = sample_incidents(text)
    supervised = gpd.GeoDataFrame(
        {
            "item_key": incidents["case_number"],
            "supervised_by": text("省公安厅"),
            "supervised_year": 2008,
            "state": "open",
            "place_text": incidents["place_text"],
            "place_precision": incidents["place_precision"],
        },
        geometry=incidents.geometry,
        crs=STORED,
    )
    return {"key_areas": key_areas, "border_pairs": border_pairs, "supervised": supervised}


def sample_panel(text=plain, **changes):
    """One map with everything on it."""
    values = {
        "period": PERIOD,
        "incident_count": 7,
        "total_count": 24,
        "unlocated_count": 1,
        "incidents": sample_incidents(text),
        "areas": sample_areas(text),
        "lines_url": "/lines?sector=telecom",
        "density": sample_density(),
        "hotspots": sample_hotspots(text),
        **sample_campaign(text),
    }
    return MapPanel(**(values | changes))


def sample_view(locale="zh", text=plain, **changes):
    """One page with everything on it; `text` goes through every field that comes from outside."""
    values = {
        "locale": locale,
        "nonce": NONCE,
        "dataset": DatasetNote(
            kind="real",
            title=text("河南2008年专项斗争"),
            other_hint=text("演示省在另一个端口"),
            credits=(text("界线来源"),),
        ),
        "filters": Filters(period=PERIOD),
        "choices": Choices(
            categories=(("cable_theft", text("盗窃通信电缆")), ("burglary", text("入室盗窃"))),
            sectors=(("telecom", text("电信")), ("power", text("电力"))),
            areas=(("10", text("第0市")), ("100", text("第0县"))),
            period_presets=(("2008-01/2008-06", ""), ("2008-03", text("三月"))),
        ),
        "panels": (sample_panel(text),),
        "provenance": RunNote(
            run_id=12,
            method=text("hotspots/1"),
            period=PERIOD,
            input_count=7,
            input_hash=text("3fa9c17b22de90aa"),
            replications=999,
            draws=200,
            seed=20080310,
            version=text("0.1.0"),
            created_at=datetime(2008, 7, 1, 1, 30, tzinfo=UTC),
        ),
        "run": RunState(state="done", run_id=12),
        "notice": text("日期没有读懂，已显示全部时间") if text is not plain else "",
    }
    values |= changes
    period = values["filters"].period or PERIOD
    return MapView(**({"analysis": analysis_view(values["filters"], period, locale=locale)} | values))


def line_page(text=plain):
    """One page of segments, as the API gives it."""
    features = [
        {
            "type": "Feature",
            "id": number,
            "geometry": {
                "type": "LineString",
                "coordinates": [[113 + number / 5, 34.1], [113.2 + number / 5, 34.4]],
            },
            "properties": {
                "line_name": text("甲—乙线"),
                "sector": sector,
                "kind": text("copper"),
                "pairs": 200,
                "laying": "aerial",
                "owner": 1,
            },
        }
        for number, sector in enumerate(("telecom", "power", "broadcasting", text("else")))
    ]
    return {"type": "FeatureCollection", "features": features}
