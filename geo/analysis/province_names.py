"""Invent names of towns and villages from words of nature and craft, unique inside a county."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np

STEMS = (
    "青石",
    "白杨",
    "柳树",
    "槐树",
    "桃园",
    "梨园",
    "枣林",
    "竹园",
    "荷塘",
    "清水",
    "黄土",
    "红石",
    "黑龙",
    "大河",
    "小河",
    "东岗",
    "西岗",
    "南湾",
    "北湾",
    "高坡",
    "平川",
    "石桥",
    "砖桥",
    "木桥",
    "板桥",
    "双桥",
    "古井",
    "甜水",
    "凉水",
    "莲池",
    "芦苇",
    "麦场",
    "谷场",
    "油坊",
    "磨坊",
    "瓦窑",
    "砖窑",
    "铁炉",
    "草店",
    "盐店",
    "花园",
    "松林",
    "柏树",
    "榆树",
    "杏林",
    "棠梨",
    "银杏",
    "葛藤",
    "菊坡",
    "蒲塘",
    "菱角",
    "沙河",
    "泥河",
    "泉眼",
    "龙泉",
    "凤台",
    "鹤岭",
    "鹿坡",
    "雁滩",
    "燕湾",
)
"""Sixty words for trees, waters, hills and workshops; none is the name of a person."""

VILLAGE_ENDINGS = tuple("庄村寨营店铺屯岗沟洼集湾")
TOWN_ENDINGS = ("镇", "镇", "乡")


def town_stems(rng: np.random.Generator, count: int) -> list[str]:
    """Draw different stems for the towns of one county.

    Parameters
    ----------
    rng : Generator
    count : int
        At most the number of stems.

    Returns
    -------
    list of str
        For instance ``青石``: the town is 青石镇 or 青石乡, its branch office 青石支局.

    Raises
    ------
    InvalidInputError
        If more are wanted than there are.
    """
    if count > len(STEMS):
        raise InvalidInputError("a county cannot hold that many named towns")
    return [STEMS[int(position)] for position in rng.permutation(len(STEMS))[:count]]


def village_names(rng: np.random.Generator, count: int) -> list[str]:
    """Draw different village names for one county, plain ones first, then those with a side before them.

    Parameters
    ----------
    rng : Generator
    count : int

    Returns
    -------
    list of str
        For instance ``槐树营``, and beyond 720 of them ``东槐树营``.

    Raises
    ------
    InvalidInputError
        If more are wanted than can be made.
    """
    plain = [stem + ending for stem in STEMS for ending in VILLAGE_ENDINGS]
    names: list[str] = []
    for side in ("", "东", "西", "南", "北", "前", "后", "上", "下"):
        names += [side + plain[int(position)] for position in rng.permutation(len(plain))]
        if len(names) >= count:
            return names[:count]
    raise InvalidInputError("a county cannot hold that many named villages")
