import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.series import link_incidents
from geo.analysis.series_across import series_across
from geo.analysis.series_evidence import KINDS, evidence, read_traits
from geo.crs import METRIC, STORED
from geo.errors import CancelledRunError, InvalidInputError, UnitError
from geo.io.place_names import HENAN2008

PAIR = ("许昌市", "开封市")
WEST, SOUTH = 400_000.0, 3_700_000.0


@pytest.fixture(scope="module")
def annex():
    cases = pd.read_csv(HENAN2008 / "incidents.csv", parse_dates=["occurred_from", "occurred_until"])
    places = gpd.points_from_xy(cases["lon"], cases["lat"])
    incidents = gpd.GeoDataFrame(cases, geometry=places, crs=STORED).to_crs(METRIC).set_index("case_key")
    return incidents, pd.read_csv(HENAN2008 / "loss_items.csv").set_index("case_key")


def of_pair(annex):
    incidents, losses = annex
    chosen = incidents[incidents["city"].isin(PAIR)]
    return chosen, losses[losses.index.isin(chosen.index)]


def belt(seed=1, *, n=30, series=5, radius_m=500.0):
    """Return incidents over a year along a border at x = WEST, some in one series astride it, and their sides."""
    rng = np.random.default_rng(seed)
    xy = np.column_stack((rng.uniform(-60_000, 60_000, n), rng.uniform(0, 120_000, n)))
    days, category = rng.uniform(0, 365, n), rng.choice(["cable_theft", "transformer_theft"], n)
    # Two sides of the border, 4 km apart, a week between incidents, a rare kind.
    xy[:series] = np.column_stack(
        (np.where(np.arange(series) % 2, 2_000, -2_000), 60_000 + rng.normal(0, 500, series))
    )
    days[:series] = 100 + 7 * np.arange(series)
    category[:series] = "optical_cable_theft"
    start = pd.Timestamp("2008-01-01", tz="Asia/Shanghai") + pd.to_timedelta(np.floor(days), unit="D")
    incidents = gpd.GeoDataFrame(
        {
            "occurred_from": start,
            "occurred_until": start + pd.Timedelta(days=1),
            "radius_m": radius_m,
            "category": category.astype(object),
            "sector": "telecom",
        },
        geometry=gpd.points_from_xy(xy[:, 0] + WEST, xy[:, 1] + SOUTH),
        crs=METRIC,
    )
    return incidents, pd.Series(np.where(xy[:, 0] < 0, "west", "east"), index=incidents.index)


def halves():
    return gpd.GeoDataFrame(
        geometry=[
            shapely.box(WEST - 100_000, SOUTH, WEST, SOUTH + 120_000),
            shapely.box(WEST, SOUTH, WEST + 100_000, SOUTH + 120_000),
        ],
        index=["west", "east"],
        crs=METRIC,
    )


def test_the_annex_yields_its_candidates_on_the_border_of_xuchang_and_kaifeng(annex):
    incidents, losses = of_pair(annex)
    found = series_across(incidents, side=incidents["city"], loss_items=losses, seed=1)
    chains = {frozenset(row["members"]): row for row in found.chains.to_dict("records")}
    # 禹州 (许昌) 2006-11-26, 2007-01-03, 2007-01-04, 2008-02-15; 尉氏 (开封) 2007-03, 2007-05.
    yuzhou = chains[frozenset({"A3-7", "A3-8", "A3-9", "A2-10"})]
    weishi = chains[frozenset({"A3-2", "A3-3"})]
    assert yuzhou["sides"] == ("许昌市",)
    assert weishi["sides"] == ("开封市",)
    days = incidents.loc[list(yuzhou["members"]), "occurred_from"].dt.strftime("%Y-%m-%d").tolist()
    assert days == ["2006-11-26", "2007-01-03", "2007-01-04", "2008-02-15"]
    assert set(incidents.loc[list(weishi["members"]), "county"]) == {"尉氏县"}
    # A candidate is a link with its reasons, and how many such pairs chance would give beside it.
    for _, link in found.links.iterrows():
        assert link["reasons"]
        assert link["chance_pairs"] >= 0
        assert link["odds"] >= 0.25
    assert len(found.links) == 5
    # No pair of the two cities is a candidate together; the nearest one is told, with what speaks against it.
    assert found.across_count == 0
    assert found.across_chance < 0.5
    assert found.across_p == 1
    nearest = found.alternatives[found.alternatives["is_across"]].iloc[0]
    assert {nearest["side_a"], nearest["side_b"]} == set(PAIR)
    assert nearest["odds"] < 0.25


