"""Write the content security policy of a page: nothing runs but our own files and the tags we made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from layers.views import BaseTiles

_NONCE = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)


def check_nonce(nonce: str) -> None:
    """Refuse a nonce that could change the policy's meaning or end an attribute.

    Raises
    ------
    InvalidInputError
    """
    if not _NONCE.fullmatch(nonce):
        raise InvalidInputError("a nonce is 16 to 128 letters, digits, - or _")


def content_security_policy(nonce: str, tiles_origin: str | None = None) -> str:
    """Return the policy under which the page must be sent.

    Parameters
    ----------
    nonce : str
        The one of the `MapView`; 16 to 128 letters, digits, ``-`` or ``_``.
    tiles_origin : str, optional
        Scheme, host and port of the operator's base map; images may come from there too.

    Returns
    -------
    str
        Value of the header ``Content-Security-Policy``.

    Raises
    ------
    InvalidInputError
        If the nonce or the origin could change the policy's meaning.
    """
    check_nonce(nonce)
    if tiles_origin is not None and not _ORIGIN.fullmatch(tiles_origin):
        raise InvalidInputError("the origin of a base map must be scheme, host and port only")
    images = " ".join(("'self'", "data:", "blob:", *([tiles_origin] if tiles_origin else [])))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src-elem 'self' 'nonce-{nonce}'",
            "style-src-attr 'unsafe-inline'",
            f"img-src {images}",
            "connect-src 'self'",
            "font-src 'self'",
            "worker-src 'self' blob:",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def tiles_origin_of(tiles: BaseTiles | None) -> str | None:
    """Return the origin of a base map for `content_security_policy`."""
    if tiles is None:
        return None
    parts = urlsplit(tiles.url)
    return f"{parts.scheme}://{parts.netloc}"
