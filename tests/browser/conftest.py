"""Drive Debian's Chromium, and fail a test on anything a browser complains about.

`page_watch` opens pages of any server, ours or the sample server of `site`. It fails the test on a request to
another host, an error on the console, a violation of the content security policy, an uncaught error, or an
answer of 400 and more.
"""

import os
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Error, sync_playwright

from layers.assets import PROJECT_ROOT, missing_assets
from layers.page import content_security_policy
from tests.pictures import NONCE

ARGUMENTS = (
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
LOCAL = ("data", "blob", "about")
TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "json": "application/geo+json"}
REPORT_VIOLATIONS = """
window.addEventListener("securitypolicyviolation", (event) => {
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


class Answer(NamedTuple):
    """What the sample server sends."""

    status: int = 200
    type: str = "text/html"
    body: bytes = b""


def until(page, script, *, seconds=10):
    """Wait until a script is true in the page.

    Playwright's own ``wait_for_function`` makes code from text inside the page, which our policy forbids.
    """
    end = time.monotonic() + seconds
    while not holds(page, script):
        assert time.monotonic() < end, f"never true: {script}"
        page.wait_for_timeout(40)


def holds(page, script):
    """Tell whether a script is true in the page; not while the page is being left."""
    try:
        return page.evaluate(script)
    except Error as error:
        if "context was destroyed" in error.message or "of null" in error.message:
            return False
        raise


def give_up(reason):
    """Skip loudly on a machine without what it takes; on a build server that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Put the tests of the browser last: its driver keeps an event loop running, in which no other test can start one."""
    items.sort(key=lambda item: Path(__file__).parent in item.path.parents)


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests; each page has a context of its own."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        give_up("CHROMIUM IS MISSING: no picture is tested; install the package chromium")
    if missing_assets():
        give_up("THE MAP'S SCRIPTS ARE MISSING: no picture is tested; run python -m layers.assets")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page_watch(chromium):
    """Return a function that opens an address and watches everything the browser does with it.

    ``page_watch(address, width=1366, height=768, allow=(), **context)``: `allow` lists pieces of complaints that
    the test expects; further arguments go to Playwright's ``new_context``. ``page_watch.complaints`` is what it
    has noticed so far.
    """
    opened = []
    complaints = []

    def watch(address, *, width=1366, height=768, allow=(), **context_options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **context_options)
        context.set_default_timeout(8_000)
        opened.append(context)
        context.add_init_script(REPORT_VIOLATIONS)
        home = urlsplit(address).netloc

        def complain(text):
            if not any(piece in text for piece in allow):
                complaints.append(text)

        def gate(route):
            url = urlsplit(route.request.url)
            if url.scheme not in LOCAL and url.netloc != home:
                complain(f"request to another host: {route.request.url}")
                route.abort()
            else:
                route.continue_()

        def answered(response):
            if response.status >= 400:
                complain(f"answer {response.status}: {response.url}")

        context.route("**/*", gate)
        page = context.new_page()
        page.on("console", lambda line: complain(f"console: {line.text}") if line.type == "error" else None)
        page.on("pageerror", lambda error: complain(f"error: {error}"))
        page.on("response", answered)
        page.on("dialog", lambda dialog: (complain(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(address)
        return page

    watch.complaints = complaints
    yield watch
    for context in opened:
        try:
            context.close()
        except Error as error:
            complaints.append(f"closing: {error}")
    assert complaints == []


class Site:
    """A small server for sample pages: `pages` and `answers` map a path to a function of the query.

    Parameters
    ----------
    address : str
        Where it listens, without a slash at the end.
    """

    def __init__(self, address):
        self.address = address
        self.pages = {}
        self.answers = {}
        self.asked = []

    def answer(self, method, target, body):
        """Return the answer to one request."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append((method, target, body))
        if parts.path.startswith("/static/"):
            return static_file(parts.path)
        if parts.path in self.pages:
            return Answer(body=self.pages[parts.path](query).encode())
        for path, make in self.answers.items():
            if parts.path.startswith(path):
                return make(query)
        return Answer(status=404)


def static_file(path):
    """Return one of our own files."""
    root = PROJECT_ROOT / "static"
    file = (PROJECT_ROOT / path.lstrip("/")).resolve()
    if not file.is_relative_to(root) or not file.is_file():
        return Answer(status=404)
    kind = TYPES.get(file.suffix.lstrip("."), "application/octet-stream")
    return Answer(type=kind, body=file.read_bytes())


class Handler(BaseHTTPRequestHandler):
    """Hand requests to the site of the test."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Keep quiet."""

    def do_GET(self):
        """Answer a page, a file or data."""
        self.reply("GET")

    def do_POST(self):
        """Answer a request for a run."""
        self.reply("POST")

    def reply(self, method):
        """Send what the site says, pages under the strict policy."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.server.site.answer(method, self.path, body)
        self.send_response(answer.status)
        self.send_header("Content-Type", f"{answer.type}; charset=utf-8")
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        if answer.type == "text/html":
            self.send_header("Content-Security-Policy", content_security_policy(NONCE))
        self.end_headers()
        self.wfile.write(answer.body)


@pytest.fixture
def site():
    """Serve sample pages on a port of this machine until the test ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.site
    server.shutdown()
    server.server_close()
    thread.join()
