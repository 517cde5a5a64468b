"""Say what a page shows of one analysis besides its map: what can be asked, what was asked, what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.views import Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterField:
    """One parameter of the analysis as a field of the form.

    Parameters
    ----------
    name : str
        As in the address.
    label : str
        What it means, in the language of the page.
    form : str
        ``whole``, ``number``, ``numbers``, ``choice`` or ``period``.
    value, default : str
        As it stands in the field, now and when nobody changed it.
    unit : str
    least, most : float or None
    among : tuple of (value, label)
        What a choice chooses from.
    """

    name: str
    label: str
    form: str
    value: str
    default: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    among: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The analysis of a page.

    Parameters
    ----------
    kind : str
        Name of the kind of run.
    title, purpose, proves : str
        What it is called, when to use it, what its result proves.
    for_commanders, for_analysts : tuple of (kind, title)
        What can be chosen.
    fields : tuple of ParameterField
    request : mapping or None
        Body of ``POST /runs`` that asks for what the page shows; None where its figures do not fit together.
    conflict : str
        What does not fit together, in the language of the page; empty where nothing more can be said.
    is_paired : bool
        Whether the same period a year before can stand beside it: only what draws on the map can.
    """

    kind: str
    title: str
    purpose: str
    proves: str
    for_commanders: tuple[Choice, ...]
    for_analysts: tuple[Choice, ...]
    fields: tuple[ParameterField, ...] = ()
    request: Mapping[str, Any] | None = None
    conflict: str = ""
    is_paired: bool = True
