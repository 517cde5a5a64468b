"""Read single cells: text, numbers, quantities with Chinese units, coded words, yes or no."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from geo.errors import InvalidInputError
from geo.io.aliases import plain_word

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_MANGLED = re.compile(r"\d(?:\.\d+)?e\+\d+", re.ASCII | re.IGNORECASE)
_QUANTITY = re.compile(
    r"(?P<about>约|大约|近|至少)?(?P<number>[+-]?[\d.,]+(?:e[+-]?\d{1,3})?)(?P<more>余|多)?\s*"
    r"(?P<unit>[^\d\s余多以左]*?)(?P<still>余|多)?(?P<tail>元|米)?(?P<end>左右|以上)?",
    re.ASCII | re.IGNORECASE,
)
# Only the full-width forms and the ideographic space: whole NFKC would make 102 of 10².
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

UNITS: dict[str, dict[str, int | Decimal]] = {
    "yuan": {"元": 1, "万元": 10_000, "万": 10_000, "亿元": 100_000_000, "yuan": 1, "rmb": 1},
    "m": {"米": 1, "公里": 1000, "千米": 1000, "m": 1, "km": 1000},
    "hours": {
        "小时": 1,
        "时": 1,
        "h": 1,
        "hours": 1,
        "分钟": Decimal(1) / 60,
        "min": Decimal(1) / 60,
        "天": 24,
    },
}
"""What a quantity is measured in -> unit as written -> factor."""

UNIT_WORDS = frozenset(word for family in UNITS.values() for word in family)


class CellError(InvalidInputError):
    """A cell cannot be what its column says; `code` is for machines, `column` overrides where it stood."""

    def __init__(self, code: str, message: str, *, column: str | None = None) -> None:
        super().__init__(message)
        self.code: str = code
        self.column = column


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured value and how exactly it was written: exact, at_least or approx."""

    value: float
    qualifier: str


def narrow(text: str) -> str:
    """Return text with full-width letters, digits and punctuation made narrow."""
    return text.translate(_NARROW).strip()


def text_cell(longest: int) -> Callable[[str, str], str]:
    """Return a parser of text as written, at most `longest` characters."""

    def parse(text: str, unit: str) -> str:  # noqa: ARG001 - every parser has one signature
        if len(text) > longest:
            raise CellError("text_too_long", f"the text is longer than {longest} characters")
        return text

    return parse


def key_cell(text: str, unit: str) -> str:  # noqa: ARG001 - every parser has one signature
    """Return a key as written; refuse one that a spreadsheet shortened to a power of ten."""
    if _MANGLED.fullmatch(text):
        raise CellError("mangled_number", "a spreadsheet shortened this number; write the column as text")
    if len(text) > 100:  # noqa: PLR2004 - no register numbers its rows longer
        raise CellError("text_too_long", "the number is longer than 100 characters")
    return text


def read_number(text: str) -> Decimal:
    """Read a number with full-width digits or thousands separators.

    Raises
    ------
    CellError
        ``bad_number`` if it is none, or not finite.

    Examples
    --------
    >>> read_number("３，５００．５")
    Decimal('3500.5')
    """
    plain = narrow(text)
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    elif not _NUMBER.fullmatch(plain):
        raise CellError("bad_number", "this is not a number")
    value = Decimal(plain)
    if not math.isfinite(float(value)):
        raise CellError("bad_number", "the number is too large")
    return value


def number_cell(low: float, high: float, *, unit_of: str = "") -> Callable[[str, str], float]:
    """Return a parser of numbers from `low` to `high`; `unit_of` names a family of `UNITS`."""

    def parse(text: str, unit: str) -> float:
        value = read_quantity(text, unit, family=unit_of).value if unit_of else float(read_number(text))
        if not low <= value <= high:
            raise CellError("out_of_range", f"the number must lie between {low:g} and {high:g}")
        return value

    return parse


def integer_cell(low: int, high: int) -> Callable[[str, str], int]:
    """Return a parser of whole numbers from `low` to `high`."""

    def parse(text: str, unit: str) -> int:  # noqa: ARG001 - every parser has one signature
        value = read_number(text)
        # The range comes first: int() of a huge exponent would fill the memory.
        if not low <= value <= high:
            raise CellError("out_of_range", f"the number must lie between {low} and {high}")
        if value != int(value):
            raise CellError("bad_number", "this must be a whole number")
        return int(value)

    return parse


def read_quantity(text: str, unit: str = "", *, family: str) -> Quantity:
    """Read a quantity as people write it.

    Parameters
    ----------
    text : str
        For instance ``3,500``, ``1.2万元``, ``3000余元``, ``约5万``.
    unit : str
        Unit of the header; a unit in the cell wins.
    family : str
        A key of `UNITS`; the value is in its base unit.

    Returns
    -------
    Quantity

    Raises
    ------
    CellError
        ``bad_number`` or ``bad_unit``.

    Examples
    --------
    >>> read_quantity("1.2万余元", family="yuan")
    Quantity(value=12000.0, qualifier='at_least')
    """
    match = _QUANTITY.fullmatch(narrow(text))
    if match is None:
        raise CellError("bad_number", "this is not a number")
    written = ((match["unit"] or "") + (match["tail"] or "")).casefold()
    units = UNITS[family]
    factor = units.get(written or unit or next(iter(units)))
    if factor is None:
        raise CellError("bad_unit", f"this unit is none of {', '.join(units)}")
    value = float(read_number(match["number"]) * factor)
    if not math.isfinite(value):
        raise CellError("bad_number", "the number is too large")
    return Quantity(value, _qualifier(match))


def _qualifier(match: re.Match[str]) -> str:
    if match["more"] or match["still"] or match["end"] == "以上" or match["about"] == "至少":
        return "at_least"
    return "approx" if match["about"] or match["end"] else "exact"


def choice_cell(words: dict[str, str], *, code: str) -> Callable[[str, str], str]:
    """Return a parser of coded words.

    Parameters
    ----------
    words : dict of str to str
        Plain word -> code; see `geo.io.aliases.plain_word`.
    code : str
        Code of the fault for an unknown word.
    """
    known = ", ".join(sorted(set(words.values())))

    def parse(text: str, unit: str) -> str:  # noqa: ARG001 - every parser has one signature
        value = words.get(plain_word(text))
        if value is None:
            raise CellError(code, f"this word is not known; write one of {known}")
        return value

    return parse


def flag_cell(words: dict[str, str]) -> Callable[[str, str], bool]:
    """Return a parser of yes or no; `words` maps plain words to ``yes`` and ``no``."""
    parse_word = choice_cell(words | {"yes": "yes", "no": "no"}, code="unknown_word")

    def parse(text: str, unit: str) -> bool:
        return parse_word(text, unit) == "yes"

    return parse
