"""Losses, times and names of places are compared as people write them."""

import numpy as np
import pytest

from geo.analysis.duplicate_evidence import (
    LOSS_KINDS,
    compare_losses,
    place_density,
    place_words,
    spread_m,
    step_of,
    time_density,
)


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (13265.1, 13265.1, "equal"),
        (13265.1, 13300.0, "rounded"),
        (13265.1, 13000.0, "rounded"),
        (1.3265, 13265.1, "unit"),
        (1.3, 13265.1, "unit"),
        (13.3, 13265.1, "unit"),
        (13265.1, 14100.55, "near"),
        (13265.1, 2000.0, "differs"),
        (13265.1, np.nan, "unknown"),
        (0.0, 0.0, "unknown"),
    ],
)
def test_losses_are_compared_as_people_write_them(first, second, kind):
    for a, b in ((first, second), (second, first)):
        kinds, factors = compare_losses(np.array([a]), np.array([b]), np.array([False]), np.zeros(1))
        assert LOSS_KINDS[kinds[0]] == kind
        assert (factors[0] > 1) == (kind in ("equal", "rounded", "unit"))


def test_steps_of_amounts():
    assert step_of(np.array([13265.17, 4300.0, 5000.0, 12345.0, 0.5])).tolist() == [0.01, 100, 1000, 1, 0.1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("许昌市长葛市大周镇苏沟村附近", {"大周", "苏沟"}),
        ("驻马店市上蔡县塔桥乡", {"塔桥"}),
        ("平顶山市演示十五县菱角乡松林营至菱角支局段", {"菱角", "松林营", "菱角支局"}),
        ("许昌市长葛市境内", set()),
        ("王某某家门口 13812345678", set()),
        ("", set()),
    ],
)
def test_only_names_of_places_are_taken_from_a_text(text, words):
    assert place_words(text) == words


def days(*values):
    return (np.array([float(value)]) for value in values)


def test_equal_days_lie_as_thickly_as_one_a_day_and_equal_months_as_one_a_month():
    assert time_density(*days(0, 1, 0, 1))[0] == pytest.approx(1 / (1 + 2 / 24), rel=0.06)
    assert time_density(*days(0, 30, 0, 30))[0] == pytest.approx(1 / 30, rel=0.02)
    assert time_density(*days(0, 1, 3, 4))[0] == 0
    # A minute inside a day says as much as the day.
    assert time_density(*days(0, 1, 0.5, 0.5007))[0] == pytest.approx(
        time_density(*days(0, 1, 0, 1))[0], rel=0.1
    )


def test_densities_of_places_add_up_to_one():
    spread = spread_m(np.array([1500.0]), np.array([300.0]))
    away_m = np.arange(0.5, 8000)
    rings_km2 = 2 * np.pi * away_m / 1000 / 1000
    assert (place_density(away_m, spread) * rings_km2).sum() == pytest.approx(1, abs=1e-3)
