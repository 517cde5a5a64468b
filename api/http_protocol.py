"""Bound the head of a request: the fast parser keeps whatever a client sends until the head ends."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 65_536
"""Address and headers together; browsers send a few thousand bytes."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP of uvicorn's fast parser, hanging up on a head that does not end."""

    _head_bytes = 0
    _is_in_head = False

    def on_message_begin(self) -> None:
        """Take note that a head begins."""
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take note that it ended."""
        self._is_in_head = False
        self._head_bytes = 0
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Parse what came; count it while the head is open."""
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The head of the request is too long.")
