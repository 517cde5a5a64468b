"""Rows leave as GeoJSON pages that together hold everything exactly once."""

import shapely

from geo.store.incident_queries import IncidentFilter, incident_count


def pages(client, path):
    features, seen = [], 0
    while path:
        body = client.get(path).json()
        features += body["features"]
        path = body.get("next")
        seen += 1
        assert seen < 100
    return features


def test_pages_of_incidents_hold_every_row_once(client):
    everything = pages(client, "/incidents?limit=400")
    ids = [feature["id"] for feature in everything]
    assert ids == sorted(set(ids))
    sessions = client.app.state.sessions
    with sessions.begin() as session:
        assert len(ids) == incident_count(session, IncidentFilter())


def test_an_incident_tells_its_precision_and_never_a_person(client):
    feature = client.get("/incidents?limit=1").json()["features"][0]
    properties = feature["properties"]
    assert properties["case_number"].startswith("演示-")
    assert properties["radius_m"] > 0
    assert properties["occurred_from"].endswith("+08:00")
    assert not {"name", "suspect", "victim", "phone"} & properties.keys()


def test_a_box_holds_exactly_what_lies_in_it(client):
    west, south, east, north = 113.0, 34.0, 114.0, 35.0
    inside = pages(client, f"/incidents?bbox={west},{south},{east},{north}")
    box = shapely.box(west, south, east, north)
    everything = pages(client, "/incidents?limit=2000")
    expected = [
        row["id"]
        for row in everything
        if row["geometry"] and box.intersects(shapely.geometry.shape(row["geometry"]))
    ]
    assert [row["id"] for row in inside] == expected
    assert 0 < len(inside) < len(everything)


def test_adjoining_periods_share_no_incident_and_lose_none(client):
    both = {row["id"] for row in pages(client, "/incidents?period=2007-01/2007-02&limit=2000")}
    january = {row["id"] for row in pages(client, "/incidents?period=2007-01&limit=2000")}
    february = {row["id"] for row in pages(client, "/incidents?period=2007-02&limit=2000")}
    assert not january & february
    assert january | february == both


def test_lines_are_paged_and_filtered_by_sector(client):
    power = pages(client, "/lines?sector=power&limit=50")
    assert {row["properties"]["sector"] for row in power} == {"power"}
    assert len({row["id"] for row in power}) == len(power) > 50


def test_areas_of_a_day(client):
    body = client.get("/areas?on=2008-03-10&level=city").json()
    assert len(body["features"]) == 18


def test_a_tile_changes_its_etag_with_the_rows_and_is_empty_elsewhere(client):
    tile = client.get("/tiles/incidents/7/104/51.mvt")
    assert tile.status_code == 200
    assert tile.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert b"incidents" in tile.content
    again = client.get("/tiles/incidents/7/104/51.mvt", headers={"if-none-match": tile.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/tiles/incidents/7/0/0.mvt").status_code == 204


def test_health_is_told(client):
    assert client.get("/livez").json() == {"status": "live"}
    assert client.get("/readyz").json() == {"status": "ready"}
