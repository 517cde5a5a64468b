from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.aoristic import aoristic_hours, hour_weights
from geo.analysis.aoristic_weights import read_intervals, spread
from geo.errors import CancelledRunError, InvalidInputError
from geo.io.place_names import HENAN2008

CHINA = ZoneInfo("Asia/Shanghai")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def hours(*intervals, **figures):
    starts, ends = zip(*intervals, strict=True)
    figures = {"seed": 1, "replications": 99, "draws": 50} | figures
    return aoristic_hours([at(text) for text in starts], [at(text) for text in ends], **figures)


# ---- a slow, clear twin: minute by minute on the wall clock ----


def twin_week(start, until):
    """Return the weights by weekday and hour of an interval of whole minutes of at most a week."""
    week = np.zeros((7, 24))
    minutes = int((until - start).total_seconds() // 60)
    for minute in range(max(minutes, 1)):
        clock = (start.astimezone(UTC) + timedelta(minutes=minute)).astimezone(CHINA)
        week[clock.weekday(), clock.hour] += 1
    return week / week.sum()


SUMMER_TIME_BEGAN = datetime(1986, 4, 1, tzinfo=UTC)
moments = st.integers(0, 2_900_000).map(lambda minutes: SUMMER_TIME_BEGAN + timedelta(minutes=minutes))


@given(moments, st.integers(0, 3 * 24 * 60))
@settings(max_examples=25)
def test_weights_are_the_minutes_on_the_wall_clock_summer_time_included(start, minutes):
    until = start + timedelta(minutes=minutes)
    weights = spread(read_intervals([start], [until]))
    twin = twin_week(start, until)
    assert np.allclose(weights.by_week_hour.reshape(7, 24), twin, atol=1e-9)
    assert np.allclose(weights.by_hour[0], twin.sum(axis=0), atol=1e-9)


@given(
    st.lists(
        st.tuples(st.integers(-5_000_000, 115_000_000), st.one_of(st.just(0), st.integers(0, 5_000_000))),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=60)
def test_weights_sum_to_one_for_each_incident(minutes):
    origin = pd.Timestamp("1970-01-01", tz="UTC")
    starts = [origin + pd.Timedelta(minutes=start) for start, _ in minutes]
    ends = [origin + pd.Timedelta(minutes=start + length) for start, length in minutes]
    weights = spread(read_intervals(starts, ends))
    assert np.allclose(weights.by_hour.sum(axis=1), 1)
    assert np.isclose(weights.by_week_hour.sum(), len(minutes))
    assert np.isclose(weights.by_month.sum(), len(minutes))
    assert np.allclose(weights.by_hour.sum(axis=0), weights.by_week_hour.reshape(7, 24).sum(axis=0))


def test_ten_minutes_either_side_of_two_are_half_and_half():
    found = hours(("2008-02-05T01:50", "2008-02-05T02:10"))
    weight = found.hours["weight"]
    assert weight[[1, 2]].tolist() == [0.5, 0.5]
    assert weight.sum() == 1
    # A Tuesday in February.
    assert found.matrix[1, 1] == 0.5
    assert found.months[1] == 1


def test_longer_than_a_week_says_nothing_of_the_hour():
    found = hours(("2007-03-01", "2007-04-01"))
    assert np.allclose(found.matrix, 1 / 168, atol=1e-15)
    assert found.months[2] == pytest.approx(1)
    assert found.reason == "no_hour_known"
    assert found.p == 1
    assert (found.hours["p_family"] == 1).all()
    week = hours(("2007-03-01", "2007-03-08"))
    assert np.allclose(week.matrix, 1 / 168)


def test_a_moment_belongs_to_its_hour_and_ends_are_half_open():
    found = hours(
        ("2008-01-01T03:00", "2008-01-01T03:00"),
        ("2008-01-01T03:00", "2008-01-01T04:00"),
        ("2008-01-31T23:00", "2008-02-01T00:00"),
    )
    assert found.hours["weight"][[3, 23]].tolist() == [2, 1]
    assert found.months[:2].tolist() == [3, 0]
    assert found.within_hour_share == 1
    assert found.effective_count == 3


def test_the_skipped_hour_gets_nothing_and_the_one_that_came_twice_counts_twice():
    # Clocks went from 2:00 to 3:00 on 4 May 1986, and from 2:00 back to 1:00 on 14 September.
    spring = hours(("1986-05-04T01:00", "1986-05-04T04:00"))
    assert spring.hours["weight"][1:4].tolist() == [0.5, 0, 0.5]
    autumn = hours(("1986-09-14T00:00", "1986-09-14T02:00"))
    assert autumn.hours["weight"][:2].to_numpy() == pytest.approx([1 / 3, 2 / 3])


def test_any_zone_is_read_on_the_chinese_clock():
    start = pd.Series(pd.to_datetime(["2008-01-01T20:00+00:00"]))
    weights = hour_weights(start, start + pd.Timedelta(hours=1))
    assert weights[0, 4] == 1
    nanoseconds = pd.DatetimeIndex(start).as_unit("ns").tz_convert("America/New_York")
    assert (hour_weights(nanoseconds, nanoseconds + pd.Timedelta(hours=1)) == weights).all()


def test_vague_incidents_count_for_little():
    night = ("2008-01-01T18:00", "2008-01-02T06:00")
    found = hours(*[night] * 24)
    assert found.effective_count == pytest.approx(2)
    assert found.within_hour_share == 0
    assert found.hours["share"][[18, 5]].to_numpy() == pytest.approx([1 / 12, 1 / 12])
    # The bounds of a share out of two incidents are wide, and any hour of the night may hold many or none.
    assert found.hours["share_high"][20] > 0.6
    assert found.hours["drawn_low"][20] == 0
    assert found.hours["drawn_high"][20] >= 4
    assert found.hours["drawn_high"][12] == 0


def test_nights_are_told_from_a_flat_day():
    rng = np.random.default_rng(1)
    starts = pd.Timestamp("2008-01-01", tz=CHINA) + pd.to_timedelta(rng.integers(0, 300, 60), unit="D")
    starts += pd.to_timedelta(rng.normal(26, 2, 60), unit="h").floor("min")
    found = aoristic_hours(starts, starts + pd.Timedelta(minutes=30), seed=1)
    assert found.p == 0.001
    assert found.hours["p_family"].min() == 0.001
    first, share = found.busiest(length_hours=8)
    assert first in (22, 23)
    assert share > 0.9


def test_a_busiest_stretch_runs_past_midnight():
    found = hours(("2008-01-01T23:00", "2008-01-02T01:00"))
    assert found.busiest(length_hours=2) == (23, 1)
    assert found.busiest(length_hours=24) == (0, 1)
    for length in (0, 25, 2.5):
        with pytest.raises(InvalidInputError):
            found.busiest(length_hours=length)


@pytest.mark.parametrize("n", [24, 60])
def test_sets_without_a_favoured_hour_rarely_alarm(n):
    alarms = any_hour = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        true = pd.Timestamp("2008-01-01", tz=CHINA) + pd.to_timedelta(
            rng.integers(0, 300 * 1440, n), unit="min"
        )
        length = rng.choice([0, 20, 60, 720, 1440], n)
        before = pd.to_timedelta(np.floor(rng.random(n) * length), unit="min")
        start = true - before
        found = aoristic_hours(
            start, start + pd.to_timedelta(length, unit="min"), seed=seed, replications=159, draws=1
        )
        alarms += found.p <= 0.05
        any_hour += found.hours["p_family"].min() <= 0.05
    # 5 % and three standard errors.
    assert alarms / 150 <= 0.103
    assert any_hour / 150 <= 0.103


def test_turned_sets_are_those_of_the_definition():
    found = hours(("2008-01-01T01:00", "2008-01-01T03:00"), ("2008-01-01T02:00", "2008-01-01T03:00"))
    # Two incidents, one over two hours: 24 turns of one against the other, of which 2 overlap.
    share = []
    for turn in range(24):
        weight = np.zeros(24)
        weight[[1, 2]] += 0.5
        weight[turn] += 1
        share.append(((weight - 2 / 24) ** 2).sum() / (2 / 24) >= found.statistic - 1e-9)
    many = hours(
        ("2008-01-01T01:00", "2008-01-01T03:00"),
        ("2008-01-01T02:00", "2008-01-01T03:00"),
        replications=4_999,
    )
    assert many.p == pytest.approx(np.mean(share), abs=0.015)


def test_the_annex_knows_seven_times_of_day_all_at_night():
    cases = pd.read_csv(HENAN2008 / "incidents.csv", parse_dates=["occurred_from", "occurred_until"])
    timed = cases[~cases["date_precision"].isin(["day", "month"])]
    found = aoristic_hours(timed["occurred_from"], timed["occurred_until"], seed=1)
    assert found.incident_count == 7
    assert found.busiest(length_hours=12) == (18, pytest.approx(1))
    everything = aoristic_hours(cases["occurred_from"], cases["occurred_until"], seed=1)
    assert everything.incident_count == 24
    assert everything.matrix.sum() == pytest.approx(24)
    assert everything.within_hour_share == pytest.approx(3 / 24)


def test_no_incidents_are_an_answer():
    found = aoristic_hours([], [], seed=1)
    assert found.reason == "no_incidents"
    assert found.within_hour_share is None
    assert found.busiest(length_hours=3) == (0, None)
    assert found.hours["share"].isna().all()
    assert found.p == 1


def test_neither_threads_nor_order_change_the_answer_and_progress_reports(monkeypatch):
    intervals = [(f"2008-01-{day:02}T20:00", f"2008-01-{day + 1:02}T0{day % 8}:30") for day in range(1, 28)]
    seen = []
    found = hours(*intervals, progress=lambda *step: seen.append(step))
    assert seen[-1] == (99, 99)
    monkeypatch.setattr("geo.analysis.threads._WORKERS", 1)
    again = hours(*intervals)
    assert again.hours.equals(found.hours)
    assert again.p == found.p
    mirrored = hours(*intervals[::-1])
    assert np.allclose(mirrored.hours["weight"], found.hours["weight"])

    def cancel(done, total):
        raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        hours(*intervals, progress=cancel)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ([at("2008-01-02")], [at("2008-01-01")]),
        ([at("2008-01-02")], []),
        ([at("2008-01-02")], [pd.NaT]),
        ([pd.NaT], [at("2008-01-02")]),
        ([datetime(2008, 1, 1)], [datetime(2008, 1, 2)]),  # noqa: DTZ001 - no zone is what is refused
        ([at("1949-01-01")], [at("2008-01-01")]),
        ([at("2008-01-01")], [at("2300-01-01")]),
        (["yesterday"], ["today"]),
        (3, 4),
    ],
)
def test_bad_times_are_refused(starts, ends):
    with pytest.raises(InvalidInputError):
        aoristic_hours(starts, ends, seed=1)


@pytest.mark.parametrize(
    "figures", [{"seed": -1}, {"replications": 0}, {"draws": 0}, {"level": 1}, {"level": "high"}]
)
def test_bad_figures_are_refused(figures):
    with pytest.raises(InvalidInputError):
        hours(("2008-01-01", "2008-01-02"), **figures)
