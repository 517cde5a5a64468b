"""What a picture says it counts: a comparison is made only where both sides tell how much happened."""

from dataclasses import replace

import pytest

from geo.periods import read_period
from layers.captions import change_text, counted_text
from layers.texts import texts_in
from layers.views import MapPanel

NOW = MapPanel(period=read_period("2008-03"), incident_count=6, total_count=24, coarse_count=0)
BEFORE = replace(NOW, period=read_period("2007-03"), incident_count=8)


def test_two_full_periods_are_compared():
    assert change_text((NOW, BEFORE), texts_in("zh")) == "比上年同期−2起（−25%）"


def test_a_base_of_nothing_gives_no_percentage():
    assert "不算百分比" in change_text((NOW, replace(BEFORE, incident_count=0)), texts_in("zh"))


@pytest.mark.parametrize(
    ("panels", "zh", "en"),
    [
        ((replace(NOW, covers_period=False), BEFORE), "没有数据报来", "No data came"),
        ((NOW, replace(BEFORE, covers_period=False)), "没有数据报来", "No data came"),
        ((NOW, replace(BEFORE, is_selection=True)), "挑选的案件", "selected"),
    ],
)
def test_no_number_where_a_side_does_not_tell(panels, zh, en):
    for locale, words in (("zh", zh), ("en", en)):
        said = change_text(panels, texts_in(locale))
        assert words in said
        assert "%" not in said


def test_a_period_without_data_says_so_beside_its_zero():
    said = counted_text(replace(NOW, incident_count=0, covers_period=False), texts_in("zh"))
    assert "这个时段没有数据报来" in said


def test_what_patrols_found_is_counted_apart():
    said = counted_text(replace(NOW, patrol_count=2), texts_in("zh"))
    assert said == "画出6起 / 共6起，巡逻发现2起，不参加检验，全库24起"
