import io
import tracemalloc

import pytest

from geo.errors import FileRejectedError
from geo.io.forms.tables import TableOptions, open_table

KNOWN = frozenset(("编号", "时间", "地点", "损失"))


def opened(data, *, fill_down=(), chunk_rows=20_000, name="a.csv"):
    options = TableOptions(
        is_known_word=KNOWN.__contains__, fill_down=frozenset(fill_down), chunk_rows=chunk_rows
    )
    with open_table(io.BytesIO(data), file_name=name, options=options) as file:
        return file, list(file.chunks())


def rows(chunks):
    return [row for chunk in chunks for row in chunk.rows]


def said(chunks):
    return [(notice.row, notice.column, notice.code) for chunk in chunks for notice in chunk.notices]


def refused(data):
    with pytest.raises(FileRejectedError) as error:
        opened(data)
    (fault,) = error.value.faults
    return fault


def test_the_header_is_the_row_of_most_known_words_below_the_titles():
    text = "2008年盗窃破坏三电设施案件统计表,,\n\n填报单位：,郑州市,\n编号,时间,地点\n1,2008,新郑\n"
    file, chunks = opened(text.encode())
    assert (file.header, file.header_row) == (("编号", "时间", "地点"), 4)
    assert rows(chunks) == [(5, ["1", "2008", "新郑"])]
    assert said(chunks) == [(1, None, "title_skipped"), (3, None, "title_skipped")]


def test_one_known_word_alone_makes_no_header():
    file, chunks = opened("甲,乙\n编号,x\n1,y\n".encode())
    assert file.header == ("甲", "乙")
    assert len(rows(chunks)) == 2


def test_a_header_after_the_tenth_row_is_not_looked_for():
    text = "题,目\n" * 10 + "编号,时间\n1,2\n"
    file, _ = opened(text.encode())
    assert file.header == ("题", "目")


def test_the_separator_is_told_by_known_words_under_a_title_without_any():
    text = "案件表,一,二,三\n编号;时间;地点\n1;2008;甲,乙,丙,丁,戊\n"
    file, chunks = opened(text.encode())
    assert file.header == ("编号", "时间", "地点")
    assert rows(chunks) == [(3, ["1", "2008", "甲,乙,丙,丁,戊"])]


@pytest.mark.parametrize(
    "word", ["合计", "总计：", "小 计", "共计", "累计", "郑州市小计", "Total", "Grand total", "合　计"]
)
def test_rows_of_totals_are_left_out_with_a_notice(word):
    text = f'编号,时间,地点,损失\n1,2008,新郑,3\n{word},,,"35,000"\n2,2008,新密,4\n,{word},,7元\n'
    _, chunks = opened(text.encode())
    assert [number for number, _ in rows(chunks)] == [2, 4]
    assert said(chunks) == [(3, None, "total_row_skipped"), (5, None, "total_row_skipped")]


def test_a_row_whose_other_cells_are_text_is_no_total():
    _, chunks = opened("编号,时间,地点,损失\n合计,昨夜,新郑,不详\n".encode())
    assert rows(chunks) == [(2, ["合计", "昨夜", "新郑", "不详"])]


def test_empty_cells_of_chosen_columns_take_the_value_above_across_chunks_and_totals():
    text = "地点,编号,时间\n,0,x\n新郑,1,x\n,2,x\n小计,,3\n,3,\n新密,4,x\n,5,x\n"
    _, chunks = opened(text.encode(), fill_down=["地点"], chunk_rows=2)
    assert [cells for _, cells in rows(chunks)] == [
        ["", "0", "x"],
        ["新郑", "1", "x"],
        ["新郑", "2", "x"],
        ["新郑", "3", ""],
        ["新密", "4", "x"],
        ["新密", "5", "x"],
    ]
    assert [len(chunk.rows) for chunk in chunks] == [2, 2, 2, 0]
    assert said(chunks) == [(5, None, "total_row_skipped"), (None, "地点", "filled_down")]


def test_empty_columns_at_the_end_are_dropped_and_chunks_have_one_header():
    text = "编号,时间,,\n" + "".join(f"{i},2008,,\n" for i in range(5))
    _, chunks = opened(text.encode(), chunk_rows=2)
    assert {chunk.header for chunk in chunks} == {("编号", "时间")}
    assert [[number for number, _ in chunk.rows] for chunk in chunks] == [[2, 3], [4, 5], [6]]


def test_the_error_of_a_formula_is_a_fault_of_its_cell():
    _, chunks = opened("编号,损失\n1,#REF!\n2,#N/A\n3,#3\n".encode())
    faults = [(fault.row, fault.column, fault.code) for fault in chunks[0].rejected]
    assert faults == [(2, "损失", "error_cell"), (3, "损失", "error_cell")]
    assert rows(chunks) == [(4, ["3", "#3"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_rare_characters_survive_every_encoding_across_blocks(encoding):
    # More than a block of a million bytes, so that some character lies across the border.
    text = "编号,地点\n" + "".join(f"{i},㐂𠮷村\n" for i in range(80_000))
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    file, chunks = opened((mark + text).encode(encoding))
    assert (
        file.encoding == encoding.removesuffix("-sig")[:7].removesuffix("-")[: 6 if "16" in encoding else 7]
    )
    got = rows(chunks)
    assert len(got) == 80_000
    assert {cells[1] for _, cells in got} == {"㐂𠮷村"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_gives_the_same_rows_across_blocks(end):
    text = end.join(["编号,地点", *(f"{i},新郑市某村" for i in range(90_000)), ""])
    _, chunks = opened(text.encode())
    got = rows(chunks)
    assert (len(got), got[-1]) == (90_000, (90_001, ["89999", "新郑市某村"]))


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0b"])
def test_only_line_ends_of_csv_end_a_row(mark):
    _, chunks = opened(f"编号,地点\n1,甲{mark}乙\n".encode())
    assert len(rows(chunks)) + len(chunks[0].rejected) == 1


def test_a_file_cut_within_a_character_is_refused_or_shows_by_its_cells():
    good = "编号,地点\n1,新郑\n2,新密\n"
    assert refused(good.encode()[:-2]).code == "encoding"
    # GB18030 may still decode; then the row is short of a cell.
    _, chunks = opened(good.encode("gb18030")[:-6])
    assert [(fault.row, fault.code) for fault in chunks[0].rejected] == [(3, "too_few_cells")]


def test_a_line_of_another_encoding_is_refused_with_its_place_beyond_the_first_block():
    good = "编号,地点\n".encode() + "1,新郑市\n".encode() * 120_000
    fault = refused(good + "案件被盗割\n".encode("gb18030") + b"\xff\n")
    assert fault.code == "encoding"
    assert f"byte {len(good)})" in fault.message


def test_a_cell_of_ten_megabytes_is_refused_without_being_kept():
    for cell in ("x" * 10_000_000, '"' + "x\n" * 5_000_000 + '"'):
        assert refused(f"编号,地点\n1,{cell}\n".encode()).code == "bad_csv"


def test_a_large_file_is_read_in_little_memory():
    data = "编号,时间,地点\n".encode() + "1,2008-03-10,新郑市某某乡某某村\n".encode() * 300_000
    source = io.BytesIO(data)
    count = 0
    tracemalloc.start()
    with open_table(
        source, file_name="a.csv", options=TableOptions(is_known_word=KNOWN.__contains__)
    ) as file:
        shares = [file.share_read()]
        for chunk in file.chunks():
            count += len(chunk.rows)
            shares.append(file.share_read())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 300_000
    assert peak < 40_000_000
    assert shares == sorted(shares)
    assert shares[-1] == 1
