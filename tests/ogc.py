"""Walk an OGC API as a client does."""

from __future__ import annotations

COLLECTIONS = ["incidents", "segments", "stations", "areas", "hotspots"]
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def document(client, address, kind="application/json"):
    """Return a document after a look at its status and type."""
    answer = client.get(address, headers={"accept": "*/*"})
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers["content-type"] == kind
    return answer.json()


def items(client, collection, **parameters):
    """Return one page of a collection."""
    answer = client.get(f"/ogc/collections/{collection}/items", params=parameters)
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers["content-type"] == "application/geo+json"
    return answer.json()


def link_of(body, relation):
    """Return the one link of a relation, or None."""
    found = [link for link in body["links"] if link["rel"] == relation]
    assert len(found) <= 1
    return found[0] if found else None


def every_page(client, address):
    """Return the features of a page and of all that follow it."""
    features, seen = [], 0
    while address:
        body = client.get(address).json()
        features += body["features"]
        assert body["numberReturned"] == len(body["features"])
        following = link_of(body, "next")
        address = None if following is None else following["href"]
        seen += 1
        assert seen < 100
    return features
