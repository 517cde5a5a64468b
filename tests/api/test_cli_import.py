"""A file that cannot be taken in is told at the terminal in Chinese and English, row by row, and nothing is stored."""

import re

import pytest

from layers.import_faults import FAULTS, fault_sentence
from tests.api.test_cli_runs import huxian

HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "文件是空的"),
        ("case_number,嫌疑人姓名\nA1,某某\n", "这里有个人信息"),
        ("no header at all\nx\n", "缺少必需的一列"),
    ],
)
def test_a_wrong_file_is_told_in_both_languages(filled, digest, tmp_path, text, said):
    path = tmp_path / "wrong.csv"
    path.write_text(text, encoding="utf-8")
    before = digest()
    ran = huxian(filled, tmp_path, "import", "incidents", str(path), "--datum", "wgs84")
    assert ran.returncode == 1
    assert said in ran.stderr
    assert HAN.search(ran.stderr.partition("✗")[2].splitlines()[0])
    # Each line of a fault says it in Chinese, then in English, with its code.
    faults = [line for line in ran.stderr.splitlines() if re.search(r" \[\w+\]$", line)]
    assert faults
    for line in faults:
        chinese, _, english = line.partition(" · ")
        assert HAN.search(chinese.partition(": ")[2])
        assert english
    assert "Traceback" not in ran.stderr
    assert digest() == before


def test_every_fault_has_its_chinese_at_the_terminal():
    for code in FAULTS:
        told = fault_sentence(code, "nothing that any pattern knows")
        assert HAN.search(told), code
    assert fault_sentence("bad_csv", "a quote is never closed") == "引号没有配对，从这一行起读不下去"
    assert fault_sentence("too_many_columns", "the file has more than 300 columns") == "文件超过300列"
    assert fault_sentence("of_tomorrow", "the sky fell") == ""
    # A sentence of the file is not that of its first row; a name in Chinese is no translation.
    assert fault_sentence("", "annex 1.csv has rows that cannot be read") == "有些行读不懂"
    assert (
        fault_sentence("too_large", "案件.csv: archive unpacks to more than 200 MB")
        == "压缩包解开后超过200 MB"
    )
    # What is in Chinese already is not said twice.
    assert fault_sentence("bad_csv", "写错了 · wrong") == ""
