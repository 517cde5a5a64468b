"""Lay out linked incidents of both sides of a border: chains with the reasons of each link, alternatives, lines for a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo.crs import STORED
from layers.assets import LEAFLET_CSS, LEAFLET_JS
from layers.incidents import PRECISION_WORDS
from layers.linked_words import (
    AGAINST,
    REASONS,
    distance_text,
    evidence_text,
    in_brackets,
    lost_item_text,
    probability_text,
)
from layers.periods import occurrence_text, period_text
from layers.shell import render_page
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geo.analysis.series_across import LinkedAcross
    from geo.periods import Period
    from layers.texts import Texts
    from layers.views import Locale

ADDRESS = "/linked"
MOST_CHAINS = 12
"""Chains that a page writes out; the GeoJSON has all."""
_ALTERNATIVES = 4
CLIENT_TEXTS = (
    mark("放大"),
    mark("缩小"),
    mark("回到全图"),
    mark("地图脚本没有装好：请运行 python -m layers.assets，再刷新本页"),
    mark("两侧要选不同的市"),
)
"""Sentences that `static/linked.js` shows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinkedView:
    """What ``linked.html`` shows; see `geo.linked.Linked` for the fields.

    Parameters
    ----------
    areas : GeoDataFrame or None, EPSG:4326
        Outlines under the map, with level and name.
    """

    found: LinkedAcross
    period: Period
    area_names: Mapping[str, str]
    loss_items: pd.DataFrame
    categories: Mapping[str, tuple[str, str]]
    incident_count: int
    omitted_count: int
    reach_m: float | None
    is_census: bool
    areas: gpd.GeoDataFrame | None = None

    def in_words(self, locale: Locale) -> dict[str, Any]:
        """Return what the template shows, in one language."""
        say = texts_in(locale)
        teller = _Teller(self, say)
        chains = self.found.chains.head(MOST_CHAINS).to_dict("records")
        return {
            "headline": _headline(self, say),
            "remarks": _remarks(self, say),
            "chains": [teller.chain(row) for row in chains],
            "left_count": max(len(self.found.chains) - MOST_CHAINS, 0),
            "nearest": teller.nearest_across(),
        }


def _headline(view: LinkedView, say: Texts) -> str:
    found = view.found
    names = say.listed(tuple(view.area_names.values()))
    if found.linkage.reason is not None:
        return say("%(names)s：案件太少，无从串并。", names=names)
    count = int(found.chains["is_across"].sum())
    if count:
        return say("%(names)s：有%(count)s串案件跨界相关，列为候选。", names=names, count=count)
    if len(found.chains):
        return say(
            "%(names)s：没有跨界相关的候选；各自一侧有%(count)s串，供对方比对。",
            names=names,
            count=len(found.chains),
        )
    return say("%(names)s：没有达到候选标准的相关案件。", names=names)


def _remarks(view: LinkedView, say: Texts) -> list[str]:
    """Say what a link is and is not, what chance alone gives, and what was left out."""
    found = view.found
    told = [
        say("相关只说明案件在地点、时间、时段、类别、物品上比碰巧更像，不说明是同一人或同一伙人所为。"),
        say(
            "%(period)s，共%(count)s起（巡逻发现的不参加）。",
            period=period_text(view.period, say.locale),
            count=view.incident_count,
        ),
    ]
    linkage = found.linkage
    if linkage.chance_count is not None:
        told.append(
            say(
                "列出%(count)s对，单凭碰巧预计也有%(chance)s对。",
                count=len(found.links),
                chance=f"{linkage.chance_count:.1f}",
            )
        )
    if found.across_chance is not None:
        told.append(
            say(
                "其中跨界%(count)s对，单凭碰巧预计%(chance)s对（p=%(p)s）。",
                count=found.across_count,
                chance=f"{found.across_chance:.1f}",
                p=f"{found.across_p:.2f}",
            )
        )
    if not view.is_census:
        told.append(say("这些是挑选出来挂牌督办的案件，没有列入的案件无从串并。"))
    if view.omitted_count and view.reach_m is not None:
        told.append(
            say(
                "案件太多，只比离交界%(reach)s以内的，另有%(count)s起没有比。",
                reach=distance_text(view.reach_m, say),
                count=view.omitted_count,
            )
        )
    elif view.omitted_count:
        told.append(say("案件太多，另有%(count)s起没有比。", count=view.omitted_count))
    return told


