"""The page of borders says what both sides see, claims nothing that is not proven, and keeps its state in its address."""

import json
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from babel.messages.extract import extract_from_file

from layers.border_cards import briefing_menu, chosen_zone
from layers.border_charts import hours_sentence, power_sentence, sides_bar
from layers.border_incidents_page import ZoneIncidents, render_border_incidents
from layers.border_linked import MOST_ROWS, linked_of_zone
from layers.border_map import border_map
from layers.border_sentences import border_sentences
from layers.border_tables import border_tables, ranked_borders
from layers.border_words import doubts, found_sentence, found_text, zone_sentence
from layers.borders_address import borders_address
from layers.borders_page import CLIENT_TEXTS, render_borders_page
from layers.borders_texts import borders_verdict, notice_text
from layers.borders_view import BorderFilters, BordersView
from layers.run_texts import run_tables, run_text
from layers.texts import texts_in
from layers.views import RunState
from tests.borders import PERIOD, border, document, incidents, link, pairs, view, zone
from tests.pictures import NONCE
from tests.pure.test_page import scripts_of

PAIR = "411400-411600"
ZH, EN = texts_in("zh"), texts_in("en")


def rendered(shown, locale="zh"):
    return render_borders_page(shown, locale=locale, nonce=NONCE, dataset_title="演示省", is_demo=True)


def test_a_zone_is_said_as_commanders_read_it_aloud():
    told = zone_sentence(zone(), document(), ZH)
    assert told == (
        "2006年3月–2008年2月，商丘市、周口市之间，睢县—太康县交界22.0公里，发案4起（商丘市3起、周口市1起），预期0.8起，"
        "相对风险6.4，p=0.002，在99%的位置抽样中稳定。两侧各看各的，都发现不了这一处。"
    )
    english = zone_sentence(zone(), document(), EN)
    assert english.startswith(
        "March 2006 – February 2008; 商丘市, 周口市: 22.0 km of border at 睢县—太康县; 4 cases"
    )
    assert english.endswith("Looking at its own side only, neither finds it.")


@pytest.mark.parametrize(
    ("found_by", "short", "long"),
    [
        ("none", "单侧均未发现", "都发现不了"),
        ("a", "仅商丘市可见", "商丘市看得出来，周口市看不出来"),
        ("b", "仅周口市可见", "周口市看得出来，商丘市看不出来"),
        ("both", "两侧各自可见", "也都看得出来"),
    ],
)
def test_the_counterfactual_names_who_alone_would_have_seen_it(found_by, short, long):
    shown = zone(found_by=found_by)
    assert found_text(shown, ZH) == short
    assert long in found_sentence(shown, ZH)
    assert not re.search(r"%\(", found_text(shown, EN) + found_sentence(shown, EN))


def test_a_zone_that_is_not_proven_says_why():
    made = document()
    assert doubts(zone(), made, ZH) == ()
    assert "巧合" in doubts(zone(is_proven=False, p=0.3), made, ZH)[0]
    unstable = zone(is_proven=False, p=0.01, stable_share=0.4, stacked_share=1.0)
    assert [words[:3] for words in doubts(unstable, made, ZH)] == ["位置不", "案件全"]
    poor = document(is_census=False, exposure_kind="area_km2")
    assert len(doubts(zone(is_proven=False, p=0.01), poor, ZH)) == 2


def test_a_run_over_all_borders_is_told_and_tabled_for_people():
    text = run_text(document(), locale="zh")
    assert text.headline == "认定交界热点1处"
    assert len(text.sentences) == 1
    assert "有的交界只有一侧有案件，另一侧没有数据，没有比较。" in text.reasons
    assert "两侧各10公里合起来比" in text.method
    nothing = border_sentences(document(zones=[]), ZH)
    assert (nothing.headline, nothing.sentences[1][-15:]) == (
        "不足以判定",
        "以上的交界段，才有八成把握看得出来。"[-15:],
    )
    untested = document(zones=[], borders=[border("411400", "411600", reason="no_cases")])
    assert "不下判断" in border_sentences(untested, ZH).sentences[0]
    assert run_tables(document(), locale="zh") == ()


def test_borders_are_ranked_with_the_untested_last():
    strong = border("411600", "411700", strongest_p=0.001)
    silent = border("411400", "411700", reason="no_cases_a", strongest_p=None)
    made = document(borders=[silent, border("411400", "411600"), strong])
    assert [each["strongest_p"] for each in ranked_borders(made)] == [0.001, 0.002, None]
    zones, borders = border_tables(made, locale="zh")
    assert [row[-1] for row in zones.rows] == ["认定", "通过检验，未认定"]
    assert [row[7] for row in zones.rows] == ["1", "0"]
    assert borders.rows[-1][-1] == "商丘市一侧无数据"
    assert border_tables(made, locale="en")[1].rows[-1][-1] == "no data from the side of 商丘市"


