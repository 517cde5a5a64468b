"""A throw-away PostGIS server for everything that needs one."""

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from api.numba_cache import keep_kernels_in

# Before anything loads numba: the processes that tests start, and those that share the tests, then compile nothing twice.
keep_kernels_in(Path(__file__).resolve().parent.parent / ".pytest_cache")

from api.database import make_sessions, open_engine
from api.postgis import delete_cluster, start_cluster, superuser_url
from geo.analysis.province import synthetic_province
from geo.demo import store_province
from tests.databases import TEMPLATE, fresh_database, make_template

# How long an example takes says something of the machine, not of the code: nothing fails for being slow. A build server
# tries the same examples each time; whoever works on the code tries new ones.
settings.register_profile(
    "huxian",
    deadline=None,
    suppress_health_check=(HealthCheck.too_slow,),
    print_blob=True,
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("huxian")

DEMO_SEED = 7
_NAME = re.compile(r"huxian-test-(\d+)-\w+", re.ASCII)


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(folder):
    delete_cluster(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def short_dir():
    """Return a directory with a short path that the server's user may pass through (pytest's own are closed).

    Directories of test runs that were killed are removed first, with their servers.
    """
    parent = Path(tempfile.gettempdir())
    for left in parent.glob("huxian-test-*"):
        named = _NAME.fullmatch(left.name)
        if named and left.stat().st_uid == os.geteuid() and not _is_alive(int(named[1])):
            for folder in left.iterdir():
                _remove(folder)
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"huxian-test-{os.getpid()}-", dir=parent))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(short_dir):
    """Return a running PostGIS server that loses everything in a power cut (`api.postgis.ClusterInfo`)."""
    folder = short_dir / "session"
    yield start_cluster(folder, report=print, durable=False)
    _remove(folder)


@pytest.fixture(scope="session")
def admin_url(cluster):
    """Return the superuser's URL of the throw-away server."""
    return superuser_url(cluster, "postgres")


@pytest.fixture(scope="session")
def template(admin_url):
    """Return the name of a migrated database with its catalogues, to be copied."""
    make_template(admin_url)
    return TEMPLATE


@pytest.fixture
def fresh(admin_url, template):
    """Yield the URLs of a migrated database that this test may fill and break."""
    with fresh_database(admin_url, template=template) as urls:
        yield urls


@pytest.fixture(scope="session")
def filled(admin_url, template):
    """Fill a database with a demo province, shared by tests that do not change its rows, and give its URLs."""
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web, statement_timeout_ms=0)
        with make_sessions(engine).begin() as session:
            store_province(session, synthetic_province(seed=DEMO_SEED), seed=DEMO_SEED)
        engine.dispose()
        yield urls
