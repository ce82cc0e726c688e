"""Channels: what is sent where, signed and marked as said, tried again where that may help, and no secret in sight."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from runbook.actions.channels import Delivery, Letter, deliver, deliver_patiently, request_of, signature
from runbook.playbook.model import Channel
from runbook.system.secret_sources import Secret
from runbook.system.secrets import Masker, VariableTrouble
from runbook.system.variables import Variables
from tests.servers import Scripted, answer, closed_port, scripted

LETTER = Letter(
    id="letter-1", notice="deploys", occasion="ramp", text='checkout is at canary@5\n"so far"', who="ana",
    service="checkout", environment="production", at=1_790_000_008.5, began=1_790_000_000.25, operation="op-1",
    came_from="off@0", to="canary@5", outcome="done",
)  # fmt: skip
TOKEN = "glsa-0123456789abcdef"


@dataclass
class Desk:
    """Values of `${...}`, and the masker that learns those that are secret."""

    variables: Variables
    masker: Masker

    def send(self, channel: Channel, letter: Letter = LETTER) -> Delivery:
        return asyncio.run(deliver(channel, letter, self.variables, self.masker))

    def send_patiently(
        self, channel: Channel, seconds: float = 20.0, pauses: tuple[float, ...] = (0.01, 0.02, 0.03)
    ) -> Delivery:
        sending = deliver_patiently(channel, LETTER, self.variables, self.masker, seconds=seconds, pauses=pauses)
        return asyncio.run(sending)


@pytest.fixture
def desk() -> Desk:
    masker = Masker()
    process = {"HOOK_TOKEN": TOKEN, "SIGNING": "hush-hush-hush", "HOST": "127.0.0.1", "BAD": "a\r\nX-Evil: 1"}
    secrets = {"GRAFANA": Secret(env="HOOK_TOKEN")}
    return Desk(Variables(process=process, secrets=secrets, masker=masker, context={"environment": "live"}), masker)


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted(
        {"/hook": answer("{}"), "/api/annotations": answer('{"message": "Annotation added", "id": 1}')}
    ) as it:
        yield it


def webhook(server: Scripted, path: str = "/hook", **options: Any) -> Channel:
    return Channel(kind="webhook", url=f"{server.url}{path}", **options)


def heads_of(request: str) -> dict[str, str]:
    lines = request.partition("\r\n\r\n")[0].split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def body_of(request: str) -> Any:
    return json.loads(request.partition("\r\n\r\n")[2].encode("latin-1"))


def test_a_webhook_gets_the_notice_as_json(desk: Desk, server: Scripted) -> None:
    assert desk.send(webhook(server, headers={"X-Team": "${environment}"})) == Delivery(True, "status 200")
    [asked] = server.asked
    assert asked.startswith("POST /hook HTTP/1.1")
    assert heads_of(asked)["content-type"] == "application/json"
    assert heads_of(asked)["x-team"] == "live"
    assert "authorization" not in heads_of(asked)
    assert body_of(asked) == {
        "schema": "runbook-notice/1", "id": "letter-1", "service": "checkout", "environment": "production",
        "occasion": "ramp", "notice": "deploys", "text": 'checkout is at canary@5\n"so far"',
        "at": "2026-09-21T14:13:28.500Z", "operation": "op-1", "from": "off@0", "to": "canary@5", "outcome": "done",
        "who": "ana", "incident": None, "severity": None,
    }  # fmt: skip


def test_a_body_is_signed_so_that_the_receiver_can_check_it(desk: Desk, server: Scripted) -> None:
    desk.send(webhook(server, secret="${SIGNING}"))
    [asked] = server.asked
    heads, body = heads_of(asked), asked.partition("\r\n\r\n")[2].encode("latin-1")
    signed = heads["x-runbook-timestamp"].encode() + b"." + body
    expected = hmac.digest(b"hush-hush-hush", signed, hashlib.sha256).hex()
    assert heads["x-runbook-signature"] == f"sha256={expected}"
    assert "hush-hush-hush" not in asked


def test_the_signature_is_of_the_moment_and_of_every_byte() -> None:
    first = signature("key", "body", at=100)
    assert first["X-Runbook-Timestamp"] == "100"
    others = [("key", "body", 101.0), ("key", "bodY", 100.0), ("kez", "body", 100.0)]
    signed = {signature(key, body, at=at)["X-Runbook-Signature"] for key, body, at in others}
    assert len(signed | {first["X-Runbook-Signature"]}) == 4


def test_grafana_gets_an_annotation_from_beginning_to_end(desk: Desk, server: Scripted) -> None:
    channel = Channel(kind="grafana", url=f"{server.url}/", token="${GRAFANA}", tags=("deploy", "checkout"))
    assert desk.send(channel).ok
    [asked] = server.asked
    assert asked.startswith("POST /api/annotations HTTP/1.1")
    assert heads_of(asked)["authorization"] == f"Bearer {TOKEN}"
    assert body_of(asked) == {
        "time": 1_790_000_000_250,
        "timeEnd": 1_790_000_008_500,
        "tags": ["runbook", "checkout", "production", "ramp", "done", "deploy"],
        "text": 'checkout is at canary@5\n"so far"',
    }


@pytest.mark.parametrize("url", ["/", "/api/annotations", "/api/annotations/", ""])
def test_grafana_is_named_by_its_root_or_by_the_whole_address(desk: Desk, server: Scripted, url: str) -> None:
    letter = Letter(**{name: getattr(LETTER, name) for name in LETTER.__struct_fields__ if name != "began"})
    assert desk.send(Channel(kind="grafana", url=server.url + url), letter).ok
    assert "timeEnd" not in body_of(server.asked[0])
    assert body_of(server.asked[0])["time"] == 1_790_000_008_500


def test_the_text_is_sent_as_it_is_and_never_filled_again(desk: Desk, server: Scripted) -> None:
    letter = replace_text("{{7*7}} ${HOOK_TOKEN} %s {0.__class__} [x](http://e) \u202e")
    desk.send(webhook(server), letter)
    assert body_of(server.asked[0])["text"] == letter.text


def replace_text(text: str) -> Letter:
    fields = {name: getattr(LETTER, name) for name in LETTER.__struct_fields__}
    return Letter(**{**fields, "text": text})


def test_what_a_channel_is_given_is_masked_from_then_on(desk: Desk, server: Scripted) -> None:
    channel = webhook(
        server, "/${HOOK_TOKEN}", token="literal-token", secret="${SIGNING}", headers={"X-Api": "abcdefg1"}
    )
    ended = desk.send(channel)
    assert ended == Delivery(False, "status 404")
    said = f"{TOKEN} literal-token hush-hush-hush abcdefg1"
    assert desk.masker.mask(said) == "*** *** *** ***"


def test_a_value_that_is_not_set_is_named_and_nothing_is_sent(desk: Desk, server: Scripted) -> None:
    ended = desk.send(webhook(server, token="${NOBODY_SET_IT}"))
    assert not ended.ok and not ended.passing
    assert "NOBODY_SET_IT" in ended.said
    assert server.asked == []


@pytest.mark.parametrize("options", [{"token": "${BAD}"}, {"headers": {"X-A": "${BAD}"}}])
def test_a_line_end_in_a_value_makes_no_header(desk: Desk, server: Scripted, options: dict[str, Any]) -> None:
    ended = desk.send(webhook(server, **options))
    assert not ended.ok
    assert server.asked == []


def test_a_host_from_outside_the_playbook_may_not_be_this_machine(desk: Desk, server: Scripted) -> None:
    ended = desk.send(Channel(kind="webhook", url=f"http://${{HOST}}:{server.port}/hook"))
    assert not ended.ok and not ended.passing
    assert server.asked == []


def test_a_relative_url_is_no_channel(desk: Desk) -> None:
    with pytest.raises(VariableTrouble, match="names no host"):
        request_of(Channel(kind="webhook", url="/hook"), LETTER, desk.variables, desk.masker)


def test_a_redirect_is_not_followed_so_that_no_token_travels(desk: Desk, server: Scripted) -> None:
    with scripted({"/hook": answer("{}")}) as elsewhere:
        moved = answer("", status="307 Temporary Redirect", headers=f"Location: {elsewhere.url}/hook\r\n")
        server.scripts["/moved"] = moved
        assert desk.send(webhook(server, "/moved", token=TOKEN)) == Delivery(False, "status 307")
        assert elsewhere.asked == []


def failing(times: int, status: str) -> Any:
    """A script that fails so many times."""
    left = [times]

    def script(connection: socket.socket, request: str) -> None:
        left[0] -= 1
        answer("{}", status=status if left[0] >= 0 else "200 OK")(connection, request)

    return script


@pytest.mark.parametrize(
    ("times", "status", "ended"),
    [
        (0, "200 OK", Delivery(True, "status 200", attempts=1)),
        (2, "503 Busy", Delivery(True, "status 200", attempts=3)),
        (3, "429 Slow down", Delivery(True, "status 200", attempts=4)),
        (9, "500 No", Delivery(False, "status 500", passing=True, attempts=4)),
        (9, "403 Forbidden", Delivery(False, "status 403", attempts=1)),
        (9, "404 Not Found", Delivery(False, "status 404", attempts=1)),
    ],
)
def test_what_may_pass_is_tried_again_three_times(
    desk: Desk, server: Scripted, times: int, status: str, ended: Delivery
) -> None:
    server.scripts["/hook"] = failing(times, status)
    assert desk.send_patiently(webhook(server)) == ended
    assert len(server.asked) == ended.attempts
    assert len({body_of(asked)["id"] for asked in server.asked}) == 1


def test_a_refused_connection_is_tried_again(desk: Desk) -> None:
    with closed_port() as port:
        ended = desk.send_patiently(Channel(kind="webhook", url=f"http://127.0.0.1:{port}/hook"))
    assert (ended.ok, ended.attempts) == (False, 4)
    assert "refused" in ended.said


def hanging(connection: socket.socket, request: str) -> None:
    """Wait until the other side gives up."""
    connection.recv(1)


def test_one_that_never_answers_ends_with_its_time(desk: Desk, server: Scripted) -> None:
    server.scripts["/hook"] = hanging
    ended = desk.send(webhook(server, timeout=0.2))
    assert not ended.ok and ended.passing
    assert "0.2 s" in ended.said


def test_the_pauses_never_outlast_the_time_given(desk: Desk, server: Scripted) -> None:
    server.scripts["/hook"] = failing(99, "503 Busy")
    ended = desk.send_patiently(webhook(server), seconds=0.5, pauses=(1.0,))  # the first pause alone is longer
    assert ended == replace(Delivery(False, "status 503", passing=True), attempts=1)


def test_what_was_answered_is_not_sent_again_though_the_answer_cannot_be_read(desk: Desk, server: Scripted) -> None:
    server.scripts["/hook"] = answer("x" * 6_000_000)
    ended = desk.send_patiently(webhook(server))
    assert (ended.ok, ended.attempts, len(server.asked)) == (False, 1, 1)
    assert ended.said.startswith("it may have arrived; its answer could not be read: ")
