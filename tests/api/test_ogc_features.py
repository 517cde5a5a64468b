"""OGC API - Features Part 1, requirement by requirement: http://www.opengis.net/spec/ogcapi-features-1/1.0/req/..."""

import re
from datetime import datetime
from urllib.parse import quote, urlsplit

import pytest
import shapely

from geo.store.incident_queries import IncidentFilter, find_incidents
from tests.ogc import COLLECTIONS, EPSG, document, every_page, items, link_of

FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
PAGES = [
    "/ogc",
    "/ogc/conformance",
    "/ogc/collections",
    "/ogc/collections/incidents",
    "/ogc/collections/incidents/items?limit=3",
    "/ogc/collections/incidents/items/1",
    "/ogc/tileMatrixSets",
    "/ogc/tileMatrixSets/WebMercatorQuad",
    "/ogc/tiles",
    "/ogc/tiles/WebMercatorQuad",
    "/ogc/collections/segments/tiles",
    "/ogc/collections/segments/tiles/WebMercatorQuad",
]


@pytest.fixture(scope="module")
def stored(client):
    with client.app.state.sessions.begin() as session:
        return find_incidents(session, IncidentFilter())


def test_req_core_root_success(client):
    links = document(client, "/ogc")["links"]
    for relation in ("self", "service-desc", "service-doc", "conformance", "data"):
        href = next(link["href"] for link in links if link["rel"] == relation)
        answer = client.get(href)
        assert answer.status_code == 200, relation
    assert client.get("/ogc/").json() == client.get("/ogc").json()


def test_req_core_conformance_success(client):
    declared = document(client, "/ogc/conformance")["conformsTo"]
    for name in ("core", "oas30", "html", "geojson"):
        assert FEATURES + name in declared
    assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in declared
    assert len(declared) == len(set(declared))


def test_req_core_fc_md_links_and_items(client):
    body = document(client, "/ogc/collections")
    assert [each["id"] for each in body["collections"]] == COLLECTIONS
    assert all(link["rel"] and link["type"] for link in body["links"])
    for each in body["collections"]:
        kinds = {link["type"] for link in each["links"] if link["rel"] == "items"}
        assert kinds == {"application/geo+json", "text/html"}
        assert each == document(client, f"/ogc/collections/{each['id']}")


def test_req_core_fc_md_extent(client, stored):
    extent = document(client, "/ogc/collections/incidents")["extent"]
    assert extent["spatial"]["bbox"][0] == pytest.approx(stored.total_bounds, abs=1e-7)
    first, last = extent["temporal"]["interval"][0]
    assert datetime.fromisoformat(first) == stored["occurred_from"].min()
    assert datetime.fromisoformat(last) == stored["occurred_until"].max()


