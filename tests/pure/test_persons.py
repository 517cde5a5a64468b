import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import PersonalDataError
from geo.io.persons import is_identity_number, is_person_word, names_a_person, refuse_person_columns

# Numbers made up for tests: area code 000000 is handed out to nobody, so the first six digits here are a
# place, the day is in the future of nobody and the check digit is computed.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def identity(serial, born="19000101"):
    digits = f"410000{born}{serial:03d}"
    return digits + "10X98765432"[sum(w * int(d) for w, d in zip(WEIGHTS, digits, strict=True)) % 11]


def numbered(column):
    return [(number, [cell]) for number, cell in enumerate(column, start=2)]


@pytest.mark.parametrize(
    "word",
    [
        "姓名", "姓 名", "嫌疑人", "犯罪嫌疑人姓名", "受害人", "被害人", "报案人", "联系人", "联系人电话", "身份证号", "证件号码",
        "手机", "手机号", "办公电话", "企业联系电话", "车牌", "车牌号", "负责人", "法定代表人", "姓名（脱敏）", "ＰＨＯＮＥ",
        "suspect", "Suspect Name", "suspectName", "victim", "name of person", "id_number", "IDNumber", "id card", "phone",
        "phone_no", "mobile", "Tel", "plate", "licence_plate", "license plate number", "contact", "driver", "date of birth", "name",
    ],
)  # fmt: skip
def test_header_words_of_persons_refuse_the_file(word):
    with pytest.raises(PersonalDataError) as error:
        refuse_person_columns(["case_number", word], [(2, ["1", ""])], kind="incidents")
    (fault,) = error.value.faults
    assert (fault.row, fault.column, fault.code) == (1, word, "personal_data")


@pytest.mark.parametrize(
    "word",
    [
        "案件编号", "发案时间", "报案时间", "报案单位", "受害单位", "产权单位", "嫌疑人数", "抓获犯罪嫌疑人数", "地点", "线路名称",
        "站点名称", "企业名称", "人口数", "case_number", "place_name", "line_name", "operator", "suspect_count", "number of suspects",
        "template", "telecom", "platelength", "mobile_base_station", "character",
    ],
)  # fmt: skip
def test_words_of_places_and_counts_do_not(word):
    assert not is_person_word(word, kind="incidents")


@pytest.mark.parametrize("kind", ["lines", "stations", "areas"])
def test_a_name_is_the_name_of_a_thing_where_things_are_listed(kind):
    assert not is_person_word("name", kind=kind)
    assert is_person_word("姓名", kind=kind)


@pytest.mark.parametrize(
    "text",
    [
        identity(7), f"嫌疑人身份证{identity(8)}，已抓获", identity(9).translate({48 + i: 0xFF10 + i for i in range(10)}),
        "13800138000", "+86 138-0013-8000", "联系13800138000报案", "１３８００１３８０００", "8613800138000", "138 0013 8000",
        "豫A12345", "驾驶豫A·D12345逃离", "京AF0236学", "豫A１２３４５",
    ],
)  # fmt: skip
def test_numbers_of_persons_are_found_in_text(text):
    assert names_a_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "A4103231500002008030001", "豫公立字[2008]12号", "20080310001", "12345678901", "10012345678", "14012345678", "2008-0310-0001",
        "113.62536813800138", "0.13800138000", "4103232008031", identity(7)[:17] + ("0" if identity(7)[17] != "0" else "1"),
        "410323200813450012", "豫A线", "10kV川东I线12号杆", "京广铁路", "晋E1线", "新安县铁门镇克昌村300对电缆被盗割58米", "3800138000",
        "1380013800012",
    ],
)  # fmt: skip
def test_numbers_of_things_are_not(text):
    assert not names_a_person(text)


def test_a_column_with_a_fifth_of_numbers_is_refused():
    cells = ["13800138000", "13900139000", *["无"] * 8, "", ""]
    with pytest.raises(PersonalDataError) as error:
        refuse_person_columns(["内容"], numbered(cells), kind="incidents")
    assert error.value.faults[0].column == "内容"
    assert "138" not in str(error.value) + error.value.faults[0].message


def test_single_cells_in_free_text_are_pointed_out_by_row():
    cells = ["无", f"身份证{identity(3)}", *["无"] * 9, "车牌豫A12345"]
    faults = refuse_person_columns(["备注"], numbered(cells), kind="incidents")
    assert [(fault.row, fault.column, fault.code) for fault in faults] == [
        (3, "备注", "personal_data"),
        (13, "备注", "personal_data"),
    ]


def test_one_filled_cell_alone_is_a_fault_of_its_row():
    faults = refuse_person_columns(["备注"], numbered(["13800138000", "", ""]), kind="incidents")
    assert [fault.row for fault in faults] == [2]


def test_case_numbers_made_of_area_day_and_serial_are_let_pass():
    # Such codes look like identity numbers, and one in eleven has a right check digit by chance.
    codes = [f"4103232008031{serial:05d}" for serial in range(200)]
    lucky = sum(map(is_identity_number, codes))
    assert 5 <= lucky <= 40
    assert refuse_person_columns(["案件编号"], numbered(codes), kind="incidents", codes=frozenset({0})) == ()


def test_eleven_digit_codes_without_a_mobile_prefix_are_let_pass():
    codes = [f"2008031{serial:04d}" for serial in range(50)]
    assert refuse_person_columns(["case_number"], numbered(codes), kind="incidents") == ()


def test_phones_under_the_word_of_a_code_are_still_refused():
    cells = [f"1380013{serial:04d}" for serial in range(10)]
    with pytest.raises(PersonalDataError):
        refuse_person_columns(["编号"], numbered(cells), kind="incidents", codes=frozenset({0}))


def test_a_file_without_a_header_does_not_repeat_its_first_row():
    with pytest.raises(PersonalDataError) as error:
        refuse_person_columns(["13800138000"], numbered(["13900139000"] * 3), kind="incidents")
    assert error.value.faults[0].column == "#1"
    assert "138" not in str(error.value)


@given(st.integers(0, 999), st.dates().map(lambda day: day.replace(year=1950 + day.year % 50)))
def test_every_identity_number_is_found_and_one_changed_digit_is_none(serial, born):
    number = identity(serial, born.strftime("%Y%m%d"))
    assert names_a_person(f"某{number}某")
    changed = number[:16] + str((int(number[16]) + 1) % 10) + number[17]
    assert not is_identity_number(changed)


@given(st.text(max_size=60))
def test_text_without_digits_names_nobody(text):
    assert not names_a_person(re.sub(r"[\d\u00b2\u00b3\u00b9\u2070-\u24ff]", "", text)) or any(
        character.isnumeric() or character.isdigit() for character in text
    )
