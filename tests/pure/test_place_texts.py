"""Place texts are taken apart by words alone, and matched only with what a register knows."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.analysis.place_matches import (
    Circle,
    NamedPlace,
    circle_of,
    covering_circle,
    distance_m,
    farthest_m,
    leading_townships,
    match_site,
    match_township,
)
from geo.analysis.place_resolution import possible_names, resolve
from geo.analysis.place_texts import LONGEST, AreaNames, normalised, read_place_text, stem, without_tails
from geo.errors import InvalidInputError

NAMES = AreaNames(
    cities=("洛阳市", "许昌市", "驻马店市", "信阳市", "济源市", "新乡市"),
    counties={
        "新安县": ("洛阳市",),
        "许昌县": ("许昌市",),
        "禹州市": ("许昌市",),
        "长葛市": ("许昌市",),
        "新乡县": ("新乡市",),
        "上蔡县": ("驻马店市",),
        "平桥区": ("信阳市",),
        "新县": ("信阳市",),
        "济源市": ("济源市",),
    },
    provinces=("河南省",),
)


def read(text):
    parts = read_place_text(text, NAMES)
    return (
        parts.city,
        parts.county,
        parts.township or (parts.branch_office and f"{parts.branch_office}支局"),
        parts.sites,
        parts.kind,
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("洛阳市新安县铁门镇克昌村", ("洛阳市", "新安县", "铁门镇", ("克昌村",), "village")),
        ("河南省洛阳市新安县铁门镇", ("洛阳市", "新安县", "铁门镇", (), "township")),
        ("河南洛阳市新安县", ("洛阳市", "新安县", None, (), "county")),
        ("许昌禹州市境内", ("许昌市", "禹州市", None, (), "county")),
        ("许昌市许昌县", ("许昌市", "许昌县", None, (), "county")),
        ("许昌县", (None, "许昌县", None, (), "county")),
        ("许昌", ("许昌市", None, None, (), "city")),
        ("新乡县某村", (None, "新乡县", None, ("某村",), "village")),
        ("新县泗店乡", (None, "新县", "泗店乡", (), "township")),
        ("济源市轵城镇", ("济源市", "济源市", "轵城镇", (), "township")),
        (
            "长葛市网通分公司官厅支局位于方庄村、南村两处",
            (None, "长葛市", "官厅支局", ("方庄村", "南村"), "sites"),
        ),
        ("禹州市网通分公司梁北镇支局位于苏沟村的", (None, "禹州市", "梁北镇支局", ("苏沟村",), "village")),
        ("许昌市梁北余楼", ("许昌市", None, None, ("梁北余楼",), "village")),
        (
            "位于驻马店上蔡县塔桥乡楼李村东花木场内",
            ("驻马店市", "上蔡县", "塔桥乡", ("楼李村东花木场内",), "village"),
        ),
        (
            "驻马店市区内十三香路南段线杆平台上",
            ("驻马店市", None, None, ("十三香路南段线杆平台上",), "street"),
        ),
        ("信阳市平桥区肖店村1.89公里处", ("信阳市", "平桥区", None, ("肖店村",), "km_post")),
        ("信阳市平桥区二十里河至周家湾", ("信阳市", "平桥区", None, ("二十里河", "周家湾"), "section")),
        ("新安县下庄接入网点-上庄", (None, "新安县", None, ("下庄接入网点", "上庄"), "section")),
        ("新安县曹镇乡潘庄村西", (None, "新安县", "曹镇乡", ("潘庄村西",), "village")),
        ("新安县李村和庄村", (None, "新安县", None, ("李村", "庄村"), "sites")),
        ("新安县和庄", (None, "新安县", None, ("和庄",), "village")),
        ("新安县　铁门镇 克昌村。", (None, "新安县", "铁门镇", ("克昌村",), "village")),
        ("新安县铁门镇境内", (None, "新安县", "铁门镇", (), "township")),
        ("克昌村", (None, None, None, ("克昌村",), "village")),
        ("", (None, None, None, (), "empty")),
    ],
)
def test_a_text_is_taken_apart_by_its_words(text, parts):
    assert read(text) == parts


@pytest.mark.parametrize(
    ("text", "away_m"),
    [("新安县甲村", 0), ("新安县甲村附近", 500), ("新安县甲村1.89公里处", 1890), ("新安县甲村３km处", 3000)],
)
def test_words_that_lead_away_from_a_place_are_measured(text, away_m):
    assert read_place_text(text, NAMES).away_m == away_m


@pytest.mark.parametrize(
    "text", ["县\x00", "县\n区", "\u202e县", "县\u200b区", "\ud800", "\ue000", "村" * 201]
)
def test_what_no_place_text_may_hold_is_refused(text):
    with pytest.raises(InvalidInputError, match="place text"):
        normalised(text)


@given(
    st.text(alphabet="洛阳市新安县铁门镇乡村庄至、-和支局位于的附近内东0.9公里处路段街道 ", max_size=LONGEST)
)
def test_any_text_of_its_words_is_taken_apart_without_loss_of_sense(text):
    parts = read_place_text(text, NAMES)
    assert "".join(parts.text.split()) == parts.text
    for site in parts.sites:
        assert site
        assert site in parts.text
    assert len(possible_names(parts)) <= 5_000
    resolve(parts, [TIEMEN, YULOU])


def test_the_longest_texts_take_no_time():
    started = time.perf_counter()
    for piece in ("镇", "至", "新安县", "支局", "位于的", "、村", "东西", "乡支局村", "1.9公里"):
        parts = read_place_text((piece * LONGEST)[:LONGEST], NAMES)
        resolve(parts, [TIEMEN, YULOU, LIANGBEI])
    assert time.perf_counter() - started < 1


def place(name, *others, township=None, lonlat=(112.0, 34.7), radius_m=5_000.0, **values):
    base = {
        "kind": "village",
        "area_id": 1,
        "lon": lonlat[0] if lonlat else None,
        "lat": lonlat[1] if lonlat else None,
        "radius_m": radius_m if lonlat else None,
        "precision": "township" if lonlat else None,
        "source": "register",
    }
    return NamedPlace(name=name, names=(name, *others), township=township, **(base | values))


TIEMEN = place("铁门镇", kind="township")
LIANGBEI = place("梁北镇", kind="township", lonlat=(113.4, 34.1))
YULOU = place("余楼村", "余楼", township="梁北镇", lonlat=(113.4, 34.1))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("余楼", "余楼村"),
        ("余楼村", "余楼村"),
        ("余楼附近", "余楼村"),
        ("余楼村东头", "余楼村"),
        ("余楼村东花木场内", "余楼村"),
        ("余楼基站", "余楼村"),
        ("余楼西", "余楼村"),
        ("梁北余楼", "余楼村"),
        ("梁北镇余楼村", "余楼村"),
        ("余楼庄", None),
        ("小余楼", None),
        ("余楼家沟", None),
        ("梁北小余楼", None),
        ("梁北", None),
        ("余", None),
    ],
)
def test_a_site_is_matched_by_its_whole_name_only(written, name):
    found = match_site(written, [LIANGBEI, YULOU, TIEMEN])
    assert [match.name for match in found.places] == ([name] if name else [])


def test_a_township_is_known_with_its_ending_or_by_its_branch_office():
    office = place("王店乡", "王店街道", kind="township")
    assert match_township("王店街道", [TIEMEN, office]) == (office,)
    assert match_township("王店", [TIEMEN, office]) == (office,)
    assert match_township("王店镇", [TIEMEN, office]) == ()
    assert match_township("铁门", [YULOU]) == ()
    assert leading_townships("铁门某沟", [TIEMEN, YULOU]) == (TIEMEN,)
    assert leading_townships("铁门庄", [TIEMEN, YULOU]) == ()


def test_the_users_own_place_comes_before_the_registers():
    own = place("余楼", is_own=True, lonlat=(113.41, 34.11), radius_m=300.0, precision="village")
    assert match_site("余楼", [YULOU, own]).places == (own,)


def test_two_places_of_one_name_are_ambiguous_unless_their_answer_is_the_same():
    parts = read_place_text("新安县李庄", NAMES)
    one, same = place("李庄", township="甲镇"), place("李庄", township="乙镇")
    other = place("李庄", township="丙镇", lonlat=(112.2, 34.7))
    assert not resolve(parts, [one, same]).is_ambiguous
    doubtful = resolve(parts, [one, other])
    assert doubtful.is_ambiguous
    assert doubtful.candidates == (one, other)
    for candidate in doubtful.candidates:
        centre = (doubtful.circle.lon, doubtful.circle.lat)
        reach = distance_m(centre, (candidate.lon, candidate.lat)) + candidate.radius_m
        assert reach <= doubtful.circle.radius_m + 1
    unplaced = place("李庄", township="丁镇", lonlat=None)
    assert resolve(parts, [one, unplaced]).is_ambiguous
    assert resolve(parts, [one, unplaced]).circle is None


def test_a_written_township_decides_between_places_of_one_name():
    one = place("李庄", township="铁门镇", lonlat=(112.1, 34.7))
    other = place("李庄", township="丙镇", lonlat=(112.2, 34.7))
    found = resolve(read_place_text("新安县铁门镇李庄", NAMES), [TIEMEN, one, other])
    assert found.places == (TIEMEN, one)
    assert (found.circle.lon, found.is_ambiguous) == (112.1, False)
    elsewhere = resolve(read_place_text("新安县铁门镇李庄", NAMES), [TIEMEN, other])
    assert (elsewhere.circle, elsewhere.unmatched) == (circle_of(TIEMEN), ("李庄",))
    unknown = resolve(read_place_text("新安县石井镇李庄", NAMES), [TIEMEN, one, other])
    assert (unknown.circle, unknown.unmatched) == (None, ("李庄",))
    assert "township_unknown" in unknown.notes


def test_an_answer_holds_every_place_the_text_means():
    one, two = place("甲庄", lonlat=(112.0, 34.7)), place("乙庄", lonlat=(112.1, 34.7))
    both = resolve(read_place_text("新安县甲庄、乙庄基站", NAMES), [one, two])
    assert both.circle.precision == "township"
    half = resolve(read_place_text("新安县甲庄、丙庄基站", NAMES), [one, two])
    assert (half.circle, half.places, half.unmatched) == (None, (), ("丙庄基站",))
    end = resolve(read_place_text("新安县甲庄至丙庄", NAMES), [one, two])
    assert end.circle is None


SPOTS = st.builds(
    Circle,
    lon=st.floats(110, 117),
    lat=st.floats(31, 37),
    radius_m=st.floats(1, 50_000),
    precision=st.sampled_from(("point", "section", "village", "township", "county")),
    source=st.just("x"),
)


@given(st.lists(SPOTS, min_size=1, max_size=6), st.booleans())
def test_a_covering_circle_holds_all_and_is_never_finer(circles, is_section):
    order = ("point", "section", "village", "township", "county", "city")
    found = covering_circle(circles, is_section=is_section)
    for circle in circles:
        away = distance_m((found.lon, found.lat), (circle.lon, circle.lat))
        # The centre is rounded to about a metre.
        assert away + circle.radius_m <= found.radius_m + 2
        assert order.index(found.precision) >= order.index(circle.precision)
    assert covering_circle(circles[::-1], is_section=is_section).radius_m == found.radius_m


def test_small_words():
    assert without_tails("骞庄附近") == ("骞庄附近", "骞庄")
    assert without_tails("下庄接入网点") == ("下庄接入网点", "下庄")
    assert without_tails("村") == ("村",)
    assert [stem(name) for name in ("梁北镇", "曹镇乡", "雪松街道", "镇")] == ["梁北", "曹", "雪松", "镇"]
    assert farthest_m((113.0, 34.0), [[113.0, 34.0], [113.1, 34.0]]) == 9_300.0
