"""What a run says: every kind has words in both languages, made from its document alone."""

import re

import pytest

from geo.analysis.documents import SEARCHES, run_document
from geo.runs import KINDS, own_parameters
from layers.run_kind_texts import kind_text, parameter_text
from layers.run_sentences import hour_spans
from layers.run_texts import SENTENCES, run_tables, run_text
from layers.run_words import change_text, p_words

ASKED = {"start_on": "2008-01-01", "until_on": "2008-07-01", "origin": "reported"}
FACTS = {
    "incident_count": 40,
    "used_count": 36,
    "omitted_count": 4,
    "alpha": 0.05,
    "replications": 999,
    "draws": 200,
}


def document(kind, verdict="found", **rest):
    made = run_document(kind=kind, method=kind, verdict=verdict, facts=FACTS | rest.pop("facts", {}), **rest)
    return made | {"asked": ASKED, "other_origin_count": 0, "unlocated_count": 0, "is_census": True}


COMPARED = {
    "findings": [
        {"rank": 1, "labels": ["周口市"], "geometry": None, "is_hotspot": False, "before_count": 20, "case_count": 62,
         "rate_ratio": 3.1, "p": 1e-6, "p_family": 2e-5, "class": "risen"},
        {"rank": 2, "labels": ["开封市"], "geometry": None, "is_hotspot": False, "before_count": 5, "case_count": 6,
         "rate_ratio": None, "p": 0.8, "p_family": 1.0, "class": "untold"},
    ],
    "tables": {
        "totals": {
            "columns": ["base_start_on", "base_until_on", "before_count", "case_count", "rate_ratio", "p"],
            "rows": [["2007-01-01", "2007-07-01", 25, 68, 2.72, 0.0001]],
        },
        "returning": {
            "columns": ["chosen_count", "chosen_expected", "chosen_change"],
            "rows": [[20, 15.2, -0.24]],
        },
    },
}  # fmt: skip
NEAR = {
    "tables": {
        "near_repeat": {
            "columns": ["distance_from", "distance_until", "days_from", "days_until", "pairs", "expected", "ratio",
                        "p", "p_family"],
            "rows": [[0.0, 0.0, 0.0, 7.0, 9, 2.1, 4.3, 0.001, 0.004], [0.0, 500.0, 7.0, 14.0, 1, 2.0, 0.5, 0.9, 1.0]],
        }
    }
}  # fmt: skip


def test_every_kind_and_every_parameter_has_words_in_both_languages():
    assert set(SENTENCES) == set(KINDS)
    for name, kind in KINDS.items():
        chinese, english = (kind_text(name, locale=locale) for locale in ("zh", "en"))
        for attribute in ("title", "purpose", "proves"):
            assert re.search(r"[\u4e00-\u9fff]", getattr(chinese, attribute))
            assert not re.search(r"[\u4e00-\u9fff]", getattr(english, attribute))
        for parameter in own_parameters(kind.request):
            assert parameter_text(parameter.name, locale="zh") != parameter_text(parameter.name, locale="en")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SEARCHES])
def test_a_run_without_incidents_claims_nothing(kind):
    text = run_text(document(kind, verdict="no_incidents", facts={"used_count": 0}), locale="zh")
    assert text.sentences == ("没有一起案件可以用来计算，因此不下判断。",)
    assert run_tables(document(kind, verdict="no_incidents"), locale="zh") == ()


def test_a_comparison_names_what_rose_and_what_falls_by_itself():
    text = run_text(document("compare", **COMPARED), locale="zh")
    assert text.headline == "1地上升，0地下降"
    assert text.sentences == (
        "2008年1–6月与2007年1–6月相比，案件由25起变为68起，按天数折算变化+172%，p=1e-04。",
        "周口市由20起升到62起，校正后p=2e-05。",
        "上期案件最多的四分之一地区，什么也不做预计也会变化−24%（20起到15起）。",
    )
    (table,) = run_tables(document("compare", **COMPARED), locale="zh")
    assert table.rows[0][:5] == ("1", "周口市", "62", "20", "+210%")
    assert table.rows[1][4] == "–"
    english = run_text(document("compare", **COMPARED), locale="en")
    assert english.sentences[1] == "周口市 rose from 20 to 62, corrected p = 2e-05."


def test_near_repeats_are_told_by_band_and_the_same_place_by_name():
    text = run_text(document("knox", **NEAR), locale="zh")
    assert text.sentences == ("相距同一地点、相隔[0, 7)天的案件有9对，预期2.1对，p=0.004。",)
    (table,) = run_tables(document("knox", **NEAR), locale="en")
    assert table.title == "Bands of distance and time"
    assert table.rows[0] == ("0", "0", "0", "7", "9", "2.1", "4.30", "0.001", "0.004")


def test_which_origin_was_looked_at_is_said():
    one = document("kernel_density", verdict="background")
    assert run_text(one, locale="zh").reasons == ()
    left_out = run_text(one | {"other_origin_count": 12}, locale="zh").reasons
    assert left_out == ("另有12起来源不同（报案与巡逻发现分开算），没有参加计算。",)
    both = run_text(one | {"asked": ASKED | {"origin": "both"}}, locale="en").reasons
    assert both[0].startswith("Reported and patrol-found incidents together")


def test_small_numbers_are_written_as_people_read_them():
    assert (p_words(0.002), p_words(0.31), p_words(0.00002)) == ("0.002", "0.31", "2e-05")
    assert (change_text(0.5), change_text(-0.204), change_text(None)) == ("+50%", "−20%", "–")


def test_hours_that_follow_each_other_are_one_span_also_over_midnight():
    assert hour_spans([0, 1, 14, 22, 23]) == [(14, 15), (22, 2)]
    assert hour_spans([5]) == [(5, 6)]
    assert hour_spans(list(range(24))) == [(0, 24)]
    assert hour_spans([23]) == [(23, 24)]
    assert hour_spans([]) == []
