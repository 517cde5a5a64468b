"""Draw the page of borders: pick two neighbours, see what lies astride their border, and what each side alone sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.areas import area_outlines
from layers.assets import LEAFLET_CSS, LEAFLET_JS
from layers.border_cards import briefing_menu, zone_cards, zone_rows
from layers.border_charts import power_chart, power_names, power_sentence
from layers.border_linked import linked_of_border
from layers.border_map import border_map, highest_per_10_km, shown_borders
from layers.border_tables import border_state, border_told, ranked_borders
from layers.border_words import LEADING, STATES, pair_text
from layers.borders_address import ADDRESS, borders_address, borders_query, incidents_address
from layers.borders_texts import borders_verdict, lead_text, option_text
from layers.borders_view import LEVELS, STEPS_M
from layers.captions import note_text
from layers.periods import period_text
from layers.run_words import number_text, p_words
from layers.shell import render_page
from layers.texts import mark, texts_in
from layers.theme import COUNT_RAMP
from layers.views import MapPosition, read_position

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.borders_view import BordersView, PairShown
    from layers.texts import Texts
    from layers.views import Choice, Locale

CLIENT_TEXTS = (
    mark("放大"),
    mark("缩小"),
    mark("关闭"),
    mark("回到全图"),
    mark("在图上看"),
    mark("地图脚本没有装好：请运行 python -m layers.assets，再刷新本页"),
    mark("排队中…"),
    mark("排队中，前面还有{count}项计算"),
    mark("已算{percent}%"),
    mark("计算没有完成：{reason}"),
    mark("正在取消…"),
    mark("已取消"),
    mark("没有连上服务器，请稍后再试"),
    mark("没有连上服务器，正在重试…"),
    mark("开始和结束日期要么都填，要么都不填"),
    mark("结束日期早于开始日期"),
    mark("先点一个地方，再点与它相邻的、亮起来的另一个"),
    mark("已选{place}：再点一个亮起来的相邻地方；按 Esc 重选"),
    mark("{place}没有可比的邻居"),
    mark("{a} {count_a}起，{b} {count_b}起"),
    mark("{area}：该侧无数据"),
    mark("{area}一侧{count}起"),
    mark("案件{number}"),
    mark("时间"),
    mark("地点"),
    mark("计入"),
    mark("真实位置在约{radius}内"),
    mark("{count}起在这一段"),
    mark("{number} {place}"),
    mark("画出跨界候选{count}对"),
    mark("画出跨界候选{count}对；另有{others}对缺位置或同在一点，画不出"),
    mark("{since}至{until}"),
    mark("超出案件的时段（{since}至{until}）"),
    mark("{metres}米"),
    mark("{km}公里"),
)
"""Sentences that the scripts of the page show."""
_LEVEL_WORDS = {"city": mark("市与市"), "county": mark("县与县（跨市）")}
_SCOPES = (("pair", mark("只检验这一条")), ("all", mark("与全部交界一起检验（更严）")))
_ANYWHERE = ((18.0, 73.5), (53.6, 135.1))


def render_borders_page(
    view: BordersView, *, locale: Locale, nonce: str, dataset_title: str, is_demo: bool
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    view : BordersView
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    """
    say = texts_in(locale)
    outlines = area_outlines((None if view.areas is None else _with_counts(view),), locale=locale)
    blocks = {
        "page-data": _page_data(view, locale, say),
        "outlines": outlines,
        "border-data": border_map(view, say),
    }
    return render_page(
        "borders.html",
        locale=locale,
        nonce=nonce,
        here=ADDRESS,
        dataset_title=dataset_title,
        is_demo=is_demo,
        client_texts=CLIENT_TEXTS,
        blocks=blocks if view.whole is not None else None,
        style_links=(LEAFLET_CSS.url, "/static/borders.css"),
        script_links=(LEAFLET_JS.url,),
        view=view,
        notices=view.notices,
        form=_form(view, say),
        verdict=borders_verdict(view, say),
        all_address=borders_address(view.filters, locale, pair=None, scope=None),
        scope_links=_scope_links(view, say),
        zone_rows=zone_rows(view, say),
        cards=zone_cards(view, say),
        border_rows=_border_rows(view, say),
        briefings=briefing_menu(view, say),
        belt_address=_belt_address(view, say),
        linked=linked_of_border(view, say),
        power=_power(view, say),
        legend=_legend(view, say),
        title=_title(view, say),
        lead=_lead(view, say),
        provenance="" if view.note is None else note_text(view.note, say),
    )


