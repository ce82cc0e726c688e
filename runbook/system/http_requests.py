"""A request as a playbook writes it, filled in: its values, its place, its secrets; and as a shell line."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec

from runbook.system.http_messages import Request
from runbook.system.secrets import Masker
from runbook.system.variables import Variables

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PLAIN_HEADERS = {
    "accept",
    "accept-language",
    "content-type",
    "host",
    "user-agent",
    "cache-control",
    "origin",
    "referer",
}


def absolute(url: str, base: str | None) -> str | None:
    """`url` as it is where it names its host, else from `base` on; None where it is relative and there is no base."""
    if _SCHEME.match(url):
        return url
    return None if base is None else f"{base.rstrip('/')}/{url.removeprefix('/')}"


def filled(written: Request, base: str | None, variables: Variables, masker: Masker) -> Request | None:
    """The request with every `${...}` filled in; None where its URL is relative and there is no `base`.

    A password in the URL and what its headers carry are masked from now on. A host that comes from outside the playbook
    is marked as guarded. Raises VariableTrouble.
    """
    url = absolute(variables.url(written.url), base)
    if url is None:
        return None
    masker.learn_url(url)
    headers = {name: variables.text(value) for name, value in written.headers.items()}
    return replace(
        written,
        url=url,
        method=written.method.upper(),
        headers={name: learned(masker, name, value) for name, value in headers.items()},
        json=written.json if written.json is msgspec.UNSET else variables.any(written.json),
        text=None if written.text is None else variables.text(written.text),
        form=None if written.form is None else {name: variables.text(value) for name, value in written.form.items()},
        guarded=variables.host_from_outside(written.url),
    )


def learned(masker: Masker, name: str, value: str) -> str:
    """The value of a header, which is masked from now on unless the header is one that never carries a secret."""
    if name.lower() not in _PLAIN_HEADERS:
        masker.learn(value)
    return value


def curl_line(written: Request, base: str | None, *, user: str | None = None, seconds: float | None = None) -> str:
    """The shell line that asks the same; what is not filled in stays as the playbook writes it.

    `user` is a login as `USER:PASSWORD`, `seconds` how long the whole may take.
    """
    from runbook.system.http_curl import curl_words
    from runbook.system.shell_words import shell_line

    return shell_line(curl_words(written, absolute(written.url, base) or written.url, user, seconds))
