"""Read the catalogues of sectors, categories and indicators, and check that they hold together."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from geo.errors import Fault, FileRejectedError, MissingResourceError
from geo.io.aliases import plain_word, read_values

if TYPE_CHECKING:
    from collections.abc import Iterable

CATALOGUE_FOLDER = Path(__file__).resolve().parents[2] / "data" / "catalogues"
_CODE = re.compile(r"[a-z][a-z0-9_]{1,40}", re.ASCII)
_CABLE_KINDS = ("", "copper", "optical", "power", "coaxial")
_COLUMNS = {
    "sectors": ("code", "name_zh", "name_en", "sort_order"),
    "categories": ("code", "parent_code", "name_zh", "name_en", "sort_order", "cable_kind"),
    "indicators": ("code", "name_zh", "name_en", "unit"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogues:
    """The three catalogues, each a frame in the order of its file.

    Parameters
    ----------
    sectors : DataFrame
        code, name_zh, name_en, sort_order.
    categories : DataFrame
        code, parent_code (None at the top), name_zh, name_en, sort_order, cable_kind (the kind of cable
        that such a case concerns, None where it may be any); parents stand before children.
    indicators : DataFrame
        code, name_zh, name_en, unit.
    """

    sectors: pd.DataFrame
    categories: pd.DataFrame
    indicators: pd.DataFrame


def read_catalogues(folder: Path = CATALOGUE_FOLDER) -> Catalogues:
    """Read ``sectors.csv``, ``categories.csv`` and ``indicators.csv`` of a folder.

    Raises
    ------
    MissingResourceError
        If a file is not there.
    FileRejectedError
        Listing every row whose code is bad or repeated, whose parent does not stand before it, whose name
        is empty or whose order is no number.
    """
    return Catalogues(
        sectors=_read(folder, "sectors"),
        categories=_read(folder, "categories"),
        indicators=_read(folder, "indicators"),
    )


def coded_words(catalogue: pd.DataFrame, column: str) -> dict[str, str]:
    """Return plain word -> code from the codes and both names of a catalogue and from the alias table.

    Parameters
    ----------
    catalogue : DataFrame
        A frame of `Catalogues`.
    column : str
        category or sector: whose aliases are added, where the catalogue knows their codes.
    """
    codes = set(catalogue["code"])
    words = {word: code for word, code in read_values(column).items() if code in codes}
    for name in ("name_en", "name_zh", "code"):
        words |= {
            plain_word(word): code for word, code in zip(catalogue[name], catalogue["code"], strict=True)
        }
    return words


def _read(folder: Path, name: str) -> pd.DataFrame:
    try:
        text = (folder / f"{name}.csv").read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise MissingResourceError(f"the catalogue {name}.csv is missing") from error
    reader = csv.DictReader(text.splitlines())
    columns = _COLUMNS[name]
    if tuple(reader.fieldnames or ()) != columns:
        message = f"the columns of {name}.csv must be {', '.join(columns)}"
        raise FileRejectedError(message, (Fault(1, None, "bad_header", message),))
    rows = [{column: (row[column] or "").strip() for column in columns} for row in reader]
    faults = tuple(_faults(rows))
    if faults:
        raise FileRejectedError(
            f"{name}.csv has {len(faults)} faults; the first: {faults[0].message}", faults
        )
    frame = pd.DataFrame(rows, columns=list(columns), dtype=object)
    if "sort_order" in columns:
        frame["sort_order"] = frame["sort_order"].astype("int64")
    for column in ("parent_code", "cable_kind"):
        if column in columns:
            frame[column] = frame[column].where(frame[column] != "", None)
    return frame


def _faults(rows: list[dict[str, str]]) -> Iterable[Fault]:
    known: set[str] = set()
    for number, row in enumerate(rows, start=2):
        if not _CODE.fullmatch(row["code"]):
            yield Fault(number, "code", "bad_code", "a code is lower-case letters, digits and underscores")
        if row["code"] in known:
            yield Fault(number, "code", "duplicate_key", "the code stands in the file twice")
        # Before it, and so also never below itself.
        if row.get("parent_code") and row["parent_code"] not in known:
            yield Fault(number, "parent_code", "unknown_parent", "the parent does not stand before its child")
        for column in ("name_zh", "name_en"):
            if not row[column]:
                yield Fault(number, column, "missing_value", "a name is empty")
        if not row.get("sort_order", "0").isascii() or not row.get("sort_order", "0").isdigit():
            yield Fault(number, "sort_order", "bad_number", "the order must be a whole number")
        if row.get("cable_kind", "") not in _CABLE_KINDS:
            yield Fault(number, "cable_kind", "unknown_word", "a kind is copper, optical, power or coaxial")
        known.add(row["code"])
