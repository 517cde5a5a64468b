import itertools
import re
import string
import time
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import FileRejectedError
from geo.io.annex import COLUMNS, FLAGS, MAX_SENTENCE, read_annex
from geo.io.annex_items import read_loss_items
from geo.io.campaign_files import read_campaign
from geo.io.cells import CellError
from geo.io.person_names import PLACEHOLDER, holds_person_name, remove_person_names
from geo.io.place_names import HENAN2008, read_place_names

ROOT = Path(__file__).resolve().parents[2]
HEAD = "附件2\n2008年省公安厅挂牌督办的案件\n"
NAMES = read_place_names()


def annex_text():
    return (HENAN2008 / "annex.txt").read_text(encoding="utf-8")


def read_one(sentence, head=HEAD):
    """Read one sentence as the only case of an annex."""
    reading = read_annex(f"{head}1.{sentence}\n")
    assert reading.rejected == ()
    return reading.frame.iloc[0]


def shown(value):
    return "" if not isinstance(value, tuple) and pd.isna(value) else str(value)


def differences(got, want, keys):
    """Return one line for each cell that differs."""
    return [
        f"{key} {column}: {shown(one)} instead of {shown(other)}"
        for column in want.columns
        for key, one, other in zip(keys, got[column], want[column], strict=True)
        if shown(one) != shown(other)
    ]


def test_the_reader_gives_the_hand_checked_cases():
    files = read_campaign(HENAN2008)
    reading = read_annex(annex_text())
    assert reading.rejected == ()
    assert list(reading.frame["case_key"]) == list(files.incidents["case_key"])
    shared = [column for column in COLUMNS if column in files.incidents.columns]
    assert set(COLUMNS) - set(shared) == {"loss_items"}
    got = reading.frame[shared].assign(flags=[";".join(flags) for flags in reading.frame["flags"]])
    assert differences(got, files.incidents[shared], reading.frame["case_key"]) == []


def test_the_reader_gives_the_hand_checked_loss_items():
    want = read_campaign(HENAN2008).loss_items
    frame = read_annex(annex_text()).frame
    got = pd.DataFrame(
        [
            {"case_key": key} | {name: getattr(item, name) for name in want.columns[1:]}
            for key, items in zip(frame["case_key"], frame["loss_items"], strict=True)
            for item in items
        ]
    ).astype(want.dtypes.to_dict())
    assert len(got) == len(want)
    assert differences(got, want, got["case_key"]) == []


def test_a_whole_notice_gives_only_its_annexes_of_cases():
    notice = (
        "某省人民政府办公厅关于转发工作方案的通知\n发布日期:2008-03-31\n一、指导思想\n1.打击现行。2007年11月13日以来,各地快侦快破(详见\n附件2)。\n"
        "附件:1.重点地区2.2008年省公安厅挂牌督办的案件3.未破案件4.试点5.组成人员\n"
        "　　附件1\n全国和河南省挂牌整治的重点地区\n一、全国挂牌整治重点地区\n孟津县、禹州市。\n"
        + annex_text()
        + "附件4省“三电”办确定的10个试点\n新密市。\n　　附件5协调小组组成人员\n1.2008年3月1日,洛阳市新安县300对电缆被盗割58米。\n"
    )
    whole, alone = read_annex(notice), read_annex(annex_text())
    pd.testing.assert_frame_equal(whole.frame, alone.frame)
    assert whole.rejected == ()


def test_headings_say_who_supervises_and_when():
    frame = read_annex(annex_text()).frame
    assert frame["annex"].value_counts().to_dict() == {2: 13, 3: 11}
    assert frame.loc[frame["annex"] == 3, "supervised_by"].tolist() == ["公安部", *["省公安厅"] * 10]
    assert set(frame.loc[frame["annex"] == 3, "supervision_year"]) == {2007}
    two = read_annex(
        "附件二：2009年公安部、省公安厅挂牌督办的案件\n1．2009年3月1日,洛阳市新安县200对电缆被盗割60米。\n"
    )
    assert two.frame["annex"].tolist() == [2]
    assert two.frame["supervised_by"].isna().all()
    assert "supervisor_unclear" in two.frame["flags"].iloc[0]


