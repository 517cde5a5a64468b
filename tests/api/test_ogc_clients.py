"""QGIS's and everybody's readers open Huxian: GDAL new and old, and OWSLib, against a real server."""

import json
import os
import shutil
import subprocess
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pyogrio
import pytest
from owslib.ogcapi.features import Features

from geo.store.incident_queries import IncidentFilter, find_incidents
from geo.store.lines import find_segments
from tests.serving import served

BOX = (113.0, 34.0, 114.0, 35.0)
COLLECTIONS = ["areas", "hotspots", "incidents", "segments", "stations"]
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


@pytest.fixture(scope="module")
def log(short_dir):
    return short_dir / "asked.log"


@pytest.fixture(scope="module")
def address(filled, log):
    with served(filled, log) as address:
        yield f"{address}/ogc"


@pytest.fixture(scope="module")
def stored(client):
    with client.app.state.sessions.begin() as session:
        return find_incidents(session, IncidentFilter()), find_segments(session)


@pytest.fixture
def asked(log):
    """Return a function that gives the targets asked for since the test began."""
    start = len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0
    return lambda: log.read_text(encoding="utf-8").splitlines()[start:]


def ogrinfo(*arguments):
    program = shutil.which("ogrinfo")
    if program is None:
        reason = "OGRINFO IS MISSING: no old GDAL is tested; install the package gdal-bin"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout


def read(address, layer, **options):
    return pyogrio.read_dataframe(f"OAPIF:{address}", layer=layer, **options)


def by_case(frame):
    return frame.set_index("case_number").sort_index()


def farthest_m(frame, stored):
    """Greatest distance in metres between places as read and as stored."""
    left, right = by_case(frame), by_case(stored[stored.geometry.notna()])
    left = left[left.geometry.notna()]
    assert list(left.index) == list(right.index)
    return float(left.geometry.to_crs(4547).distance(right.geometry.to_crs(4547)).max())


def test_gdal_lists_the_collections(address):
    assert sorted(pyogrio.list_layers(f"OAPIF:{address}")[:, 0]) == COLLECTIONS


def test_gdal_reads_every_incident_page_by_page_through_next(address, asked, stored):
    incidents, _ = stored
    frame = read(address, "incidents", INITIAL_REQUEST_PAGE_SIZE=20, PAGE_SIZE=500)
    assert sorted(frame["case_number"]) == sorted(incidents["case_number"])
    pages = [parse_qs(urlsplit(target).query) for target in asked() if "/incidents/items" in target]
    cursors = [page["cursor"][0] for page in pages if "cursor" in page]
    assert len(cursors) == len(set(cursors)) == (len(incidents) - 1) // 500


def test_gdal_reads_numbers_times_and_places_as_stored(address, stored):
    incidents, _ = stored
    frame = by_case(read(address, "incidents"))
    known = by_case(incidents)
    assert (frame["radius_m"].fillna(-1) == known["radius_m"].fillna(-1)).all()
    assert (frame["place_precision"] == known["place_precision"]).all()
    assert (frame["direct_loss_yuan"].fillna(-1) == known["direct_loss_yuan"].fillna(-1)).all()
    assert (frame["occurred_from"] == known["occurred_from"]).all()


def test_gdal_finds_the_incidents_of_a_box_and_asks_the_server_for_it(address, asked, stored):
    incidents, _ = stored
    frame = read(address, "incidents", bbox=BOX)
    expected = incidents[incidents.geometry.notna()].cx[BOX[0] : BOX[2], BOX[1] : BOX[3]]
    assert sorted(frame["case_number"]) == sorted(expected["case_number"])
    assert 0 < len(frame) < len(incidents)
    assert any("bbox=113" in target for target in asked())


def test_gdal_hands_filters_by_property_to_the_server(address, asked, stored):
    incidents, _ = stored
    frame = read(address, "incidents", where="category = 'cable_theft'")
    assert len(frame) == (incidents["category"] == "cable_theft").sum() > 0
    assert any("category=cable_theft" in target for target in asked())


def test_gdal_takes_wgs_84_in_the_order_it_likes_best(address, stored):
    frame = read(address, "incidents", CRS="EPSG:4326")
    assert frame.crs.equals("EPSG:4326", ignore_axis_order=True)
    assert farthest_m(frame, stored[0]) < 0.05


@pytest.mark.parametrize("epsg", [4490, 4547])
def test_gdal_finds_every_place_in_other_coordinate_systems(address, asked, stored, epsg):
    frame = read(address, "incidents", CRS=f"EPSG:{epsg}")
    assert frame.crs.to_epsg() == epsg
    assert farthest_m(frame, stored[0]) < 0.05
    assert any(str(epsg) in parse_qs(urlsplit(target).query).get("crs", [""])[0] for target in asked())


@pytest.mark.parametrize("layer", ["segments", "stations", "areas", "hotspots"])
def test_gdal_reads_every_collection(address, layer):
    with urllib.request.urlopen(f"{address}/collections/{layer}/items?limit=1", timeout=20) as answer:  # noqa: S310 - our own server
        described = json.load(answer)
    assert len(read(address, layer)) == described["numberMatched"]


def test_an_old_gdal_counts_and_reads_the_same(address, stored):
    incidents, segments = stored
    summary = ogrinfo("-ro", "-so", f"OAPIF:{address}", "incidents")
    assert f"Feature Count: {len(incidents)}" in summary
    assert "place_precision: String" in summary
    listed = ogrinfo("-ro", "-q", f"OAPIF:{address}", "segments", "-fid", "1")
    assert segments.loc[1, "line_name"] in listed
    west, south, east, north = (str(value) for value in BOX)
    found = ogrinfo(
        "-ro",
        "-so",
        "-oo",
        "PAGE_SIZE=100",
        f"OAPIF:{address}",
        "incidents",
        "-spat",
        west,
        south,
        east,
        north,
    )
    expected = incidents[incidents.geometry.notna()].cx[BOX[0] : BOX[2], BOX[1] : BOX[3]]
    assert f"Feature Count: {len(expected)}" in found


def test_owslib_walks_from_the_landing_page_to_a_feature(address, stored):
    client = Features(address)
    assert sorted(client.feature_collections()) == COLLECTIONS
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in client.conformance()["conformsTo"]
    assert client.api()["openapi"].startswith("3.0.")
    page = client.collection_items("incidents", limit=3, category="cable_theft")
    assert [row["properties"]["category"] for row in page["features"]] == ["cable_theft"] * 3
    inside = client.collection_items("incidents", bbox=list(BOX), limit=10_000)
    located = [row for row in inside["features"] if row["geometry"]]
    west, south, east, north = BOX
    assert all(
        west <= row["geometry"]["coordinates"][0] <= east
        and south <= row["geometry"]["coordinates"][1] <= north
        for row in located
    )
    first = page["features"][0]
    feature = client.collection_item("incidents", str(first["id"]))
    assert feature["properties"] == first["properties"]
    assert set(client.collection_queryables("incidents")["properties"]) >= {"category", "sector"}
