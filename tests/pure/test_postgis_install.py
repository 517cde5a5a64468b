"""Finding PostgreSQL with PostGIS, and saying how to get it where nothing can fetch it."""

import shutil

import pytest

from api import postgis_install
from api.postgis_install import find_binaries, install_postgis
from geo.errors import MissingResourceError

MAJOR = 99


@pytest.fixture
def copied(tmp_path):
    """Return a data directory with the outline of an unpacked copy."""
    root = tmp_path / postgis_install.COPY_NAME
    for name in (
        f"usr/lib/postgresql/{MAJOR}/bin/initdb",
        f"usr/lib/postgresql/{MAJOR}/bin/postgres",
        f"usr/lib/postgresql/{MAJOR}/lib/plpgsql.so",
        f"usr/lib/postgresql/{MAJOR}/lib/postgis-3.so",
        f"usr/share/postgresql/{MAJOR}/extension/postgis.control",
        f"usr/share/postgresql/{MAJOR}/extension/btree_gist.control",
        "usr/lib/x86_64-linux-gnu/libgeos_c.so.1",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return tmp_path


def test_the_newest_version_wins_also_as_a_copy(copied):
    found = find_binaries(copied)
    assert found is not None
    assert found.major == MAJOR
    assert found.copy_root == copied / postgis_install.COPY_NAME
    environment = found.environment()
    assert environment["LD_LIBRARY_PATH"].endswith("usr/lib/x86_64-linux-gnu")
    assert environment["PROJ_DATA"].startswith(str(copied))


@pytest.mark.parametrize(
    "part", ["lib/postgresql/99/lib/postgis-3.so", "share/postgresql/99/extension/btree_gist.control"]
)
def test_a_server_without_one_of_its_parts_is_not_taken(copied, part):
    (copied / postgis_install.COPY_NAME / "usr" / part).unlink()
    assert find_binaries(copied, major=MAJOR) is None


def test_no_other_version_is_offered_for_a_cluster_that_exists(copied):
    assert find_binaries(copied, major=MAJOR) is not None
    assert find_binaries(copied, major=MAJOR - 1) is None


def test_nothing_of_our_environment_reaches_the_server(copied, monkeypatch):
    monkeypatch.setenv("HUXIAN_DATABASE_URL", "postgresql://u:geheim-7731@h/d")
    found = find_binaries(copied)
    assert found is not None
    assert not any(name.startswith("HUXIAN_") for name in found.environment())


@pytest.mark.parametrize(("tool", "line"), [("dnf", "sudo dnf install"), ("brew", "brew install")])
def test_where_nothing_can_be_fetched_the_line_that_installs_it_is_said(tmp_path, monkeypatch, tool, line):
    monkeypatch.setattr(shutil, "which", lambda name: name if name == tool else None)
    with pytest.raises(MissingResourceError, match=line) as caught:
        install_postgis(tmp_path, report=print)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
