"""Choose the colours and classes of every picture; nothing else in the house names a colour.

Counts are one blue that darkens, density one ochre that thickens: the two differ for every kind of colour
vision and in grey. Red belongs to hotspots that passed their test and to nothing else. Lines of the
branches differ by dashes as well as by colour, so that a grey print can still tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

COLOURS = {
    "ground": "#eef0ee",
    "area": "#fcfcfa",
    "area-edge": "#c3cbd0",
    "city-edge": "#7d8993",
    "hatch": "#9aa4ab",
    "ink": "#1c2830",
    "quiet-ink": "#51606b",
    "incident": "#1c2830",
    "paper": "#ffffff",
    "proven": "#b8121b",
    "candidate": "#6b747b",
    "key-area": "#6a3d8f",
    "border-pair": "#1f7a68",
    "supervised": "#6a3d8f",
    "line-power": "#77570c",
    "line-telecom": "#17596c",
    "line-broadcasting": "#6b3d80",
    "line-other": "#5f676c",
}
"""Name -> colour; the page offers each as the CSS property ``--<name>``."""

COUNT_RAMP = ("#dce9f3", "#bfd7e9", "#9dc3df", "#7aadd3", "#5797c6")
"""From few to many."""

DENSITY_RAMP = ((246, 222, 164), (226, 178, 84), (184, 127, 30), (128, 82, 8))
"""Red, green, blue from thin to dense; opacity rises with it."""
DENSITY_OPACITY = (0.0, 0.5, 0.68, 0.8)

_FINE = 8
_STEPS = (1, 2, 5)
_NARROW = 0.3
_SPREAD = {1: (2,), 2: (1, 3), 3: (0, 2, 4), 4: (0, 1, 3, 4), 5: (0, 1, 2, 3, 4)}
"""Steps of the ramp that so many classes take: far apart, and never mistaken for nothing."""


@dataclass(frozen=True, slots=True)
class CountClass:
    """A class of counts with its colour.

    Parameters
    ----------
    lower, upper : int
        Both included.
    colour : str
    """

    lower: int
    upper: int
    colour: str

    @property
    def label(self) -> str:
        """Bounds as they stand in the legend."""
        return f"{self.lower}" if self.lower == self.upper else f"{self.lower}–{self.upper}"


def count_classes(most: int) -> tuple[CountClass, ...]:
    """Divide counts from 1 to the largest into at most five classes.

    Parameters
    ----------
    most : int
        Largest count on any map of the page, so that maps side by side share their classes.

    Returns
    -------
    tuple of CountClass
        Empty when nothing was counted. Up to five, each count is a class of its own, and up to eight all but
        the last; beyond, bounds are 1, 2 or 5 times a power of ten, about equally far apart on a logarithmic scale; a narrow rest
        at the top joins the class below.

    Examples
    --------
    >>> [each.label for each in count_classes(3)]
    ['1', '2', '3']
    >>> [each.label for each in count_classes(90)]
    ['1–5', '6–10', '11–20', '21–50', '51–90']
    """
    if most < 1:
        return ()
    uppers = [*range(1, min(most, len(COUNT_RAMP))), most] if most <= _FINE else _bounds(most)
    ramp = [COUNT_RAMP[step] for step in _SPREAD[len(uppers)]]
    lowers = [1, *(upper + 1 for upper in uppers[:-1])]
    return tuple(CountClass(*each) for each in zip(lowers, uppers, ramp, strict=True))


def _bounds(most: int) -> list[int]:
    """Return the upper bounds of five or fewer classes; the last one is the largest count."""
    steps = [step * 10**power for power in range(len(str(most))) for step in _STEPS]
    inner = [step for step in steps if step * (1 + _NARROW) <= most][-(len(COUNT_RAMP) - 1) :]
    return [*inner, most]
