"""Keep data from being run: no second template compile in branca, and text made harmless for HTML and scripts.

branca puts text that it has already rendered into ``Element(text)``, and ``Element`` compiles its text as a
Jinja template without a sandbox. Whatever a map shows (a place, a title, a layer's name) would so be executed
on the server: ``{{7*7}}`` shows 49, a stray ``{{`` ends in an error. `install_guard` takes the second compile
away; nothing that we draw needs it, and pages render several times faster.
"""

from __future__ import annotations

import functools
import html
from typing import TYPE_CHECKING, Any

from branca.element import Element

if TYPE_CHECKING:
    from collections.abc import Callable

_CHILDREN_LOOP = "{% for name, element in this._children.items() %}{{element.render(**kwargs)}}{% endfor %}"
"""The one template string that branca itself hands to an element, compared without white space."""

_ENTITIES = {ord(sign): f"&#{ord(sign)};" for sign in "`$\\{}"} | {ord("\r"): "", ord("\n"): "<br>"}


class _Verbatim:
    """Stand where branca expects a compiled template, and give the text back as it came."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def render(self, **_: Any) -> str:
        """Return the text unchanged."""
        return self._text


def _is_children_loop(text: str) -> bool:
    return "".join(text.split()) == "".join(_CHILDREN_LOOP.split())


def install_guard() -> None:
    """Make every branca element take a template string as finished text; calling it again changes nothing.

    Notes
    -----
    Templates of classes are code and stay templates. Strings given to an instance are data. An element that
    is unpickled or copied deeply goes the same way as one that is made.
    """
    if getattr(Element.__init__, "is_guarded", False):
        return
    Element.__init__ = _guarded(Element.__init__)  # type: ignore[method-assign] # the point of the guard
    Element.__setstate__ = _restored  # type: ignore[method-assign] # the point of the guard


def _guarded(make: Callable[..., None]) -> Callable[..., None]:
    """Wrap the constructor so that its string is never compiled."""

    @functools.wraps(make)
    def make_verbatim(self: Element, template: str | None = None, template_name: str | None = None) -> None:
        if template is None or _is_children_loop(template):
            make(self, template, template_name)
            return
        make(self, None, None)
        self._template_str = template
        self._template = _Verbatim(template)  # type: ignore[assignment] # stands in for a template

    make_verbatim.is_guarded = True  # type: ignore[attr-defined] # the mark that makes this idempotent
    return make_verbatim


def _restored(self: Element, state: dict[str, Any]) -> None:
    """Give an unpickled element its text back, uncompiled."""
    text = state.get("_template_str")
    self.__dict__.update(state)
    if text is not None:
        Element.__init__(fresh := Element.__new__(Element), text)
        self._template = fresh._template  # noqa: SLF001 - the attribute branca's own __setstate__ sets
    elif state.get("_template_name") is not None:
        from branca.element import ENV

        self._template = ENV.get_template(state["_template_name"])


def escape_text(text: str) -> str:
    """Return text that is inert in HTML, in attributes and inside backtick strings of a script.

    For the few places where Leaflet takes markup only (the attribution of a base map). Everything else
    reaches the page as JSON and is shown by ``textContent``.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        ``& < > " '`` as entities, then backtick, ``$``, backslash, ``{`` and ``}`` as numeric entities, and
        newlines as ``<br>``.

    Examples
    --------
    >>> escape_text("<b>${x}</b>")
    '&lt;b&gt;&#36;&#123;x&#125;&lt;/b&gt;'
    """
    return html.escape(text, quote=True).translate(_ENTITIES)
