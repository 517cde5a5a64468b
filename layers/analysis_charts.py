"""Choose the chart that shows what an analysis found: people would rather look at these results than read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.charts import Cell, matrix_chart
from layers.texts import mark
from layers.verdicts import p_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from markupsafe import Markup

    from layers.texts import Texts

    Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart with what it shows.

    Parameters
    ----------
    title, note : str
        What is drawn, and how to read it.
    drawing : Markup
    """

    title: str
    note: str
    drawing: Markup


def analysis_charts(document: Document, say: Texts) -> tuple[Chart, ...]:
    """Return the charts of a run; every number in them stands in its tables too.

    Parameters
    ----------
    document : mapping
        See docs/reference/runs.md.
    say : Texts
    """
    draw = _CHARTS.get(document["kind"])
    return () if draw is None else draw(document, say)


def rows_of(document: Document, name: str) -> list[dict[str, Any]]:
    """Return a table of a document as rows by column; none where it has no such table."""
    table = document["tables"].get(name)
    return [] if table is None else [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def _near_repeat(document: Document, say: Texts) -> tuple[Chart, ...]:
    rows = rows_of(document, "near_repeat")
    if not rows:
        return ()
    places = list(dict.fromkeys((row["distance_from"], row["distance_until"]) for row in rows))
    times = list(dict.fromkeys((row["days_from"], row["days_until"]) for row in rows))
    by_band = {(row["distance_from"], row["distance_until"], row["days_from"]): row for row in rows}
    alpha = document["alpha"]
    cells = [[_pair_cell(by_band.get((*place, since)), alpha, say) for since, _ in times] for place in places]
    drawing = matrix_chart(
        cells,
        rows=[_distance(*place, say) for place in places],
        columns=[
            say("%(since)s–%(until)s天", since=f"{since:g}", until=f"{until:g}") for since, until in times
        ],
        caption=say(_NEAR_REPEAT),
        left=86,
    )
    return (Chart(title=say(_NEAR_REPEAT), note=say(_NEAR_REPEAT_NOTE), drawing=drawing),)


_NEAR_REPEAT = mark("相近的案件对：实际是随机的几倍")
_NEAR_REPEAT_NOTE = mark("行是距离，列是相隔天数；粗框的格通过了整张表的检验。")


def _pair_cell(row: dict[str, Any] | None, alpha: float, say: Texts) -> Cell:
    if row is None or row["ratio"] is None:
        return Cell(value=None, text="", told=say("没有这样的案件对"))
    p = float(row["p_family"] if row.get("p_family") is not None else row["p"])
    told = say(
        "%(pairs)s对，随机应有%(expected)s对，p=%(p)s",
        pairs=row["pairs"],
        expected=f"{row['expected']:.1f}",
        p=p_text(p),
    )
    is_marked = p <= alpha and row["ratio"] > 1
    return Cell(value=row["ratio"], text=f"{row['ratio']:.1f}", told=told, is_marked=is_marked)


def _distance(since: float, until: float, say: Texts) -> str:
    if until <= since:
        return say("同一地点")
    return say("%(since)s–%(until)s公里", since=f"{since / 1000:g}", until=f"{until / 1000:g}")


_CHARTS: dict[str, Callable[[Document, Texts], tuple[Chart, ...]]] = {
    "knox": _near_repeat,
}
