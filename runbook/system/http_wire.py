"""How a request is put on the wire, and how what went wrong there is said."""

from __future__ import annotations

import os
import re
import ssl

import msgspec

from runbook.system.http_messages import Request, basic
from runbook.system.http_tls import tls_in_words

_BAD_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_CLOSED = {"wait": "closed without an answer", "tls": "closed in the handshake", "connect": "closed at once"}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


def headers_of(request: Request, host: str, user: str, password: str) -> list[tuple[bytes, bytes]]:
    """The headers to send, as Latin-1.

    `host` is the value of Host, `user` and `password` are the URL's. Raises ValueError where one would end its line, or
    holds what no header can.
    """
    from runbook import __version__

    sent = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": f"runbook/{__version__}"}
    kind = _content_type(request)
    if kind:
        sent["Content-Type"] = kind
    if request.authorization is not None:
        sent["Authorization"] = request.authorization
    elif user or password:
        sent["Authorization"] = basic(user, password)
    given = {name.lower() for name in request.headers}
    pairs = [("Host", host)] if "host" not in given else []
    pairs += [(name, value) for name, value in sent.items() if name.lower() not in given]
    pairs += list(request.headers.items())
    for name, value in pairs:
        if not _HEADER_NAME.match(name) or _BAD_HEADER.search(value):
            raise ValueError(f"the header {name[:40]!r} holds a line end, or another character that no header carries")
    return [(name.encode("ascii"), value.strip(" \t").encode("latin-1")) for name, value in pairs]


def _content_type(request: Request) -> str:
    if request.json is not msgspec.UNSET:
        return "application/json"
    if request.form is not None:
        return "application/x-www-form-urlencoded"
    return "text/plain; charset=utf-8" if request.text is not None else ""


def content_of(request: Request) -> bytes | None:
    from urllib.parse import urlencode

    if request.json is not msgspec.UNSET:
        return msgspec.json.encode(request.json)
    if request.form is not None:
        return urlencode(request.form).encode()
    return request.text.encode() if request.text is not None else None


def check_version(version: bytes) -> None:
    """Raises ValueError for a version of HTTP that is not spoken here, whose words may mean anything."""
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise ValueError(f"it answers as {version[:20].decode('ascii', 'replace')}, which is not spoken here")


def date_of(text: str | None) -> float | None:
    """A Date header in seconds since the epoch."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, TypeError, OverflowError):
        return None


def with_place(place: str, phase: str, message: str) -> str:
    """What happened before there was a connection, with where it was to lead: `db1:5432: connection refused`."""
    return f"{place}: {message}" if place and phase in ("resolve", "connect") else message


def in_words(trouble: BaseException, phase: str) -> str:
    """What happened, from the innermost cause that says it best."""
    said = str(trouble) or _CLOSED.get(phase, type(trouble).__name__)
    cause: BaseException | None = trouble
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return tls_in_words(cause)
        if isinstance(cause, OSError) and cause.strerror:
            number = cause.errno or 0
            said = os.strerror(number) if number > 0 else cause.strerror
        cause = cause.__cause__ or cause.__context__
    return said[0].lower() + said[1:].rstrip(".")
