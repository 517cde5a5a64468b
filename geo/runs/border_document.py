"""Write a scan of borders as a document: a row for each border, a row for each zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from geo.analysis.documents import finding_rows, geojson, plain, run_document, table
from geo.crs import METRIC, to_stored
from geo.runs.border_links import LIMITS, counted_along, linked_row, pairs_of_zone
from geo.runs.border_names import Surroundings, risk_hours, stretch_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.analysis.border_zones import BorderZones, ProvinceBorders
    from geo.analysis.series_across import LinkedAcross
    from geo.runs.borders import BorderInput, BordersRequest

ALPHA = 0.05
LEAST_STABLE = 0.8
_MOST_P, _MOST_ZONES = 0.5, 60
_FINDING = (
    "rank",
    "labels",
    "is_hotspot",
    "case_count",
    "expected",
    "relative_risk",
    "llr",
    "p",
    "stable_share",
)


def border_document(
    found: ProvinceBorders,
    links: Mapping[tuple[Any, Any], LinkedAcross | str],
    loaded: BorderInput,
    request: BordersRequest,
) -> dict[str, object]:
    """Return the document of a scan of borders; see `geo.runs.borders.compute_borders`."""
    around = Surroundings(loaded)
    can_prove = loaded.is_census and loaded.exposure is not None
    zones = [
        _zone(int(rank), pair, names, found.borders[pair], int(pair_rank), around, loaded, request)
        for rank, pair, pair_rank, p, names in zip(
            found.zones["rank"],
            found.zones["pair"],
            found.zones["pair_rank"],
            found.zones["p"],
            found.zones["areas"],
            strict=True,
        )
        if p <= _MOST_P
    ][:_MOST_ZONES]
    reporting = _reporting(loaded)
    rows = {
        pair: _border(pair, border, links[pair], loaded, reporting) for pair, border in found.borders.items()
    }
    _tell_merged(zones, rows, found, loaded)
    borders = list(rows.values())
    for zone in zones:
        zone["is_proven"] = _is_proven(zone) and can_prove
        zone["linked"] = pairs_of_zone(rows[tuple(zone["area_ids"])], zone["incidents"])
    tested = [border for border in borders if border["reason"] is None]
    least = [border["minimum_relative_risk"] for border in tested if border["minimum_relative_risk"]]
    used = len({incident for border in found.borders.values() for incident in border.counted})
    document = run_document(
        kind=request.kind,
        method="border_scan",
        verdict=_verdict(zones, borders, loaded),
        reasons=_reasons(zones, borders, loaded),
        findings=_findings(zones),
        tables={"borders": table(_border_table(borders))},
        facts={
            "exposure_kind": "area_km2" if loaded.exposure is None else loaded.exposure.kind,
            "incident_count": len(loaded.incidents),
            "used_count": used,
            "omitted_count": len(loaded.incidents) - used,
            "strongest_p": min((zone["p"] for zone in zones), default=None),
            "minimum_relative_risk": min(least, default=None),
            "alpha": ALPHA,
            "replications": request.replications,
            "draws": request.draws,
            "seed": request.seed,
            "metric_epsg": METRIC,
            "outlines": "areas",
        },
    )
    return document | {
        "borders": borders,
        "zones": zones,
        "skipped": _skipped(found, loaded),
        "linked_limits": LIMITS,
    }


def _skipped(found: ProvinceBorders, loaded: BorderInput) -> list[dict[str, Any]]:
    return [
        {"pair": _codes(pair, loaded), "code": refusal.code, "why": str(refusal)}
        for pair, refusal in found.skipped.items()
    ]


def _verdict(zones: list[dict[str, Any]], borders: list[dict[str, Any]], loaded: BorderInput) -> str:
    """Return the verdict over all borders."""
    if any(zone["is_proven"] for zone in zones):
        return "hotspots"
    untested = ("no_exposure_a", "no_exposure_b")
    if any(
        border["reason"] is None or (border["case_count"] and border["reason"] not in untested)
        for border in borders
    ):
        return "not_enough"
    return "no_exposure" if loaded.incidents.geometry.notna().any() else "no_incidents"


def _zone(
    rank: int,
    pair: tuple[Any, Any],
    areas: tuple[Any, ...],
    border: BorderZones,
    pair_rank: int,
    around: Surroundings,
    loaded: BorderInput,
    request: BordersRequest,
) -> dict[str, Any]:
    """Describe one zone with everything that two commanders need of it."""
    zone = border.zones[border.zones["rank"] == pair_rank].iloc[0]
    incidents = [int(each) for each in zone["incidents"]]
    sides = [zone.geometry.intersection(border.sides.geometry[name]) for name in ("a", "b")]
    counties = [around.counties(side, city_id=int(area)) for side, area in zip(sides, pair, strict=True)]
    codes = _codes(pair, loaded)
    stored = to_stored(gpd.GeoDataFrame(geometry=[zone.geometry, zone["stretch"]], crs=METRIC))
    figures = {
        name: plain(zone[name])
        for name in zone.index
        if name not in ("rank", "geometry", "incidents", "stretch")
    }
    length_m = float(zone["stretch_until_m"] - zone["stretch_from_m"])
    return figures | {
        "id": _zone_id(pair, pair_rank, loaded),
        "rank": rank,
        "cities": codes,
        "area_ids": [int(each) for each in pair],
        "areas": [_name(area, loaded) for area in areas],
        "codes": _codes(areas, loaded),
        "merged": [],
        "lead": _lead(pair, loaded),
        "stretch_name": stretch_name(counties, length_m=length_m),
        "counties": counties,
        "places": [around.places(side) or around.nodes(incidents, side) for side in sides],
        "share_a": int(zone["count_a"]) / int(zone["case_count"]),
        "found_by": _found_by(zone),
        "sections": around.sections(incidents),
        "times": risk_hours(loaded.incidents.loc[incidents], seed=request.seed),
        "stations": around.stations(zone.geometry),
        "incidents": incidents,
        "geometry": geojson(stored.geometry.iloc[0]),
        "stretch": geojson(stored.geometry.iloc[1]),
    }


def _zone_id(pair: tuple[Any, Any], pair_rank: int, loaded: BorderInput) -> str:
    return f"{'-'.join(_codes(pair, loaded))}-{pair_rank}"


def _tell_merged(
    zones: list[dict[str, Any]],
    rows: Mapping[tuple[Any, Any], dict[str, Any]],
    found: ProvinceBorders,
    loaded: BorderInput,
) -> None:
    """Tell each zone which others were counted into it, and each border into which zone its strongest such one was."""
    by_rank = {zone["rank"]: zone for zone in zones}
    for (pair, pair_rank), rank in sorted(found.merged.items(), key=lambda each: each[0][1]):
        zone = by_rank.get(rank)
        if zone is None:
            continue
        zone["merged"].append(_zone_id(pair, pair_rank, loaded))
        if rows[pair]["merged_into"] is None:
            rows[pair]["merged_into"] = zone["id"]


def _found_by(zone: pd.Series[Any]) -> str:
    if zone["found_by_a"] and zone["found_by_b"]:
        return "both"
    return "a" if zone["found_by_a"] else "b" if zone["found_by_b"] else "none"


def _is_proven(zone: dict[str, Any]) -> bool:
    stable = zone["stable_share"]
    return bool(
        zone["p"] <= ALPHA and stable is not None and stable >= LEAST_STABLE and zone["stacked_share"] < 1
    )


def _border(
    pair: tuple[Any, Any],
    border: BorderZones,
    links: LinkedAcross | str,
    loaded: BorderInput,
    reporting: set[int],
) -> dict[str, Any]:
    """Describe one border, whether or not it has a zone."""
    counts = (border.count_a, border.count_b)
    silent = [
        side
        for side, area, count in zip("ab", pair, counts, strict=True)
        if not count and int(area) not in reporting
    ]
    metric = gpd.GeoDataFrame(
        geometry=[border.boundary.simplify(50.0), *border.sides.geometry.simplify(50.0)], crs=METRIC
    )
    line, side_a, side_b = (geojson(shape) for shape in to_stored(metric).geometry)
    return {
        **counted_along(pair, border),
        **linked_row(links),
        "cities": _codes(pair, loaded),
        "names": [_name(area, loaded) for area in pair],
        "lead": _lead(pair, loaded),
        "length_m": float(border.boundary.length),
        "case_count": border.case_count,
        "count_a": border.count_a,
        "count_b": border.count_b,
        "exposure_a": float(border.sides["exposure"].loc["a"]),
        "exposure_b": float(border.sides["exposure"].loc["b"]),
        "omitted_count": border.omitted_count,
        "moved_count": border.moved_count,
        "reason": _told_reason(border.reason, silent),
        "silent": silent,
        "strongest_p": min(border.zones["p"].tolist(), default=None),
        "zone_count": int((border.zones["p"] <= ALPHA).sum()),
        "merged_into": None,
        "minimum_relative_risk": border.minimum_relative_risk,
        "power": [plain(row) for row in border.power.to_dict(orient="records")],
        "extent_notes": _extent_notes(pair, loaded),
        "boundary": line,
        "belt_a": side_a,
        "belt_b": side_b,
    }


def _reporting(loaded: BorderInput) -> set[int]:
    """Return the cities and counties that recorded anything in the period, inside a belt or not."""
    recorded = {int(area) for area in loaded.incidents["area_id"].dropna().unique()}
    parents = loaded.areas["parent_id"].reindex(sorted(recorded)).dropna()
    return recorded | {int(area) for area in parents}


def _told_reason(reason: str | None, silent: list[str]) -> str | None:
    """Tell a side from which nothing came (``no_cases_a``) from one with incidents, none of them in the belt (``empty_a``)."""
    if reason in ("no_cases_a", "no_cases_b") and reason[-1] not in silent:
        return f"empty_{reason[-1]}"
    return reason


def _border_table(borders: list[dict[str, Any]]) -> pd.DataFrame:
    columns = [
        "pair",
        "lead",
        "length_m",
        "case_count",
        "count_a",
        "count_b",
        "strongest_p",
        "zone_count",
        "reason",
    ]
    rows = [
        {
            **{name: border[name] for name in columns if name in border},
            "pair": "—".join(border["names"]),
            "lead": None if border["lead"] is None else border["lead"]["name"],
        }
        for border in borders
    ]
    return pd.DataFrame(rows, columns=columns)


def _findings(zones: list[dict[str, Any]]) -> list[dict[str, object]]:
    rows = [
        {name: zone[name] for name in _FINDING if name in zone}
        | {"labels": [zone["stretch_name"]], "is_hotspot": zone["is_proven"], "zone": zone["id"]}
        for zone in zones
    ]
    frame = pd.DataFrame(rows, columns=[*_FINDING, "zone"])
    told = finding_rows(frame)
    for row, zone in zip(told, zones, strict=True):
        row["geometry"] = zone["geometry"]
    return told


def _reasons(zones: list[dict[str, Any]], borders: list[dict[str, Any]], loaded: BorderInput) -> list[str]:
    """Say why no more is claimed, by the codes that searches for hotspots use and those of borders."""
    if loaded.incidents.empty:
        return []
    passed = [zone for zone in zones if zone["p"] <= ALPHA]
    stable = [zone for zone in passed if (zone["stable_share"] or 0) >= LEAST_STABLE]
    holds = {
        "not_significant": not passed,
        "unstable_places": len(stable) < len(passed),
        "stacked_places": any(zone["stacked_share"] >= 1 for zone in stable),
        "selected_cases": not loaded.is_census,
        "area_exposure": loaded.exposure is None,
        "silent_side": any(border["reason"] in ("no_cases_a", "no_cases_b") for border in borders),
        "empty_side": any(border["reason"] in ("empty_a", "empty_b") for border in borders),
        "coarse_places": any(border["omitted_count"] for border in borders),
    }
    return [code for code, is_so in holds.items() if is_so]


def _codes(areas: tuple[Any, ...], loaded: BorderInput) -> list[str]:
    return [str(loaded.areas["adcode"].loc[area]) for area in areas]


def _name(area: Any, loaded: BorderInput) -> str:
    return str(loaded.areas["name"].loc[area])


def _lead(pair: tuple[Any, Any], loaded: BorderInput) -> dict[str, Any] | None:
    """Return the lead city of a pair that a campaign named; of counties, that of their cities."""
    parents = (
        loaded.areas.loc[loaded.areas["level"] == "county", "parent_id"].dropna().astype("int64").to_dict()
    )
    cities = {int(parents.get(area, area)) for area in pair}
    for row in loaded.named_pairs.to_dict(orient="records"):
        if {row["area_a_id"], row["area_b_id"]} == cities:
            return {"name": str(row["lead_name"]), "basis": str(row["lead_basis"])}
    return None


def _extent_notes(pair: tuple[Any, Any], loaded: BorderInput) -> list[dict[str, str]]:
    """Return what is said of boundaries that are not those of the period, in both languages where it is."""
    rows = loaded.areas.loc[list(pair)]
    noted = rows[(rows["extent"] != "same") & rows["extent_note"].notna()]
    return [
        {"zh": str(note), "en": str(note if pd.isna(note_en) else note_en)}
        for note, note_en in zip(noted["extent_note"], noted["extent_note_en"], strict=True)
    ]
