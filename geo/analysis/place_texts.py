"""Take a Chinese place text apart: city, county, township or branch office, and the named places.

Knows words, never places: the names of areas are handed in. Nothing here guesses; what is not understood
stays in `PlaceText.rest` for whoever looks the names up.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 200
"""Characters that a place text may have; whole sentences are for `geo.io.annex`."""

_GAPS = re.compile(r"[ \u3000]+")
_OPERATOR = re.compile(
    "(?:中国)?(?:网通|移动|联通|电信|铁通|卫通)(?:(?:公司)?分公司|公司)?|(?:供电|电力)(?:分公司|公司|局)|电业局"
)
_LINK = re.compile("^(?:位于|地处|在|的)")
_INSIDE = re.compile("^(?P<word>境内|辖区内?|(?:市|城)?区内?)(?:的)?")
_URBAN = frozenset(("市区", "市区内", "城区", "城区内", "区内", "区"))
_TOWNSHIP = re.compile(
    "(?P<name>[一-鿿]{1,6}?(?:街道办事处|街道办|街道|镇乡|乡|镇))(?!支局|村|庄|[东西南北]街|政府)"
)
_BRANCH = re.compile("(?P<name>[一-鿿]{1,10}?)支局(?:位于|的)?")
# 和庄 is a village: 和 joins two names only behind the ending of one.
_AND = re.compile("[、,;]|以及|(?<=[村镇乡站局])[和及与](?=[一-鿿]{2})")
_TO = re.compile("(?<=[一-鿿])(?:至|到|—+|-+|~)(?=[一-鿿])")
_KM_POST = re.compile(r"(?P<km>[0-9]{1,4}(?:\.[0-9]{1,3})?)(?:公里|千米|km)(?:[0-9]{1,3}米)?处?$", re.ASCII)
_NEAR = re.compile("附近|周边|方向")
_NEAR_M = 500.0
_STREET = re.compile("[路街巷道](?:[东西南北中]段|[0-9]{1,5}号|口|[东西南北]侧|旁|$)")
_SEVERAL = re.compile("[两二三四五六七八九]处$")
# What may stand behind a name without changing which place is meant.
_TAIL = re.compile(
    "(?:[东西南北中](?:侧|边|头|面|部|段|方向)|附近|周边|方向|路段|段|基站|接入网点|接入网|接入点|机房|营业厅"
    "|[两二三四五六七八九]处|[东西南北]|内|旁|处)$"
)
_MOST_TAILS = 4
_SUFFIXES = ("街道办事处", "街道办", "街道", "镇乡", "镇", "乡")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaNames:
    """Names of areas of every time, to find where the area ends in a text.

    Parameters
    ----------
    cities : tuple of str
        In full, 许昌市.
    counties : mapping of str to tuple of str
        County -> the cities that have, or had, one of this name.
    provinces : tuple of str
        In full, 河南省.
    """

    cities: tuple[str, ...]
    counties: Mapping[str, tuple[str, ...]]
    provinces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceText:
    """A place text taken apart.

    Parameters
    ----------
    text : str
        Normalised: NFKC, without blanks.
    city, county : str or None
        As known by `AreaNames`; a city without 市 is completed.
    is_urban : bool
        Whether the text says 市区, the districts of the city.
    township : str or None
        With its ending, 铁门镇.
    branch_office : str or None
        What stands before 支局: as a rule a township without its ending.
    sites : tuple of str
        Named places behind the township, as written: one, the two ends of a section, or several.
    kind : str
        empty, city, county, township, branch_office, village, sites, section, street or km_post.
    away_m : float
        Metres that the text itself leads away from the named places: 1.89公里处, 附近.
    """

    text: str
    city: str | None
    county: str | None
    is_urban: bool
    township: str | None
    branch_office: str | None
    sites: tuple[str, ...]
    kind: str
    away_m: float


def normalised(text: str) -> str:
    """Return a place text in NFKC without blanks.

    Raises
    ------
    InvalidInputError
        If it is longer than `LONGEST` or holds a control character or one that nobody sees.
    """
    if len(text) > LONGEST:
        raise InvalidInputError(f"a place text has at most {LONGEST} characters")
    plain = unicodedata.normalize("NFKC", text.strip())
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") for character in plain):
        raise InvalidInputError("a place text must not hold control characters or invisible characters")
    # NFKC makes up to eighteen characters of one.
    if len(plain) > LONGEST:
        raise InvalidInputError(f"a place text has at most {LONGEST} characters")
    return _GAPS.sub("", plain).strip(",.;:、。")


def read_place_text(text: str, names: AreaNames) -> PlaceText:
    """Take a place text apart.

    Parameters
    ----------
    text : str
        For instance 洛阳市新安县铁门镇克昌村, 鹤壁市淇县北阳支局下庄接入网点-上庄.
    names : AreaNames

    Returns
    -------
    PlaceText

    Raises
    ------
    InvalidInputError
        See `normalised`.

    Notes
    -----
    Every pattern is anchored or of bounded width, so the work grows with the length of the text only.

    Examples
    --------
    >>> names = AreaNames(cities=("洛阳市",), counties={"新安县": ("洛阳市",)})
    >>> read_place_text("洛阳市新安县铁门镇克昌村", names).sites
    ('克昌村',)
    """
    plain = normalised(text)
    city, county, rest = _areas(_without_province(_LINK.sub("", plain), names), names)
    rest = _LINK.sub("", rest)
    operator = _OPERATOR.match(rest)
    rest = _LINK.sub("", rest[operator.end() :] if operator else rest)
    is_urban = False
    inside = _INSIDE.match(rest) if city or county else None
    if inside:
        is_urban = county is None and inside["word"] in _URBAN
        rest = rest[inside.end() :]
    away_m = _away_m(rest)
    township, branch, rest = _township(rest)
    sites, kind = _sites(rest)
    if not sites:
        kind = _kind_of_area(city, county, township, branch)
    return PlaceText(
        text=plain,
        city=city,
        county=county,
        is_urban=is_urban,
        township=township,
        branch_office=branch,
        sites=sites,
        kind=kind,
        away_m=away_m,
    )


def _without_province(text: str, names: AreaNames) -> str:
    for province in names.provinces:
        if text.startswith(province):
            return text.removeprefix(province)
        rest = text.removeprefix(province.removesuffix("省"))
        if rest != text and rest.startswith(names.cities):
            return rest
    return text


def _away_m(rest: str) -> float:
    post = _KM_POST.search(rest)
    if post:
        return float(post["km"]) * 1000
    return _NEAR_M if _NEAR.search(rest) else 0.0


def _areas(text: str, names: AreaNames) -> tuple[str | None, str | None, str]:
    """Take city and county off the head of a text."""
    for city in names.cities:
        if text.startswith(city):
            rest = text.removeprefix(city)
            county = _leading_county(rest, names)
            if county is None and city in names.counties:
                # A county-level city directly under the province is its own county.
                return city, city, rest
            return city, county, rest.removeprefix(county or "")
    county = _leading_county(text, names)
    if county is not None:
        return None, county, text.removeprefix(county)
    for city in names.cities:
        short = city.removesuffix("市")
        if text.startswith(short):
            rest = text.removeprefix(short)
            county = _leading_county(rest, names)
            if county is not None or not rest or rest.startswith(("市区", "城区", "境内")):
                return city, county, rest.removeprefix(county or "")
    return None, None, text


def _leading_county(text: str, names: AreaNames) -> str | None:
    # The longest name that fits; no name of a county has more than fifteen characters.
    for length in range(min(15, len(text)), 1, -1):
        if text[:length] in names.counties:
            return text[:length]
    return None


def _township(rest: str) -> tuple[str | None, str | None, str]:
    """Take a township, a branch office or both (梁北镇支局) off the head."""
    branch = _BRANCH.match(rest)
    if branch:
        return None, branch["name"], rest[branch.end() :]
    township = _TOWNSHIP.match(rest)
    if township is None:
        return None, None, rest
    rest = _LINK.sub("", rest[township.end() :])
    branch = _BRANCH.match(rest)
    if branch:
        return township["name"], branch["name"], rest[branch.end() :]
    return township["name"], None, _INSIDE.sub("", rest)


def _sites(rest: str) -> tuple[tuple[str, ...], str]:
    """Return the named places in what is left, and what kind of place the text means."""
    rest = rest.strip("的,.;:、。()")
    if not rest:
        return (), "empty"
    bare = _KM_POST.sub("", rest)
    kind = "km_post" if bare != rest else "village"
    bare = _SEVERAL.sub("", bare)
    parts = [part for part in _AND.split(bare) if part]
    if len(parts) > 1:
        return tuple(parts), "sites"
    ends = _TO.split(bare)
    if len(ends) == 2:  # noqa: PLR2004 - a section has two ends
        return tuple(ends), "section"
    if kind == "village" and _STREET.search(bare):
        kind = "street"
    return (bare,) if bare else (), kind


def _kind_of_area(city: str | None, county: str | None, township: str | None, branch: str | None) -> str:
    if branch:
        return "branch_office"
    if township:
        return "township"
    if county:
        return "county"
    return "city" if city else "empty"


def without_tails(site: str) -> tuple[str, ...]:
    """Return a site as written and, step by step, without the words behind its name.

    Examples
    --------
    >>> without_tails("木匠庄附近")
    ('木匠庄附近', '木匠庄')
    """
    forms = [site]
    for _ in range(_MOST_TAILS):
        shorter = _TAIL.sub("", forms[-1])
        if shorter == forms[-1] or not shorter:
            break
        forms.append(shorter)
    return tuple(forms)


def stem(township: str) -> str:
    """Return the name of a township without 镇, 乡 or 街道.

    Examples
    --------
    >>> stem("梁北镇")
    '梁北'
    """
    for suffix in _SUFFIXES:
        if township.endswith(suffix) and len(township) > len(suffix):
            return township.removesuffix(suffix)
    return township
