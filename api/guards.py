"""Stand before every route: request ids, known hosts, small bodies, our own origin, safe headers."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.problems import http_title, problem, unexpected
from geo.io.forms.texts import MAX_BYTES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1_000_000
MAX_UPLOAD_BYTES = MAX_BYTES + MAX_BODY_BYTES
"""A file and the fields of its form."""
_UPLOADS = ("POST", "/imports")
# A file may take long over a poor line, but not for ever: so many seconds, and then so many bytes in each.
_PATIENCE_S = 60.0
_LEAST_BYTES_A_SECOND = 20_000
_MAX_QUERY_BYTES = 8_000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:]+\]|[^:]+)(:\d{1,5})?", re.ASCII)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # The map's JSON holds places of incidents: no other site may include it.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_OTHER_HOST = "这个服务没有那个主机名 / this service is not known under that host name"
_LONG_QUERY = "地址里的查询部分太长 / the query is too long"
_NO_TEXT = "地址里有不成文字的字节 / the address holds bytes that are no text"
_OTHER_SITE = "只接受从本服务自己的页面发来的改动 / changes are only taken from this service's own pages"
_SLOW = "请求正文来得太慢 / the body came too slowly"
_NOT_JSON = "请求正文要是 JSON / send the body as application/json"
_JSON = re.compile(r"application/([\w.-]+\+)?json", re.ASCII)
_STRICT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class Guard:
    """Refuse what no route should see, and add the headers no answer should lack.

    Parameters
    ----------
    app : ASGIApp
    hosts : frozenset of str
        Host names under which this service is known, without ports.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})["request_id"] = secrets.token_hex(8)
        request = Request(scope)
        refusal = self._refusal(scope, Headers(scope=scope))

        is_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", _STRICT)
                # Our own files may be kept, but are asked for anew each time; answers with data never are.
                is_static = scope["path"].startswith("/static/")
                headers.setdefault("Cache-Control", "private, no-cache" if is_static else "private, no-store")
                headers["X-Request-Id"] = scope["state"]["request_id"]
            await send(message)

        if refusal is not None:
            status, detail = refusal
            answer = problem(request, status, http_title(status), detail=detail)
            await answer(scope, receive, send_with_headers)
            return
        try:
            await self.app(scope, _counted(receive, most=_most_bytes(scope)), send_with_headers)
        except Exception as error:
            # Beyond this door nobody adds the headers; a failure in the middle of an answer can only end it.
            if is_begun:
                raise
            await unexpected(request, error)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = _HOST.fullmatch(headers.get("host", ""))
        if host is None or host["name"].lower() not in self.hosts:
            return HTTPStatus.BAD_REQUEST, _OTHER_HOST
        if len(scope["query_string"]) > _MAX_QUERY_BYTES:
            return HTTPStatus.REQUEST_URI_TOO_LONG, _LONG_QUERY
        if b"%00" in scope["query_string"] or "\x00" in scope["path"] or not _is_utf8(scope):
            return HTTPStatus.BAD_REQUEST, _NO_TEXT
        length = headers.get("content-length")
        most = _most_bytes(scope)
        if length is not None and (not length.isdigit() or int(length[:18]) > most):
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(most)
        if scope["method"] not in _SAFE_METHODS:
            return self._cross_site(headers) or _other_type(scope, headers)
        return None

    def _cross_site(self, headers: Headers) -> tuple[int, str] | None:
        """Refuse a change that another site asked this browser to make."""
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return HTTPStatus.FORBIDDEN, _OTHER_SITE
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return HTTPStatus.FORBIDDEN, _OTHER_SITE
        return None


def _other_type(scope: Scope, headers: Headers) -> tuple[int, str] | None:
    """Refuse a body that is no JSON, where none but JSON is read."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    # A chunked request without a type is one without a body, until one comes.
    has_body = headers.get("content-length", "0") != "0" or (kind and "transfer-encoding" in headers)
    if not has_body or (scope["method"], scope["path"]) == _UPLOADS:
        return None
    if _JSON.fullmatch(kind):
        return None
    return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _NOT_JSON


def _is_utf8(scope: Scope) -> bool:
    try:
        unquote_to_bytes(scope["query_string"]).decode("utf-8")
        unquote_to_bytes(scope.get("raw_path", b"")).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _most_bytes(scope: Scope) -> int:
    return MAX_UPLOAD_BYTES if (scope["method"], scope["path"]) == _UPLOADS else MAX_BODY_BYTES


def _too_large(most: int) -> str:
    return f"请求正文最多{most}字节 / a body may have {most} bytes at most"


def _counted(receive: Receive, *, most: int) -> Receive:
    """Count a body that states no length, and time one that never ends; too much of either ends the request."""
    taken = 0
    is_whole = False
    begun = time.monotonic()

    async def receive_counted() -> Message:
        nonlocal taken, is_whole
        left = _PATIENCE_S + taken / _LEAST_BYTES_A_SECOND - (time.monotonic() - begun)
        try:
            # The end of a request is awaited without haste: a stream of events may last long.
            message = await receive() if is_whole else await asyncio.wait_for(receive(), max(left, 0.01))
        except TimeoutError:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, _SLOW) from None
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(most))
            is_whole = not message.get("more_body", False)
        return message

    return receive_counted
