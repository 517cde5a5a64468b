"""Name stretches of line as people name them: the line, from which node to which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


def name_sections(
    segments: pd.DataFrame, *, members: Sequence[int], case_counts: Mapping[int, int]
) -> tuple[str, ...]:
    """Name the stretches of line that carry the cases of a cluster.

    Parameters
    ----------
    segments : DataFrame
        Indexed by segment id, with line_name, sequence, from_node, to_node and place (name of the
        county, may be empty).
    members : sequence of int
        Segment ids of the cluster.
    case_counts : mapping of int to int
        Cases by segment id; segments without any are absent.

    Returns
    -------
    tuple of str
        ``扶沟县 青石—柳庄线 青石至河湾段``: county, line, first node to last node of a run of
        neighbouring segments that starts and ends with a case; most cases first. Empty without cases.
    """
    struck = segments.loc[[segment for segment in members if case_counts.get(segment, 0) > 0]]
    named: list[tuple[int, str]] = []
    for line_name, on_line in struck.groupby("line_name", sort=True):
        ordered = on_line.sort_values("sequence")
        gaps = np.flatnonzero(np.diff(ordered["sequence"].to_numpy()) > 2)  # noqa: PLR2004 - one quiet segment between
        for stretch in np.split(np.arange(len(ordered)), gaps + 1):
            rows = ordered.iloc[stretch]
            first, last = rows.iloc[0], rows.iloc[-1]
            name = f"{line_name} {first['from_node']}至{last['to_node']}段"
            if first["place"]:
                name = f"{first['place']} {name}"
            named.append((sum(case_counts[segment] for segment in rows.index), name))
    named.sort(key=lambda pair: (-pair[0], pair[1]))
    return tuple(name for _, name in named)


def section_name(line_name: str, *, from_node: str, to_node: str, from_m: float, until_m: float) -> str:
    """Name a stretch by its line, the nodes about it and its marks along the line.

    Parameters
    ----------
    line_name, from_node, to_node : str
        The line; the last node before the stretch and the first after it.
    from_m, until_m : float
        Metres from the beginning of the line.

    Returns
    -------
    str
        ``王店支局 彭老家–焦岗 段 km 0.4–1.9``; marks to 0.1 km, to 0.01 km where they would be the same.
    """
    low, high = (f"{mark_m / 1000:.1f}" for mark_m in (from_m, until_m))
    if low == high:
        low, high = (f"{mark_m / 1000:.2f}" for mark_m in (from_m, until_m))
    return f"{line_name} {from_node}–{to_node} 段 km {low}–{high}"
