"""Tiles hold every row once, or sums that lose none, in at most 100 kB, found through the spatial index."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
import shapely
from sqlalchemy import text

from geo.errors import InvalidInputError
from geo.periods import CHINA, read_period
from geo.store.areas import Area
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch
from geo.store.incident_queries import IncidentFilter
from geo.store.incidents import Incident
from geo.store.lines import CableLine, Segment
from geo.store.rows import add_rows, cell
from geo.store.stations import Station
from geo.store.tile_windows import TileFilter, TileKey, is_tile, window_values
from geo.store.tiles import LAYERS, MOST_BYTES, find_tile, grid_counts, tile_queries
from tests.tiles import on_tile, read_tile

HERE = (113.5, 34.2)
START = datetime(2008, 3, 10, 22, tzinfo=CHINA)


@pytest.fixture
def batch_id(session):
    claim_dataset(session, "real")
    return add_batch(
        session, kind="incidents", source="test", file_name="f", sha256="0" * 64, datum="wgs84", row_count=1
    ).id


def add_incidents(session, batch_id, places, **changes):
    rows = [
        {
            "source": "test",
            "case_number": f"{number}-{changes}",
            "occurred_from": START,
            "occurred_until": START + timedelta(hours=6),
            "date_precision": "night",
            "place_text": "苏沟村",
            "place_precision": "village",
            "radius_m": 500.0,
            "declared_datum": "wgs84",
            "category_code": "cable_theft",
            "sector_code": "telecom",
            "origin": "reported",
            "flags": [],
            "import_batch_id": batch_id,
            "geom": cell(shapely.Point(place)),
        }
        | changes
        for number, place in enumerate(places)
    ]
    return add_rows(session, Incident, rows)


def scatter(session, batch_id, count, *, spread=0.4, seed=5):
    """Add many incidents around a place at once."""
    session.execute(text("select setseed(:seed)"), {"seed": seed / 100})
    session.execute(
        text(
            "insert into huxian.incident (source, case_number, occurred_from, occurred_until, date_precision,"
            " place_text, place_precision, radius_m, declared_datum, category_code, sector_code, origin, flags,"
            " import_batch_id, geom, is_census)"
            " select 'many', n::text, '2008-03-01', '2008-03-02', 'day', 'x', 'village', 100 + n % 900, 'wgs84',"
            " 'cable_theft', (array['power','telecom','broadcasting'])[1 + n % 3], 'reported', '{}', :batch,"
            " ST_SetSRID(ST_MakePoint(:x + :spread * (random() - .5), :y + :spread * (random() - .5)), 4326),"
            " true from generate_series(1, :count) as n"
        ),
        {"batch": batch_id, "x": HERE[0], "y": HERE[1], "spread": spread, "count": count},
    )


def address_of(place, z):
    """Return column and row of the tile that holds a place."""
    x, y = on_tile(*place, z=z, x=0, y=0)
    return x // 4096, y // 4096


def tile(session, layer, z, x, y, **wanted):
    found = find_tile(session, TileKey(layer=layer, z=z, x=x, y=y, wanted=TileFilter(**wanted)))
    assert len(found) <= MOST_BYTES
    return read_tile(found).get(layer, [])


def tile_at(session, layer, z, place=HERE, **wanted):
    return tile(session, layer, z, *address_of(place, z), **wanted)


def test_a_row_lies_where_it_was_recorded_and_tells_how_well_that_is_known(session, batch_id):
    (number,) = add_incidents(session, batch_id, [HERE], place_precision="township", radius_m=8000.4)
    x, y = address_of(HERE, 13)
    ((feature_id, properties, parts),) = tile(session, "incidents", 13, x, y)
    assert feature_id == number
    assert properties == {
        "category": "cable_theft",
        "sector": "telecom",
        "place_precision": "township",
        "radius_m": 8000,
    }
    expected = on_tile(*HERE, z=13, x=x, y=y)
    assert np.abs(np.array(parts[0][0]) - expected).max() <= 1


def test_what_is_known_to_the_county_only_is_in_no_tile(session, batch_id):
    for precision in ("county", "city"):
        add_incidents(session, batch_id, [HERE], place_precision=precision, radius_m=30_000.0)
    for layer in ("incidents", "grid"):
        for z in (5, 12):
            assert tile_at(session, layer, z) == []


def test_a_filter_takes_children_of_a_category_and_areas_inside_an_area(session, batch_id):
    city = add_rows(session, Area, [{"level": "city", "adcode": "411000", "name": "许昌市"}])[0]
    county = {"level": "county", "adcode": "411081", "name": "禹州市", "parent_id": city}
    (inside,) = add_incidents(
        session, batch_id, [HERE], area_id=add_rows(session, Area, [county])[0], sector_code="power"
    )
    (outside,) = add_incidents(session, batch_id, [HERE], occurred_until=START + timedelta(days=60))

    def ids(**wanted):
        return {row[0] for row in tile_at(session, "incidents", 12, **wanted)}

    assert ids() == {inside, outside}
    assert ids(area_id=city) == ids(sector="power") == ids(period=read_period("2008-03")) == {inside}
    assert ids(category="line_theft") == {inside, outside}
    assert ids(category="line_sabotage") == ids(area_id=city, sector="telecom") == set()


def test_rows_near_an_edge_are_in_both_tiles_and_no_row_is_lost(session, batch_id):
    scatter(session, batch_id, 3000)
    seen = {}
    west, north = address_of((HERE[0] - 0.2, HERE[1] + 0.2), 12)
    east, south = address_of((HERE[0] + 0.2, HERE[1] - 0.2), 12)
    for x in range(west, east + 1):
        for y in range(north, south + 1):
            for feature_id, _, parts in tile(session, "incidents", 12, x, y):
                ((px, py),) = parts[0]
                assert -64 <= px <= 4160
                assert -64 <= py <= 4160
                seen.setdefault(feature_id, []).append((px, py))
    assert len(seen) == 3000
    home = [sum(0 <= px < 4096 and 0 <= py < 4096 for px, py in places) for places in seen.values()]
    # Rounding to whole units may put one on the line between two tiles.
    assert sum(count == 1 for count in home) > 2990


@pytest.mark.parametrize("z", [0, 3, 7, 8, 9, 10])
@pytest.mark.parametrize("layer", ["incidents", "grid"])
def test_sums_count_every_incident_once(session, batch_id, layer, z):
    scatter(session, batch_id, 12_000)
    west, north = address_of((HERE[0] - 0.3, HERE[1] + 0.3), z)
    east, south = address_of((HERE[0] + 0.3, HERE[1] - 0.3), z)
    features = [
        properties
        for x in range(west, east + 1)
        for y in range(north, south + 1)
        for _, properties, _ in tile(session, layer, z, x, y)
    ]
    sums = [properties for properties in features if properties.get("is_sum")]
    by_sector = [each.get(code, 0) for each in sums for code in ("power", "telecom", "broadcasting")]
    assert sum(each["count"] for each in sums) == sum(by_sector)
    if layer == "grid" or z < 9:
        assert len(sums) == len(features)
        assert sum(by_sector) == 12_000


def test_a_crowded_tile_says_that_it_holds_sums_and_cuts_nothing_off(session, batch_id):
    scatter(session, batch_id, 5_001, spread=0.02)
    features = tile_at(session, "incidents", 9)
    assert all(properties["is_sum"] is True for _, properties, _ in features)
    assert sum(properties["count"] for _, properties, _ in features) == 5_001
    assert {properties["cell_m"] for _, properties, _ in features} == {1000}


def test_a_tile_of_few_but_long_rows_is_summed_as_well(session, batch_id):
    x, y = address_of(HERE, 10)
    rows = [
        {
            "source": "t",
            "source_key": str(number),
            "name": "收购站" * 30 + str(number),
            "state": "missing",
            "import_batch_id": batch_id,
            "geom": cell(shapely.Point(HERE[0] + number * 1e-5, HERE[1])),
        }
        for number in range(1500)
    ]
    add_rows(session, Station, rows)
    features = tile(session, "stations", 10, x, y)
    assert sum(properties["count"] for _, properties, _ in features) == 1500
    assert sum(properties["missing"] for _, properties, _ in features) == 1500


def test_sums_say_how_many_of_them_are_known_less_well_than_the_cell(session, batch_id):
    add_incidents(session, batch_id, [HERE, HERE], place_precision="township", radius_m=6000.0)
    add_incidents(session, batch_id, [HERE])
    ((_, properties, _),) = tile_at(session, "incidents", 8)
    assert (properties["count"], properties["coarse"], properties["telecom"]) == (3, 2, 3)


def test_a_square_of_the_grid_runs_clockwise_and_a_deep_tile_shows_the_whole_square(session, batch_id):
    add_incidents(session, batch_id, [HERE, (HERE[0] + 1e-6, HERE[1])])
    ((_, properties, (ring,)),) = tile_at(session, "grid", 12)
    area = sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(ring)) / 2
    assert area == 128 * 128
    assert properties["count"] == 2
    ((_, deep, (ring,)),) = tile_at(session, "grid", 20, (HERE[0] + 5e-4, HERE[1]))
    assert deep["count"] == 2
    assert sorted(set(ring)) == [(-64, -64), (-64, 4160), (4160, -64), (4160, 4160)]


def lay(session, batch_id, parts, **changes):
    line = add_rows(
        session,
        CableLine,
        [
            {
                "source": "t",
                "source_key": "1",
                "name": "甲—乙线",
                "sector_code": "telecom",
                "import_batch_id": batch_id,
            }
        ],
    )[0]
    plain = {
        "line_id": line,
        "from_node": "甲",
        "to_node": "乙",
        "kind": "copper",
        "pairs": 100,
        "laying": "aerial",
        "length_m": 1000,
        "import_batch_id": batch_id,
    }
    rows = [
        plain | changes | {"sequence": number, "geom": cell(shapely.LineString(part))}
        for number, part in enumerate(parts, start=1)
    ]
    return add_rows(session, Segment, rows)


def test_a_segment_tells_its_line_and_is_left_out_where_it_is_not_in_service(session, batch_id):
    (number,) = lay(session, batch_id, [[HERE, (113.51, 34.21)]], in_service_until=date(2008, 1, 1))
    ((feature_id, properties, (line,)),) = tile_at(session, "segments", 13)
    assert feature_id == number
    assert properties == {"kind": "copper", "pairs": 100, "line_name": "甲—乙线"}
    assert len(line) == 2
    for wanted in ({"period": read_period("2008-03")}, {"sector": "power"}):
        assert tile_at(session, "segments", 13, **wanted) == []
    assert len(tile_at(session, "segments", 13, period=read_period("2007-12"), sector="telecom")) == 1


def test_merged_lines_stay_connected_however_short_their_segments_are(session, batch_id):
    nodes = [(HERE[0] + step * 0.004, HERE[1] + 0.05 * np.sin(step / 20)) for step in range(300)]
    lay(session, batch_id, list(pairwise(nodes)))
    z = 7
    assert address_of(nodes[0], z) == address_of(nodes[-1], z)
    ((_, properties, parts),) = tile_at(session, "segments", z)
    assert properties == {"is_sum": True, "kind": "copper", "pairs": 100}
    joined = shapely.line_merge(shapely.MultiLineString(parts))
    assert joined.geom_type == "LineString"
    x, y = address_of(HERE, z)
    ends = {on_tile(*place, z=z, x=x, y=y) for place in (nodes[0], nodes[-1])}
    for end in ends:
        assert min(np.abs(np.array(end) - joined.coords[at]).max() for at in (0, -1)) <= 16


def test_areas_are_those_of_the_day_and_small_ones_wait_for_their_zoom(session):
    square = shapely.MultiPolygon([shapely.box(113, 34, 114, 35)])
    small = shapely.MultiPolygon([shapely.box(113.4, 34.1, 113.6, 34.3)])
    rows = [
        {"level": "city", "adcode": "411000", "name": "许昌市", "geom": cell(square)},
        {
            "level": "county",
            "adcode": "411081",
            "name": "旧县",
            "valid_until": date(2005, 1, 1),
            "geom": cell(small),
        },
        {
            "level": "county",
            "adcode": "411081",
            "name": "新县",
            "valid_from": date(2005, 1, 1),
            "geom": cell(small),
        },
        {"level": "county", "adcode": "411082", "name": "无界县"},
    ]
    for row in rows:
        add_rows(session, Area, [row])

    def names(z, on):
        return [properties["name"] for _, properties, _ in tile_at(session, "areas", z, on=on)]

    assert names(5, date(2008, 3, 10)) == ["许昌市"]
    assert names(10, date(2008, 3, 10)) == ["许昌市", "新县"]
    assert names(10, date(2001, 1, 1)) == ["许昌市", "旧县"]
    ((_, properties, (ring,)), _) = tile_at(session, "areas", 10, on=date(2008, 3, 10))
    assert properties == {"level": "city", "adcode": "411000", "name": "许昌市"}
    # The tile lies within the city: what is drawn covers it and its margin.
    assert shapely.Polygon(ring).equals(shapely.box(-64, -64, 4160, 4160))
    with pytest.raises(InvalidInputError, match="the day"):
        tile_at(session, "areas", 10)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_statement_of_a_layer_is_answered_from_the_spatial_index(session, batch_id, layer):
    scatter(session, batch_id, 20_000, spread=6.0)
    grid = (
        "from (select a, b, 110.5 + a * .04 as x, 31.5 + b * .04 as y"
        " from generate_series(0, 99) a, generate_series(0, 99) b) as grid"
    )
    session.execute(
        text(
            "insert into huxian.station (source, source_key, name, state, has_import_permit, import_batch_id, geom)"
            f" select 't', a || ' ' || b, 'x', 'filed', false, :batch, ST_SetSRID(ST_MakePoint(x, y), 4326) {grid}"
        ),
        {"batch": batch_id},
    )
    lay(session, batch_id, [[HERE, (113.51, 34.2)]])
    session.execute(
        text(
            "insert into huxian.segment (line_id, sequence, from_node, to_node, kind, pairs, laying, length_m,"
            " import_batch_id, geom) select (select max(id) from huxian.cable_line), 10 + a * 100 + b, 'a', 'b',"
            f" 'copper', 100, 'aerial', 500, :batch, ST_SetSRID(ST_MakeLine(ST_MakePoint(x, y),"
            f" ST_MakePoint(x + .01, y)), 4326) {grid}"
        ),
        {"batch": batch_id},
    )
    session.execute(
        text(
            "insert into huxian.area (level, adcode, name, extent, is_redistributable, geom) select 'county',"
            " (410000 + a * 100 + b)::text, a || ' ' || b, 'same', true,"
            f" ST_Multi(ST_SetSRID(ST_MakeEnvelope(x, y, x + .04, y + .04), 4326)) {grid}"
        )
    )
    for table in ("incident", "station", "segment", "area"):
        session.execute(text(f"analyze huxian.{table}"))
    driver = session.connection().connection.driver_connection
    table = {"areas": "area", "segments": "segment", "stations": "station"}.get(layer, "incident")
    wanted = TileFilter(on=date(2008, 3, 10) if layer == "areas" else None)
    for z in (8, 12):
        x, y = address_of(HERE, z)
        key = TileKey(layer=layer, z=z, x=x, y=y, wanted=wanted)
        for query in tile_queries(layer, z, wanted):
            values = query.given | window_values(key, query.cell_zoom)
            plan = "\n".join(row[0] for row in driver.execute(f"explain {query.text}", values))
            assert f"ix_{table}_geom" in plan, plan
            assert f"Seq Scan on {table}" not in plan, plan


def test_an_address_outside_the_pyramid_is_no_tile():
    assert is_tile(0, 0, 0)
    assert is_tile(20, 2**20 - 1, 0)
    for z, x, y in ((-1, 0, 0), (21, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0)):
        assert not is_tile(z, x, y)


def test_metric_cells_hold_every_place_once(session, batch_id):
    scatter(session, batch_id, 2_000)
    add_incidents(session, batch_id, [HERE], place_precision="county", radius_m=30_000.0)
    cells = grid_counts(session, IncidentFilter(), cell_m=1000)
    assert cells["count"].sum() == 2_000
    assert (cells[["x_m", "y_m"]] % 1000 == 500).all(axis=None)
    assert not cells.duplicated(["x_m", "y_m"]).any()
    (one,) = grid_counts(session, IncidentFilter(), cell_m=1e9)["count"]
    assert one == 2_000
    assert grid_counts(session, IncidentFilter(sector="nuclear"), cell_m=1000).empty
    with pytest.raises(InvalidInputError, match="wider"):
        grid_counts(session, IncidentFilter(), cell_m=0)
