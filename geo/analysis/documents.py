"""Write results as JSON-able documents and read them back, so that a stored run can be drawn later."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.hotspots import CLUSTER_COLUMNS, Hotspots
from geo.crs import STORED, to_stored
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KIND = "hotspots"
_FORM = 1
_DECIMALS = 7
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
_CAN_BE_ENDLESS = ("relative_risk", "critical_llr")


def hotspots_document(hotspots: Hotspots) -> dict[str, object]:
    """Return the JSON-able form of a search for hotspots.

    Parameters
    ----------
    hotspots : Hotspots
        Clusters in a metric CRS that has an EPSG code; unit ids are whole numbers or text.

    Returns
    -------
    dict
        ``kind``, ``form`` (raised when the layout changes), ``metric_epsg``, ``clusters`` (an RFC 7946
        FeatureCollection, EPSG:4326, 7 decimals), and the fields of `Hotspots` by name. Numbers are kept to
        the last digit; an infinite `relative_risk` or `critical_llr` is null.

    Raises
    ------
    InvalidInputError
        If the CRS has no EPSG code or a unit id is neither a whole number nor text.
    """
    epsg = hotspots.clusters.crs.to_epsg() if hotspots.clusters.crs is not None else None
    if epsg is None:
        raise InvalidInputError("the clusters' coordinate system has no EPSG code")
    stored = to_stored(hotspots.clusters)
    rows = stored[list(CLUSTER_COLUMNS)].to_dict(orient="records")
    features = [
        {"type": "Feature", "geometry": _geojson(geometry), "properties": _properties(row)}
        for row, geometry in zip(rows, stored.geometry, strict=True)
    ]
    return {
        "kind": _KIND,
        "form": _FORM,
        "metric_epsg": epsg,
        "clusters": {"type": "FeatureCollection", "features": features},
        "reasons": list(hotspots.reasons),
        "critical_llr": _finite(hotspots.critical_llr),
        **{name: getattr(hotspots, name) for name in _PLAIN},
    }


def hotspots_from_document(document: Mapping[str, Any]) -> Hotspots:
    """Read what `hotspots_document` wrote; keys it does not know are passed over.

    Parameters
    ----------
    document : mapping
        As written, or as read from its JSON.

    Returns
    -------
    Hotspots
        Equal to the one written, its outlines to 7 decimals of a degree (about a centimetre). Writing
        it again gives the same document.

    Raises
    ------
    InvalidInputError
        If it is no such document, or of another form.
    """
    if document.get("kind") != _KIND or document.get("form") != _FORM:
        raise InvalidInputError("this is no document of hotspots that can be read")
    try:
        features = document["clusters"]["features"]
        rows = [_row(feature["properties"]) for feature in features]
        outlines = [shapely.geometry.shape(feature["geometry"]) for feature in features]
        clusters = gpd.GeoDataFrame(
            pd.DataFrame(rows, columns=list(CLUSTER_COLUMNS)).astype(_TYPES),
            geometry=gpd.GeoSeries(outlines, crs=STORED).to_crs(document["metric_epsg"]),
        )
        return Hotspots(
            clusters=clusters,
            reasons=tuple(document["reasons"]),
            critical_llr=_number(document["critical_llr"]),
            **{name: document[name] for name in _PLAIN},
        )
    except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError):
        raise InvalidInputError("the document of hotspots is damaged") from None


def document_bytes(document: Mapping[str, object]) -> bytes:
    """Return the one canonical JSON form: keys sorted, no spaces, UTF-8, shortest exact numbers.

    Raises
    ------
    InvalidInputError
        If the document holds something that JSON does not know, such as NaN.
    """
    try:
        text = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode("utf-8")
    except (TypeError, ValueError):
        raise InvalidInputError("the document holds a value that JSON cannot express") from None


def _geojson(geometry: Any) -> dict[str, object]:
    """Return an outline as GeoJSON, outer rings counter-clockwise, rounded."""
    rounded = shapely.transform(shapely.orient_polygons(geometry), lambda xy: np.round(xy, _DECIMALS))
    mapping = rounded.__geo_interface__
    return {"type": mapping["type"], "coordinates": _lists(mapping["coordinates"])}


def _lists(values: Any) -> Any:
    """Turn nested tuples into the lists that JSON reads back."""
    return [_lists(value) for value in values] if isinstance(values, tuple) else values


def _properties(row: dict[Any, Any]) -> dict[str, object]:
    """Return the columns of one cluster as JSON values."""
    properties: dict[str, object] = {str(name): _plain(value) for name, value in row.items()}
    properties["relative_risk"] = _finite(row["relative_risk"])
    properties["labels"] = list(row["labels"])
    properties["members"] = [_id(member) for member in row["members"]]
    return properties


def _plain(value: Any) -> Any:
    """Turn a numpy scalar into the Python number that it is."""
    return value.item() if isinstance(value, np.generic) else value


def _id(member: Any) -> int | str:
    """Return a unit id that JSON gives back unchanged."""
    plain = _plain(member)
    if isinstance(plain, bool) or not isinstance(plain, int | str):
        raise InvalidInputError("unit ids must be whole numbers or text to be stored")
    return plain


def _finite(value: float) -> float | None:
    """Return a number that JSON knows, None for infinity."""
    return float(value) if math.isfinite(value) else None


def _number(value: float | None) -> float:
    """Return the number that `_finite` wrote."""
    return math.inf if value is None else float(value)


def _row(properties: Mapping[str, Any]) -> dict[str, object]:
    """Return the columns of one cluster from their JSON values."""
    row: dict[str, object] = {name: properties[name] for name in CLUSTER_COLUMNS}
    row["relative_risk"] = _number(properties["relative_risk"])
    row["labels"] = tuple(properties["labels"])
    row["members"] = tuple(properties["members"])
    return row
