"""Put regions of cells and clusters of incidents into sentences that can be read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.periods import period_text
from layers.run_words import (
    MOST_SENTENCES,
    RunText,
    asked_period,
    last_day,
    number_text,
    p_words,
    place_name,
    reasons_of,
    table_rows,
)
from layers.texts import mark
from layers.verdicts import share_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts

    Document = Mapping[str, Any]

CLASSES = {
    "new": mark("新出现"),
    "consecutive": mark("接连"),
    "intensifying": mark("加强"),
    "persistent": mark("持续"),
    "diminishing": mark("减退"),
    "sporadic": mark("零星"),
    "oscillating": mark("时冷时热"),
    "historical": mark("过去的"),
    "HH": mark("高值相邻"),
    "LL": mark("低值相邻"),
    "HL": mark("高值孤立"),
    "LH": mark("低值孤立"),
    "risen": mark("上升"),
    "fallen": mark("下降"),
    "untold": mark("分不出"),
}
"""Classes of findings."""


def cell_sentences(document: Document, say: Texts) -> RunText:
    """Say which regions of cells hold more than the whole."""
    found = [row for row in document["findings"] if row["p_family"] <= document["alpha"]]
    told = tuple(
        say(
            "%(period)s，%(place)s一片格子发案%(cases)s起，平均应有%(expected)s起，整幅图p=%(p)s；%(stable)s。",
            period=period_text(asked_period(document), say.locale),
            place=place_name(row["labels"], say),
            cases=row["case_count"],
            expected=number_text(row["expected"]),
            p=p_words(row["p_family"]),
            stable=_grid_text(row, say),
        )
        for row in found[:MOST_SENTENCES]
    )
    return RunText(
        headline=say("%(count)s片格子偏多", count=len(found)) if found else say("不足以判定"),
        sentences=told or (say("没有一片格子的案件数超出偶然。"),),
        reasons=reasons_of(document, say),
        method=say("整幅图检验；换三种格子大小、两种起点，位置重抽%(draws)s次。", draws=document["draws"]),
    )


def moran_sentences(document: Document, say: Texts) -> RunText:
    """Say which regions are like their neighbours, and which stick out."""
    found = document["findings"]
    told = tuple(
        say(
            "%(place)s一片格子%(class)s，发案%(cases)s起，整幅图p=%(p)s；%(stable)s。",
            place=place_name(row["labels"], say),
            cases=row["case_count"],
            p=p_words(row["p_family"]),
            stable=_grid_text(row, say),
            **{"class": say(CLASSES[row["class"]])},
        )
        for row in found[:MOST_SENTENCES]
    )
    return RunText(
        headline=say("%(count)s片格子与众不同", count=len(found)) if found else say("不足以判定"),
        sentences=told or (say("没有一片格子与邻格的相似超出偶然。"),),
        reasons=reasons_of(document, say),
        method=say("整幅图检验；换三种格子大小、两种起点。"),
    )


def emerging_sentences(document: Document, say: Texts) -> RunText:
    """Say what becomes of the cells."""
    found = document["findings"]
    told = tuple(
        say(
            "%(period)s，%(place)s一片格子属%(class)s，发案%(cases)s起，%(steps)s期偏多，p=%(p)s；在%(share)s的位置抽样中稳定，%(stable)s。",
            period=period_text(asked_period(document), say.locale),
            place=place_name(row["labels"], say),
            cases=row["case_count"],
            steps=row["hot_steps"],
            p=p_words(row["p_family"]),
            share="–" if row["stable_share"] is None else share_text(row["stable_share"]),
            stable=_grid_text(row, say),
            **{"class": say(CLASSES[row["class"]])},
        )
        for row in found[:MOST_SENTENCES]
    )
    return RunText(
        headline=say("%(count)s片格子有演变", count=len(found)) if found else say("不足以判定"),
        sentences=told
        or (
            say(
                "%(steps)s期里，没有一片格子的案件数超出偶然。",
                steps=len(table_rows(document, "steps")),
            ),
        ),
        reasons=reasons_of(document, say),
        method=say(
            "全部格子和各期一起检验，整体误报的可能不超过%(alpha)s；换三种格子大小、两种起点，位置重抽%(draws)s次。",
            alpha=share_text(document["alpha"]),
            draws=document["draws"],
        ),
    )


def _grid_text(row: Mapping[str, Any], say: Texts) -> str:
    return say("换格子后仍在") if row["is_stable_grid"] else say("换格子后不稳定")


def cluster_sentences(document: Document, say: Texts) -> RunText:
    """Say which incidents lie close together, and that this proves nothing."""
    found = document["findings"]
    told = tuple(
        say(
            "%(from_on)s至%(until_on)s，%(place)s一带%(cases)s起案件连成一团，半径%(radius)s公里；在%(share)s的位置抽样中还在。",
            from_on=row["from_on"],
            until_on=last_day(row["until_on"]),
            place=place_name(row["labels"], say),
            cases=row["case_count"],
            radius=number_text(row["radius_m"] / 1000),
            share="–" if row["stable_share"] is None else share_text(row["stable_share"]),
        )
        for row in found[:MOST_SENTENCES]
    )
    (whole,) = table_rows(document, "clusters")
    return RunText(
        headline=say("候选%(count)s团", count=whole["cluster_count"]) if found else say("没有连成团的案件"),
        sentences=told or (say("没有案件近得可以连成团。"),),
        reasons=reasons_of(document, say),
        method=say("位置重抽%(draws)s次；没有检验。", draws=document["draws"]),
    )
