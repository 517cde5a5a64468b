"""Find pairs of incidents that may be one event reported twice, with the reasons for and against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.analysis.duplicate_evidence import GAP_DAYS, SLACK_M, place_words
from geo.analysis.duplicate_scores import compare_records, rates_of, reasons_of
from geo.crs import check_metres
from geo.frames import check_frame

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Positions = NDArray[np.int64]

COLUMNS = (
    "source",
    "record_area_id",
    "occurred_from",
    "occurred_until",
    "place_text",
    "radius_m",
    "area_id",
    "city_id",
    "category",
    "category_parent",
    "cable_kind",
    "sector",
    "direct_loss_yuan",
    "loss_qualifier",
    "segment_id",
    "segment_measure_m",
)
"""What a frame of records must have beside its geometry."""

_NUMBERS = (
    "radius_m",
    "direct_loss_yuan",
    "area_id",
    "city_id",
    "record_area_id",
    "segment_id",
    "segment_measure_m",
)

LEAST_SCORE = 0.5
MOST_PER_INCIDENT = 5

_CHUNK = 512
_DAY_MICROSECONDS = 86_400_000_000
_CHINA_DAYS = 8 / 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Duplicates:
    """Pairs that are rather one event than two.

    Parameters
    ----------
    pairs : DataFrame
        incident_a_id < incident_b_id, score (probability, 0 to 1), reasons (list of dicts, each with a
        ``code``, a ``factor`` and its numbers); the strongest first.
    capped_ids : tuple
        Incidents that had more pairs than are given.
    candidate_count : int
        Pairs that were compared.
    """

    pairs: pd.DataFrame
    capped_ids: tuple[int, ...]
    candidate_count: int


def find_duplicates(
    incidents: gpd.GeoDataFrame,
    *,
    only: Collection[int] | None = None,
    least_score: float = LEAST_SCORE,
    most_per_incident: int = MOST_PER_INCIDENT,
) -> Duplicates:
    """Find pairs of records that may be one event.

    Parameters
    ----------
    incidents : GeoDataFrame
        Points or None, in metres, indexed by incident id, with `COLUMNS`.
    only : collection of int, optional
        Ids of which each pair must hold at least one; rates are of all incidents all the same.
    least_score : float
        0 to 1.
    most_per_incident : int
        No incident is in more pairs than this; the weakest are left out and the incident is named.

    Returns
    -------
    Duplicates
        The same whatever the order of the rows.

    Raises
    ------
    InvalidInputError, UnitError
        If columns are missing, or coordinates are degrees.

    Notes
    -----
    ``odds = prior * kind * loss * names * segment / chance`` with
    ``chance = clustering * rate / (place density * time density)``: how many independent incidents of the
    kind would lie as near. The rate is counted about either place in a disc of twice the spread of the
    two places, without the two records themselves. Candidates come from a tree over time and easting:
    n log n and what overlaps.
    """
    records = _records(incidents)
    ids = records["id"]
    wanted = np.ones(len(ids), dtype=np.bool_) if only is None else ids.isin(list(only)).to_numpy()
    rates = rates_of(records)
    nothing = np.empty(0, dtype=np.int64)
    kept, compared = [compare_records(records, rates, nothing, nothing, least_score=least_score)[0]], 0
    for first, second in _candidates(records, wanted, most_per_incident):
        chosen = wanted[first] | wanted[second]
        pairs, count = compare_records(records, rates, first[chosen], second[chosen], least_score=least_score)
        kept.append(pairs)
        compared += count
    found = pd.concat(kept, ignore_index=True)
    found = found.sort_values(["score", "incident_a_id", "incident_b_id"], ascending=[False, True, True])
    is_kept, dropped = _within_cap(found, most_per_incident)
    found = found[is_kept].reset_index(drop=True)
    reasons = [reasons_of(records, row) for row in found.to_dict("records")]
    crowded = set(ids[wanted & (records["rank"] > most_per_incident).to_numpy()].tolist())
    return Duplicates(
        pairs=found[["incident_a_id", "incident_b_id", "score"]].assign(
            reasons=pd.Series(reasons, index=found.index, dtype=object)
        ),
        capped_ids=tuple(sorted(int(each) for each in crowded | dropped)),
        candidate_count=compared,
    )


def _within_cap(pairs: pd.DataFrame, most: int) -> tuple[NDArray[np.bool_], set[int]]:
    """Go through the pairs, strongest first, and leave out what would be too many for either incident."""
    counts: dict[int, int] = {}
    kept, dropped = [], set()
    for ids in zip(pairs["incident_a_id"], pairs["incident_b_id"], strict=True):
        full = [each for each in ids if counts.get(each, 0) >= most]
        kept.append(not full)
        dropped.update(full)
        if not full:
            counts |= {each: counts.get(each, 0) + 1 for each in ids}
    return np.array(kept, dtype=np.bool_), dropped


def _days(instants: pd.Series) -> Floats:
    """Days since 1970, UTC."""
    utc = pd.to_datetime(instants, utc=True).dt.tz_localize(None)
    return utc.to_numpy(dtype="datetime64[us]").astype(np.int64) / _DAY_MICROSECONDS


def _records(incidents: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return what is compared, by ascending id, so that the order of the rows means nothing."""
    check_frame(incidents, COLUMNS, name="incidents")
    ordered = incidents.sort_index()
    points = ordered.geometry.to_numpy()
    located = ~(shapely.is_missing(points) | shapely.is_empty(points))
    records = pd.DataFrame(ordered[list(COLUMNS)]).reset_index(drop=True)
    records["id"] = ordered.index.to_numpy(dtype=np.int64)
    records["x"], records["y"] = shapely.get_x(points), shapely.get_y(points)
    check_metres(records.loc[located, ["x", "y"]].to_numpy(), name="places of incidents")
    for name in _NUMBERS:
        records[name] = pd.to_numeric(records[name]).astype(float)
    _encode(records)
    records["is_vague"] = records["loss_qualifier"].isin(["at_least", "approx"])
    records["from"], records["until"] = _days(ordered["occurred_from"]), _days(ordered["occurred_until"])
    records["day"] = np.floor((records["from"] + records["until"]) / 2 + _CHINA_DAYS)
    records["words"] = records["place_text"].fillna("").map(place_words)
    same = [
        "place_text",
        "from",
        "until",
        "x",
        "y",
        "radius_m",
        "area_id",
        "category",
        "direct_loss_yuan",
        "sector",
    ]
    groups = records.groupby(same, dropna=False, sort=False)
    records["group"], records["rank"] = groups.ngroup(), groups.cumcount()
    records["at"] = np.arange(len(records), dtype=np.int64)
    return records


