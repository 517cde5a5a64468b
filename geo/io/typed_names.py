"""Tell whether what somebody types names a person: a name behind a word for a role, an ID number, an account.

Stricter than `geo.io.persons`, which reads files: there a code may look like an ID number, and a column tells what it
holds. What people type is short, and whoever writes can write it again.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from geo.io.person_names import FAMILY_NAMES, holds_person_name
from geo.io.persons import names_a_person

_LONGEST_ID = 18
_SPACED_DIGITS = re.compile(r"(?<=\d)[ \t\u00b7·-]+(?=[\dXx])", re.ASCII)
# As typed: whoever mistypes the check digit of an ID number still writes down a person.
_ID = re.compile(r"(?<![\d.A-Za-z])[1-8]\d{16}[\dXx](?![\dA-Za-z])", re.ASCII)
_NAMED_ID = re.compile(
    r"(?:身份证|身份号|证件|护照|驾驶证|驾照)(?:号码|编号|号)?[\s:：是为]*(?:[A-Za-z]\d{8}|\d{15}|\d{16,17}[\dXx])(?![\dA-Za-z])"
)
_CASE_NUMBER = re.compile(r"(?:案号|案件编号|案件号|警情编号|警情号|接警单号|编号)[\s:：是为]*$")
_ACCOUNT = re.compile(
    r"(?:微信|QQ|抖音|快手|支付宝|wechat)(?:号码|账号|帐号|号|ID)?[\s:：是为]*(?:[A-Za-z][\w-]{5,}|\d{6,})(?!\d*群)|"
    r"(?:手机|移动电话)(?:号码|号)?[\s:：是为]*\+?[\d*xX][\d*xX \-]{6,}",
    re.IGNORECASE | re.ASCII,
)

_ROLE = (
    "(?:犯罪嫌疑人|嫌疑人|嫌犯|疑犯|抓获|抓捕|受害人|被害人|受害者|报案人|报警人|举报人|目击者|证人|失主|事主|驾驶员|"
    "驾驶人|民警|辅警|线人|联系人|当事人|同伙|姓名)"
)
_COUNTED = "(?:\\d{1,3}|[一二两三四五六七八九十]{1,2})?[名人个]?"
_BETWEEN = "[\\s:：(（【\\[“\"'·]*(?:名叫|叫做|叫|姓名|是|为|系)?[\\s:：(（“\"']*"
# Family names that are everyday words far oftener: they count only where the name ends at once.
_HIDDEN = "于向和时成常曾单关车路房党解"
# Words that begin with the character of a family name.
_WORDS = (
    "张贴|张开|张望|张口|陈述|陈旧|陈列|陈年|杨树|黄色|黄河|黄昏|黄金|黄土|黄牛|周边|周围|周口|周末|周[一二三四五六日]|"
    "周密|周到|周期|周转|徐徐|孙子|孙女|马上|马路|马达|马匹|马车|胡同|胡乱|何时|何地|何人|何处|何种|何以|何物|何因|"
    "林地|林场|林区|林木|林带|林间|林中|林州|罗列|罗山|郑重|郑州|谢绝|唐河|许多|许可|许昌|许诺|邓州|肖像|田地|田间|田里|"
    "田野|田埂|田边|余下|余款|余额|余米|余元|余人|杜绝|叶县|程序|程度|苏醒|苏州|丁字|沈丘|沈阳|卢氏|钟头|钟点|陆续|陆路|陆地|"
    "范围|范县|范本|金属|金额|金钱|金融|金水|金店|石头|石油|石块|石子|石板|石料|夏季|夏天|夏邑|夏夜|夏日|付款|付钱|付给|付清|付出|"
    "白天|白色|白班|白银|白布|白酒|孟津|孟州|江苏|江西|江边|江面|段落|雷达|雷雨|雷管|龙头|龙亭|陶瓷|黎明|顾不|顾及|顾客|顾虑|"
    "毛巾|毛毯|钱款|钱包|钱财|钱物|严重|严密|严格|严防|严厉|严查|严惩|严禁|严守|严打|严阵|武警|武装|武器|武汉|武陟|武力|武术|"
    "戴口|戴手|戴帽|戴头|戴着|戴上|戴墨|戴眼|戴面|莫名|孔洞|汤阴|温度|温州|温县|牛羊|牛群|牛车|牛棚|齐全|齐心|易燃|易拉|易发|"
    "乔装|庞大|颜色|庄稼|庄内|庄子|庄里|章程|鲁山|鲁莽|岳父|岳母|申请|申报|申诉|申领|申辩|欧元|欧式|兰考|兰州|焦作|焦急|"
    "柳树|柳林|甘肃|包围|包括|包车|包裹|包庇|包片|包村|包抄|包扎|包含|包里|包内|包干|包工|宁陵|宁夏|宁波|宁愿|尚未|尚无|尚在|尚不|尚有|尚需|尚可|"
    "符合|童年|凌晨|凌乱|毕业|毕竟|季节|季度|涂改|涂抹|苗圃|苗木|谷地|谷物|盛夏|曲折|游荡|游走|游动|柴油|柴火|管理|管控|管护|管线|管道|"
    "管辖|管制|蓝色|农田|农户|农民|农用|农村|农家|卫生|卫星|景区|冷静|穆斯|简单|简要|"
    "连夜|连续|连接|项目|项城|麦田|麦地|席地|米[长外远内处左右]|司机|牟利|高[度速压处中龄清空危发效喊声新墙层价低铁架]|任[务何意职由凭其]|"
    "方[案面向才可圆便法式城位能]|康复|施[工救暴压行]|纪[律委录检]|万[元余多米一]|左[右手侧转边腿臂脚]|安[全徽装排阳置静检保防抚然放]"
)
# Characters of places: behind such a character stands a village, a county or a road, hardly ever a given name.
_PLACES = "庄村镇乡集店营寨楼桥湾沟岗坡塘屯县市省区州丘邑路街道巷派厂局所队站段线杆塔场库"
_GIVEN = f"[^\\W\\d_A-Za-z{_PLACES}]"
_ENDS = "(?=$|[\\s,，.。;；:：、!！?？)）】\\]”\"']|称|说|带队|带领|报称|供述|等[人\\d一二三两]|住处|家[门中里]|行动)"
_NO_WORD = f"(?!{_WORDS})"
_NO_PLACE = f"(?![^\\W在到从于进被由向往]?[{_PLACES}]|[^\\W在到从于进被由向往]{{2}}[庄村镇乡楼桥营寨湾岗])"
_SINGLE = f"(?![{_HIDDEN}]){FAMILY_NAMES}"
# What follows such a character where it is no name: 于当晚, 向东, 成功, 车辆.
_NO_HIDDEN = (
    "(?![是当次凌昨今前该此上下左右夜晚现村路山河中里东西南北家其本案同年月日某事外内后员全间许常候段任速功立果批片交用见住去来经在因多被到与从以对给"
    "一押系键注位独人辆内门主屋内委释救除])"
)
_FOND = f"[小老阿](?:{_NO_WORD}(?![包金石白苗田麦米柴黄管项水谷雷牛马林龙花梅柳])(?![{_HIDDEN}]){FAMILY_NAMES}{_NO_PLACE}|{FAMILY_NAMES}{_ENDS})"
_NAME = (
    f"(?:{_NO_WORD}{_SINGLE}{_NO_PLACE}{_GIVEN}|[{_HIDDEN}]{_NO_HIDDEN}{_NO_PLACE}{_GIVEN}{{1,2}}?{_ENDS})"
)
_BEHIND_ROLE = re.compile(f"{_ROLE}{_COUNTED}{_BETWEEN}(?:{_FOND}|[小老阿]?{_NAME})")
# A bare name where nothing but a name stands: before a home, and in a unit that is called after somebody.
_AT_HOME = re.compile(
    f"{_NO_WORD}{_SINGLE}{_GIVEN}{{2}}(?<![民户众人农])(?:家(?=门口|里|中|附近|旁|院|大门|$|[\\s,，。;；、])|住处|住所|住宅)"
)
_AS_UNIT = re.compile(
    f"[局所队院厅处站]{_NO_WORD}{_SINGLE}(?:(?![大中小东西南北河湖山城关口江海新子]){_GIVEN}){{2}}(?:[大中支]队|专班|工作室|警务室|小组|班组)"
)


def names_a_typed_person(text: str) -> bool:
    """Tell whether a typed text names a person, or holds what belongs to one.

    Parameters
    ----------
    text : str
        A title, label, note, unit or entry of a log.

    Notes
    -----
    Seen: what `geo.io.persons.names_a_person` and `geo.io.person_names.holds_person_name` see; 18 digits with a day of
    birth whatever the check digit, also with blanks or hyphens between; any 15, 17 or 18 digits behind 身份证 or 证件;
    accounts behind 微信, QQ or 手机; a common family name with one or two characters behind a word for a role.
    Not seen: a name without such a word (张伟于23时到达), rare family names, numbers written as words.

    Examples
    --------
    >>> names_a_typed_person("抓获张三"), names_a_typed_person("抓获嫌疑人2名")
    (True, False)
    """
    folded = unicodedata.normalize("NFKC", text)
    if names_a_person(folded) or holds_person_name(f"{folded},"):
        return True
    joined = _SPACED_DIGITS.sub("", folded)
    return (
        _NAMED_ID.search(joined) is not None
        or _ACCOUNT.search(folded) is not None
        or any(_is_typed_id(match, joined) for match in _ID.finditer(joined))
        or any(pattern.search(folded) for pattern in (_BEHIND_ROLE, _AT_HOME, _AS_UNIT))
    )


def _is_typed_id(match: re.Match[str], text: str) -> bool:
    """Tell whether 18 digits hold a day of birth, and nobody says that they number a case."""
    digits = match[0]
    try:
        born = date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2100 and not _CASE_NUMBER.search(text[: match.start()])  # noqa: PLR2004 - years of birth
