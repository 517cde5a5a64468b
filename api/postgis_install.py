"""Find the programs of PostgreSQL with PostGIS, or fetch them with whatever right this user has."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from geo.errors import MissingResourceError

Report = Callable[[str], None]

COPY_NAME = "postgis"
"""Directory in the data directory that holds programs unpacked without any right."""

_NEEDED = ("postgis", "btree_gist")
_PACKAGE = re.compile(r"postgresql-(?P<major>\d+)-postgis-3", re.ASCII)
_INSTALLS = re.compile(r"Inst (?P<name>[a-z0-9][a-z0-9.+:-]+) ", re.ASCII)

# What the server's packages depend on but a private copy can do without: the system's own C library (two of
# them in one process crash), the just-in-time compiler (110 MB, switched off), and the tools that manage
# clusters of the whole machine.
_LEFT_OUT = re.compile(
    r"(libc6|libc-bin|locales.*|libllvm.*|libz3-.*|perl.*|libperl.*|.*-perl|postgresql-(client-)?common|ssl-cert)"
)

_ASK_S = 60
_FETCH_S = 900

# Installing the server's package would otherwise start a server that nobody asked for.
_NO_STRAY_CLUSTER = Path("/etc/postgresql-common/createcluster.d/huxian.conf")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresBinaries:
    """Where the programs of one PostgreSQL with PostGIS are.

    Parameters
    ----------
    bin_dir : Path
        Holds initdb, postgres, psql.
    share_dir : Path
        Holds ``extension/postgis.control``.
    major : int
        Major version; a cluster only runs on the one that made it.
    copy_root : Path or None
        Root of the copy unpacked into the data directory; None for programs of the system.
    """

    bin_dir: Path
    share_dir: Path
    major: int
    copy_root: Path | None = None

    def program(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.bin_dir / name)

    def environment(self) -> dict[str, str]:
        """Return what the programs need in their environment; nothing of ours leaks into it."""
        base = {"PATH": f"{self.bin_dir}:/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        if self.copy_root is None:
            return base
        libraries = ":".join(str(folder) for folder in _library_folders(self.copy_root))
        proj = str(self.copy_root / "usr/share/proj")
        return base | {"LD_LIBRARY_PATH": libraries, "PROJ_DATA": proj, "PROJ_LIB": proj}


def _library_folders(root: Path) -> list[Path]:
    """Return the folders of an unpacked tree that hold shared libraries."""
    patterns = ("usr/lib/*-linux-*", "usr/lib/*-linux-*/blas", "usr/lib/*-linux-*/lapack", "lib/*-linux-*")
    return [folder for pattern in patterns for folder in sorted(root.glob(pattern)) if folder.is_dir()]


def _layouts(data_dir: Path) -> list[tuple[Path, Path, Path | None]]:
    """Return (bin, share, root of the copy) of every PostgreSQL in a place where systems put it."""
    copy = data_dir / COPY_NAME
    found: list[tuple[Path, Path, Path | None]] = [
        (Path("/usr/bin"), Path("/usr/share/pgsql"), None),  # Fedora
        *(
            (folder, folder.parent / "share", None) for folder in Path("/usr").glob("pgsql-*/bin")
        ),  # PGDG's rpm
    ]
    for root, copied in ((Path("/"), None), (copy, copy)):  # Debian, Ubuntu
        folders = root.glob("usr/lib/postgresql/*/bin")
        found += [(each, root / "usr/share/postgresql" / each.parent.name, copied) for each in folders]
    for prefix in (Path("/opt/homebrew"), Path("/usr/local")):  # Homebrew
        folders = prefix.glob("opt/postgresql@*/bin")
        found += [(each, prefix / "share" / each.parent.name, None) for each in folders]
    return found


def _major(binaries: Path, environment: dict[str, str]) -> int:
    """Return the major version of the server in a folder, 0 when it does not run."""
    named = re.search(r"(\d+)$", binaries.parent.name, re.ASCII)
    if named:
        return int(named[1])
    try:
        said = _ask([str(binaries / "postgres"), "--version"], env=environment)
    except (OSError, subprocess.SubprocessError):
        return 0
    version = re.search(r"\) (\d+)", said, re.ASCII)
    return int(version[1]) if version else 0


def _is_complete(bin_dir: Path, share_dir: Path) -> bool:
    """Tell whether the server, its extensions' scripts and their library are there; each is a package."""
    controls = (share_dir / "extension" / f"{name}.control" for name in _NEEDED)
    libraries = bin_dir.parent / "lib"
    is_beside = (libraries / "plpgsql.so").exists()  # elsewhere on Fedora and with Homebrew
    return (
        (bin_dir / "initdb").exists()
        and (bin_dir / "postgres").exists()
        and all(control.exists() for control in controls)
        and (not is_beside or any(libraries.glob("postgis-*.so")))
    )


