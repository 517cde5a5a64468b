"""List the layers of a page with their signs: the same rows are switches, legend and print legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layers.areas import LEVEL_OF, counts_of, has_data
from layers.density import density_peak
from layers.finding_words import class_letters, finding_state
from layers.findings import MOST_LABELS
from layers.incidents import COARSE
from layers.line_density import line_peak
from layers.theme import CountClass, count_classes
from layers.views import DEFAULT_LAYERS

if TYPE_CHECKING:
    import geopandas as gpd

    from layers.texts import Texts
    from layers.views import MapPanel, MapView


_MOST_BESIDE = 200
"""Beyond this number of incidents their circles would lie over what an analysis found."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of the legend.

    Parameters
    ----------
    shape : str
        Name of a drawing in ``templates/signs.html``.
    label : str
    colour : str
        Only for the shape ``fill``.
    text : str
        Only for the shape ``letter``.
    """

    shape: str
    label: str
    colour: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEntry:
    """One layer that can be shown or hidden.

    Parameters
    ----------
    key : str
        One of `layers.views.LAYER_KEYS`.
    label : str
    signs : tuple of Sign
    note : str
        What to know before reading it.
    is_visible : bool
        At first.
    """

    key: str
    label: str
    signs: tuple[Sign, ...] = ()
    note: str = ""
    is_visible: bool = False


def shared_classes(panels: tuple[MapPanel, ...], key: str) -> tuple[CountClass, ...]:
    """Return the classes of counts that all maps of a page share for one way of colouring areas."""
    counts = [
        count
        for panel in panels
        if panel.areas is not None
        for count in counts_of(panel.areas, level=LEVEL_OF[key]).values()
    ]
    return count_classes(max(counts, default=0))


def surface_peak(panels: tuple[MapPanel, ...]) -> float:
    """Return the largest value of what an analysis draws as a background, 0 where it draws none."""
    documents = [panel.document for panel in panels if panel.document is not None]
    rasters = [document["raster"] for document in documents if document.get("raster") is not None]
    peaks = [value for raster in rasters for value in raster["values"] if value is not None]
    peaks += [line_peak(document["lines"]) for document in documents if document.get("lines") is not None]
    return float(max(peaks, default=0.0))


def visible_layers(view: MapView) -> tuple[str, ...]:
    """Return the layers that are shown at first: what an analysis draws must not lie under everything else."""
    if view.filters.layers is not None:
        return view.filters.layers
    hidden: set[str] = set()
    for panel in view.panels:
        hidden |= _in_the_way(panel)
    return tuple(key for key in DEFAULT_LAYERS if key not in hidden)


def _in_the_way(panel: MapPanel) -> set[str]:
    document = panel.document or {}
    if document.get("lines") is not None:
        return {"cities", "incidents", "lines"}
    if document.get("raster") is not None:
        return {"cities", "incidents"}
    if any(finding["geometry"] is not None for finding in document.get("findings", ())):
        return {"cities", *(("incidents",) if panel.incident_count > _MOST_BESIDE else ())}
    return set()


def shading_entries(view: MapView, say: Texts) -> tuple[LayerEntry, ...]:
    """List the ways of colouring areas by their counts that the page has data for."""
    labels = {"cities": say("按市"), "counties": say("按县（市、区）")}
    visible = visible_layers(view)
    entries = []
    for key, label in labels.items():
        if not any(_has_level(panel.areas, LEVEL_OF[key]) for panel in view.panels):
            continue
        signs = [Sign("fill", say("0起"), "var(--area)")]
        signs += [
            Sign("fill", say("%(count)s起", count=each.label), each.colour)
            for each in shared_classes(view.panels, key)
        ]
        if any(_has_silent(panel.areas, LEVEL_OF[key]) for panel in view.panels):
            signs.append(Sign("hatch", say("没有数据报来")))
        entries.append(LayerEntry(key=key, label=label, signs=tuple(signs), is_visible=key in visible))
    return tuple(entries)


def layer_entries(view: MapView, keys: frozenset[str], say: Texts) -> tuple[LayerEntry, ...]:
    """List the layers that are on a map of the page, in the order of the panel.

    Parameters
    ----------
    view : MapView
    keys : frozenset of str
        Layers that were drawn on at least one map; a switch without a layer would do nothing.
    say : Texts
    """
    visible = visible_layers(view)
    entries = (
        LayerEntry(key="hotspots", label=say("热点（通过检验）"), signs=(Sign("hotspot", say("粗红线")),)),
        LayerEntry(
            key="candidates",
            label=say("候选（没有通过检验）"),
            signs=(Sign("candidate", say("灰点线，不是热点")),),
        ),
        LayerEntry(key="findings", label=_analysis_title(view), signs=_finding_signs(view.panels, say)),
        LayerEntry(
            key="surface",
            label=_analysis_title(view),
            signs=(_surface_sign(view.panels, say),),
            note=say("只作背景，不说明哪里是热点"),
        ),
        LayerEntry(key="incidents", label=say("案件"), signs=_incident_signs(view.panels, say)),
        LayerEntry(key="lines", label=say("线路"), signs=_line_signs(view, say)),
        LayerEntry(
            key="density",
            label=say("案件密度"),
            signs=(Sign("density", _density_range(view.panels, say)),),
            note=say("只作背景，不说明哪里是热点"),
        ),
        LayerEntry(
            key="key_areas",
            label=say("重点地区、试点、集散地"),
            signs=(
                Sign("national", say("全国挂牌整治重点地区")),
                Sign("provincial", say("省挂牌整治重点地区")),
                Sign("scrap", say("废旧金属集散地")),
            ),
        ),
        LayerEntry(
            key="border_pairs", label=say("交界区域会战"), signs=(Sign("border", say("两市共同边界")),)
        ),
        LayerEntry(
            key="supervised", label=say("挂牌督办案件"), signs=(Sign("supervised", say("虚线框：只知县级")),)
        ),
        LayerEntry(key="labels", label=say("地名"), signs=_label_signs(view.panels, say)),
    )
    return tuple(
        LayerEntry(
            key=entry.key,
            label=entry.label,
            signs=entry.signs,
            note=entry.note,
            is_visible=entry.key in visible,
        )
        for entry in entries
        if entry.key in keys
    )


def _analysis_title(view: MapView) -> str:
    return "" if view.analysis is None else view.analysis.title


def _finding_signs(panels: tuple[MapPanel, ...], say: Texts) -> tuple[Sign, ...]:
    findings = [
        (finding, finding_state(finding, alpha=panel.document.get("alpha")))
        for panel in panels
        if panel.document is not None
        for finding in panel.document["findings"]
    ]
    states = {state for _, state in findings}
    words = {
        "proven": Sign("hotspot", say("粗红线：认定热点")),
        "passed": Sign("passed", say("黑实线：通过检验，不是热点")),
        "candidate": Sign("candidate", say("灰点线，不是热点")),
    }
    signs = [sign for state, sign in words.items() if state in states]
    label = (
        say("编号同表")
        if len(findings) <= MOST_LABELS
        else say("编号同表（前%(count)s处）", count=MOST_LABELS)
    )
    signs.append(Sign("letter", label, text="1"))
    signs += [
        Sign("letter", meaning, text=letter)
        for letter, meaning in class_letters([finding for finding, _ in findings], say)
    ]
    return tuple(signs)


def _surface_sign(panels: tuple[MapPanel, ...], say: Texts) -> Sign:
    """Return what the shades of a background mean: their range and unit."""
    peak = surface_peak(panels)
    if any(panel.document is not None and panel.document.get("lines") is not None for panel in panels):
        return Sign("line-density", say("浅到深：每公里0–%(peak)s起", peak=f"{peak:.3g}"))
    return Sign("density", say("浅到深：每百平方公里0–%(peak)s起", peak=f"{100 * peak:.3g}"))


def _has_level(areas: gpd.GeoDataFrame | None, level: str) -> bool:
    if areas is None or areas.empty:
        return False
    chosen = areas[areas["level"] == level]
    return bool((~chosen.geometry.isna()).any())


def _has_silent(areas: gpd.GeoDataFrame | None, level: str) -> bool:
    if areas is None or areas.empty:
        return False
    return bool((~has_data(areas[areas["level"] == level])).any())


def _incident_signs(panels: tuple[MapPanel, ...], say: Texts) -> tuple[Sign, ...]:
    precisions: set[str] = set()
    for panel in panels:
        if panel.incidents is not None and not panel.incidents.empty:
            precisions |= set(panel.incidents["place_precision"])
        if panel.incident_tiles is not None:
            precisions |= {"point", "village"}
    signs = []
    if precisions & {"point", "section"}:
        signs.append(Sign("dot", say("位置准确")))
    if precisions & {"village", "township"}:
        signs.append(Sign("ring", say("在圈内某处（村、乡镇）")))
    if precisions & set(COARSE):
        signs.append(Sign("coarse", say("只知县（市）：虚线大圈和起数")))
    return (*signs, Sign("cluster", say("相近的几起")))


def _line_signs(view: MapView, say: Texts) -> tuple[Sign, ...]:
    known = dict(view.choices.sectors)
    words = {
        "power": say("电力"),
        "telecom": say("电信"),
        "broadcasting": say("广播电视"),
        "other": say("其他"),
    }
    return tuple(Sign(f"line-{code}", known.get(code, word)) for code, word in words.items())


def _density_range(panels: tuple[MapPanel, ...], say: Texts) -> str:
    peak = max((density_peak(panel.density) for panel in panels), default=0.0)
    return say("每百平方公里0–%(peak)s起", peak=f"{100 * peak:.3g}")


def _label_signs(panels: tuple[MapPanel, ...], say: Texts) -> tuple[Sign, ...]:
    has_notes = any(
        panel.areas is not None
        and "extent_note" in panel.areas.columns
        and (panel.areas["extent_note"].fillna("") != "").any()
        for panel in panels
    )
    return (Sign("extent", say("当时与今天的范围不同")),) if has_notes else ()
