"""Tiles are kept, shared and forgotten as the data demands; a bad address never reaches the database."""

import asyncio
import gzip
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from sqlalchemy import text

from api.database import libpq_url, make_sessions, open_engine
from api.tile_cache import TileShelf
from api.tile_door import TileDoor, tiles_of
from geo.analysis.province import synthetic_province
from geo.demo import store_province
from geo.store.dataset import claim_dataset
from geo.store.tile_windows import TileFilter, TileKey
from tests.api.conftest import client_of
from tests.tiles import on_tile, read_tile

PROBLEM = "application/problem+json"
TILE = "/tiles/incidents/7/104/51.mvt"
LAYERS = ("incidents", "grid", "segments", "stations", "areas")


def path_of(layer, address="7/104/51"):
    return f"/tiles/{layer}/{address}.mvt" + ("?on=2008-03-10" if layer == "areas" else "")


def queries(client):
    return tiles_of(client.app).shelf.query_count


@pytest.fixture
def own_client(fresh):
    """Give an application over a demo province that this test may change."""
    engine = open_engine(fresh.web)
    with make_sessions(engine).begin() as session:
        store_province(session, synthetic_province(seed=7), seed=7)
    engine.dispose()
    client, engine = client_of(fresh, demo=True)
    client.urls = fresh
    yield client
    tiles_of(client.app).shelf.close()
    engine.dispose()


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_answers_with_its_own_name_and_is_empty_elsewhere(client, layer):
    answer = client.get(path_of(layer))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert list(read_tile(answer.content)) == [layer]
    empty = client.get(path_of(layer, "7/0/0"))
    assert (empty.status_code, empty.content) == (204, b"")
    assert empty.headers["etag"]


@pytest.mark.parametrize("layer", [*LAYERS, "rivers", "incidents,areas"])
@pytest.mark.parametrize(
    "address",
    [
        "21/0/0",
        "-1/0/0",
        "1/2/0",
        "1/0/2",
        "1/-1/0",
        "0/0/1",
        "1234567890123456789012345678901/0/0",
        "1/0/1234567890123456789012345678901",
        "7/1e2/51",
        "7/104.0/51",
        "7/1_04/51",
        "７/104/51",
        "+7/104/51",
        "nan/0/0",
    ],
)
def test_an_address_that_is_no_tile_is_refused(client, layer, address):
    # Once before the query string is known to the door, once after.
    for _ in range(2):
        before = queries(client)
        answer = client.get(path_of(layer, address))
        assert answer.status_code in (404, 422), answer.text
        assert answer.headers["content-type"] == PROBLEM
        assert "1234567890" not in answer.text
        assert queries(client) == before
        if layer in LAYERS:
            client.get(path_of(layer))


@pytest.mark.parametrize(
    ("layer", "query"),
    [
        ("incidents", "sector=power&sector=telecom"),
        ("incidents", "colour=red"),
        ("incidents", "on=2008-03-10"),
        ("incidents", "period=2008-13"),
        ("incidents", "category=' or 1=1"),
        ("incidents", "area=0"),
        ("grid", "layers=incidents"),
        ("segments", "category=cable_theft"),
        ("stations", "period=2008-03"),
        ("areas", ""),
        ("areas", "on=2008-02-30"),
        ("areas", "on=20080310"),
        ("areas", "on=2008-03-10&on=2008-03-10"),
    ],
)
def test_a_query_that_is_not_understood_is_refused(client, layer, query):
    for _ in range(2):
        answer = client.get(f"/tiles/{layer}/7/104/51.mvt?{query}")
        assert answer.status_code == 422
        assert answer.headers["content-type"] == PROBLEM


def test_the_door_stands_behind_the_guard_and_answers_with_its_headers(client):
    assert TileDoor in [middleware.cls for middleware in client.app.user_middleware]
    for _ in range(2):
        assert client.get(TILE, headers={"host": "evil.example"}).status_code == 400
        headers = client.get(TILE).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert len(headers["x-request-id"]) == 16


