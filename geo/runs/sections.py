"""Find the sections of line to watch: stretches with too many cases, the concentration of all, and repeats."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.documents import finding_rows, run_document, table
from geo.analysis.exposure import cable_exposure
from geo.analysis.hotspots.placing import place_incidents
from geo.analysis.hotspots.result import PROVING
from geo.analysis.places import draw_places
from geo.analysis.scan import minimum_relative_risk
from geo.analysis.sections import (
    concentration,
    find_sections,
    judged_span,
    repeat_victimisation,
    section_search,
)
from geo.analysis.threads import in_order
from geo.analysis.units import read_units
from geo.crs import METRIC
from geo.errors import InvalidInputError
from geo.runs.hotspots import search_frames
from geo.runs.requests import RedrawnRequest, number
from geo.runs.steps import part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.hotspots.placing import Placed
    from geo.analysis.sections import Concentration, Repeats, Sections, SectionSearch
    from geo.analysis.units import Units
    from geo.runs.answers import Progress
    from geo.runs.inputs import UnitInput

_ALPHA = 0.05
_LEAST_STABLE = 0.8
_OUTLINE_M = 300.0
_MOST_ROWS = 20
_MOST_P = 0.5
_OF_SMALLER, _OF_LARGER = 1 / 2, 1 / 3
_LINE_COLUMNS = (
    "line_id",
    "line_name",
    "sequence",
    "from_node",
    "to_node",
    "length_m",
    "owner",
    "place",
    "responsible_unit",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionsRequest(RedrawnRequest):
    """What a search for sections is asked.

    Parameters
    ----------
    least_m : float
        A stretch shorter than this is judged over so much of its line.
    max_length_m : float
        Longest stretch.
    """

    kind: ClassVar[str] = "sections"
    version: ClassVar[str] = "sections/2"

    least_m: float = number(1_000.0, least=50.0, most=20_000.0, unit="m")
    max_length_m: float = number(5_000.0, least=100.0, most=50_000.0, unit="m")

    def check_together(self) -> None:
        """Refuse stretches that could not even be as long as the shortest that is judged."""
        if self.max_length_m < self.least_m:
            raise InvalidInputError(
                f"max_length_m must be at least least_m: {self.least_m:g} m",
                code="length_under_least",
                least=f"{self.least_m:g}",
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ground:
    """Lines with their exposure, and the incidents that could be put on them."""

    lines: gpd.GeoDataFrame
    exposed: Units
    placed: Placed
    request: SectionsRequest

    def events(self, xy_m: NDArray[np.float64], unit: NDArray[np.int64]) -> pd.DataFrame:
        """Return places as events: the segment of each and the measure of its foot."""
        courses = self.lines.geometry.to_numpy()[unit]
        measures_m = shapely.line_locate_point(courses, shapely.points(xy_m))
        return pd.DataFrame({"segment_id": self.lines.index[unit], "measure_m": measures_m})

    def search(self) -> SectionSearch:
        """Make the same search as `find` ready for many sets of events."""
        return section_search(
            self.lines,
            exposure=self.exposed.frame["exposure"].to_numpy(),
            least_m=self.request.least_m,
            max_length_m=self.request.max_length_m,
        )

    def find(self, events: pd.DataFrame, *, replications: int, progress: Progress | None = None) -> Sections:
        """Search the lines for sections."""
        return find_sections(
            events,
            self.lines,
            exposure=self.exposed.frame["exposure"].to_numpy(),
            replications=replications,
            seed=self.request.seed,
            least_m=self.request.least_m,
            max_length_m=self.request.max_length_m,
            progress=progress,
        )


def _ground(loaded: UnitInput, request: SectionsRequest) -> _Ground:
    located, units = search_frames(loaded, request.period)
    exposed = read_units(units)
    about = loaded.units[list(_LINE_COLUMNS)]
    lines = exposed.frame[["geometry"]].join(about)
    for name in ("owner", "place", "responsible_unit"):
        lines[name] = lines[name].fillna("")
    return _Ground(
        lines=lines, exposed=exposed, placed=place_incidents(located, units, exposed), request=request
    )


def compute_sections(
    loaded: UnitInput, request: SectionsRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Search the lines for sections and return the document."""
    if not loaded.is_on_lines:
        return _without_lines(loaded, request, progress)
    ground = _ground(loaded, request)
    placed = ground.placed
    total = 3 * request.replications + request.draws

    def of_whole(steps: int, *, before: int) -> Progress | None:
        return part(progress, before=before, steps=steps, total=total)

    events = ground.events(placed.xy_m, placed.unit)
    found = ground.find(
        events, replications=request.replications, progress=of_whole(request.replications, before=0)
    )
    shown = found.sections
    shown = shown[(shown["p"] <= _MOST_P) | (shown["rank"] == 1)].head(_MOST_ROWS).reset_index(drop=True)
    drawing = of_whole(request.draws, before=request.replications)
    shares = _stable_shares(shown, found, ground, progress=drawing)
    counts = np.bincount(placed.unit, minlength=len(ground.lines))
    exposure = ground.exposed.frame["exposure"].to_numpy()
    curve = concentration(
        counts,
        exposure=exposure,
        replications=request.replications,
        seed=request.seed,
        progress=of_whole(request.replications, before=request.replications + request.draws),
    )
    repeats = repeat_victimisation(
        counts,
        exposure=exposure,
        replications=request.replications,
        seed=request.seed,
        progress=of_whole(request.replications, before=2 * request.replications + request.draws),
    )
    if progress is not None:
        progress(total, total)
    rows = _rows(shown, shares, ground, loaded)
    return _document(rows, found, (curve, repeats), loaded, request)


