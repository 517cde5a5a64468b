"""List the kinds of run for clients: what each is for, what it proves, what it may be asked."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from geo.runs import KINDS, Parameter, own_parameters
from layers.run_kind_texts import kind_text, parameter_text


class BothLanguages(BaseModel):
    """One text in Chinese and English."""

    zh: str
    en: str


class RunParameter(BaseModel):
    """One parameter of a kind of run, besides period, category, sector and area."""

    name: str
    about: BothLanguages
    form: Literal["whole", "number", "numbers", "choice", "period", "pair"]
    unit: str
    default: Any
    least: float | None
    most: float | None
    among: list[str]


class RunKindView(BaseModel):
    """One kind of run."""

    kind: str
    version: str
    title: BothLanguages
    purpose: BothLanguages
    proves: BothLanguages
    can_prove_hotspots: bool
    audience: Literal["commander", "analyst"]
    parameters: list[RunParameter]


class RunKinds(BaseModel):
    """Every kind of run, in the order in which they are offered."""

    kinds: list[RunKindView]


def _parameter(each: Parameter) -> RunParameter:
    return RunParameter(
        name=each.name,
        about=BothLanguages(
            zh=parameter_text(each.name, locale="zh"), en=parameter_text(each.name, locale="en")
        ),
        form=each.form,
        unit=each.unit,
        default=list(each.default) if each.form == "numbers" else each.default,
        least=each.least,
        most=each.most,
        among=list(each.among),
    )


def _kind(name: str) -> RunKindView:
    kind = KINDS[name]
    chinese, english = kind_text(name, locale="zh"), kind_text(name, locale="en")
    return RunKindView(
        kind=name,
        version=kind.request.version,
        title=BothLanguages(zh=chinese.title, en=english.title),
        purpose=BothLanguages(zh=chinese.purpose, en=english.purpose),
        proves=BothLanguages(zh=chinese.proves, en=english.proves),
        can_prove_hotspots=kind.proves,
        audience="commander" if kind.is_for_commanders else "analyst",
        parameters=[_parameter(each) for each in own_parameters(kind.request)],
    )


def run_kinds() -> RunKinds:
    """Return the catalogue."""
    return RunKinds(kinds=[_kind(name) for name in KINDS])
