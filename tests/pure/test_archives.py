import io
import stat
import struct
import zipfile
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from geo.errors import FileRejectedError
from geo.io.export_archive import Member, zip_parts
from geo.io.forms.archives import MAX_MEMBERS, open_archive
from geo.io.forms.opened import TableOptions
from geo.io.forms.tables import open_table
from tests.whole_tables import read_table

CSV = "编号,地点\n1,新郑\n".encode()


def packed(*members, method=zipfile.ZIP_DEFLATED):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return target.getvalue()


def refused(data, name="a.zip"):
    with pytest.raises(FileRejectedError) as error:
        read_table(data, file_name=name)
    (fault,) = error.value.faults
    return fault.code


def renamed(data, old, new):
    """Write another name of the same length over a name, in both places where a zip keeps it."""
    assert len(old) == len(new)
    assert data.count(old) == 2
    return data.replace(old, new)


def test_one_data_file_beside_its_licence_is_read_as_that_file():
    data = packed(("incidents.csv", CSV), ("LICENSE.txt", b"terms"), ("README.md", b"read"), ("README", b"x"))
    table = read_table(data, file_name="export.zip")
    assert (table.form, table.rows) == ("csv", [(2, ["1", "新郑"])])


def test_the_lost_items_of_our_own_exports_are_noticed_and_not_mixed_in():
    at = datetime(2008, 3, 10, tzinfo=UTC)
    lost = b"case_number,kind\n1,x\n"
    members = [("incidents.csv", CSV), ("loss_items.csv", lost), ("README.txt", b"x")]
    data = b"".join(zip_parts([Member(name=name, parts=[part]) for name, part in members], at=at))
    table = read_table(data, file_name="export.zip")
    assert table.rows == [(2, ["1", "新郑"])]
    assert [notice.code for notice in table.notices] == ["member_skipped"]
    assert read_table(packed(("loss_items.csv", lost)), file_name="a.zip").rows == [(2, ["1", "x"])]


def test_two_data_files_are_refused():
    assert refused(packed(("a.csv", CSV), ("b.csv", CSV))) == "wrong_kind"
    assert refused(packed(("LICENSE.txt", b"terms"))) == "wrong_kind"


def test_what_macos_adds_is_left_out():
    data = packed(("a.csv", CSV), ("__MACOSX/._a.csv", b"\x00\x05\x16\x07"))
    assert read_table(data, file_name="a.zip").rows == [(2, ["1", "新郑"])]


def test_195_kilobytes_that_unpack_to_200_megabytes_are_refused_unpacked():
    data = packed(("a.csv", b"a,b\n" + b"1" * 199_999_996))
    assert len(data) < 200_000
    assert refused(data) == "too_large"


def declared(data, size):
    """Patch the unpacked size that the one member of a zip declares, in both headers."""
    local, central = data.index(b"PK\x03\x04"), data.index(b"PK\x01\x02")
    patched = bytearray(data)
    struct.pack_into("<I", patched, local + 22, size)
    struct.pack_into("<I", patched, central + 24, size)
    return bytes(patched)


def test_an_archive_that_lies_about_its_size_is_stopped_at_the_size_it_declared():
    data = declared(packed(("a.csv", b"a,b\n" + b"1,2\n" * 5_000_000)), 1000)
    assert refused(data) == "too_large"
    with ExitStack() as stack:
        archive = open_archive(io.BytesIO(data), stack)
        blocks = archive.blocks(archive.members[0])
        with pytest.raises(FileRejectedError):
            next(blocks)


def test_an_archive_that_declares_more_than_it_holds_is_refused():
    assert refused(declared(packed(("a.csv", CSV)), len(CSV) + 5)) == "zip_unsafe"


