"""Borders of the demo province: the planted clusters are found, named, and told in a briefing."""

from dataclasses import replace
from datetime import date
from itertools import combinations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import shape
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.database import open_engine
from geo.analysis.briefings import masked
from geo.briefings import briefing_of_border
from geo.crs import to_metric
from geo.errors import InvalidInputError, NotFoundError
from geo.runs import KINDS, compute_run, load_run, read_pair
from geo.runs.borders import BordersRequest
from geo.runs.inputs import input_hash
from geo.store.areas import Area
from geo.store.dataset import find_dataset
from geo.store.incidents import Incident
from geo.store.runs import Run
from layers.briefings import file_stem

WHOLE = {"start_on": date(2006, 3, 1), "until_on": date(2008, 3, 1)}


@pytest.fixture(scope="module")
def engine(filled):
    engine = open_engine(filled.web)
    yield engine
    engine.dispose()


@pytest.fixture
def demo(engine):
    """Read the demo that other tests share; nothing is committed."""
    with Session(engine) as shared:
        yield shared
        shared.rollback()


@pytest.fixture(scope="module")
def whole(engine):
    request = BordersRequest(**WHOLE, replications=199)
    with Session(engine) as session:
        loaded = load_run(session, request)
    return compute_run(loaded, request)


@pytest.fixture(scope="module")
def planted(engine):
    """Scan one border beside which the demo has a cluster, by itself."""
    request = BordersRequest(**WHOLE, pair="411400-411600", replications=199)
    with Session(engine) as session:
        loaded = load_run(session, request)
    return compute_run(loaded, request)


def computed(demo, request):
    loaded = load_run(demo, request)
    # A transaction that idles while something is computed is ended by the server.
    demo.rollback()
    return compute_run(loaded, request)


def one_pair(demo, whole):
    """Return the pair with the most incidents on both sides."""
    borders = [border for border in whole.document["borders"] if border["reason"] is None]
    return "-".join(max(borders, key=lambda border: border["case_count"])["cities"])


def test_a_boundary_of_another_time_is_noted_in_both_languages(demo):
    codes = ("411400", "411600")
    one, other = demo.scalars(select(Area).where(Area.adcode.in_(codes)).order_by(Area.adcode))
    one.extent, one.extent_note, one.extent_note_en = "differs", "界线是后来的", "the boundary is a later one"
    other.extent, other.extent_note = "unknown", "界线不详"
    demo.flush()
    request = BordersRequest(**WHOLE, pair="-".join(codes), replications=99)
    loaded = load_run(demo, request)
    demo.rollback()
    (border,) = compute_run(loaded, request).document["borders"]
    assert border["extent_notes"] == [
        {"zh": "界线是后来的", "en": "the boundary is a later one"},
        {"zh": "界线不详", "en": "界线不详"},
    ]


def test_planted_border_clusters_are_found_on_their_borders(demo):
    codes = dict(demo.execute(select(Area.name, Area.adcode).where(Area.level == "city")).all())
    truth = find_dataset(demo).truth["border_clusters"]
    smallest = []
    for cluster in truth:
        pair = read_pair(" ".join(codes[city] for city in cluster["city_names"]))
        document = computed(demo, BordersRequest(**WHOLE, pair=pair, replications=199)).document
        stretch = shape(cluster["stretch"])
        near = [zone for zone in document["zones"] if shape(zone["geometry"]).intersects(stretch)]
        smallest.append(min((zone["p"] for zone in near), default=1.0))
    assert len(smallest) == 3
    assert sum(p <= 0.05 for p in smallest) >= 2
    assert max(smallest) <= 0.15


