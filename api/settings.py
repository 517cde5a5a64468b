"""Read the few settings there are from the environment; one function does it, at the edge."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from geo.errors import InvalidInputError
from geo.partitions.addresses import check_address

ROOT = Path(__file__).resolve().parent.parent

PREFIX = "HUXIAN_"
"""What every variable begins with."""

_NOT_FOR_PEOPLE = frozenset({"HUXIAN_SUPERVISED", "HUXIAN_THREADS"})
"""Set by processes for their children."""


class SettingsError(Exception):
    """A variable of the environment cannot be right; the text names it, never its value."""


def _default_data_dir() -> Path:
    """Beside pyproject.toml in a checkout; in the home directory when installed as a package."""
    return ROOT / ".huxian" if (ROOT / "pyproject.toml").is_file() else Path.home() / ".huxian"


class Settings(BaseSettings):
    """What can be set. Building one reads nothing; `read_settings` reads the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(
        default=None,
        description="PostGIS server to use; without it a private one is started in the data directory",
    )
    admin_database_url: SecretStr | None = Field(
        default=None,
        description="login for revisions on that server, when the first may not create roles and tables",
    )
    data_dir: Path = Field(
        default_factory=_default_data_dir, description="where the private server, caches and locks live"
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(default=8765, ge=1, le=65535, description="port of the real data")
    demo_port: int = Field(default=8766, ge=1, le=65535, description="port of the demo province")
    host_names: str = Field(
        default="", description="further host names people use, with commas (behind a proxy)"
    )
    locale: Literal["zh", "en"] = Field(default="zh", description="language of a page that asks for none")
    tiles_url: str | None = Field(
        default=None,
        description="base map of the operator, as `https://…/{z}/{x}/{y}.png`, in WGS 84",
        repr=False,
    )
    tiles_attribution: str = Field(default="", description="what the base map's owner wants to be named")
    scheduler: str | None = Field(
        default=None,
        description="Dask scheduler whose workers share large runs, as `tcp://127.0.0.1:8786` or `tls://host:8786`",
    )
    scheduler_certificates: Path | None = Field(
        default=None, description="directory with `ca.pem`, `cert.pem` and `key.pem`, for `tls://`"
    )
    briefing_templates: Path | None = Field(
        default=None, description="folder with a force's own templates of briefings"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="how much is logged"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the caller only, so that a test's settings do not depend on its shell."""
        return (init_settings,)

    @field_validator("database_url", "admin_database_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        try:
            url = make_url(value.get_secret_value())
        except (ArgumentError, ValueError):
            raise ValueError("is no database address") from None
        if url.get_backend_name() not in ("postgresql", "postgres"):
            raise ValueError("must begin with postgresql://")
        if not url.database:
            raise ValueError("must name a database")
        named = url.set(drivername="postgresql+psycopg")
        return SecretStr(named.render_as_string(hide_password=False))

    @field_validator("data_dir", "scheduler_certificates", "briefing_templates")
    @classmethod
    def _is_absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().absolute()

    @field_validator("tiles_url")
    @classmethod
    def _is_tile_address(cls, value: str | None) -> str | None:
        if value is not None and not (
            value.startswith(("https://", "http://")) and all(part in value for part in ("{z}", "{x}", "{y}"))
        ):
            raise ValueError("must be an http(s) address with {z}, {x} and {y}")
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.port == self.demo_port:
            raise ValueError("HUXIAN_DEMO_PORT: must differ from HUXIAN_PORT")
        if self.admin_database_url is not None and self.database_url is None:
            raise ValueError("HUXIAN_ADMIN_DATABASE_URL: means nothing without HUXIAN_DATABASE_URL")
        if self.scheduler is not None:
            try:
                check_address(self.scheduler, has_certificates=self.scheduler_certificates is not None)
            except InvalidInputError as error:
                raise ValueError(f"HUXIAN_SCHEDULER: {error}") from None
        if self.tiles_url is not None and not self.tiles_attribution:
            raise ValueError("HUXIAN_TILES_ATTRIBUTION: must name the owner of the base map")
        return self

    def hosts(self) -> frozenset[str]:
        """Return the further host names this service answers to."""
        return frozenset(name.strip().lower() for name in self.host_names.split(",") if name.strip())

    def uploads_dir(self, *, demo: bool) -> Path:
        """Return where uploaded files of one of the two instances lie until they are taken in."""
        return self.data_dir / "uploads" / ("demo" if demo else "real")


def _check_names() -> None:
    """Refuse a variable we do not know: a mistyped HUXIAN_DATABASE_URL must not mean the private server."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known | _NOT_FOR_PEOPLE:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{name}: no such setting{hint}")


def read_settings() -> Settings:
    """Read the environment.

    Returns
    -------
    Settings

    Raises
    ------
    SettingsError
        One line that names the variable and what it should be.
    """
    _check_names()
    try:
        return Settings(**EnvSettingsSource(Settings)())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        reason = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise SettingsError(reason) from None
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {reason}") from None
