"""Channels: how a notice reaches people and systems. One attempt, or several with growing pauses.

A `webhook` gets the notice as JSON (schema `runbook-notice/1`). Where the channel has a `secret`, two headers let the
receiver see that it comes from us and is fresh: `X-Runbook-Timestamp`, seconds since the epoch, and
`X-Runbook-Signature: sha256=HEX`, the HMAC-SHA256 of `TIMESTAMP.BODY` under the secret (RFC 2104). `id` stays the same
when a notice is sent again after an answer that was lost.

A `grafana` channel gets an annotation of the organization (POST /api/annotations, times in milliseconds since the
epoch), which every dashboard can show by its tags; of an operation that lasted, a region from its beginning to its end.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from runbook.language.substitution import parse_template
from runbook.system.clock import rfc3339
from runbook.system.http_messages import HttpTrouble, Request, bearer
from runbook.system.http_requests import filled, learned
from runbook.system.secrets import Masker, VariableTrouble
from runbook.system.variables import Variables

PAUSES = (1.0, 3.0, 9.0)  # seconds before each further attempt
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # a status that another attempt may not meet again
ANNOTATIONS = "/api/annotations"


class Channel(Protocol):
    """Where notices go, as the playbook declares it; URL, token, secret and headers are templates."""

    @property
    def kind(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str | None: ...
    @property
    def secret(self) -> str | None: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def timeout(self) -> float: ...


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A notice on its way: what it says, and of what.

    `text` has its values in it, and no secret. `at` is when it happened and `began` when an operation that lasted had
    begun, seconds since the epoch.
    """

    id: str
    notice: str
    occasion: str
    text: str
    service: str
    environment: str
    who: str
    at: float
    began: float | None = None
    operation: str | None = None
    came_from: str = ""
    to: str = ""
    outcome: str = ""
    incident: int | None = None
    severity: str | None = None


class WebhookBody(msgspec.Struct, kw_only=True, rename={"came_from": "from"}):
    """What a webhook is sent. `at` is RFC 3339, UTC; what the occasion does not give is null."""

    schema: str = "runbook-notice/1"
    id: str
    service: str
    environment: str
    occasion: str
    notice: str
    text: str
    at: str
    operation: str | None
    came_from: str | None
    to: str | None
    outcome: str | None
    who: str
    incident: int | None
    severity: str | None


class Annotation(msgspec.Struct, kw_only=True, omit_defaults=True, rename={"time_end": "timeEnd"}):
    """What Grafana is sent; times in milliseconds since the epoch."""

    time: int
    time_end: int | None = None
    tags: list[str]
    text: str


@dataclass(frozen=True)
class Delivery:
    """How an attempt ended. `said` is what the other side answered, or why it did not; `passing`: worth another try."""

    ok: bool
    said: str
    passing: bool = False
    attempts: int = 1


def request_of(channel: Channel, letter: Letter, variables: Variables, masker: Masker) -> Request:
    """The request that sends a letter. Every value in it that may be a secret is masked from now on.

    Raises VariableTrouble.
    """
    grafana = channel.kind == "grafana"
    _learn_values(channel.url, variables, masker)
    headers = {"Content-Type": "application/json", **channel.headers}
    request = filled(Request(url=channel.url, method="POST", headers=headers), None, variables, masker)
    if request is None:
        raise VariableTrouble("the channel's URL names no host", "write it like https://hooks.example.com/x")
    place = request.url.rstrip("/").removesuffix(ANNOTATIONS).rstrip("/") + ANNOTATIONS
    body = annotation_of(letter, channel.tags) if grafana else webhook_body(letter)
    token = None if channel.token is None else learned(masker, "token", variables.text(channel.token))
    secret = None if channel.secret is None else learned(masker, "secret", variables.text(channel.secret))
    return replace(
        request,
        url=place if grafana else request.url,
        text=body,
        authorization=None if token is None else bearer(token),
        headers={**request.headers, **({} if secret is None else signature(secret, body))},
    )


def _learn_values(template: str, variables: Variables, masker: Masker) -> None:
    """A webhook's URL is often its own password: what a variable puts into it is masked."""
    for reference in parse_template(template).references:
        if not reference.is_context:
            masker.learn(variables.text(template[reference.start : reference.start + reference.width]))


def webhook_body(letter: Letter) -> str:
    """The JSON that a webhook gets."""
    body = WebhookBody(
        id=letter.id,
        service=letter.service,
        environment=letter.environment,
        occasion=letter.occasion,
        notice=letter.notice,
        text=letter.text,
        at=rfc3339(letter.at),
        operation=letter.operation,
        came_from=letter.came_from or None,
        to=letter.to or None,
        outcome=letter.outcome or None,
        who=letter.who,
        incident=letter.incident,
        severity=letter.severity,
    )
    return msgspec.json.encode(body).decode()


def annotation_of(letter: Letter, tags: tuple[str, ...]) -> str:
    """The JSON of a Grafana annotation, tagged by service, environment, occasion and outcome."""
    began = letter.at if letter.began is None else letter.began
    named = ("runbook", letter.service, letter.environment, letter.occasion, letter.outcome, *tags)
    annotation = Annotation(
        time=round(began * 1000),
        time_end=round(letter.at * 1000) if letter.at > began else None,
        tags=list(dict.fromkeys(tag for tag in named if tag)),
        text=letter.text,
    )
    return msgspec.json.encode(annotation).decode()


def signature(secret: str, body: str, at: float | None = None) -> dict[str, str]:
    """The headers that sign a body; `at` is seconds since the epoch, now if nothing else is given."""
    import hmac

    moment = str(int(time.time() if at is None else at))
    signed = hmac.new(secret.encode(), f"{moment}.{body}".encode(), "sha256").hexdigest()
    return {"X-Runbook-Timestamp": moment, "X-Runbook-Signature": f"sha256={signed}"}


async def deliver(
    channel: Channel, letter: Letter, variables: Variables, masker: Masker, *, at_most: float | None = None
) -> Delivery:
    """One attempt, within the channel's time-out and `at_most` seconds. A 2xx is done; redirects are not followed."""
    from runbook.system.http import fetch

    try:
        request = request_of(channel, letter, variables, masker)
    except VariableTrouble as trouble:
        return Delivery(False, masker.mask(str(trouble)))
    timeout = channel.timeout if at_most is None else min(channel.timeout, at_most)
    answer = await fetch(request, timeout)
    if isinstance(answer, HttpTrouble):
        if answer.phase == "read":  # it has the letter, and would get it twice
            return Delivery(False, masker.mask(f"it may have arrived; its answer could not be read: {answer.message}"))
        passing = answer.timed_out or answer.phase not in ("refuse", "redirect")
        return Delivery(False, masker.mask(answer.message), passing)
    return Delivery(200 <= answer.status < 300, f"status {answer.status}", answer.status in PASSING)


async def deliver_patiently(
    channel: Channel,
    letter: Letter,
    variables: Variables,
    masker: Masker,
    *,
    seconds: float,
    pauses: Sequence[float] = PAUSES,
) -> Delivery:
    """One attempt and one more after each of `pauses`, all within so many `seconds`; not where another cannot help.

    Only for who has the time: no operation waits for it.
    """
    import asyncio

    until = time.monotonic() + seconds
    for number, pause in enumerate((*pauses, None), 1):
        ended = await deliver(channel, letter, variables, masker, at_most=until - time.monotonic())
        if ended.ok or not ended.passing or pause is None or time.monotonic() + pause >= until:
            return replace(ended, attempts=number)
        await asyncio.sleep(pause)
    raise AssertionError("the last attempt returns")
