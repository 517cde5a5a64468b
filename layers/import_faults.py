"""Say in Chinese what is wrong in a file; faults carry a stable code and an English sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layers.views import Locale

_NUMBER = r"(?P<{}>[\d,.]+)"
_WORDS = r"(?P<{}>.+)"

FAULTS: dict[str, tuple[tuple[str, str], ...]] = {
    # The file as a whole
    "too_large": (
        (r"archive unpacks to more than (?P<most>\d+) MB", "压缩包解开后超过{most} MB"),
        ("archive", "压缩包解开后太大，或者里面的文件太多"),
        (r"larger than (?P<most>\d+) MB", "文件超过{most} MB"),
        ("", "文件太大；请分成几份"),
    ),
    "too_many_rows": (
        (r"more than (?P<most>\d+)", "文件超过{most}行，请分成几份"),
        ("", "行数太多，请分成几份"),
    ),
    "too_many_columns": ((r"more than (?P<most>\d+)", "文件超过{most}列"), ("", "列数太多")),
    "wrong_kind": (("", "文件类型不对：内容与文件名不符，或者不是能导入的格式"),),
    "no_rows": (
        ("header but no rows", "只有表头，没有数据行"),
        ("", "文件是空的"),
    ),
    "encoding": (
        ("no word of the header", "表头的字一个也不认识，多半是编码不对；请另存为 UTF-8 再试"),
        (r"stops being (?P<name>\S+) at byte (?P<at>\d+)", "第{at}字节起不是{name}编码；请另存为 UTF-8 再试"),
        ("", "编码认不出来；请另存为 UTF-8 再试"),
    ),
    "bad_csv": (("", "引号没有配对，从这一行起读不下去"),),
    "bad_json": ((r"from line (?P<line>\d+)", "第{line}行起不是 JSON"), ("", "不是能读的 JSON")),
    "bad_feature": (("", "这一条不是 GeoJSON 要素"),),
    "nested_value": (("", "属性里只能是文字或数字，不能是列表或对象"),),
    "crs_not_allowed": (("", "GeoJSON 里不能写坐标系；请在导入时选坐标系"),),
    "crs_missing": (("", "文件没有 .prj，按所选的坐标系读"),),
    "empty_header": ((r"column (?P<number>\d+)", "第{number}列没有表头"), ("", "有一列没有表头")),
    "bad_header": (("", "表头不对"),),
    "duplicate_column": (
        (r"both mean (?P<name>\w+)", "两列对应到了同一项（{name}）"),
        ("", "两列对应到了同一项"),
    ),
    "missing_column": ((r"the column (?P<name>.+) is missing", "缺少必需的一列"), ("", "缺少必需的一列")),
    "unknown_column": (("", "不认识这一列，没有导入"),),
    "datum_missing": (("", "没有选坐标系"),),
    "datum_unknown": (("", "不认识这个坐标系"),),
    "personal_data": (("", "这里有个人信息（姓名、身份证号、电话或车牌），不能导入；请从文件中删去"),),
    "zip_unsafe": (
        ("another archive", "压缩包里还有压缩包；请先解开"),
        ("two files", "压缩包里有同名文件"),
        ("name in the archive", "压缩包里有不能用的文件名"),
        ("link or a device", "压缩包里有链接或设备文件"),
        ("unusual way", "压缩方式不常见；请用普通 zip"),
        ("", "压缩包是坏的"),
    ),
    "encrypted": (("", "压缩包有密码；请去掉密码再打包"),),
    "layer_unknown": (("", "文件里没有这个名字的图层或工作表"),),
    "gpkg_no_layer": (("", "GeoPackage 里没有要素表"),),
    "bad_gpkg": (("damaged", "GeoPackage 是坏的"), ("", "不是能读的 GeoPackage")),
    "bad_flatgeobuf": (("", "不是能读的 FlatGeobuf"),),
    "bad_parquet": (("WKB", "GeoParquet 的图形要写成 WKB"), ("", "不是能读的 GeoParquet")),
    "bad_shapefile": (
        ("number of records", "Shapefile 的 .shx 与 .dbf 记录数不同"),
        ("fewer records", "Shapefile 的 .shp 比 .dbf 记录少"),
        ("more records", "Shapefile 的 .shp 比 .dbf 记录多"),
        ("", "Shapefile 是坏的"),
    ),
    "shapefile_incomplete": (
        (r"lacks (?P<parts>.+)", "Shapefile 缺少{parts}；请把 .shp、.shx、.dbf、.prj 一起打包"),
        ("", "Shapefile 不完整；请把 .shp、.shx、.dbf、.prj 一起打包"),
    ),
    "bad_xlsx": (("not an Excel", "不是 Excel 工作簿"), ("", "工作簿是坏的；请在 Excel 里另存一份再试")),
    "external_link": (("", "工作簿引用了别的文件；请把公式粘贴成数值"),),
    "macros_not_allowed": (
        ("embedded", "工作簿里嵌了别的文件；请删去"),
        ("", "工作簿带宏；请另存为 .xlsx"),
    ),
    "bad_xml": ((r"from line (?P<line>\d+)", "第{line}行起 XML 不完整"), ("", "XML 不完整")),
    "link_not_followed": (("", "文件里的链接没有打开，链接指向的内容没有导入"),),
    "xml_not_allowed": (("", "XML 里不能声明文档类型或实体"),),
    # A row
    "too_few_cells": (
        (r"has (?P<has>\d+) cells, the header (?P<wants>\d+)", "这一行有{has}格，表头有{wants}格：少了"),
        ("", "这一行的格数比表头少"),
    ),
    "too_many_cells": (
        (r"has (?P<has>\d+) cells, the header (?P<wants>\d+)", "这一行有{has}格，表头有{wants}格：多了"),
        ("", "这一行的格数比表头多"),
    ),
    "duplicate_key": (
        (r"rows (?P<first>\d+) and (?P<second>\d+)", "第{first}行和第{second}行的编号相同"),
        ("", "编号与前面的行重复"),
    ),
    "unknown_area": (("", "那一天没有这个名字或代码的市县，或者不止一个"),),
    "error_cell": (("", "这一格是公式的出错结果"),),
    "conflict": (("", "这个编号已有记录，内容不同"),),
    "no_place": (("", "没有地点，也没有所属地区"),),
    "overlapping_validity": (("", "同一代码的有效期互相重叠"),),
    "line_differs": (("", "同一条线路的行业或业主前后不一"),),
    "length_differs": (("", "写的长度与图上的长度相差太多"),),
    # A cell
    "missing_value": (
        ("the row has no place", "没有坐标"),
        ("two coordinates", "两个坐标只填了一个"),
        ("copper cable", "铜缆要有对数"),
        ("", "这一格是空的，必须填"),
    ),
    "text_too_long": ((r"longer than (?P<most>\d+)", "文字超过{most}个字"), ("", "文字太长")),
    "cell_too_long": ((r"longer than (?P<most>\d+)", "这一格超过{most}个字"), ("", "这一格太长")),
    "lone_surrogate": (("", "有残缺的字符"),),
    "bidi_control": (("", "有改变书写方向的控制字符"),),
    "control_character": (("", "有看不见的控制字符"),),
    "invisible_character": (("", "有看不见的字符"),),
    "bad_number": (
        ("whole number", "要填整数"),
        ("too large", "数字太大"),
        ("zero", "数字不能是零"),
        ("", "不是数字"),
    ),
    "mangled_number": (("", "数字被表格软件缩写过（科学计数法）；请把这一列改为文本再导出"),),
    "out_of_range": (
        (
            r"must lie between " + _NUMBER.format("low") + r" and " + _NUMBER.format("high"),
            "数字要在{low}和{high}之间",
        ),
        ("line is longer", "线路超过1000公里"),
        ("a loss lies", "损失金额要在0元和一万亿元之间"),
        ("", "数字超出合理范围"),
    ),
    "bad_unit": ((r"none of " + _WORDS.format("units"), "单位不对，可用：{units}"), ("", "单位不对")),
    "bad_date": (("", "不是日期或时间；例如 2008-03-10 或 2008-03-10 21:30"),),
    "year_missing": (("", "年份要写四位数"),),
    "before_1949": (("", "早于1949年，不会有这样的记录"),),
    "in_future": (("", "日期在今天之后"),),
    "end_before_start": (("", "结束不晚于开始"),),
    "supervision_year": (("", "督办年份不对"),),
    "bad_code": (("", "代码只能用小写字母、数字和下划线"),),
    "bad_adcode": (("", "行政区划代码是六位数，乡镇九位"),),
    "unknown_parent": (("", "不认识上级单位"),),
    "no_date": (("", "开头没有年月"),),
    "precision_missing": (("", "没有写位置精度；请填这一列，或在上面选全文件的位置精度"),),
    "year_assumed": (("", "年份是推定的"),),
    # Coordinates
    "datum_differs": (("", "这一行写的坐标系与选的不同"),),
    "outside_china": (("", "按所选坐标系，位置在中国之外"),),
    "outside_province": (("", "按所选坐标系，位置在本省之外"),),
    "wrong_zone": (("", "横坐标的带号与所选坐标系不符"),),
    "axes_swapped": (("", "经度和纬度（或横、纵坐标）写反了"),),
    "bad_coordinates": (("", "坐标不对"),),
    "bad_geometry": (("", "图形不对：要写成 WKT 的点、线或面"),),
    "empty_geometry": (("", "图形是空的"),),
    "ring_not_closed": (("", "边界没有闭合"),),
    "too_many_vertices": ((r"more than (?P<most>\d+)", "图形超过{most}个折点"), ("", "图形的折点太多")),
    "wrong_geometry": (
        ("must be a Point", "图形要是一个点"),
        ("must be a LineString", "图形要是一条线"),
        ("must be a MultiPolygon", "图形要是面"),
        ("", "图形的种类不对"),
    ),
    "zero_length": (("", "线的长度是零"),),
    "invalid_geometry": ((r"is invalid: " + _WORDS.format("reason"), "图形有错：{reason}"), ("", "图形有错")),
    # What was assumed or dropped
    "title_skipped": (("", "表头上面的标题行没有导入"),),
    "total_row_skipped": (("", "合计行没有导入"),),
    "filled_down": ((r"^(?P<count>\d+) empty", "{count}个空格沿用了上一行"), ("", "空格沿用了上一行")),
    "height_dropped": ((r"heights of (?P<count>\d+)", "{count}个位置的高程没有采用"), ("", "高程没有采用")),
    "member_skipped": (("lies beside", "旁边的被盗物品清单没有读"), ("", "压缩包里的其他文件没有读")),
    "crs_unknown": (("", "不认识 .prj 里的坐标系，按所选的坐标系读"),),
    "encoding_differs": (("", ".cpg 写的编码与内容不符，按内容读"),),
    "deleted_row_skipped": (
        (r"^(?P<count>\d+) rec", "{count}条已删除的记录没有导入"),
        ("", "已删除的记录没有导入"),
    ),
    "merged_filled": (
        (r"^rows (?P<first>\d+) to (?P<last>\d+)", "第{first}至{last}行取了合并单元格的值"),
        (r"^(?P<count>\d+) merged", "共有{count}个合并单元格已填到每一行"),
        ("", "合并单元格拆开后，每一格都取了它的值"),
    ),
    "places_stacked": (("", "许多行的位置完全相同，多半是单位所在地而不是现场"),),
    "sequence_assumed": (("", "区段按文件中的先后编号"),),
    "nodes_assumed": (("", "没有名字的节点按位置命名"),),
}
"""Code -> (regular expression found in the English sentence, Chinese sentence) in the order they are tried.

