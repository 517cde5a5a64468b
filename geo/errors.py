"""Name every failure of the domain. No error here knows of HTTP; `api.problems` maps them to statuses."""

from __future__ import annotations

from dataclasses import dataclass


class HuxianError(Exception):
    """Base of every failure that Huxian itself raises; its text is fit to show to a user."""


class SpokenError(HuxianError):
    """A failure that people are told of in their own language.

    Parameters
    ----------
    message : str
        One English sentence, for programs and logs.
    code : str, optional
        Short stable word under which `layers.refusals` has the sentence for people in every language.
    **values : str or number
        What that sentence names.
    """

    def __init__(self, message: str, *, code: str | None = None, **values: str | float) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


class InvalidInputError(SpokenError):
    """A value was understood but cannot be right (a bad number, an unknown code, lengths that differ)."""


class UnitError(InvalidInputError):
    """Degrees were given where metres are meant, or the other way round."""


class PeriodError(InvalidInputError):
    """A period ends before it begins, or lies outside what dates can hold."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file: where it stands and what it is.

    Parameters
    ----------
    row : int or None
        Row number as a person counts it in the file (the header is row 1); None for the whole file.
    column : str or None
        Column as written in the file.
    code : str
        Short stable word for machines, for instance ``bad_date``.
    message : str
        One sentence for people; never repeats the rejected value.
    """

    row: int | None
    column: str | None
    code: str
    message: str


class FileRejectedError(HuxianError):
    """A whole file was refused; `faults` says where and why."""

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


class PersonalDataError(FileRejectedError):
    """A file carries a column of names, ID numbers, phones or plates of persons."""


class ConflictError(SpokenError):
    """The same key is already stored with other values."""


class StaleVersionError(ConflictError):
    """Something was changed by others since the version that a change is based on."""


class NoVersionError(InvalidInputError):
    """A change does not say on which version it is based."""


class NotFoundError(SpokenError):
    """Nothing is stored under this id."""


class CancelledRunError(HuxianError):
    """A run was cancelled by a person while it computed."""


class DatasetError(HuxianError):
    """Real and synthetic rows would meet in one database."""


class MissingResourceError(HuxianError):
    """Something the machine must provide (a program, an extension, a font, an asset) is absent."""


class NoSpaceError(HuxianError):
    """The disk has too little room left to take something in."""
