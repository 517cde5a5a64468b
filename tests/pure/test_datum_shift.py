"""A forgotten conversion of the datum shows in many points, and hardly ever where there is none."""

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from geo.analysis.datum_shift import VERDICTS, datum_shift
from geo.datum import bd09_to_wgs84, gcj02_to_bd09, gcj02_to_wgs84, wgs84_to_gcj02
from geo.errors import InvalidInputError

SETS = 400
TO_METRES = Transformer.from_crs(4326, 4547, always_xy=True)
TO_DEGREES = Transformer.from_crs(4547, 4326, always_xy=True)
CENTRE = np.array(TO_METRES.transform(113.6, 34.7))
SIZE_M = 40_000.0


def degrees(xy):
    return np.column_stack(TO_DEGREES.transform(xy[:, 0], xy[:, 1]))


def cables(rng, count=60):
    """Return crooked lines over a square of 40 km, about as dense as trunk cable between townships."""
    lines = []
    for _ in range(count):
        start = CENTRE + rng.uniform(-SIZE_M / 2, SIZE_M / 2, 2)
        turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.35, 12))
        steps = np.column_stack([np.cos(turn), np.sin(turn)]) * 600
        lines.append(shapely.LineString(np.vstack([start, start + np.cumsum(steps, axis=0)])))
    return lines


def stored(lines):
    return [shapely.transform(line, degrees) for line in lines]


def on_lines(rng, lines, n, spread_m):
    chosen = [lines[index] for index in rng.integers(len(lines), size=n)]
    feet = [line.interpolate(rng.uniform(), normalized=True) for line in chosen]
    return shapely.get_coordinates(feet) + rng.normal(0, spread_m, (n, 2))


def judge(lonlat, lines=(), declared="wgs84", precision_m=50.0, **references):
    return datum_shift(lonlat, declared=declared, precision_m=precision_m, lines=lines, **references)


def share(verdicts, wanted):
    return sum(verdict in wanted for verdict in verdicts) / len(verdicts)


WARNINGS = tuple(verdict for verdict in VERDICTS if verdict.startswith("looks"))


def test_points_on_lines_are_warned_of_in_at_most_one_set_of_a_hundred():
    rng = np.random.default_rng(1)
    verdicts = []
    for number in range(SETS):
        lines = cables(rng)
        points = on_lines(rng, lines, (12, 30, 100)[number % 3], (25, 50)[number % 2])
        verdicts.append(judge(degrees(points), stored(lines)).verdict)
    assert share(verdicts, WARNINGS) <= 0.01
    assert share(verdicts[1::3], ("consistent",)) >= 0.9


