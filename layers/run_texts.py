"""Say what a run of any kind found, from its document alone: a headline, sentences to read aloud, reasons, tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from geo.analysis.documents import SEARCHES
from layers.border_sentences import border_sentences
from layers.run_region_sentences import (
    cell_sentences,
    cluster_sentences,
    emerging_sentences,
    moran_sentences,
)
from layers.run_sentences import (
    background_sentences,
    compare_sentences,
    hotspot_sentences,
    hours_sentences,
    knox_sentences,
    section_sentences,
    without_incidents,
)
from layers.run_tables import ShownTable, shown_tables
from layers.run_words import RunText, table_rows
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layers.texts import Texts
    from layers.views import Locale

__all__ = ["RunText", "ShownTable", "run_tables", "run_text"]


def surge_sentences(document: Mapping[str, Any], say: Texts) -> RunText:
    """Say what a scan in space and time found, over which places, and how far its cylinders reach."""
    text = hotspot_sentences(document, say)
    (told,) = table_rows(document, "places") or [{}]
    if not told or document["verdict"] in ("no_incidents", "no_exposure"):
        return text
    words = mark("在%(count)s个县（市、区）里找，按周计，一处突增最长占时段的四分之一。")
    if told["piece_m"] is not None:
        words = mark(
            "线路按%(piece)s米见方并成%(count)s处来找，圆的半径最大%(radius)s公里；按周计，一处突增最长占时段的四分之一。"
        )
    where = say(
        words,
        count=told["place_count"],
        piece=f"{told['piece_m'] or 0:.0f}",
        radius=f"{document['asked']['most_radius_m'] / 1000:g}",
    )
    return replace(text, method=f"{text.method}{where}" if say.locale == "zh" else f"{text.method} {where}")


SENTENCES: dict[str, Callable[[Mapping[str, Any], Texts], RunText]] = {
    **dict.fromkeys(SEARCHES, hotspot_sentences),
    "space_time_scan": surge_sentences,
    "borders": border_sentences,
    "compare": compare_sentences,
    "sections": section_sentences,
    "hours": hours_sentences,
    "knox": knox_sentences,
    "emerging": emerging_sentences,
    "gi_star": cell_sentences,
    "local_moran": moran_sentences,
    "dbscan": cluster_sentences,
    "st_dbscan": cluster_sentences,
    "hdbscan": cluster_sentences,
    "kernel_density": background_sentences,
    "network_density": background_sentences,
}
"""What puts each kind into words."""
_ORIGINS = {
    "patrol": mark("只计巡逻发现的案件；巡逻去得多的地方发现得多。"),
    "both": mark("报案和巡逻发现合在一起计算；巡逻去得多的地方会显得多。"),
}


def run_text(document: Mapping[str, Any], *, locale: Locale) -> RunText:
    """Put the document of a run into words.

    Parameters
    ----------
    document : mapping
        See docs/reference/runs.md.
    locale : {"zh", "en"}
    """
    say = texts_in(locale)
    kind = document["kind"]
    is_empty = document["verdict"] == "no_incidents" and kind not in SEARCHES
    text = (without_incidents if is_empty else SENTENCES[kind])(document, say)
    return RunText(
        headline=text.headline,
        sentences=text.sentences,
        reasons=(*text.reasons, *_origin_remarks(document, say)),
        method=text.method,
    )


def run_tables(document: Mapping[str, Any], *, locale: Locale) -> tuple[ShownTable, ...]:
    """Return the findings and tables of a run in words, empty ones left out.

    Parameters
    ----------
    document : mapping
    locale : {"zh", "en"}
    """
    return shown_tables(document, texts_in(locale))


def _origin_remarks(document: Mapping[str, Any], say: Texts) -> tuple[str, ...]:
    """Say which incidents were looked at, where that is not simply all reported ones."""
    origin = document["asked"].get("origin", "reported")
    remarks = [say(_ORIGINS[origin])] if origin in _ORIGINS else []
    if document["other_origin_count"]:
        remarks.append(
            say(
                "另有%(count)s起来源不同（报案与巡逻发现分开算），没有参加计算。",
                count=document["other_origin_count"],
            )
        )
    return tuple(remarks)