def test_numbers_that_start_again_keep_their_own_keys():
    text = (
        "附件3\n2007年公安部、省公安厅挂牌督办的案件\n一、公安部挂牌督办的案件\n1.2007年3月1日,洛阳市新安县200对电缆被盗割60米。\n"
        "二、省公安厅挂牌督办的案件\n1.\n2007年4月1日,洛阳市新安县200对电缆被盗割60米。2.2007年5月1日,洛阳市新安县200对电缆被盗割60米。"
    )
    frame = read_annex(text).frame
    assert frame["case_key"].tolist() == ["A3-1", "A3-1-2", "A3-2"]
    assert frame["supervised_by"].tolist() == ["公安部", "省公安厅", "省公安厅"]


PLACES = [(county, cities[0]) for county, cities in sorted(NAMES.counties.items()) if cities[0] != county]
DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2030, 12, 31))
LOSSES = [
    ("3000余元", 3000, "at_least"),
    ("约1.5万元", 15000, "approx"),
    ("12万余元", 120000, "at_least"),
    ("8,640.5元", 8640.5, "exact"),
]
FULL_WIDTH = str.maketrans(string.digits + ",.()", "０１２３４５６７８９，．（）")


@st.composite
def cases(draw):
    """Draw a sentence of the annex's style and what it says."""
    (county, city), day = draw(st.sampled_from(PLACES)), draw(DAYS)
    town = draw(st.sampled_from(["柳林镇", "双庙乡", "城关街道", ""]))
    village = draw(st.sampled_from(["前王村", "大李庄", "河湾寨西"]))
    pairs = st.sampled_from([10, 20, 50, 100, 200, 300, 400, 600])
    parts = draw(st.lists(st.tuples(pairs, st.integers(1, 9999)), min_size=1, max_size=4))
    loss, has_city = draw(st.sampled_from(LOSSES)), draw(st.booleans())
    cables = "、".join(f"{number}对{metres}米" for number, metres in parts)
    sentence = (
        f"{day.year}年{day.month}月{day.day}日,{city if has_city else ''}{county}{town}{village}的"
        f"{cables}通信电缆被盗割,直接经济损失{loss[0]}。"
    )
    said = {"city": city, "county": county, "township": town, "place": village, "has_city": has_city}
    return sentence, said | {"day": day, "parts": parts, "loss": loss}


@st.composite
def spoilt(draw, sentence):
    """Draw the sentence with blanks and line breaks in it and, at times, full-width characters."""
    for position in draw(st.lists(st.integers(1, len(sentence) - 1), max_size=5)):
        # A layout breaks between words, never inside a number.
        if not (sentence[position - 1].isdecimal() and sentence[position].isdecimal()):
            blank = draw(st.sampled_from([" ", "\n", "　", " \n"]))
            sentence = sentence[:position] + blank + sentence[position:]
    return sentence.translate(FULL_WIDTH) if draw(st.booleans()) else sentence


@given(data=st.data())
@settings(max_examples=120)
def test_other_sentences_of_the_style_are_read(data):
    sentence, said = data.draw(cases())
    row = read_one(data.draw(spoilt(sentence)))
    assert {name: shown(row[name]) for name in ("city", "county", "township", "place")} == {
        name: said[name] for name in ("city", "county", "township", "place")
    }
    assert row["place_kind"] == "village"
    assert row["occurred_from"].date() == said["day"]
    assert row["occurred_until"] - row["occurred_from"] == timedelta(days=1)
    assert [(item.pairs, item.length_m, item.kind) for item in row["loss_items"]] == [
        (pairs, float(metres), "copper_cable") for pairs, metres in said["parts"]
    ]
    assert {item.action for item in row["loss_items"]} == {"stolen"}
    assert (row["direct_loss_yuan"], row["loss_qualifier"]) == said["loss"][1:]
    assert ("city_omitted" in row["flags"]) != said["has_city"]


