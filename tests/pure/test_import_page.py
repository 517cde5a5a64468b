"""The import page without a browser: its words, its blocks of data, and a Chinese sentence for every fault."""

import json
import re

import geopandas as gpd
import pytest
import shapely
from babel.messages.extract import extract_from_file

from layers.assets import PROJECT_ROOT
from layers.import_faults import fault_sentences
from layers.import_page import render_import_page
from layers.import_texts import CLIENT_TEXTS
from tests.pictures import NONCE

KINDS = (("incidents", "案件", "incidents"), ("tickets", "企业工单", "utility tickets"))
BATCH = {
    "id": 3,
    "kind": "incidents",
    "source": "郑州联通",
    "file_name": "</script><img src=x onerror=alert(1)>.csv",
    "row_count": 2,
    "skipped_count": 0,
    "created_at": "2026-11-20T10:00:00+00:00",
    "undone_at": None,
    "undone_count": None,
    "undo_reason": None,
}
READERS = sorted((PROJECT_ROOT / "geo" / "io").rglob("*.py"))
OTHER_ROADS = ("annex", "campaign_files", "catalogue_files", "gazetteer_files", "boundaries")
"""Readers of what comes by the command line, never through this page."""
RAISED = re.compile(
    r"(?:CellError|refuse)\(\s*\"([a-z_0-9]+)\"|"
    r"Fault\(\s*[^,()]*(?:\([^()]*\))?,\s*[^,()]*(?:\([^()]*\)|\[[^\]]*\])?,\s*\"([a-z_0-9]+)\"|"
    r"code=\"([a-z_0-9]+)\""
)


def rendered(locale="zh", **changes):
    given = {"kinds": KINDS, "batches": [BATCH], "dataset_title": "", "is_demo": False}
    return render_import_page(**(given | changes), locale=locale, nonce=NONCE)


