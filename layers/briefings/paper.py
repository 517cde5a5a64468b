"""A briefing laid out as headings, sentences, tables and pictures: what all four forms are written from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

    from layers.briefings.maps import Picture

Align = Literal["left", "right", "center"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A table whose head repeats on every page.

    Parameters
    ----------
    caption : str
        What it counts, when, out of how many.
    head : tuple of str
    rows : tuple of tuple of str
        As many cells in each as in the head.
    widths : tuple of float
        Relative widths of the columns.
    aligns : tuple of {"left", "right", "center"}
    strong : frozenset of int
        Rows that passed their test: their first two cells stand out.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    aligns: tuple[Align, ...]
    strong: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figure:
    """A picture with its caption.

    Parameters
    ----------
    picture : Picture
    caption : str
    """

    picture: Picture
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """Bars over hours or days; native where a form has native charts.

    Parameters
    ----------
    title : str
    labels : tuple of str
    values : tuple of float
        Incidents, >= 0.
    picture : Picture
        The same as a drawing.
    caption : str
    marked : frozenset of int
        Bars that are drawn darker; all alike where there is none.
    """

    title: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    picture: Picture
    caption: str
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sentences:
    """Sentences, as paragraphs or as a list.

    Parameters
    ----------
    lines : tuple of str
    is_list : bool
    """

    lines: tuple[str, ...]
    is_list: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Card:
    """One zone or chain close up: a heading, what is told of it, and its map or tables.

    Parameters
    ----------
    title : str
    facts : tuple of (str, str)
        What it is about, and what is known.
    figure : Figure or None
    tables : tuple of Table
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    figure: Figure | None = None
    tables: tuple[Table, ...] = ()


Block = Table | Figure | Chart | Sentences | Card


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """A numbered part with its blocks.

    Parameters
    ----------
    title : str
    blocks : tuple of Block
    """

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paper:
    """A whole briefing, laid out.

    Parameters
    ----------
    title, subtitle : str
    period_text : str
    generated_on : date
    classification : str
        On every page.
    banner : str
        What every page must say beside, as of synthetic data; may be empty.
    headline : str
        The verdict in a few words.
    is_proven : bool
    situation : tuple of str
        Sentences of facts.
    figures : tuple of (str, str)
        Numbers of the summary and what they count.
    map : Figure or None
    summary : tuple of Block
        What else stands on the first page.
    parts : tuple of Part
    footer : str
        Run, hash and version, on every page.
    """

    title: str
    subtitle: str
    period_text: str
    generated_on: date
    classification: str
    banner: str
    headline: str
    is_proven: bool
    situation: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    map: Figure | None
    summary: tuple[Block, ...]
    parts: tuple[Part, ...]
    footer: str