class _Teller:
    """Tells of chains, links and incidents in one language."""

    def __init__(self, view: LinkedView, say: Texts) -> None:
        self._view, self._say = view, say
        self.rows: dict[Any, dict[str, Any]] = {
            key: dict(zip(view.found.incidents.columns, row, strict=True))
            for key, row in zip(
                view.found.incidents.index,
                view.found.incidents.itertuples(index=False, name=None),
                strict=True,
            )
        }

    def chain(self, row: Mapping[Any, Any]) -> dict[str, Any]:
        """Tell of one chain: its incidents in order of time, its links, what else its incidents could belong to."""
        say, found = self._say, self._view.found
        number, members = row["chain"], list(row["members"])
        names = {member: f"{number}-{place}" for place, member in enumerate(members, start=1)}
        links = found.links[found.links["chain"] == number].to_dict("records")
        others = [
            each
            for each in found.alternatives.to_dict("records")
            if each["incident_a"] in names or each["incident_b"] in names
        ]
        sides = say.listed(tuple(self._view.area_names.get(side, side) for side in row["sides"]))
        told = say("%(count)s起，%(sides)s", count=len(members), sides=sides or say("哪一侧不详"))
        return {
            "number": number,
            "is_across": bool(row["is_across"]),
            "told": told,
            "weakest": probability_text(row["weakest_odds"]),
            "incidents": [{"name": names[each]} | self.incident(each) for each in members],
            "links": [self.link(each, names) for each in links],
            "others": [self.link(each, names) for each in others[:_ALTERNATIVES]],
        }

    def nearest_across(self) -> dict[str, str] | None:
        """Tell of the strongest pair across that is no candidate, where no chain crosses."""
        found = self._view.found
        across = found.alternatives[found.alternatives["is_across"]]
        if found.chains["is_across"].any() or across.empty:
            return None
        return self.link(across.iloc[0].to_dict(), {})

    def incident(self, key: Any) -> dict[str, Any]:
        """Tell of one incident."""
        row, say = self.rows[key], self._say
        names = self._view.categories.get(str(row["category"]), (str(row["category"]),) * 2)
        precision = PRECISION_WORDS.get(str(row.get("place_precision")))
        return {
            "id": key,
            "number": str(row.get("case_number") or key),
            "when": self._when(row),
            "place": str(row.get("place_text") or say("地点不详")),
            "side": self._side(row),
            "precision": "" if precision is None else say(precision),
            "unsure": say("可能在另一侧") if row["is_side_unsure"] else "",
            "category": names[0 if say.locale == "zh" else 1],
            "items": self._items(key),
        }

    def _side(self, row: Mapping[str, Any]) -> str:
        """Name the side, unless the place as written begins with it."""
        name = self._view.area_names.get(row["side"], "")
        return "" if str(row.get("place_text") or "").startswith(name) else name

    def _when(self, row: Mapping[str, Any]) -> str:
        precision = str(row.get("date_precision") or "interval")
        first, last = row["occurred_from"].to_pydatetime(), row["occurred_until"].to_pydatetime()
        return occurrence_text(first, last, precision, self._say.locale)

    def _items(self, key: Any) -> str:
        items, say = self._view.loss_items, self._say
        if key not in items.index:
            return ""
        told = []
        for item in items.loc[[key]].to_dict("records"):
            written = item.get("as_written")
            told.append(
                lost_item_text(
                    str(item["kind"]),
                    pairs=None if pd.isna(item["pairs"]) else int(item["pairs"]),
                    length_m=None if pd.isna(item["length_m"]) else float(item["length_m"]),
                    as_written=written if isinstance(written, str) else "",
                    say=say,
                )
            )
        return say.listed(tuple(dict.fromkeys(told)))

    def link(self, link: Mapping[Any, Any], names: Mapping[Any, str]) -> dict[str, Any]:
        """Tell of one pair; an incident outside the chain by its place and time."""
        say = self._say
        ends = [names.get(link[name]) or self._named(link[name]) for name in ("incident_a", "incident_b")]
        return {
            "pair": say("%(one)s与%(other)s", one=ends[0], other=ends[1]),
            "is_across": bool(link["is_across"]),
            "unsure": bool(link["is_side_unsure"]),
            "reasons": evidence_text(link, REASONS, link["reasons"], say),
            "against": evidence_text(link, AGAINST, link["against"], say),
            "odds": probability_text(link["odds"]),
            "chance": "—" if pd.isna(link["chance_pairs"]) else f"{link['chance_pairs']:.1f}",
        }

    def _named(self, key: Any) -> str:
        row = self.rows[key]
        place = f"{self._side(row)}{row.get('place_text') or ''}"
        return in_brackets(place, self._when(row), self._say)


