"""OGC API - Tiles Part 1, requirement by requirement: http://www.opengis.net/spec/ogcapi-tiles-1/1.0/req/..."""

import math

import pytest

from geo.store.tile_windows import TileFilter, TileKey
from geo.store.tiles import find_tile
from tests.ogc import document
from tests.tiles import read_tile

TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
MVT = "application/vnd.mapbox-vector-tile"
MATRIX_SET = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
TILED = ("incidents", "segments", "stations")


def tile_around(z, longitude, latitude):
    """Return row and column of the tile that holds a place."""
    column = math.floor((longitude + 180) / 360 * 2**z)
    row = math.floor((1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * 2**z)
    return row, column


def test_req_core_conformance_success(client):
    declared = document(client, "/ogc/conformance")["conformsTo"]
    for name in ("core", "tileset", "tilesets-list", "dataset-tilesets", "geodata-tilesets", "mvt"):
        assert TILES + name in declared


@pytest.mark.parametrize("collection", TILED)
@pytest.mark.parametrize("z", [5, 7, 10])
def test_req_core_tc_success_the_bytes_are_those_of_the_map(client, collection, z):
    row, column = tile_around(z, 113.65, 34.75)
    answer = client.get(f"/ogc/collections/{collection}/tiles/WebMercatorQuad/{z}/{row}/{column}")
    with client.app.state.sessions.begin() as session:
        expected = find_tile(session, TileKey(layer=collection, z=z, x=column, y=row, wanted=TileFilter()))
    assert answer.content == expected
    assert answer.status_code == (200 if expected else 204)
    if expected:
        assert answer.headers["content-type"] == MVT


def test_req_core_tc_op_the_row_stands_before_the_column(client):
    row, column = tile_around(7, 113.65, 34.75)
    assert row != column
    assert client.get(f"/ogc/collections/incidents/tiles/WebMercatorQuad/7/{row}/{column}").status_code == 200
    assert client.get(f"/ogc/collections/incidents/tiles/WebMercatorQuad/7/{column}/{row}").status_code == 204


@pytest.mark.parametrize(
    "place",
    [
        "21/0/0",
        "1/2/0",
        "1/0/2",
        "-1/0/0",
        "1/-1/0",
        "x/0/0",
        "1/0/nan",
        "01/0/0",
        "1/00/0",
        "1/0/" + "9" * 31,
    ],
)
def test_req_core_tc_error_outside_is_404(client, place):
    for address in ("/ogc/collections/incidents/tiles", "/ogc/tiles"):
        answer = client.get(f"{address}/WebMercatorQuad/{place}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "address",
    [
        "/ogc/tileMatrixSets/WorldCRS84Quad",
        "/ogc/tiles/WorldCRS84Quad",
        "/ogc/tiles/WorldCRS84Quad/0/0/0",
        "/ogc/collections/areas/tiles",
        "/ogc/collections/areas/tiles/WebMercatorQuad/0/0/0",
        "/ogc/collections/persons/tiles",
    ],
)
def test_what_has_no_tiles_is_404(client, address):
    assert client.get(address).status_code == 404


def test_req_core_tc_error_an_empty_tile_is_204_and_an_unchanged_one_304(client):
    assert client.get("/ogc/tiles/WebMercatorQuad/7/0/0").status_code == 204
    row, column = tile_around(7, 113.65, 34.75)
    address = f"/ogc/tiles/WebMercatorQuad/7/{row}/{column}"
    etag = client.get(address).headers["etag"]
    assert client.get(address, headers={"if-none-match": etag}).status_code == 304
    assert client.get(address, headers={"if-none-match": 'W/"other"'}).status_code == 200


def test_req_mvt_content_a_tile_of_the_dataset_holds_every_layer(client):
    row, column = tile_around(10, 113.65, 34.75)
    whole = read_tile(client.get(f"/ogc/tiles/WebMercatorQuad/10/{row}/{column}").content)
    single = {}
    for collection in TILED:
        single |= read_tile(
            client.get(f"/ogc/collections/{collection}/tiles/WebMercatorQuad/10/{row}/{column}").content
        )
    assert whole == single
    assert "incidents" in whole
    assert "segments" in whole


@pytest.mark.parametrize("address", ["/ogc/tiles", *(f"/ogc/collections/{name}/tiles" for name in TILED)])
def test_req_tilesets_list_and_req_tileset_description(client, address):
    (listed,) = document(client, address)["tilesets"]
    assert listed["tileMatrixSetURI"] == MATRIX_SET
    assert listed["dataType"] == "vector"
    assert listed["crs"].endswith("/EPSG/0/3857")
    (to_itself,) = [link for link in listed["links"] if link["rel"] == "self"]
    tileset = document(client, to_itself["href"])
    links = {link["rel"]: link for link in tileset["links"]}
    assert links["item"]["templated"] is True
    assert links["item"]["type"] == MVT
    scheme = links["http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"]["href"]
    assert document(client, scheme)["uri"] == MATRIX_SET
    assert tileset["layers"]
    row, column = tile_around(7, 113.65, 34.75)
    tile = links["item"]["href"].format(tileMatrix=7, tileRow=row, tileCol=column)
    assert set(read_tile(client.get(tile).content)) <= {layer["id"] for layer in tileset["layers"]}


def test_req_dataset_tilesets_landingpage_and_req_geodata_tilesets_desc_links(client):
    relation = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
    landing = {link["rel"]: link["href"] for link in document(client, "/ogc")["links"]}
    assert document(client, landing[relation])["tilesets"]
    for each in document(client, "/ogc/collections")["collections"]:
        linked = [link["href"] for link in each["links"] if link["rel"] == relation]
        assert bool(linked) == (each["id"] in TILED)
        assert all(document(client, href)["tilesets"] for href in linked)


def test_tms_2_0_req_tilematrixset_web_mercator_quad_as_registered(client):
    body = document(client, "/ogc/tileMatrixSets/WebMercatorQuad")
    assert [matrix["id"] for matrix in body["tileMatrices"]] == [str(level) for level in range(21)]
    first, second = body["tileMatrices"][:2]
    assert first["scaleDenominator"] == pytest.approx(559_082_264.028717, abs=1e-5)
    assert first["cellSize"] == pytest.approx(156_543.033928041, abs=1e-8)
    assert first["pointOfOrigin"] == pytest.approx([-20_037_508.3427892, 20_037_508.3427892], abs=1e-6)
    assert second["scaleDenominator"] == first["scaleDenominator"] / 2
    assert (second["matrixWidth"], second["matrixHeight"]) == (2, 2)
    listed = document(client, "/ogc/tileMatrixSets")["tileMatrixSets"]
    assert [(each["id"], each["uri"]) for each in listed] == [("WebMercatorQuad", MATRIX_SET)]
