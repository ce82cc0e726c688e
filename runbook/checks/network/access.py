"""Who asks, and whom it trusts: what the kinds that ask over HTTP share beside the request itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from runbook.checks.base import Surroundings
from runbook.system.http_messages import Request, basic, bearer
from runbook.system.http_requests import curl_line, filled


class Auth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who asks: a token (`bearer`), or a user and password (`basic: USER:PASSWORD`)."""

    bearer: str | None = None
    basic: str | None = None

    def problems(self) -> list[str]:
        """What is wrong with it."""
        if (self.bearer is None) == (self.basic is None):
            return ["auth is either {bearer: ${TOKEN}} or {basic: USER:${PASSWORD}}"]
        return []


def asking(written: Request, auth: Auth | None, ca: str | None, around: Surroundings) -> Request | None:
    """The request filled in, with who asks; None where its URL is relative and there is no place to start.

    Raises VariableTrouble.
    """
    request = filled(written, around.url, around.variables, around.masker)
    if request is None:
        return None
    trusted = None if ca is None else str(around.project / around.variables.file_name(ca))
    return replace(request, authorization=_authorization(auth, around), ca=trusted)


def _authorization(auth: Auth | None, around: Surroundings) -> str | None:
    if auth is None:
        return None
    if auth.bearer is not None:
        token = around.variables.text(auth.bearer)
        around.masker.learn(token)
        return bearer(token)
    user, _, password = around.variables.text(auth.basic or "").partition(":")
    around.masker.learn(password)
    return basic(user, password)


def by_curl(
    written: Request,
    auth: Auth | None,
    ca: str | None,
    url: str | None,
    *,
    asked: Sequence[str] = (),
    seconds: float | None = None,
) -> str:
    """The shell line that asks the same; `asked` are `name=value` pairs of the URL, as the playbook writes them."""
    from runbook.system.shell_words import shell_word

    token = None if auth is None or auth.bearer is None else bearer(auth.bearer)
    user = None if auth is None else auth.basic
    line = curl_line(replace(written, authorization=token, ca=ca), url, user=user, seconds=seconds)
    pairs = "".join(f" --data-urlencode {shell_word(each)}" for each in asked)
    return line.replace("curl -fsS", f"curl -fsS -G{pairs}", 1) if asked else line