def test_req_core_fc_links_and_counts(client, stored):
    body = items(client, "incidents", limit=7)
    assert body["numberMatched"] == len(stored)
    assert body["numberReturned"] == len(body["features"]) == 7
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["timeStamp"])
    assert {link["rel"] for link in body["links"]} == {"self", "alternate", "next", "collection"}
    assert link_of(body, "next")["type"] == "application/geo+json"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_rec_core_fc_next_pages_hold_every_feature_once(client, collection):
    first = items(client, collection, limit=10_000)
    limit = max(1, first["numberMatched"] // 3)
    paged = every_page(client, f"/ogc/collections/{collection}/items?limit={limit}")
    assert [row["id"] for row in paged] == [row["id"] for row in first["features"]]
    assert len(paged) == first["numberMatched"]


@pytest.mark.parametrize(
    ("limit", "returned"), [("1", 1), ("007", 7), ("10001", 1560), ("9" * 2000, 1560), ("10000", 1560)]
)
def test_req_core_fc_limit_response_1_and_too_much_is_lowered(client, stored, limit, returned):
    assert items(client, "incidents", limit=limit)["numberReturned"] == min(returned, len(stored))


BAD_QUERIES = [
    "limit=0",
    "limit=000",
    "limit=-1",
    "limit=1_000",
    "limit=1.0",
    "limit=１２",
    "limit=ten",
    "limit=",
    "bbox=1,2,3",
    "bbox=1,2,3,4,5",
    "bbox=1,2,3,4,5,6,7",
    "bbox=",
    "bbox=nan,34,114,35",
    "bbox=113,34,inf,35",
    "bbox=1e309,34,114,35",
    "bbox=113,35,114,34",
    "bbox=113,34,114,91",
    "bbox=-181,34,114,35",
    "bbox=113,34,9,114,35,1",
    "bbox-crs=EPSG:4326",
    "crs=EPSG:4326",
    f"crs={quote(EPSG + '3857')}",
    f"crs={quote(EPSG + '4326')}%27",
    f"bbox=-2e6,0,-1e6,1&bbox-crs={quote(EPSG + '4547')}",
    f"bbox=1e9,1e9,2e9,2e9&bbox-crs={quote(EPSG + '4547')}",
    "datetime=2008",
    "datetime=2008-02-30",
    "datetime=2008-02-30T00:00:00Z",
    "datetime=2008-03-01T00:00:00",
    "datetime=2008-03-01T25:00:00Z",
    "datetime=2008-03-02T00:00:00Z/2008-03-01T00:00:00Z",
    "datetime=../..",
    "datetime=/",
    "datetime=",
    "datetime=0001-01-01T00:00:00%2B08:00/9999-12-31T23:59:59-23:59",
    "datetime=２００８-03-01",
    "f=xml",
    "f=",
    "lang=fr",
    "is_census=yes",
    "area_id=1.0",
    "area_id=99999999999999999999",
    "place_precision=galaxy",
    "category=" + "a" * 300,
    "category=%01",
    "cursor=1",
    "cursor=1-0000000000000000",
    "cursor=x",
    "cursor=",
]


def test_req_core_query_param_invalid(client, digest):
    before = digest()
    for query in BAD_QUERIES:
        answer = client.get(f"/ogc/collections/incidents/items?{query}")
        assert answer.status_code == 400, f"{query}: {answer.text[:300]}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 400
    assert digest() == before


@pytest.mark.parametrize(
    "address",
    [
        "/ogc?colour=red",
        "/ogc/api?x=1",
        "/ogc/conformance?limit=1",
        "/ogc/collections?bbox=1,2,3,4",
        "/ogc/collections/incidents?x",
        "/ogc/collections/incidents/items?colour=red",
        "/ogc/collections/incidents/items?offset=10",
        "/ogc/collections/incidents/items?filter=1=1",
        "/ogc/collections/stations/items?category=cable_theft",
        "/ogc/collections/incidents/items?limit=1&limit=2",
        "/ogc/collections/incidents/items/1?bbox=1,2,3,4",
        "/ogc/collections/incidents/queryables?x=1",
        "/ogc/tiles/WebMercatorQuad?x=1",
        "/ogc/tiles/WebMercatorQuad/0/0/0?period=2008-01",
    ],
)
def test_req_core_query_param_unknown(client, address):
    answer = client.get(address)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "address",
    [
        "/ogc/collections/persons",
        "/ogc/collections/persons/items",
        "/ogc/collections/incidents/items/0",
        "/ogc/collections/incidents/items/999999999",
        "/ogc/collections/incidents/items/9999999999999999999999",
        "/ogc/collections/incidents/items/abc",
        "/ogc/collections/incidents/items/-1",
        "/ogc/collections/hotspots/items/77",
        "/ogc/nothing",
    ],
)
def test_req_core_f_op_what_is_not_there_is_404(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "box", [(113.0, 34.0, 114.0, 35.0), (112.5, 33.1, 112.9, 33.4), (-180, -90, 180, 90)]
)
def test_req_core_fc_bbox_response(client, stored, box):
    text = ",".join(str(value) for value in box)
    found = every_page(client, f"/ogc/collections/incidents/items?bbox={text}&limit=400")
    fits = stored.geometry.isna() | stored.geometry.intersects(shapely.box(*box))
    assert [row["id"] for row in found] == list(stored.index[fits])


def test_req_core_fc_bbox_definition_six_numbers_a_point_and_the_date_line(client):
    def count(box):
        return items(client, "incidents", bbox=box)["numberMatched"]

    assert count("113,34,114,35") == count("113,34,-5,114,35,9000") == count("1.13e2,34,114,3.5e1")
    point = items(client, "incidents", limit=1)["features"][0]["geometry"]["coordinates"]
    assert count("{0},{1},{0},{1}".format(*point)) >= 1
    # From 170 east over the date line to 120 east lies all of the province.
    assert count("170,30,120,40") == count("70,30,140,40")
    # What has no place is counted by every box.
    assert count("120,-10,110,60") == count("-180,-10,110,60") + count("120,-10,180,60") - count("0,0,1,1")


@pytest.mark.parametrize(
    "text",
    [
        "2007-03-10T00:00:00+08:00",
        "2007-03-10T12:00:00.5Z",
        "2007-03-01t00:00:00z/2007-03-31T23:59:59z",
        "../2006-06-01T00:00:00Z",
        "/2006-06-01T00:00:00Z",
        "2008-01-01T00:00:00Z/..",
        "2008-01-01T00:00:00Z/",
    ],
)
def test_req_core_fc_time_response(client, stored, text):
    found = every_page(client, f"/ogc/collections/incidents/items?datetime={quote(text)}&limit=500")
    first, slash, last = text.upper().partition("/")
    start = datetime.fromisoformat(first) if first not in ("", "..") else None
    end = datetime.fromisoformat(last) if last not in ("", "..") else None
    end = start if not slash else end
    fits = stored["occurred_from"].notna()
    fits &= True if end is None else stored["occurred_from"] <= end
    fits &= True if start is None else stored["occurred_until"] > start
    assert [row["id"] for row in found] == list(stored.index[fits])
    assert 0 < len(found) < len(stored)


