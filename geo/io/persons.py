"""Refuse files that carry persons: names, ID numbers, phones or plates, by header and by content."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING

from geo.errors import Fault, PersonalDataError
from geo.io.aliases import ALIAS_FOLDER, plain_word, read_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SHARE = 0.2
"""A column is refused when at least this share of its filled cells, and at least `LEAST`, name persons."""
LEAST = 2
CODE_SHARE = 0.5
"""In a column of codes the share is higher and single cells are let pass: one in eleven codes of the form
area + date + serial has a right check digit by chance."""
CODE_LEAST = 3

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_ID = re.compile(r"(?<![\d.])[1-8]\d{16}[\dXx](?![\dA-Za-z])", re.ASCII)
# Prefixes handed out to persons; the numbers of machines (140, 141, 144, 146, 148) are left out.
_MOBILE = re.compile(
    r"(?<![\d.])(?<!\d-)(?:\+?86[- ]?)?"
    r"(?:13\d|14[579]|15[0-35-9]|16[2567]|17[0-35-8]|18\d|19[0-35-9])([- ]?)\d{4}\1\d{4}(?!-?\d)",
    re.ASCII,
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·.\- ]?"
    r"(?=[A-HJ-NP-Z]*\d)[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳](?![A-Za-z0-9])",
    re.ASCII,
)
_MAYBE = re.compile(
    r"1[\d\- ]{10}|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z]|\d{17}", re.ASCII
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+", re.ASCII)


def is_identity_number(text: str) -> bool:
    """Tell whether 18 characters are a Chinese identity number: a day of birth and a right check digit."""
    digits = text[:17]
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return 1900 <= born.year <= 2100 and _CHECK[total % 11] == text[17].upper()  # noqa: PLR2004 - years of birth


def names_a_person(text: str) -> bool:
    """Tell whether text holds an identity number, a mainland mobile number or a Chinese plate."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if not _MAYBE.search(text):
        return False
    if any(is_identity_number(match[0]) for match in _ID.finditer(text)):
        return True
    return bool(_MOBILE.search(text) or _PLATE.search(text))


def _tokens(word: str) -> str:
    """Return an English header as words between blanks: ``suspectName`` -> `` suspect name ``."""
    return f" {' '.join(_WORD.findall(_CAMEL.sub(' ', unicodedata.normalize('NFKC', word)).casefold()))} "


def _matches(word: str, rule: dict[str, str]) -> bool:
    if rule["match"] == "exact":
        return plain_word(word) == plain_word(rule["word"])
    if rule["word"].isascii():
        return f" {rule['word']} " in _tokens(word)
    return rule["word"] in plain_word(word)


def is_person_word(word: str, *, kind: str, folder: Path = ALIAS_FOLDER) -> bool:
    """Tell whether a header word announces persons in a file of this kind.

    The words stand in ``data/aliases/person_words.csv``: word, match (contains, tokens, exact, allow) and
    the kinds of file it counts for (``|`` between them, blank for all); `allow` wins, so that 嫌疑人数 may be counted.
    """
    return _is_person_word(word, _rules(kind, folder))


def _rules(kind: str, folder: Path) -> list[dict[str, str]]:
    rules = read_words("person_words", folder=folder)
    return [rule for rule in rules if not rule["kinds"] or kind in rule["kinds"].split("|")]


def _is_person_word(word: str, rules: list[dict[str, str]]) -> bool:
    found = {rule["match"] for rule in rules if _matches(word, rule)}
    return bool(found) and "allow" not in found


def refuse_person_columns(
    header: Sequence[str],
    rows: Sequence[tuple[int, Sequence[str]]],
    *,
    kind: str,
    codes: frozenset[int] = frozenset(),
    skipped: frozenset[int] = frozenset(),
    header_row: int | None = 1,
) -> tuple[Fault, ...]:
    """Refuse a table with a column of persons; point out single cells that name one.

    Parameters
    ----------
    header : sequence of str
        Column words as written.
    rows : sequence of (int, sequence of str)
        Row number and cells.
    kind : str
        incidents, lines, areas or stations: in the last three `name` is the name of a thing.
    codes : frozenset of int
        Positions of columns of register numbers.
    skipped : frozenset of int
        Positions of columns whose content is checked elsewhere (shapes).
    header_row : int or None
        For the faults.

    Returns
    -------
    tuple of Fault
        ``personal_data`` for each single cell; their rows must not be taken in.

    Raises
    ------
    PersonalDataError
        One fault for each column of persons.
    """
    rules = _rules(kind, ALIAS_FOLDER)
    refused = [number for number, word in enumerate(header) if _is_person_word(word, rules)]
    single: list[Fault] = []
    for number, word in enumerate(header):
        if number in refused or number in skipped:
            continue
        filled = [(row, cells[number]) for row, cells in rows if cells[number]]
        found = [row for row, cell in filled if names_a_person(cell)]
        share, least = (CODE_SHARE, CODE_LEAST) if number in codes else (SHARE, LEAST)
        if len(found) >= least and len(found) >= share * len(filled):
            refused.append(number)
        elif number not in codes:
            message = "the cell holds an ID number, a phone or a plate of a person"
            single += [Fault(row, _shown(word, number), "personal_data", message) for row in found]
    if refused:
        faults = tuple(_refusal(header[number], number, header_row) for number in sorted(refused))
        names = ", ".join(fault.column or "" for fault in faults)
        raise PersonalDataError(f"the file carries data of persons in {names}; remove the columns", faults)
    return tuple(sorted(single, key=lambda fault: fault.row or 0))


def _shown(word: str, number: int) -> str:
    # A file without a header has a person in its first row: that is not to be repeated.
    return f"#{number + 1}" if names_a_person(word) else word


def _refusal(word: str, number: int, row: int | None) -> Fault:
    message = "this column holds names, ID numbers, phones or plates of persons"
    return Fault(row, _shown(word, number), "personal_data", message)
