"""Read files of named places, the user's own gazetteer: villages, branch offices, streets, kilometre posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.frames import PLACE_PRECISIONS
from geo.io.aliases import plain_word, read_values
from geo.io.cells import CellError, choice_cell, key_cell, number_cell, text_cell
from geo.io.columns import read_kind
from geo.io.kinds import Column, FileKind, coded_column
from geo.io.occurrences import stated_place
from geo.io.times import day_cell

if TYPE_CHECKING:
    from geo.io.kinds import Row
    from geo.io.readings import Reading

KINDS = ("village", "township", "branch_office", "street", "km_post", "facility", "other")
_LONGEST_NAME = 100
_MOST_NAMES = 20


def read_places(data: bytes, *, file_name: str, datum: str) -> Reading:
    """Read a CSV or GeoJSON file of named places.

    Parameters
    ----------
    data : bytes
    file_name : str
    datum : str
        Declared datum; see `geo.io.shapes.declared_datum`.

    Returns
    -------
    Reading
        Points, EPSG:4326, with place_key (area and name where the file has no numbers), name, other_names
        (list of str), kind, area, place_precision, radius_m, valid_from, valid_until, declared_datum.

    Raises
    ------
    FileRejectedError
        If the file as a whole cannot be read.
    PersonalDataError
        If it has a column of persons.

    Notes
    -----
    A place must state its precision, its radius or both: the other one follows, and neither is guessed.
    """
    return read_kind(data, file_name=file_name, datum=datum, kind=place_kind())


def place_kind() -> FileKind:
    """Return what a file of places looks like."""
    return FileKind(
        name="places",
        columns=(
            Column("place_key", key_cell, is_code=True),
            Column("name", text_cell(_LONGEST_NAME), is_required=True),
            Column("other_names", _names_cell, default=()),
            Column("kind", choice_cell(_kind_words(), code="unknown_kind"), default="other"),
            Column("area", text_cell(_LONGEST_NAME)),
            coded_column("place_precision", PLACE_PRECISIONS, code="unknown_precision"),
            Column("radius_m", number_cell(1, 999_999, unit_of="m"), dtype="float64"),
            Column("valid_from", day_cell),
            Column("valid_until", day_cell),
        ),
        shape="Point",
        is_shape_required=True,
        key=("place_key",),
        finish=_finish,
    )


def _names_cell(text: str, unit: str) -> tuple[str, ...]:  # noqa: ARG001 - every parser has one signature
    """Return names between 、; commas and semicolons count as well."""
    words = text.translate(str.maketrans(",，;；|", "、、、、、")).split("、")
    names = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    if len(names) > _MOST_NAMES or any(len(name) > _LONGEST_NAME for name in names):
        message = f"at most {_MOST_NAMES} names of {_LONGEST_NAME} characters"
        raise CellError("text_too_long", message)
    return names


def _kind_words() -> dict[str, str]:
    """Return word -> kind; `kind` itself is the column of cables in the table of words."""
    return read_values("place_kind") | {plain_word(kind): kind for kind in KINDS}


def _finish(row: Row) -> Row:
    start, until = row["valid_from"], row["valid_until"]
    if start and until and until <= start:
        raise CellError("end_before_start", "the end does not lie after the start", column="valid_until")
    return (
        row
        | stated_place(row, None)
        | {
            # Many villages share a name: without a number the area tells them apart.
            "place_key": row["place_key"] or f"{row['area'] or ''}{row['name']}",
            "other_names": [name for name in row["other_names"] if name != row["name"]],
        }
    )
