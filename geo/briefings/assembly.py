"""Put a briefing together: what a scan of borders found, and what is stored of the two cities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from geo.analysis.briefings import Briefing, City, Counts, Provenance, Verdict
from geo.briefings.case import incidents_in_belt, read_case, sides_of, silent_areas
from geo.briefings.chains import chains_of
from geo.briefings.maps import map_of
from geo.briefings.parts import power_of, power_size_m, sections_of, stations_of, zone_of
from geo.periods import CHINA
from geo.runs.border_names import risk_hours
from geo.store.areas import Area
from geo.store.dataset import find_dataset
from geo.store.incident_queries import reporting_areas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from geo.analysis.briefings import Zone
    from geo.briefings.case import BorderCase
    from geo.store.runs import Run

_COARSE = ("township", "county", "city")
_CITY = "市"
_LEAST_STABLE = 0.8
_EXPOSURES = {"pair_km_nights": "线路对公里·夜", "line_km_nights": "线路公里·夜", "area_km2": "面积"}
_REASONS = {
    "unstable_places": "有区域通过检验，但案件位置不精确，重抽位置后不稳定，未予认定。",
    "stacked_places": "有区域的案件都落在共用的乡镇或县城中心点上，未予认定。",
    "selected_cases": "案件是挑选的清单，不是全部发案，不能认定。",
    "area_exposure": "没有线路资料，只能按面积比较，不能认定。",
    "silent_side": "有一侧没有案件数据，无法判断两侧是否相连。",
    "empty_side": "交界带内的案件都在一侧，没有可比的另一侧。",
    "many_borders": "本次同时扫描多条交界，p值已按全部交界校正。",
}


def briefing_of_border(
    session: Session, run_id: int, *, pair: str, document: Mapping[str, Any], version: str
) -> Briefing:
    """Put together the briefing for one border of a run.

    Parameters
    ----------
    session : Session
        Only read from.
    run_id : int
        A finished run of the kind ``borders``.
    pair : str
        Codes of the two areas; see `read_pair`.
    document : mapping
        The result of the run.
    version : str
        Of the software.

    Returns
    -------
    Briefing
        Dated by the end of the run, so that the same run of the same data gives the same bytes in every form.

    Raises
    ------
    NotFoundError
        If there is no such run, or it did not scan this border.
    InvalidInputError
        If the run is of another kind or the pair cannot be read.
    """
    case = read_case(session, run_id, pair=pair, document=document)
    loaded, border = case.loaded, case.border
    times = risk_hours(incidents_in_belt(case), seed=case.request.seed)
    silent = silent_areas(case, reporting_areas(session))
    cities = _cities(case, silent)
    lead = border["lead"]
    codes = list(border["cities"])
    names = dict(zip(border["names"], codes, strict=True))
    lead_code = names.get(lead["name"]) if lead else None
    zones = tuple(zone_of(zone, rank, case) for rank, zone in enumerate(case.zones, start=1))
    chains, chance, remarks = chains_of(session, case)
    dataset = find_dataset(session)
    return Briefing(
        title=f"{'—'.join(name.removesuffix(_CITY) for name in border['names'])}交界区域会战简报",
        cities=cities,
        period=case.request.period,
        generated_on=_day(case.run),
        provenance=Provenance(
            run_ids=(str(run_id),),
            method="交界扫描",
            version=version,
            seed=case.request.seed,
            replications=case.request.replications,
            data_hash=str(case.run.input_hash),
            exposure="面积" if loaded.exposure is None else _EXPOSURES[loaded.exposure.kind],
            depth_m=case.request.depth_m,
            boundary_vintage="；".join(note["zh"] for note in border["extent_notes"])[:110],
            is_synthetic=dataset is not None and dataset.kind == "demo",
        ),
        counts=_counts(case, cities),
        verdict=_verdict(case, zones),
        map=map_of(case, silent=silent, sources=_sources(session, case)),
        lead_code=lead_code,
        lead_basis=lead["basis"] if lead and lead_code else "none",
        zones=zones,
        hours=tuple(times["hours"]) if times["known_count"] else (),
        weekdays=tuple(times["weekdays"]) if times["dated_count"] else (),
        hours_known=times["known_count"],
        weekdays_known=times["dated_count"],
        sections=sections_of(case),
        chains=chains,
        link_chance=chance,
        stations=stations_of(case),
        unknowns=(*_unknowns(session, case), *remarks),
    )


def _day(run: Run) -> date:
    ended = run.ended_at or run.created_at
    return ended.astimezone(CHINA).date()


def _cities(case: BorderCase, silent: set[int]) -> tuple[City, ...]:
    """Return the two sides; what the scan counted in the belt is a part of each, also where it was voided since."""
    sides = sides_of(case)
    beyond = sides[~sides.index.isin(case.border["incidents"])]
    in_belt = (case.border["count_a"], case.border["count_b"])
    return tuple(
        City(
            code=code,
            name=name,
            incident_count=None if area_id in silent else int((beyond == area_id).sum()) + count,
            belt_count=None if area_id in silent else count,
            has_data=area_id not in silent,
        )
        for area_id, code, name, count in zip(
            case.area_ids, case.border["cities"], case.border["names"], in_belt, strict=True
        )
    )


def _counts(case: BorderCase, cities: tuple[City, ...]) -> Counts:
    own = case.loaded.incidents[sides_of(case).isin(case.area_ids)]
    return Counts(
        incident_count=sum(city.incident_count or 0 for city in cities),
        belt_count=int(case.border["case_count"]),
        imprecise_count=int(incidents_in_belt(case)["place_precision"].isin(_COARSE).sum()),
        unlocated_count=int(own.geometry.isna().sum()),
        other_origin_count=case.loaded.other_origin_count,
        omitted_count=int(case.border["omitted_count"]),
    )


def _verdict(case: BorderCase, zones: tuple[Zone, ...]) -> Verdict:
    border = case.border
    word = "proven" if any(zone.is_proven for zone in zones) else "not_enough"
    if not border["case_count"]:
        word = "no_incidents"
    power = tuple(power_of(row, int(border["case_count"])) for row in border["power"])
    return Verdict(
        word=word,
        alpha=case.document["alpha"],
        smallest_relative_risk=border["minimum_relative_risk"],
        reasons=tuple(_REASONS[code] for code in _codes(case, zones)),
        power=power,
        power_size_m=power_size_m(case.request) if power else None,
    )


def _codes(case: BorderCase, zones: tuple[Zone, ...]) -> list[str]:
    passed = [
        (row, zone) for row, zone in zip(case.zones, zones, strict=True) if row["p"] <= case.document["alpha"]
    ]
    held = [row for row, zone in passed if not zone.is_proven]
    holds = {
        "unstable_places": any((row["stable_share"] or 0) < _LEAST_STABLE for row in held),
        "stacked_places": any(row["stacked_share"] >= 1 for row in held),
        "selected_cases": not case.loaded.is_census,
        "area_exposure": case.loaded.exposure is None,
        "silent_side": case.border["reason"] in ("no_cases_a", "no_cases_b"),
        "empty_side": case.border["reason"] in ("empty_a", "empty_b"),
        "many_borders": len(case.document["borders"]) > 1,
    }
    return [code for code, is_so in holds.items() if is_so]


def _unknowns(session: Session, case: BorderCase) -> tuple[str, ...]:
    sentences = []
    if merged := case.border.get("merged_into"):
        sentences.append(_merged_text(case, merged))
    if case.border["moved_count"]:
        sentences.append(f"{case.border['moved_count']}起案件所在处没有登记的线路，计入同侧最近的线路。")
    dataset = find_dataset(session)
    if dataset is not None and case.run.dataset_version not in (None, dataset.version):
        sentences.append("计算之后数据有过更新，地图上的案件可能与计算所用的略有出入。")
    if case.loaded.stations.empty:
        sentences.append("没有废旧金属收购站的登记资料。")
    return tuple(sentences)


def _merged_text(case: BorderCase, zone_id: str) -> str:
    """Say into which zone the strongest one of this border was counted."""
    zone = next((each for each in case.document["zones"] if each["id"] == zone_id), None)
    names = "—".join(zone["areas"]) if zone is not None else "相邻交界"
    return f"这条交界上通过检验的区域与{names}交界的区域有相同的案件，计入{names}区域，这里不重复列出。"


def _sources(session: Session, case: BorderCase) -> tuple[str, ...]:
    """Return where the outlines of the map come from, as their register says."""
    areas = case.loaded.areas
    drawn = [*case.area_ids, *areas.index[areas["parent_id"].isin(case.area_ids)]]
    query = select(Area.geometry_source).where(Area.id.in_([int(each) for each in drawn])).distinct()
    return tuple(sorted(source for source in session.scalars(query) if source))