def test_req_core_fc_time_definition_a_day_is_a_day_in_china(client):
    day = items(client, "incidents", datetime="2007-03-10", limit=10_000)
    same = items(
        client,
        "incidents",
        datetime="2007-03-10T00:00:00+08:00/2007-03-10T23:59:59.999999+08:00",
        limit=10_000,
    )
    assert day["features"] == same["features"]
    assert day["numberMatched"] > 0


def test_req_core_fc_time_response_c_what_has_no_time_fits_always(client):
    every = items(client, "stations")["numberMatched"]
    assert items(client, "stations", datetime="1999-01-01T00:00:00Z")["numberMatched"] == every > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("category", "cable_theft"),
        ("sector", "power"),
        ("place_precision", "village"),
        ("origin", "reported"),
    ],
)
def test_rec_core_fc_filters(client, stored, name, value):
    found = every_page(client, f"/ogc/collections/incidents/items?{name}={value}&limit=600")
    assert [row["id"] for row in found] == list(stored.index[stored[name] == value])
    assert found


def test_rec_core_fc_filters_go_together(client, stored):
    body = items(client, "incidents", sector="telecom", is_census="true", bbox="113,34,114,35", limit=10_000)
    fits = (stored["sector"] == "telecom") & stored["is_census"].astype(bool)
    fits &= stored.geometry.isna() | stored.geometry.intersects(shapely.box(113, 34, 114, 35))
    assert [row["id"] for row in body["features"]] == list(stored.index[fits])


def test_a_cursor_belongs_to_its_own_filter(client):
    body = items(client, "incidents", limit=1, sector="power")
    cursor = link_of(body, "next")["href"].rpartition("cursor=")[2]
    assert client.get(f"/ogc/collections/incidents/items?sector=power&cursor={cursor}").status_code == 200
    assert client.get(f"/ogc/collections/incidents/items?sector=telecom&cursor={cursor}").status_code == 400
    assert client.get(f"/ogc/collections/segments/items?sector=power&cursor={cursor}").status_code == 400


def test_req_core_f_links(client):
    first = items(client, "incidents", limit=1)["features"][0]
    alone = document(client, f"/ogc/collections/incidents/items/{first['id']}", "application/geo+json")
    assert {link["rel"] for link in alone["links"]} == {"self", "alternate", "collection"}
    assert alone["properties"] == first["properties"]
    assert alone["geometry"] == first["geometry"]


def test_req_geojson_definition_places_tell_how_well_they_are_known_and_persons_stay_out(client):
    for row in items(client, "incidents", limit=200)["features"]:
        assert row["properties"]["place_precision"]
        assert (row["properties"]["radius_m"] is None) == (row["geometry"] is None)
        loss = row["properties"]["direct_loss_yuan"]
        assert loss is None or isinstance(loss, float)
        assert not {"suspect", "victim", "phone", "note", "source_text", "geom"} & row["properties"].keys()


@pytest.mark.parametrize("address", PAGES)
def test_req_html_definition_and_content(client, address):
    joint = "&" if "?" in address else "?"
    for asked in (
        client.get(f"{address}{joint}f=html"),
        client.get(address, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}),
    ):
        assert asked.status_code == 200
        assert asked.headers["content-type"] == "text/html; charset=utf-8"
        assert asked.headers["vary"].startswith("Accept")
        assert "nonce-" in asked.headers["content-security-policy"]
        assert "<h1>" in asked.text


@pytest.mark.parametrize(
    "accept", ["", "*/*", "garbage", "a/b/c;;q=x", "image/png", "application/json, text/html"]
)
def test_req_core_http_what_nobody_understands_gets_json(client, accept):
    answer = client.get("/ogc", headers={"accept": accept, "accept-language": "\\u0001;q=9,,xx"})
    assert answer.headers["content-type"] == "application/json"


def test_req_oas30_oas_definition(client):
    answer = client.get("/ogc/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    body = answer.json()
    assert body["openapi"].startswith("3.0.")
    identifiers = [each["get"]["operationId"] for each in body["paths"].values()]
    assert len(identifiers) == len(set(identifiers))
    for path, methods in body["paths"].items():
        for part in re.findall(r"\{(\w+)\}", path):
            assert {"$ref": f"#/components/parameters/{part}"} in methods["get"]["parameters"]
        for given in methods["get"]["parameters"]:
            if "$ref" in given:
                assert given["$ref"].rsplit("/", 1)[-1] in body["components"]["parameters"]


def test_req_oas30_completeness_every_described_address_answers(client):
    filled = {
        "featureId": "1",
        "tileMatrixSetId": "WebMercatorQuad",
        "tileMatrix": "7",
        "tileRow": "51",
        "tileCol": "104",
    }
    body = document(client, "/ogc/api", "application/vnd.oai.openapi+json;version=3.0")
    base = urlsplit(body["servers"][0]["url"]).path
    for path, methods in body["paths"].items():
        address = re.sub(r"\{(\w+)\}", lambda part: filled[part[1]], path)
        status = client.get(base + address).status_code
        # Whether a hotspot was found yet depends on what was computed before.
        expected = {200, 404} if "hotspots/items/{" in path else {200, 204}
        assert status in expected, path
        assert str(status) in methods["get"]["responses"], path
