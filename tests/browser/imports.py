"""Serve the real application over a database of the test's own, and use its import page as a person would."""

import asyncio
import contextlib
import socket
import threading
import time
import urllib.request

import uvicorn
from sqlalchemy import text

from api.database import make_sessions, open_engine
from api.jobs import open_queue, work
from api.main import create_app
from api.settings import Settings

READY = "body[data-ready]"
SOURCE = "郑州联通"
# Reading starts a process of its own, which takes long on a machine that does much else.
PATIENCE_MS = 60_000
HEADER = "卷宗号,发案时间,案件类别,发案地点,直接损失（万元）,经度,纬度,经办意见"


class Site:
    """The running application: `address`, and ways to do its worker's work and to ask its database."""

    def __init__(self, address, urls, engine, uploads):
        self.address = address
        self.urls = urls
        self.engine = engine
        self.uploads = uploads

    def work(self):
        """Do what is queued, as the worker would; the browser's own loop runs in this thread."""
        worker = threading.Thread(target=asyncio.run, args=(self._worker(),))
        worker.start()
        worker.join(60)
        assert not worker.is_alive()

    def _worker(self):
        return work(self.urls.web, make_sessions(self.engine), self.uploads, wait=False)

    def ask(self, query):
        """Return the rows of a query as tuples."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def served(urls, folder):
    """Serve a database on a free port; uploads lie in the folder."""
    engine = open_engine(urls.web, statement_timeout_ms=0)
    app = create_app(Settings(data_dir=folder / "data"), make_sessions(engine), open_queue(urls.web))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield Site(f"http://127.0.0.1:{port}", urls, engine, app.state.uploads)
    server.should_exit = True
    thread.join(20)
    engine.dispose()


def opened(real, page_watch, **options):
    page = page_watch(f"{real.address}/import", **options)
    page.wait_for_selector(READY, state="attached")
    return page


def send(page, name, data, *, source=SOURCE, precision="township"):
    """Fill step 1 and upload a file of incidents."""
    page.set_input_files("#import-file", {"name": name, "mimeType": "text/csv", "buffer": data})
    page.select_option("select[name=kind]", "incidents")
    page.fill("input[name=source]", source)
    page.select_option("[data-precision] select", precision)
    page.check("input[name=datum][value=wgs84]")
    page.click("[data-send]")


def register(rows):
    return "\n".join([HEADER.replace("卷宗号", "案件编号"), *rows]).encode("gb18030")


def apply(page):
    """Send the changes and wait for the file to be read anew."""
    with page.expect_response(lambda answer: answer.request.method == "PATCH", timeout=PATIENCE_MS) as answer:
        page.click("[data-apply]")
    assert answer.value.status == 200
    page.wait_for_selector(
        "[data-check]:not([hidden]):not([inert]) [data-changes][hidden]",
        state="attached",
        timeout=PATIENCE_MS,
    )


def commit(page, real):
    """Press the button of step 3, let the worker do it, and return the heading of the answer."""
    page.click("[data-commit]")
    page.wait_for_selector("[data-live]:not([hidden])")
    real.work()
    page.wait_for_selector("[data-done]:not([hidden])", timeout=PATIENCE_MS)
    return page.inner_text("[data-done] h2")


def readable(page):
    """Wait until an upload was read and can be stored."""
    page.wait_for_selector("[data-commit]:enabled", timeout=PATIENCE_MS)


def refused(page):
    """Wait for a problem, and return what it says."""
    page.wait_for_selector("[data-problem]:not([hidden])", timeout=PATIENCE_MS)
    return page.inner_text("[data-problem]")


def counts(page):
    return page.inner_text("[data-counts]"), page.inner_text("[data-counts-more]")


def undo(page, reason):
    page.locator("[data-batches] button").first.click()
    page.fill("[data-undo] textarea", reason)
    page.click("[data-undo-confirm]")
    page.wait_for_selector("[data-undo]:not([open])", state="attached")
