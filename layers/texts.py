"""Speak Chinese or English: every sentence stands in the code in Chinese, its English in `translations/en/*.po`."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from layers.views import Locale

CATALOGUES = Path(__file__).parent / "translations" / "en"
"""One file for each page; a sentence that several pages show stands in `common.po`."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Look up sentences in one language.

    Parameters
    ----------
    locale : {"zh", "en"}
    translations : NullTranslations
        Of `gettext`; Chinese is its own translation.
    """

    locale: Locale
    translations: NullTranslations

    def __call__(self, sentence: str, **values: object) -> str:
        """Return a sentence in this language, its ``%(name)s`` filled in.

        Parameters
        ----------
        sentence : str
            As written in the code, in Chinese.
        **values : object
            Put in after translating, and never translated themselves.
        """
        found = self.translations.gettext(sentence)
        return found % values if values else found

    def listed(self, parts: tuple[str, ...]) -> str:
        """Join the members of a list as the language does."""
        return ("、" if self.locale == "zh" else ", ").join(parts)


def english_catalogue() -> Catalog:
    """Read every file of translations into one catalogue.

    Raises
    ------
    ValueError
        If two files translate one sentence: it belongs into `common.po` then.
    """
    whole = Catalog(locale="en")
    for path in sorted(CATALOGUES.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="en"):
                if not message.id:
                    continue
                if message.id in whole:
                    raise ValueError(f"{path.name} translates a sentence again: {message.id}")
                whole[message.id] = message
    return whole


@lru_cache(maxsize=2)
def texts_in(locale: Locale) -> Texts:
    """Return the sentences of one language; the catalogue is read once.

    Parameters
    ----------
    locale : {"zh", "en"}
    """
    if locale == "zh":
        return Texts("zh", NullTranslations())
    compiled = io.BytesIO()
    write_mo(compiled, english_catalogue())
    compiled.seek(0)
    return Texts("en", GNUTranslations(compiled))


def mark(sentence: str) -> str:
    """Mark a sentence for translation where it stands as a constant; it is looked up when it is shown."""
    return sentence
