"""Tell people in their own language why something cannot be computed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from layers.analysis_texts import unit_text
from layers.operation_refusals import OPERATION_REFUSALS
from layers.run_kind_texts import parameter_text
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.views import Locale

REFUSALS = {
    "nothing_to_brief": mark("这个时段没有案件，没有可写的简报。"),
    "periods_overlap": mark("两个时段有重叠，不能对比：把时段改到一年以内，或在参数里另填对比的时段。"),
    "too_few_steps": mark("这个时段只有%(count)s期，看变化至少要%(least)s期：把时段放长，或把一期缩短。"),
    "too_many_steps": mark("这个时段有%(count)s期，模拟次数至少要%(least)s次：增加模拟次数，或把一期放长。"),
    "cell_over_bandwidth": mark("网格边长最多是带宽的三分之一，即%(most)s米。"),
    "length_under_least": mark("区段最长不能小于判断用的最短长度%(least)s米。"),
    "too_many_cells": mark("网格太细，超过%(most)s格：把网格边长放大。"),
    "too_many_lixels": mark("线元太短，超过%(most)s个：把线元放长。"),
    "too_many_pairs": mark("相距不远的案件对超过%(most)s对：把距离或时间的分档收窄。"),
    "bands_too_narrow": mark("案件散布太广，距离分档太窄，算不了：把距离分档放宽。"),
    "bandwidth_over_short_edges": mark("带宽内的短线段太多，算不了：缩小带宽，或先整理线路资料。"),
    "tolerance_too_large": mark("线路太密，端点相接的容差太大：把容差改小。"),
    "too_many_stretches": mark("要比较的线段组合太多：减小窗口份额，或缩小范围。"),
    "step_too_short": mark("这条边界太长，分段太细：把分段放长。"),
    "no_such_border_area": mark("%(day)s没有代码为%(adcode)s且有边界的区域。"),
    "border_changed": mark("%(area)s（%(adcode)s）的现有边界只在一部分时段内有效：换一个不跨越变更的时段。"),
    "no_neighbours": mark("%(one)s与%(other)s不相邻，没有共同的边界。"),
    "areas_apart": mark("两个区域不相接，没有共同的边界。"),
    "areas_meet_in_a_corner": mark("两个区域只在一角相接，没有共同的边界。"),
    "areas_overlap": mark("两个区域的范围大片重叠：不是相邻的区域，或者图绘自不同年份。"),
    "masked": mark("有%(count)s起案件的数字经过脱敏；脱敏的数字不参加计算。"),
    "other_version": mark("这次计算是另一版本的，请重新计算；升级以后先重启服务。"),
    "no_such_kind": mark("没有这种分析。"),
    "no_such_area": mark("没有这个区域。"),
    "no_such_code": mark("没有这个类别或行业。"),
    "period_reversed": mark("时段的结束早于开始。"),
    "period_outside": mark("时段要在%(one)s到%(other)s之间。"),
    "period_form": mark("时段写成2008-03、2008-03-15，或者中间加斜线的两个日期。"),
    "ends_together": mark("开始和结束要一起写。"),
    "period_or_ends": mark("写时段，或者写开始和结束，不要都写。"),
    "run_or_filter": mark("计算自带筛选条件：写计算编号，或者写筛选条件，不要都写。"),
    "plain_digits": mark("数字用普通的阿拉伯数字写。"),
    "box_form": mark("范围写成西、南、东、北四个度数，中间用逗号；西小于东，南小于北。"),
    "too_large": mark("范围最多宽%(widest)s度。"),
    "pair_form": mark("一对区域写成两个不同的六位代码，中间加短横，如411400-411600。"),
    "pair_order": mark("一对区域里小的代码写在前面。"),
    "parameter_among": mark("%(parameter)s只能是其中之一：%(among)s。"),
    "parameter_range": mark("%(parameter)s要在%(least)s到%(most)s%(unit)s之间。"),
    "parameter_count": mark("%(parameter)s要有%(least)s到%(most)s个数。"),
    "parameter_ascending": mark("%(parameter)s要由小到大写。"),
    "too_few_areas": mark("串并要选两个不同的区域。"),
    "no_such_area_code": mark("%(day)s没有代码为%(adcode)s的市或县。"),
    "mixed_levels": mark("串并的区域要同级：都是市，或者都是县。"),
    "pair_changed": mark("这一对刚被别人处理过，请看最新的再定。"),
    "parameter_form": mark("参数写成“名称=值”。"),
    "no_such_parameter": mark("没有这个参数；可用的有：%(among)s。"),
    "parameter_digits": mark("%(parameter)s要用普通数字写，几个数之间用逗号。"),
    "briefing_forms": mark("简报的格式有：%(among)s。"),
    "not_a_folder": mark("%(path)s是文件，不是文件夹。"),
    "not_writable": mark("写不进%(path)s：%(why)s。"),
    "degrees_for_metres": mark("%(parameter)s要写米，%(size)s像度数。"),
    "no_border_scan": mark("简报要从一次做完的交界研判来写。"),
    "border_not_scanned": mark("这次计算没有检验%(one)s与%(other)s的交界。"),
    "operation_without_run": mark("这次会战不是从交界研判提出的，没有可写简报的资料。"),
    "operation_of_old_run": mark(
        "提出会战所据的计算是旧版本的：用同样的时段和设置重新计算这条交界，简报就能写了。"
    ),
    **OPERATION_REFUSALS,
}
"""Every code of a `SpokenError`, in the words of a sentence with its values."""
_LOCALES: tuple[Locale, ...] = ("zh", "en")
_UNTOLD = mark("资料或参数不适合这种算法，没有算完。技术说明：%(error)s")


def refusal_text(error: str, code: str | None, values: Mapping[str, object] | None, *, locale: Locale) -> str:
    """Say why something cannot be computed.

    Parameters
    ----------
    error : str
        The English sentence of the error, shown as it is where its code is not known here.
    code : str or None
    values : mapping or None
        Of the error.
    locale : {"zh", "en"}

    Notes
    -----
    A failure of an older version, or of a newer one, may carry other values than its sentence has room for today:
    it is told by its English sentence then, never by an error about an error.
    """
    say = texts_in(locale)
    sentence = REFUSALS.get(code or "")
    if sentence is not None:
        try:
            return say(sentence) % _named(values or {}, locale=locale)
        except KeyError:
            pass
    return error if locale == "en" else say(_UNTOLD, error=error)


def _named(values: Mapping[str, object], *, locale: Locale) -> dict[str, object]:
    """Call a parameter by the name that people read, with the one that programs write, and its unit by its word."""
    named = dict(values)
    if named.get("unit"):
        word = unit_text(str(named["unit"]), locale=locale)
        named["unit"] = word if locale == "zh" else f" {word}"
    if "parameter" in named:
        name = str(named["parameter"])
        # One of another version has no name for people.
        with contextlib.suppress(KeyError):
            named["parameter"] = f"{parameter_text(name, locale=locale)} ({name})"
    return named


def in_both_languages(error: Exception, *, sign: str = " / ") -> str:
    """Say an error in Chinese and English where its code is known here, else by its own sentence.

    Parameters
    ----------
    error : Exception
    sign : str
        Between the two.
    """
    code = getattr(error, "code", None)
    if code not in REFUSALS:
        return str(error)
    values = getattr(error, "values", None)
    return sign.join(refusal_text(str(error), code, values, locale=locale) for locale in _LOCALES)
