"""Link the incidents counted along a border across it: candidates with their reasons, never a claim of a gang (串并案)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.analysis.documents import geojson, plain
from geo.analysis.series_across import series_across
from geo.crs import to_metric, to_stored
from geo.runs.steps import part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.analysis.border_zones import BorderZones, ProvinceBorders
    from geo.analysis.series_across import LinkedAcross
    from geo.runs.answers import Progress
    from geo.runs.borders import BorderInput, BordersRequest

    Pair = tuple[Any, Any]

MOST_COMPARED = 800
"""Incidents of one belt that are compared, every one with every other: as many as take a few seconds."""
MOST_BORDERS = 6
"""Borders of one scan that are looked at: those with the strongest zones."""
LIMITS = {"incidents": MOST_COMPARED, "borders": MOST_BORDERS}
"""Told in the document, so that whoever reads a reason knows the figure."""
REPLICATIONS = 99
LINK_STEPS = 2 * REPLICATIONS
"""Steps of progress of one border: pairs of all, and pairs that cross, are each compared with chance."""
_FEWEST = 3
_FIGURES = (
    "incident_a",
    "incident_b",
    "side_a",
    "side_b",
    "odds",
    "chance_pairs",
    "distance_m",
    "radius_sum_m",
    "days_apart",
    "reasons",
    "against",
    "shared_kinds",
    "shared_pairs",
    "is_side_unsure",
    "chain",
)


def link_border(
    loaded: BorderInput,
    border: Mapping[str, Any],
    *,
    seed: int,
    progress: Progress | None = None,
) -> LinkedAcross:
    """Link the incidents that a scan counted along one border; what tells of a border's links tells of these.

    Parameters
    ----------
    loaded : BorderInput
        Incidents that were voided since the scan are left out.
    border : mapping
        Of the document, or as `counted_along` gives it: ``area_ids``, ``incidents`` and on which of the ``sides`` each
        was counted.
    seed : int
        Of the request.
    progress : callable, optional
        Called with (steps done, steps); may raise to stop.

    Returns
    -------
    LinkedAcross
        Sides are codes of the two areas.
    """
    adcode = loaded.areas["adcode"]
    codes = [str(adcode.loc[area]) for area in border["area_ids"]]
    code_of = dict(zip("ab", codes, strict=True))
    side_of = {
        incident: code_of[side] for incident, side in zip(border["incidents"], border["sides"], strict=True)
    }
    own = to_metric(loaded.incidents[loaded.incidents.index.isin(list(side_of))])
    areas = to_metric(loaded.areas.loc[list(border["area_ids"])][["geometry"]])
    items = loaded.loss_items[loaded.loss_items["incident_id"].isin(own.index)]
    return series_across(
        own,
        side=own.index.map(side_of).to_numpy(dtype=object),
        areas=areas.set_axis(codes, axis=0),
        loss_items=items.set_index("incident_id"),
        replications=REPLICATIONS,
        seed=seed,
        progress=progress,
    )


def counted_along(pair: Pair, border: BorderZones) -> dict[str, Any]:
    """Return the incidents that a scan counted along a border, and on which side each."""
    return {
        "area_ids": [int(each) for each in pair],
        "incidents": [int(each) for each in border.counted],
        "sides": list(border.counted_sides),
    }


def link_borders(
    found: ProvinceBorders,
    loaded: BorderInput,
    request: BordersRequest,
    *,
    progress: Progress | None = None,
) -> dict[Pair, LinkedAcross | str]:
    """Link incidents across the borders that ask for it, the strongest zones first, or say of each why not.

    Parameters
    ----------
    found : ProvinceBorders
    loaded : BorderInput
    request : BordersRequest
        A single pair is looked at whatever was found there.
    progress : callable, optional
        Called with (steps done, steps); may raise to stop.

    Returns
    -------
    dict of (id, id) to LinkedAcross or str
        A reason is ``too_few_incidents``, ``one_side`` (all were counted on one), ``too_many_incidents``,
        ``no_zone_passed`` or ``too_many_borders``.
    """
    links: dict[Pair, LinkedAcross | str] = {}
    wanted: list[tuple[float, Pair]] = []
    for pair, border in found.borders.items():
        strongest_p = min(border.zones["p"].tolist(), default=1.0)
        reason = _unlinked(border)
        if reason is None and request.pair is None and strongest_p > border.alpha:
            reason = "no_zone_passed"
        if reason is None:
            wanted.append((strongest_p, pair))
        else:
            links[pair] = reason
    wanted.sort(key=lambda each: each[0])
    links |= {pair: "too_many_borders" for _, pair in wanted[MOST_BORDERS:]}
    chosen = wanted[:MOST_BORDERS]
    for number, (_, pair) in enumerate(chosen):
        links[pair] = link_border(
            loaded,
            counted_along(pair, found.borders[pair]),
            seed=request.seed,
            progress=part(
                progress,
                before=number * LINK_STEPS,
                steps=LINK_STEPS,
                total=len(chosen) * LINK_STEPS,
            ),
        )
    return links


def _unlinked(border: BorderZones) -> str | None:
    """Say why the incidents of a border cannot be linked across it."""
    if border.case_count < _FEWEST:
        return "too_few_incidents"
    if not border.count_a or not border.count_b:
        return "one_side"
    return "too_many_incidents" if border.case_count > MOST_COMPARED else None


def linked_row(links: LinkedAcross | str) -> dict[str, Any]:
    """Return what the document says of a border: ``linked``, or null with ``linked_reason``."""
    if isinstance(links, str):
        return {"linked": None, "linked_reason": links}
    return {
        "linked": {
            "count": links.across_count,
            "chance": links.across_chance,
            "p": links.across_p,
            "pairs": _pairs(links),
        },
        "linked_reason": None,
    }


def _pairs(links: LinkedAcross) -> list[dict[str, Any]]:
    """Return the linked pairs that cross, strongest first, each with its line where both places are known."""
    lines = to_stored(links.lines[links.lines["is_linked"]])
    line_of = {
        (row.incident_a, row.incident_b): geojson(row.geometry)
        for row in lines[["incident_a", "incident_b", "geometry"]].itertuples(index=False)
    }
    across = links.links[links.links["is_across"]]
    return [
        {name: plain(row[name]) for name in _FIGURES}
        | {"geometry": line_of.get((row["incident_a"], row["incident_b"]))}
        for row in across[list(_FIGURES)].to_dict(orient="records")
    ]


def pairs_of_zone(border: Mapping[str, Any], incidents: list[int]) -> list[dict[str, Any]]:
    """Return the pairs of a border with at least one end among the incidents of a zone."""
    if border["linked"] is None:
        return []
    inside = set(incidents)
    return [row for row in border["linked"]["pairs"] if inside & {row["incident_a"], row["incident_b"]}]
