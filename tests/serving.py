"""Serve the real application in a process of its own, for clients that speak HTTP themselves.

GDAL holds Python's lock while it waits for an answer: a server in the same process would never give one.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address, server):
    for _ in range(300):
        assert server.poll() is None, "the server did not start"
        try:
            urllib.request.urlopen(f"{address}/livez", timeout=5).close()  # noqa: S310 - our own server
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server does not answer")


@contextlib.contextmanager
def served(urls, log):
    """Yield the address of the application over a database; `log` is the file of the targets it was asked."""
    address = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "tests.serving", urls.web, address.rpartition(":")[2], str(log)]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def serve(url, port, log):
    """Serve until terminated; every target that is asked for becomes a line of the log."""
    import uvicorn

    from api.database import make_sessions, open_engine
    from api.jobs import open_queue
    from api.main import create_app
    from api.settings import Settings

    app = create_app(Settings(), make_sessions(open_engine(url)), open_queue(url), demo=True)

    def note(scope):
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{scope['path']}?{scope['query_string'].decode()}\n")

    async def watched(scope, receive, send):
        if scope["type"] == "http":
            note(scope)
        await app(scope, receive, send)

    uvicorn.run(watched, port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    serve(*sys.argv[1:])
