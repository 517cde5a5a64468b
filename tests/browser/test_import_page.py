"""The import page in Chromium over the real application, its worker and a database of the test's own."""

import json
import re

import pytest

from geo.io.forms.texts import MAX_BYTES
from tests.browser.conftest import until
from tests.browser.imports import (
    HEADER,
    PATIENCE_MS,
    SOURCE,
    apply,
    commit,
    counts,
    opened,
    readable,
    refused,
    register,
    send,
    served,
    undo,
)

pytestmark = pytest.mark.browser
# A title above, a merged cell below 案件类别, full-width digits, sums in 万元, a total at the end.
REGISTER = f"""２００８年３月“三电”案件登记表,,,,,,,
{HEADER}
郑盗〔２００８〕１,２００８年３月５日,盗窃通信电缆,中牟县官渡镇,３．５,114.02,34.76,已立案
郑盗〔２００８〕２,2008-03-09 21:30,,中牟县万滩镇,0.8,113.99,34.85,
郑盗〔２００８〕３,2008-02-30,,中牟县大孟镇,1.2,113.98,34.78,
郑盗〔２００８〕４,2008-03-11,,新郑市薛店镇,2,34.5,113.8,
合计,,,,７．５,,,
"""
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def real(fresh, tmp_path):
    """Serve an empty database."""
    with served(fresh, tmp_path) as site:
        yield site


def test_a_register_from_a_spreadsheet_is_mapped_mended_stored_and_undone(real, page_watch):
    page = opened(real, page_watch)
    send(page, "三月登记表.csv", REGISTER.encode("gb18030"))
    assert "三月登记表.csv" in refused(page)
    assert "还缺：案件编号" in page.inner_text("[data-mapping]")

    page.get_by_label("「卷宗号」是什么", exact=True).select_option("case_number")
    page.get_by_label("「案件类别」的空格沿用上一行").check()
    apply(page)
    assert counts(page)[0] == "可导入2行，2行有误"
    assert page.is_disabled("[data-commit]")
    told = page.inner_text("[data-rejected]")
    assert "不是日期或时间" in told
    assert "写反了" in told
    assert "合计行没有导入" in page.inner_text("[data-notices]")

    page.get_by_label("第5行「发案时间」", exact=True).fill("2008-02-28")
    page.click("[data-skip='6']")
    assert page.inner_text("[data-changes-text]") == "有2处改动"
    apply(page)
    assert counts(page)[0] == "可导入3行，跳过1行"
    assert page.locator("#import-map canvas").count() >= 1
    assert page.inner_text("[data-commit]") == "导入3行，跳过1行"
    assert page.inner_text("[data-bar]").count("有误") == 0

    assert commit(page, real) == "已入库：第1批"
    stored = real.ask(
        "select case_number, to_char(occurred_from at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'),"
        " direct_loss_yuan::float, place_precision, radius_m from huxian.incident order by case_number"
    )
    assert stored == [
        ("郑盗〔２００８〕１", "2008-03-05 00:00", 35000.0, "township", 9000.0),
        ("郑盗〔２００８〕２", "2008-03-09 21:30", 8000.0, "township", 9000.0),
        ("郑盗〔２００８〕３", "2008-02-28 00:00", 12000.0, "township", 9000.0),
    ]
    undo(page, "发错了月份")
    until(page, "document.querySelector('[data-batches]').innerText.includes('发错了月份')")
    assert "删去3行" in page.inner_text("[data-batches]")
    assert real.ask("select count(*) from huxian.incident") == [(0,)]


def test_what_a_column_means_is_kept_for_the_next_file_of_its_source_only(real, page_watch):
    page = opened(real, page_watch)
    rows = [HEADER, "A1,2008-03-05,盗窃通信电缆,中牟县,1,114.02,34.76,"]
    send(page, "一.csv", "\n".join(rows).encode("gb18030"))
    page.get_by_label("「卷宗号」是什么", exact=True).select_option("case_number")
    apply(page)
    assert commit(page, real) == "已入库：第1批"

    page.get_by_role("button", name="再导入一个文件").click()
    assert page.input_value("input[name=source]") == SOURCE
    rows[1] = rows[1].replace("A1", "A2")
    send(page, "二.csv", "\n".join(rows).encode("gb18030"))
    readable(page)
    assert counts(page)[0] == "可导入1行"
    assert page.is_hidden("[data-problem]")
    assert page.is_enabled("[data-commit]")
    page.click("[data-discard]")
    page.wait_for_selector("[data-choose]:not([hidden])")

    send(page, "三.csv", "\n".join(rows).encode("gb18030"), source="洛阳电业")
    refused(page)
    assert "还缺：案件编号" in page.inner_text("[data-mapping]")


