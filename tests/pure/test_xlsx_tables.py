import datetime as dt
import hashlib
import io
import re
import time
import zipfile

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from geo.errors import FileRejectedError
from geo.io.forms.tables import TableOptions, open_table


def at(*parts):
    """Return an instant as a spreadsheet has it: without any zone."""
    return dt.datetime(*parts)  # noqa: DTZ001


KNOWN = frozenset(("编号", "时间", "地点", "损失"))
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def opened(data, *, layer=None, name="a.xlsx", **options):
    wanted = TableOptions(is_known_word=KNOWN.__contains__, layer=layer, **options)
    with open_table(io.BytesIO(data), file_name=name, options=wanted) as file:
        return file, list(file.chunks())


def rows(data, **more):
    _, chunks = opened(data, **more)
    return [row for chunk in chunks for row in chunk.rows]


def said(chunks):
    return [(notice.row, notice.code) for chunk in chunks for notice in chunk.notices]


def refused(data, **more):
    with pytest.raises(FileRejectedError) as error:
        opened(data, **more)
    (fault,) = error.value.faults
    return fault.code


def saved(workbook):
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def book(*lines, change=None):
    workbook = openpyxl.Workbook()
    for line in lines:
        workbook.active.append(line)
    if change:
        change(workbook)
    return saved(workbook)