def test_nothing_red_is_drawn_that_is_not_proven():
    page = rendered(view(told=document(zones=[zone(is_proven=False, p=0.4)])))
    assert "verdict-hotspots" not in page
    assert 'class="rank"' not in page
    assert "rank-candidate" in page
    proven = rendered(view())
    assert "verdict-hotspots" in proven
    assert proven.count('class="rank"') == 1


def test_a_pair_shows_its_zones_in_full_and_the_chosen_one_first():
    page = rendered(view(pair=PAIR))
    assert page.count('<article class="border-zone') == 2
    assert page.count("data-zone=") == 2
    assert len(re.findall(r"<article[^>]* hidden>", page)) == 1
    for words in (
        "单侧均未发现",
        "重点线路区段",
        "10公里内的收购站点",
        "1.2公里",
        "未备案",
        "22时至次日1时占62%",
        "提出会战",
    ):
        assert words in page
    assert "/operations/new?run=5&amp;zone=411400-411600-1" in page
    assert "/borders/incidents?run=5&amp;zone=411400-411600-1&amp;side=a" in page
    assert "牵头：周口市（按列名顺序推定）" in page


def test_the_card_of_a_zone_tells_the_pairs_across_the_line_with_both_kinds_of_reasons():
    page = rendered(view(pair=PAIR))
    (table,) = re.findall(r'<table class="border-pairs">.*?</table>', page, flags=re.DOTALL)
    for told in (
        "地点近（相距3.2公里，位置误差合计5.0公里）",
        "被盗物品相近（铜芯电缆、300对）",
        "时间远（相隔12天）",
        "是否跨界说不准",
        "2007年1月5日",
        ">A-4<",
    ):
        assert told in table, told
    hrefs = re.findall(r'href="([^"]+)"', table)
    belt = f"/borders/incidents?run=5&amp;zone={PAIR}-0&amp;lang=zh"
    assert hrefs == [f"{belt}#incident-4", f"{belt}#incident-1"]
    # The second zone has none, and says so.
    assert "没有找到：没有一对跨界相关的候选落在这一处。" in page
    assert "交界带内30起逐对比过：跨界相关的候选2对，单凭碰巧预计0.8对（p=0.030）。" in page
    assert "/linked?first=411400&amp;second=411600" in page
    assert "/linked.geojson" not in page


def test_what_was_voided_since_is_named_without_a_link_and_long_lists_are_cut():
    many = [link(number, 30) for number in range(1, MOST_ROWS + 4)]
    made = document(zones=[zone(linked=many)])
    told = linked_of_zone(view(pair=PAIR, told=made), made["zones"][0], ZH)
    assert (len(told["rows"]), told["left_count"]) == (MOST_ROWS, 3)
    assert told["rows"][0]["ends"][1] == {
        "number": "已作废的案件",
        "when": "",
        "place": "",
        "href": "",
        "side": "商丘市",
    }
    assert told["rows"][0]["ends"][0]["href"].endswith("#incident-1")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("too_few_incidents", "不足3起"),
        ("one_side", "都在一侧"),
        ("too_many_incidents", "超过800起；请缩短时段"),
        ("no_zone_passed", "没有一处通过；选“只检验这一条”会比对"),
        ("too_many_borders", "只比对最强的6条"),
    ],
)
def test_where_incidents_were_not_linked_the_page_says_why(reason, words):
    silent = border("411400", "411600", linked=None, linked_reason=reason)
    made = document(zones=[zone(linked=[])], borders=[silent])
    shown = view(pair=PAIR, told=made)
    page = rendered(shown)
    told = re.findall(r"未比对：[^<]+", page)
    assert len(told) == 2
    assert all(words in sentence for sentence in told)
    assert "data-links" not in page
    assert "Not compared" in rendered(shown, "en")
    assert border_tables(made, locale="zh")[0].rows[0][7] == "–"


def test_none_found_is_said_with_what_chance_would_give():
    none = {"count": 0, "chance": 0.4, "p": 1.0, "pairs": []}
    made = document(zones=[zone(linked=[])], borders=[border("411400", "411600", linked=none)])
    page = rendered(view(pair=PAIR, told=made))
    assert "没有找到：交界带内30起逐对比过，没有跨界相关的候选；单凭碰巧预计0.4对。" in page
    assert "data-links" not in page