@given(count=st.integers(1, 99), metres=st.integers(1, 9999), spans=st.integers(1, 40), day=DAYS)
@settings(max_examples=40)
def test_counts_and_spans_are_read_before_their_lengths(count, metres, spans, day):
    when = f"{day.year}年{day.month}月{day.day}日夜,洛阳市新安县"
    pieces = read_one(f"{when}大李庄被盗200对电缆{count}根各{metres}米,价值500元。")["loss_items"]
    assert [(item.pairs, item.count, item.length_m) for item in pieces] == [(200, count, metres)]
    assert pieces[0].pair_metres == 200 * count * metres
    row = read_one(f"{when}大李庄至前王村光缆被盗割{spans}档共{metres}余米。")
    (fibre,) = row["loss_items"]
    assert (fibre.spans, fibre.length_m, fibre.length_qualifier) == (spans, metres, "at_least")
    assert (row["place_kind"], row["category"]) == ("section", "optical_cable_theft")
    assert (row["occurred_from"].hour, row["occurred_until"].hour) == (18, 6)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("1根100对的通信电缆线和1根200对的通信电缆线各被盗60米", [(100, 60, 1), (200, 60, 1)]),
        ("200对2根各1200米电缆被盗", [(200, 1200, 2)]),
        ("100对、200对电缆各300米被盗", [(100, 300, None), (200, 300, None)]),
        ("被盗100对60米和200对80米电缆", [(100, 60, None), (200, 80, None)]),
        ("三个基站200对电缆1.2公里被盗", [(200, 1200, None)]),
        ("被盗300对电缆2根各450米、200对3根各100米", [(300, 450, 2), (200, 100, 3)]),
    ],
)
def test_pieces_lengths_and_pairs_find_each_other(text, items):
    assert [(item.pairs, item.length_m, item.count) for item in read_loss_items(text)] == items


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("光缆400对798米被盗割,400对1000米被破坏", ["stolen", "destroyed"]),
        ("100对60米被盗、200对60米被破坏", ["stolen", "destroyed"]),
        ("被盗100对电缆800米、破坏200对电缆50米", ["stolen", "destroyed"]),
        ("电池组连续被盗,防盗门及门禁系统被破坏", ["stolen", "destroyed", "destroyed"]),
        ("被盗100对60米,200对60米", ["stolen", "stolen"]),
    ],
)
def test_each_thing_has_the_verb_that_belongs_to_it(text, actions):
    assert [item.action for item in read_loss_items(text)] == actions


def test_devices_carry_count_and_weight():
    (one,) = read_loss_items("一台重1.2吨(S9-250千伏安)的变压器被盗")
    assert (one.kind, one.count, one.weight_kg) == ("transformer", 1, 1200)
    two = read_loss_items("被盗变压器两台、蓄电池组2组")
    assert [(item.kind, item.count) for item in two] == [("transformer", 2), ("battery_set", 2)]


def test_things_of_zero_length_or_without_a_verb_are_refused():
    for text, code in (("200对0米电缆被盗", "bad_number"), ("200对60米电缆", "no_action")):
        with pytest.raises(CellError) as caught:
            read_loss_items(text)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("柳林镇前王村", "village"),
        ("前王村至大李庄", "section"),
        ("前王接入网点-大李庄", "section"),
        ("柳林支局", "branch_office"),
        ("柳林支局位于前王村", "village"),
        ("境内的前王、大李、河湾基站", "sites"),
        ("前王村、大李庄两处", "sites"),
        ("境内", "county"),
        ("柳林镇", "township"),
        ("建设路南段线杆上", "street"),
        ("前王村1.89公里处", "km_post"),
    ],
)
def test_kinds_of_place_are_told_apart(place, kind):
    row = read_one(f"2007年3月2日,洛阳市新安县{place}200对电缆被盗割60米。")
    assert row["place_kind"] == kind
    assert (kind == "sites") == ("several_sites" in row["flags"])


def test_a_city_without_its_last_character_is_completed():
    row = read_one("2006年11月21日凌晨2时40分,位于驻马店上蔡县塔桥乡前王村的200对电缆被盗60米。")
    assert (row["city"], row["county"], row["township"]) == ("驻马店市", "上蔡县", "塔桥乡")
    assert row["flags"] == ("loss_not_stated",)


def test_a_county_of_another_city_is_flagged_and_an_unknown_one_too():
    conflict = read_one("2007年3月2日,洛阳市尉氏县前王村200对电缆被盗割60米。")
    assert (conflict["county"], "area_conflict" in conflict["flags"]) == ("尉氏县", True)
    unknown = read_one("2007年3月2日,临沂市平邑县前王村200对电缆被盗割60米。")
    assert (unknown["city"], unknown["county"]) == ("临沂市", "平邑县")
    assert "area_unknown" in unknown["flags"]


