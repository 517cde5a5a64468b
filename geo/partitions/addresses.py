"""Say which addresses a scheduler may have: whoever reaches one can run anything on its workers."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from geo.errors import InvalidInputError

DEFAULT_PORT = 8786


def check_address(address: str, *, has_certificates: bool) -> tuple[str, int]:
    """Return host and port of a scheduler, or refuse its address.

    Parameters
    ----------
    address : str
        ``tcp://HOST:PORT`` on this machine, ``tls://HOST:PORT`` anywhere.
    has_certificates : bool
        Whether there are certificates for ``tls://``.

    Raises
    ------
    InvalidInputError
        If it is no such address, lacks certificates, or would send programs in the clear to another machine.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or 0
    except ValueError:
        parts, host, port = urlsplit(""), "", 0
    rest = (parts.path, parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme not in ("tcp", "tls") or not host or not port or any(rest):
        raise InvalidInputError("a scheduler's address must be tcp://127.0.0.1:8786 or tls://HOST:PORT")
    if parts.scheme == "tcp" and not is_loopback(host):
        raise InvalidInputError(
            "a scheduler's address must begin with tls:// beyond this machine: whoever reaches a scheduler without certificates can run "
            "anything on its workers (docs/howto/scale-out.md)"
        )
    if parts.scheme == "tls" and not has_certificates:
        raise InvalidInputError(
            "a scheduler at tls:// needs certificates; set HUXIAN_SCHEDULER_CERTIFICATES to their directory"
        )
    return host, port


def is_loopback(host: str) -> bool:
    """Tell whether a host can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
