"""The words and the picture of the two books: a hint and never a verdict, nothing red, nothing left untranslated."""

import re
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from geo.analysis.recording import Recording
from layers.assets import PROJECT_ROOT
from layers.reconciliation_chart import recording_chart
from layers.reconciliation_page import CLIENT_TEXTS, ReconciliationView, render_reconciliation_page
from layers.reconciliation_texts import gap_text, length_text, reason_text, recording_verdict
from layers.texts import texts_in
from tests.pictures import NONCE

ZH, EN = texts_in("zh"), texts_in("en")


def months():
    rows = [
        (20, 14, 0.7, 0.48, 0.85),
        (0, 0, float("nan"), float("nan"), float("nan")),
        (10, 3, 0.3, 0.11, 0.6),
    ]
    index = pd.Index([date(2007, 12, 1), date(2008, 1, 1), date(2008, 2, 1)], name="month")
    return pd.DataFrame(
        rows, columns=["ticket_count", "recorded_count", "share", "lower", "upper"], index=index
    )


DROP = Recording(
    verdict="drop",
    ticket_count=480,
    recorded_count=280,
    months=months(),
    p=0.001,
    changed_on=date(2008, 1, 5),
    earliest_on=date(2007, 12, 20),
    latest_on=date(2008, 1, 31),
    before=0.7,
    after=0.49,
    drop=0.21,
    drop_lower=0.12,
    drop_upper=0.3,
    smallest_drop=0.15,
)


def test_a_drop_is_said_with_its_intervals_and_as_a_hint():
    verdict = recording_verdict(DROP, ZH, taken_count=7)
    assert verdict.headline == "立案不实的统计提示"
    assert verdict.sentences == (
        "从2008年1月5日起，有案件的工单由70%降到49%，下降21个百分点（95%区间12到30；p=0.001）。",
        "开始的日子在2007年12月20日至2008年1月31日之间（95%区间）。",
        "这只是提示，不是结论；请先排除下面这些别的原因。",
        "有7张工单最近的案件已配给另一张工单，可能是一件事几张工单。",
    )
    english = recording_verdict(DROP, EN).sentences
    assert "a drop of 21 points (95% interval 12 to 30; p=0.001)" in english[0]
    assert "not a verdict" in english[2]


@pytest.mark.parametrize(
    ("smallest", "headline", "said"),
    [
        (0.12, "没有看出立案比例下降", "要下降12个百分点以上，才有八成把握"),
        (0.45, "不足以判定", "要下降45个百分点以上，才有八成把握"),
        (None, "不足以判定", "下降再多也没有八成把握"),
    ],
)
def test_no_drop_seen_says_what_could_have_been_seen(smallest, headline, said):
    verdict = recording_verdict(replace(DROP, verdict="none", p=0.4, smallest_drop=smallest), ZH)
    assert verdict.headline == headline
    assert said in verdict.sentences[1]


def test_too_few_tickets_are_not_enough_to_tell():
    verdict = recording_verdict(
        Recording(verdict="few", ticket_count=12, recorded_count=3, months=months()), ZH
    )
    assert verdict.headline == "不足以判定"
    assert "只有12张" in verdict.sentences[0]


def test_the_chart_shows_every_month_with_its_counts():
    chart = recording_chart(DROP, ZH)
    assert chart.count("<circle") == 2
    assert re.findall(r">(\d+/\d+)<", chart) == ["14/20", "0/0", "3/10"]
    assert chart.count('class="band"') == 1
    assert chart.count('class="level"') == 2
    assert 'class="band"' not in recording_chart(replace(DROP, verdict="none"), ZH)
    assert recording_chart(replace(DROP, months=months().iloc[:0]), ZH) == ""
    assert "#" not in chart


def test_nothing_on_the_page_is_red():
    css = (PROJECT_ROOT / "static" / "reconciliation.css").read_text("utf-8")
    assert "--proven" not in css
    for shade in re.findall(r"#([0-9a-f]{6})\b", css):
        red, green, blue = (int(shade[i : i + 2], 16) for i in (0, 2, 4))
        assert not (red > 120 and red > 1.8 * max(green, blue))


def test_reasons_name_the_candidate_and_how_far_it_is():
    row = {"nearest_number": "案-7", "distance_m": 2_340.0, "gap_hours": -30.0}
    assert reason_text(row | {"reason": "place"}, ZH) == "最近的案-7相距约2.3公里，超出两边的位置误差"
    assert reason_text(row | {"reason": "time"}, ZH) == "最近的案-7在时间上相差约1.2天"
    assert reason_text(row | {"reason": None}, ZH) == ""
    assert [length_text(each, EN) for each in (None, 88.4, 33_000)] == ["", "about 88 m", "about 33 km"]
    assert [gap_text(each, ZH) for each in (0.0, 0.2, 30.0)] == ["时间相接", "约1小时", "约1.2天"]


def test_the_page_hands_its_scripts_exactly_the_sentences_they_show():
    script = (PROJECT_ROOT / "static" / "reconciliation.js").read_text("utf-8")
    assert set(re.findall(r'\bt\("([^"]+)"', script)) == set(CLIENT_TEXTS)
    assert "innerHTML" not in script


def test_hostile_names_are_text():
    view = ReconciliationView(has_tickets=True, areas=(("1", "<script>alert(1)</script>"),))
    page = render_reconciliation_page(view, locale="zh", nonce=NONCE, dataset_title="<b>", is_demo=False)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<bdi><b></bdi>" not in page
