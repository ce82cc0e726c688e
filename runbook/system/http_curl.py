"""A request of a playbook as a curl line: to be read, and to be pasted where its variables are set."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from runbook.system.http_messages import Request
from runbook.system.secrets import MASK, looks_secret

_CARRIES_SECRET = re.compile(r"auth|cookie|session|signature|token|key|secret|passw|credential", re.IGNORECASE)
_USER_PART = re.compile(r"(?<=://)[^\s/?#@]*(?=@)")
_PARAMETER = re.compile(r"(?<=[?&])(?P<name>[^=&#]+)=(?P<value>[^&#]+)")


def curl_words(written: Request, url: str, user: str | None = None, seconds: float | None = None) -> list[str]:
    """The words of the line. `user` is a login as `USER:PASSWORD`, `seconds` how long it may take.

    What is not filled in stays as the playbook writes it. A secret that stands in the playbook itself is not shown.
    """
    words = ["curl", "-fsS", *_method(written.method.upper())]
    if written.max_redirects:
        words += ["-L", "--max-redirs", str(written.max_redirects)]
    if seconds is not None:
        words += ["--max-time", f"{seconds:g}"]
    places = (("--cacert", written.ca), ("-x", _proxy(written)), ("--unix-socket", written.socket))
    words += [word for option, place in places if place for word in (option, place)]
    if user is not None:
        name, _, password = user.partition(":")
        words += ["-u", f"{name}:{_kept(password)}" if password else _kept(user)]
    if written.authorization is not None:
        scheme, _, token = written.authorization.partition(" ")
        words += ["-H", f"Authorization: {scheme} {_kept(token)}"]
    for name, value in written.headers.items():
        words += ["-H", f"{name}: {_kept(value) if _CARRIES_SECRET.search(name) else value}"]
    return [*words, *_body(written), _shown_url(url)]


def _method(method: str) -> list[str]:
    if method == "HEAD":  # with -X HEAD curl waits for a body
        return ["-I"]
    return [] if method == "GET" else ["-X", method]


def _proxy(written: Request) -> str | None:
    """The proxy, where it has to be said: what the environment names curl finds by itself."""
    return None if written.proxy in (None, "environment") else _shown_url(written.proxy or "")


def _body(written: Request) -> list[str]:
    if written.json is not msgspec.UNSET:
        shown = msgspec.json.encode(_without_secrets(written.json)).decode()
        return ["-H", "Content-Type: application/json", "-d", shown]
    if written.text is not None:
        return ["--data-raw" if written.text.startswith("@") else "-d", written.text]  # -d @x sends the file x
    pairs = (written.form or {}).items()
    return [word for pair in pairs for word in ("--data-urlencode", f"{pair[0]}={_value(*pair)}")]


def _kept(value: str) -> str:
    """A secret as it is written where it only names a variable, else a mask."""
    return value if "${" in value else MASK


def _value(name: str, value: str) -> str:
    return _kept(value) if looks_secret(name) else value


def _without_secrets(plain: object) -> object:
    if isinstance(plain, Mapping):
        return {
            name: _value(str(name), value) if isinstance(value, str) else _without_secrets(value)
            for name, value in plain.items()
        }
    return [_without_secrets(each) for each in plain] if isinstance(plain, list | tuple) else plain


def _shown_url(url: str) -> str:
    def parameter(found: re.Match[str]) -> str:
        return f"{found['name']}={_value(found['name'], found['value'])}"

    return _PARAMETER.sub(parameter, _USER_PART.sub(lambda found: _kept(found.group()), url))
