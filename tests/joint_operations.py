"""Store neighbouring cities, and a run that found a zone on their border."""

import json
from datetime import date

import shapely

from geo.store.areas import Area
from geo.store.dataset import claim_dataset
from geo.store.rows import add_rows, cell
from geo.store.runs import Run

SHANGQIU, ZHOUKOU, BOZHOU = "411400", "411600", "341600"
NAMES = {SHANGQIU: "商丘市", ZHOUKOU: "周口市", BOZHOU: "亳州市"}
OFFICE = {SHANGQIU: "商丘市公安局", ZHOUKOU: "周口市公安局", BOZHOU: "亳州市公安局"}
ZONE = {
    "type": "Polygon",
    "coordinates": [[[114.9, 34.4], [115.1, 34.4], [115.1, 34.5], [114.9, 34.5], [114.9, 34.4]]],
}


def box(west, south, east, north):
    """Return a box as a GeoJSON polygon."""
    return json.loads(shapely.to_geojson(shapely.box(west, south, east, north)))


def stand_cities(session):
    """Store three cities in a row from west to east, a county and a city of old; return ids by code or name."""
    claim_dataset(session, "real")

    def area(code, name, west, **given):
        shape = shapely.MultiPolygon([shapely.box(west, 34, west + 1, 35)])
        return {
            "level": "city",
            "adcode": code,
            "name": name,
            "valid_until": None,
            "geometry_source": "test",
            "is_redistributable": True,
            "geom": cell(shape),
        } | given

    rows = [area(code, NAMES[code], 114 + step) for step, code in enumerate(NAMES)]
    rows += [
        area("411402", "梁园区", 114, level="county"),
        area("412300", "商丘地区", 114, valid_until=date(1997, 6, 1)),
        area("411700", "驻马店市", 114, geom=None),
    ]
    ids = dict(zip([*NAMES, "county", "old", "blank"], add_rows(session, Area, rows), strict=True))
    session.get(Area, ids["county"]).parent_id = ids[SHANGQIU]
    session.flush()
    return ids


def zone_of_run(rank=1, **given):
    """Return a zone as a run over borders tells it."""
    return {
        "rank": rank,
        "id": f"{SHANGQIU}-{ZHOUKOU}-{rank}",
        "cities": [SHANGQIU, ZHOUKOU],
        "lead": ZHOUKOU,
        "stretch_name": "柘城县—太康县段",
        "case_count": 17,
        "p": 0.001,
        "relative_risk": 6.4,
        "geometry": ZONE,
    } | given


def stand_run(session, document=None, *, kind="borders"):
    """Store a finished run with a document and return its id."""
    told = {"zones": [zone_of_run()]} if document is None else document
    run = Run(
        kind=kind,
        parameters={},
        request_hash="test",
        state="done",
        result=json.dumps(told, ensure_ascii=False).encode(),
    )
    session.add(run)
    session.flush()
    return run.id
