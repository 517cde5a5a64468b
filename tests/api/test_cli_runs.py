"""The commands that compute runs say the verdict, the sentences and the table, and refuse what cannot be."""

import os
import subprocess
import sys

import pytest

from api.cli_runs import read_assignments
from api.migrate import ROOT
from geo.errors import InvalidInputError


def huxian(filled, folder, *arguments, locale="zh"):
    where = {"HUXIAN_DATABASE_URL": filled.admin, "HUXIAN_DATA_DIR": str(folder), "HUXIAN_LOCALE": locale}
    # Kernels come from where the tests have theirs.
    where |= {"NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(folder / "numba")), "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", "api", *arguments],
        cwd=ROOT,
        env=os.environ | where,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def test_a_comparison_is_told_at_the_terminal_and_kept(filled, tmp_path):
    ran = huxian(
        filled, tmp_path, "analyse", "compare", "--period", "2007-01/2007-06", "--set", "level=county"
    )
    assert ran.returncode == 0, ran.stderr
    assert "2007年1–6月与2006年1–6月相比" in ran.stdout
    assert "认定为热点" in ran.stdout
    assert "run " in ran.stderr


def test_hours_are_told_in_english(filled, tmp_path):
    ran = huxian(filled, tmp_path, "analyse", "hours", "--period", "2007", locale="en")
    assert ran.returncode == 1
    assert "write a period as" in ran.stderr
    ran = huxian(filled, tmp_path, "analyse", "hours", "--period", "2007-01/2007-12", locale="en")
    assert ran.returncode == 0, ran.stderr
    assert "January–December 2007" in ran.stdout or "2007" in ran.stdout
    assert "Hours of the day" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("analyse", "no_such"), "no such kind"),
        (("analyse", "dbscan", "--set", "eps_km=1"), "没有这个参数；可用的有：origin"),
        (("analyse", "dbscan", "--set", "eps_m"), "name=value"),
        (("analyse", "dbscan", "--set", "eps_m=far"), "(eps_m)要用普通数字写"),
        (("hotspots", "--method", "no_such"), "no such kind"),
    ],
)
def test_what_cannot_be_is_one_clear_line(filled, tmp_path, arguments, said):
    ran = huxian(filled, tmp_path, *arguments)
    assert ran.returncode == 1
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_every_kind_is_listed_with_its_parameters(filled, tmp_path):
    ran = huxian(filled, tmp_path, "kinds", locale="en")
    assert ran.returncode == 0
    for word in ("hotspots", "Near repeat", "eps_days", "distance_bands=0,1000,2000,4000,8000"):
        assert word in ran.stdout


def test_assignments_are_read_by_the_form_of_their_parameter():
    read = read_assignments("knox", ["distance_bands=0,250,500", "replications=199", "metric=manhattan"])
    assert read == {"distance_bands": (0.0, 250.0, 500.0), "replications": 199, "metric": "manhattan"}
    assert read_assignments("compare", ["base=2007-01"]) == {"base": "2007-01-01/2007-01-31"}
    assert read_assignments("hours", ["eps_m=5"], are_optional=True) == {}
    with pytest.raises(InvalidInputError, match="no such parameter"):
        read_assignments("hours", ["eps_m=5"])