def test_a_tile_asked_for_again_costs_no_query_and_an_unchanged_one_not_even_itself(client):
    first = client.get(TILE)
    before = queries(client)
    assert client.get(TILE).content == first.content
    etag = first.headers["etag"]
    for sent in (etag, f'"other", {etag}'):
        again = client.get(TILE, headers={"if-none-match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    # A tile nobody has read yet is unchanged as well while the data is.
    far = client.get("/tiles/incidents/9/417/205.mvt", headers={"if-none-match": etag})
    assert far.status_code == 304
    assert queries(client) == before
    assert client.get(TILE, headers={"if-none-match": '"other"'}).status_code == 200


def test_every_filter_has_an_etag_and_a_tile_of_its_own(client):
    plain, power = client.get(TILE), client.get(f"{TILE}?sector=power")
    assert plain.headers["etag"] != power.headers["etag"]
    assert len(power.content) < len(plain.content)
    assert client.get(f"{TILE}?sector=").headers["etag"] == plain.headers["etag"]


def test_a_browser_gets_a_packed_tile_and_others_get_the_same_plain(client):
    plain = client.get(TILE, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for _ in range(2):
        with client.stream("GET", TILE, headers={"accept-encoding": "gzip"}) as packed:
            assert packed.headers["content-encoding"] == "gzip"
            assert packed.headers["vary"] == "Accept-Encoding"
            raw = b"".join(packed.iter_raw())
        assert gzip.decompress(raw) == plain.content
        assert len(raw) < len(plain.content)


def test_a_commit_is_seen_by_the_next_tile_within_a_second(own_client):
    x, y = (units // 4096 for units in on_tile(113.6, 33.98, z=12, x=0, y=0))
    address = f"/tiles/incidents/12/{x}/{y}.mvt?sector=power"
    before = own_client.get(address)
    with own_client.app.state.sessions.begin() as session:
        claim_dataset(session, "demo")
        session.execute(
            text(
                "update huxian.incident set sector_code = 'power', geom = ST_SetSRID(ST_MakePoint(113.6, 33.98), 4326),"
                " place_precision = 'point', radius_m = 10 where id = (select min(id) from huxian.incident)"
            )
        )
    committed = time.monotonic()
    after = before
    while after.headers["etag"] == before.headers["etag"] and time.monotonic() - committed < 5:
        after = own_client.get(address, headers={"if-none-match": before.headers["etag"]})
    assert time.monotonic() - committed < 1
    assert after.status_code == 200
    known = {row[0] for row in read_tile(before.content).get("incidents", [])}
    (moved,) = (row for row in read_tile(after.content)["incidents"] if row[0] not in known)
    assert moved[1]["place_precision"] == "point"


def test_two_hundred_who_ask_for_one_tile_at_once_make_one_query(own_client):
    async def ask():
        transport = httpx.ASGITransport(app=own_client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            # The first goes through the route, which tells the door of the query string.
            await client.get("/tiles/grid/7/0/0.mvt")
            before = queries(own_client)
            answers = await asyncio.gather(*(client.get("/tiles/grid/7/104/51.mvt") for _ in range(200)))
            return answers, queries(own_client) - before

    answers, made = asyncio.run(ask())
    assert made == 1
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def waiting_queries(connection):
    return connection.execute(
        "select count(*) from pg_stat_activity where application_name = 'huxian-tiles'"
        " and datname = current_database() and wait_event_type = 'Lock'"
    ).fetchone()[0]


def until(holds, *, within_s):
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "did not come to hold in time"
        time.sleep(0.02)


@pytest.mark.parametrize("through_the_door", [False, True])
def test_a_client_that_hangs_up_takes_its_query_with_it(own_client, through_the_door):
    if through_the_door:
        assert own_client.get("/tiles/grid/7/0/0.mvt").status_code == 204
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/tiles/grid/7/104/51.mvt",
        "raw_path": b"/tiles/grid/7/104/51.mvt",
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 1),
    }
    admin = libpq_url(own_client.urls.admin)
    with psycopg.connect(admin) as holder, psycopg.connect(admin, autocommit=True) as watcher:
        holder.execute("lock table huxian.incident in access exclusive mode")
        hung_up = asyncio.Event()

        async def receive():
            await hung_up.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            pass

        async def ask():
            asked = asyncio.create_task(own_client.app(scope, receive, send))
            await asyncio.to_thread(until, lambda: waiting_queries(watcher) == 1, within_s=4)
            hung_up.set()
            await asyncio.to_thread(until, lambda: waiting_queries(watcher) == 0, within_s=1)
            await asked

        asyncio.run(ask())
        holder.rollback()
    assert own_client.get("/tiles/grid/7/104/51.mvt").status_code == 200


def test_one_who_leaves_does_not_take_the_tile_from_the_others(own_client):
    admin = libpq_url(own_client.urls.admin)
    shelf = tiles_of(own_client.app).shelf
    version = asyncio.run(shelf.ask_version())
    key = TileKey(layer="grid", z=7, x=104, y=51, wanted=TileFilter())
    with psycopg.connect(admin) as holder, psycopg.connect(admin, autocommit=True) as watcher:
        holder.execute("lock table huxian.incident in access exclusive mode")
        with shelf.reading(key, version) as stays:
            with shelf.reading(key, version) as leaves:
                until(lambda: waiting_queries(watcher) == 1, within_s=4)
                assert leaves is stays
            time.sleep(0.2)
            assert waiting_queries(watcher) == 1
            holder.rollback()
            assert stays.result(timeout=5).body
    assert shelf.query_count == 1


def test_a_database_that_hung_up_is_asked_again_and_one_that_is_away_is_503(own_client):
    assert own_client.get(TILE).status_code == 200
    with psycopg.connect(libpq_url(own_client.urls.admin), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'huxian-tiles' and datname = current_database()"
        )
    assert own_client.get("/tiles/grid/7/104/51.mvt").status_code == 200
    away = TileShelf("postgresql://nobody@127.0.0.1:1/nothing", version_age_s=0)
    tiles_of(own_client.app).shelf = away
    answer = own_client.get(TILE)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["content-type"] == PROBLEM
    assert "nobody" not in answer.text
    away.close()


def test_the_shelf_forgets_what_was_unused_for_longest_and_stays_within_its_bytes(filled):
    shelf = TileShelf(libpq_url(filled.web), most_bytes=12_000)
    keys = [TileKey(layer="grid", z=12, x=3300 + x, y=1633, wanted=TileFilter()) for x in range(60)]
    version = asyncio.run(shelf.ask_version())
    for key in keys:
        with shelf.reading(key, version) as landed:
            landed.result(timeout=10)
    assert shelf.kept(keys[0], version) is None
    assert shelf.kept(keys[-1], version) is not None
    held = [key for key in keys if shelf.kept(key, version) is not None]
    assert held == keys[-len(held) :]
    assert 0 < len(held) < len(keys)
    shelf.close()


def test_requests_of_several_threads_share_their_queries(client):
    before = queries(client)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.get("/tiles/segments/10/834/409.mvt").content, range(24)))
    assert len(set(answers)) == 1
    assert queries(client) - before == 1