def test_the_annex_has_one_chain_that_crosses_a_border(annex):
    incidents, losses = annex
    found = series_across(incidents, side=incidents["city"], loss_items=losses, seed=1)
    first = found.chains.iloc[0]
    assert first["members"] == ("A2-3", "A3-6")
    assert first["sides"] == ("安阳市", "鹤壁市")
    assert first["is_across"]
    assert first["across_count"] == 1
    assert found.across_count == 1
    # As many are to be expected by chance.
    assert found.across_chance == pytest.approx(1, abs=0.35)
    assert found.across_p > 0.5
    assert (found.chains["is_across"].to_numpy()[:-1] >= found.chains["is_across"].to_numpy()[1:]).all()


def test_a_series_astride_the_border_is_one_chain_beyond_chance():
    incidents, side = belt()
    found = series_across(incidents, side=side, areas=halves(), seed=1)
    first = found.chains.iloc[0]
    assert set(range(5)) <= set(first["members"])
    assert set(first["sides"]) == {"west", "east"}
    assert found.across_count >= 4
    assert found.across_p <= 0.05
    assert found.across_count > 2 * found.across_chance
    assert found.reason is None


def test_links_are_those_without_a_border_marked():
    incidents, side = belt(2)
    found = series_across(incidents, side=side, seed=1)
    plain = link_incidents(incidents, seed=1)
    pd.testing.assert_frame_equal(found.links[plain.pairs.columns], plain.pairs)
    slow = [
        side[a] != side[b] for a, b in zip(plain.pairs["incident_a"], plain.pairs["incident_b"], strict=True)
    ]
    assert found.links["is_across"].tolist() == slow
    assert found.across_count == sum(slow)


def test_chance_across_counts_only_pairs_that_cross():
    incidents, side = belt(3, n=14, series=3)
    found = series_across(incidents, side=side, seed=4, replications=25)
    parts = evidence(read_traits(incidents), linked_m=8_000, linked_days=30)
    bar = np.log(0.25 * 13)
    counts = []
    for number in range(25):
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(4, spawn_key=(0, number))))
        times, kinds = rng.permutation(14), rng.permutation(14)
        count = 0
        for i in range(14):
            for j in range(i):
                score = parts["place"][i, j]
                score += sum(parts[kind][times[i], times[j]] for kind in ("time", "hour"))
                score += sum(parts[kind][kinds[i], kinds[j]] for kind in ("category", "items"))
                count += score >= bar and side[i] != side[j]
        counts.append(count)
    # Scores are counted in classes of .02.
    assert found.across_chance == pytest.approx(np.mean(counts), abs=0.15)


@settings(max_examples=8)
@given(st.integers(0, 1_000))
def test_laws_of_sides(seed):
    incidents, side = belt(seed, n=18, series=3)
    found = series_across(incidents, side=side, seed=1, replications=19)
    swapped = series_across(
        incidents, side=side.map({"west": "east", "east": "west"}), seed=1, replications=19
    )
    assert swapped.across_count == found.across_count
    assert swapped.across_chance == found.across_chance
    assert swapped.across_p == found.across_p
    assert (swapped.alternatives["incident_b"] == found.alternatives["incident_b"]).all()
    assert (found.alternatives["odds"] < 0.25).all()
    assert (found.alternatives["odds"] >= 0.025).all()
    keys = found.alternatives[["incident_a", "incident_b"]]
    assert not keys.duplicated().any()
    assert found.chains["across_count"].sum() == found.across_count
    assert (found.lines.length > 0).all()
    assert len(found.lines) <= len(found.links) + len(found.alternatives)
    assert found.linkage.chance_count >= found.across_chance - 1e-9


def test_every_incident_gets_its_best_pairs_across_below_the_bar():
    incidents, side = belt(7, n=26, series=4)
    found = series_across(incidents, side=side, seed=1, replications=9)
    odds = (
        np.exp(
            np.sum(
                [evidence(read_traits(incidents), linked_m=8_000, linked_days=30)[kind] for kind in KINDS],
                axis=0,
            )
        )
        / 25
    )
    told = {frozenset(pair) for pair in found.alternatives[["incident_a", "incident_b"]].to_numpy().tolist()}
    for one in range(26):
        across = [
            (odds[one, other], other)
            for other in range(26)
            if side[one] != side[other] and 0.025 <= odds[one, other] < 0.25
        ]
        for _, other in sorted(across, reverse=True)[:3]:
            assert frozenset((one, other)) in told


