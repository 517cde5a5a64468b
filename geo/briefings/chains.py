"""Link incidents across the border for a briefing: candidates with their reasons, never a claim of a gang."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from geo.analysis.briefings import Alternative, Chain, Link, LinkChance, LinkedIncident, LostItem
from geo.analysis.series_across import LEAST_ODDS
from geo.crs import to_metric
from geo.runs.border_links import MOST_BORDERS, MOST_COMPARED, link_border
from geo.store.catalogues import Category, catalogue_choices
from geo.store.incident_queries import IncidentFilter, find_incidents, find_loss_items

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.analysis.series_across import LinkedAcross
    from geo.briefings.case import BorderCase

_MOST_CHAINS, _MOST_LINKS, _MOST_ALTERNATIVES = 8, 12, 6
_UNLINKED = {
    "too_few_incidents": "交界带内案件不足3起，未作跨界串并。",
    "one_side": "交界带内案件都在一侧，无从跨界串并。",
    "too_many_incidents": f"交界带内案件超过{MOST_COMPARED}起，未逐对串并；请缩短时段。",
    "no_zone_passed": "全部交界一起检验时这条交界没有一处通过，未作跨界串并；只检验这一条时会串并。",
    "too_many_borders": f"全部交界一起检验时只对最强的{MOST_BORDERS}条作跨界串并，不含这一条；只检验这一条时会串并。",
}
"""Why the run did not link incidents across the border."""


def chains_of(
    session: Session, case: BorderCase
) -> tuple[tuple[Chain, ...], LinkChance | None, tuple[str, ...]]:
    """Return the chains of incidents that cross the border, and what must be said of them.

    Parameters
    ----------
    session : Session
        Only read from.
    case : BorderCase

    Returns
    -------
    chains : tuple of Chain
        Strongest first.
    chance : LinkChance or None
        How many such pairs chance alone gives.
    remarks : tuple of str
        Why none were looked for.
    """
    if case.border["linked"] is None:
        return (), None, (_UNLINKED[case.border["linked_reason"]],)
    found = link_border(case.loaded, case.border, seed=case.request.seed)
    across = found.chains[found.chains["is_across"]].head(_MOST_CHAINS)
    wanted = {int(each) for members in across["members"] for each in members}
    wanted |= {int(each) for name in ("incident_a", "incident_b") for each in found.alternatives[name]}
    texts = find_incidents(session, IncidentFilter(ids=tuple(sorted(wanted)) or (0,)))
    teller = _Teller(session, case, texts)
    chains = tuple(_chain(row, found, teller) for row in across.to_dict(orient="records"))
    return chains, _chance(found), ()


class _Teller:
    """Tell of incidents by their id."""

    def __init__(self, session: Session, case: BorderCase, texts: gpd.GeoDataFrame) -> None:
        self._texts, self._places = texts, to_metric(texts[["geometry"]]).geometry
        self._items = find_loss_items(session, [int(each) for each in texts.index])
        border = case.border
        self._code_of = {
            incident: border["cities"]["ab".index(side)]
            for incident, side in zip(border["incidents"], border["sides"], strict=True)
        }
        self._names = {code: name for code, name, _ in catalogue_choices(session, Category)}
        self._cities = tuple(str(name) for name in case.border["names"])

    def incident(self, incident_id: int) -> LinkedIncident:
        """Return one incident."""
        row = self._texts.loc[incident_id]
        place = self._places.loc[incident_id]
        return LinkedIncident(
            case_number=str(row["case_number"] or ""),
            city_code=str(self._code_of[incident_id]),
            place_text=self._place_text(row),
            place_precision=str(row["place_precision"]),
            occurred_from=row["occurred_from"].to_pydatetime(),
            occurred_until=row["occurred_until"].to_pydatetime(),
            date_precision=str(row["date_precision"]),
            method=self._names.get(row["category"], ""),
            items=self._lost(incident_id),
            at=place if place is not None and not place.is_empty else None,
        )

    def _place_text(self, row: pd.Series[Any]) -> str:
        """Return the place as written, without the name of a city that the forms put before it."""
        text = str(row["place_text"] or row["area_name"] or "地点不详")
        for name in self._cities:
            text = text.removeprefix(name)
        return text or str(row["place_text"])

    def _lost(self, incident_id: int) -> tuple[LostItem, ...]:
        """Return what was lost, each thing once."""
        rows = self._items[self._items["incident_id"] == incident_id].to_dict(orient="records")
        items = (
            LostItem(
                kind=str(row["kind"]),
                pairs=None if pd.isna(row["pairs"]) else int(row["pairs"]),
                length_m=None if pd.isna(row["length_m"]) else float(row["length_m"]),
                as_written=row["as_written"] if isinstance(row["as_written"], str) else "",
            )
            for row in rows
        )
        return tuple(dict.fromkeys(items))


def _chain(row: dict[Any, Any], found: LinkedAcross, teller: _Teller) -> Chain:
    members = [int(each) for each in row["members"]]
    place_of = {member: place for place, member in enumerate(members)}
    links = found.links[found.links["chain"] == row["chain"]].head(_MOST_LINKS)
    pairs = [
        (place_of[int(one)], int(other), float(odds))
        for first, second, odds in zip(
            found.alternatives["incident_a"],
            found.alternatives["incident_b"],
            found.alternatives["odds"],
            strict=True,
        )
        for one, other in ((first, second), (second, first))
        if int(one) in place_of and int(other) not in place_of
    ]
    pairs.sort(key=lambda pair: (-pair[2], pair[1], pair[0]))
    strongest: dict[int, float] = {}
    for _, other, odds in pairs:
        strongest.setdefault(other, odds)
    return Chain(
        incidents=tuple(teller.incident(member) for member in members),
        links=tuple(
            Link(
                first=place_of[int(link["incident_a"])],
                second=place_of[int(link["incident_b"])],
                odds=float(link["odds"]),
                reasons=tuple(link["reasons"]),
                against=tuple(link["against"]),
                distance_m=None if pd.isna(link["distance_m"]) else float(link["distance_m"]),
                days_apart=None if pd.isna(link["days_apart"]) else float(link["days_apart"]),
                shared_kinds=tuple(str(kind) for kind in link["shared_kinds"]),
            )
            for link in links.to_dict(orient="records")
        ),
        alternatives=tuple(
            Alternative(
                incidents=tuple(dict.fromkeys(place for place, each, _ in pairs if each == other)),
                other=teller.incident(other),
                odds=odds,
            )
            for other, odds in list(strongest.items())[:_MOST_ALTERNATIVES]
        ),
    )


def _chance(found: LinkedAcross) -> LinkChance | None:
    if found.across_chance is None or not found.across_count:
        return None
    return LinkChance(
        pair_count=found.across_count,
        expected=found.across_chance,
        p=found.across_p,
        least_odds=LEAST_ODDS,
    )
