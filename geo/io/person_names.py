"""Take the names of persons out of sentences: places and facilities stay, persons never do."""

from __future__ import annotations

import re

PLACEHOLDER = "〔姓名略〕"
"""What stands where a name was."""

_ROLE = (
    "(?:护线人员|护线员|巡线员|巡护员|看护员|值班员|工作人员|人员|职工|员工|民警|协警|辅警|保安|队员|村民|居民|"
    "群众|工人|司机|负责人|经理|局长|所长|站长|队长|主任|书记|嫌疑人|男子|女子|男青年|女青年)"
)
# What a person does next in such sentences. Rare family names are in no list, so before these words any
# two to four characters count as a name unless they are a known adverb: rather a word too many than a name.
_DEED = "(?:赶到|赶来|赶往|前往|前去|上前|发现|阻止|制止|追赶|追击|报警|报案|举报)"
_NO_NAME = (
    "(?!(?:[在到正对把被因由为已还又也都均未没不能可将并即共经当前后用以其此该这那一二两三几多数]|于[是当次凌昨今前该此上下夜晚]|"
    "及时|迅速|立即|立刻|马上|随即|随后|闻讯|连夜|火速|紧急|陆续|先后|同时|联合|分头|曾经|最先|首先|全部|主动|再次|"
    "接报|接警|接到|得知|听到|看到|巡线|巡查|巡护|巡逻|检查|检修|维修|施工|值班|途经|路过|等人|安全|高度|常年|时常|成功|"
    "和平|向前|向上|全力|戴[口手帽着墨眼面头]|车辆))"
)
FAMILY_NAMES = (
    "(?:欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|慕容|长孙|宇文|司徒|夏侯|端木|令狐|"
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜"
    "崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施牛樊葛邢"
    "安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆"
    "蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏])"
)
_NAMES = (
    re.compile(rf"(?P<role>{_ROLE}){_NO_NAME}[一-鿿·]{{2,4}}?(?={_DEED})"),
    re.compile(
        rf"(?P<role>{_ROLE}){_NO_NAME}{FAMILY_NAMES}[一-鿿]{{1,2}}(?=[,，。;；、(（:：]|等|被|在|将|和|及|与|于|从|骑|驾|家|门口)"
    ),
    re.compile(
        rf"(?P<role>{PLACEHOLDER}[、和与及]){_NO_NAME}{FAMILY_NAMES}[一-鿿]{{1,2}}?(?=[,，。;；、(（:：]|等|被|在|将|和|及|与|{_DEED})"
    ),
    re.compile(
        rf"(?P<role>){FAMILY_NAMES}某(?:某|[甲乙丙丁])?(?=[,，。;；、(（:：]|等|被|在|将|和|及|与|[男女])"
    ),
)


def remove_person_names(text: str) -> tuple[str, bool]:
    """Replace names of persons by `PLACEHOLDER`.

    Parameters
    ----------
    text : str
        A sentence of a case list, without blanks.

    Returns
    -------
    tuple of (str, bool)
        The text, and whether a name was taken out here or had been before.

    Notes
    -----
    A name is looked for behind a word for a role: two to four characters before a deed (赶到, 发现, ...), or a
    common family name and one or two characters before a mark; then any more of a list. 张某 and 李某某 count
    anywhere.

    Examples
    --------
    >>> remove_person_names("护线人员张三赶到阻止时")
    ('护线人员〔姓名略〕赶到阻止时', True)
    >>> remove_person_names("护线人员及时赶到")
    ('护线人员及时赶到', False)
    """
    for pattern in _NAMES:
        found = 1
        # In a list of names each one is known by the one before it.
        while found:
            text, found = pattern.subn(rf"\g<role>{PLACEHOLDER}", text)
    return text, PLACEHOLDER in text


def holds_person_name(text: str) -> bool:
    """Tell whether a text still holds what reads like the name of a person."""
    return any(pattern.search(text) for pattern in _NAMES)
