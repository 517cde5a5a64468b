"""Sections are named by line, first node and last node."""

import pandas as pd

from geo.analysis.sections import name_sections

SEGMENTS = pd.DataFrame(
    {
        "line_name": ["青石—柳庄线"] * 5 + ["北岗线"],
        "sequence": [1, 2, 3, 4, 5, 1],
        "from_node": ["青石", "河湾", "柳林", "王楼", "李寨", "北岗"],
        "to_node": ["河湾", "柳林", "王楼", "李寨", "柳庄", "南坡"],
        "place": ["扶沟县"] * 5 + [""],
    },
    index=[11, 12, 13, 14, 15, 16],
)


def test_neighbouring_segments_are_one_stretch_and_one_quiet_one_does_not_break_it():
    assert name_sections(SEGMENTS, members=[11, 12, 13], case_counts={11: 2, 13: 1}) == (
        "扶沟县 青石—柳庄线 青石至王楼段",
    )


def test_two_quiet_segments_break_a_stretch_and_most_cases_come_first():
    assert name_sections(SEGMENTS, members=[11, 12, 13, 14, 16], case_counts={11: 1, 14: 3, 16: 2}) == (
        "扶沟县 青石—柳庄线 王楼至李寨段",
        "北岗线 北岗至南坡段",
        "扶沟县 青石—柳庄线 青石至河湾段",
    )


def test_a_cluster_without_cases_on_lines_has_no_name():
    assert name_sections(SEGMENTS, members=[11], case_counts={}) == ()
