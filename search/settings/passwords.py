"""Passwords in addresses: before the @, or in the query, where databases take them too."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

_KEYS: Final = frozenset({"password", "passwd", "pwd", "sslpassword"})


def passwords_in(address: str) -> set[str]:
    """All that an address holds, as written and as meant."""
    parts = urlsplit(address)
    found = {value for key, value in parse_qsl(parts.query) if key.lower() in _KEYS}
    if parts.password:
        found |= {parts.password, unquote(parts.password)}
    return found | {quote(each) for each in found}


def without_passwords(address: str) -> str:
    """The address with all of them left out, names of users kept."""
    parts = urlsplit(address)
    if parts.password is not None:
        user = f"{parts.username}@" if parts.username else ""
        parts = parts._replace(netloc=user + parts.netloc.rpartition("@")[2])
    query = parse_qsl(parts.query, keep_blank_values=True)
    if any(key.lower() in _KEYS for key, _ in query):
        kept = [(key, value) for key, value in query if key.lower() not in _KEYS]
        parts = parts._replace(query=urlencode(kept))
    return parts.geturl()
