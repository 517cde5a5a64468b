"""Make briefings of any size for tests and benchmarks, on the areas of the demo province."""

from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
import shapely

from geo.analysis.briefings import (
    Alternative,
    Briefing,
    BriefingMap,
    Chain,
    City,
    Counts,
    Link,
    LinkChance,
    LinkedIncident,
    LostItem,
    MapArea,
    MapLabel,
    MapLine,
    Power,
    Provenance,
    Role,
    Section,
    Station,
    Verdict,
    Zone,
)
from geo.analysis.province_areas import synthetic_areas
from geo.crs import to_metric
from geo.periods import CHINA, Period

PERIOD = Period(date(2008, 1, 1), date(2008, 7, 1))
NAMES = {"411600": "周口市", "411400": "商丘市", "410200": "开封市"}
TOWNS = (
    "石桥镇",
    "柳河镇",
    "双沟乡",
    "铁佛寺镇",
    "任集乡",
    "大王集镇",
    "白楼乡",
    "谷熟镇",
    "李原乡",
    "胡襄镇",
)


@cache
def province():
    """Return the areas of the demo province in metres."""
    return to_metric(synthetic_areas(seed=1))


@cache
def land(codes):
    """Return cities, counties, the shared boundary and the belt of 15 km on either side."""
    areas = province()
    chosen = {code: areas[areas["adcode"] == code] for code in codes}
    shapes = {code: shapely.simplify(rows.geometry.iloc[0], 200) for code, rows in chosen.items()}
    counties = [
        (row.adcode, row.name_, code, shapely.simplify(row.geometry, 200))
        for code, rows in chosen.items()
        for row in areas[areas["parent_id"] == rows.index[0]].rename(columns={"name": "name_"}).itertuples()
    ]
    first, *others = shapes.values()
    boundary = shapely.line_merge(
        shapely.intersection(first.boundary, shapely.buffer(shapely.union_all(others), 600))
    )
    if boundary.geom_type == "MultiLineString":
        boundary = max(boundary.geoms, key=lambda part: part.length)
    belt = shapely.intersection(boundary.buffer(15_000), shapely.union_all([first, *others]).buffer(1))
    return shapes, counties, boundary, belt


