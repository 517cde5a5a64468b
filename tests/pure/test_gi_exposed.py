import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from geo.analysis.hotspots.gi_exposed import gi_star_exposed
from geo.analysis.scan import null_counts
from geo.errors import CancelledRunError, InvalidInputError

SIDE = 12


def ring(cells):
    """Each cell and the next on a ring."""
    here = np.arange(cells)
    return sparse.csr_array((np.ones(cells), (here, (here + 1) % cells)), shape=(cells, cells))


def queen(side=SIDE):
    at = np.arange(side * side).reshape(side, side)
    padded = np.pad(at, 1, constant_values=-1)
    here, there = [], []
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            other = padded[1 + down : 1 + down + side, 1 + right : 1 + right + side]
            here.append(at[other >= 0])
            there.append(other[other >= 0])
    pair = (np.concatenate(here), np.concatenate(there))
    return sparse.csr_array((np.ones(len(pair[0])), pair), shape=(side * side, side * side))


def unequal(cells, seed=1):
    return np.random.default_rng(seed).gamma(0.5, 1, cells) + 0.01


def test_score_and_p_are_those_of_the_binomial():
    # Cell 0 and the next hold a quarter of the exposure and 3 of 4 cases.
    found = gi_star_exposed([2, 1, 0, 1], ring(4), exposure=[1, 1, 3, 3], replications=99, seed=1)
    assert found.z[0] == pytest.approx((3 - 1) / np.sqrt(4 * 0.25 * 0.75))
    assert found.p[0] == pytest.approx(4 * 0.25**3 * 0.75 + 0.25**4)
    assert found.p_kind == "exact"


def test_family_p_is_that_of_a_plain_count_over_simulated_maps():
    exposure = unequal(SIDE * SIDE)
    window = queen()
    counts = null_counts(40, exposure, replications=1, seed=9)[0]
    counts[50] += 6
    found = gi_star_exposed(counts, window, exposure=exposure, replications=199, seed=3)
    total = counts.sum()
    share = window @ exposure / exposure.sum()
    from scipy.stats import binom

    maps = null_counts(int(total), exposure, replications=199, seed=3)
    least = [binom.sf(window @ each - 1, total, share).min() for each in maps]
    own = binom.sf(window @ counts - 1, total, share)
    wanted = [(1 + sum(p <= mine + 1e-12 for p in least)) / 200 for mine in own]
    assert found.p_family == pytest.approx(wanted)
    assert found.p == pytest.approx(own)
    assert (found.p_family >= found.p - 0.01).all()


def test_cable_alone_raises_no_more_alarms_than_the_level():
    exposure = unequal(SIDE * SIDE)
    window = queen()
    alarms = 0
    for number, counts in enumerate(null_counts(60, exposure, replications=200, seed=5)):
        found = gi_star_exposed(counts, window, exposure=exposure, replications=99, seed=number)
        alarms += bool((found.p_family <= 0.05).any())
    assert alarms / 200 <= 0.09


def test_a_planted_place_is_found_and_named():
    exposure = unequal(SIDE * SIDE)
    counts = null_counts(40, exposure, replications=1, seed=2)[0]
    counts[30] += 12
    found = gi_star_exposed(counts, queen(), exposure=exposure, replications=199, seed=1)
    assert found.p_family[30] <= 0.05
    assert found.p_family.min() == found.p_family[found.p.argmin()]


@settings(max_examples=30)
@given(st.integers(1, 60), st.floats(0.01, 100), st.integers(0, 2**20))
def test_scaling_exposure_changes_nothing(case_count, factor, seed):
    exposure = unequal(30)
    counts = null_counts(case_count, exposure, replications=1, seed=seed)[0]
    one = gi_star_exposed(counts, ring(30), exposure=exposure, replications=19, seed=1)
    other = gi_star_exposed(counts, ring(30), exposure=exposure * factor, replications=19, seed=1)
    assert one.z == pytest.approx(other.z)
    assert one.p == pytest.approx(other.p)


def test_nothing_to_tell_is_an_answer():
    for counts, exposure, reason in (
        ([], [], "no_cells"),
        ([0, 0], [1, 1], "no_cases"),
        ([3, 0], [1, 0], "too_few_cells"),
    ):
        found = gi_star_exposed(counts, ring(len(counts)), exposure=exposure, seed=1)
        assert found.reason == reason
        assert (found.p_family == 1).all()


def test_work_can_be_watched_and_stopped():
    seen = []
    gi_star_exposed([1, 2, 3], ring(3), exposure=[1, 1, 1], seed=1, progress=lambda *step: seen.append(step))
    assert seen[-1] == (999, 999)

    def stop(done, total):
        raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        gi_star_exposed([1, 2, 3], ring(3), exposure=[1, 1, 1], seed=1, progress=stop)


@pytest.mark.parametrize(
    ("counts", "exposure", "message"),
    [
        ([1, 0], [0, 1], "without exposure"),
        ([1.5, 0], [1, 1], "whole"),
        ([-1, 0], [1, 1], "negative"),
        ([1, 0], [1, -1], "negative"),
        ([1, 0], [1], "one exposure"),
        (["<5", 0], [1, 1], "counts"),
        ([np.nan, 0], [1, 1], "finite"),
    ],
)
def test_input_that_cannot_be_is_refused(counts, exposure, message):
    with pytest.raises(InvalidInputError, match=message):
        gi_star_exposed(counts, ring(2), exposure=exposure, seed=1)


def test_unequal_weights_are_refused():
    weights = sparse.csr_array(np.array([[1, 0.5, 0.25], [0.5, 1, 1], [1, 1, 1]]))
    with pytest.raises(InvalidInputError, match="equal"):
        gi_star_exposed([1, 0, 2], weights, exposure=[1, 1, 1], seed=1)
