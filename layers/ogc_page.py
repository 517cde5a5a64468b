"""Draw what the OGC API hands to programs as pages for people: the same documents, read from top to bottom."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.ogc_texts import KIND_NAMES, MATRIX_COLUMNS, RELATION_NAMES
from layers.shell import render_page
from layers.texts import texts_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.texts import Texts
    from layers.views import Locale

_LONGEST_SHAPE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a table: text, and where it leads."""

    text: str
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a header."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def render_ogc_page(
    *,
    locale: Locale,
    nonce: str,
    dataset_title: str,
    is_demo: bool,
    document: Mapping[str, Any],
    address: str,
) -> str:
    """Render one document of the OGC API.

    Parameters
    ----------
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    document : mapping
        As a program gets it.
    address : str
        Path of the request.
    """
    say = texts_in(locale)
    links = [link for link in document.get("links", ()) if not link.get("templated")]
    by_relation = {link["rel"]: link["href"] for link in reversed(links)}
    return render_page(
        "ogc_page.html",
        locale=locale,
        nonce=nonce,
        here=address,
        dataset_title=dataset_title,
        is_demo=is_demo,
        title=_title(document, say),
        description=document.get("description", ""),
        trail=_trail(address),
        remark=_remark(document, say),
        facts=_facts(document, say),
        table=_table(document, say),
        next_href=by_relation.get("next"),
        json_href=_as_json(by_relation.get("self", address)),
        links=[(_relation(link, say), link["href"], link.get("type", "")) for link in links],
        template_href=next(
            (link["href"] for link in document.get("links", ()) if link.get("templated")), None
        ),
    )


def _as_json(href: str) -> str:
    plain = href.replace("?f=html", "?").replace("&f=html", "").rstrip("?")
    return f"{plain}{'&' if '?' in plain else '?'}f=json"


def _trail(address: str) -> list[tuple[str, str]]:
    """Return the address piece by piece: text and where it leads."""
    parts = [part for part in address.split("/") if part]
    return [(part, "/" + "/".join(parts[: index + 1])) for index, part in enumerate(parts)]


def _title(document: Mapping[str, Any], say: Texts) -> str:
    for key, name in KIND_NAMES.items():
        if key in document:
            return say(name)
    if document.get("type") == "Feature":
        return f"{say('要素')} {document['id']}"
    return str(document.get("title", "OGC API"))


def _remark(document: Mapping[str, Any], say: Texts) -> str:
    if "numberMatched" not in document:
        return ""
    if not document["numberMatched"]:
        return say("没有符合条件的要素。")
    return say(
        "共%(matched)s个，本页%(returned)s个",
        matched=document["numberMatched"],
        returned=document["numberReturned"],
    )


def _relation(link: Mapping[str, Any], say: Texts) -> str:
    name = RELATION_NAMES.get(link["rel"].rsplit("/", 1)[-1])
    text = link["rel"] if name is None else say(name)
    return (
        text
        if link.get("title") in (None, text)
        else f"{text}：{link['title']}"
        if say.locale == "zh"
        else f"{text}: {link['title']}"
    )


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _facts(document: Mapping[str, Any], say: Texts) -> list[tuple[str, str]]:
    """Return what a document says in few words, with its label."""
    if document.get("type") == "Feature":
        shape = json.dumps(document["geometry"])
        short = shape if len(shape) <= _LONGEST_SHAPE else shape[:_LONGEST_SHAPE] + "…"
        facts = [(name, _plain(value)) for name, value in document["properties"].items()]
        return [*facts, (say("几何"), say("没有位置") if document["geometry"] is None else short)]
    facts = []
    if "storageCrs" in document:
        facts.append((say("坐标系"), "\n".join(document["crs"])))
    extent = document.get("extent", {})
    if "spatial" in extent:
        facts.append((say("范围（西、南、东、北）"), _plain(extent["spatial"]["bbox"][0])))
    if "temporal" in extent:
        ends = [end or ".." for end in extent["temporal"]["interval"][0]]
        facts.append((say("时间"), " / ".join(ends)))
    if "boundingBox" in document:
        box = document["boundingBox"]
        facts.append((say("范围（西、南、东、北）"), _plain([*box["lowerLeft"], *box["upperRight"]])))
    if "tileMatrixSetURI" in document:
        facts.append((say("瓦片矩阵集"), document["tileMatrixSetURI"]))
    return facts


def _table(document: Mapping[str, Any], say: Texts) -> Table | None:
    """Return the rows of a document that is a list."""
    if "conformsTo" in document:
        return Table(
            header=(say("符合性类"),),
            rows=tuple((Cell(text=uri),) for uri in document["conformsTo"]),
        )
    for key in ("collections", "tilesets", "tileMatrixSets"):
        if key in document:
            return _entries(document[key], say)
    if "features" in document:
        return _features(document)
    if "tileMatrices" in document:
        return Table(
            header=tuple(say(name) for name in MATRIX_COLUMNS.values()),
            rows=tuple(
                tuple(Cell(text=_plain(matrix[key])) for key in MATRIX_COLUMNS)
                for matrix in document["tileMatrices"]
            ),
        )
    return None


def _entries(entries: Sequence[Mapping[str, Any]], say: Texts) -> Table:
    rows = []
    for entry in entries:
        href = next(link["href"] for link in entry["links"] if link["rel"] == "self")
        about = entry.get("description") or entry.get("tileMatrixSetURI") or entry.get("uri", "")
        rows.append((Cell(text=entry["title"], href=href), Cell(text=about)))
    return Table(header=(say("集合或瓦片集"), say("里面有什么")), rows=tuple(rows))


def _features(document: Mapping[str, Any]) -> Table | None:
    features = document["features"]
    if not features:
        return None
    address = next(link["href"] for link in document["links"] if link["rel"] == "collection")
    names = tuple(features[0]["properties"])
    return Table(
        header=("id", *names),
        rows=tuple(
            (
                Cell(text=str(feature["id"]), href=f"{address}/items/{feature['id']}"),
                *(Cell(text=_plain(feature["properties"][name])) for name in names),
            )
            for feature in features
        ),
    )
