"""A request whose head never ends is refused by the server that users run."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import uvicorn

from api.http_protocol import MOST_HEAD_BYTES, BoundedProtocol


async def answer(scope, receive, send):
    if scope["type"] == "http":
        length = str(len(scope["headers"])).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": length.rjust(2)})


@pytest.fixture(scope="module")
def port():
    server = uvicorn.Server(
        uvicorn.Config(
            answer, host="127.0.0.1", port=0, http=BoundedProtocol, log_level="critical", lifespan="off"
        )
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


def said_to(port, parts):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for part in parts:
            client.sendall(part)
            # Read between two parts: a server that hangs up while bytes are on their way resets the rest.
            client.settimeout(0.005)
            with contextlib.suppress(TimeoutError):
                return client.recv(65_536)
        client.settimeout(10)
        return client.recv(65_536)


START = b"GET / HTTP/1.1\r\nhost: a\r\n"


def test_a_long_but_bounded_head_is_served_and_its_count_begins_anew_with_each_request(port):
    head = START + b"x: " + b"a" * (MOST_HEAD_BYTES - 4_000) + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for _ in range(3):
            for at in range(0, len(head), 8_192):
                client.sendall(head[at : at + 8_192])
                time.sleep(0.001)
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "endless",
    [
        [START, *[b"x" * 1_000] * 80],
        [START, b"x: ", *[b"a" * 1_000] * 80],
        [START, *[b"x: " + b"a" * 500 + b"\r\n"] * 160],
        [b"GET /", *[b"a" * 1_000] * 80],
    ],
    ids=["name", "value", "headers", "address"],
)
def test_a_head_that_does_not_end_is_refused(port, endless):
    assert said_to(port, endless).startswith(b"HTTP/1.1 400")
