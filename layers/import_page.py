"""Draw the page that takes files in: choose, check and mend, commit, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.assets import LEAFLET_CSS, LEAFLET_JS
from layers.import_faults import fault_sentences
from layers.import_texts import CLIENT_TEXTS, DATUMS, METRIC_SYSTEMS, PRECISIONS, STEPS
from layers.payload import packed_outline
from layers.shell import render_page
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from layers.views import Locale

_GROUND_LEVELS = ("province", "city", "county")
# Batches that did not come through this page.
_OTHER_KINDS = (("annex", mark("附件原文")), ("campaign", mark("专项斗争资料")), ("demo", mark("演示省")))
KINDS_WITH_PRECISION = ("incidents", "tickets")
"""Kinds of file whose rows may leave open how precisely they know their place."""


def render_import_page(
    *,
    locale: Locale,
    nonce: str,
    dataset_title: str,
    is_demo: bool,
    kinds: Sequence[tuple[str, str, str]],
    batches: Sequence[Mapping[str, Any]] = (),
    uploads: Sequence[Mapping[str, Any]] = (),
    upload_id: str | int | None = None,
    sources: Sequence[str] = (),
    most_bytes: int | None = None,
    areas: gpd.GeoDataFrame | None = None,
    value_words: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Render the page ``/import``.

    Parameters
    ----------
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    kinds : sequence of (str, str, str)
        Code, Chinese and English label of every kind of file, in the order of the list.
    batches : sequence of mapping
        The newest batches as ``GET /batches`` answers them.
    uploads : sequence of mapping
        Uploads that wait to be finished, as ``GET /imports/{id}`` answers them; previews are not needed.
    upload_id : str or int, optional
        The upload that the address names.
    sources : sequence of str
        Who sent files before, to choose from.
    most_bytes : int, optional
        Largest file that is taken; a larger one is refused before it is sent.
    areas : GeoDataFrame, optional
        EPSG:4326, with ``level`` and ``name``: the quiet ground of the preview's map.
    value_words : mapping of str to mapping, optional
        Column -> code -> word in the language of the page; a code without one stands for itself.

    Returns
    -------
    str
    """
    say = texts_in(locale)
    facts = {
        "kinds": [{"code": code, "label": en if locale == "en" else zh} for code, zh, en in kinds],
        "other_kinds": [{"code": code, "label": say(label)} for code, label in _OTHER_KINDS],
        "kinds_with_precision": KINDS_WITH_PRECISION,
        "datums": [{"code": code, "label": say(label)} for code, label, _ in DATUMS]
        + [{"code": code, "label": say(label)} for code, label in METRIC_SYSTEMS],
        "precisions": [{"code": code, "label": say(label)} for code, label in PRECISIONS],
        "steps": {step: say(sentence) for step, sentence in STEPS.items()},
        "batches": [dict(batch) for batch in batches],
        "uploads": [_pending(upload) for upload in uploads],
        "value_words": {column: dict(words) for column, words in (value_words or {}).items()},
        "upload_id": None if upload_id is None else str(upload_id),
        "most_bytes": most_bytes,
    }
    return render_page(
        "import.html",
        locale=locale,
        nonce=nonce,
        here="/import",
        dataset_title=dataset_title,
        is_demo=is_demo,
        client_texts=CLIENT_TEXTS,
        blocks={
            "outlines": _ground(areas),
            "import-data": facts,
            "import-faults": fault_sentences(locale),
        },
        style_links=(LEAFLET_CSS.url, "/static/import.css"),
        script_links=(LEAFLET_JS.url,),
        kinds=facts["kinds"],
        kinds_with_precision=KINDS_WITH_PRECISION,
        datums=[(code, say(label), say(hint)) for code, label, hint in DATUMS],
        metric_systems=[(code, say(label)) for code, label in METRIC_SYSTEMS],
        precisions=[(code, say(label)) for code, label in PRECISIONS],
        sources=list(dict.fromkeys([*sources, *(str(batch["source"]) for batch in batches)])),
    )


def _pending(upload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the list of unfinished uploads shows."""
    wanted = ("id", "kind", "source", "file_name", "state", "created_at")
    return {name: upload.get(name) for name in wanted}


def _ground(areas: gpd.GeoDataFrame | None) -> dict[str, dict[str, Any]]:
    """Return the outlines on which the preview's map draws."""
    if areas is None or areas.empty:
        return {}
    chosen = areas[areas["level"].isin(_GROUND_LEVELS)]
    return {
        str(key): {"level": level, "name": str(name), "outline": packed_outline(shape)}
        for key, level, name, shape in zip(
            chosen.index, chosen["level"], chosen["name"], chosen.geometry, strict=True
        )
    }