def test_a_conflict_shows_what_is_stored_beside_what_is_given_and_can_be_skipped(real, page_watch):
    page = opened(real, page_watch)
    first = "B1,2008-03-05,盗窃通信电缆,中牟县,1,114.02,34.76,"
    send(page, "一.csv", register([first]))
    readable(page)
    commit(page, real)
    page.get_by_role("button", name="再导入一个文件").click()
    send(page, "二.csv", register([first.replace(",1,", ",10,"), first.replace("B1", "B2")]))
    page.wait_for_selector("[data-conflicts]:not([hidden])", timeout=PATIENCE_MS)
    line = page.locator(".import-conflicts tbody tr").filter(has_text="损失")
    assert [re.sub(r"\.0+$", "", cell) for cell in line.locator("td").all_inner_texts()[2:4]] == [
        "10000",
        "100000",
    ]
    assert page.is_disabled("[data-commit]")
    page.click(".import-conflicts [data-skip='2']")
    apply(page)
    assert page.inner_text("[data-commit]") == "导入1行，跳过1行"
    assert commit(page, real) == "已入库：第2批"
    assert real.ask("select case_number, direct_loss_yuan::float from huxian.incident order by 1") == [
        ("B1", 10000.0),
        ("B2", 10000.0),
    ]


def test_the_same_file_again_is_recognised(real, page_watch):
    page = opened(real, page_watch)
    data = register(["C1,2008-03-05,盗窃通信电缆,中牟县,1,114.02,34.76,"])
    send(page, "一.csv", data)
    readable(page)
    commit(page, real)
    page.get_by_role("button", name="再导入一个文件").click()
    send(page, "又一次.csv", data)
    until(
        page,
        "document.querySelector('[data-done]').innerText.includes('这个文件以前导入过：第1批')",
        seconds=60,
    )


def test_a_reload_loses_nothing_and_shows_the_live_bar_again(real, page_watch):
    page = opened(real, page_watch)
    send(page, "一.csv", register(["D1,2008-03-05,盗窃通信电缆,中牟县,1,114.02,34.76,"]))
    readable(page)
    page.reload()
    readable(page)
    assert page.inner_text("[data-check-title]") == "一.csv"
    page.click("[data-commit]")
    page.wait_for_selector("[data-live]:not([hidden])")
    page.reload()
    page.wait_for_selector("[data-live]:not([hidden])")
    assert page.inner_text("[data-live-file]") == "一.csv"
    real.work()
    page.wait_for_selector("[data-done]:not([hidden])", timeout=PATIENCE_MS)
    assert page.inner_text("[data-done] h2") == "已入库：第1批"
    assert "重" not in page.inner_text("[data-problem]")


def test_markup_in_names_headers_and_cells_is_shown_as_text(real, page_watch):
    page = opened(real, page_watch)
    rows = [
        f"案件编号,发案时间,案件类别,发案地点,经度,纬度,{MARKUP}",
        f"{MARKUP},2008-03-05,盗窃通信电缆,{MARKUP},114.02,34.76,{MARKUP}",
        f"E2,{MARKUP},盗窃通信电缆,中牟县,114.02,34.76,{MARKUP}",
    ]
    send(page, f"{MARKUP}.csv", "\n".join(rows).encode(), source=MARKUP)
    page.wait_for_selector("[data-check]:not([hidden])", timeout=PATIENCE_MS)
    assert page.inner_text("[data-check-title]") == f"{MARKUP}.csv"
    assert MARKUP in page.inner_text("[data-mapping]")
    assert MARKUP in page.inner_text("[data-rows]")
    assert (
        page.get_by_label("第3行「发案时间起」").or_(page.get_by_label("第3行「发案时间」")).input_value()
        == MARKUP
    )
    page.locator(".import-mend summary").first.click()
    page.click("[data-skip-all]")
    readable(page)
    commit(page, real)
    until(page, "document.querySelector('[data-batches]').innerText.includes('onerror=alert(1)>.csv')")
    assert f"{MARKUP}.csv" in page.inner_text("[data-batches]")
    assert page.locator("main img").count() == 0


def test_a_large_upload_shows_its_progress_and_is_cancelled_without_a_trace(real, page_watch, tmp_path):
    page = opened(real, page_watch, allow=("ERR_ABORTED",))
    wide = f"F1,2008-03-05,盗窃通信电缆,中牟县,1,114.02,34.76,{'注' * 3000}\n".encode()
    large = tmp_path / "大文件.csv"
    with large.open("wb") as file:
        file.write(register([]) + b"\n")
        for _ in range(3_000):
            file.write(wide)
    page.unroute_all()
    page.context.unroute_all()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2_000_000},
    )
    page.set_input_files("#import-file", large)
    page.fill("input[name=source]", SOURCE)
    page.check("input[name=datum][value=wgs84]")
    page.click("[data-send]")
    until(page, "document.querySelector('[data-live-status]').innerText.startsWith('已上传')")
    until(page, "document.querySelector('[data-live-bar]').value > 2")
    page.click("[data-live-cancel]")
    page.wait_for_selector("[data-choose]:not([hidden])")
    assert page.inner_text("[data-choose-fault]") == "已取消上传，什么也没有存"
    assert page.inner_text("[data-drop-title]") == "大文件.csv"
    assert real.ask("select count(*) from huxian.import_batch") == [(0,)]


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(real, page_watch, tmp_path):
    page = opened(real, page_watch)
    large = tmp_path / "太大.csv"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    page.set_input_files("#import-file", large)
    until(page, "document.querySelector('[data-choose-fault]').innerText !== ''")
    assert page.inner_text("[data-choose-fault]") == "文件有500 MB，最多500 MB；请分成几份"


