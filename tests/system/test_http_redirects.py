"""Redirects: followed within the same scheme, host and port alone; nothing that a request carries goes elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from runbook.system.http import HttpTrouble, Request, Response, fetch_now
from tests.servers import Scripted, answer, raw, scripted

SECRETS = {"X-Api-Key": "k3y-canary", "Cookie": "session=c00kie-canary"}
STATUSES = ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent")


@pytest.fixture
def other() -> Iterator[Scripted]:
    with scripted({"/steal": answer("stolen")}) as server:
        yield server


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted({"/end": answer("here")}) as running:
        yield running


def ask(server: Scripted, location: str, status: str = "302 Found", **more: object) -> Response | HttpTrouble:
    server.scripts["/from"] = answer("", status=status, headers=f"Location: {location}\r\n")
    asked: dict[str, object] = {"headers": SECRETS, "authorization": "Bearer t0k-canary", "max_redirects": 3, **more}
    return fetch_now(Request(f"{server.url}/from", **asked), 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", STATUSES)
def test_within_the_same_place(status: str, server: Scripted) -> None:
    for location in ("/end", "end", "./end", "/end#x", f"{server.url}/end", f"{server.url}/a/../end"):
        server.scripts["/from"] = answer("", status=status, headers=f"Location: {location}\r\n")
        found = ask(server, location, status)
        assert isinstance(found, Response), found
        assert found.text == "here"
        assert found.url.removesuffix("#x") == f"{server.url}/end"
    assert all("t0k-canary" in request for request in server.asked)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{other}/steal",
        "http://localhost:{other}/steal",
        "http://localhost:{port}/end",
        "http://127.1:{port}/end",
        "http://2130706433:{port}/end",
        "http://[::ffff:127.0.0.1]:{port}/end",
        "//127.0.0.1:{other}/steal",
        "//localhost:{port}/end",
        "https://127.0.0.1:{port}/end",
        "http://127.0.0.1/end",
        "http://u:p@127.0.0.1:{port}/end",
        "http://127.0.0.1:{port}@127.0.0.1:{other}/steal",
        "http://127.0.0.1:{other}#@127.0.0.1:{port}/end",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/",
        "http://metadata.google.internal/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1:{other}/_x",
        "data:text/plain,here",
        "javascript:alert(1)",
        "HTTP://127.0.0.1:{other}/steal",
        "\thttp://127.0.0.1:{other}/steal",
        "http:\\\\127.0.0.1:{other}\\steal",
        "http://127.0.0.1:{port}.evil.example/",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:{other}/steal\x01",
    ],
)
def test_nowhere_else(location: str, status: str, server: Scripted, other: Scripted) -> None:
    found = ask(server, location.format(port=server.port, other=other.port), status)
    assert isinstance(found, HttpTrouble), found
    assert found.phase in ("redirect", "refuse", "wait"), found
    assert "canary" not in found.message
    assert len(server.asked) == 1
    assert other.asked == []


@pytest.mark.parametrize(("status", "method", "body"), [
    ("301 Moved", "GET", ""), ("302 Found", "GET", ""), ("303 See Other", "GET", ""),
    ("307 Temporary", "POST", '{"a":1}'), ("308 Permanent", "POST", '{"a":1}'),
])  # fmt: skip
def test_what_is_asked_after_a_redirect(status: str, method: str, body: str, server: Scripted) -> None:
    assert isinstance(ask(server, "/end", status, method="POST", json={"a": 1}), Response)
    assert server.asked[1].startswith(f"{method} /end ")
    assert server.asked[1].partition("\r\n\r\n")[2] == body


def test_a_ring_ends(server: Scripted) -> None:
    for most in (1, 2, 7):
        server.asked.clear()
        found = ask(server, "/from", max_redirects=most)
        assert isinstance(found, HttpTrouble)
        assert (found.phase, found.message) == ("redirect", f"more than {most} redirects")
        assert len(server.asked) == most + 1


def test_a_redirect_without_a_place_is_an_answer(server: Scripted) -> None:
    server.scripts["/from"] = raw(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")
    found = fetch_now(Request(f"{server.url}/from", max_redirects=3), 5)
    assert isinstance(found, Response)
    assert found.status == 302


def test_none_is_followed_where_nobody_asked_for_it(server: Scripted) -> None:
    found = ask(server, "/end", max_redirects=0)
    assert isinstance(found, Response)
    assert (found.status, found.header("location")) == (302, "/end")


def test_the_whole_is_one_deadline(server: Scripted) -> None:
    def late(connection: object, request: str) -> None:
        time.sleep(0.2)
        answer("", status="302 Found", headers="Location: /late\r\n")(connection, request)  # type: ignore[arg-type]

    server.scripts["/late"] = late
    began = time.monotonic()
    found = fetch_now(Request(f"{server.url}/late", max_redirects=20), 0.7)
    assert time.monotonic() - began < 1.5
    assert isinstance(found, HttpTrouble)
    assert found.timed_out
