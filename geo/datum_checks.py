"""Join staged rows and the check of their datum: whether they lie where a forgotten conversion puts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from geo.analysis.datum_shift import MOST_POINTS, datum_shift
from geo.store.staged_samples import lines_near, sample_points, stated_areas

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_WITH_RADIUS = ("incidents", "tickets", "places")
_WITHOUT_RADIUS = ("stations", "facilities")
# In coarser places the shift, some 500 m, is lost.
_COARSEST_M = 300.0

_SENTENCES = {
    "consistent": ("点位与线路、行政区相符", "The places agree with the lines and areas that are stored"),
    "looks_like_gcj02": (
        "点位整体偏离约 500 米，像是没有换算的 GCJ-02 坐标；请核对所选的坐标基准",
        "The places lie about 500 m off together, as GCJ-02 that was not converted; check the datum you chose",
    ),
    "looks_like_bd09": (
        "点位整体偏离约 1 公里，像是没有换算的 BD-09 坐标；请核对所选的坐标基准",
        "The places lie about 1 km off together, as BD-09 that was not converted; check the datum you chose",
    ),
    "looks_converted_twice": (
        "点位整体反向偏离，像是已经换算过一次的坐标；请核对所选的坐标基准",
        "The places lie off to the other side, as if converted before; check the datum you chose",
    ),
    "references_disagree": (
        "点位与线路、与行政区的比较结果不一致，无法判断坐标基准",
        "Lines and areas say different things about the places; the datum cannot be told",
    ),
    "not_enough_to_tell": (
        "可比较的点位不够，不足以判断坐标基准是否正确",
        "Too few places can be compared: not enough to tell whether the datum is right",
    ),
}


def datum_check(session: Session, kind: str, *, declared: str) -> dict[str, Any] | None:
    """Compare the staged points with the lines and areas that are stored.

    Parameters
    ----------
    session : Session
        With the rows staged in this transaction.
    kind : str
        One of `geo.io.file_kinds.KINDS`; lines and areas are references themselves and are not checked.
    declared : str
        Declared datum of the file.

    Returns
    -------
    dict or None
        ``verdict``, ``sentence_zh``, ``sentence_en``, ``n`` and the figures of each hypothesis; a warning
        only: nothing is moved.
    """
    if kind not in _WITH_RADIUS + _WITHOUT_RADIUS:
        return None
    has_radius = kind in _WITH_RADIUS
    points = sample_points(session, has_radius=has_radius, coarsest_m=_COARSEST_M, most=MOST_POINTS)
    found = datum_shift(
        points[["lon", "lat"]].to_numpy(dtype=float),
        declared=declared,
        precision_m=points["precision_m"].to_numpy(dtype=float),
        lines=lines_near(session, has_radius=has_radius, coarsest_m=_COARSEST_M, most=MOST_POINTS),
        areas=stated_areas(session),
        stated_areas=[None if pd.isna(area_id) else str(int(area_id)) for area_id in points["area_id"]],
    )
    zh, en = _SENTENCES[found.verdict]
    return {
        "verdict": found.verdict,
        "reason": found.reason,
        "sentence_zh": zh,
        "sentence_en": en,
        "n": found.n,
        "hypotheses": [
            {
                "name": each.name,
                "median_m": each.median_m,
                "share_inside": each.share_inside,
                "p": each.p,
            }
            for each in found.hypotheses
        ],
    }
