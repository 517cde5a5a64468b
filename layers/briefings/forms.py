"""Take the files that a briefing is poured into: our own, or those of a force that has its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from geo.errors import InvalidInputError, MissingResourceError
from layers.briefings.words import NUMERALS

if TYPE_CHECKING:
    from jinja2 import Template

OWN = Path(__file__).parent / "templates"
PAGE, STYLE, WORD, SLIDES = "briefing.html", "briefing.css", "briefing.docx", "briefing.pptx"
_MOST_BYTES = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """Where the templates lie.

    Parameters
    ----------
    folder : Path or None
        A force's own; a file that it does not hold is ours. None: all are ours.
    """

    folder: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a folder that is none, or holds nothing that a briefing is made of."""
        if self.folder is None:
            return
        if not self.folder.is_dir():
            raise MissingResourceError(f"the folder of briefing templates does not exist: {self.folder.name}")
        if not any((self.folder / name).is_file() for name in (PAGE, STYLE, WORD, SLIDES)):
            raise MissingResourceError(
                f"the folder of briefing templates holds none of {PAGE}, {STYLE}, {WORD}, {SLIDES}"
            )

    def path(self, name: str) -> Path | None:
        """Return a file of the force's own, or ours; None where neither has one."""
        for folder in (self.folder, OWN):
            if folder is not None and (folder / name).is_file():
                return folder / name
        return None

    def text(self, name: str) -> str:
        """Read a template as UTF-8.

        Raises
        ------
        InvalidInputError
            If it is no UTF-8, or too large to be one.
        """
        path = self.path(name)
        if path is None:
            raise MissingResourceError(f"the briefing template {name} is missing from this installation")
        data = path.read_bytes()
        if len(data) > _MOST_BYTES:
            raise InvalidInputError(f"the briefing template {name} is larger than 20 MB")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidInputError(f"the briefing template {name} is not written in UTF-8") from None

    def compiled(self, name: str) -> Template:
        """Compile a template; what it may reach is what it is given.

        Raises
        ------
        InvalidInputError
            With the line that cannot be read.
        """
        environment = SandboxedEnvironment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        environment.globals = {"kind": lambda it: type(it).__name__, "numeral": numeral}
        try:
            return environment.from_string(self.text(name))
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            raise InvalidInputError(
                f"the briefing template {name} cannot be read{f', line {line}' if line else ''}: {error}"
            ) from None


def numeral(number: int) -> str:
    """Write the number of a part as Chinese documents do."""
    return NUMERALS[number - 1] if number <= len(NUMERALS) else str(number)


def filled(template: Template, name: str, **values: object) -> str:
    """Fill a template in.

    Raises
    ------
    InvalidInputError
        If it asks for something that a briefing does not have.
    """
    try:
        return template.render(**values)
    except (TemplateError, TypeError, AttributeError, LookupError, ValueError) as error:
        raise InvalidInputError(f"the briefing template {name} cannot be filled in: {error}") from None