def test_an_ambiguous_place_is_named_with_its_candidates():
    reading = read_annex(annex_text())
    (notice,) = [notice for notice in reading.notices if notice.code == "place_ambiguous"]
    assert (notice.row, notice.column) == (7, "附件2")
    assert "肖店乡" in notice.message
    assert "查山乡" in notice.message
    elsewhere = read_one("2008年2月5日,信阳市罗山县肖店村200对电缆被盗割60米。")
    assert "place_ambiguous" not in elsewhere["flags"]


@pytest.mark.parametrize(
    ("loss", "yuan", "qualifier", "flag"),
    [
        ("直接经济实施3000余元", 3000, "at_least", "loss_word_typo"),
        ("损失53600元", 53600, "exact", None),
        ("共造成直接经济损失1.65万元", 16500, "exact", None),
        ("经济损失共约4000元", 4000, "approx", None),
        ("价值3万多元", 30000, "at_least", None),
        ("损失惨重", None, None, "loss_unreadable"),
        ("损失三千元", None, None, "loss_unreadable"),
        ("直接经济损失3000元,间接经济损失5000元", None, None, "loss_several"),
        ("正在侦办", None, None, "loss_not_stated"),
    ],
)
def test_a_loss_is_read_or_flagged_but_never_guessed(loss, yuan, qualifier, flag):
    row = read_one(f"2007年3月2日,洛阳市新安县前王村通信电缆被盗割60米,{loss}。")
    assert shown(row["direct_loss_yuan"]) == ("" if yuan is None else str(float(yuan)))
    assert shown(row["loss_qualifier"]) == (qualifier or "")
    assert row["flags"] == ((flag,) if flag else ())


@pytest.mark.parametrize(
    ("words", "start", "until", "precision", "flags"),
    [
        ("2008年2月5日凌晨1时20分许", "2008-02-05T01:10", "2008-02-05T01:30", "minute", {"time_approx"}),
        ("2006年12月6日凌晨2时许", "2006-12-06T01:30", "2006-12-06T02:30", "hour", {"time_approx"}),
        ("2007年1月4日晚10时15分", "2007-01-04T22:15", "2007-01-04T22:16", "minute", set()),
        ("2007年12月31日晚", "2007-12-31T18:00", "2008-01-01T06:00", "night", set()),
        ("2007年4月22日夜", "2007-04-22T18:00", "2007-04-23T06:00", "night", set()),
        ("2007年3月", "2007-03-01T00:00", "2007-04-01T00:00", "month", set()),
        ("2008年2月29日", "2008-02-29T00:00", "2008-03-01T00:00", "day", set()),
    ],
)
def test_times_are_as_wide_as_they_are_written(words, start, until, precision, flags):
    row = read_one(f"{words},洛阳市新安县前王村200对电缆被盗割60米。")
    assert row["occurred_from"] == pd.Timestamp(start, tz="Asia/Shanghai")
    assert row["occurred_until"] == pd.Timestamp(until, tz="Asia/Shanghai")
    assert row["date_precision"] == precision
    assert set(row["flags"]) - {"loss_not_stated"} == flags


def test_a_recurrent_case_lasts_until_the_end_of_its_night():
    row = read_one("2007年1月4日晚10时15分,许昌禹州市境内陆续发生了针对移动通信光缆线路的破坏案件。")
    assert row["occurred_until"] == pd.Timestamp("2007-01-05T06:00", tz="Asia/Shanghai")
    assert {"recurrent", "end_assumed"} <= set(row["flags"])
    assert (row["category"], row["operator"]) == ("optical_cable_sabotage", "中国移动")


def test_outage_keeps_hours_lines_and_words():
    row = read_one(
        "2007年3月2日,洛阳市新安县前王村200对电缆被盗60米,造成2个乡镇300余部固定电话通信中断48小时以上。"
    )
    assert (row["outage_hours"], row["outage_qualifier"], row["outage_lines"]) == (48, "at_least", 300)
    assert row["outage_text"] == "2个乡镇300余部固定电话通信中断48小时以上"