def test_a_zone_is_told_as_people_need_it(demo, whole):
    document = whole.document
    zone = document["zones"][0]
    assert zone["count_a"] + zone["count_b"] == zone["case_count"] == len(zone["incidents"])
    assert "交界" in zone["stretch_name"]
    assert all(zone["counties"])
    assert zone["geometry"]["type"] in ("Polygon", "MultiPolygon")
    assert zone["sections"]
    for section in zone["sections"]:
        assert section["until_m"] - section["from_m"] >= 100 - 1e-6
        assert section["geometry"]["type"] in ("LineString", "MultiLineString")
        assert section["name"].endswith(tuple("0123456789"))
    assert len(zone["times"]["hours"]) == 24
    # What is known to no better than a day says nothing of the hour, and what to no day nothing of the weekday.
    assert sum(zone["times"]["hours"]) == pytest.approx(zone["times"]["known_count"])
    assert sum(zone["times"]["weekdays"]) == pytest.approx(zone["times"]["dated_count"])
    assert zone["times"]["known_count"] <= zone["times"]["dated_count"] <= zone["case_count"]
    assert zone["found_by"] in ("none", "a", "b", "both")
    away = [station["distance_m"] for station in zone["stations"]]
    assert away == sorted(away)
    assert max(away, default=0) <= 10_000
    assert [finding["zone"] for finding in document["findings"]] == [each["id"] for each in document["zones"]]


def test_the_pairs_of_a_zone_cross_the_line_and_end_in_it(planted):
    (border,) = planted.document["borders"]
    pairs = border["linked"]["pairs"]
    assert border["linked_reason"] is None
    assert border["linked"]["count"] == len(pairs) > 0
    side_of = dict(zip(border["incidents"], border["sides"], strict=True))
    for pair in pairs:
        sides = [side_of[pair[f"incident_{end}"]] for end in "ab"]
        assert sorted(sides) == ["a", "b"]
        assert [border["cities"]["ab".index(side)] for side in sides] == [pair["side_a"], pair["side_b"]]
        assert pair["geometry"] is None or pair["geometry"]["type"] == "LineString"
    for zone in planted.document["zones"]:
        inside = set(zone["incidents"])
        assert zone["linked"] == [pair for pair in pairs if inside & {pair["incident_a"], pair["incident_b"]}]
    assert planted.document["zones"][0]["linked"]
    assert planted.document["linked_limits"] == {"incidents": 800, "borders": 6}


def test_among_all_borders_those_with_nothing_that_passed_are_not_compared(whole):
    for border in whole.document["borders"]:
        assert (border["linked"] is None) == (border["linked_reason"] is not None)
        if not border["zone_count"]:
            assert border["linked_reason"] in ("no_zone_passed", "one_side", "too_few_incidents")
    assert all(zone["linked"] == [] for zone in whole.document["zones"] if zone["p"] > 0.05)


def test_losses_are_part_of_what_was_read(demo, whole):
    pair = one_pair(demo, whole)
    request = BordersRequest(**WHOLE, pair=pair, replications=99)
    loaded = load_run(demo, request)
    assert {"incident_id", "kind", "pairs"} == set(loaded.loss_items.columns)
    less = replace(loaded, loss_items=loaded.loss_items.iloc[1:])
    assert input_hash(*less.frames()) != input_hash(*loaded.frames())


def test_the_lead_that_a_campaign_named_is_part_of_what_was_read(demo):
    loaded = load_run(demo, BordersRequest(**WHOLE, replications=99))
    assert len(loaded.named_pairs)
    row = loaded.named_pairs.index[0]
    other_lead = loaded.named_pairs.copy()
    pair = set(other_lead.loc[row, ["name_a", "name_b"]])
    other_lead.loc[row, "lead_name"] = (pair - {other_lead.loc[row, "lead_name"]}).pop()
    changed = replace(loaded, named_pairs=other_lead)
    assert input_hash(*changed.frames()) != input_hash(*loaded.frames())


def test_every_zone_that_passed_is_listed_or_counted_into_one_that_is(whole):
    zones = {zone["id"]: zone for zone in whole.document["zones"]}
    counted = [each for zone in zones.values() for each in zone["merged"]]
    for border in whole.document["borders"]:
        own = [zone for zone in zones.values() if zone["cities"] == border["cities"] and zone["p"] <= 0.05]
        elsewhere = [each for each in counted if each.startswith("-".join(border["cities"]) + "-")]
        assert border["zone_count"] == len(own) + len(elsewhere)
        assert (border["merged_into"] is None) == (not elsewhere)
    for zone in zones.values():
        assert len(zone["codes"]) == len(zone["areas"])
        assert zone["codes"][:2] == zone["cities"]
        assert (len(zone["codes"]) > 2) == bool(zone["merged"])


