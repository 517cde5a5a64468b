"""Turn every kind of run into the body that asks for it: one declaration in `geo.runs`, checked at this door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, create_model

from geo.periods import read_period
from geo.runs import KINDS, PAIR, Parameter, RunRequest, own_parameters, read_pair
from layers.run_kind_texts import parameter_text

_CODE = r"^[a-z][a-z0-9_]{1,40}$"
_PERIOD_LENGTH = 21


class RunBody(BaseModel):
    """What to compute, over which incidents."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str
    period: str = Field(max_length=_PERIOD_LENGTH, description="2008-03, 2008-03-15 or 2008-01/2008-06")
    category: str | None = Field(default=None, pattern=_CODE, description="code of the category catalogue")
    sector: str | None = Field(default=None, pattern=_CODE, description="code of the sector catalogue")
    area: int | None = Field(
        default=None, ge=1, le=2**62, description="id of an area; what lies inside it counts too"
    )

    def run_request(self) -> RunRequest:
        """Return the request of the domain."""
        request = KINDS[self.kind].request
        period = read_period(self.period)
        own = {each.name: _asked(each, getattr(self, each.name)) for each in own_parameters(request)}
        asked: RunRequest = request(
            start_on=period.start_on,
            until_on=period.until_on,
            category=self.category,
            sector=self.sector,
            area_id=self.area,
            **own,
        )
        return asked


def _asked(parameter: Parameter, value: Any) -> Any:
    """Return a value as the domain takes it: equal questions must be written alike."""
    if parameter.form == "period":
        return None if value is None else str(read_period(value))
    if parameter.form == "pair":
        return None if value is None else read_pair(value)
    if parameter.form == "number":
        return float(value)
    return tuple(float(each) for each in value) if parameter.form == "numbers" else value


def _field(parameter: Parameter) -> tuple[Any, Any]:
    """Return the type and the declaration of a parameter in a body."""
    about: dict[str, Any] = {"description": _described(parameter)}
    limits: dict[str, Any] = {"ge": parameter.least, "le": parameter.most}
    if parameter.form == "choice":
        return Literal[parameter.among], Field(default=parameter.default, **about)
    if parameter.form == "period":
        return str | None, Field(default=parameter.default, max_length=_PERIOD_LENGTH, **about)
    if parameter.form == "pair":
        return str | None, Field(default=parameter.default, pattern=PAIR, **about)
    if parameter.form == "numbers":
        item = Annotated[float, Field(**limits, allow_inf_nan=False)]
        sizes: dict[str, Any] = {"min_length": parameter.fewest, "max_length": parameter.longest}
        return list[item], Field(default=list(parameter.default), **sizes, **about)
    if parameter.form == "whole":
        return int, Field(default=parameter.default, **limits, **about)
    return float, Field(default=parameter.default, allow_inf_nan=False, **limits, **about)


def _described(parameter: Parameter) -> str:
    text = parameter_text(parameter.name, locale="en")
    return f"{text} ({parameter.unit})" if parameter.unit else text


def _body(name: str) -> type[RunBody]:
    own = {each.name: _field(each) for each in own_parameters(KINDS[name].request)}
    title = "".join(word.capitalize() for word in name.split("_"))
    # The kind has no default: a body says what it asks for.
    return create_model(f"{title}Run", __base__=RunBody, kind=(Literal[name], ...), **own)  # type: ignore[call-overload, no-any-return]


BODIES = {name: _body(name) for name in KINDS}
"""Body of each kind by its name."""

if TYPE_CHECKING:
    AnyRunBody = RunBody
    KindName = str
else:
    AnyRunBody = Annotated[Union[tuple(BODIES.values())], Field(discriminator="kind")]  # noqa: UP007 - made of a list
    KindName = Literal[tuple(KINDS)]
