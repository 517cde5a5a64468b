"""Speak Chinese or English: every sentence stands in the code in Chinese, its English in `translations/en.po`."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from layers.views import Locale

CATALOGUE = Path(__file__).parent / "translations" / "en.po"


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


@lru_cache(maxsize=2)
def texts_in(locale: Locale) -> Texts:
    """Return the sentences of one language; the catalogue is read once.

    Parameters
    ----------
    locale : {"zh", "en"}
    """
    if locale == "zh":
        return Texts("zh", NullTranslations())
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="en")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Texts("en", GNUTranslations(compiled))


def mark(sentence: str) -> str:
    """Mark a sentence for translation where it stands as a constant; it is looked up when it is shown."""
    return sentence