def test_points_unrelated_to_lines_are_warned_of_in_at_most_one_set_of_a_hundred():
    rng = np.random.default_rng(2)
    verdicts = []
    for number in range(SETS):
        lines = cables(rng, 200)
        if number % 2:
            points = CENTRE + rng.uniform(-SIZE_M / 2, SIZE_M / 2, ((30, 300)[number % 4 // 2], 2))
        else:
            towns = CENTRE + rng.uniform(-SIZE_M / 2, SIZE_M / 2, (15, 2))
            points = towns[rng.integers(15, size=150)] + rng.normal(0, 400, (150, 2))
        verdicts.append(judge(degrees(points), stored(lines), precision_m=(50.0, 200.0)[number % 2]).verdict)
    assert share(verdicts, WARNINGS) <= 0.01
    assert share(verdicts, ("references_disagree",)) == 0


def test_points_strung_along_one_side_of_one_line_are_no_proof():
    rng = np.random.default_rng(3)
    verdicts = []
    for _ in range(100):
        turn = rng.uniform(0, 2 * np.pi)
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        trunk = shapely.LineString([CENTRE - 20_000 * along, CENTRE + 20_000 * along])
        places = rng.uniform(-18_000, 18_000, (40, 1)) * along + rng.normal(450, 60, (40, 1)) * across
        verdicts.append(judge(degrees(CENTRE + places), stored([trunk]), precision_m=100.0).verdict)
    assert share(verdicts, WARNINGS) <= 0.01
    assert share(verdicts, ("not_enough_to_tell",)) >= 0.9


@pytest.mark.parametrize(
    ("spoil", "declared", "wanted"),
    [
        (wgs84_to_gcj02, "wgs84", "looks_like_gcj02"),
        (lambda lonlat: gcj02_to_bd09(wgs84_to_gcj02(lonlat)), "wgs84", "looks_like_bd09"),
        (gcj02_to_wgs84, "wgs84", "looks_converted_twice"),
        (gcj02_to_wgs84, "gcj02", "looks_converted_twice"),
        (lambda lonlat: gcj02_to_wgs84(gcj02_to_bd09(wgs84_to_gcj02(lonlat))), "gcj02", "looks_like_bd09"),
        (lambda lonlat: bd09_to_wgs84(wgs84_to_gcj02(lonlat)), "bd09", "looks_like_gcj02"),
        (bd09_to_wgs84, "bd09", "looks_converted_twice"),
    ],
)
def test_thirty_shifted_points_near_lines_are_found(spoil, declared, wanted):
    rng = np.random.default_rng(4)
    verdicts = []
    for number in range(100):
        lines = cables(rng)
        points = on_lines(rng, lines, 30, (25, 50)[number % 2])
        verdicts.append(judge(spoil(degrees(points)), stored(lines), declared).verdict)
    assert share(verdicts, (wanted,)) >= 0.95


def counties(rng):
    """Return sixteen crooked neighbours by name, in metres."""
    edges = np.linspace(-SIZE_M / 2, SIZE_M / 2, 5)
    nodes = {
        (i, j): CENTRE + np.array([edges[i], edges[j]]) + rng.uniform(-1_500, 1_500, 2)
        for i in range(5)
        for j in range(5)
    }
    return {
        f"{i}{j}": shapely.Polygon(
            [nodes[i, j], nodes[i + 1, j], nodes[i + 1, j + 1], nodes[i, j + 1], nodes[i, j]]
        )
        for i in range(4)
        for j in range(4)
    }


def in_counties(rng, areas, n):
    """Return points and the names of the areas they lie in."""
    points, names = [], []
    for name in rng.choice(list(areas), n):
        west, south, east, north = areas[name].bounds
        while True:
            x, y = rng.uniform((west, south), (east, north))
            if areas[name].contains(shapely.Point(x, y)):
                break
        points.append((x, y))
        names.append(str(name))
    return np.array(points), names


def test_points_in_their_counties_are_warned_of_in_at_most_one_set_of_a_hundred():
    rng = np.random.default_rng(5)
    verdicts = []
    for _ in range(SETS):
        areas = counties(rng)
        points, names = in_counties(rng, areas, 300)
        noisy = points + rng.normal(0, 50, points.shape)
        stored_areas = {name: shapely.transform(area, degrees) for name, area in areas.items()}
        verdicts.append(judge(degrees(noisy), areas=stored_areas, stated_areas=names).verdict)
    assert share(verdicts, WARNINGS) <= 0.01
    assert share(verdicts, ("consistent",)) >= 0.9


def test_shifted_points_fall_out_of_their_counties():
    rng = np.random.default_rng(6)
    verdicts = []
    for _ in range(40):
        areas = counties(rng)
        points, names = in_counties(rng, areas, 400)
        stored_areas = {name: shapely.transform(area, degrees) for name, area in areas.items()}
        found = judge(wgs84_to_gcj02(degrees(points)), areas=stored_areas, stated_areas=names)
        verdicts.append(found.verdict)
        figures = {figure.name: figure for figure in found.hypotheses}
        assert figures["gcj02"].share_inside == 1.0
        assert 0.85 < figures["as_declared"].share_inside < 0.97
        assert figures["gcj02"].median_m is None
    assert share(verdicts, ("looks_like_gcj02",)) >= 0.9


def test_lines_that_are_shifted_themselves_are_not_blamed_on_points_that_fit_their_counties():
    rng = np.random.default_rng(7)
    areas = counties(rng)
    lines = cables(rng, 120)
    points = on_lines(rng, lines, 600, 25)
    names = [
        next((name for name, area in areas.items() if area.contains(shapely.Point(xy))), None)
        for xy in points
    ]
    shifted = [shapely.transform(line, lambda xy: wgs84_to_gcj02(degrees(xy))) for line in lines]
    stored_areas = {name: shapely.transform(area, degrees) for name, area in areas.items()}
    found = judge(degrees(points), shifted, areas=stored_areas, stated_areas=names)
    assert (found.verdict, found.reason) == ("references_disagree", "references_disagree")


def test_the_figures_say_how_far_and_where_to():
    rng = np.random.default_rng(8)
    lines = cables(rng)
    points = on_lines(rng, lines, 200, 20)
    found = judge(wgs84_to_gcj02(degrees(points)), stored(lines))
    figures = {figure.name: figure for figure in found.hypotheses}
    assert list(figures) == ["as_declared", "gcj02", "bd09", "converted_twice"]
    assert (figures["as_declared"].shift_east_m, figures["as_declared"].shift_north_m) == (0, 0)
    assert figures["as_declared"].p is None
    away = figures["gcj02"]
    assert 400 < np.hypot(away.shift_east_m, away.shift_north_m) < 700
    assert away.shift_east_m < 0
    assert away.median_m < 30
    assert np.hypot(away.offset_east_m, away.offset_north_m) < 10
    assert figures["as_declared"].median_m > 150
    assert away.p < 1e-10
    assert away.votes_for > 20 * max(away.votes_against, 1)
    assert found.n == 200


def test_places_too_coarse_or_too_few_tell_nothing():
    rng = np.random.default_rng(9)
    lines = cables(rng)
    points = wgs84_to_gcj02(degrees(on_lines(rng, lines, 100, 30)))
    townships = judge(points, stored(lines), precision_m=6_000.0)
    assert (townships.verdict, townships.reason) == ("not_enough_to_tell", "too_few_votes")
    few = judge(points[:5], stored(lines))
    assert (few.verdict, few.reason) == ("not_enough_to_tell", "too_few_votes")
    one_place = judge(np.repeat(points[:1], 500, axis=0), stored(lines))
    assert one_place.verdict == "not_enough_to_tell"
    assert max(figure.votes_for for figure in one_place.hypotheses) <= 1


def test_nothing_to_compare_is_an_answer():
    assert judge([]).reason == "no_points"
    assert judge([[113.6, 34.7]]).reason == "no_references"
    unknown = judge([[113.6, 34.7]], areas={}, stated_areas=["某县"])
    assert (unknown.verdict, unknown.reason, unknown.n) == ("not_enough_to_tell", "no_references", 1)


def test_many_points_are_thinned_and_the_order_does_not_matter():
    rng = np.random.default_rng(10)
    lines = cables(rng)
    points = wgs84_to_gcj02(degrees(on_lines(rng, lines, 5_000, 30)))
    found = judge(points, stored(lines))
    assert (found.n, found.verdict) == (2_000, "looks_like_gcj02")
    some = points[:800]
    assert judge(some, stored(lines)).verdict == judge(some[::-1], stored(lines)[::-1]).verdict


@pytest.mark.parametrize(
    ("lonlat", "options", "message"),
    [
        ([[1, 2, 3]], {}, "shape"),
        ([[float("nan"), 34]], {}, "finite"),
        ([[400_000.0, 3_800_000.0]], {}, "degrees"),
        ([[113, 34]], {"precision_m": 0}, "positive"),
        ([[113, 34]], {"precision_m": [50, 50]}, "precision"),
        ([[113, 34]], {"stated_areas": ["a", "b"]}, "stated area"),
    ],
)
def test_what_cannot_be_compared_is_refused(lonlat, options, message):
    with pytest.raises(InvalidInputError, match=message):
        judge(lonlat, **options)