def test_the_map_draws_the_lines_of_the_run_and_counts_those_it_cannot():
    drawn = border_map(view(pair=PAIR), ZH)["links"]
    (line,) = drawn["lines"]
    assert line["points"] == [[34.15, 115.01], [34.15, 114.98]]
    assert line["pair"] == "A-4与A-1"
    assert drawn["undrawn"] == 1
    assert border_map(view(), ZH)["links"] == {"lines": [], "undrawn": 0}


def test_the_zone_of_the_address_is_the_one_told_in_full():
    shown = view(pair=PAIR)
    assert chosen_zone(shown) == "411400-411600-1"
    filters = BorderFilters(pair=PAIR, period=PERIOD, scope="all", zone="411400-411600-2")
    assert chosen_zone(view(pair=PAIR, filters=filters)) == "411400-411600-2"
    lost = BorderFilters(pair=PAIR, period=PERIOD, scope="all", zone="411400-411600-9")
    assert chosen_zone(view(pair=PAIR, filters=lost)) == "411400-411600-1"


def test_a_silent_side_is_said_and_hatched_and_never_cold():
    shown = view(pair="411600-411700")
    page = rendered(shown)
    assert "驻马店市一侧无数据，这条交界没有比较；没有数据不等于没有发案。" in page
    (drawn,) = border_map(shown, ZH)["borders"]
    assert (drawn["silent"], drawn["fills"][1]) == ([False, True], None)
    assert "不足以判定" in borders_verdict(shown, ZH).headline


def test_a_side_that_records_elsewhere_is_empty_and_not_silent():
    empty = border("411400", "411600", reason="empty_b", count_b=0, strongest_p=None)
    shown = view(told=document(zones=[], borders=[empty]), pair=PAIR)
    page = rendered(shown)
    assert "周口市一侧的交界带内没有案件，这条交界没有比较。" in page
    assert "没有数据不等于" not in page
    (drawn,) = border_map(shown, ZH)["borders"]
    assert drawn["silent"] == [False, False]


@pytest.mark.parametrize(
    ("run", "kind", "words"),
    [
        (RunState(), "none", "还没有"),
        (RunState(state="running", run_id=5, done=1, total=9), "pending", "正在比较两侧"),
        (RunState(state="failed", run_id=5, error="两地不相邻"), "failed", "原因：两地不相邻"),
        (RunState(state="cancelled", run_id=5), "none", "已取消"),
    ],
)
def test_every_state_without_a_result_has_its_words(run, kind, words):
    shown = view(told={}, run=run)
    verdict = borders_verdict(shown, ZH)
    assert verdict.kind == kind
    assert words in verdict.headline + "".join(verdict.sentences)
    assert not re.search(r"[\u4e00-\u9fff]", borders_verdict(view(told={}), EN).headline)
    assert "data-run hidden" in rendered(shown)


def test_an_empty_database_says_what_to_do():
    page = rendered(BordersView(filters=BorderFilters()))
    assert "还没有案件" in page
    assert "borders.js" not in page


def test_pairs_of_the_campaign_come_first_with_their_lead():
    page = rendered(view())
    options = re.findall(r'<option value="(\d{6}-\d{6})"[^>]*>([^<]+)', page)
    assert options[0] == (PAIR, "商丘市—周口市 · 牵头 周口市")
    assert '<optgroup label="2008年会战的交界">' in page


def test_the_briefing_comes_in_four_forms_and_masked_for_outside():
    menu = briefing_menu(view(pair=PAIR), ZH)
    assert [each["href"] for each in menu[:4]] == [
        f"/runs/5/briefing.{form}?pair={PAIR}" for form in ("pdf", "docx", "pptx", "html")
    ]
    assert all(each["href"].endswith("&outward=1") for each in menu[4:])
    assert briefing_menu(view(), ZH) == []


def test_addresses_hold_the_whole_state_and_another_pair_looks_elsewhere():
    filters = BorderFilters(
        level="county",
        pair=PAIR,
        scope="all",
        period=PERIOD,
        depth_m=5000.0,
        zone=f"{PAIR}-2",
        view="34,115,9",
    )
    asked = parse_qs(urlsplit(borders_address(filters, "en")).query)
    assert asked == {
        "level": ["county"],
        "pair": [PAIR],
        "scope": ["all"],
        "start": ["2006-03-01"],
        "end": ["2008-02-29"],
        "depth_m": ["5000"],
        "zone": [f"{PAIR}-2"],
        "view": ["34,115,9"],
        "lang": ["en"],
    }
    other = parse_qs(urlsplit(borders_address(filters, "en", pair="411600-411700")).query)
    assert "zone" not in other
    assert "view" not in other