def find_binaries(data_dir: Path, *, major: int | None = None) -> PostgresBinaries | None:
    """Return the newest PostgreSQL that has PostGIS and btree_gist, or None.

    Parameters
    ----------
    data_dir : Path
        May hold an unpacked copy; the system's programs win over a copy of the same version.
    major : int or None
        Only this major version: a cluster that exists runs on no other.
    """
    found = []
    for bin_dir, share_dir, copied in _layouts(data_dir):
        if _is_complete(bin_dir, share_dir):
            binaries = PostgresBinaries(bin_dir=bin_dir, share_dir=share_dir, major=0, copy_root=copied)
            number = _major(bin_dir, binaries.environment())
            found.append(
                PostgresBinaries(bin_dir=bin_dir, share_dir=share_dir, major=number, copy_root=copied)
            )
    usable = [each for each in found if each.major and major in (None, each.major)]
    return max(usable, key=lambda each: (each.major, each.copy_root is None), default=None)


def install_line(major: int | None = None) -> str:
    """Return the command that installs PostGIS on this kind of system."""
    if shutil.which("apt-get"):
        package = f"postgresql-{major}-postgis-3" if major else _package(()) or "postgresql-postgis"
        return f"sudo apt-get install {package}"
    if shutil.which("dnf"):
        return "sudo dnf install postgresql-server postgresql-contrib postgis"
    if shutil.which("brew"):
        return "brew install postgresql@17 postgis"
    return "sudo apt-get install postgresql-postgis (Debian, Ubuntu)"


def install_postgis(data_dir: Path, *, report: Report) -> PostgresBinaries:
    """Get PostGIS: as root or by sudo from the system's packages, else unpacked into the data directory.

    Parameters
    ----------
    data_dir : Path
        Receives the unpacked copy where nothing may be installed.
    report : callable
        Told in one line what takes time.

    Raises
    ------
    MissingResourceError
        One sentence with the exact line to install it by hand; nothing half made is left.
    """
    reason = ""
    if shutil.which("apt-get"):
        for road in _roads(data_dir, report):
            try:
                road()
            except (OSError, subprocess.SubprocessError, MissingResourceError) as error:
                reason = _last_words(error)
            found = find_binaries(data_dir)
            if found is not None:
                return found
    because = f" ({reason})" if reason else ""
    raise MissingResourceError(
        f"没有 PostGIS，也无法自动安装 · PostGIS is missing and could not be fetched{because}; install it with: "
        f"{install_line()}  (or set HUXIAN_DATABASE_URL)"
    )


def _roads(data_dir: Path, report: Report) -> list[Callable[[], object]]:
    """Return the ways open to this user, the best first."""
    if os.geteuid() == 0:
        return [lambda: _install_packages((), report)]
    roads: list[Callable[[], object]] = [lambda: extract_postgis(data_dir, report=report)]
    if may_sudo():
        roads.insert(0, lambda: _install_packages(("sudo", "-n"), report))
    return roads


def may_sudo() -> bool:
    """Tell whether sudo works here without asking anybody for a password."""
    sudo = shutil.which("sudo")
    if sudo is None:
        return False
    done = subprocess.run([sudo, "-n", "true"], capture_output=True, timeout=_ASK_S, check=False)
    return done.returncode == 0


