"""OGC API - Features Part 2, requirement by requirement: http://www.opengis.net/spec/ogcapi-features-2/1.0/req/crs/..."""

from urllib.parse import quote

import pytest
import shapely
from pyproj import CRS, Transformer

from tests.ogc import COLLECTIONS, EPSG, document, items

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CODES = (4326, 4490, 4547)


def first_axis_is_north(epsg):
    return CRS.from_epsg(epsg).axis_info[0].direction == "north"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_req_crs_fc_md_crs_list_and_storage_crs(client, collection):
    body = document(client, f"/ogc/collections/{collection}")
    assert body["crs"] == [CRS84, *(f"{EPSG}{code}" for code in CODES)]
    assert body["storageCrs"] == CRS84
    assert document(client, "/ogc/collections")["crs"] == body["crs"]


@pytest.mark.parametrize(
    "address", ["/ogc/collections/incidents/items?limit=1", "/ogc/collections/incidents/items/1"]
)
@pytest.mark.parametrize("identifier", [None, CRS84, f"{EPSG}4326", f"{EPSG}4490", f"{EPSG}4547"])
def test_req_crs_ogc_crs_header(client, address, identifier):
    joint = "&" if "?" in address else "?"
    asked = address if identifier is None else f"{address}{joint}crs={quote(identifier)}"
    for page in ("", f"{'&' if '?' in asked else '?'}f=html"):
        assert client.get(asked + page).headers["content-crs"] == f"<{identifier or CRS84}>"


@pytest.mark.parametrize("epsg", CODES)
def test_req_crs_fc_crs_action_the_axes_stand_in_the_order_of_the_definition(client, epsg):
    plain = items(client, "incidents", limit=300)["features"]
    moved = items(client, "incidents", limit=300, crs=f"{EPSG}{epsg}")["features"]
    exact = Transformer.from_crs("OGC:CRS84", f"EPSG:{epsg}", always_xy=False)
    tolerance = 0.02 if epsg == 4547 else 2e-7
    assert first_axis_is_north(epsg)
    seen = 0
    for before, after in zip(plain, moved, strict=True):
        assert before["id"] == after["id"]
        if before["geometry"] is None:
            assert after["geometry"] is None
            continue
        expected = exact.transform(*before["geometry"]["coordinates"])
        assert after["geometry"]["coordinates"] == pytest.approx(expected, abs=tolerance)
        seen += 1
    assert seen > 100


def test_req_crs_geojson_the_rows_of_4547_are_metres_north_then_east(client):
    north, east = items(client, "segments", limit=1, crs=f"{EPSG}4547")["features"][0]["geometry"][
        "coordinates"
    ][0]
    assert 3_400_000 < north < 4_100_000
    assert 200_000 < east < 800_000


@pytest.mark.parametrize("epsg", CODES)
def test_req_crs_fc_bbox_crs_action(client, epsg):
    """A box in another system finds what lies in it when it is drawn in that system."""
    exact = Transformer.from_crs("OGC:CRS84", f"EPSG:{epsg}", always_xy=True)
    if epsg == 4547:
        west, south, east, north = 420_000.0, 3_750_000.0, 520_000.0, 3_860_000.0
    else:
        west, south, east, north = 113.0, 34.0, 114.2, 34.9
    box = shapely.box(west, south, east, north)
    expected = []
    for row in items(client, "incidents", limit=10_000)["features"]:
        place = row["geometry"] and shapely.Point(exact.transform(*row["geometry"]["coordinates"]))
        if place is None or box.covers(place):
            expected.append(row["id"])
    found = items(
        client,
        "incidents",
        bbox=f"{south},{west},{north},{east}",
        limit=10_000,
        **{"bbox-crs": f"{EPSG}{epsg}"},
    )
    assert [row["id"] for row in found["features"]] == expected
    assert 0 < len(expected) < 1_500


def test_req_crs_fc_bbox_crs_default_value(client):
    box = "113,34,114,35"
    assert (
        items(client, "incidents", bbox=box)["numberMatched"]
        == items(client, "incidents", bbox=box, **{"bbox-crs": CRS84})["numberMatched"]
        == items(client, "incidents", bbox="34,113,35,114", **{"bbox-crs": f"{EPSG}4326"})["numberMatched"]
        > 0
    )


@pytest.mark.parametrize("name", ["crs", "bbox-crs"])
@pytest.mark.parametrize(
    "identifier", [f"{EPSG}3857", f"{EPSG}04326", "urn:ogc:def:crs:EPSG::4326", "4547", "", "'"]
)
def test_req_crs_crs_exception(client, name, identifier):
    answer = client.get(
        "/ogc/collections/incidents/items", params={name: identifier, "bbox": "34,113,35,114"}
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_link_next_keeps_the_coordinate_system(client):
    body = items(client, "incidents", limit=2, crs=f"{EPSG}4547")
    following = next(link["href"] for link in body["links"] if link["rel"] == "next")
    answer = client.get(following)
    assert answer.headers["content-crs"] == f"<{EPSG}4547>"
    assert [row["id"] for row in answer.json()["features"]] == [3, 4]
