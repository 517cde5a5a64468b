"""Build maps with folium as the builder, and take the figure apart so that our own page can hold it.

Importing this module installs the guard against branca's second template compile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import folium
from branca.element import CssLink, Figure, JavascriptLink, MacroElement
from folium.elements import JSCSSMixin
from folium.plugins import DualMap, MarkerCluster
from folium.template import Template

from geo.errors import MissingResourceError
from layers.assets import CLUSTER_CSS, CLUSTER_JS, LEAFLET_CSS, LEAFLET_JS, PROTOMAPS_JS, SYNC_JS
from layers.folium_guard import install_guard
from layers.payload import payload_text

if TYPE_CHECKING:
    from layers.assets import Asset

install_guard()

_OURS: dict[str, Asset] = {
    "leaflet": LEAFLET_JS,
    "leaflet_css": LEAFLET_CSS,
    "markerclusterjs": CLUSTER_JS,
    "markerclustercss": CLUSTER_CSS,
    "Leaflet.Sync": SYNC_JS,
}
_NEEDLESS = (
    "jquery",
    "bootstrap",
    "awesome_markers",
    "bootstrap_css",
    "glyphicons_css",
    "awesome_markers_font_css",
    "awesome_markers_css",
    "awesome_rotate_css",
    "markerclusterdefaultcss",
)
"""Names under which folium links what none of our layers uses."""
_LINKS = {
    url: _OURS.get(name)
    for owner in (folium.Map, MarkerCluster, DualMap)
    for name, url in (*owner.default_js, *owner.default_css)
    if name in _OURS or name in _NEEDLESS
} | {PROTOMAPS_JS.url: PROTOMAPS_JS}
"""folium's address -> our asset, or None for nothing. Read once: folium lets anybody change these lists later."""


def asset_for(url: str) -> Asset | None:
    """Return our own file for an address that folium links, or None where nothing is needed.

    Parameters
    ----------
    url : str
        As in folium's ``default_js`` and ``default_css``.

    Raises
    ------
    MissingResourceError
        If the table does not know it: no address of others ever reaches a page.
    """
    try:
        return _LINKS[url]
    except KeyError:
        raise MissingResourceError("a map element links a script that is not among our assets") from None


class BaseMap(folium.Map):
    """Make a Leaflet map without tiles; `static/app.js` gives it panes, scale and keys.

    Parameters
    ----------
    number : int
        Position on the page; names follow it, so that equal input gives equal bytes.
    label : str
        What screen readers call the map.
    waiting : str
        Shown until the map is drawn.
    """

    _template = Template(
        """
        {% macro html(this, kwargs) %}
        <div class="map" id={{ this.get_name()|tojson }} role="region" aria-label="{{ this.label|e }}" data-waiting="{{ this.waiting|e }}"></div>
        {% endmacro %}
        {% macro script(this, kwargs) %}
        const {{ this.get_name() }} = huxian.addMap({{ this.get_name()|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, number: int, *, label: str, waiting: str) -> None:
        # folium's constructor asks for the name already.
        self.number = number
        self.label = label
        self.waiting = waiting
        super().__init__(tiles=None, location=(0, 0))

    def get_name(self) -> str:
        """Return the name of the element and of its variable."""
        return f"map_{self.number}"


class PairedMap(BaseMap):
    """Make one of two maps side by side; they move together."""

    default_js = [*BaseMap.default_js, *DualMap.default_js]  # noqa: RUF012 - declared so by folium


class MapLayer(JSCSSMixin, MacroElement):
    """Pass data to one drawing function of `static/app.js`; every layer of the house is one of these.

    Parameters
    ----------
    key : str
        One of `layers.views.LAYER_KEYS`.
    data : object
        What `payload_text` can write.
    number : int
        Position of the map on the page.
    """

    _template = Template(
        """
        {% macro html(this, kwargs) %}
        <script type="application/json" id={{ this.get_name()|tojson }}>{{ this.payload }}</script>
        {% endmacro %}
        {% macro script(this, kwargs) %}
        huxian.addLayer({{ this._parent.get_name() }}, {{ this.key|tojson }}, {{ this.get_name()|tojson }});
        {% endmacro %}
        """
    )
    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - declared so by folium
    default_css: list[tuple[str, str]] = []  # noqa: RUF012 - declared so by folium

    def __init__(self, key: str, data: object, *, number: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # branca says no types here
        self.key = key
        self.number = number
        self.payload = payload_text(data)

    def get_name(self) -> str:
        """Return the id of the data block."""
        return f"{self.key}_{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureParts:
    """A figure taken apart.

    Parameters
    ----------
    scripts, styles : tuple of str
        Our own addresses of what must be loaded, in order.
    html : str
        The map's element and its blocks of data.
    script : str
        Calls of our own functions; the names it uses are made by `BaseMap` and `MapLayer` only.
    """

    scripts: tuple[str, ...]
    styles: tuple[str, ...]
    html: str
    script: str


def figure_parts(built: BaseMap) -> FigureParts:
    """Render a map and return its parts for our own page.

    Parameters
    ----------
    built : BaseMap
        With its layers.

    Returns
    -------
    FigureParts

    Raises
    ------
    MissingResourceError
        If an element links a script or style that is not among our assets, or brings a header of its own.
    """
    figure = built.get_root()
    if not isinstance(figure, Figure):
        raise MissingResourceError("a map must stand in a figure")
    for child in list(figure._children.values()):  # noqa: SLF001 - as branca's own render does
        child.render()
    scripts: list[str] = []
    styles: list[str] = []
    for name, child in figure.header._children.items():  # noqa: SLF001 - there is no other way in
        if isinstance(child, JavascriptLink | CssLink):
            asset = asset_for(child.url)
            if asset is not None:
                (scripts if isinstance(child, JavascriptLink) else styles).append(asset.url)
        elif name != "meta_http":
            raise MissingResourceError("a map element brings a header that our page does not know")
    return FigureParts(
        scripts=tuple(scripts),
        styles=tuple(styles),
        html=figure.html.render(),
        script=figure.script.render(),
    )