def block(page, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def said(code, message):
    """Look a fault up as `faultText` of static/import_words.js does."""
    for pattern, sentence in fault_sentences("zh")[code]:
        found = re.search(pattern.replace("(?<", "(?P<"), message)
        if found:
            return sentence.format(**found.groupdict())
    return message


def codes_raised():
    """Return every code that a file of the page's kinds may be refused or noticed with."""
    sources = [path for path in READERS if not path.name.startswith(OTHER_ROADS)]
    sources += [*(PROJECT_ROOT / "geo" / "store").glob("staging*.py"), PROJECT_ROOT / "geo" / "imports.py"]
    return {
        code
        for path in sources
        for groups in RAISED.findall(path.read_text(encoding="utf-8"))
        for code in groups
        if code
    }


def test_every_fault_of_the_readers_has_a_chinese_sentence():
    codes = codes_raised()
    assert {"bad_date", "duplicate_key", "unknown_area", "total_row_skipped"} <= codes
    assert sorted(codes - fault_sentences("zh").keys()) == []


def test_the_last_sentence_for_a_code_fits_whatever_the_server_says():
    for code, entries in fault_sentences("zh").items():
        if not code:
            continue
        assert entries[-1][0] == "", code
        assert "{" not in entries[-1][1], code


@pytest.mark.parametrize(
    ("code", "message", "sentence"),
    [
        ("duplicate_key", "rows 3 and 7 have the same case_number", "第3行和第7行的编号相同"),
        ("out_of_range", "the number must lie between 0 and 1,000", "数字要在0和1,000之间"),
        ("out_of_range", "something else", "数字超出合理范围"),
        ("too_few_cells", "the row has 5 cells, the header 8", "这一行有5格，表头有8格：少了"),
        (
            "unknown_status",
            "this word is not known; write one of open, cleared",
            "不认识这个词，可用：open, cleared",
        ),
        ("too_large", "the file is larger than 200 MB", "文件超过200 MB"),
        ("too_large", "the archive unpacks to more than 200 MB", "压缩包解开后超过200 MB"),
        ("missing_value", "copper cable has pairs", "铜缆要有对数"),
        ("missing_value", "the cell is empty", "这一格是空的，必须填"),
        ("", "batch 3 cannot be undone: incidents lie in its areas", "有案件落在这批区域里"),
        ("", "batch 3 cannot be undone: something new", "后来的记录用到了它"),
        ("", "2 rows are stored with other values already", "2行与已有记录不同"),
    ],
)
def test_a_fault_is_said_in_chinese_with_its_figures(code, message, sentence):
    assert said(code, message) == sentence


def test_on_english_pages_the_faults_speak_themselves():
    assert fault_sentences("en") == {}


def test_patterns_are_written_for_javascript():
    for entries in fault_sentences("zh").values():
        for pattern, sentence in entries:
            assert "(?P" not in pattern
            assert set(re.findall(r"\{(\w+)\}", sentence)) <= set(re.findall(r"\(\?<(\w+)>", pattern))


def test_the_page_hands_its_scripts_exactly_the_sentences_they_use():
    used = {
        sentence
        for path in sorted((PROJECT_ROOT / "static").glob("import*.js"))
        for _, sentence, _, _ in extract_from_file("javascript", path, keywords={"t": None})
    }
    assert used == set(CLIENT_TEXTS)
    assert len(CLIENT_TEXTS) == len(set(CLIENT_TEXTS))


def test_the_scripts_of_the_page_exist_and_import_only_each_other():
    names = {path.name for path in (PROJECT_ROOT / "static").glob("*.js")}
    for path in sorted((PROJECT_ROOT / "static").glob("import*.js")):
        imported = set(re.findall(r'from "\./(.+?)"', path.read_text(encoding="utf-8")))
        assert imported <= names, path.name


def test_nothing_from_outside_becomes_markup():
    page = rendered(sources=['"><script>alert(1)</script>'])
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert block(page, "import-data")["batches"][0]["file_name"] == BATCH["file_name"]


def test_no_datum_is_chosen_beforehand():
    page = rendered()
    assert re.findall(r'name="datum" value="(\w+)"', page) == ["wgs84", "cgcs2000", "gcj02", "bd09", "metric"]
    assert "checked" not in page


def test_earlier_sources_are_offered_once():
    page = rendered(sources=["洛阳电业", "郑州联通"])
    offered = re.search(r'<datalist id="import-sources">(.*?)</datalist>', page, re.DOTALL)[1]
    assert re.findall(r'value="(.*?)"', offered) == ["洛阳电业", "郑州联通"]


def test_a_waiting_upload_is_handed_over_without_its_preview():
    upload = {"id": "abc", "kind": "lines", "file_name": "a.csv", "state": "ready", "preview": {"rows": [1]}}
    data = block(rendered(uploads=[upload], upload_id="abc", most_bytes=5), "import-data")
    assert data["uploads"] == [
        {
            "id": "abc",
            "kind": "lines",
            "source": None,
            "file_name": "a.csv",
            "state": "ready",
            "created_at": None,
        }
    ]
    assert (data["upload_id"], data["most_bytes"]) == ("abc", 5)


def test_the_ground_of_the_map_is_packed_and_leaves_townships_out():
    areas = gpd.GeoDataFrame(
        {"level": ["city", "township"], "name": ["甲市", "乙乡"]},
        geometry=[shapely.box(113, 34, 114, 35)] * 2,
        crs=4326,
        index=[7, 8],
    )
    outlines = block(rendered(areas=areas), "outlines")
    assert outlines.keys() == {"7"}
    assert (outlines["7"]["level"], outlines["7"]["name"]) == ("city", "甲市")
    assert outlines["7"]["outline"][0][0][:2] == [1140000, 340000]


def test_the_english_page_has_chinese_only_in_what_came_from_outside():
    page = rendered("en", batches=[]).replace("中文", "")
    page = re.sub(r'<script type="application/json" id="page-data">.*?</script>', "", page, flags=re.DOTALL)
    assert re.findall(r"[\u4e00-\u9fff]+", page) == []