def _belt_address(view: BordersView, say: Texts) -> str:
    """Return the address that lists every incident counted along the border shown; empty without one."""
    border = view.border()
    if view.run_id is None or border is None or not border["case_count"]:
        return ""
    return incidents_address(view.run_id, f"{'-'.join(border['cities'])}-0", say.locale)


def _with_counts(view: BordersView) -> Any:
    """Return the areas with the columns that every picture of areas has."""
    return None if view.areas is None else view.areas.assign(incident_count=0)


def _page_data(view: BordersView, locale: Locale, say: Texts) -> dict[str, Any]:
    at: MapPosition | None = read_position(view.filters.view)
    return {
        "locale": locale,
        "texts": {sentence: say(sentence) for sentence in CLIENT_TEXTS},
        "words": {},
        "home": _home(view),
        "area": None,
        "view": None if at is None else view.filters.view,
        "tiles": None,
        "run": {
            "id": view.run.run_id,
            "state": view.run.state,
            "request": dict(view.request) if view.request is not None and view.pairs else None,
        },
    }


def _home(view: BordersView) -> Any:
    """Return the corners of the first view: the belt of the pair, or all areas."""
    border = view.border()
    if border is not None:
        points = [point for side in "ab" for point in _corners(border[f"belt_{side}"])]
        if points:
            longitudes, latitudes = zip(*points, strict=True)
            return ((min(latitudes), min(longitudes)), (max(latitudes), max(longitudes)))
    areas = view.areas
    if areas is not None and view.filters.pair is not None:
        (chosen,) = [pair for pair in view.pairs if pair.key == view.filters.pair]
        areas = areas[areas.index.isin(chosen.area_ids)]
    if areas is None or areas.empty:
        return _ANYWHERE
    west, south, east, north = areas.total_bounds
    return ((south, west), (north, east))


