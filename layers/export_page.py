"""Draw the page where rows are chosen to be taken away as files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layers.shell import render_page
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts
    from layers.views import Choice, Locale

KINDS = (
    ("incidents", mark("案件"), mark("时间、地点、类别、损失；另附被盗物品")),
    ("lines", mark("线路（逐段）"), mark("线路、区段、对数、敷设方式和走向")),
    ("stations", mark("收购站点"), mark("废旧金属收购站点和备案状态")),
    ("facilities", mark("设施"), mark("局所、基站、变电站；受限设施不导出")),
    ("places", mark("地名"), mark("自己导入的地名和半径")),
    ("tickets", mark("企业工单"), mark("抢修和告警工单")),
    ("areas", mark("行政区划"), mark("只有可以再分发的边界")),
    ("hotspots", mark("热点"), mark("一次计算的热点和候选")),
)
"""Code, name and content of everything that can be exported, in the order people ask for it."""

FORMS = (
    ("csv", "CSV", mark("Excel 能直接打开")),
    ("xlsx", "XLSX", mark("Excel 工作簿，行多时较慢")),
    ("geojson", "GeoJSON", mark("网页地图和脚本")),
    ("gpkg", "GeoPackage", mark("QGIS、ArcGIS，首选")),
    ("shp", "Shapefile", mark("老版 GIS，长文字不能写")),
    ("fgb", "FlatGeobuf", mark("大批量，读取快")),
    ("parquet", "GeoParquet", mark("数据分析，文件最小")),
    ("kml", "KML", mark("Google Earth、奥维地图")),
)
"""Code, name and use of every form."""

FILTERS = {
    "period": mark("时间"),
    "category": mark("类别"),
    "sector": mark("行业"),
    "area": mark("区域"),
    "bbox": mark("范围"),
    "run": mark("计算"),
}
"""Parts of the filter and what people call them."""

CLIENT_TEXTS = (
    mark("写出{rows}行"),
    mark("库中共{stored}行"),
    mark("另有{withheld}行不得外传，不写出"),
    mark("没有符合条件的数据"),
    mark("放宽时段或去掉一些条件，再试一次。"),
    mark("约{size}"),
    mark("正在计数…"),
    mark("没有连上服务器，请稍后再试"),
    mark("开始和结束日期要么都填，要么都不填"),
    mark("结束日期早于开始日期"),
    mark("请先选一次计算"),
)
"""Sentences of `static/export.js`."""

_UNITS = ("kB", "MB", "GB", "TB")
_STEP = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportView:
    """What the page shows.

    Parameters
    ----------
    what, form : str
        Chosen.
    values : mapping of str to str
        Fields of the form: start, end, category, sector, area, bbox, run.
    applies : mapping of str to tuple of str
        Which parts of the filter mean something for each kind.
    left_out : tuple of str
        Parts that were given and mean nothing for what is chosen.
    categories, sectors, areas, runs : tuple of Choice
        Value and text of what can be chosen.
    rows, stored, withheld : int
        Rows that would be written, that are stored, and that may not be handed on.
    estimated_bytes : int
        Rough size of the archive.
    address : str or None
        Of the download; None when nothing can be downloaded.
    file_name : str
        Of the archive.
    problem : str
        Why there is nothing to count, in a sentence for people.
    is_empty : bool
        Whether nothing has been loaded into this database at all.
    """

    what: str
    form: str
    values: Mapping[str, str]
    applies: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    categories: tuple[Choice, ...]
    sectors: tuple[Choice, ...]
    areas: tuple[Choice, ...]
    runs: tuple[Choice, ...]
    rows: int
    stored: int
    withheld: int
    estimated_bytes: int
    address: str | None
    file_name: str
    problem: str = ""
    is_empty: bool = False


def size_text(size: float) -> str:
    """Write a number of bytes as people read it.

    Parameters
    ----------
    size : float
        Bytes.

    Examples
    --------
    >>> size_text(420), size_text(84_000), size_text(1_240_000)
    ('1 kB', '84 kB', '1.2 MB')
    """
    size = max(size, _STEP) / _STEP
    unit = _UNITS[0]
    for unit in _UNITS:
        if size < _STEP or unit == _UNITS[-1]:
            break
        size /= _STEP
    return f"{size:.0f} {unit}" if size >= 10 or unit == _UNITS[0] else f"{size:.1f} {unit}"  # noqa: PLR2004 - two digits


def render_export_page(
    view: ExportView, *, locale: Locale, nonce: str, dataset_title: str, is_demo: bool
) -> str:
    """Render the page ``/export``.

    Parameters
    ----------
    view : ExportView
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    """
    say = texts_in(locale)
    return render_page(
        "export.html",
        locale=locale,
        nonce=nonce,
        here="/export",
        dataset_title=dataset_title,
        is_demo=is_demo,
        client_texts=CLIENT_TEXTS,
        blocks={"export-facts": {"applies": {kind: list(names) for kind, names in view.applies.items()}}},
        view=view,
        kinds=[(code, say(name), say(content)) for code, name, content in KINDS],
        forms=[(code, name, say(use)) for code, name, use in FORMS],
        left_out=say.listed(tuple(say(FILTERS[name]) for name in view.left_out)),
        counted=_counted(view, say),
        size=size_text(view.estimated_bytes),
        selects=(
            ("category", say("类别"), say("全部类别"), view.categories),
            ("sector", say("行业"), say("全部行业"), view.sectors),
            ("area", say("区域"), say("全部区域"), view.areas),
        ),
    )


def _counted(view: ExportView, say: Texts) -> dict[str, str]:
    """Return the sentences that `static/export.js` writes anew when the filter changes."""
    return {
        "rows": _filled(say("写出{rows}行"), rows=f"{view.rows:,}"),
        "stored": _filled(say("库中共{stored}行"), stored=f"{view.stored:,}"),
        "withheld": _filled(say("另有{withheld}行不得外传，不写出"), withheld=f"{view.withheld:,}"),
        "size": _filled(say("约{size}"), size=size_text(view.estimated_bytes)),
    }


def _filled(sentence: str, **values: str) -> str:
    """Fill in the values the way the scripts do."""
    for name, value in values.items():
        sentence = sentence.replace(f"{{{name}}}", value)
    return sentence