def test_a_refused_file_says_why_and_leaves_the_form_as_it_was(real, page_watch):
    page = opened(real, page_watch, allow=("415", "422"))
    send(page, "图片.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    refused(page)
    assert page.inner_text("[data-problem] h2") == "文件没有收下"
    assert "文件类型不对" in page.inner_text("[data-problem]")
    assert page.is_visible("[data-choose]")
    assert page.input_value("input[name=source]") == SOURCE


def test_without_a_connection_the_page_says_so_and_tries_again(real, page_watch):
    page = opened(real, page_watch, allow=("ERR_INTERNET_DISCONNECTED", "ERR_FAILED"))
    page.context.set_offline(True)
    data = register(["G1,2008-03-05,盗窃通信电缆,中牟县,1,114.02,34.76,"])
    send(page, "一.csv", data)
    assert "没有连上服务器" in refused(page)
    page.context.set_offline(False)
    page.click("[data-send]")
    readable(page)
    assert page.is_hidden("[data-problem]")


def test_the_form_names_what_is_missing_and_works_by_keyboard(real, page_watch):
    page = opened(real, page_watch, width=390, height=844)
    page.click("[data-send]")
    assert page.inner_text("[data-choose-fault]") == "还没有选文件"
    page.set_input_files("#import-file", {"name": "一.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"})
    page.press("[data-send]", "Enter")
    assert page.inner_text("[data-choose-fault]") == "还没有填谁发来的"
    page.keyboard.type(SOURCE)
    page.press("[data-send]", "Enter")
    assert page.inner_text("[data-choose-fault]") == "还没有选坐标系"
    page.keyboard.press("ArrowUp")
    assert page.is_checked("input[name=datum][value=metric]")
    page.press("[data-send]", "Enter")
    assert page.inner_text("[data-choose-fault]") == "还没有填 EPSG 代码，例如 4547"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_storing_that_was_cancelled_leaves_nothing_and_can_be_tried_again(real, page_watch):
    page = opened(real, page_watch)
    send(page, "一.csv", register(["H1,2008-03-05,盗窃通信电缆,中牟县,1,114.02,34.76,"]))
    readable(page)
    page.click("[data-commit]")
    page.wait_for_selector("[data-live]:not([hidden])")
    with page.expect_response("**/cancel") as answer:
        page.click("[data-live-cancel]")
    assert answer.value.status == 200
    real.work()
    refused(page)
    assert page.inner_text("[data-problem] h2") == "已取消，什么也没有存"
    assert real.ask("select count(*) from huxian.import_batch") == [(0,)]
    page.get_by_role("button", name="重新核对").click()
    readable(page)
    assert commit(page, real) == "已入库：第1批"


def square(name, west, east):
    ring = [[west, 34.5], [east, 34.5], [east, 35.0], [west, 35.0], [west, 34.5]]
    return {
        "type": "Feature",
        "properties": {"级别": "city", "名称": name},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def test_areas_show_their_overlaps_and_are_kept_while_incidents_lie_in_them(real, page_watch):
    page = opened(real, page_watch, allow=("409",))
    areas = {
        "type": "FeatureCollection",
        "features": [square("甲市", 113.5, 114.01), square("乙市", 114, 114.5)],
    }
    page.set_input_files(
        "#import-file",
        {"name": "区划.geojson", "mimeType": "application/json", "buffer": json.dumps(areas).encode()},
    )
    page.select_option("select[name=kind]", "areas")
    page.fill("input[name=source]", SOURCE)
    page.check("input[name=datum][value=cgcs2000]")
    page.click("[data-send]")
    readable(page)
    overlap = page.locator("[data-coverage] button")
    assert re.fullmatch(r"甲市、乙市重叠51平方公里", overlap.inner_text())
    overlap.click()
    until(page, "document.querySelector('.leaflet-popup-content').innerText.includes('甲市、乙市重叠')")
    assert commit(page, real) == "已入库：第1批"

    page.get_by_role("button", name="再导入一个文件").click()
    send(page, "一.csv", register(["I1,2008-03-05,盗窃通信电缆,甲市,1,113.7,34.76,"]))
    readable(page)
    assert commit(page, real) == "已入库：第2批"
    page.get_by_label("撤销第1批").first.click()
    page.fill("[data-undo] textarea", "边界有误")
    page.click("[data-undo-confirm]")
    until(page, "document.querySelector('[data-undo-fault]').innerText !== ''")
    assert page.inner_text("[data-undo-fault]") == "没有撤销：有案件落在这批区域里"
    assert real.ask("select count(*) from huxian.area where level = 'city'") == [(2,)]