def test_power_cable_and_unnamed_cable_are_no_telecom_by_default():
    power = read_one("2007年3月2日,洛阳市新安县前王村高压电力电缆被盗割60米。")
    assert (power["sector"], power["category"]) == ("power", "power_equipment_theft")
    unnamed = read_one("2007年3月2日,洛阳市新安县前王村电缆被盗割60米。")
    assert (unnamed["sector"], "sector_assumed" in unnamed["flags"]) == ("telecom", True)


def test_one_loss_per_pair_metre_out_of_line_is_flagged():
    frame = read_annex(annex_text()).frame
    flagged = frame.loc[["loss_per_pair_metre_high" in flags for flags in frame["flags"]], "case_key"]
    assert flagged.tolist() == ["A2-10"]
    few = "".join(
        f"{number}.2007年3月{number}日,洛阳市新安县前王村100对电缆被盗割100米,损失{yuan}元。\n"
        for number, yuan in ((1, 2000), (2, 3600))
    )
    flags = read_annex(HEAD + few).frame["flags"].tolist()
    assert flags == [(), ("loss_per_pair_metre_high",)]


ROLES = ["护线人员", "民警", "村民", "犯罪嫌疑人", "职工"]


@given(
    role=st.sampled_from(ROLES),
    family=st.sampled_from("王李张刘陈杨孟欧岳") | st.just("欧阳"),
    given_name=st.text(alphabet="明华强伟芳军丽磊", min_size=1, max_size=2),
    deed=st.sampled_from(["赶到阻止时", "发现后报警", "上前制止"]),
)
@settings(max_examples=60)
def test_no_name_of_a_person_leaves_the_reader(role, family, given_name, deed):
    name = family + given_name
    row = read_one(f"2007年3月2日,开封县网通公司电缆被盗,{role}{name}{deed}。")
    assert name not in row["text"]
    assert role + PLACEHOLDER in row["text"]
    assert "person_name_removed" in row["flags"]


@pytest.mark.parametrize("words", ["及时赶到", "巡线时发现", "在现场发现", "闻讯赶到", "于当晚发现"])
def test_what_is_no_name_stays(words):
    assert remove_person_names(f"护线人员{words}") == (f"护线人员{words}", False)


