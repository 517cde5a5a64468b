"""Rows of areas, stations and hotspots leave as GeoJSON pages that together hold everything exactly once."""

import json

import pytest
import shapely
from fastapi.testclient import TestClient
from geoalchemy2.shape import from_shape
from sqlalchemy import text

from api.database import make_sessions, open_engine
from api.jobs import ask_run, open_queue, work_on_run
from api.main import create_app
from api.settings import Settings
from geo.periods import read_period
from geo.runs import HotspotRequest
from geo.store.areas import Area
from tests.databases import fresh_database

PERIOD = "2007-07/2007-12"


def pages(client, address):
    features, seen = [], 0
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.text[:300]
        assert answer.headers["content-type"] == "application/geo+json"
        body = answer.json()
        features += body["features"]
        address = body.get("next")
        seen += 1
        assert seen < 100
    return features


@pytest.mark.parametrize(
    ("address", "limit"),
    [
        ("/areas?on=2008-03-10", 20),
        ("/stations?", 7),
        ("/lines?sector=telecom", 300),
        ("/incidents?sector=power", 9),
    ],
)
def test_pages_hold_every_row_once_in_order(client, address, limit):
    joint = "" if address.endswith("?") else "&"
    whole = client.get(f"{address}{joint}limit=2000").json()
    assert len(whole["features"]) > limit
    assert pages(client, f"{address}{joint}limit={limit}") == pages(client, f"{address}{joint}limit=2000")
    ids = [row["id"] for row in whole["features"]]
    assert ids == sorted(set(ids))


def test_areas_are_found_by_level_by_area_and_by_box(client):
    every = pages(client, "/areas?on=2008-03-10")
    cities = [row for row in every if row["properties"]["level"] == "city"]
    assert pages(client, "/areas?on=2008-03-10&level=city") == cities
    first = cities[0]["id"]
    inside = [row for row in every if first in (row["id"], row["properties"]["parent_id"])]
    assert pages(client, f"/areas?on=2008-03-10&area={first}") == inside
    box = shapely.box(113.0, 34.0, 113.2, 34.2)
    met = [
        row for row in every if row["geometry"] and box.intersects(shapely.geometry.shape(row["geometry"]))
    ]
    assert pages(client, "/areas?on=2008-03-10&bbox=113.0,34.0,113.2,34.2") == met
    assert 0 < len(met) < len(every)


def test_stations_are_found_by_state_by_area_and_by_box(client):
    every = pages(client, "/stations")
    filed = [row for row in every if row["properties"]["state"] == "filed"]
    assert pages(client, "/stations?state=filed") == filed
    area = every[0]["properties"]["area_id"]
    there = [row for row in every if row["properties"]["area_id"] == area]
    assert pages(client, f"/stations?area={area}") == there
    box = shapely.box(113.0, 34.0, 114.0, 35.0)
    met = [row for row in every if box.intersects(shapely.geometry.shape(row["geometry"]))]
    assert pages(client, "/stations?bbox=113,34,114,35") == met
    assert 0 < len(met) < len(every)
    assert set(every[0]["properties"]) == {"name", "state", "has_import_permit", "area_id"}


@pytest.fixture(scope="module")
def withheld(admin_url, template):
    """Serve a database with one area, whose polygon may not be handed on."""
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web)
        sessions = make_sessions(engine)
        with sessions.begin() as session:
            outline = from_shape(shapely.MultiPolygon([shapely.box(113, 34, 114, 35)]), srid=4326)
            session.add(Area(level="city", name="甲市", is_redistributable=False, geom=outline))
        app = create_app(Settings(), sessions, open_queue(urls.web))
        yield TestClient(app, raise_server_exceptions=False)
        engine.dispose()


@pytest.fixture(scope="module")
def run_id(client, filled):
    """Compute a search over half a year."""
    period = read_period(PERIOD)
    wanted = HotspotRequest(start_on=period.start_on, until_on=period.until_on, replications=99, seed=11)
    sessions = client.app.state.sessions
    with sessions.begin() as session:
        run, _ = ask_run(session, open_queue(filled.web), wanted)
        found = run.id
    assert work_on_run(sessions, found) == "done"
    return found


