"""Put evidence of linked incidents into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.texts import mark

if TYPE_CHECKING:
    from layers.texts import Texts

REASONS = {
    "place": mark("地点近"),
    "time": mark("时间近"),
    "hour": mark("时段相近"),
    "category": mark("类别相同"),
    "items": mark("被盗物品相近"),
}
AGAINST = {
    "place": mark("地点远"),
    "time": mark("时间远"),
    "hour": mark("时段不同"),
    "category": mark("类别不同"),
    "items": mark("被盗物品不同"),
}
ITEMS = {
    "copper_cable": mark("铜芯电缆"),
    "optical_cable": mark("光缆"),
    "power_cable": mark("电力电缆"),
    "coaxial_cable": mark("同轴电缆"),
    "cable": mark("电缆"),
    "transformer": mark("变压器"),
    "battery": mark("蓄电池"),
    "battery_set": mark("蓄电池组"),
    "air_conditioner_outdoor_unit": mark("空调室外机"),
    "security_door": mark("防盗门"),
    "access_control": mark("门禁"),
    "other": mark("其他物品"),
}
_KM = 1_000.0
_FINE_KM = 100.0


def distance_text(metres: float, say: Texts) -> str:
    """Write a distance: metres below a kilometre, kilometres above."""
    if metres < _KM:
        return say("%(count)s米", count=f"{metres:.0f}")
    decimals = 1 if metres < _FINE_KM * _KM else 0
    return say("%(count)s公里", count=f"{metres / _KM:.{decimals}f}")


def odds_text(odds: float) -> str:
    """Write odds with as many digits as matter."""
    return f"{odds:.1f}" if odds >= 1 else f"{odds:.2f}"
