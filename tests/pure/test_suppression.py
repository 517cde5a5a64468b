import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geo.analysis.suppression import suppress_counts, suppress_shares
from geo.errors import InvalidInputError

TABLES = st.integers(1, 14).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 30), min_size=n, max_size=n),
        st.lists(st.sampled_from("abc"), min_size=n, max_size=n),
    )
)


def bounds_from_outside(safe, groups, totals):
    """Return the least and the most that every hidden count may be, by linear programming over all that is published."""
    n = len(groups)
    rows, sums = [], []
    for group, total in totals.items():
        rows.append([1.0 if each == group else 0.0 for each in groups])
        sums.append(float(total))
    limits = [(count, count) if count is not None else (0, None) for count in safe.counts]
    found = {}
    for place in [place for place, count in enumerate(safe.counts) if count is None]:
        aim = np.zeros(n)
        aim[place] = 1.0
        ends = []
        for sign in (1, -1):
            solved = linprog(sign * aim, A_eq=rows or None, b_eq=sums or None, bounds=limits)
            # 3: unbounded, which is more than enough.
            ends.append(np.inf if solved.status == 3 else sign * solved.fun)
        found[place] = tuple(ends)
    return found


def test_a_lone_small_count_takes_another_with_it():
    safe = suppress_counts([2, 40, 9, 7], groups=["a"] * 4, k=5)
    assert safe.counts == (None, 40, 9, None)
    assert safe.totals == {"a": None}
    assert safe.total is None
    assert safe.total_at_least == 49


def test_zeros_are_hidden_until_what_is_hidden_could_be_anything_below_k():
    safe = suppress_counts([0, 0, 6, 12], groups=["a"] * 4, k=5)
    assert safe.counts == (None, None, None, 12)


def test_nothing_is_hidden_where_every_count_is_large_enough():
    safe = suppress_counts([5, 6, 40], groups=["a", "a", "b"], k=5)
    assert safe.counts == (5, 6, 40)
    assert safe.totals == {"a": 11, "b": 40}
    assert safe.total == 51


def test_groups_are_judged_each_by_itself():
    safe = suppress_counts([3, 8, 9, 20, 30], groups=["a", "a", "a", "b", "b"], k=5)
    assert safe.counts == (None, None, 9, 20, 30)
    assert safe.totals == {"a": None, "b": 50}
    assert safe.total is None


def test_a_total_known_from_elsewhere_tells_on_groups_that_are_named():
    safe = suppress_counts([3, 1, 1, 4, 4], groups=["alone", "few", "few", "enough", "enough"], k=5)
    assert safe.weak_groups == {"alone", "few"}


@settings(max_examples=60)
@given(TABLES, st.integers(2, 7))
def test_no_arithmetic_over_all_published_numbers_pins_a_hidden_count(table, k):
    counts, groups = table
    safe = suppress_counts(counts, groups=groups, k=k)
    published = {group: total for group, total in safe.totals.items() if total is not None}
    for least, most in bounds_from_outside(safe, groups, published).values():
        assert least <= 1e-9
        assert most >= k - 1 - 1e-9


@settings(max_examples=60)
@given(TABLES, st.integers(2, 7))
def test_exact_totals_from_elsewhere_leave_k_values_too(table, k):
    counts, groups = table
    safe = suppress_counts(counts, groups=groups, k=k)
    known = {
        group: sum(count for count, own in zip(counts, groups, strict=True) if own == group)
        for group in set(groups)
    }
    for place, (least, most) in bounds_from_outside(safe, groups, known).items():
        if groups[place] not in safe.weak_groups:
            assert least <= 1e-9
            assert most >= k - 1 - 1e-9


@pytest.mark.parametrize(("n", "k", "most"), [(1, 3, 9), (2, 3, 9), (3, 3, 8), (4, 3, 6), (4, 2, 6)])
def test_reasoning_backwards_through_the_rule_leaves_k_values(n, k, most):
    # Every table there is, sorted by what would be published of it: whoever knows the rule can do no better.
    behind = defaultdict(list)
    for counts in itertools.product(range(most + 1), repeat=n):
        safe = suppress_counts(counts, groups=["a"] * n, k=k)
        behind[safe.counts, safe.total, safe.total_at_least].append(counts)
    for (shown, _, _), tables in behind.items():
        for place in [place for place, count in enumerate(shown) if count is None]:
            assert len({counts[place] for counts in tables}) >= k


@settings(max_examples=60)
@given(TABLES, st.integers(2, 7))
def test_what_is_published_is_true_and_large_enough(table, k):
    counts, groups = table
    safe = suppress_counts(counts, groups=groups, k=k)
    for count, shown in zip(counts, safe.counts, strict=True):
        assert shown is None or shown == count >= k
    for group, total in safe.totals.items():
        hidden = [
            shown for shown, own in zip(safe.counts, groups, strict=True) if own == group and shown is None
        ]
        assert (total is None) == bool(hidden)
        assert len(hidden) != 1 or groups.count(group) == 1
    assert safe.total is None or safe.total == sum(counts)
    assert safe.total_at_least <= sum(counts)


@settings(max_examples=60)
@given(st.lists(st.floats(0, 500), min_size=1, max_size=8), st.integers(0, 900), st.integers(2, 7))
def test_shares_stand_for_k_incidents_or_are_hidden_by_twos(weights, at_least, k):
    shares = suppress_shares(weights, at_least=at_least, k=k)
    shown = [share for share in shares if share is not None]
    assert len(shares) - len(shown) != 1 or not shown
    known = min(at_least, sum(weights))
    assert all((share - 0.05) * known >= k - 1e-6 for share in shown)
    if shown and len(shown) < len(shares):
        left = 1 - sum(share - 0.05 for share in shown)
        assert left * known >= k - 1e-6
    for weight, share in zip(weights, shares, strict=True):
        assert share is None or abs(share - weight / sum(weights)) <= 0.05 + 1e-9
        assert share is None or weight >= k - 1e-6


def test_shares_of_nothing_are_not_told():
    assert suppress_shares([0.0] * 4, at_least=100) == (None,) * 4
    assert suppress_shares([10.0, 20.0, 30.0, 40.0], at_least=0) == (None,) * 4
    assert suppress_shares([], at_least=10) == ()


def test_shares_of_many_are_all_told_in_steps():
    assert suppress_shares([40.0, 10.0, 10.0, 43.0], at_least=100) == (0.4, 0.1, 0.1, 0.4)


@pytest.mark.parametrize(
    ("counts", "groups", "k"),
    [
        ([-1], ["a"], 5),
        ([1.5], ["a"], 5),
        ([True], ["a"], 5),
        ([1, 2], ["a"], 5),
        ([1], ["a"], 1),
        ([1], ["a"], True),
    ],
)
def test_what_is_no_count_is_refused(counts, groups, k):
    with pytest.raises(InvalidInputError):
        suppress_counts(counts, groups=groups, k=k)


@pytest.mark.parametrize(
    ("weights", "at_least", "k"), [([-1.0], 5, 5), ([float("nan")], 5, 5), ([1.0], -1, 5), ([1.0], 5, 1)]
)
def test_what_is_no_weight_is_refused(weights, at_least, k):
    with pytest.raises(InvalidInputError):
        suppress_shares(weights, at_least=at_least, k=k)
