"""List the collections that outside clients see: their properties, what may be asked, and their rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import pandas as pd
import shapely

from api.outward import outward_features
from geo.frames import DATE_PRECISIONS, PLACE_PRECISIONS
from geo.store.areas import LEVELS
from geo.store.features import SOURCES, FeatureFilter, count_features, extent_of, find_features, get_feature
from geo.store.incidents import ORIGINS
from geo.store.lines import LAYINGS
from geo.store.run_queries import find_finished_run
from geo.store.stations import STATES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Kind = Literal["string", "integer", "number", "boolean", "date", "date-time", "array"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queryable:
    """A property that may be asked for by name: the rows where it has exactly this value."""

    name: str
    kind: Kind = "string"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One collection of features.

    Parameters
    ----------
    id : str
        In addresses.
    properties : mapping of str to kind
        What leaves the house of each row, in order; nothing else does.
    queryables : tuple of Queryable
    tile_layer : str or None
        Layer of the vector tiles that shows the same rows.
    """

    id: str
    properties: dict[str, Kind]
    queryables: tuple[Queryable, ...] = ()
    tile_layer: str | None = None

    def page(
        self, session: Session, wanted: FeatureFilter, *, after: int, limit: int
    ) -> tuple[gpd.GeoDataFrame, int]:
        """Return a page of rows above an id, and how many rows fit in all."""
        if self.id in SOURCES:
            source = SOURCES[self.id]
            frame = find_features(session, source, wanted, after=after, limit=limit)
            return frame, count_features(session, source, wanted)
        fitting = _fitting(_newest_clusters(session), wanted)
        return fitting[fitting.index > after].iloc[:limit], len(fitting)

    def one(self, session: Session, feature_id: int) -> gpd.GeoDataFrame:
        """Return a frame of the row with this id, or of none."""
        if self.id in SOURCES:
            return get_feature(session, SOURCES[self.id], feature_id)
        clusters = _newest_clusters(session)
        return clusters[clusters.index == feature_id]

    def extent(self, session: Session) -> tuple[tuple[float, ...] | None, tuple[Any, Any] | None]:
        """Return the box and the first and last time of all rows, where known."""
        if self.id in SOURCES:
            return extent_of(session, SOURCES[self.id])
        outlines = _newest_clusters(session).geometry.dropna()
        return (None if outlines.empty else tuple(outlines.total_bounds.tolist())), None


_CLUSTER: dict[str, Kind] = {
    "is_hotspot": "boolean",
    "case_count": "integer",
    "expected": "number",
    "relative_risk": "number",
    "p": "number",
    "stable_share": "number",
    "radius_m": "number",
    "labels": "array",
    "members": "array",
    "verdict": "string",
    "exposure_kind": "string",
    "period_start_on": "date",
    "period_until_on": "date",
    "run_id": "integer",
}


def _newest_clusters(session: Session) -> gpd.GeoDataFrame:
    """Return the clusters of the newest finished search over everything, by rank."""
    run = find_finished_run(session)
    features, facts = ([], {}) if run is None else outward_features(run)
    rows = [
        feature["properties"]
        | {
            "verdict": facts["verdict"],
            "exposure_kind": facts["exposure_kind"],
            "period_start_on": facts["run"]["parameters"]["start_on"],
            "period_until_on": facts["run"]["parameters"]["until_on"],
            "run_id": facts["run"]["id"],
        }
        for feature in features
    ]
    outlines = [
        None if feature["geometry"] is None else shapely.from_geojson(json.dumps(feature["geometry"]))
        for feature in features
    ]
    frame = pd.DataFrame(rows, columns=list(_CLUSTER), index=[feature["id"] for feature in features])
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(outlines, index=frame.index, crs=4326)).sort_index()


def _fitting(clusters: gpd.GeoDataFrame, wanted: FeatureFilter) -> gpd.GeoDataFrame:
    fits = pd.Series(data=True, index=clusters.index)
    for name, value in wanted.equals.items():
        fits &= clusters[name] == value
    if wanted.window is not None:
        fits &= clusters.geometry.isna() | clusters.geometry.intersects(wanted.window)
    return clusters[fits]


COLLECTIONS = {
    collection.id: collection
    for collection in (
        Collection(
            id="incidents",
            properties={
                "source": "string",
                "case_number": "string",
                "occurred_from": "date-time",
                "occurred_until": "date-time",
                "date_precision": "string",
                "place_text": "string",
                "place_precision": "string",
                "radius_m": "number",
                "area_id": "integer",
                "area_name": "string",
                "category": "string",
                "sector": "string",
                "origin": "string",
                "is_census": "boolean",
                "direct_loss_yuan": "number",
                "loss_qualifier": "string",
                "outage_hours": "number",
                "flags": "array",
                "segment_id": "integer",
                "segment_measure_m": "number",
                "snap_residual_m": "number",
            },
            queryables=(
                Queryable(name="case_number"),
                Queryable(name="category"),
                Queryable(name="sector"),
                Queryable(name="area_id", kind="integer"),
                Queryable(name="place_precision", choices=PLACE_PRECISIONS),
                Queryable(name="date_precision", choices=DATE_PRECISIONS),
                Queryable(name="origin", choices=ORIGINS),
                Queryable(name="is_census", kind="boolean"),
                Queryable(name="segment_id", kind="integer"),
            ),
            tile_layer="incidents",
        ),
        Collection(
            id="segments",
            properties={
                "line_name": "string",
                "sequence": "integer",
                "from_node": "string",
                "to_node": "string",
                "sector": "string",
                "kind": "string",
                "pairs": "integer",
                "owner": "string",
                "laying": "string",
                "length_m": "number",
                "in_service_from": "date",
                "in_service_until": "date",
                "area_id": "integer",
            },
            queryables=(
                Queryable(name="sector"),
                Queryable(name="kind", choices=("copper", "optical", "power", "coaxial")),
                Queryable(name="laying", choices=LAYINGS),
                Queryable(name="line_name"),
                Queryable(name="area_id", kind="integer"),
            ),
            tile_layer="segments",
        ),
        Collection(
            id="stations",
            properties={
                "name": "string",
                "state": "string",
                "has_import_permit": "boolean",
                "area_id": "integer",
            },
            queryables=(
                Queryable(name="state", choices=STATES),
                Queryable(name="has_import_permit", kind="boolean"),
                Queryable(name="area_id", kind="integer"),
            ),
            tile_layer="stations",
        ),
        Collection(
            id="areas",
            properties={
                "level": "string",
                "adcode": "string",
                "name": "string",
                "parent_id": "integer",
                "valid_from": "date",
                "valid_until": "date",
                "extent": "string",
                "extent_note": "string",
                "extent_note_en": "string",
                "is_redistributable": "boolean",
            },
            queryables=(
                Queryable(name="level", choices=LEVELS),
                Queryable(name="adcode"),
                Queryable(name="name"),
                Queryable(name="parent_id", kind="integer"),
            ),
        ),
        Collection(
            id="hotspots",
            properties=_CLUSTER,
            queryables=(Queryable(name="is_hotspot", kind="boolean"),),
        ),
    )
}
"""Every collection by its id."""