def linked_features(view: LinkedView, *, locale: Locale) -> list[dict[str, Any]]:
    """Return links, alternatives and incidents as GeoJSON features, EPSG:4326.

    Parameters
    ----------
    view : LinkedView
    locale : {"zh", "en"}
        Of ``told``.
    """
    teller = _Teller(view, texts_in(locale))
    found = view.found
    by_pair = {
        (row["incident_a"], row["incident_b"]): row
        for frame in (found.links, found.alternatives)
        for row in frame.to_dict("records")
    }
    features: list[dict[str, Any]] = []
    lines = found.lines.to_crs(STORED)
    for line, shape in zip(lines.drop(columns="geometry").to_dict("records"), lines.geometry, strict=True):
        pair = teller.link(by_pair[line["incident_a"], line["incident_b"]], {})
        properties = {
            "kind": "link" if line["is_linked"] else "alternative",
            "incidents": [int(line["incident_a"]), int(line["incident_b"])],
            "chain": int(line["chain"]),
            "odds": round(float(line["odds"]), 4),
            "is_across": bool(line["is_across"]),
            "radius_sum_m": float(line["radius_sum_m"]),
        } | {name: pair[name] for name in ("pair", "reasons", "against", "chance")}
        features.append(_feature(len(features) + 1, shape, properties))
    places = found.incidents.to_crs(STORED)
    for key, shape in zip(places.index, places.geometry, strict=True):
        row = teller.rows[key]
        told = teller.incident(key)
        properties = {
            "kind": "incident",
            "incident": int(key),
            "chain": int(row["chain"]),
            "radius_m": None if pd.isna(row["radius_m"]) else float(row["radius_m"]),
            "is_side_unsure": bool(row["is_side_unsure"]),
        } | {name: told[name] for name in ("number", "when", "place", "side", "category", "items")}
        features.append(_feature(len(features) + 1, shape, properties))
    return features


def _feature(number: int, shape: Any, properties: dict[str, Any]) -> dict[str, Any]:
    """Return one feature; what has no place has no geometry."""
    geometry = None
    if shape is not None and not shape.is_empty:
        points = [[round(x, 6), round(y, 6)] for x, y in shape.coords]
        is_point = shape.geom_type == "Point"
        geometry = {"type": shape.geom_type, "coordinates": points[0] if is_point else points}
    return {"type": "Feature", "id": number, "geometry": geometry, "properties": properties}


def render_linked_page(
    view: LinkedView | None,
    *,
    form: Mapping[str, Any],
    outlines: Mapping[str, Any],
    locale: Locale,
    nonce: str,
    dataset_title: str,
    is_demo: bool,
) -> str:
    """Render the page ``/linked``.

    Parameters
    ----------
    view : LinkedView or None
        None while no areas are chosen.
    form : mapping
        ``choices`` (code, name), ``first``, ``second``, ``period`` as asked, ``geojson`` the address of the lines.
    outlines : mapping
        Of `layers.areas.area_outlines`.
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    """
    features = [] if view is None else linked_features(view, locale=locale)
    return render_page(
        "linked_page.html",
        locale=locale,
        nonce=nonce,
        here=ADDRESS,
        dataset_title=dataset_title,
        is_demo=is_demo,
        client_texts=CLIENT_TEXTS,
        blocks={"outlines": dict(outlines), "linked-features": features},
        leaflet_js=LEAFLET_JS.url,
        leaflet_css=LEAFLET_CSS.url,
        linked=view,
        has_map=any(each["geometry"] for each in features),
        form=form,
    )