def test_a_disc_that_reaches_over_the_border_makes_the_side_unsure():
    incidents, side = belt(radius_m=3_000.0)
    found = series_across(incidents, side=side, areas=halves(), seed=1)
    assert found.links.loc[found.links["is_across"], "is_side_unsure"].all()
    sharp = series_across(incidents.assign(radius_m=100.0), side=side, areas=halves(), seed=1)
    assert not sharp.links["is_side_unsure"].any()
    assert not series_across(incidents, side=side, seed=1).links["is_side_unsure"].any()


def test_lines_join_the_places_of_each_pair():
    incidents, side = belt()
    found = series_across(incidents, side=side, seed=1)
    assert found.lines.crs == incidents.crs
    for row in found.lines.itertuples():
        ends = shapely.get_coordinates(row.geometry)
        for end, incident in zip(ends, (row.incident_a, row.incident_b), strict=True):
            assert tuple(end) == incidents.geometry[incident].coords[0]
        assert row.radius_sum_m == 1_000
    assert found.lines["is_linked"].sum() == len(found.links)
    assert set(found.incidents.index) >= {*found.links["incident_a"], *found.links["incident_b"]}


def test_pairs_of_one_point_and_missing_places_have_no_line(annex):
    incidents, losses = of_pair(annex)
    found = series_across(incidents, side=incidents["city"], loss_items=losses, seed=1)
    drawn = {frozenset(pair) for pair in found.lines[["incident_a", "incident_b"]].to_numpy().tolist()}
    assert frozenset({"A3-7", "A2-10"}) not in drawn
    assert len(found.lines[found.lines["is_linked"]]) == len(found.links) - 1
    lost = incidents.copy()
    lost.loc["A3-2", "geometry"] = None
    again = series_across(lost, side=lost["city"], loss_items=losses, seed=1)
    assert not {"A3-2"} & {*again.lines["incident_a"], *again.lines["incident_b"]}


def test_an_incident_without_a_side_crosses_nothing():
    incidents, side = belt()
    side[:] = None
    found = series_across(incidents, side=side, seed=1)
    assert found.reason == "one_side"
    assert found.across_count == 0
    assert found.across_chance is None
    assert not found.chains["is_across"].any()
    assert (found.chains["sides"].map(len) == 0).all()
    one = series_across(incidents, side=["west"] * len(incidents), seed=1)
    assert one.reason == "one_side"
    assert one.chains["sides"].iloc[0] == ("west",)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_incidents_are_an_answer(n):
    incidents, side = belt()
    found = series_across(incidents.iloc[:n], side=side.iloc[:n], seed=1)
    assert found.reason == "too_few_incidents"
    assert found.links.empty
    assert found.chains.empty
    assert found.alternatives.empty
    assert found.lines.empty
    assert found.lines.crs == incidents.crs
    assert found.across_p == 1


def test_nothing_tells_of_persons():
    incidents, side = belt()
    found = series_across(incidents, side=side, seed=1)
    frames = (found.chains, found.links, found.alternatives, found.lines, found.incidents)
    told = {column for frame in frames for column in frame.columns}
    assert not any(word in column for column in told for word in ("person", "suspect", "offender", "gang"))


def test_progress_counts_both_comparisons_and_may_cancel():
    incidents, side = belt()
    seen = []
    series_across(incidents, side=side, seed=1, replications=9, progress=lambda *step: seen.append(step))
    assert seen[-1] == (18, 18)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)

    def cancel(done, total):
        raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        series_across(incidents, side=side, seed=1, replications=9, progress=cancel)


@pytest.mark.parametrize(
    "changes",
    [
        {"side": ["west"]},
        {"side": pd.Series(["west"] * 30, index=range(100, 130))},
        {"areas": halves().to_crs(32649)},
        {"min_odds": 0},
        {"replications": 0},
        {"seed": -1},
        {"linked_m": float("nan")},
    ],
)
def test_bad_input_is_refused(changes):
    incidents, side = belt()
    with pytest.raises(InvalidInputError):
        series_across(incidents, **({"side": side, "seed": 1} | changes))


def test_degrees_are_refused():
    incidents, side = belt()
    with pytest.raises(UnitError):
        series_across(incidents.to_crs(STORED), side=side, seed=1)
    with pytest.raises(UnitError):
        series_across(incidents, side=side, areas=halves().to_crs(STORED), seed=1)
