"""Write a search for hotspots as a document, and read documents of it of any form back."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.documents.findings import FORM, finding_features, finding_rows, run_document, table
from geo.analysis.hotspots import CLUSTER_COLUMNS, Hotspots
from geo.crs import STORED
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

SEARCHES = ("hotspots", "poisson_scan", "network_scan", "space_time_scan")
"""Kinds of run whose documents hold what a search for hotspots found."""
_FORMS = (1, FORM)
_DATES = ("from_on", "until_on")
"""Columns that only clusters in space and time have: first day, and the day after the last."""
_PLAIN = (
    "verdict",
    "exposure_kind",
    "incident_count",
    "used_count",
    "omitted_count",
    "strongest_p",
    "minimum_relative_risk",
    "minimum_share",
    "alpha",
    "replications",
    "draws",
    "seed",
)
_TYPES = {
    "rank": np.int64,
    "case_count": np.int64,
    "expected": np.float64,
    "relative_risk": np.float64,
    "llr": np.float64,
    "p": np.float64,
    "stable_share": np.float64,
    "radius_m": np.float64,
    "is_hotspot": np.bool_,
}


def hotspots_document(hotspots: Hotspots, *, kind: str = "hotspots") -> dict[str, object]:
    """Return the JSON-able form of a search for hotspots.

    Parameters
    ----------
    hotspots : Hotspots
        Clusters in a metric CRS that has an EPSG code; unit ids are whole numbers or text.
    kind : str
        One of `SEARCHES`.

    Returns
    -------
    dict
        As `run_document` says; findings hold the columns of the clusters. An infinite `relative_risk` or
        `critical_llr` is null, and so is the stable share of what was not redrawn.

    Raises
    ------
    InvalidInputError
        If the CRS has no EPSG code or a unit id is neither a whole number nor text.
    """
    epsg = hotspots.clusters.crs.to_epsg() if hotspots.clusters.crs is not None else None
    if epsg is None:
        raise InvalidInputError("the clusters' coordinate system has no EPSG code")
    for members in hotspots.clusters["members"]:
        _check_ids(members)
    facts = {name: getattr(hotspots, name) for name in _PLAIN if name != "verdict"}
    return run_document(
        kind=kind,
        method=hotspots.method,
        why=[{"code": code} for code in hotspots.why],
        verdict=hotspots.verdict,
        reasons=hotspots.reasons,
        findings=finding_rows(
            hotspots.clusters[[*CLUSTER_COLUMNS, *_dates_of(hotspots.clusters), "geometry"]]
        ),
        # A search that chose the method itself says why; its document has had no table since its first form.
        tables=_surge_tables(hotspots) if kind == "space_time_scan" else {},
        facts=facts
        | {
            "critical_llr": hotspots.critical_llr,
            "metric_epsg": epsg,
            "outlines": "areas" if hotspots.exposure_kind == "area_km2" else "lines",
        },
    )


def hotspots_from_document(document: Mapping[str, Any]) -> Hotspots:
    """Read what `hotspots_document` wrote, now or in its first form; keys it does not know are passed over.

    Parameters
    ----------
    document : mapping
        As written, or as read from its JSON.

    Returns
    -------
    Hotspots
        Equal to the one written: its numbers to 10 digits, its outlines to 7 decimals of a degree (about a
        centimetre).

    Raises
    ------
    InvalidInputError
        If it is no such document, or of another form.
    """
    if document.get("kind") not in SEARCHES or document.get("form") not in _FORMS:
        raise InvalidInputError("this is no document of hotspots that can be read")
    try:
        features = finding_features(document)
        rows = [_row(feature["properties"]) for feature in features]
        outlines = [shapely.geometry.shape(feature["geometry"]) for feature in features]
        dates = [name for name in _DATES if rows and name in features[0]["properties"]]
        clusters = gpd.GeoDataFrame(
            pd.DataFrame(rows, columns=[*CLUSTER_COLUMNS, *dates]).astype(_TYPES),
            geometry=gpd.GeoSeries(outlines, crs=STORED).to_crs(document["metric_epsg"]),
        )
        return Hotspots(
            clusters=clusters,
            reasons=tuple(document["reasons"]),
            critical_llr=_number(document["critical_llr"]),
            method=document.get("method", "poisson_scan"),
            why=tuple(each["code"] for each in document.get("why", ())),
            **_surge_facts(document),
            **{name: document[name] for name in _PLAIN},
        )
    except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError):
        raise InvalidInputError("the document of hotspots is damaged") from None


def _surge_tables(hotspots: Hotspots) -> dict[str, dict[str, Any]]:
    """Say over how many places surges were looked for, and how much of the lines was one place."""
    if hotspots.place_count is None:
        return {}
    told = {"place_count": [hotspots.place_count], "piece_m": [hotspots.piece_m]}
    return {"places": table(pd.DataFrame(told).astype(object))}


def _surge_facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """Read what `_surge_tables` wrote."""
    told = document.get("tables", {}).get("places")
    return {} if told is None else dict(zip(told["columns"], told["rows"][0], strict=True))


def _dates_of(clusters: gpd.GeoDataFrame) -> list[str]:
    return [name for name in _DATES if name in clusters.columns]


def _check_ids(members: tuple[Any, ...]) -> None:
    """Refuse unit ids that JSON would not give back unchanged."""
    for member in members:
        value = member.item() if isinstance(member, np.generic) else member
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise InvalidInputError("unit ids must be whole numbers or text to be stored")


def _number(value: float | None) -> float:
    """Return the number that was written; null stood for infinity."""
    return math.inf if value is None else float(value)


def _row(properties: Mapping[str, Any]) -> dict[str, object]:
    """Return the columns of one cluster from their JSON values."""
    row: dict[str, object] = {name: properties[name] for name in CLUSTER_COLUMNS}
    row |= {name: date.fromisoformat(properties[name]) for name in _DATES if name in properties}
    row["relative_risk"] = _number(properties["relative_risk"])
    row["labels"] = tuple(properties["labels"])
    row["members"] = tuple(properties["members"])
    return row