@pytest.fixture(scope="module")
def at_a_corner(engine):
    """Return what a scan reads, with every incident put about a corner of three cities, and these."""
    with Session(engine) as session:
        loaded = load_run(session, BordersRequest(**WHOLE, replications=99))
    areas = to_metric(loaded.areas[loaded.areas["level"] == "city"])
    shapes = areas.geometry
    corners = (
        (trio, shapely.intersection_all(shapely.buffer(shapes.loc[list(trio)].to_numpy(), 300.0)))
        for trio in combinations(shapes.index, 3)
        if all(pair in loaded.pairs or pair[::-1] in loaded.pairs for pair in combinations(trio, 2))
    )
    trio, corner = next(each for each in corners if not each[1].is_empty)
    rng = np.random.default_rng(1)
    count = 240
    reach_m = np.where(np.arange(count) < 60, 3_500.0, 25_000.0)[:, None]
    xy_m = shapely.get_coordinates(corner.centroid) + rng.uniform(-1, 1, (count, 2)) * reach_m
    moved = gpd.GeoSeries(shapely.points(xy_m), crs=areas.crs).to_crs(4326)
    incidents = loaded.incidents.iloc[:count].assign(area_id=None, radius_m=50.0)
    return replace(
        loaded,
        incidents=incidents.set_geometry(moved.to_numpy(), crs=4326),
        pairs=[pair for pair in loaded.pairs if set(pair) <= set(trio)],
        exposure=None,
    ), trio


def test_a_cluster_at_a_corner_names_three_cities_and_each_border_says_where_it_was_counted(at_a_corner):
    loaded, trio = at_a_corner
    document = compute_run(loaded, BordersRequest(**WHOLE, replications=99)).document
    first = document["zones"][0]
    codes = {str(loaded.areas["adcode"].loc[area]) for area in trio}
    assert set(first["codes"]) == codes
    assert set(first["areas"]) == {str(loaded.areas["name"].loc[area]) for area in trio}
    assert first["merged"]
    others = {"-".join(border["cities"]): border for border in document["borders"]}
    own = others.pop("-".join(first["cities"]))
    assert own["merged_into"] is None
    assert {merged.rpartition("-")[0] for merged in first["merged"]} <= set(others)
    for pair, border in others.items():
        if any(merged.startswith(f"{pair}-") for merged in first["merged"]):
            assert border["merged_into"] == first["id"]
            assert border["zone_count"]
    assert not {zone["id"] for zone in document["zones"]} & set(first["merged"])


def test_a_border_without_cable_on_one_side_counts_its_incidents_and_claims_nothing(demo, whole):
    pair = one_pair(demo, whole)
    request = BordersRequest(**WHOLE, pair=pair, replications=99)
    loaded = load_run(demo, request)
    demo.rollback()
    (border,) = compute_run(loaded, request).document["borders"]
    second = to_metric(loaded.areas).geometry.loc[loaded.pairs[0][1]]
    is_there = shapely.intersects(second.buffer(60_000), to_metric(loaded.segments).geometry.to_numpy()) & ~(
        shapely.within(
            to_metric(loaded.segments).geometry.to_numpy(),
            to_metric(loaded.areas).geometry.loc[loaded.pairs[0][0]],
        )
    )
    values = np.where(is_there, 0.0, loaded.exposure.values)
    bare = replace(loaded, exposure=replace(loaded.exposure, values=values))
    document = compute_run(bare, request).document
    (told,) = document["borders"]
    assert told["reason"] == "no_exposure_b"
    assert told["exposure_b"] == 0
    assert (told["count_a"], told["count_b"]) == (border["count_a"], border["count_b"])
    assert len(told["incidents"]) == told["case_count"]
    assert (document["verdict"], document["zones"]) == ("no_exposure", [])