def test_a_damaged_archive_is_refused():
    data = packed(("a.csv", CSV), method=zipfile.ZIP_STORED)
    assert refused(data.replace("新郑".encode(), "新密".encode())) == "zip_unsafe"
    assert refused(data[:-30]) == "zip_unsafe"
    assert refused(b"PK\x03\x04" + bytes(50)) == "zip_unsafe"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"abcd/e.csv", b"../../.csv"),
        (b"abcd/e.csv", b"a/../e.csv"),
        (b"abcd/e.csv", b"..\\..\\.csv"),
        (b"abcd/e.csv", b"/etc/e.csv"),
        (b"abcd/e.csv", b"C:/ab/.csv"),
        (b"abcd/e.csv", b"C:\\a\\b.csv"),
        (b"abcd/e.csv", b"abcde/.csv"[:7] + b"\x00.a"),
        (b"abcd/e.csv", b"a//bcd.csv"),
        (b"abcd/e.csv", b"abc/CON.cs"),
        (b"abcd/e.csv", b"ab\x1b[2J.csv"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(old, new):
    new = new.ljust(len(old), b"x")[: len(old)]
    assert refused(renamed(packed(("abcd/e.csv", CSV)), old, new)) == "zip_unsafe"


def test_a_name_that_turns_the_direction_of_writing_is_refused():
    assert refused(packed(("\u202evsc.exe", CSV))) == "zip_unsafe"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind):
    info = zipfile.ZipInfo("a.csv")
    info.create_system = 3
    info.external_attr = (kind | 0o644) << 16
    assert refused(packed((info, b"/etc/passwd"))) == "zip_unsafe"


def test_an_archive_inside_an_archive_is_refused_by_name_and_by_content():
    inner = packed(("a.csv", CSV))
    assert refused(packed(("a.zip", inner))) == "zip_unsafe"
    assert refused(packed(("a.csv", inner))) == "zip_unsafe"
    assert refused(packed(("a.csv", b"\x1f\x8b\x08"))) == "zip_unsafe"


def test_an_encrypted_archive_is_refused():
    data = bytearray(packed(("a.csv", CSV)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    assert refused(bytes(data)) == "encrypted"


def test_unusual_compression_is_refused():
    assert refused(packed(("a.csv", CSV), method=zipfile.ZIP_BZIP2)) == "zip_unsafe"
    assert refused(packed(("a.csv", CSV), method=zipfile.ZIP_LZMA)) == "zip_unsafe"


def test_two_members_of_one_name_are_refused_however_it_is_written():
    with pytest.warns(UserWarning, match="Duplicate"):
        assert refused(packed(("a.csv", CSV), ("a.csv", CSV))) == "zip_unsafe"
    assert refused(packed(("a.csv", CSV), ("A.CSV", CSV))) == "zip_unsafe"


def test_more_than_twenty_members_are_refused():
    members = [(f"README{i}.txt", b"x") for i in range(MAX_MEMBERS)]
    assert refused(packed(("a.csv", CSV), *members)) == "too_large"
    assert read_table(packed(("a.csv", CSV), *members[1:]), file_name="a.zip").form == "csv"


def test_members_that_share_their_packed_bytes_are_refused():
    data = packed(*((f"a{i}.csv", b"0" * 90_000) for i in range(2)))
    # Ten entries of the list that all point at the first file, each with an honest ratio of its own.
    entry_at, end_at = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry = data[entry_at : data.index(b"PK\x01\x02", entry_at + 4)]
    entries = b"".join(entry.replace(b"a0.csv", b"%c0.csv" % letter) for letter in b"abcdefghijklmnopqrst")
    end = bytearray(data[end_at:])
    struct.pack_into("<HHII", end, 8, 20, 20, len(entries), entry_at)
    assert refused(data[:entry_at] + entries + bytes(end)) == "too_large"


def test_names_in_gbk_without_the_flag_are_shown_right():
    raw = "发案地点.csv".encode("gbk")
    data = renamed(packed(("x" * len(raw), CSV)), b"x" * len(raw), raw)
    with ExitStack() as stack:
        archive = open_archive(io.BytesIO(data), stack)
        assert [member.name for member in archive.members] == ["发案地点.csv"]
    assert read_table(data, file_name="a.zip").rows == [(2, ["1", "新郑"])]


def test_temporary_files_are_gone_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    options = TableOptions(is_known_word=lambda _: False)
    with open_table(io.BytesIO(packed(("a.csv", CSV))), file_name="a.zip", options=options) as file:
        assert len(list(tmp_path.iterdir())) == 1
        assert [table.rows for table in file.chunks()] == [[(2, ["1", "新郑"])]]
    assert list(tmp_path.iterdir()) == []
    assert refused(declared(packed(("a.csv", CSV * 100)), 1000)) == "too_large"
    assert list(tmp_path.iterdir()) == []
