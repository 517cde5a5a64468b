"""Say what each kind of run is for, what it proves, and what its parameters mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layers.texts import mark, texts_in

if TYPE_CHECKING:
    from layers.views import Locale


@dataclass(frozen=True, slots=True, kw_only=True)
class KindText:
    """What people read of a kind of run.

    Parameters
    ----------
    title : str
    purpose : str
        When to use it.
    proves : str
        What its result does and does not prove.
    """

    title: str
    purpose: str
    proves: str


_KINDS = {
    "hotspots": (
        mark("查找热点"),
        mark("哪里的案件比线路暴露量说得过去的多；方法按资料自动选择，并说明理由。"),
        mark("通过整幅图检验、位置抽样稳定、按线路比较、案件为全部发案的，认定为热点。"),
    ),
    "borders": (
        mark("交界热点"),
        mark("市界、县界两侧的案件合起来看，有没有被界线切成两半、单侧看不出来的集中。"),
        mark(
            "全部交界一起检验，位置抽样稳定、按线路比较、案件为全部发案的，认定为热点；并说明单侧能否发现。"
        ),
    ),
    "compare": (
        mark("对比时段"),
        mark("各地与上年同期（或指定时段）相比，升降是否超出偶然。"),
        mark("每地一个E检验，按Holm校正；名次分档说明哪些地方分不出先后；不认定热点。"),
    ),
    "sections": (
        mark("重点看护区段"),
        mark("线路上哪几段案件集中，写明线路、起止桩号、权属和责任单位。"),
        mark("每段一个整网检验的p值；另给出集中度和重复被盗。"),
    ),
    "hours": (
        mark("发案时段"),
        mark("案件落在一天哪几个小时、一周哪几天；区间案件按重叠时间分摊。"),
        mark("只描述时间分布，不认定热点。"),
    ),
    "knox": (
        mark("临近重复"),
        mark("一处发案后，附近短期内再发案是否多于偶然，多远、多久。"),
        mark("时空对数与打乱日期后相比，按格给出比值和p；不指明地点。"),
    ),
    "emerging": (
        mark("热点演变"),
        mark("格子里的聚集是新出现、加强、持续还是减退。"),
        mark("逐期Gi*加趋势检验；没有线路暴露量，不认定热点。"),
    ),
    "poisson_scan": (
        mark("空间扫描"),
        mark("以圆形窗口比较窗内外案件与暴露量之比。"),
        mark("窗口最大值的蒙特卡罗检验，整幅图误报不超过5%。"),
    ),
    "space_time_scan": (
        mark("时空扫描"),
        mark("以圆柱窗口找出某地某段时间的集中：与各地自己平时比，或按暴露量比；在各县找，或沿线路找。"),
        mark("窗口最大值的蒙特卡罗检验，同时给出起止日期；按面积比较时不认定热点。"),
    ),
    "network_scan": (
        mark("线网扫描"),
        mark("窗口沿线路展开，不跨越没有线路的地方。"),
        mark("窗口最大值的蒙特卡罗检验，暴露量在线路上计。"),
    ),
    "gi_star": (
        mark("局部Gi*"),
        mark("格子和邻格的案件数是否高于整体。"),
        mark("给出单格p和整幅图p；没有线路暴露量，不认定热点。"),
    ),
    "local_moran": (
        mark("局部Moran"),
        mark("高值与高值相邻、低值与低值相邻，以及孤立的高低值。"),
        mark("只描述相邻的相似，不认定热点。"),
    ),
    "dbscan": (
        mark("密度聚类DBSCAN"),
        mark("相距不远的案件连成团。"),
        mark("没有检验，随机散布的案件也会成团；只是候选。"),
    ),
    "st_dbscan": (
        mark("时空密度聚类"),
        mark("地点相近、时间也相近的案件连成团。"),
        mark("没有检验，只是候选。"),
    ),
    "hdbscan": (
        mark("层次密度聚类HDBSCAN"),
        mark("不同疏密的团一次找出，不用给定半径。"),
        mark("没有检验，只是候选。"),
    ),
    "kernel_density": (
        mark("平面密度"),
        mark("案件疏密的底图。"),
        mark("只是底图，从不认定热点。"),
    ),
    "network_density": (
        mark("线路密度"),
        mark("沿线路的案件疏密底图。"),
        mark("只是底图，从不认定热点。"),
    ),
}
_PARAMETERS = {
    "origin": mark("案件来源：报案、巡逻发现，或两者合计"),
    "replications": mark("模拟次数"),
    "seed": mark("随机种子"),
    "draws": mark("位置重抽次数"),
    "max_share": mark("窗口最多占暴露量的份额"),
    "least_m": mark("短于这个长度的区段按这个长度判断"),
    "max_length_m": mark("区段最长"),
    "step": mark("一期的长度"),
    "bandwidth_m": mark("带宽"),
    "cell_m": mark("网格边长"),
    "lixel_m": mark("线元长度"),
    "split": mark("路口分摊方式"),
    "eps_m": mark("邻域半径"),
    "eps_days": mark("邻域天数"),
    "min_samples": mark("最少案件数"),
    "min_cluster_size": mark("一团最少案件数"),
    "distance_bands": mark("距离分档的端点"),
    "time_bands": mark("时间分档的端点"),
    "metric": mark("距离算法"),
    "base": mark("对比的时段，缺省为上年同期"),
    "level": mark("区划级别"),
    "pair": mark("只看这两地的交界（两个区划代码），缺省为全部"),
    "depth_m": mark("交界带深入每一侧"),
    "step_m": mark("交界线每段的长度"),
    "model": mark("和什么比：各地自己平时的案件数，还是暴露量"),
    "places": mark("在哪些地方找"),
    "most_radius_m": mark("圆的最大半径（只用于线路）"),
    "tolerance_m": mark("线路端点相接的容差"),
    "snap_m": mark("案件到线路的最大距离"),
}


def kind_text(kind: str, *, locale: Locale) -> KindText:
    """Return what people read of a kind of run.

    Parameters
    ----------
    kind : str
        A name of `geo.runs.KINDS`.
    locale : {"zh", "en"}
    """
    say = texts_in(locale)
    title, purpose, proves = _KINDS[kind]
    return KindText(title=say(title), purpose=say(purpose), proves=say(proves))


def parameter_text(name: str, *, locale: Locale) -> str:
    """Say what a parameter of a run means.

    Parameters
    ----------
    name : str
        Of `geo.runs.own_parameters`.
    locale : {"zh", "en"}
    """
    return texts_in(locale)(_PARAMETERS[name])