def apt_install(packages: Sequence[str], *, prefix: Sequence[str] = ()) -> None:
    """Install packages of the system without asking anything.

    Parameters
    ----------
    packages : sequence of str
    prefix : sequence of str
        ``("sudo", "-n")`` or nothing.

    Raises
    ------
    subprocess.SubprocessError
        If apt-get refuses or takes longer than a quarter of an hour.
    """
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=a"]
    _do([*prefix, *quiet, "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages])


def apt_update(*, prefix: Sequence[str] = ()) -> None:
    """Read the list of packages anew."""
    _do([*prefix, "apt-get", "update", "-q"])


def _install_packages(prefix: tuple[str, ...], report: Report) -> None:
    report(
        "安装 PostGIS（系统软件包，约一分钟）· installing PostGIS from the system's packages, about a minute"
    )
    if not _NO_STRAY_CLUSTER.parent.parent.exists():
        _do([*prefix, "mkdir", "-p", str(_NO_STRAY_CLUSTER.parent)])
        _do([*prefix, "tee", str(_NO_STRAY_CLUSTER)], said="create_main_cluster = false\n")
    package = _package(())
    if package is not None:
        try:
            apt_install([package], prefix=prefix)
        except subprocess.CalledProcessError:
            package = None  # lists too old to download from: read them anew and try once more
    if package is None:
        apt_update(prefix=prefix)
        apt_install([_package(()) or "postgresql-postgis"], prefix=prefix)


def extract_postgis(data_dir: Path, *, report: Report) -> PostgresBinaries:
    """Download the packages without any right and unpack them into the data directory, whole or not at all.

    Parameters
    ----------
    data_dir : Path
    report : callable

    Raises
    ------
    MissingResourceError
        If packages are missing or a library would be; nothing is left then.
    subprocess.SubprocessError
        If apt-get or dpkg-deb fails; nothing is left then.
    """
    report(
        "下载 PostGIS 到数据目录（无需管理员权限，约一分钟）· fetching PostGIS into the data directory, no rights needed"
    )
    data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data_dir, prefix="postgis-") as made:
        packages, root = Path(made) / "packages", Path(made) / "root"
        packages.mkdir()
        root.mkdir()
        try:
            _download((), packages)
        except (subprocess.CalledProcessError, MissingResourceError):
            # No list of packages on this machine, or one too old: keep a list of our own for the moment.
            options = _own_lists(Path(made) / "apt")
            _do(["apt-get", *options, "-o", "APT::Update::Error-Mode=any", "update", "-q"])
            _download(options, packages)
        for package in sorted(packages.glob("*.deb")):
            _do(["dpkg-deb", "-x", str(package), str(root)])
        _tidy(root)
        _check_libraries(root)
        target = data_dir / COPY_NAME
        if target.exists():
            target.rename(Path(made) / "old")
        root.rename(target)
    found = find_binaries(data_dir)
    if found is None:
        raise MissingResourceError("the packages hold no PostGIS")
    return found


def _own_lists(folder: Path) -> tuple[str, ...]:
    """Return options by which apt-get keeps its lists in a folder of ours."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    return ("-o", f"Dir::State::Lists={folder / 'lists'}", "-o", f"Dir::Cache={folder / 'cache'}")


def _package(options: tuple[str, ...]) -> str | None:
    """Return the newest package of PostGIS that this release of the system offers."""
    said = _ask(["apt-cache", *options, "search", "--names-only", "^postgresql-[0-9]+-postgis-3$"])
    found = [match for line in said.splitlines() if (match := _PACKAGE.match(line))]
    newest = max(found, key=lambda match: int(match["major"]), default=None)
    return newest[0] if newest else None


def _download(options: tuple[str, ...], folder: Path) -> None:
    """Download PostGIS and every package it needs that this machine lacks."""
    package = _package(options)
    if package is None:
        raise MissingResourceError("no package of PostGIS is known here")
    # A rehearsal needs no right, and resolves dependencies exactly as an installation would.
    rehearsal = ["apt-get", *options, "install", "-s", "-q", "--no-install-recommends", package]
    names = [found["name"] for line in _ask(rehearsal).splitlines() if (found := _INSTALLS.match(line))]
    wanted = [name for name in names if not _LEFT_OUT.fullmatch(name)]
    if package not in wanted:
        raise MissingResourceError("the packages of PostGIS do not fit this machine")
    _do(["apt-get", *options, "download", "-q", *wanted], cwd=folder)


def _tidy(root: Path) -> None:
    """Give extension files their plain names, as the package's own script does, and drop what is not run."""
    for control in root.glob("usr/share/postgresql/*/extension/*-3.control"):
        plain = control.with_name(control.name.replace("-3.control", ".control"))
        if not plain.is_symlink() and not plain.exists():
            plain.symlink_to(control.name)
    jit = ("usr/lib/postgresql/*/lib/bitcode", "usr/lib/postgresql/*/lib/llvmjit*")
    manuals = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian")
    for unused in [path for pattern in jit + manuals for path in root.glob(pattern)]:
        if unused.is_dir():
            shutil.rmtree(unused)
        else:
            unused.unlink()


def _check_libraries(root: Path) -> None:
    """Raise if a library of the server or of PostGIS is neither in the copy nor on this machine."""
    environment = os.environ | {"LC_ALL": "C", "LD_LIBRARY_PATH": ":".join(map(str, _library_folders(root)))}
    for pattern in ("bin/postgres", "bin/initdb", "lib/postgis-3.so", "lib/btree_gist.so"):
        files = [str(path) for path in root.glob(f"usr/lib/postgresql/*/{pattern}")]
        missing = (
            re.findall(r"(\S+) => not found", _ask(["ldd", *files], env=environment)) if files else [pattern]
        )
        if missing:
            raise MissingResourceError(f"{missing[0]} is missing")


def _ask(command: Sequence[str], *, env: dict[str, str] | None = None) -> str:
    """Return what a command says; raise with its words if it fails."""
    return subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ASK_S, check=True
    ).stdout


def _do(command: Sequence[str], *, cwd: Path | None = None, said: str = "") -> None:
    """Run a command that may take long; raise with its words if it fails."""
    subprocess.run(command, cwd=cwd, input=said, capture_output=True, text=True, timeout=_FETCH_S, check=True)


def _last_words(error: Exception) -> str:
    """Return the last line a failed command said, or the error's own words."""
    said = getattr(error, "stderr", None)
    lines = said.strip().splitlines() if isinstance(said, str) else []
    return lines[-1].strip() if lines else type(error).__name__ if isinstance(error, OSError) else str(error)