def test_what_cannot_be_in_an_address_has_its_own_words():
    assert "度数" in notice_text(("depth_m",), locale="zh")[0]
    assert "degrees" in notice_text(("depth_m",), locale="en")[0]
    assert notice_text(("?", "zone"), locale="zh") == (
        "地址中有看不懂的条件，已忽略：zone",
        "地址中有这一页不认识的条件，已忽略。",
    )
    assert len(notice_text(("end", "start"), locale="zh")) == 1
    assert notice_text((), locale="zh") == ()


def test_hours_are_told_only_where_they_are_known():
    few = zone()
    few["times"] = few["times"] | {"from_hour": None, "until_hour": None, "share": None, "known_count": 2}
    assert hours_sentence(few, ZH) == "发案时间准到一天以内的只有2起，说不出时段；下图只画这些，只供参考。"
    day = zone()
    day["times"] = day["times"] | {"from_hour": 9, "until_hour": 12}
    assert hours_sentence(day, ZH).startswith("9时至12时占62%")


def test_power_is_told_where_it_is_known():
    told = power_sentence(border("411400", "411600"), ZH)
    assert "相对风险为8时" in told
    assert "80%的把握" in told
    assert power_sentence(border("411400", "411600", power=[]), ZH) == ""


def test_a_bar_of_two_sides_without_incidents_is_drawn_empty():
    assert sides_bar((("甲市", 0), ("乙市", 0)), caption="x").count("<rect") == 2


def test_the_list_of_incidents_says_how_each_was_counted():
    found = ZoneIncidents(
        run_id=5, document=document(), zone=zone(), incidents=incidents(), side=None, back="/borders"
    )
    page = render_border_incidents(found, locale="zh", nonce=NONCE, dataset_title="演示省", is_demo=True)
    assert page.count("<tr id=") == 4
    for words in ("登记在睢县，计入商丘市", "按位置落在商丘市一侧", "乡镇级", "5.0公里", "两侧合计4起"):
        assert words in page
    side = ZoneIncidents(
        run_id=5, document=document(), zone=zone(), incidents=incidents(), side="b", back="/borders"
    )
    page = render_border_incidents(side, locale="en", nonce=NONCE, dataset_title="Demo", is_demo=True)
    assert page.count("<tr id=") == 1


def test_incidents_voided_since_are_said_to_be_missing():
    left = incidents().iloc[:2]
    found = ZoneIncidents(
        run_id=5, document=document(), zone=zone(), incidents=left, side=None, back="/borders"
    )
    page = render_border_incidents(found, locale="zh", nonce=NONCE, dataset_title="演示省", is_demo=True)
    assert "其中2起在计算以后作废" in page


class Tags(HTMLParser):
    """Count tags, and ids that occur twice."""

    def __init__(self):
        super().__init__()
        self.ids, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        """Take note of a tag and its id."""
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]


HOSTILE = "</script><img src=x onerror=alert(1)>'\"&\u202e"


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_names_from_outside_never_become_markup(locale):
    page = rendered(view(pair=PAIR, text=lambda name: f"{name}{HOSTILE}"), locale)
    seen = Tags()
    seen.feed(page)
    assert seen.tags.count("img") == 1
    assert "<img src=x" not in page
    assert len(seen.ids) == len(set(seen.ids))


def test_the_english_page_has_chinese_only_in_what_came_from_outside():
    shown = [view(pair=PAIR, text=lambda _: "outside"), view(text=lambda _: "outside"), view(told={})]
    page = "".join(rendered(each, "en") for each in shown[:2]).replace("中文", "").replace("演示省", "")
    assert "Not enough" not in rendered(shown[2], "en")
    page = re.sub(r'<script type="application/json" id="page-data">.*?</script>', "", page, flags=re.DOTALL)
    assert re.findall(r"[\u4e00-\u9fff]+", page.replace("2008年", "")) == []


def test_the_page_hands_its_scripts_exactly_the_sentences_they_use():
    used = {
        sentence
        for path in scripts_of("borders.js")
        for _, sentence, _, _ in extract_from_file("javascript", path, keywords={"t": None})
    }
    assert used == set(CLIENT_TEXTS)


def test_what_the_map_draws_is_json_with_whole_number_outlines():
    drawn = json.loads(json.dumps(border_map(view(pair=PAIR), ZH)))
    assert [each["state"] for each in drawn["zones"]] == ["proven", "passed"]
    assert drawn["zones"][0]["sides"] == {"a": "商丘市", "b": "周口市"}
    assert [row[2] for row in drawn["incidents"]["411400-411600-1"]] == ["a", "a", "a", "b"]
    assert drawn["sections"]["411400-411600-1"][0]["lines"]
    assert len(drawn["pairs"]) == len(pairs())
