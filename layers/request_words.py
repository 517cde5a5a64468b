"""Tell people in their own language what is wrong with one part of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.refusals import REFUSALS, refusal_text
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.views import Locale

_TEXT = mark("这里要写文字。")
_NUMBER = mark("这里要写数字。")
_WHOLE = mark("这里要写整数。")
_AMONG = mark("只能是其中之一：%(expected)s。")
_LIST = mark("这里要写一组值。")
_OBJECT = mark("请求正文要是一个 JSON 对象。")
_TIME = mark("时刻要写明日期、时间和时区，例如2008-03-10T23:40:00+08:00。")

FAULTS = {
    "missing": mark("缺这一项。"),
    "extra_forbidden": mark("没有这一项，去掉或检查拼写。"),
    "repeated_parameter": mark("同一项写了两次。"),
    "string_type": _TEXT,
    "string_unicode": mark("文字里有残缺的字符。"),
    "string_too_long": mark("最多%(max_length)s个字。"),
    "string_too_short": mark("至少%(min_length)s个字。"),
    "string_pattern_mismatch": mark("写法不对。"),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": mark("这个数太大。"),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": mark("只能是 true 或 false。"),
    "bool_parsing": mark("只能是 true 或 false。"),
    "greater_than_equal": mark("不能小于%(ge)s。"),
    "less_than_equal": mark("不能大于%(le)s。"),
    "greater_than": mark("要大于%(gt)s。"),
    "less_than": mark("要小于%(lt)s。"),
    "literal_error": _AMONG,
    "enum": _AMONG,
    "union_tag_invalid": mark("只能是其中之一：%(expected_tags)s。"),
    "union_tag_not_found": mark("没有写明是哪一种。"),
    "list_type": _LIST,
    "tuple_type": _LIST,
    "too_long": mark("最多%(max_length)s个。"),
    "too_short": mark("至少%(min_length)s个。"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "json_invalid": mark("请求正文不是 JSON，读不出来。"),
    "date_type": mark("日期写成2008-03-10。"),
    "date_parsing": mark("日期写成2008-03-10。"),
    "date_from_datetime_parsing": mark("日期写成2008-03-10。"),
    "date_from_datetime_inexact": mark("日期写成2008-03-10。"),
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "timezone_aware": _TIME,
}
"""Code of a fault that the framework finds in a request -> sentence with its limits."""
_LIMITS = ("ge", "le", "gt", "lt", "max_length", "min_length", "expected", "expected_tags")


def fault_text(code: str, message: str, values: Mapping[str, object], *, locale: Locale) -> str:
    """Say what is wrong with one part of a request.

    Parameters
    ----------
    code : str
        Of the framework, or of our own refusals.
    message : str
        The English sentence, shown as it is where the code is not known here.
    values : mapping
        What the fault names. Only limits that we set are shown of it, never what was sent.
    locale : {"zh", "en"}
    """
    if code in REFUSALS:
        return refusal_text(message, code, values, locale=locale)
    sentence = FAULTS.get(code)
    if sentence is None:
        return message
    limits = {name: _limit(value, locale=locale) for name, value in values.items() if name in _LIMITS}
    try:
        return texts_in(locale)(sentence) % limits
    except KeyError:
        return message


def _limit(value: object, *, locale: Locale) -> str:
    """Write a limit: numbers in plain digits, lists of words without their quotes."""
    if isinstance(value, float):
        return f"{value:.15g}"
    text = str(value).replace("'", "")
    return text.replace(" or ", "、").replace(", ", "、") if locale == "zh" else text
