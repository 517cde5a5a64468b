"""Draw the description of the API from its OpenAPI document: every operation, with a form to try what only reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from layers.docs_texts import (
    CLIENT_TEXTS,
    EXAMPLES,
    OPERATION_NAMES,
    PARAMETER_NAMES,
    STATUS_NAMES,
    TAG_NAMES,
)
from layers.shell import render_page
from layers.texts import texts_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts
    from layers.views import Locale

_METHODS = ("get", "post", "put", "patch", "delete")
_EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter: what it means, what it takes, and what the form begins with."""

    name: str
    place: str
    is_required: bool
    type_text: str
    description: str
    choices: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One status an operation may answer with."""

    status: str
    description: str
    media: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the API."""

    anchor: str
    method: str
    path: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    body: tuple[Parameter, ...]
    body_media: str
    answers: tuple[Answer, ...]
    can_try: bool
    curl: str


def render_docs_page(
    *,
    locale: Locale,
    nonce: str,
    dataset_title: str,
    is_demo: bool,
    document: Mapping[str, Any],
    base: str,
) -> str:
    """Render the page ``/docs``.

    Parameters
    ----------
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    document : mapping
        OpenAPI 3.1, as ``/openapi.json`` answers it.
    base : str
        Address of this service, for the examples.
    """
    say = texts_in(locale)
    return render_page(
        "docs.html",
        locale=locale,
        nonce=nonce,
        here="/docs",
        dataset_title=dataset_title,
        is_demo=is_demo,
        client_texts=CLIENT_TEXTS,
        groups=_groups(document, base, say),
        version=document["info"]["version"],
    )


def _groups(document: Mapping[str, Any], base: str, say: Texts) -> list[tuple[str, str, list[Operation]]]:
    """Return (anchor, name, operations) of every tag, in the order in which tags first stand."""
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                tag = next(iter(methods[method].get("tags", ())), "other")
                operation = _operation(document, base, (method, path), say)
                groups.setdefault(tag, []).append(operation)
    return [
        (f"tag-{tag}", say(TAG_NAMES[tag]) if tag in TAG_NAMES else tag, operations)
        for tag, operations in groups.items()
    ]


def _operation(document: Mapping[str, Any], base: str, address: tuple[str, str], say: Texts) -> Operation:
    method, path = address
    described = document["paths"][path][method]
    label = f"{method.upper()} {path}"
    parameters = tuple(_parameter(given, document, say) for given in described.get("parameters", ()))
    body_media, body = _body(described, document, say)
    answers = tuple(_answers(described, say))
    return Operation(
        anchor=re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-"),
        method=method.upper(),
        path=path,
        title=say(OPERATION_NAMES[label]) if label in OPERATION_NAMES else described.get("summary", label),
        description=described.get("description", ""),
        parameters=parameters,
        body=body,
        body_media=body_media,
        answers=answers,
        can_try=method == "get" and not any(_EVENTS in answer.media for answer in answers),
        curl=_curl(base, method.upper(), path, parameters, body_media),
    )


def _curl(base: str, method: str, path: str, parameters: tuple[Parameter, ...], media: str) -> str:
    for parameter in parameters:
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(parameter.example or "1", safe=""))
    query = urlencode(
        {each.name: each.example for each in parameters if each.place == "query" and each.example}, safe=",:/"
    )
    address = f'"{base}{path}{"?" + query if query else ""}"'
    if method == "GET":
        return f"curl {address}"
    if not media:
        return f"curl -X {method} {address}"
    payload = '-F "file=@file.csv"' if "form-data" in media else f"-H 'Content-Type: {media}' -d @body.json"
    return f"curl -X {method} {payload} {address}"


def _parameter(given: Mapping[str, Any], document: Mapping[str, Any], say: Texts) -> Parameter:
    schema = _resolved(given.get("schema", {}), document)
    choices = _choices(schema, document)
    name = given["name"]
    text = say(PARAMETER_NAMES[name]) if name in PARAMETER_NAMES else given.get("description", "")
    is_asked = given.get("required", False) or given["in"] == "path" or name == "limit"
    return Parameter(
        name=name,
        place=given["in"],
        is_required=given.get("required", False),
        type_text=_type_text(schema, document),
        description=text or schema.get("description", ""),
        choices=choices,
        example=EXAMPLES.get(name, "") if is_asked else "",
    )


def _body(
    described: Mapping[str, Any], document: Mapping[str, Any], say: Texts
) -> tuple[str, tuple[Parameter, ...]]:
    content = described.get("requestBody", {}).get("content", {})
    if not content:
        return "", ()
    media, entry = next(iter(content.items()))
    schema = _resolved(entry.get("schema", {}), document)
    required = schema.get("required", ())
    fields = [
        {"name": name, "in": "body", "schema": each, "required": name in required}
        for name, each in schema.get("properties", {}).items()
    ]
    return media, tuple(_parameter(each, document, say) for each in fields)


def _answers(described: Mapping[str, Any], say: Texts) -> list[Answer]:
    return [
        Answer(
            status=status,
            description=say(STATUS_NAMES[status]) if status in STATUS_NAMES else answer["description"],
            media=", ".join(answer.get("content", {})),
        )
        for status, answer in sorted(described.get("responses", {}).items())
    ]


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference into the document's own schemas."""
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return found


def _variants(schema: Mapping[str, Any], document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a value may be, leaving out that it may be absent."""
    parts = schema.get("anyOf") or schema.get("oneOf") or [schema]
    resolved = [_resolved(part, document) for part in parts]
    return [part for part in resolved if part.get("type") != "null"]


def _choices(schema: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[str, ...]:
    variants = _variants(schema, document)
    if len(variants) != 1:
        return ()
    if variants[0].get("type") == "boolean":
        return ("true", "false")
    return tuple(str(value) for value in variants[0].get("enum", ()))


def _type_text(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Return what a value may be, in few words for those who program."""
    texts = []
    for variant in _variants(schema, document):
        text = str(variant.get("format") or variant.get("type") or "")
        low, high = variant.get("minimum"), variant.get("maximum")
        if low is not None or high is not None:
            text += f" {'' if low is None else low}…{'' if high is None else high}"
        if "pattern" in variant and len(variant["pattern"]) < 40:  # noqa: PLR2004 - longer ones explain nothing
            text += f" {variant['pattern']}"
        texts.append(text)
    default = schema.get("default")
    return " | ".join(filter(None, texts)) + ("" if default in (None, "") else f" = {default}")
