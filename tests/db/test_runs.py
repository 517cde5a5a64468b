"""Every kind of run goes over the demo province: one shape, the same bytes again, nothing written, steps told."""

import json
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.database import open_engine
from geo.errors import CancelledRunError, InvalidInputError
from geo.runs import KINDS, compute_run, load_run

DAYS = {"start_on": date(2007, 1, 1), "until_on": date(2007, 7, 1)}
# Two years of one city are as many incidents as half a year of all, on a twentieth of the lines.
LONG = {"start_on": date(2006, 3, 1), "until_on": date(2008, 3, 1)}
QUICK = {"replications": 499}
KEYS = {
    "kind", "form", "method", "method_version", "why", "verdict", "reasons", "asked", "findings", "tables", "raster",
    "lines", "exposure_kind", "incident_count", "used_count", "omitted_count", "unlocated_count", "other_origin_count",
    "is_census", "strongest_p", "minimum_relative_risk", "minimum_share", "critical_llr", "alpha", "replications",
    "draws", "seed", "metric_epsg", "outlines",
}  # fmt: skip
OWN_KEYS = {"borders": {"borders", "zones", "skipped", "linked_limits"}}


@pytest.fixture(scope="module")
def demo(filled):
    engine = open_engine(filled.web, statement_timeout_ms=0)
    with Session(engine) as shared:
        yield shared
        shared.rollback()
    engine.dispose()


@pytest.fixture(scope="module")
def city(demo):
    """Return the city with most incidents."""
    return demo.scalar(
        text(
            "select coalesce(parent.id, area.id) from huxian.incident join huxian.area on area.id = area_id"
            " left join huxian.area parent on parent.id = area.parent_id and parent.level = 'city'"
            " where area.level in ('city', 'county') group by 1 order by count(*) desc, 1 limit 1"
        )
    )


def of_city(name, city):
    """Return two years of one city, of a comparison a year of it against the year before."""
    days = LONG | {"start_on": date(2007, 3, 1)} if name == "compare" else LONG
    return asked(name, **days, area_id=city)


def asked(name, **changes):
    request = KINDS[name].request
    known = {key: value for key, value in QUICK.items() if key in request.__dataclass_fields__}
    return request(**(DAYS | known | changes))


def computed(session, request, **rest):
    return compute_run(load_run(session, request), request, **rest)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_answers_in_the_common_shape_with_the_same_bytes_again(demo, city, name):
    steps = []
    request = of_city(name, city)
    answer = computed(demo, request, progress=lambda done, total: steps.append((done, total)))
    again = computed(demo, request)
    assert (answer.result, answer.input_hash) == (again.result, again.input_hash)
    document = json.loads(answer.result)
    assert set(document) == KEYS | OWN_KEYS.get(name, set())
    assert document["asked"] == json.loads(json.dumps(request.parameters()))
    assert (document["kind"], document["method_version"]) == (name, request.version)
    assert answer.input_count == document["incident_count"] > 50
    assert document["used_count"] + document["omitted_count"] == document["incident_count"]
    assert document["used_count"] > 0
    assert document["other_origin_count"] > 0
    assert [finding["rank"] for finding in document["findings"]] == list(
        range(1, len(document["findings"]) + 1)
    )
    for finding in document["findings"]:
        assert {"labels", "geometry", "is_hotspot"} <= set(finding)
        assert KINDS[name].proves or not finding["is_hotspot"]
    for table in document["tables"].values():
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert steps
    assert steps[-1][0] == steps[-1][1]
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert len({total for _, total in steps}) == 1


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_stops_when_it_is_told_to(demo, city, name):
    def stop(_done, _total):
        raise CancelledRunError("enough")

    with pytest.raises(CancelledRunError):
        computed(demo, of_city(name, city), progress=stop)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_says_that_there_are_no_incidents(demo, city, name):
    quiet = {"start_on": date(1999, 1, 1), "until_on": date(1999, 7, 1), "area_id": city}
    document = json.loads(computed(demo, asked(name, **quiet)).result)
    assert document["verdict"] in ("no_incidents", "no_exposure")
    assert document["used_count"] == 0
    assert not any(finding["is_hotspot"] for finding in document["findings"])


def test_the_origins_are_counted_apart_and_add_up(demo):
    by_origin = {
        origin: json.loads(computed(demo, asked("hours", origin=origin)).result)
        for origin in ("reported", "patrol", "both")
    }
    counts = {origin: document["incident_count"] for origin, document in by_origin.items()}
    assert counts["reported"] + counts["patrol"] == counts["both"]
    assert 0 < counts["patrol"] < counts["reported"]
    assert by_origin["reported"]["other_origin_count"] == counts["patrol"]
    assert by_origin["both"]["other_origin_count"] == 0


def test_a_comparison_counts_the_incidents_of_both_periods_by_area(demo):
    document = json.loads(computed(demo, asked("compare", level="county")).result)
    rows = demo.execute(text("select id, name from huxian.area where level = 'county'"))
    counties = {row.id: row.name for row in rows}
    counted = {
        (bool(is_before), area_id): count
        for is_before, area_id, count in demo.execute(
            text(
                "select m < '2007-01-01+08', area_id, count(*) from"
                " (select occurred_from + (occurred_until - occurred_from) / 2 as m, area_id from huxian.incident"
                "  where voided_at is null and origin = 'reported') as i"
                " where m >= '2006-01-01+08' and m < '2006-07-01+08' or m >= '2007-01-01+08' and m < '2007-07-01+08'"
                " group by 1, 2"
            )
        )
    }
    for finding in document["findings"]:
        assert finding["labels"] == [counties[finding["area_id"]]]
        assert finding["before_count"] == counted.get((True, finding["area_id"]), 0)
        assert finding["case_count"] == counted.get((False, finding["area_id"]), 0)
    assert sum(finding["case_count"] for finding in document["findings"]) == document["used_count"]


def test_periods_that_share_days_are_not_compared():
    with pytest.raises(InvalidInputError, match="share days"):
        asked("compare", base="2007-06/2007-12")


def test_an_area_narrows_what_is_looked_at(demo, city):
    whole = json.loads(computed(demo, asked("hours")).result)
    part = json.loads(computed(demo, asked("hours", area_id=city)).result)
    assert 0 < part["incident_count"] < whole["incident_count"]
    assert part["asked"]["area_id"] == city


def test_masked_incidents_are_refused(demo):
    wanted = "occurred_from between '2007-02-01' and '2007-06-01' and origin = 'reported'"
    marked = f"update huxian.incident set flags = '{{masked}}' where {wanted}"
    try:
        assert demo.execute(text(marked)).rowcount > 50
        for name in ("hours", "hotspots", "compare"):
            with pytest.raises(InvalidInputError, match="masked"):
                load_run(demo, asked(name))
    finally:
        demo.rollback()
