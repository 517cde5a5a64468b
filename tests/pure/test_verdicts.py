"""What a commander reads aloud: what was found, how sure it is, and why no more is claimed."""

import math

import pytest

from geo.analysis.hotspots import REASONS
from geo.periods import read_period
from layers.page import RunState
from layers.periods import occurrence_text, period_text
from layers.verdicts import cluster_texts, p_text, risk_text, share_text, verdict_of
from tests.pictures import PERIOD, not_enough, sample_hotspots, sample_incidents

DONE = RunState(state="done", run_id=1)


def verdict(hotspots, locale="zh", run=DONE):
    return verdict_of(hotspots, run=run, period=PERIOD, locale=locale)


def test_a_hotspot_is_one_sentence_with_everything_in_it():
    told = verdict(sample_hotspots())
    assert told.headline == "认定热点1处"
    assert told.sentences == (
        "2008年1–6月，第1县 甲—乙线 东村至西村段发案7起，预期1.2起，相对风险5.8，p=0.002；在94%的位置抽样中稳定。",
    )


def test_the_same_sentence_in_english():
    assert verdict(sample_hotspots(), "en").sentences == (
        (
            "January–June 2008, 第1县 甲—乙线 东村至西村段: 7 cases, 1.2 expected, relative risk 5.8, p = 0.002; "
            "stable in 94% of the redraws of places."
        ),
    )


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_abstaining_names_every_reason_and_the_risk_that_would_have_been_seen(locale):
    told = verdict(not_enough(reasons=REASONS, strongest_p=0.31), locale)
    assert len(told.reasons) == len(REASONS)
    assert len(set(told.reasons)) == len(REASONS)
    assert "4.6" in told.sentences[1]
    assert "3%" in told.sentences[1]
    assert "80 %" in told.sentences[1] or "八成" in told.sentences[1]


def test_abstaining_says_so_first():
    told = verdict(not_enough())
    assert told.headline == "不足以判定"
    assert told.sentences[0] == "2008年1–6月参加计算的5起案件里，没有一处可以认定为热点。"
    assert told.sentences[1] == "按现有案件数，占面积3%的地方，相对风险要到4.6以上，才有八成把握看得出来。"


def test_a_risk_that_nothing_could_have_shown_is_said():
    told = verdict(not_enough(minimum_relative_risk=None))
    assert told.sentences[1] == "按现有案件数，相对风险再高也没有八成把握看得出来。"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("pair_km_nights", "按缆线对公里·夜比较"),
        ("line_km_nights", "按线路公里·夜比较"),
        ("area_km2", "按面积比较"),
    ],
)
def test_the_exposure_is_always_named(kind, words):
    assert words in verdict(sample_hotspots(exposure_kind=kind)).method
    assert words in verdict(not_enough(exposure_kind=kind)).method


@pytest.mark.parametrize("kind", ["no_incidents", "no_exposure"])
def test_nothing_to_compute_with_claims_nothing(kind):
    empty = sample_hotspots().clusters.iloc[:0]
    told = verdict(sample_hotspots(verdict=kind, clusters=empty, reasons=(), strongest_p=None))
    assert told.kind == kind
    assert told.sentences[0].endswith("因此不下判断。")


@pytest.mark.parametrize(
    ("run", "kind", "words"),
    [
        (RunState(), "none", "还没有计算热点"),
        (RunState(state="queued", run_id=1), "pending", "正在计算热点"),
        (RunState(state="running", run_id=1, done=3, total=9), "pending", "正在计算热点"),
        (RunState(state="failed", run_id=1, error="内存不够"), "failed", "计算没有完成"),
        (RunState(state="cancelled", run_id=1), "none", "还没有计算热点"),
    ],
)
def test_without_a_result_the_state_of_the_run_is_told(run, kind, words):
    told = verdict(None, run=run)
    assert (told.kind, told.headline) == (kind, words)
    assert not told.method
    assert run.error in told.sentences[0]


def test_more_than_three_hotspots_lead_to_the_table():
    base = sample_hotspots().clusters
    clusters = base.iloc[[0] * 5].reset_index(drop=True).assign(rank=range(1, 6))
    told = verdict(sample_hotspots(clusters=clusters))
    assert told.headline == "认定热点5处"
    assert len(told.sentences) == 4
    assert told.sentences[-1] == "另外2处见下表。"


def test_hotspots_and_candidates_are_numbered_apart():
    base = sample_hotspots().clusters
    clusters = base.iloc[[1, 0, 1, 0]].reset_index(drop=True).assign(rank=range(1, 5))
    texts = cluster_texts(sample_hotspots(clusters=clusters), period=PERIOD, locale="zh")
    assert [(each.number, each.is_hotspot) for each in texts] == [
        (1, False),
        (1, True),
        (2, False),
        (2, True),
    ]