def test_hotspots_are_those_of_the_run_and_tell_their_verdict(client, run_id):
    body = client.get(f"/hotspots?run={run_id}").json()
    kept = client.get(f"/runs/{run_id}").json()
    assert body["verdict"] == kept["result"]["verdict"]
    assert body["reasons"] == kept["result"]["reasons"]
    assert body["run"]["id"] == run_id
    assert body["run"]["input_hash"] == kept["input_hash"]
    assert [row["properties"] | {"geometry": row["geometry"]} for row in body["features"]] == kept["result"][
        "findings"
    ]
    assert [row["id"] for row in body["features"]] == list(range(1, len(body["features"]) + 1))
    assert all(isinstance(row["properties"]["is_hotspot"], bool) for row in body["features"])


def test_hotspots_are_found_by_exactly_what_was_asked(client, run_id):
    whole = client.get(f"/hotspots?period={PERIOD}").json()
    assert whole["run"]["id"] == run_id
    assert client.get(f"/hotspots?period={PERIOD}&sector=power").status_code == 404
    assert client.get("/hotspots?period=2007-07/2007-11").status_code == 404
    newest = client.get("/hotspots").json()["run"]["parameters"]
    assert (newest["sector"], newest["category"], newest["area_id"]) == (None, None, None)


def test_hotspots_of_a_box(client, run_id):
    every = client.get(f"/hotspots?run={run_id}").json()["features"]
    assert every
    west, south, east, north = shapely.geometry.shape(every[0]["geometry"]).bounds
    box = shapely.box(west, south, east, north)
    met = client.get(f"/hotspots?run={run_id}&bbox={west:.6f},{south:.6f},{east:.6f},{north:.6f}").json()[
        "features"
    ]
    expected = [row for row in every if box.intersects(shapely.geometry.shape(row["geometry"]))]
    assert [row["id"] for row in met] == [row["id"] for row in expected]


def test_outlines_made_of_area_polygons_stay_here(client, run_id):
    """A run by area tells its clusters without outlines, here and in the OGC API."""
    sessions = client.app.state.sessions
    with sessions.begin() as session:
        result = json.loads(
            session.scalar(text("select result from huxian.run where id = :id"), {"id": run_id})
        )
        by_area = json.dumps(result | {"exposure_kind": "area_km2"}).encode()
        session.execute(
            text("update huxian.run set result = :result where id = :id"), {"id": run_id, "result": by_area}
        )
    try:
        body = client.get(f"/hotspots?run={run_id}").json()
        assert body["features"]
        assert all(row["geometry"] is None for row in body["features"])
        assert client.get(f"/hotspots?run={run_id}&bbox=110,30,118,38").json()["features"] == []
        outward = client.get("/ogc/collections/hotspots/items").json()["features"]
        assert {row["properties"]["run_id"] for row in outward} == {run_id}
        assert all(row["geometry"] is None for row in outward)
    finally:
        with sessions.begin() as session:
            original = json.dumps(
                result, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
            ).encode()
            session.execute(
                text("update huxian.run set result = :result where id = :id"),
                {"id": run_id, "result": original},
            )


def test_a_polygon_whose_licence_forbids_it_is_not_handed_on_nor_told_by_a_box(withheld):
    (row,) = withheld.get("/areas?on=2008-03-10").json()["features"]
    assert row["geometry"] is None
    assert withheld.get("/areas?on=2008-03-10&bbox=113,34,114,35").json()["features"] == []
    far, near = (
        withheld.get(f"/ogc/collections/areas/items?bbox={box}").json()["features"]
        for box in ("70,10,71,11", "113,34,114,35")
    )
    assert far == near
    assert near[0]["geometry"] is None
    assert near[0]["properties"]["is_redistributable"] is False
    assert "extent" not in withheld.get("/ogc/collections/areas").json() or (
        "spatial" not in withheld.get("/ogc/collections/areas").json()["extent"]
    )