def repacked(data, **parts):
    """Return a workbook with some parts replaced or added, named by their ending."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in source.namelist():
            if name not in parts:
                new.writestr(name, source.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return target.getvalue()


def sheet(inner, *, data=None, after=""):
    """Return a workbook whose only sheet has been written by hand."""
    xml = f'<?xml version="1.0"?><worksheet {MAIN}><sheetData>{inner}</sheetData>{after}</worksheet>'
    return repacked(data or book(["x"]), **{"xl/worksheets/sheet1.xml": xml})


def line(number, *cells):
    return f'<row r="{number}">' + "".join(cells) + "</row>"


def text(reference, words):
    return f'<c r="{reference}" t="inlineStr"><is><t>{words}</t></is></c>'


def test_values_become_the_text_that_a_person_typed():
    data = book(
        ["编号", "时间", "地点", "损失"],
        ["甲1", at(2008, 3, 10), "新郑", 35_000],
        [20080310, at(2008, 3, 10, 14, 30), True, 0.1 + 0.2],
        ["007", dt.date(2008, 3, 10), "a\nb", 1234.5],
        ["x", dt.time(8, 5), None, 1e21],
        ["y", dt.timedelta(hours=36, minutes=30), False, -3.0],
    )
    file, chunks = opened(data)
    assert (file.form, file.header, file.header_row, file.layers) == (
        "xlsx",
        ("编号", "时间", "地点", "损失"),
        1,
        ("Sheet",),
    )
    assert chunks[0].rows == [
        (2, ["甲1", "2008-03-10", "新郑", "35000"]),
        (3, ["20080310", "2008-03-10T14:30:00", "true", "0.3"]),
        (4, ["007", "2008-03-10", "a\nb", "1234.5"]),
        (5, ["x", "08:05:00", "", "1e+21"]),
        (6, ["y", "36:30:00", "false", "-3"]),
    ]
    assert file.share_read() == 1


def test_a_workbook_that_counts_from_1904_gives_the_same_days():
    def change(workbook):
        workbook.epoch = CALENDAR_MAC_1904

    data = book(["编号", "时间"], ["1", at(2008, 3, 10)], change=change)
    assert rows(data) == [(2, ["1", "2008-03-10"])]
    assert b"38055" in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(
    ("number", "expected"), [(31, "2008-03-10"), (57, "2008-03-10"), (14, "2008-03-10"), (1, "39517")]
)
def test_dates_in_the_formats_of_chinese_excel_are_dates(number, expected):
    data = book(
        ["编号", "时间"], ["1", 39517], change=lambda b: setattr(b.active["B2"], "number_format", "0.0000")
    )
    styles = zipfile.ZipFile(io.BytesIO(data)).read("xl/styles.xml").decode()
    changed = re.sub(r'numFmtId="164"(?! format)', f'numFmtId="{number}"', styles)
    assert changed != styles
    assert rows(repacked(data, **{"xl/styles.xml": changed})) == [(2, ["1", expected])]


def test_an_instant_loses_the_noise_of_its_fraction():
    cells = '<c r="A2" s="1"><v>39517.604166666657</v></c><c r="B2" s="1"><v>39517.60416</v></c>'
    data = book(["x"], [at(2008, 1, 1)])
    made = sheet(line(1, text("A1", "编号"), text("B1", "时间")) + line(2, cells), data=data)
    assert rows(made) == [(2, ["2008-03-10T14:30:00", "2008-03-10T14:29:59.424000"])]


def test_the_sheet_with_known_words_is_read_unless_another_is_asked_for():
    workbook = openpyxl.Workbook()
    workbook.active.title = "说明"
    workbook.active.append(["本表由各市填报"])
    workbook.create_sheet("案件").append(["编号", "时间"])
    workbook["案件"].append(["1", "2008"])
    workbook.create_sheet("密").append(["编号", "时间"])
    workbook["密"].sheet_state = "hidden"
    workbook.create_chartsheet("图")
    data = saved(workbook)
    file, chunks = opened(data)
    assert (file.layers, file.layer, chunks[0].rows) == (("说明", "案件"), "案件", [(2, ["1", "2008"])])
    assert refused(data, layer="说明") == "no_rows"
    assert refused(data, layer="密") == "layer_unknown"
    assert refused(data, layer="无") == "layer_unknown"


def test_empty_sheets_before_the_filled_one_are_passed_over():
    workbook = openpyxl.Workbook()
    workbook.create_sheet("b").append(["p", "q"])
    workbook["b"].append(["1", "2"])
    assert rows(saved(workbook)) == [(2, ["1", "2"])]


def test_titles_and_totals_are_left_out():
    data = book(["2008年统计表"], [None], ["编号", "时间", "损失"], ["1", "2008", 3], ["合计", None, 3])
    _, chunks = opened(data)
    assert chunks[0].rows == [(4, ["1", "2008", "3"])]
    assert said(chunks) == [(1, "title_skipped"), (5, "total_row_skipped")]


def test_merged_cells_fill_the_rows_they_cover_and_no_blank_ones():
    def change(workbook):
        page = workbook.active
        page.merge_cells("A1:C1")
        page.merge_cells("A3:A5")
        page.merge_cells("B6:C7")
        page.merge_cells("A7:A9")

    data = book(
        ["统计表"],
        ["地点", "编号", "时间"],
        ["新郑", "1", "2008"],
        [None, "2", "2008"],
        [None, "3", "2008"],
        ["新密", "4", None],
        ["登封", None, "x"],
        [None, None, None],
        [None, "6", "2008"],
        change=change,
    )
    _, chunks = opened(data)
    assert chunks[0].rows == [
        (3, ["新郑", "1", "2008"]),
        (4, ["新郑", "2", "2008"]),
        (5, ["新郑", "3", "2008"]),
        (6, ["新密", "4", ""]),
        (7, ["登封", "4", ""]),
        (9, ["登封", "6", "2008"]),
    ]
    assert said(chunks) == [
        (1, "title_skipped"),
        (4, "merged_filled"),
        (7, "merged_filled"),
        (9, "merged_filled"),
    ]


def test_many_merged_cells_are_counted_and_not_all_listed():
    pairs = [(f'<mergeCell ref="A{n}:A{n + 1}"/>') for n in range(2, 302, 2)]
    inner = line(1, text("A1", "地点"), text("B1", "编号")) + "".join(
        line(n, text(f"A{n}", "甲") if n % 2 == 0 else "", text(f"B{n}", n)) for n in range(2, 302)
    )
    _, chunks = opened(sheet(inner, after=f"<mergeCells>{''.join(pairs)}</mergeCells>"))
    assert all(cells[0] == "甲" for _, cells in chunks[0].rows)
    assert len(said(chunks)) == 101
    assert chunks[0].notices[-1].message.startswith("150 merged cells")


def test_formulas_give_their_last_value_and_faults_where_there_is_none():
    cells = (
        '<c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>"a"</f><v>甲</v></c>',
        '<c r="A3" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B3"><v>1</v></c>',
        '<c r="A4"><f>1+1</f></c><c r="B4"><v>1</v></c>',
    )
    inner = line(1, text("A1", "编号"), text("B1", "时间"))
    inner += "".join(line(number, cell) for number, cell in enumerate(cells, start=2))
    _, chunks = opened(sheet(inner))
    assert chunks[0].rows == [(2, ["2", "甲"])]
    assert [(fault.row, fault.column, fault.code) for fault in chunks[0].rejected] == [
        (3, "编号", "error_cell"),
        (4, "编号", "error_cell"),
    ]


def test_cells_and_rows_without_references_stand_in_order():
    inner = '<row><c t="str"><v>编号</v></c><c t="str"><v>时间</v></c></row>'
    inner += "<row><c><v>1</v></c><c><v>2.50</v></c></row>"
    assert rows(sheet(inner)) == [(2, ["1", "2.5"])]


def test_prefixed_elements_and_phonetic_runs_are_understood():
    xml = (
        f"<x:worksheet {MAIN.replace('xmlns', 'xmlns:x')}><x:sheetData>"
        '<x:row r="1"><x:c r="A1" t="s"><x:v>0</x:v></x:c></x:row>'
        '<x:row r="2"><x:c r="A2" t="inlineStr"><x:is><x:r><x:t>新</x:t></x:r><x:r><x:t>郑</x:t></x:r>'
        "<x:rPh><x:t>xin</x:t></x:rPh></x:is></x:c></x:row></x:sheetData></x:worksheet>"
    )
    shared = f"<sst {MAIN}><si><r><t>地</t></r><r><t>点_x4E00_</t></r><rPh><t>di</t></rPh></si></sst>"
    data = repacked(book(["x"]), **{"xl/worksheets/sheet1.xml": xml, "xl/sharedStrings.xml": shared})
    file, chunks = opened(data)
    assert (file.header, chunks[0].rows) == (("地点一",), [(2, ["新郑"])])


def test_a_cell_far_to_the_right_is_noticed_without_a_wide_table():
    _, chunks = opened(sheet(line(1, text("A1", "编号")) + line(2, text("A2", "1"), text("XFD2", "x"))))
    assert [(fault.row, fault.code) for fault in chunks[0].rejected] == [(2, "too_many_cells")]
    assert refused(sheet(line(1, text("A1", "编号"), text("XFD1", "x")))) == "too_many_columns"


# Hardly to be packed, so that only its length tells.
LONG = hashlib.shake_128(b"x").hexdigest(1_500_000)
BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"xl/vbaProject.bin": b"\xd0\xcf"}, "macros_not_allowed"),
        (
            {"[Content_Types].xml": b"<Types>application/vnd.ms-excel.sheet.macroEnabled.main+xml</Types>"},
            "macros_not_allowed",
        ),
        ({"xl/externalLinks/externalLink1.xml": b"<externalLink/>"}, "external_link"),
        ({"xl/workbook.xml": f"{BOMB}<workbook {MAIN}>&b;</workbook>"}, "xml_not_allowed"),
        ({"xl/styles.xml": f"{BOMB}<styleSheet {MAIN}>&b;</styleSheet>"}, "xml_not_allowed"),
        ({"xl/sharedStrings.xml": f"{BOMB}<sst {MAIN}><si><t>&b;</t></si></sst>"}, "xml_not_allowed"),
        ({"xl/worksheets/sheet1.xml": f"{BOMB}<worksheet {MAIN}/>"}, "xml_not_allowed"),
        ({"xl/worksheets/sheet1.xml": f"<worksheet {MAIN}><sheetData><row r='1'>"}, "bad_xml"),
        ({"xl/worksheets/sheet1.xml": f"<worksheet {MAIN}><sheetData/></worksheet>"}, "no_rows"),
        ({"xl/worksheets/sheet1.xml": f"<worksheet {MAIN} a='{LONG}'/>"}, "bad_xml"),
        ({"xl/workbook.xml": "<workbook/>"}, "no_rows"),
        ({"xl/workbook.xml": "<workbook"}, "bad_xlsx"),
        ({"a/b.csv": b"a" * 20_000_000}, "too_large"),
        ({"../b.csv": b"a"}, "zip_unsafe"),
    ],
)
def test_workbooks_with_more_than_cells_are_refused(parts, code):
    assert refused(repacked(book(["编号", "时间"], ["1", "2"]), **parts)) == code


@pytest.mark.parametrize(
    "inner",
    [
        line(2, "") + line(1, ""),
        line(1, "") + line(1, ""),
        line("1048577", ""),
        line("x", ""),
        line(1, '<c r="A1" t="s"><v>9</v></c>'),
        line(1, '<c r="A1" t="s"><v>-1</v></c>'),
        line(1, '<c r="AAAA1"><v>1</v></c>'),
        line(1, '<c r="1"><v>1</v></c>'),
    ],
)
def test_sheets_no_program_writes_are_refused(inner):
    assert refused(sheet(inner)) == "bad_xlsx"


def test_other_workbooks_are_of_the_wrong_kind():
    data = book(["编号"], ["1"])
    assert refused(data, name="a.xlsm") == "wrong_kind"
    assert refused(data, name="a.csv") == "wrong_kind"
    assert refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)) == "wrong_kind"


def test_a_workbook_in_an_archive_or_under_its_name_is_read():
    data = book(["编号", "时间"], ["1", "2"])
    assert rows(data, name="a.zip") == [(2, ["1", "2"])]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.xlsx", data)
        archive.writestr("LICENSE.txt", "terms")
    assert rows(target.getvalue(), name="b.zip") == [(2, ["1", "2"])]


def test_a_million_empty_styled_rows_are_passed_in_seconds():
    styled = "".join(
        f'<row r="{n}" s="1" customFormat="1"><c r="A{n}" s="1"/></row>' for n in range(3, 1_000_001)
    )
    inner = line(1, text("A1", "编号")) + line(2, text("A2", "1")) + styled
    data = sheet(inner)
    begun = time.process_time()
    assert rows(data) == [(2, ["1"])]
    assert time.process_time() - begun < 10
