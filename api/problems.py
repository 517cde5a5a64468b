"""Answer every failure as RFC 9457 problem details; the one table from errors to statuses is here."""

from __future__ import annotations

import logging
import re
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import psycopg
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from geo import errors
from layers.import_faults import fault_sentence
from layers.page import content_security_policy, render_problem_page
from layers.refusals import REFUSALS, in_both_languages, refusal_text
from layers.request_words import fault_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI, Request

    from layers.views import Locale

log = logging.getLogger("huxian")

_LOCALES: tuple[Locale, ...] = ("zh", "en")
_NAMELESS = (("query", "repeated"), ("query", "unknown"))
_HAN = re.compile(r"[\u4e00-\u9fff]")
_NAME = re.compile(r"[a-z][a-z_-]{0,39}[0-9]{0,2}", re.ASCII)
_KIND = re.compile(r"constrained-|function-|int$|str$|float$|bool$|list|tuple", re.ASCII)
"""What the framework calls the members of a choice of types."""
_MOST_FAULTS = 20

STATUSES: dict[type[Exception], tuple[HTTPStatus, str]] = {
    errors.PersonalDataError: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "文件含有个人信息列 / The file holds personal data",
    ),
    errors.FileRejectedError: (HTTPStatus.UNPROCESSABLE_ENTITY, "文件未被接收 / The file was refused"),
    errors.InvalidInputError: (HTTPStatus.UNPROCESSABLE_ENTITY, "输入不正确 / The input cannot be right"),
    errors.PeriodError: (HTTPStatus.UNPROCESSABLE_ENTITY, "时段不正确 / The period cannot be right"),
    errors.NoVersionError: (
        HTTPStatus.PRECONDITION_REQUIRED,
        "没有写明看到的是哪一版 / The version that was seen is not named",
    ),
    errors.StaleVersionError: (
        HTTPStatus.PRECONDITION_FAILED,
        "看过以后又有改动 / Changed since it was read",
    ),
    errors.ConflictError: (HTTPStatus.CONFLICT, "与已有记录冲突 / In conflict with what is stored"),
    errors.DatasetError: (HTTPStatus.CONFLICT, "实战与演示数据不能混放 / Real and demo rows never meet"),
    errors.NotFoundError: (HTTPStatus.NOT_FOUND, "没有找到 / Not found"),
    errors.NoSpaceError: (HTTPStatus.INSUFFICIENT_STORAGE, "磁盘空间不足 / The disk is full"),
    errors.MissingResourceError: (HTTPStatus.SERVICE_UNAVAILABLE, "缺少所需组件 / A needed part is missing"),
}
"""Error of the domain -> status and title. The nearest class of an error decides."""

_TITLES = {
    HTTPStatus.BAD_REQUEST: "请求不正确 / The request cannot be right",
    HTTPStatus.FORBIDDEN: "不接受这个来源的改动 / Not taken from there",
    HTTPStatus.NOT_FOUND: "没有找到 / Not found",
    HTTPStatus.METHOD_NOT_ALLOWED: "这个地址不能这样用 / Not to be used in this way",
    HTTPStatus.NOT_ACCEPTABLE: "没有这种格式 / Not to be had in that form",
    HTTPStatus.REQUEST_TIMEOUT: "请求来得太慢 / The request came too slowly",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "请求太大 / The request is too large",
    HTTPStatus.REQUEST_URI_TOO_LONG: "地址太长 / The address is too long",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "内容类型不对 / Of another content type",
    HTTPStatus.SERVICE_UNAVAILABLE: "现在忙，请稍后再试 / Busy now, try again soon",
}
"""Status -> what kind of failure it is, where no error of the domain says so."""

PROBLEM_TYPE = "application/problem+json"


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    code: str | None = None
    errors: list[dict[str, Any]] = []


def _documented(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM_TYPE: {"schema": Problem.model_json_schema()}}}


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    400: _documented("cannot be read"),
    403: _documented("asked for by another site"),
    404: _documented("nothing there"),
    409: _documented("in conflict with what is stored"),
    408: _documented("came too slowly"),
    413: _documented("too large"),
    414: _documented("address too long"),
    415: _documented("of another content type"),
    422: _documented("understood, but cannot be right"),
    503: _documented("the database cannot be reached right now"),
}
"""Failures any operation may answer with."""

