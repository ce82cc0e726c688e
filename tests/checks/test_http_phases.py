"""The parts of a request: how long each took, and in which it ended."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from runbook.checks.asker import Asker
from runbook.judge.verdicts import Status
from runbook.system.http_messages import PHASES
from tests.checks.looking import looked, looked_all, surroundings
from tests.hostile import drip, hang, hang_in_the_body, reset
from tests.servers import Script, answer, closed_port, raw, scripted

HELD = 0.15  # seconds that a server of these tests lets one part take


def late_head(connection: socket.socket, request: str) -> None:
    time.sleep(HELD)
    answer("ok")(connection, request)


def late_body(connection: socket.socket, request: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    time.sleep(HELD)
    connection.sendall(b"ok")


@pytest.mark.parametrize(("script", "slow"), [(late_head, "wait"), (late_body, "read")])
def test_the_time_is_counted_where_it_is_spent(script: Script, slow: str) -> None:
    with scripted({"/": script}) as server:
        found = looked({"http": "/", "within": "50ms"}, url=server.url)
        assert looked({"http": "/", "expect": f"{slow} >= 100ms"}, url=server.url).status is Status.PASS
        assert looked({"http": "/", "expect": f"{slow} < 100ms"}, url=server.url).status is Status.FAIL
    assert found.status is Status.FAIL
    assert f"most of it {slow}, " in found.message
    assert found.phases[slow] >= HELD * 0.9
    assert sum(seconds for name, seconds in found.phases.items() if name != slow) < HELD
    assert [name for name in PHASES if name in found.phases] == list(found.phases)


def test_a_connection_that_is_kept_open_costs_no_second_connect() -> None:
    def twice(connection: socket.socket, request: str) -> None:
        whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        connection.sendall(whole)
        while connection.recv(65536):
            connection.sendall(whole)

    with scripted({"/a": twice, "/b": twice}) as server:
        around = surroundings(url=server.url)
        around.asker = Asker(1)
        rows = looked_all([{"http": "/a"}, {"http": "/b", "expect": "connect == 0s"}], around)
    assert [row.status for row in rows] == [Status.PASS, Status.PASS]
    assert sorted("connect" in row.phases for row in rows) == [False, True]


@pytest.mark.parametrize(
    ("script", "phase", "message"),
    [
        (raw(b""), "wait", "wait: server disconnected without sending a response"),
        (reset, "wait", "wait: connection reset by peer"),
        (hang, "wait", "wait: no answer within 0.5 s"),
        (hang_in_the_body, "read", "read: no end of the answer within 0.5 s"),
        (drip, "wait", "wait: no answer within 0.5 s"),
        (raw(b"\x00\x01\x02\r\n\r\n"), "wait", "wait: illegal status line"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), "read", "read: peer closed connection without"),
        (answer("x", headers="Content-Encoding: br\r\n"), "read", "read: the body is packed as br"),
        (answer("x", headers="Content-Encoding: gzip, gzip\r\n"), "read", "read: the body is packed as gzip, gzip"),
    ],
)
def test_where_it_ended(script: Script, phase: str, message: str) -> None:
    with scripted({"/": script}) as server:
        found = looked({"http": "/", "timeout": 0.5}, url=server.url)
    assert (found.status, found.phase) == (Status.FAIL, phase), found
    assert found.message.startswith(message)
    assert phase in found.phases


def test_before_anything_was_sent() -> None:
    with closed_port() as port:
        found = looked({"http": f"http://127.0.0.1:{port}/"})
    assert (found.phase, found.message) == ("connect", f"connect: 127.0.0.1:{port}: connection refused")
    assert set(found.phases) == {"resolve", "connect"}
    gone = looked({"http": "http://no-such-host.invalid/"})
    assert (gone.phase, list(gone.phases)) == ("resolve", ["resolve"])
    assert gone.message.startswith("resolve: no-such-host.invalid:80: ")
    refused = looked({"http": "file:///etc/passwd"}, url="http://127.0.0.1:1")
    assert (refused.status, refused.phase) == (Status.UNKNOWN, "")


@pytest.mark.parametrize("plain", [{"ollama": "{url}"}, {"http": "{url}/x"}, {"http": "{url}/x", "jq": "."}])
def test_every_kind_that_asks_tells_the_phase(plain: dict[str, Any]) -> None:
    with closed_port() as port:
        written = {name: value.format(url=f"http://127.0.0.1:{port}") for name, value in plain.items()}
        assert looked(written).phase == "connect"


def test_an_answer_that_is_not_meant_has_its_phases_too() -> None:
    with scripted({}) as server:
        found = looked({"http": "/"}, url=server.url)
    assert (found.status, found.observed, found.phase) == (Status.FAIL, "404", "")
    assert set(found.phases) == {"resolve", "connect", "wait", "read"}


def test_a_value_of_the_same_name_goes_before() -> None:
    with scripted({"/": answer('{"wait": 7}')}) as server:
        for expect, status in (("wait == 7", Status.PASS), ("wait < 800%", Status.PASS), ("tls < 1s", Status.UNKNOWN)):
            found = looked({"http": "/", "jq": "{wait: .wait}", "expect": expect}, url=server.url)
            assert found.status is status, found
