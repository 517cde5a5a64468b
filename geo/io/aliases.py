"""Resolve header words and cell words of files through alias tables that users extend.

The tables are plain files: ``data/aliases/<kind>.csv`` (alias, column) for headers and
``data/aliases/values.csv`` (column, alias, value) for coded cells.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

from geo.errors import MissingResourceError

ALIAS_FOLDER = Path(__file__).resolve().parents[2] / "data" / "aliases"
_GAPS = re.compile(r"[\s_\-]+")
_BRACKETS = re.compile(r"[()\[\]【】{}]")
_UNIT_AT_END = re.compile(r"[(\[【]([^()\[\]【】]+)[)\]】]$")


def plain_word(text: str) -> str:
    """Return a word as it is compared: NFKC, lower case, without gaps."""
    return _GAPS.sub("", unicodedata.normalize("NFKC", text).casefold())


def read_words(name: str, *, folder: Path = ALIAS_FOLDER) -> list[dict[str, str]]:
    """Return the rows of one alias table.

    Raises
    ------
    MissingResourceError
        If the table is not where it belongs.
    """
    path = folder / f"{name}.csv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise MissingResourceError(f"the table of words {name}.csv is missing from data/aliases") from error


def read_aliases(kind: str, columns: tuple[str, ...], *, folder: Path = ALIAS_FOLDER) -> dict[str, str]:
    """Return plain word -> column for the headers of one kind of file.

    Parameters
    ----------
    kind : str
        incidents, lines, areas or stations.
    columns : tuple of str
        The columns themselves, which always count as their own alias.
    folder : Path
        Where the tables are.

    Returns
    -------
    dict of str to str
    """
    words = {
        _BRACKETS.sub("", plain_word(row["alias"])): row["column"] for row in read_words(kind, folder=folder)
    }
    return words | {plain_word(column): column for column in columns}


def read_values(column: str, *, folder: Path = ALIAS_FOLDER) -> dict[str, str]:
    """Return plain word -> code for the coded cells of one column."""
    return {
        plain_word(row["alias"]): row["value"]
        for row in read_words("values", folder=folder)
        if row["column"] == column
    }


def read_value_names(*, folder: Path = ALIAS_FOLDER) -> dict[str, dict[str, str]]:
    """Return column -> code -> the first Chinese word for it, for showing coded cells to people."""
    names: dict[str, dict[str, str]] = {}
    for row in read_words("values", folder=folder):
        if not row["alias"].isascii():
            names.setdefault(row["column"], {}).setdefault(row["value"], row["alias"])
    return names


def read_column_names(*, folder: Path = ALIAS_FOLDER) -> dict[str, tuple[str, str]]:
    """Return column -> what people call it, in Chinese and in English."""
    return {
        row["column"]: (row["name_zh"], row["name_en"]) for row in read_words("column_names", folder=folder)
    }


def resolve_header(word: str, aliases: dict[str, str], units: frozenset[str]) -> tuple[str | None, str]:
    """Return the column that a header word means, and the unit it carries.

    Parameters
    ----------
    word : str
        As written, for instance ``直接损失（万元）``.
    aliases : dict of str to str
        From `read_aliases`.
    units : frozenset of str
        Units that a header may carry, in brackets or as an ending.

    Returns
    -------
    tuple of (str or None, str)
        Column (None when unknown) and unit ("" when none).
    """
    plain = plain_word(word)
    whole = aliases.get(_BRACKETS.sub("", plain))
    if whole is not None:
        return whole, ""
    bracket = _UNIT_AT_END.search(plain)
    if bracket and bracket[1] in units:
        return aliases.get(_BRACKETS.sub("", plain[: bracket.start()])), bracket[1]
    # The longest ending first: 万元 before 元.
    for unit in sorted(units, key=len, reverse=True):
        if plain.endswith(unit) and plain[: -len(unit)] in aliases:
            return aliases[plain[: -len(unit)]], unit
    return None, ""