def _corners(geometry: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return all points of a GeoJSON polygon or of several."""
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return [(x, y) for rings in polygons for ring in rings for x, y, *_ in ring]


def _form(view: BordersView, say: Texts) -> dict[str, Any]:
    """Return what the form asks, as its fields stand."""
    filters = view.filters
    named = [pair for pair in view.pairs if pair.lead]
    groups: dict[str, list[Choice]] = {say("2008年会战的交界"): [_option(pair, say) for pair in named]}
    for pair in view.pairs:
        if pair.lead:
            continue
        title = say("其他相邻的市") if filters.level == "city" else pair_text(pair.cities, say)
        groups.setdefault(title, []).append(_option(pair, say))
    query = borders_query(filters, say.locale)
    steps = sorted({*STEPS_M, filters.step_m})
    return {
        "query": query,
        "levels": [(level, say(_LEVEL_WORDS[level]), level == filters.level) for level in LEVELS],
        "groups": [(title, options) for title, options in groups.items() if options],
        "pair": filters.pair or "",
        "scopes": [(scope, say(word), scope == filters.scope) for scope, word in _SCOPES],
        "depth_m": f"{filters.depth_m:g}",
        "depth_text": _length(filters.depth_m, say),
        "steps": [(f"{step:g}", _length(step, say), step == filters.step_m) for step in steps],
        "months": None
        if view.whole is None
        else {"first": view.whole.start_on.isoformat()[:7], "last": view.whole.last_on.isoformat()[:7]},
    }


def _option(pair: PairShown, say: Texts) -> Choice:
    return pair.key, option_text(pair, say)


def _length(metres: float, say: Texts) -> str:
    if metres < 1000:  # noqa: PLR2004 - metres in a kilometre
        return say("%(metres)s米", metres=f"{metres:g}")
    return say("%(km)s公里", km=f"{metres / 1000:g}")


def _scope_links(view: BordersView, say: Texts) -> list[tuple[str, str, bool]]:
    """Return address, words and whether it is shown, of testing a pair by itself and among all."""
    if view.filters.pair is None:
        return []
    return [
        (
            borders_address(view.filters, say.locale, scope=None if scope == "pair" else scope, zone=None),
            say(word),
            scope == view.filters.scope,
        )
        for scope, word in _SCOPES
    ]


def _border_rows(view: BordersView, say: Texts) -> list[dict[str, Any]]:
    """Return all borders, the strongest first; those that were not tested last."""
    if view.document is None or view.filters.pair is not None:
        return []
    document = view.document
    rows = []
    for number, border in enumerate(ranked_borders(document), start=1):
        lead = border["lead"]
        rows.append(
            {
                "number": number,
                "href": borders_address(view.filters, say.locale, pair="-".join(border["cities"])),
                "name": pair_text(border["names"], say),
                "lead": "" if lead is None else say(LEADING, city=lead["name"]),
                "count_a": border["count_a"],
                "count_b": border["count_b"],
                "p": "–" if border["strongest_p"] is None else p_words(border["strongest_p"]),
                "least": "–"
                if border["minimum_relative_risk"] is None
                else number_text(border["minimum_relative_risk"]),
                "state": border_state(border, document),
                "told": border_told(border, document, say),
            }
        )
    return rows


def _power(view: BordersView, say: Texts) -> dict[str, Any] | None:
    """Return the chart of power of a pair, what its curves are called, and the sentence beside it."""
    border = view.border()
    if border is None:
        return None
    drawing = power_chart(border, say)
    if not drawing:
        return None
    return {
        "drawing": drawing,
        "curves": power_names(border, say),
        "sentence": power_sentence(border, say) + _stricter(view, say),
    }


def _stricter(view: BordersView, say: Texts) -> str:
    """Say that looking together had to pass the test over all borders, where it had."""
    if view.filters.scope != "all":
        return ""
    return say("这里合起来看的把握按全部交界一起检验计算，比只检验这一条低。")


def _legend(view: BordersView, say: Texts) -> dict[str, Any]:
    """Return what the signs on the map mean; only what is there."""
    border = view.border()
    document = view.document
    states = []
    if document is not None:
        alpha = document["alpha"]
        shown = {
            "proven" if zone["is_proven"] else "passed" if zone["p"] <= alpha else "candidate"
            for zone in view.zones()
        }
        states = [(state, say(word)) for state, word in STATES.items() if state in shown]
    most = highest_per_10_km(view)
    return {
        "states": states,
        "ramp": list(COUNT_RAMP) if most else [],
        "ramp_text": say("两侧深浅：每10公里边界0–%(most)s起", most=number_text(most)),
        "has_silent": any(each["silent"] for each in shown_borders(view)),
        "sides": [] if border is None else list(border["names"]),
        "has_named": any(pair.lead for pair in view.pairs),
    }


def _title(view: BordersView, say: Texts) -> str:
    """Name what the map shows."""
    period = period_text(view.filters.period, say.locale)
    if view.filters.pair is None:
        return say("全部交界 · %(period)s", period=period)
    (chosen,) = [pair for pair in view.pairs if pair.key == view.filters.pair]
    return say("%(pair)s交界 · %(period)s", pair=pair_text(chosen.names, say), period=period)


def _lead(view: BordersView, say: Texts) -> str:
    """Say who leads at the border of the pair; empty without one."""
    if view.filters.pair is None:
        return ""
    (chosen,) = [pair for pair in view.pairs if pair.key == view.filters.pair]
    return lead_text(chosen.lead, chosen.lead_basis, say)
