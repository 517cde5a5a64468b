"""The command that compares both sides of borders ranks them, speaks, and refuses what cannot be in one line each."""

import pytest

from api.cli_borders import check_metres
from geo.errors import UnitError
from tests.api.test_cli_runs import huxian

PERIOD = ("--period", "2006-03/2008-02", "--replications", "99")


def test_all_borders_are_ranked_at_the_terminal(filled, tmp_path):
    ran = huxian(filled, tmp_path, "borders", *PERIOD)
    assert ran.returncode == 0, ran.stderr
    for words in ("交界段", "跨界相关", "各条交界", "至少风险", "商丘市—周口市"):
        assert words in ran.stdout
    assert "run " in ran.stderr


def test_one_border_is_compared_in_english_whatever_the_order_of_its_codes(filled, tmp_path):
    ran = huxian(filled, tmp_path, "borders", "--pair", "411600", "411400", *PERIOD, locale="en")
    assert ran.returncode == 0, ran.stderr
    assert "商丘市–周口市" in ran.stdout
    assert "the whole border is tested together" in ran.stdout
    named = huxian(
        filled,
        tmp_path,
        "analyse",
        "borders",
        "--set",
        "pair=411400-411600",
        "--set",
        "replications=99",
        "--period",
        "2006-03/2008-02",
    )
    assert named.returncode == 0, named.stderr
    assert "各条交界" in named.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pair", "411200", "411400"), "411200与411400不相邻"),
        (("--pair", "411600", "999999"), "999999"),
        (("--depth-m", "0.1"), "0.1像度数"),
        (("--depth-m", "90000"), "(depth_m)要在500到50000米之间"),
        (("--level", "town"), "(level)只能是其中之一：city, county"),
    ],
)
def test_what_cannot_be_is_one_clear_line(filled, tmp_path, arguments, said):
    ran = huxian(filled, tmp_path, "borders", *arguments)
    assert ran.returncode == 1
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""


def test_a_period_without_incidents_says_so(filled, tmp_path):
    ran = huxian(filled, tmp_path, "borders", "--period", "2019-01")
    assert ran.returncode == 3
    assert "这个时段没有案件" in ran.stderr
    assert ran.stdout == ""


def test_sizes_in_degrees_are_refused_and_metres_pass():
    check_metres(depth_m=500.0, step_m=250.0)
    with pytest.raises(UnitError, match="step_m"):
        check_metres(depth_m=500.0, step_m=0.5)