def sample_briefing(
    *,
    codes=("411600", "411400"),
    zones=3,
    proven=2,
    incidents=96,
    lines=True,
    hours=True,
    silent=None,
    details=True,
    suffix="",
    seed=4,
):
    """Make a briefing.

    Parameters
    ----------
    codes : tuple of str
    zones, proven, incidents : int
    lines, hours, details : bool
        Whether there are lines, hours, and chains with stations.
    silent : str or None
        City that sent nothing.
    suffix : str
        Put after every text that comes from data.
    seed : int
    """
    rng = np.random.default_rng(seed)
    shapes, counties, boundary, belt = land(codes)
    at = _places(rng, incidents, boundary, belt)
    radius = rng.choice([300.0, 1_500.0, 4_200.0], size=len(at), p=[0.4, 0.35, 0.25])
    found = tuple(
        _zone(
            rng,
            rank,
            zones,
            boundary,
            belt,
            codes,
            is_proven=rank <= proven,
            case_count=max(incidents // (4 + rank), 2),
            hours=hours,
            suffix=suffix,
        )
        for rank in range(1, zones + 1)
    )
    timed, dated = (int(incidents * 0.38), int(incidents * 0.7)) if hours else (0, 0)
    per_city = _split(incidents, len(codes))
    county_counts = rng.multinomial(incidents, np.full(len(counties), 1 / len(counties)))
    drawn = BriefingMap(
        cities=tuple(
            MapArea(code=code, name=NAMES[code], city_code=code, shape=shape, has_data=code != silent)
            for code, shape in shapes.items()
        ),
        counties=tuple(
            MapArea(
                code=code,
                name=name + suffix,
                city_code=city,
                shape=shape,
                incident_count=int(count) if city != silent else None,
                has_data=city != silent,
            )
            for (code, name, city, shape), count in zip(counties, county_counts, strict=True)
        ),
        boundary=boundary,
        belt=belt,
        lines=_lines(boundary) if lines else (),
        labels=_labels(boundary, suffix),
        incident_xy_m=at,
        incident_radius_m=radius,
        attribution="演示边界",
        is_redistributable=True,
    )
    words = "proven" if min(proven, zones) else ("not_enough" if incidents else "no_incidents")
    power = tuple(
        Power(relative_risk=risk, incident_count=60, pooled=pooled, alone=(a, b, a)[: len(codes)])
        for risk, pooled, a, b in (
            (6.0, 0.46, 0.34, 0.29),
            (8.0, 0.64, 0.53, 0.47),
            (10.0, 0.92, 0.78, 0.71),
            (12.0, 0.91, 0.86, 0.83),
        )
    )
    return Briefing(
        title="—".join(NAMES[code].removesuffix("市") for code in codes) + "交界区域会战简报" + suffix,
        cities=tuple(
            City(
                code=code,
                name=NAMES[code],
                incident_count=None if code == silent else 2 * count,
                belt_count=None if code == silent else count,
                has_data=code != silent,
            )
            for code, count in zip(codes, per_city, strict=True)
        ),
        period=PERIOD,
        generated_on=date(2008, 7, 2),
        provenance=Provenance(
            run_ids=("run-41", "run-42"),
            method="交界扫描",
            version="0.1.0",
            seed=20080310,
            replications=999,
            data_hash="9f2c1e7d5b3a4c68",
            exposure="缆线对公里·夜" if lines else "面积",
            depth_m=15_000.0,
            boundary_vintage="2021年",
            is_synthetic=True,
        ),
        counts=Counts(
            incident_count=2 * incidents + incidents // 20,
            belt_count=incidents,
            imprecise_count=int((radius > 3_000).sum()),
            unlocated_count=incidents // 20,
            other_origin_count=incidents // 8,
            omitted_count=incidents // 9,
        ),
        verdict=Verdict(word=words, smallest_relative_risk=5.2, power=power),
        map=drawn,
        lead_code=codes[0],
        lead_basis="stated",
        roles=(
            Role(unit=f"周口市公安局治安支队{suffix}", role="lead"),
            Role(unit="商丘市公安局治安支队", role="ambush"),
        ),
        zones=found,
        hours=tuple(_hours(rng, timed)) if timed else (),
        weekdays=tuple((rng.dirichlet(np.full(7, 12)) * dated).tolist()) if dated else (),
        hours_known=timed,
        weekdays_known=dated,
        sections=tuple(_section(rank, boundary, suffix) for rank in range(1, 6)) if lines else (),
        link_chance=LinkChance(pair_count=3, expected=0.6, p=0.03, least_odds=0.25)
        if details and incidents >= 4
        else None,
        chains=_chains(at, codes, suffix) if details and incidents >= 4 else (),
        stations=tuple(_station(rank, at, codes, suffix) for rank in range(1, 7))
        if details and incidents >= 7
        else (),
        unknowns=("2008年县界与现行县界不完全一致，界线附近的归属以当年记录为准。",),
    )


def _split(count, parts):
    return [count // parts + (1 if place < count % parts else 0) for place in range(parts)]


def _places(rng, count, boundary, belt):
    along = rng.beta(2, 3, size=count) * boundary.length
    xy = shapely.get_coordinates(shapely.line_interpolate_point(boundary, along)).reshape(-1, 2)
    moved = xy + rng.normal(0, 6_000, size=xy.shape)
    inside = shapely.contains_xy(belt, moved) if count else np.zeros(0, dtype=bool)
    return np.where(inside[:, None], moved, xy)


def _hours(rng, count):
    weights = np.array(
        [6, 7, 7, 6, 4, 2, 1, 0.5, 0.4, 0.4, 0.5, 0.5, 0.6, 0.6, 0.5, 0.5, 0.5, 0.8, 1.5, 2.5, 4, 5, 5.5, 6]
    )
    weights = weights * rng.uniform(0.8, 1.2, size=24)
    return (weights / weights.sum() * count).tolist()


def _zone(rng, rank, total, boundary, belt, codes, *, is_proven, case_count, hours, suffix):
    middle = boundary.length * (rank - 0.5) / total
    half = min(7_000.0, boundary.length / total / 2.4)
    stretch = shapely.ops.substring(boundary, middle - half, middle + half)
    shape = shapely.intersection(stretch.buffer(min(6_000.0, half * 1.2), cap_style="flat"), belt)
    first = case_count * 4 // 7
    two = (first, case_count - first)
    sides = two if len(codes) == 2 else (two[0], two[1] - two[1] // 3, two[1] // 3)
    a, b = TOWNS[(2 * rank) % 10], TOWNS[(2 * rank + 1) % 10]
    return Zone(
        rank=rank,
        shape=shape,
        stretch=f"演示五十九县{a}—演示五十县{b}{suffix}",
        city_codes=codes,
        case_count=case_count,
        side_counts=sides,
        expected=case_count / (8.4 - 0.2 * rank),
        relative_risk=9.1 - 0.2 * rank,
        p=0.001 if is_proven else 0.21,
        is_proven=is_proven,
        stable_share=0.93 - 0.05 * (rank % 5),
        hours=tuple(_hours(rng, case_count // 2)) if hours and case_count > 1 else (),
        hours_known=case_count // 2 if hours else 0,
        sections=(_section(rank, boundary, suffix),),
        found_by=("none", "a", "none")[rank % 3],
        power=Power(
            relative_risk=8.0, incident_count=60, pooled=0.64, alone=(0.53, 0.47, 0.41)[: len(codes)]
        ),
    )


def _section(rank, boundary, suffix):
    start = boundary.length * (rank % 7) / 7
    shape = shapely.transform(
        shapely.ops.substring(boundary, start, start + 6_000), lambda xy: xy + np.array([1_800, 900])
    )
    return Section(
        line_name=f"{TOWNS[rank % 10]}至{TOWNS[(rank + 3) % 10]}通信电缆{suffix}",
        from_place=f"{TOWNS[rank % 10]}交接箱",
        until_place=f"{TOWNS[(rank + 3) % 10]}3号杆",
        from_km=3.2 + rank,
        until_km=7.9 + rank,
        sector=("telecom", "power", "broadcasting")[rank % 3],
        incident_count=max(9 - rank, 1),
        zone_rank=None,
        shape=shape,
    )


def _lines(boundary):
    made = []
    for sector, turn in (("power", 0.7), ("telecom", -0.4), ("broadcasting", 1.2)):
        runs = [
            shapely.transform(
                shapely.ops.substring(boundary, share, share + 0.12, normalized=True),
                lambda xy, turn=turn: (
                    (xy - xy.mean(axis=0))
                    @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
                    * 2.1
                    + xy.mean(axis=0)
                ),
            )
            for share in np.arange(0.02, 0.86, 0.09)
        ]
        made.append(MapLine(sector=sector, shape=shapely.MultiLineString(runs)))
    return tuple(made)


def _labels(boundary, suffix):
    at = [boundary.interpolate(share, normalized=True) for share in np.linspace(0.05, 0.95, 10)]
    return tuple(
        MapLabel(
            name=name + suffix,
            at=shapely.Point(point.x + (-1) ** place * 7_000, point.y + 2_000),
            kind="town",
        )
        for place, (name, point) in enumerate(zip(TOWNS, at, strict=True))
    )


def _incident(place, at, codes, suffix):
    start = datetime(2008, 1, 4, 19, tzinfo=CHINA) + timedelta(days=19 * place)
    return LinkedIncident(
        case_number=f"A4116000020080{place:04d}",
        city_code=codes[place % len(codes)],
        place_text=f"演示五十九县{TOWNS[place % 10]}东南方向架空线路{suffix}",
        place_precision=("village", "township")[place % 2],
        occurred_from=start,
        occurred_until=start + timedelta(hours=11),
        date_precision=("night", "interval")[place % 2],
        method="剪断架空电缆",
        items=(LostItem(kind="cable", pairs=200, length_m=320.0, as_written="HYA 200对通信电缆 320米"),),
        at=shapely.Point(at[place]),
    )


def _chains(at, codes, suffix):
    members = tuple(_incident(place, at, codes, suffix) for place in range(3))
    links = (
        Link(
            first=0,
            second=1,
            odds=3.4,
            reasons=("place", "items", "hour"),
            distance_m=4_300.0,
            days_apart=19.0,
            shared_kinds=("cable",),
        ),
        Link(
            first=1,
            second=2,
            odds=0.9,
            reasons=("hour", "category"),
            against=("place",),
            distance_m=11_800.0,
            days_apart=19.0,
        ),
    )
    other = Alternative(incidents=(2,), other=_incident(3, at, codes, suffix), odds=0.18)
    return (Chain(incidents=members, links=links, alternatives=(other,)),)


def _station(rank, at, codes, suffix):
    return Station(
        name=f"{TOWNS[rank % 10]}废旧物资回收站{suffix}",
        place_text=f"{TOWNS[rank]}北街",
        city_code=codes[rank % len(codes)],
        kind="生产性废旧金属收购",
        state=("filed", "missing", "changed", "unknown")[rank % 4],
        distance_m=850.0 * rank,
        zone_rank=1,
        at=shapely.Point(at[rank]),
    )