def test_names_in_lists_and_half_hidden_names_go_too():
    text, is_removed = remove_person_names("职工王小明、赵六等赶到,嫌疑人张某被抓获")
    assert is_removed
    assert text == f"职工{PLACEHOLDER}、{PLACEHOLDER}等赶到,嫌疑人{PLACEHOLDER}被抓获"
    assert not holds_person_name(text)


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("2007年2月30日,洛阳市新安县前王村200对电缆被盗割60米。", "bad_date"),
        ("2007年13月,洛阳市新安县前王村200对电缆被盗割60米。", "bad_date"),
        ("1900年1月1日,洛阳市新安县前王村200对电缆被盗割60米。", "before_1949"),
        ("2007年5月7日至9日,洛阳市新安县前王村200对电缆被盗割60米。", "no_date"),
        ("2007年5月上旬,洛阳市新安县前王村200对电缆被盗割60米。", "no_date"),
        ("某日,洛阳市新安县前王村200对电缆被盗割60米。", "no_date"),
        ("2007年5月7日,前王200对电缆被盗割60米。", "no_place"),
        ("2007年5月7日,洛阳市新安县天气晴朗。", "no_facility"),
        ("2007年5月7日,洛阳市新安县前王村200对电缆60米。", "no_action"),
        ("2007年5月7日,洛阳市新安县前王村0对电缆被盗割60米。", "bad_number"),
        ("2007年5月7日,洛阳市新安县前王村200对电缆被盗割60米" + "的" * MAX_SENTENCE, "sentence_too_long"),
        ("2007年5月7日,洛阳市新安县前王\x00村200对电缆被盗割60米。", "nul"),
        ("2007年5月7日,洛阳市新安县前王\ud800村200对电缆被盗割60米。", "lone_surrogate"),
        ("2007年5月7日,洛阳市新安县前王\u202e村200对电缆被盗割60米。", "bidi_control"),
        ("2007年5月7日,洛阳市新安县前王村200对电缆被盗割60米,电话13800138000。", "personal_data"),
        ("2007年5月7日,洛阳市新安县前王村" + "9" * 1500 + "对电缆被盗割60米。", "place_too_long"),
    ],
)
def test_a_sentence_that_cannot_be_read_is_refused_alone(sentence, code):
    good = "2007年3月2日,洛阳市新安县前王村200对电缆被盗割60米。"
    reading = read_annex(f"{HEAD}1.{good}\n2.{sentence}\n3.{good}\n")
    assert [fault.code for fault in reading.rejected] == [code]
    assert {"A2-1", "A2-3"} <= set(reading.frame["case_key"])
    for fault in reading.rejected:
        assert (fault.row, fault.column) == (2, "附件2")
        assert "前王" not in fault.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeff",
        HEAD,
        "对" * 1_000_000,
        "9" * 100_000,
        "\n" * 500_000,
        " " * 500_000 + "附件",
        "1." * 200_000,
        "附件2" * 100_000,
        "\ud800\x00" * 100_000,
        "附件2\n" * 50_000,
        "一、挂牌督办" * 100_000,
    ],
    ids=range(12),
)
def test_hostile_texts_are_refused_at_once(text):
    started = time.perf_counter()
    with pytest.raises(FileRejectedError) as caught:
        read_annex(text)
    assert caught.value.faults[0].code == "no_annex"
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "body",
    [
        "对" * 1_000_000,
        "9" * 100_000,
        "洛阳市新安县" + "100对" * 300,
        "洛阳市新安县" + "前王村至" * 300 + "200对电缆被盗割60米",
        "洛阳市新安县" + "(" * 900 + "被盗电缆",
        "洛阳市新安县电缆被盗," + "护线人员" * 400,
        "洛阳市新安县电缆被盗," + "直接经济损失共计" * 200,
        "移动联通网通" * 300 + "被盗",
        "洛阳市新安县" + "、".join(["200对60米"] * 200) + "电缆被盗割",
    ],
    ids=range(9),
)
def test_hostile_sentences_are_read_or_refused_at_once(body):
    started = time.perf_counter()
    reading = read_annex(f"{HEAD}1.2007年1月1日,{body}。\n")
    assert len(reading.frame) + len(reading.rejected) == 1
    assert time.perf_counter() - started < 2


def test_too_long_texts_and_too_many_cases_are_refused():
    for text, code in (
        ("对" * 2_000_001, "too_long"),
        (HEAD + "1.2007年1月1日,\n" * 5_001, "too_many_items"),
    ):
        with pytest.raises(FileRejectedError) as caught:
            read_annex(text)
        assert caught.value.faults[0].code == code


@given(
    text=st.text(
        alphabet="附件2挂牌督办的案件年月日0123456789,。、.;\n 洛阳市新安县被盗割对米电缆光元万余约各根档至\x00\ud800",
        max_size=300,
    )
)
@settings(max_examples=150)
def test_no_text_breaks_the_reader(text):
    reading = read_annex(f"{HEAD}1.2007年1月1日,洛阳市新安县{text}")
    assert tuple(reading.frame.columns) == COLUMNS
    assert all(set(flags) <= set(FLAGS) for flags in reading.frame["flags"])
    assert (reading.frame["occurred_from"] < reading.frame["occurred_until"]).all()


def test_every_flag_and_every_reason_stands_in_the_reference():
    page = (ROOT / "docs/reference/annex.md").read_text(encoding="utf-8")
    written = set(re.findall(r"`([a-z0-9_]+)`", page))
    assert set(FLAGS) <= written
    sources = "".join(
        (ROOT / "geo/io" / name).read_text(encoding="utf-8")
        for name in ("annex.py", "annex_grammar.py", "annex_items.py")
    )
    raised = set(re.findall(r'(?:CellError|refuse)\(\s*"([a-z0-9_]+)"', sources))
    assert raised <= written
    assert set(COLUMNS) <= written


def test_every_flag_of_a_row_is_told_as_a_notice():
    reading = read_annex(annex_text())
    flags = sorted(itertools.chain.from_iterable(reading.frame["flags"]))
    assert flags == sorted(notice.code for notice in reading.notices)
