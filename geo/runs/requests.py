"""Say what a run of each kind may be asked, with the range and the unit of every figure in one place."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import Field, asdict, dataclass, field, fields
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from geo.errors import InvalidInputError
from geo.periods import Period, read_period

if TYPE_CHECKING:
    from collections.abc import Sequence

Form = Literal["whole", "number", "numbers", "choice", "period", "pair"]
PAIR = r"^[0-9]{6}-[0-9]{6}$"
"""Two codes of areas as a request writes them, the lower one first."""
ORIGINS = ("reported", "patrol", "both")
MOST_SEED = 2**53
_MOST_REPLICATIONS = 9999
_SCOPE = ("start_on", "until_on", "category", "sector", "area_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A figure or word that a request carries besides its period and filter.

    Parameters
    ----------
    name : str
    form : str
        ``whole`` or decimal ``number``, ascending ``numbers``, a ``choice`` of words, a ``period`` as text, or a
        ``pair`` of area codes as text.
    default : object
    unit : str
        Empty for plain counts.
    least, most : float, optional
        Both included.
    among : tuple of str
        Words to choose from.
    fewest, longest : int
        How many numbers a list may hold.
    """

    name: str
    form: Form
    default: Any
    unit: str = ""
    least: float | None = None
    most: float | None = None
    among: tuple[str, ...] = ()
    fewest: int = 2
    longest: int = 24

    def check(self, value: Any) -> None:
        """Refuse what the parameter cannot be.

        Raises
        ------
        InvalidInputError
            Naming the parameter and what it may be.
        """
        if self.form == "choice":
            if value not in self.among:
                raise InvalidInputError(
                    f"{self.name} must be one of {', '.join(self.among)}",
                    code="parameter_among",
                    parameter=self.name,
                    among=", ".join(self.among),
                )
        elif self.form == "period":
            if value is not None:
                read_period(value)
        elif self.form == "pair":
            if value is not None and value != read_pair(value):
                raise InvalidInputError(f"{self.name} must name the lower code first", code="pair_order")
        elif self.form == "numbers":
            self._check_numbers(value)
        else:
            self._check_number(value)

    def _check_number(self, value: Any) -> None:
        kinds = (int,) if self.form == "whole" else (int, float)
        is_number = isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or not self._is_within(value):
            raise InvalidInputError(
                f"{self.name} must lie between {self.least:.15g} and {self.most:.15g} {self.unit}".rstrip(),
                code="parameter_range",
                parameter=self.name,
                least=f"{self.least:.15g}",
                most=f"{self.most:.15g}",
                unit=self.unit,
            )

    def _is_within(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def _check_numbers(self, values: Sequence[float]) -> None:
        if not self.fewest <= len(values) <= self.longest:
            raise InvalidInputError(
                f"{self.name} must hold {self.fewest} to {self.longest} numbers",
                code="parameter_count",
                parameter=self.name,
                least=self.fewest,
                most=self.longest,
            )
        for value in values:
            self._check_number(value)
        if any(one >= other for one, other in pairwise(values)):
            raise InvalidInputError(
                f"{self.name} must ascend", code="parameter_ascending", parameter=self.name
            )


def _parameter(form: Form, default: Any, **rest: Any) -> Any:
    return field(default=default, metadata={"form": form, **rest})


def whole(default: int, *, least: int, most: int, unit: str = "") -> Any:
    """Declare a whole number."""
    return _parameter("whole", default, least=least, most=most, unit=unit)


def number(default: float, *, least: float, most: float, unit: str = "") -> Any:
    """Declare a number."""
    return _parameter("number", default, least=least, most=most, unit=unit)


def numbers(
    default: tuple[float, ...], *, least: float, most: float, unit: str = "", longest: int = 24
) -> Any:
    """Declare ascending numbers, at least two: the ends of bands that touch."""
    return _parameter("numbers", default, least=least, most=most, unit=unit, longest=longest)


def choice(default: str, *, among: tuple[str, ...]) -> Any:
    """Declare a word out of several."""
    return _parameter("choice", default, among=among)


def period_text() -> Any:
    """Declare a further period as people write it, by default none."""
    return _parameter("period", None)


def pair_text() -> Any:
    """Declare a pair of area codes, by default none: all pairs."""
    return _parameter("pair", None)


def read_pair(text: str) -> str:
    """Return two area codes as a request writes them, equal questions alike.

    Parameters
    ----------
    text : str
        Two codes of six digits in any order, with a hyphen, comma or blank between.

    Raises
    ------
    InvalidInputError
        If they are not two different codes.
    """
    codes = sorted(re.split(r"[-, ]+", text.strip()))
    if len(set(codes)) != 2 or not re.fullmatch(PAIR, "-".join(codes)):  # noqa: PLR2004 - a pair
        raise InvalidInputError(
            "a pair is two different area codes of six digits, such as 411400-411600", code="pair_form"
        )
    return "-".join(codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What every run is asked: which incidents.

    Parameters
    ----------
    start_on, until_on : date
        Half-open period.
    category, sector : str, optional
        Codes of the catalogues.
    area_id : int, optional
        Only this area and what lies inside it.
    origin : str
        Incidents ``reported`` by people, discovered by a ``patrol``, or ``both`` together: patrols find what lies
        where they go, so that together they say more of the patrols than of the thieves.
    """

    kind: ClassVar[str] = ""
    version: ClassVar[str] = ""
    """Raised whenever the same input would give another result, so that old runs are not taken for new ones."""

    start_on: date
    until_on: date
    category: str | None = None
    sector: str | None = None
    area_id: int | None = None
    origin: str = choice("reported", among=ORIGINS)

    def __post_init__(self) -> None:
        """Refuse figures that no run should have."""
        Period(self.start_on, self.until_on)
        for parameter in own_parameters(type(self)):
            parameter.check(getattr(self, parameter.name))
        self.check_together()

    def check_together(self) -> None:
        """Refuse figures that are right each by itself but do not fit together.

        Raises
        ------
        InvalidInputError
            With a code, so that whoever asks is told before anything is queued.
        """

    @property
    def period(self) -> Period:
        """The period as one value."""
        return Period(self.start_on, self.until_on)

    def parameters(self) -> dict[str, Any]:
        """Return the JSON-able form that is stored with the run."""
        return {name: _stored(value) for name, value in asdict(self).items()}

    @classmethod
    def from_parameters(cls, parameters: dict[str, Any]) -> Self:
        """Read the stored form.

        Raises
        ------
        InvalidInputError
            If it was stored by a version that asked something else.
        """
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()
        }
        try:
            for name in ("start_on", "until_on"):
                given[name] = date.fromisoformat(given[name])
            return cls(**given)
        except (KeyError, TypeError, ValueError):
            raise InvalidInputError(
                "the run was asked of another version, which knew other parameters", code="other_version"
            ) from None

    def request_hash(self, *, dataset_version: int) -> str:
        """Return the key under which an equal question about the same data finds its answer."""
        asked = {"method": self.version, "dataset_version": dataset_version, **self.parameters()}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRequest(RunRequest):
    """A run that compares with simulated or permuted sets.

    Parameters
    ----------
    replications : int
        Sets compared with, 99 to 9999; the smallest p is 1 / (replications + 1).
    seed : int
        Of everything that is random.
    """

    replications: int = whole(999, least=99, most=_MOST_REPLICATIONS)
    seed: int = whole(20080310, least=0, most=MOST_SEED - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrawnRequest(SimulatedRequest):
    """A run that also redraws imprecise places.

    Parameters
    ----------
    draws : int
        Redraws, 200 or more: fewer would not show stability.
    """

    draws: int = whole(200, least=200, most=_MOST_REPLICATIONS)


def own_parameters(request: type[RunRequest]) -> tuple[Parameter, ...]:
    """Return what a kind of request may be asked besides period, category, sector and area."""
    return tuple(_read(each) for each in fields(request) if each.name not in _SCOPE)


def _read(each: Field[Any]) -> Parameter:
    return Parameter(name=each.name, default=each.default, **each.metadata)


def _stored(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