def _without_lines(
    loaded: UnitInput, request: SectionsRequest, progress: Progress | None
) -> dict[str, object]:
    if progress is not None:
        progress(1, 1)
    return run_document(
        kind=request.kind,
        method="find_sections",
        verdict="no_exposure",
        facts={
            "incident_count": len(loaded.incidents),
            "used_count": 0,
            "omitted_count": len(loaded.incidents),
            "alpha": _ALPHA,
            "metric_epsg": METRIC,
        },
    )


def _stable_shares(
    shown: gpd.GeoDataFrame, found: Sections, ground: _Ground, *, progress: Progress | None
) -> NDArray[np.float64]:
    """Return how often redrawn places show each significant section again; NaN for the others.

    Two sections are the same place when they share half of the shorter one and a third of the longer one.
    """
    shares = np.full(len(shown), np.nan)
    tested = np.flatnonzero(shown["p"].to_numpy() <= _ALPHA)
    if not len(tested):
        return shares
    placed, request = ground.placed, ground.request
    critical_llr = found.critical_llr(_ALPHA)
    asked = _spans(shown.iloc[tested])
    search = ground.search()

    def one_draw(draw: int) -> NDArray[np.bool_]:
        stream = np.random.SeedSequence(request.seed, spawn_key=(1, draw))
        rng = np.random.Generator(np.random.Philox(stream))
        xy_m = draw_places(placed.xy_m, radius_m=placed.radius_m, rng=rng)
        unit, _ = ground.exposed.nearest(xy_m, kinds=placed.kinds)
        # Neither the cases nor the exposure change: the bar is the one of the recorded places.
        return _come_back(asked, search.spans(ground.events(xy_m, unit), minimum_llr=critical_llr))

    counts = np.zeros(len(asked))
    with closing(in_order(one_draw, range(request.draws))) as results:
        for done, is_back in enumerate(results, start=1):
            counts += is_back
            if progress is not None:
                progress(done, request.draws)
    shares[tested] = counts / request.draws
    return shares


def _come_back(
    asked: list[tuple[str, float, float]], drawn: list[tuple[str, float, float]]
) -> NDArray[np.bool_]:
    """Say of each section whether one of the drawn ones is the same stretch of the same line."""
    is_back = np.zeros(len(asked), dtype=np.bool_)
    for row, (line, low, high) in enumerate(asked):
        for other, other_low, other_high in drawn:
            common = min(high, other_high) - max(low, other_low)
            shorter, longer = sorted((high - low, other_high - other_low))
            least = max(_OF_SMALLER * shorter, _OF_LARGER * longer)
            is_back[row] |= line == other and common >= least * (1 - 1e-9)
    return is_back


def _spans(sections: gpd.GeoDataFrame) -> list[tuple[str, float, float]]:
    """Return line and bounds of what was judged of each section."""
    return [
        (line, *judged_span(from_m=from_m, until_m=until_m, judged_m=judged_m))
        for line, from_m, until_m, judged_m in zip(
            sections["line_name"], sections["from_m"], sections["until_m"], sections["judged_m"], strict=True
        )
    ]