def test_beside_a_hotspot_unstable_places_are_a_remark_with_their_number():
    base = sample_hotspots().clusters
    clusters = base.assign(p=[0.002, 0.01], stable_share=[0.94, 0.4])
    told = verdict(sample_hotspots(clusters=clusters, reasons=("unstable_places",)))
    assert told.reasons == ("另有1处也很集中，但位置不够准，重抽200次里最多40%的时候还在原处，没有认定。",)


def test_a_place_of_many_names_is_cut_and_counted():
    clusters = sample_hotspots().clusters.iloc[[0]].reset_index(drop=True)
    clusters.at[0, "labels"] = ("甲", "乙", "丙", "丁", "戊")
    texts = cluster_texts(sample_hotspots(clusters=clusters), period=None, locale="zh")
    assert texts[0].place == "甲、乙、丙等5处"
    assert texts[0].sentence.startswith("全部时间，")


def test_long_names_are_cut_after_one_breath():
    clusters = sample_hotspots().clusters.iloc[[0]].reset_index(drop=True)
    clusters.at[0, "labels"] = ("项城市 项城市局—平舆县局线 黄土村至瓦窑沟段", "平舆县 另一条线 甲至乙段")
    texts = cluster_texts(sample_hotspots(clusters=clusters), period=None, locale="zh")
    assert texts[0].place == "项城市 项城市局—平舆县局线 黄土村至瓦窑沟段等2处"


def test_an_endless_risk_is_put_into_words():
    clusters = sample_hotspots().clusters.iloc[[0]].assign(relative_risk=math.inf)
    texts = cluster_texts(sample_hotspots(clusters=clusters), period=PERIOD, locale="zh")
    assert texts[0].relative_risk == "别处无案"


def test_figures_are_no_more_exact_than_they_mean():
    assert [p_text(p) for p in (0.001, 0.0494, 0.1, 0.5)] == ["0.001", "0.049", "0.10", "0.50"]
    assert [share_text(share) for share in (0, 0.004, 0.05, 0.945, 1)] == ["0%", "0.4%", "5%", "94%", "100%"]
    assert [risk_text(risk, str) for risk in (1.25, 99.94, 356.2)] == ["1.2", "99.9", "356"]


@pytest.mark.parametrize(
    ("text", "chinese", "english"),
    [
        ("2008-03", "2008年3月", "March 2008"),
        ("2008-01/2008-06", "2008年1–6月", "January–June 2008"),
        ("2008-01/2008-12", "2008年", "2008"),
        ("2007-01/2008-12", "2007–2008年", "2007–2008"),
        ("2007-11/2008-06", "2007年11月–2008年6月", "November 2007 – June 2008"),
        ("2008-03-15", "2008年3月15日", "15 March 2008"),
        ("2008-01-05/2008-03-09", "2008年1月5日–3月9日", "5 January – 9 March 2008"),
        ("2007-12-05/2008-03-09", "2007年12月5日–2008年3月9日", "5 December 2007 – 9 March 2008"),
    ],
)
def test_periods_are_written_as_people_say_them(text, chinese, english):
    assert period_text(read_period(text), "zh") == chinese
    assert period_text(read_period(text), "en") == english


@pytest.mark.parametrize(
    ("precision", "chinese", "english"),
    [
        ("night", "2008年1月2日夜间", "night of 2 January 2008"),
        ("month", "2008年1月", "January 2008"),
        ("interval", "2008年1月2日至2008年1月3日之间", "between 2 January 2008 and 3 January 2008"),
        ("day", "2008年1月2日至2008年1月3日之间", "between 2 January 2008 and 3 January 2008"),
    ],
)
def test_a_time_is_told_no_more_exactly_than_it_is_known(precision, chinese, english):
    row = sample_incidents().iloc[0]
    assert occurrence_text(row["occurred_from"], row["occurred_until"], precision, "zh") == chinese
    assert occurrence_text(row["occurred_from"], row["occurred_until"], precision, "en") == english


def test_minutes_are_told_as_a_moment_or_a_span():
    row = sample_incidents().iloc[0]
    first = row["occurred_from"]
    assert occurrence_text(first, first.replace(minute=1), "minute", "zh") == "2008年1月2日 18:00"
    assert occurrence_text(first, first.replace(minute=20), "minute", "zh") == "2008年1月2日 18:00–18:20"
    assert occurrence_text(first, first.replace(hour=19), "hour", "en") == "2 January 2008, about 18:00"