def test_named_pairs_carry_their_lead_and_every_border_is_told(whole):
    borders = whole.document["borders"]
    led = {tuple(border["names"]): border["lead"]["name"] for border in borders if border["lead"]}
    assert led
    assert all(lead in names for names, lead in led.items())
    assert len({tuple(border["cities"]) for border in borders}) == len(borders)
    for border in borders:
        assert border["case_count"] == border["count_a"] + border["count_b"]
        assert (border["reason"] is None) == bool(border["power"])


def test_the_same_rows_give_the_same_bytes(demo, whole):
    pair = one_pair(demo, whole)
    request = BordersRequest(**WHOLE, pair=pair, replications=99)
    one, other = (computed(demo, request) for _ in range(2))
    assert one.result == other.result
    assert one.input_hash == other.input_hash
    assert [border["cities"] for border in one.document["borders"]] == [pair.split("-")]


def test_counties_of_different_cities_are_scanned_across_the_border(demo, whole):
    codes = one_pair(demo, whole).split("-")
    city = demo.scalar(select(Area.id).where(Area.adcode == codes[0], Area.level == "city"))
    request = BordersRequest(**WHOLE, level="county", area_id=city, replications=99)
    loaded = load_run(demo, request)
    parents = loaded.areas["parent_id"]
    assert loaded.pairs
    assert all(parents[a] != parents[b] and city in (parents[a], parents[b]) for a, b in loaded.pairs)


def test_a_period_without_incidents_is_told_as_such(demo):
    request = BordersRequest(start_on=date(1990, 1, 1), until_on=date(1990, 2, 1), replications=99)
    document = computed(demo, request).document
    assert document["verdict"] == "no_incidents"
    assert {border["reason"] for border in document["borders"]} == {"no_cases"}
    assert document["zones"] == []


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("419900-429900", "there is no city 419900"),
        ("1-2", "two different area codes"),
        ("411600-411600", "two different"),
    ],
)
def test_pairs_that_are_none_are_refused(demo, pair, words):
    with pytest.raises(InvalidInputError, match=words):
        load_run(demo, BordersRequest(**WHOLE, pair=pair))


def test_cities_that_do_not_touch_are_refused(demo, whole):
    codes = sorted(demo.scalars(select(Area.adcode).where(Area.level == "city")))
    near = {tuple(border["cities"]) for border in whole.document["borders"]}
    far = next((a, b) for a in codes for b in codes if a < b and (a, b) not in near)
    with pytest.raises(InvalidInputError, match="not neighbours"):
        load_run(demo, BordersRequest(**WHOLE, pair="-".join(far)))


def test_a_border_that_changed_within_the_period_is_refused(demo, whole):
    code = one_pair(demo, whole).split("-")[0]
    area = demo.scalar(select(Area).where(Area.adcode == code, Area.level == "city"))
    area.valid_from = date(2007, 1, 1)
    demo.flush()
    try:
        with pytest.raises(InvalidInputError, match="choose a period that does not span the change"):
            load_run(demo, BordersRequest(**WHOLE, pair=one_pair(demo, whole)))
    finally:
        area.valid_from = None
        demo.flush()


