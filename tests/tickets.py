"""Plant one truth in two books: thefts along lines, as the police and a utility would write them down."""

from datetime import datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.crs import METRIC
from geo.periods import CHINA
from geo.store.areas import Area
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch
from geo.store.incidents import Incident
from geo.store.rows import add_rows, cell
from geo.store.tickets import Ticket

START = datetime(2007, 1, 1, tzinfo=CHINA)
PRECISIONS = ("point", "section", "village", "township", "county")
RADII_M = {
    "point": (50, 150),
    "section": (300, 1_500),
    "village": (1_000, 1_500),
    "township": (3_000, 9_000),
    "county": (20_000, 33_000),
}
POLICE_SHARES = (0.2, 0.25, 0.35, 0.15, 0.05)
TICKET_SHARES = (0.5, 0.3, 0.15, 0.05, 0.0)
NIGHT_H = 12.0
CORNER_M = (350_000.0, 3_700_000.0)
COUNTY_M = 40_000.0


def thefts(rng, *, count, days, lines=60, size_m=300_000.0):
    """Return events along lines: x, y, hour, line, kind; some lines draw many, most happen at night."""
    start = rng.uniform(0, size_m, (lines, 2)) + CORNER_M
    bearing = rng.uniform(0, 2 * np.pi, lines)
    length = rng.uniform(5_000, 40_000, lines)
    weight = rng.gamma(0.7, 1.0, lines) * length
    line = rng.choice(lines, count, p=weight / weight.sum())
    along = rng.uniform(0, 1, count) * length[line]
    xy = start[line] + along[:, None] * np.column_stack([np.cos(bearing), np.sin(bearing)])[line]
    night = rng.random(count) < 0.8
    hour = np.where(night, rng.uniform(20, 29, count), rng.uniform(5, 20, count))
    return pd.DataFrame(
        {
            "x": xy[:, 0],
            "y": xy[:, 1],
            "hour": np.sort(rng.integers(0, days, count)) * 24.0 + hour,
            "line": line,
            "kind": np.where(line % 3 == 0, "optical", "copper"),
        }
    )


def written(rng, events, *, shares, first_id, knows_line):
    """Write events down: a place somewhere in its circle, an interval that holds the time or comes late."""
    count = len(events)
    precision = rng.choice(PRECISIONS, count, p=shares)
    radius = np.array([rng.uniform(*RADII_M[each]) for each in precision])
    turn = rng.uniform(0, 2 * np.pi, count)
    off = radius * np.sqrt(rng.random(count))
    hour = events["hour"].to_numpy()
    how = rng.choice(["minute", "night", "day"], count, p=[0.3, 0.5, 0.2])
    begin = {
        "minute": np.floor(hour * 60) / 60,
        "night": np.floor((hour - 18) / 24) * 24 + 18,
        "day": np.floor(hour / 24) * 24,
    }
    length = {"minute": 1 / 60, "night": 15.0, "day": 24.0}
    start = np.choose([["minute", "night", "day"].index(each) for each in how], [*begin.values()])
    late = np.where(rng.random(count) < 0.1, rng.exponential(36, count), rng.exponential(0.5, count))
    start = start + np.where(how == "minute", late, np.where(late > 4, np.floor(late / 24) * 24, 0))
    until = start + np.array([length[each] for each in how])
    x, y = events["x"] + off * np.cos(turn), events["y"] + off * np.sin(turn)
    county = np.floor(events["x"] / COUNTY_M) * 100 + np.floor(events["y"] / COUNTY_M) + 1
    known = rng.random(count) < knows_line
    return gpd.GeoDataFrame(
        {
            "occurred_from": [START + timedelta(hours=float(each)) for each in start],
            "occurred_until": [START + timedelta(hours=float(each)) for each in until],
            "place_precision": precision,
            "radius_m": radius,
            "area_id": county.to_numpy().astype(int),
            "city_id": 1,
            "cable_kind": events["kind"].to_numpy(),
            "sector": "telecom",
            "line_name": np.where(known, "线" + events["line"].astype(str), None),
            "event": events.index.to_numpy(),
        },
        geometry=gpd.points_from_xy(x, y),
        crs=METRIC,
        index=pd.Index(np.arange(count) + first_id, name="id"),
    )


def two_books(seed, *, count=600, days=730, police_share=0.7, ticket_share=0.7):
    """Return (incidents, tickets) of one truth; ``event`` says which rows are one theft."""
    rng = np.random.default_rng(seed)
    events = thefts(rng, count=count, days=days)
    shares = np.broadcast_to(police_share, count)
    police = events[rng.random(count) < shares]
    books = events[rng.random(count) < ticket_share]
    incidents = written(rng, police, shares=POLICE_SHARES, first_id=1, knows_line=0.5)
    tickets = written(rng, books, shares=TICKET_SHARES, first_id=10_001, knows_line=0.8)
    return incidents, tickets


def truth_of(incidents, tickets):
    """Return the true pairs of ids."""
    by_event = dict(zip(tickets["event"], tickets.index, strict=True))
    return {
        (incident, by_event[event]) for incident, event in incidents["event"].items() if event in by_event
    }


def precision_and_recall(matches, truth):
    """Return (precision, recall) of matches against the true pairs."""
    found = set(zip(matches["incident_id"], matches["ticket_id"], strict=True))
    right = len(found & truth)
    return right / max(len(found), 1), right / max(len(truth), 1)


def store_books(session, incidents, tickets):
    """Store two planted books, with three counties of one city; the caller commits."""
    claim_dataset(session, "real")
    batch_id = add_batch(
        session,
        kind="tickets",
        source="planted",
        file_name="planted.csv",
        sha256="0" * 64,
        datum="wgs84",
        row_count=len(incidents) + len(tickets),
    ).id
    city_id, *county_ids = _store_counties(session)
    for table, frame, named in (
        (Incident, incidents, lambda key: {"case_number": f"案-{key}", "category_code": "cable_theft"}),
        (Ticket, tickets, lambda key: {"ticket_number": f"抢-{key}", "kind": "repair"}),
    ):
        placed = frame.to_crs(4326)
        county = [county_ids[int(each) % len(county_ids)] for each in frame["area_id"]]
        rows = []
        for (key, row), area_id in zip(placed.iterrows(), county, strict=True):
            common = {
                "source": "planted",
                "occurred_from": row["occurred_from"],
                "occurred_until": row["occurred_until"],
                "date_precision": "interval",
                "place_text": f"第{key}处",
                "place_precision": row["place_precision"],
                "radius_m": float(row["radius_m"]),
                "declared_datum": "wgs84",
                "sector_code": "telecom",
                "area_id": area_id,
                "import_batch_id": batch_id,
                "geom": cell(row.geometry),
            }
            if table is Ticket:
                common |= {"cause": row.get("cause", "theft"), "cable_kind": "copper", "line_name": None}
            else:
                common |= {"origin": "reported", "flags": []}
            rows.append(common | named(key))
        add_rows(session, table, rows)
    session.flush()
    return city_id, county_ids


def _store_counties(session):
    city = {"level": "city", "adcode": "419900", "name": "埋点市"}
    city_id = add_rows(session, Area, [city])[0]
    counties = [
        {"level": "county", "adcode": f"41990{number}", "name": f"第{number}县", "parent_id": city_id}
        for number in range(1, 4)
    ]
    return [city_id, *add_rows(session, Area, counties)]
