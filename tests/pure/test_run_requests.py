"""What a run is asked: figures in their range, equal questions under one key, nothing that another kind means."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InvalidInputError
from geo.runs import KINDS, HotspotRequest, own_parameters, refuse_masked
from geo.runs.emerging import step_starts
from geo.runs.inputs import MASKED
from geo.runs.knox import KnoxRequest
from geo.runs.requests import Parameter

DAYS = {"start_on": date(2008, 1, 1), "until_on": date(2008, 7, 1)}


@pytest.mark.parametrize("name", KINDS)
def test_a_stored_request_comes_back_as_it_was_under_the_same_key(name):
    asked = KINDS[name].request(**DAYS, sector="telecom", area_id=7, origin="patrol")
    back = KINDS[name].request.from_parameters(asked.parameters())
    assert back == asked
    assert back.request_hash(dataset_version=3) == asked.request_hash(dataset_version=3)
    assert asked.request_hash(dataset_version=4) != asked.request_hash(dataset_version=3)
    assert asked.version.startswith(f"{name}/")


def test_no_two_kinds_answer_one_question():
    keys = {kind.request(**DAYS).request_hash(dataset_version=1) for kind in KINDS.values()}
    assert len(keys) == len(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_every_default_is_within_its_own_range(name):
    for parameter in own_parameters(KINDS[name].request):
        parameter.check(parameter.default)
        assert parameter.least is None or parameter.unit == parameter.unit.strip()


@pytest.mark.parametrize(
    "changes",
    [
        {"replications": 98},
        {"replications": 999.0},
        {"replications": True},
        {"draws": 199},
        {"seed": -1},
        {"seed": 2**53},
        {"origin": "police"},
        {"until_on": date(2008, 1, 1)},
    ],
)
def test_figures_out_of_range_are_refused(changes):
    with pytest.raises(InvalidInputError):
        HotspotRequest(**(DAYS | changes))


@pytest.mark.parametrize(
    "bands", [(0.0,), (0.0, 0.0), (10.0, 5.0), (0.0, float("nan")), (0.0, float("inf")), tuple(range(30))]
)
def test_bands_must_ascend_and_be_finite(bands):
    with pytest.raises(InvalidInputError):
        KnoxRequest(**DAYS, distance_bands=bands)


@pytest.mark.parametrize(
    ("kind", "changes", "code", "values"),
    [
        ("compare", {"base": "2008-03/2008-09"}, "periods_overlap", {}),
        ("compare", {"until_on": date(2009, 3, 1)}, "periods_overlap", {}),
        ("emerging", {"step": "quarter"}, "too_few_steps", {"count": 2, "least": 3}),
        (
            "emerging",
            {"until_on": date(2010, 1, 1), "step": "week"},
            "too_many_steps",
            {"count": 104, "least": 2079},
        ),
        (
            "kernel_density",
            {"bandwidth_m": 3000.0, "cell_m": 1001.0},
            "cell_over_bandwidth",
            {"most": "1000"},
        ),
        ("sections", {"least_m": 2000.0, "max_length_m": 1500.0}, "length_under_least", {"least": "2000"}),
    ],
)
def test_figures_that_do_not_fit_together_are_refused_before_anything_is_queued(kind, changes, code, values):
    with pytest.raises(InvalidInputError) as refused:
        KINDS[kind].request(**(DAYS | changes))
    assert (refused.value.code, refused.value.values) == (code, values)


def test_the_replications_that_are_told_to_be_needed_are_enough():
    asked = {"start_on": date(2008, 1, 1), "until_on": date(2010, 1, 1), "step": "week"}
    assert KINDS["emerging"].request(**asked, replications=2079).replications == 2079
    with pytest.raises(InvalidInputError, match="2079 replications at least"):
        KINDS["emerging"].request(**asked, replications=2078)


def test_a_request_of_another_version_is_refused():
    stored = HotspotRequest(**DAYS).parameters() | {"colour": "red"}
    with pytest.raises(InvalidInputError, match="another version"):
        HotspotRequest.from_parameters(stored)


def test_runs_stored_before_origins_were_told_apart_are_still_read():
    stored = HotspotRequest(**DAYS).parameters()
    del stored["origin"]
    assert HotspotRequest.from_parameters(stored).origin == "reported"


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_is_taken_only_within_its_range(value):
    parameter = Parameter(name="x", form="number", default=1.0, least=0.5, most=9.0, unit="m")
    if 0.5 <= value <= 9.0:
        parameter.check(value)
    else:
        with pytest.raises(InvalidInputError, match=r"between 0\.5 and 9 m"):
            parameter.check(value)


def test_masked_rows_are_refused_by_flag_and_by_column():
    import pandas as pd

    frame = pd.DataFrame({"flags": [["city_omitted"], [MASKED], None], "is_masked": [False, False, None]})
    with pytest.raises(InvalidInputError, match="1 of the incidents are masked"):
        refuse_masked(frame, name="incidents")
    with pytest.raises(InvalidInputError, match="2 of the counts are masked"):
        refuse_masked(pd.DataFrame({"masked": [True, True, False]}), name="counts")
    refuse_masked(frame.iloc[[0, 2]], name="incidents")


@pytest.mark.parametrize(
    ("start", "until", "step", "last", "count"),
    [
        (date(2007, 1, 1), date(2008, 1, 1), "month", date(2008, 1, 1), 12),
        (date(2007, 1, 1), date(2008, 1, 1), "quarter", date(2008, 1, 1), 4),
        (date(2007, 1, 1), date(2008, 1, 1), "week", date(2007, 12, 31), 52),
        (date(2007, 1, 31), date(2007, 4, 15), "month", date(2007, 3, 28), 2),
        (date(2007, 1, 1), date(2007, 1, 20), "month", date(2007, 1, 1), 0),
    ],
)
def test_steps_are_whole_and_never_reach_beyond_the_period(start, until, step, last, count):
    from geo.periods import Period

    starts = step_starts(Period(start, until), step=step)
    assert (len(starts) - 1, starts[-1]) == (count, last)
    assert starts == sorted(set(starts))


def test_every_kind_is_listed_with_the_page_of_its_method():
    folder = Path(__file__).parents[2] / "docs/reference/methods"
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert [name for name in KINDS if f"`{name}`" not in page] == []
    linked = re.findall(r"\]\(([a-z-]+\.md)\)", page)
    assert [name for name in linked if not (folder / name).is_file()] == []
