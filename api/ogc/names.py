"""Name the collections to people, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.ogc_texts import COLLECTION_NAMES, DATASET_TILES, LANDING_TEXT
from layers.texts import texts_in

if TYPE_CHECKING:
    from layers.views import Locale


def collection_names(collection_id: str, locale: Locale) -> tuple[str, str]:
    """Return the title and the description of a collection."""
    title, description = COLLECTION_NAMES[collection_id]
    say = texts_in(locale)
    return say(title), say(description)


def dataset_tiles_name(locale: Locale) -> str:
    """Return the title of the tiles of all collections together."""
    return texts_in(locale)(DATASET_TILES)


def landing_text(locale: Locale) -> str:
    """Return what the landing page says of itself."""
    return texts_in(locale)(LANDING_TEXT)