_FILE_STATUSES = {
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too_many_rows": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "wrong_kind": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}
"""Codes of whole files that have a status of their own."""

_UNAVAILABLE = "数据库暂时不可用，请稍后再试 / The database cannot be reached right now"


def problem(
    request: Request,
    status: int,
    title: str,
    *,
    detail: str | None = None,
    code: str | None = None,
    faults: Sequence[dict[str, Any]] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Build one answer: problem+json, or for a browser that asks for a page, a page that says the same.

    Parameters
    ----------
    request : Request
        Its id goes into the body, so that a user can quote it.
    status : int
        HTTP status.
    title : str
        What kind of failure, the same for all of its kind.
    detail : str, optional
        What went wrong this time; never a value the client sent, nor SQL or a path.
    code : str, optional
        Short stable word for what went wrong, by which programs tell refusals apart.
    faults : sequence of dict
        Where and what, one per fault (``errors`` in the body).
    headers : dict, optional
        Further headers, for instance Retry-After.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": _in_language(request, detail or title),
        "request_id": getattr(request.state, "request_id", ""),
    }
    if code is not None:
        body["code"] = code
    if faults:
        body["errors"] = list(faults)
    if request.method == "GET" and _wants_page(request):
        return _problem_page(request, status, title, body, headers)
    return JSONResponse(body, status_code=status, media_type=PROBLEM_TYPE, headers=headers)


def _in_language(request: Request, text: str) -> str:
    """Return the half of a text in both languages that the address asks for; any other text as it is."""
    chinese, sign, english = text.partition(" / ")
    lang = request.query_params.get("lang")
    is_both = bool(sign) and _HAN.search(chinese) is not None and _HAN.search(english) is None
    if not is_both or lang not in _LOCALES:
        return text
    return chinese if lang == "zh" else english


def _wants_page(request: Request) -> bool:
    """Tell whether a person's browser asks, rather than a program."""
    return "text/html" in request.headers.get("accept", "")


def _problem_page(
    request: Request, status: int, title: str, body: dict[str, Any], headers: dict[str, str] | None
) -> Response:
    """Render a failure for people; titles hold both languages, and so may the detail."""
    nonce = secrets.token_urlsafe(18)
    locale: Locale = "en" if request.query_params.get("lang") == "en" else "zh"
    title = _in_language(request, title)
    page = render_problem_page(
        locale=locale,
        nonce=nonce,
        title=title,
        detail="" if body["detail"] in title else str(body["detail"]),
        request_id=str(body["request_id"]),
    )
    policy = {"Content-Security-Policy": content_security_policy(nonce)}
    return HTMLResponse(page, status_code=status, headers=(headers or {}) | policy)


def _domain_problem(request: Request, error: Exception) -> Response:
    for kind in type(error).__mro__:
        if kind in STATUSES:
            status, title = STATUSES[kind]
            break
    else:
        status, title = HTTPStatus.UNPROCESSABLE_ENTITY, "请求未能完成 / The request could not be met"
    if isinstance(error, errors.FileRejectedError):
        status = _FILE_STATUSES.get(next((fault.code for fault in error.faults), ""), status)
    faults = [
        {"row": fault.row, "column": fault.column, "code": fault.code, "message": fault.message}
        for fault in getattr(error, "faults", ())
    ]
    code = getattr(error, "code", None)
    return problem(request, status, title, detail=_said(request, error), code=code, faults=faults)


def _said(request: Request, error: Exception) -> str:
    """Say an error in the language that the address asks for, else in both."""
    code, lang = getattr(error, "code", None), request.query_params.get("lang")
    if code not in REFUSALS:
        return _told_plainly(str(error))
    if lang not in ("zh", "en"):
        return in_both_languages(error)
    locale: Locale = "en" if lang == "en" else "zh"
    return refusal_text(str(error), code, getattr(error, "values", None), locale=locale)


def _told_plainly(text: str) -> str:
    """Put the Chinese of a sentence without a code before it, where there is one."""
    chinese = "" if " / " in text else fault_sentence("", text)
    return f"{chinese} / {text}" if chinese else text


def _validation_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    # The value itself (``input``) stays out: it may be anything, also lone surrogates.
    found = error.errors()
    faults = [
        {
            "where": ".".join(_part(part) for part in item["loc"]),
            "code": item["type"],
            "message": _printable(_fault_said(request, item)[:600]),
        }
        for item in found[:_MOST_FAULTS]
    ]
    is_unreadable = any(fault["code"] == "json_invalid" for fault in faults)
    status = HTTPStatus.BAD_REQUEST if is_unreadable else HTTPStatus.UNPROCESSABLE_ENTITY
    title = "请求参数不正确 / The request cannot be right"
    detail = _printable(_fault_said(request, found[0], is_named=True)) if found else None
    return problem(request, status, title, detail=detail, faults=faults)


def _part(part: str | int) -> str:
    """Write a part of an address in a body; one that cannot be ours may hold anything, and is not said again."""
    return str(part) if isinstance(part, int) or _NAME.fullmatch(part) else "?"


def _fault_said(request: Request, item: Any, *, is_named: bool = False) -> str:
    """Say a fault in the language that the address asks for, else in both, with the name of the part at fault."""
    # An item of a list is told by the name of its list; a query that is not read at all has none.
    names = [part for part in item["loc"][1:] if isinstance(part, str) and not _KIND.match(part)]
    name = names[-1] if is_named and names and item["loc"] not in _NAMELESS else ""
    named = f"{name}: " if _NAME.fullmatch(name) else ""
    said = {
        locale: named + fault_text(item["type"], item["msg"], item.get("ctx", {}), locale=locale)
        for locale in _LOCALES
    }
    lang = request.query_params.get("lang")
    if lang in said:
        return said[lang]
    return said["zh"] if said["zh"] == said["en"] else " / ".join(said.values())


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _http_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    title = http_title(error.status_code)
    headers = dict(error.headers) if error.headers else None
    # Without words of its own the framework says the phrase of the status, in English.
    is_told = error.detail and error.detail != HTTPStatus(error.status_code).phrase
    detail = _told_plainly(_printable(str(error.detail))) if is_told else None
    return problem(request, error.status_code, title, detail=detail, headers=headers)


def http_title(status: int) -> str:
    """Say in both languages what kind of failure a status is."""
    return _TITLES.get(HTTPStatus(status), HTTPStatus(status).phrase)


def _is_outage(error: Exception) -> bool:
    if isinstance(error, PoolTimeoutError):
        return True
    origin = getattr(error, "orig", None)
    # Statement and lock timeouts and a server going down are no fault of the request.
    return isinstance(error, OperationalError) or (
        isinstance(error, DBAPIError) and isinstance(origin, psycopg.OperationalError)
    )


def _database_problem(request: Request, error: Exception) -> Response:
    if _is_outage(error):
        log.warning("database unavailable: %s", type(error).__name__)
        return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, _UNAVAILABLE, headers={"Retry-After": "2"})
    if isinstance(
        getattr(error, "orig", None), psycopg.errors.UniqueViolation | psycopg.errors.ExclusionViolation
    ):
        return problem(request, HTTPStatus.CONFLICT, "与已有记录冲突 / In conflict with what is stored")
    if isinstance(getattr(error, "orig", None), psycopg.DataError):
        return problem(
            request, HTTPStatus.UNPROCESSABLE_ENTITY, "数值超出范围 / A value is out of what can be stored"
        )
    return unexpected(request, error)


def unexpected(request: Request, error: Exception) -> Response:
    """Answer a failure that nobody foresaw, under the number by which the log holds it."""
    reference = request.state.request_id
    log.error("unexpected failure %s", reference, exc_info=error)
    return problem(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "内部错误 / Internal error",
        detail=f"请把编号告诉管理员 / Quote this to the administrator: {reference}",
    )


def install_problems(app: FastAPI) -> None:
    """Register the handlers above; what none of them knows reaches `api.guards.Guard`, which adds the headers."""
    app.add_exception_handler(errors.HuxianError, _domain_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(SQLAlchemyError, _database_problem)
