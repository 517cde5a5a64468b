"""Compare entity tags as RFC 9110 says."""

from __future__ import annotations

import re

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Tell whether a client has the representation already: the weak comparison of If-None-Match.

    Parameters
    ----------
    if_none_match : str or None
        The header: ``*``, or a list of tags.
    etag : str
        Of what would be sent, with its quotes.
    """
    if if_none_match is None:
        return False
    opaque = etag.removeprefix("W/")
    return if_none_match.strip() == "*" or opaque in _TAG.findall(if_none_match)
