"""Examine the machine: what Huxian needs, whether it is there, and what to do where it is not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from api.migrate import current_revision, newest_revision
from api.postgis import cluster_status, locate_cluster, superuser_url
from api.postgis_install import find_binaries, install_line
from geo.errors import HuxianError
from layers.assets import missing_assets
from layers.briefings import INSTALL, Templates, missing_for_briefings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from api.settings import Settings

_NEEDED_FREE_GB = 2.0
_OLDEST_PYTHON = (3, 11)
_OLDEST_POSTGIS = (3, 3)
_DATABASE = "huxian"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was examined.

    Parameters
    ----------
    check : str
        What was examined, in two or three words.
    ok : bool
        Whether Huxian can work with what was found.
    sentence : str
        What was found.
    remedy : str
        What to do; empty where nothing needs doing.
    """

    check: str
    ok: bool
    sentence: str
    remedy: str = ""


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Examine the machine without changing anything: no server is started and nothing is installed.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    tuple of Finding
        In the order in which they matter at set-up.
    """
    return (
        _python(),
        _disk(settings.data_dir),
        *_database(settings),
        _assets(),
        _fonts(),
        _briefings(settings),
    )


def has_chinese_font() -> bool:
    """Tell whether fontconfig knows a font with Chinese characters."""
    fc_list = shutil.which("fc-list")
    if fc_list is None:
        return False
    done = subprocess.run([fc_list, ":lang=zh", "family"], capture_output=True, timeout=60, check=False)
    return bool(done.stdout.strip())


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    ok = sys.version_info[:2] >= _OLDEST_PYTHON
    return Finding(check="Python", ok=ok, sentence=found, remedy="sudo apt-get install python3")


def _disk(data_dir: Path) -> Finding:
    place = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    return Finding(
        check="磁盘 · disk",
        ok=free_gb >= _NEEDED_FREE_GB,
        sentence=f"可用 {free_gb:.1f} GB · {free_gb:.1f} GB free",
        remedy=f"腾出 {_NEEDED_FREE_GB:.0f} GB · free {_NEEDED_FREE_GB:.0f} GB, or set HUXIAN_DATA_DIR to another disk",
    )


def _assets() -> Finding:
    missing = missing_assets()
    sentence = (
        f"缺少 {len(missing)} 个文件 · {len(missing)} files are missing" if missing else "齐全 · complete"
    )
    return Finding(
        check="地图组件 · map scripts",
        ok=not missing,
        sentence=sentence,
        remedy="make setup (needs the internet once)",
    )


def _fonts() -> Finding:
    ok = has_chinese_font()
    sentence = (
        "有 · present" if ok else "没有 · none on this machine; only its own browser and prints miss it"
    )
    return Finding(
        check="中文字体 · Chinese font",
        ok=ok,
        sentence=sentence,
        remedy="sudo apt-get install fonts-noto-cjk",
    )


def _briefings(settings: Settings) -> Finding:
    """Say whether briefings can be written: Pango, a font of the right name, and the force's templates if set."""
    missing = missing_for_briefings()
    if missing is not None:
        return Finding(
            check="会战简报 · briefings",
            ok=False,
            sentence="缺少 Pango 或中文字体，写不了 PDF 和图 · without Pango or a Chinese font no PDF and no picture",
            remedy=INSTALL,
        )
    try:
        Templates(folder=settings.briefing_templates)
    except HuxianError as error:
        return Finding(
            check="会战简报 · briefings",
            ok=False,
            sentence=str(error),
            remedy="更正 · correct HUXIAN_BRIEFING_TEMPLATES",
        )
    return Finding(check="会战简报 · briefings", ok=True, sentence="可以写 · can be written")


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is not None:
        admin = settings.admin_database_url or settings.database_url
        remedy = "启动该服务器或更正 · start that server, or correct HUXIAN_DATABASE_URL"
        yield from _server(admin.get_secret_value(), remedy=remedy)
        return
    binaries = find_binaries(settings.data_dir)
    yield Finding(
        check="PostGIS",
        ok=binaries is not None,
        sentence=f"PostgreSQL {binaries.major}: {binaries.bin_dir}"
        if binaries
        else "没有 · not on this machine",
        remedy=f"{install_line()}  (make run 会自动安装 · fetches it by itself)",
    )
    try:
        status = cluster_status(settings.data_dir)
        if status == "running":
            yield from _server(
                superuser_url(locate_cluster(settings.data_dir), _DATABASE), remedy="huxian db up"
            )
            return
        words = {"stopped": "已停止 · stopped", "absent": "尚未建立 · not made yet"}[status]
        yield Finding(check="私有数据库 · private server", ok=True, sentence=f"{words} (huxian db up)")
    except HuxianError as error:
        yield Finding(
            check="私有数据库 · private server",
            ok=False,
            sentence=str(error),
            remedy="见左 · as the sentence says",
        )


def _server(admin_url: str, *, remedy: str) -> Iterator[Finding]:
    """Examine a database that should answer."""
    check = "数据库 · database"
    url = make_url(admin_url)
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 2})
    try:
        with engine.connect() as connection:
            version = connection.scalar(text("show server_version"))
            yield Finding(check=check, ok=True, sentence=f"PostgreSQL {version}")
            yield from _extensions(connection)
            yield _revision(connection)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", "") or type(error).__name__).strip().splitlines()[0]
        yield Finding(check=check, ok=False, sentence=f"不应答 · does not answer: {reason}", remedy=remedy)


def _extensions(connection: Connection) -> Iterator[Finding]:
    """Say whether the extensions are installed, or could be when the tables are made."""
    rows = connection.execute(
        text(
            "select name, coalesce(installed_version, default_version) from pg_available_extensions"
            " where name in ('postgis', 'btree_gist')"
        )
    )
    versions = {str(name): str(version) for name, version in rows}
    for name, oldest in (("postgis", _OLDEST_POSTGIS), ("btree_gist", (1, 0))):
        version = versions.get(name)
        numbers = tuple(int(part) for part in (version or "0.0").split(".")[:2] if part.isdecimal())
        needed = ".".join(str(part) for part in oldest)
        yield Finding(
            check=name,
            ok=version is not None and numbers >= oldest,
            sentence=version or "没有 · absent",
            remedy=f"在数据库服务器上安装 {name} ≥ {needed} · install {name} {needed} or newer on that server",
        )


def _revision(connection: Connection) -> Finding:
    at, newest = current_revision(connection), newest_revision()
    return Finding(
        check="表结构 · tables",
        ok=at == newest,
        sentence=f"{at or '空 · empty'} / {newest}",
        remedy="huxian migrate",
    )
