"""An incident is put on the nearest unit of the kind it concerns."""

import geopandas as gpd
import numpy as np
import shapely

from geo.analysis.hotspots import find_hotspots
from geo.analysis.units import read_units

COPPER_M, FIBRE_M = 0.0, 30.0


def parallel_lines(count=40):
    """Copper and fibre on the same poles, thirty metres apart, in kilometre pieces; copper is worth far more."""
    pieces = [(kind, x, y) for x in range(count) for kind, y in (("copper", COPPER_M), ("optical", FIBRE_M))]
    return gpd.GeoDataFrame(
        {
            "label": [f"{kind} {x}" for kind, x, _ in pieces],
            "kind": [kind for kind, _, _ in pieces],
            "exposure": [100.0 if kind == "copper" else 0.01 for kind, _, _ in pieces],
        },
        geometry=[shapely.LineString([(x * 1000, y), (x * 1000 + 1000, y)]) for _, x, y in pieces],
        crs=4547,
    )


def thefts_beside_the_fibre(count=40, kind="copper"):
    xs = np.arange(count) * 1000 + 500.0
    return gpd.GeoDataFrame(
        {"radius_m": 50.0, "place_precision": "point", "kind": kind},
        index=range(count),
        geometry=shapely.points(xs, np.full(count, FIBRE_M - 5)),
        crs=4547,
    )


def test_the_kind_decides_before_the_distance():
    units = read_units(parallel_lines())
    xy_m = np.array([(500.0, FIBRE_M), (1500.0, FIBRE_M), (2500.0, FIBRE_M), (3500.0, COPPER_M)])
    kinds = np.array(["copper", "optical", None, "coaxial"], dtype=object)
    found, away_m = units.nearest(xy_m, kinds=kinds)
    assert units.frame["label"].iloc[found].tolist() == ["copper 0", "optical 1", "optical 2", "copper 3"]
    assert away_m.tolist() == [FIBRE_M, 0, 0, 0]


def test_without_kinds_the_distance_decides():
    units = read_units(parallel_lines())
    found, _ = units.nearest(np.array([(500.0, FIBRE_M)]))
    assert units.frame["label"].iloc[found].tolist() == ["optical 0"]


def test_copper_thefts_recorded_beside_a_fibre_make_no_hotspot_of_the_fibre():
    asked = {"exposure_kind": "pair_km_nights", "replications": 99, "draws": 200, "seed": 1}
    blind = find_hotspots(thefts_beside_the_fibre().drop(columns="kind"), parallel_lines(), **asked)
    assert blind.clusters["p"].min() <= 0.05
    seeing = find_hotspots(thefts_beside_the_fibre(), parallel_lines(), **asked)
    assert not seeing.clusters["is_hotspot"].any()
    assert not (seeing.clusters["p"] <= 0.05).any()
