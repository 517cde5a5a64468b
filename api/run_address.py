"""Read what a page's address asks of an analysis, and write it as the body that asks the worker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from api.run_bodies import BODIES
from geo.errors import InvalidInputError
from geo.runs import KINDS, RunRequest, own_parameters, read_pair
from layers.addresses import write_value
from layers.analysis_texts import unit_text, word_text
from layers.analysis_views import Analysis, ParameterField
from layers.refusals import refusal_text
from layers.run_kind_texts import kind_text, parameter_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.periods import Period
    from geo.runs import Parameter
    from layers.views import Filters, Locale

_WHOLE = re.compile(r"[0-9]{1,16}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_UNPAIRED = ("compare", "hours", "knox")
OWN_NAMES = frozenset(each.name for kind in KINDS.values() for each in own_parameters(kind.request))
"""Every parameter that some kind of run has besides period and filter."""


def read_own(kind: str, given: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read the parameters of a kind from the address.

    Parameters
    ----------
    kind : str
    given : mapping of str to str
        Parameters of the address; those of other kinds are passed over.

    Returns
    -------
    values : dict
        Only what differs from the default; lists as tuples.
    odd : tuple of str
        Names of those that could not be understood.
    """
    values: dict[str, Any] = {}
    odd: list[str] = []
    for each in own_parameters(KINDS[kind].request):
        text = given.get(each.name, "").strip()
        if not text:
            continue
        try:
            value = _read(each, text)
            each.check(value)
        except InvalidInputError:
            odd.append(each.name)
            continue
        if value != each.default:
            values[each.name] = value
    return values, tuple(odd)


def _read(parameter: Parameter, text: str) -> Any:
    """Return the value of one field, in plain digits only."""
    if parameter.form == "pair":
        return read_pair(text)
    if parameter.form in ("choice", "period"):
        return text
    if parameter.form == "numbers":
        return tuple(_number(part, _NUMBER) for part in text.split(","))
    return int(_number(text, _WHOLE)) if parameter.form == "whole" else _number(text, _NUMBER)


def _number(text: str, form: re.Pattern[str]) -> float:
    if not form.fullmatch(text.strip()):
        raise InvalidInputError("a number must be written in plain digits", code="plain_digits")
    return float(text)


def request_body(filters: Filters, period: Period) -> dict[str, Any]:
    """Return the body of ``POST /runs`` that asks for what a page shows."""
    wanted = {
        "kind": filters.kind,
        "period": str(period),
        "category": filters.category,
        "sector": filters.sector,
        "area": filters.area_id,
        **{name: list(value) if isinstance(value, tuple) else value for name, value in filters.asked},
    }
    return {name: value for name, value in wanted.items() if value is not None}


def page_request(filters: Filters, period: Period) -> RunRequest | None:
    """Return the run that belongs to what a page shows; None where its figures do not fit together."""
    request = _asked(filters, period)
    return request if isinstance(request, RunRequest) else None


def _asked(filters: Filters, period: Period) -> RunRequest | InvalidInputError | None:
    """Return the request of a page, or why it could never be computed; None where its form is wrong already."""
    try:
        return BODIES[filters.kind].model_validate(request_body(filters, period)).run_request()
    except InvalidInputError as error:
        return error
    except ValidationError:
        return None


def analysis_view(filters: Filters, period: Period, *, locale: Locale) -> Analysis:
    """Return what the page shows of its analysis.

    Parameters
    ----------
    filters : Filters
        With kind and own parameters.
    period : Period
        Of the page.
    locale : {"zh", "en"}
    """
    text = kind_text(filters.kind, locale=locale)
    request = _asked(filters, period)
    conflict = (
        refusal_text(str(request), request.code, request.values, locale=locale)
        if isinstance(request, InvalidInputError)
        else ""
    )
    titles = {name: kind_text(name, locale=locale).title for name in KINDS}
    return Analysis(
        kind=filters.kind,
        title=text.title,
        purpose=text.purpose,
        proves=text.proves,
        for_commanders=tuple((name, titles[name]) for name, kind in KINDS.items() if kind.is_for_commanders),
        for_analysts=tuple(
            (name, titles[name]) for name, kind in KINDS.items() if not kind.is_for_commanders
        ),
        fields=tuple(
            _field(each, dict(filters.asked), locale) for each in own_parameters(KINDS[filters.kind].request)
        ),
        request=request_body(filters, period) if isinstance(request, RunRequest) else None,
        conflict=conflict,
        is_paired=is_paired(filters.kind),
    )


def is_paired(kind: str) -> bool:
    """Tell whether a kind of run can stand beside that of the year before: not what only speaks, or compares."""
    return kind not in _UNPAIRED


def _field(parameter: Parameter, asked: dict[str, Any], locale: Locale) -> ParameterField:
    return ParameterField(
        name=parameter.name,
        label=parameter_text(parameter.name, locale=locale),
        form=parameter.form,
        value=write_value(asked.get(parameter.name, parameter.default)),
        default=write_value(parameter.default),
        unit=unit_text(parameter.unit, locale=locale),
        least=parameter.least,
        most=parameter.most,
        among=tuple((word, word_text(word, locale=locale)) for word in parameter.among),
    )