def _encode(records: pd.DataFrame) -> None:
    """Replace codes of catalogues by numbers, -1 where there is none; parents count as categories."""
    codes = sorted({*records["category"].dropna(), *records["category_parent"].dropna()})
    for name, known in (
        ("category", codes),
        ("category_parent", codes),
        ("cable_kind", sorted(records["cable_kind"].dropna().unique())),
        ("sector", sorted(records["sector"].dropna().unique())),
    ):
        records[name] = pd.Categorical(records[name], categories=known).codes.astype(np.int64)


def _candidates(
    records: pd.DataFrame, wanted: NDArray[np.bool_], most: int
) -> Iterator[tuple[Positions, Positions]]:
    """Yield pairs (first before second) whose times nearly meet and whose places may.

    Rows that are equal in everything weighed are compared with their next neighbours only: thousands of
    equal rows would make millions of pairs that say the same.
    """
    ordered = records.sort_values(["group", "rank"], kind="stable")
    at, group, rank = (ordered[name].to_numpy() for name in ("at", "group", "rank"))
    for step in range(1, min(most, len(at) - 1) + 1):
        # The first few of a group are compared with everything below.
        chosen = (group[step:] == group[:-step]) & (rank[step:] > most)
        yield at[:-step][chosen], at[step:][chosen]
    few = records[records["rank"] <= most]
    located = few[~few["x"].isna()]
    asking = located[wanted[located["at"]]]
    yield from _meeting(asking, located, axis="x", reach=located["radius_m"] + SLACK_M / 2)
    placed = few[~few["city_id"].isna()].assign(axis=lambda each: each["city_id"] * 4)
    unlocated = placed[placed["x"].isna()]
    yield from _meeting(unlocated, placed, axis="axis", reach=pd.Series(1.0, index=placed.index))


def _meeting(
    asking: pd.DataFrame, asked: pd.DataFrame, *, axis: str, reach: pd.Series
) -> Iterator[tuple[Positions, Positions]]:
    """Yield pairs of rows, first before second, whose boxes of time and one coordinate meet; each pair once."""

    def boxes(rows: pd.DataFrame) -> NDArray[np.object_]:
        along, room = rows[axis].to_numpy(), reach[rows.index].to_numpy()
        return np.asarray(
            shapely.box(rows["from"] - GAP_DAYS / 2, along - room, rows["until"] + GAP_DAYS / 2, along + room)
        )

    if asking.empty or asked.empty:
        return
    tree = shapely.STRtree(boxes(asked))
    questions, answers = asking.index.to_numpy(dtype=np.int64), asked.index.to_numpy(dtype=np.int64)
    shapes = boxes(asking)
    both = set(questions.tolist())
    is_asking = np.array([each in both for each in answers.tolist()])
    for start in range(0, len(questions), _CHUNK):
        left, right = tree.query(shapes[start : start + _CHUNK])
        first, second = questions[start + left], answers[right]
        # A pair of two askers is found from either side.
        chosen = (first < second) | ((first > second) & ~is_asking[right])
        first, second = first[chosen], second[chosen]
        yield np.minimum(first, second), np.maximum(first, second)
