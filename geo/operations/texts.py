"""Check what people type into an operation: plain characters, no persons, units by their names."""

from __future__ import annotations

import re
import unicodedata

from geo.errors import InvalidInputError
from geo.io.forms.texts import forbidden
from geo.io.persons import names_a_person
from geo.io.typed_names import names_a_typed_person

MAX_TITLE, MAX_TEXT, MAX_MARK_TEXT = 80, 1000, 300
_CONTACT = re.compile(r"[0-9+() -]{3,24}", re.ASCII)


def plain_text(text: str, *, name: str, most: int, least: int = 0, is_line: bool = False) -> str:
    """Return text as it is stored, or refuse it.

    Parameters
    ----------
    text : str
    name : str
        What it is called in the error.
    most, least : int
        Characters.
    is_line : bool
        Whether breaks of lines become blanks.

    Raises
    ------
    InvalidInputError
        The message never repeats the text.
    """
    # Composed, but not folded: a Chinese sentence keeps its own commas.
    plain = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()
    if is_line:
        plain = " ".join(plain.split())
    if not least <= len(plain) <= most:
        span = f"{least} to {most}" if least else f"{most}"
        raise InvalidInputError(
            f"{name} has {span} plain characters{'' if least else ' at most'}",
            code="text_length",
            least=least,
            most=most,
        )
    if forbidden(plain):
        raise InvalidInputError(f"{name} has plain characters only", code="text_characters")
    if names_a_typed_person(plain):
        raise InvalidInputError(
            f"{name} names no person, mobile phone, account, plate or ID number", code="text_person"
        )
    return plain


def title_text(text: str) -> str:
    """Return a title, or refuse it."""
    return plain_text(text, name="the title", most=MAX_TITLE, least=2, is_line=True)


def duty_phone(text: str) -> str | None:
    """Return the number of a duty desk, or None where nothing was written.

    Raises
    ------
    InvalidInputError
        If it is no number, or the mobile phone of a person.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if not plain:
        return None
    if not _CONTACT.fullmatch(plain):
        raise InvalidInputError(
            "write the duty phone in digits, with + ( ) - and blanks at most", code="phone_signs"
        )
    if names_a_person(plain):
        raise InvalidInputError(
            "give the landline of the duty desk, never the mobile phone of a person", code="phone_mobile"
        )
    return plain
