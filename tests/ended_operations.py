"""Store two cities, an operation that has ended on their border, and incidents before and during it."""

from datetime import date, datetime, timedelta

import numpy as np

from geo.operations import Act, Proposal, Window, act_on, propose
from geo.periods import CHINA
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch
from geo.store.incidents import Incident
from geo.store.rows import add_rows
from tests.joint_operations import OFFICE, SHANGQIU, ZHOUKOU, ZONE

WINDOW = Window(from_on=date(2008, 3, 1), until_on=date(2008, 4, 1), from_hour=20, until_hour=5)
YEAR_BEFORE, JUST_BEFORE = date(2007, 3, 1), date(2008, 1, 30)
"""First days of the two periods compared with."""


def stand_incidents(session, cities, *, inside, elsewhere=(200, 200, 200), seed=1, **given):
    """Store incidents a year before, just before and during the operation, inside the zone and elsewhere."""
    claim_dataset(session, "real")
    rng = np.random.default_rng(seed)
    batch = add_batch(
        session,
        kind="incidents",
        source="test",
        file_name="f",
        sha256=f"{seed:064d}",
        datum="wgs84",
        row_count=1,
    )
    rows = []
    periods = (YEAR_BEFORE, JUST_BEFORE, WINDOW.from_on)
    for first, in_zone, outside in zip(periods, inside, elsewhere, strict=True):
        boxes = [(114.91, 34.41, 115.09, 34.49)] * in_zone + [(114.02, 34.02, 115.98, 34.35)] * outside
        for west, south, east, north in boxes:
            lon, lat = rng.uniform(west, east), rng.uniform(south, north)
            night = datetime(first.year, first.month, first.day, 22, tzinfo=CHINA)
            night += timedelta(days=int(rng.integers(0, 30)))
            rows.append(
                {
                    "source": "test",
                    "case_number": f"{seed}-{len(rows)}",
                    "area_id": cities[SHANGQIU] if lon < 115 else cities[ZHOUKOU],
                    "record_area_id": cities[SHANGQIU] if lon < 115 else cities[ZHOUKOU],
                    "occurred_from": night,
                    "occurred_until": night + timedelta(hours=2),
                    "date_precision": "hour",
                    "place_text": "某村",
                    "place_precision": "village",
                    "radius_m": 300.0,
                    "declared_datum": "wgs84",
                    "category_code": "cable_theft",
                    "sector_code": "telecom",
                    "origin": "reported",
                    "flags": [],
                    "import_batch_id": batch.id,
                    "geom": f"SRID=4326;POINT({lon} {lat})",
                }
                | given
            )
    add_rows(session, Incident, rows)


def end_operation(session, cities, *, window=WINDOW):
    """Propose an operation in the zone, let it run and end it; return its id."""
    wanted = Proposal(
        title="商丘、周口区域会战",
        city_ids=(cities[SHANGQIU], cities[ZHOUKOU]),
        window=window,
        zones=(("柘城—太康", ZONE),),
    )

    def act(code):
        return Act(city_id=cities[code], unit=OFFICE[code])

    operation, _ = propose(session, wanted, act(SHANGQIU))
    for name, code in (("agree", SHANGQIU), ("agree", ZHOUKOU), ("start", SHANGQIU), ("end", SHANGQIU)):
        act_on(session, operation, name, act(code))
    session.flush()
    return operation.id