@pytest.mark.parametrize(
    "wrong", [{"depth_m": 0.1}, {"step_m": 100_000.0}, {"level": "town"}, {"pair": "411600-411400"}]
)
def test_figures_out_of_range_are_refused_by_the_request(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        BordersRequest(**WHOLE, **wrong)


def test_pairs_are_read_in_any_order():
    assert read_pair("411600 411400") == read_pair("411400,411600") == "411400-411600"
    assert "borders" in KINDS


def stored(demo, answer, **own):
    """Keep a run as a worker would."""
    request = BordersRequest(**WHOLE, replications=199, **own)
    run = Run(
        kind="borders",
        parameters=request.parameters(),
        request_hash="0" * 64,
        state="done",
        result=answer.result,
        result_hash="0" * 64,
        input_hash=answer.input_hash,
        input_count=answer.input_count,
        dataset_version=find_dataset(demo).version,
    )
    demo.add(run)
    demo.flush()
    return run


@pytest.fixture
def kept(demo, whole):
    return stored(demo, whole)


def test_a_briefing_says_what_the_run_found(demo, whole, kept):
    pair = one_pair(demo, whole)
    border = next(each for each in whole.document["borders"] if "-".join(each["cities"]) == pair)
    told = briefing_of_border(demo, kept.id, pair=pair, document=whole.document, version="1")
    assert [city.code for city in told.cities] == border["cities"]
    assert [city.belt_count for city in told.cities] == [border["count_a"], border["count_b"]]
    assert told.counts.belt_count == border["case_count"]
    assert told.provenance.is_synthetic
    assert told.provenance.data_hash == whole.input_hash
    zones = [zone for zone in whole.document["zones"] if zone["cities"] == border["cities"]]
    assert [zone.case_count for zone in told.zones] == [zone["case_count"] for zone in zones]
    assert [zone.rank for zone in told.zones] == list(range(1, len(zones) + 1))
    assert len(told.verdict.power) == len(border["power"])
    assert told.map.boundary.length == pytest.approx(border["length_m"], rel=0.02)
    assert (told.map.incident_radius_m <= 10_000).all()
    assert file_stem(told).startswith(f"briefing-{pair}")


def test_the_chains_of_a_briefing_are_the_pairs_of_the_run(demo, planted):
    (border,) = planted.document["borders"]
    pair = "-".join(border["cities"])
    run = stored(demo, planted, pair=pair)
    told = briefing_of_border(demo, run.id, pair=pair, document=planted.document, version="1")
    linked = border["linked"]
    numbers = dict(demo.execute(select(Incident.id, Incident.case_number)).all())
    crossing = {
        (frozenset((one.case_number, other.case_number)), round(link.odds, 6), link.reasons)
        for chain in told.chains
        for link in chain.links
        for one, other in [(chain.incidents[link.first], chain.incidents[link.second])]
        if one.city_code != other.city_code
    }
    assert crossing == {
        (
            frozenset((numbers[row["incident_a"]], numbers[row["incident_b"]])),
            round(row["odds"], 6),
            tuple(row["reasons"]),
        )
        for row in linked["pairs"]
    }
    said = told.link_chance
    assert (said.pair_count, said.expected, said.p) == (
        linked["count"],
        pytest.approx(linked["chance"]),
        pytest.approx(linked["p"]),
    )


def test_a_briefing_says_why_the_run_did_not_link_incidents(demo, whole, kept):
    border = next(each for each in whole.document["borders"] if each["linked_reason"] == "no_zone_passed")
    pair = "-".join(border["cities"])
    told = briefing_of_border(demo, kept.id, pair=pair, document=whole.document, version="1")
    assert told.chains == ()
    assert "全部交界一起检验时这条交界没有一处通过，未作跨界串并；只检验这一条时会串并。" in told.unknowns


def test_a_run_of_another_version_has_no_briefing(demo, whole, kept):
    older = whole.document | {"method_version": "borders/2"}
    with pytest.raises(InvalidInputError, match="another version"):
        briefing_of_border(demo, kept.id, pair=one_pair(demo, whole), document=older, version="1")


def test_the_outward_briefing_of_a_border_holds_no_place(demo, whole, kept):
    inner = briefing_of_border(
        demo, kept.id, pair=one_pair(demo, whole), document=whole.document, version="1"
    )
    outer = masked(inner)
    text = repr(outer)
    for section in inner.sections:
        assert section.line_name not in text
    for station in inner.stations:
        assert station.name not in text


def test_a_briefing_of_another_border_or_kind_is_refused(demo, whole, kept):
    with pytest.raises(NotFoundError, match="did not scan"):
        briefing_of_border(demo, kept.id, pair="419900-429900", document=whole.document, version="1")
    with pytest.raises(NotFoundError):
        briefing_of_border(demo, 2**40, pair="411400-411600", document=whole.document, version="1")
    with pytest.raises(InvalidInputError, match="finished scan of borders"):
        briefing_of_border(demo, kept.id, pair="411400-411600", document={}, version="1")