English pages show the fault's own sentence, so that this is a table of Chinese only.
"""

_BUILT_ON = (
    ("incidents of other files lie on its segments", "别的文件带来的案件落在这批线路上"),
    ("incidents lie in its areas", "有案件落在这批区域里"),
    ("incidents were recorded by its areas", "有案件由这批区域的单位立案"),
    ("incidents name its facilities", "有案件提到这批设施"),
    ("segments of other files belong to its lines", "别的文件带来的区段属于这批线路"),
    ("people decided about duplicates", "有人已就这批案件判断过是否重复报案"),
    ("supervised items name its incidents", "有督办事项提到这批案件"),
    ("other areas lie inside its areas", "有别的区域属于这批区域"),
    ("cannot be undone", "后来的记录用到了它"),
)
_SENTENCES = (
    *_BUILT_ON,
    ("undone before", "这一批以前已经撤销了"),
    ("no such batch", "没有这一批"),
    ("no such upload", "这次上传已经不在了"),
    ("being stored, or is stored", "正在入库，或者已经入库"),
    ("cancel the storing first", "请先取消入库"),
    ("only an upload that was read", "要先核对完才能入库"),
    (
        r"^(?P<count>\d+) rows are stored with other values already, so .* row (?P<row>\d+)",
        "{count}行与已有记录不同，所以什么也没有存；第一处在第{row}行",
    ),
    (r"^(?P<count>\d+) rows are stored with other values", "{count}行与已有记录不同"),
    (r"^(?P<count>\d+) rows cannot be taken in", "{count}行有误，请先改好或跳过"),
    ("belong into one of their own", "实战数据与演示数据不能放在一个库里"),
    (r"^(?P<count>\d+) sentences cannot be read", "{count}句读不懂，所以什么也没有存"),
    ("has rows that cannot be read", "有些行读不懂"),
    (r"has (?P<count>\d+) faults; the first", "有{count}处错误"),
    ("carries data of persons", "文件里有个人信息，请删去这些列"),
    ("columns are missing", "缺少必需的列"),
    ("no row of the file can be taken in", "没有一行可以导入"),
    ("upload could not be read", "文件没有读成，请再试一次"),
    ("came too slowly", "网络太慢，上传中断了"),
    ("two columns both mean", "有两列对应到了同一项"),
    ("datum must be one of", "不认识这个坐标系"),
    ("declare the datum", "请写明坐标系"),
    ("form has no file with a name", "表单里没有带名字的文件"),
    ("unknown field, or one twice", "表单里有不认识的项，或者同一项写了两次"),
    ("a field of the form holds characters", "表单里有一项含有文字里没有的字符"),
    ("say who sent the file", "请写明报送单位，1到100个字"),
    (r"^kind is one of (?P<words>.+)", "种类只能是其中之一：{words}"),
    (r"^place_precision is one of (?P<words>.+)", "位置精度只能是其中之一：{words}"),
    ("a text is too long, or holds characters", "有文字太长，或者含有表格里不能有的字符"),
    ("[Mm]ultipart|Content-Disposition|Too many (files|fields)|part exceeded", "上传的表单读不出来"),
    ("error parsing the body", "请求正文读不出来"),
    ("no such run", "没有这次计算"),
    ("no such pair", "没有这一对"),
    ("no finished run answers this", "还没有做完的这种计算，先提一次"),
    ("the run has no such zone", "这次计算里没有这个区域"),
    ("there is no such (feature|collection|tile|incident)", "没有这一项"),
)
"""Sentences of problems that carry no fault: the regular expression found in one, and its Chinese."""

_UNKNOWN_WORDS = (
    "unknown_word",
    "unknown_precision",
    "unknown_category",
    "unknown_sector",
    "unknown_origin",
    "unknown_qualifier",
    "unknown_status",
    "unknown_kind",
    "unknown_laying",
    "unknown_level",
    "unknown_state",
    "unknown_cable_kind",
    "unknown_cause",
    "unknown_ticket_kind",
)
_UNKNOWN = ((r"write one of (?P<words>.+)", "不认识这个词，可用：{words}"), ("", "不认识这个词"))


_TABLE = FAULTS | dict.fromkeys(_UNKNOWN_WORDS, _UNKNOWN) | {"": _SENTENCES}


def fault_sentences(locale: Locale) -> dict[str, list[list[str]]]:
    """Return what the page's scripts say for each code, and under "" for problems that carry no fault.

    Nothing in English, where the server's sentences stand as they are.

    Parameters
    ----------
    locale : {"zh", "en"}

    Returns
    -------
    dict of str to list of [str, str]
        Regular expressions are JavaScript's; "" fits every sentence.
    """
    if locale == "en":
        return {}
    return {
        code: [[pattern.replace("(?P<", "(?<"), sentence] for pattern, sentence in entries]
        for code, entries in _TABLE.items()
    }


def fault_sentence(code: str, message: str) -> str:
    """Say one fault in Chinese, for a terminal; empty where it has no Chinese, or says it in both languages already.

    Parameters
    ----------
    code : str
        Of the fault; "" for a problem that carries none.
    message : str
        The server's sentence.

    Examples
    --------
    >>> fault_sentence("too_many_columns", "the file has more than 300 columns")
    '文件超过300列'
    """
    if " · " in message:
        return ""
    for pattern, sentence in _TABLE.get(code, ()):
        found = re.search(pattern, message)
        if found is not None:
            return sentence.format(**found.groupdict())
    return ""
