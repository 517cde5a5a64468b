"""Draw cable lines quietly, by branch; the browser fetches them page by page when they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.basemap import MapLayer
from layers.texts import mark

if TYPE_CHECKING:
    from layers.texts import Texts

KIND_WORDS = {
    "copper": mark("铜缆"),
    "optical": mark("光缆"),
    "power": mark("电力线"),
    "coaxial": mark("同轴电缆"),
}
LAYING_WORDS = {"aerial": mark("架空"), "buried": mark("直埋"), "duct": mark("管道")}
SECTORS = ("power", "telecom", "broadcasting", "other")
"""Branches with a colour and a dash of their own; any other is drawn as ``other``."""


def line_layer(url: str, *, number: int, say: Texts) -> MapLayer:
    """Draw the segments behind an address.

    Parameters
    ----------
    url : str
        Of a GeoJSON page with ``line_name``, ``sector``, ``kind``, ``pairs``, ``laying``, ``owner`` and, when
        there is more, ``next``.
    number : int
        Position of the map.
    say : Texts
    """
    words = {key: say(word) for key, word in (KIND_WORDS | LAYING_WORDS).items()}
    return MapLayer("lines", {"url": url, "words": words}, number=number)