def _rows(
    shown: gpd.GeoDataFrame, shares: NDArray[np.float64], ground: _Ground, loaded: UnitInput
) -> gpd.GeoDataFrame:
    """Describe the sections, and say which are hotspots."""
    is_stacked = np.array(
        [bool(ground.placed.is_stacked[list(events)].all()) for events in shown["events"]], dtype=np.bool_
    )
    can_prove = loaded.is_census and loaded.exposure.kind in PROVING
    is_proven = (shown["p"].to_numpy() <= _ALPHA) & (shares >= _LEAST_STABLE) & ~is_stacked & can_prove
    rates = [
        _rate(count, segments, judged_m, loaded, ground)
        for count, segments, judged_m in zip(
            shown["case_count"], shown["segments"], shown["judged_m"], strict=True
        )
    ]
    labels = pd.Series([(name,) for name in shown["name"]], index=shown.index, dtype=object)
    outlines = shapely.buffer(shown.geometry.to_numpy(), _OUTLINE_M, quad_segs=4)
    columns = [*_TOLD, "segments"]
    rows = (
        shown[columns]
        .rename(columns={"segments": "members"})
        .assign(
            labels=labels,
            # Where the lines do not say who guards them, nobody is named: the county stands beside it as the place.
            unit=shown["responsible_unit"].replace("", None),
            stable_share=shares,
            is_stacked=is_stacked,
            is_hotspot=is_proven,
            rate_per_pair_km_night=rates,
        )
    )
    return gpd.GeoDataFrame(rows, geometry=outlines, crs=METRIC)


_TOLD = (
    "rank",
    "line_name",
    "from_m",
    "until_m",
    "length_m",
    "judged_m",
    "from_node",
    "to_node",
    "owner",
    "place",
    "case_count",
    "expected",
    "relative_risk",
    "llr",
    "p",
    "rate_per_km",
)


def _rate(
    count: int, segments: tuple[int, ...], judged_m: float, loaded: UnitInput, ground: _Ground
) -> float | None:
    """Return cases per pair-km-night as recorded: the exposure of a search is scaled by kind of cable."""
    own = loaded.units.loc[list(segments)]
    recorded = cable_exposure(own, period=ground.request.period).values.sum()  # noqa: PD011 - the field of an exposure
    length_m = float(own["length_m"].sum())
    return float(count / (recorded * judged_m / length_m)) if recorded > 0 and length_m > 0 else None


def _document(
    rows: gpd.GeoDataFrame,
    found: Sections,
    told: tuple[Concentration, Repeats],
    loaded: UnitInput,
    request: SectionsRequest,
) -> dict[str, object]:
    curve, repeats = told
    is_significant = rows["p"] <= _ALPHA
    is_unstable = is_significant & ~(rows["stable_share"] >= _LEAST_STABLE)
    share = float(rows["expected"].iloc[0] / found.case_count) if len(rows) else None
    critical_llr = found.critical_llr(_ALPHA)
    least_risk = None
    if share is not None and 0 < share < 1:
        least_risk = minimum_relative_risk(
            case_count=found.case_count, share=share, critical_llr=critical_llr
        )
    holds = {
        "not_significant": not is_significant.any(),
        "unstable_places": bool(is_unstable.any()),
        "stacked_places": bool((is_significant & ~is_unstable & rows["is_stacked"]).any()),
        "selected_cases": not loaded.is_census,
        "imprecise_omitted": found.case_count < len(loaded.incidents),
    }
    return run_document(
        kind=request.kind,
        method="find_sections",
        why=({"code": "lines_known", "segment_count": len(loaded.units)},),
        verdict=_verdict(rows, found),
        reasons=[code for code, is_so in holds.items() if is_so],
        findings=finding_rows(rows),
        tables=_tables(curve, repeats),
        facts={
            "exposure_kind": loaded.exposure.kind,
            "incident_count": len(loaded.incidents),
            "used_count": found.case_count,
            "omitted_count": len(loaded.incidents) - found.case_count,
            "alpha": _ALPHA,
            "replications": request.replications,
            "draws": request.draws,
            "seed": request.seed,
            "strongest_p": float(rows["p"].iloc[0]) if len(rows) else None,
            "critical_llr": critical_llr,
            "minimum_relative_risk": least_risk,
            "minimum_share": share,
            "metric_epsg": METRIC,
            "outlines": "lines",
        },
    )


def _verdict(rows: gpd.GeoDataFrame, found: Sections) -> str:
    if found.reason == "no_cases":
        return "no_incidents"
    if found.reason == "too_few_locations":
        return "no_exposure"
    return "hotspots" if rows["is_hotspot"].any() else "not_enough"


def _tables(curve: Concentration, repeats: Repeats) -> dict[str, dict[str, Any]]:
    whole = {
        name: [getattr(curve, name)]
        for name in ("gini", "gini_expected", "gini_low", "gini_high", "excess", "p")
    }
    again = {
        name: [getattr(repeats, name)] for name in ("repeat_count", "repeat_share", "expected_share", "p")
    }
    return {
        "concentration": table(pd.DataFrame(whole)),
        "holding": table(curve.holding),
        "curve": table(curve.curve),
        "repeats": table(pd.DataFrame(again)),
        "times": table(repeats.table),
    }
