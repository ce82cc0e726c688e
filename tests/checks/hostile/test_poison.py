"""Texts that a terminal would obey, in every place of an answer that some kind shows."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.judge.verdicts import Status
from tests.checks.hostile.kinds import POISON, ROWS, Row, looked_at, told
from tests.checks.hostile.peers import in_turn, peer
from tests.checks.hostile.poisons import POISONS
from tests.checks.hostile.test_answers import CONTROL, texts_of
from tests.checks.looking import looked_all

TOGETHER = 10  # short ones share an answer; what a row shows is longer than that


def batches() -> Iterator[str]:
    """All of them, in texts that fit into what a row shows; a large one stands alone."""
    short = [one for one in POISONS if len(one) < 60]
    for start in range(0, len(short), TOGETHER):
        yield " ".join(short[start : start + TOGETHER])
    yield from (one for one in POISONS if len(one) >= 60)


def filled(body: str, poison: str) -> bytes:
    """The body with the poison in its places: escaped as JSON has it where it is JSON, else as it is."""
    is_json = body[:1] in '[{"'
    inside = json.dumps(poison)[1:-1] if is_json else poison
    return body.replace(POISON, inside).encode("utf-8", "surrogatepass")


def test_there_are_as_many_as_said() -> None:
    assert len(POISONS) >= 250


@pytest.mark.parametrize("row", [row for row in ROWS if row.poisoned], ids=lambda row: row.name)
def test_in_what_is_answered(row: Row, tmp_path: Path) -> None:
    bodies = [filled(body, poison) for body in row.poisoned for poison in batches()]
    shown = 0
    for start in range(0, len(bodies), 20):
        part = bodies[start : start + 20]
        for status in ("200 OK", "400 Bad Request"):
            with peer(in_turn([told(body, status) for body in part]), tmp_path) as poisoned:
                results = [result for _ in part for result in looked_at([row], poisoned, tmp_path, seconds=5)]
            for result in results:
                assert result.status is not Status.PASS, result
                assert CONTROL.search(texts_of(result)) is None, texts_of(result)
                assert all(len(text) <= 300 for text in (result.observed, result.message, *result.listed))
                shown += "\\x1b" in texts_of(result)
    assert shown or row.quiet, "this row shows nothing of what was answered: the bodies do not poison what it shows"


def heads(place: str, poison: bytes) -> bytes:
    """The head of an answer with the poison in it."""
    return {
        "header": b"HTTP/1.1 200 OK\r\nX-Share: " + poison + b"\r\n",
        "name": b"HTTP/1.1 200 OK\r\nX-" + poison + b": 1\r\n",
        "reason": b"HTTP/1.1 500 " + poison + b"\r\n",
        "encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: " + poison + b"\r\n",
    }[place]


@pytest.mark.parametrize("place", ["header", "name", "reason", "encoding"])
def test_in_the_head_of_an_answer(place: str) -> None:
    """What no header may hold ends the answer; what it may hold is shown harmless."""

    def poisoned(connection: socket.socket, request: str) -> None:
        number = int(request.split(" ")[1].removeprefix("/"))
        data = POISONS[number].encode("utf-8", "surrogatepass")
        connection.sendall(heads(place, data) + b"Content-Length: 2\r\nConnection: close\r\n\r\nno")

    with peer(poisoned) as server:
        checks = [
            {"http": f"{server.url}/{number}", **taken}
            for number in range(len(POISONS))
            for taken in ({"header": "x-share", "expect": "> 5"}, {"jq": ".value", "expect": "> 5"})
        ]
        results = looked_all(checks, seconds=20)
    for result in results:
        assert result.status is not Status.PASS, result
        assert CONTROL.search(texts_of(result)) is None, texts_of(result)
