"""Kinds that speak something else than HTTP, against whatever may stand behind their port."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Status
from tests.checks.hostile.peers import in_turn, peer
from tests.checks.hostile.test_answers import CONTROL, LATE, SHORT, hold_to_the_rules, texts_of
from tests.checks.hostile.test_poison import batches
from tests.checks.looking import looked_all
from tests.hostile import reset
from tests.servers import Script, closed_port, raw

PLACE = "127.0.0.1:PORT"
# What is asked, and how it ends where nobody of use answers.
CHECKS: dict[str, tuple[dict[str, Any], Status]] = {
    "redis is there": ({"redis": f"redis://{PLACE}"}, Status.FAIL),
    "redis value": ({"redis": f"redis://:word@{PLACE}/2", "command": ["GET", "k"], "expect": "> 5"}, Status.UNKNOWN),
    "redis over TLS": ({"redis": f"rediss://{PLACE}"}, Status.FAIL),
    "tcp greets": ({"tcp": PLACE, "matches": "^READY [0-9]"}, Status.FAIL),
    "tls": ({"tls": PLACE}, Status.FAIL),
    "PostgreSQL": ({"sql": f"postgresql://u:word@{PLACE}/d", "query": "select 1", "expect": "== 1"}, Status.UNKNOWN),
    "MariaDB": ({"sql": f"mysql+pymysql://u:word@{PLACE}/d", "query": "select 1", "expect": "== 1"}, Status.UNKNOWN),
    "http": ({"http": f"http://{PLACE}/", "jq": ".value", "expect": "> 0"}, Status.UNKNOWN),
    "https": ({"http": f"https://{PLACE}/", "status": 200}, Status.FAIL),
}


def silent(connection: socket.socket, request: str) -> None:
    """Takes everything and says nothing."""
    while connection.recv(65536):
        pass


def pours(data: bytes) -> Script:
    def pour(connection: socket.socket, request: str) -> None:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            connection.sendall(data)

    return pour


def drips(data: bytes) -> Script:
    def drip(connection: socket.socket, request: str) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return drip


def then(data: bytes, script: Script) -> Script:
    """These bytes, and then something."""

    def both(connection: socket.socket, request: str) -> None:
        connection.sendall(data)
        script(connection, request)

    return both


def behind(data: bytes) -> Script:
    """Waits until it was asked, says this, and takes the rest."""

    def answer(connection: socket.socket, request: str) -> None:
        connection.recv(65536)
        connection.sendall(data)
        silent(connection, request)

    return answer


def message(kind: bytes, body: bytes) -> bytes:
    """A message of PostgreSQL's protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


def complaint(text: bytes) -> bytes:
    """An ErrorResponse of PostgreSQL with this text in its fields."""
    return message(b"E", b"SFATAL\0VFATAL\0C28P01\0M" + text + b"\0D" + text + b"\0H" + text + b"\0\0")


WELCOME = message(b"R", struct.pack("!I", 0)) + message(b"Z", b"I")
SCRIPTS: dict[str, Script] = {
    "silence": silent,
    "closed at once": lambda connection, request: None,
    "reset": reset,
    "every byte": raw(bytes(range(256)) * 100),
    "noughts": raw(bytes(1 << 20)),
    "a flood of noughts": pours(bytes(65536)),
    "a line without an end": pours(b"x" * 65536),
    "a flood of lines": pours(b"+OK\r\n" * 10_000),
    "a drip": drips(b"+PON" + b"G" * 200),
    "a mail server": raw(b"220 mail.example ESMTP\r\n"),
    "SSH": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "HTTP": behind(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    "not UTF-8": raw(b"\xff\xfe\xfd\r\n"),
    "a TLS alert": behind(b"\x15\x03\x01\x00\x02\x02\x28"),
    "a TLS record of rubbish": behind(b"\x16\x03\x03\x40\x00" + b"\x02" * 0x4000),
    "a flood of TLS records": pours(b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"),
    "half a server hello": behind(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + b"r" * 20),
    "reply without an end": raw(b"+PONG"),
    "reply of a negative length": raw(b"$-5\r\n"),
    "reply of a huge length": then(b"$99999999999\r\n", pours(b"x" * 65536)),
    "reply of a large length": then(b"$536870912\r\n", pours(b"x" * 65536)),
    "reply of no length": raw(b"$abc\r\n"),
    "reply that is cut off": raw(b"$5\r\nab"),
    "a list without an end": pours(b"*1\r\n" * 10_000),
    "a list of a billion": then(b"*1000000000\r\n", pours(b":1\r\n" * 10_000)),
    "a list of -2": raw(b"*-2\r\n"),
    "a number of 5000 digits": raw(b":" + b"9" * 5000 + b"\r\n"),
    "an error without an end": then(b"-ERR ", pours(b"e" * 65536)),
    "loading": raw(b"-LOADING Redis is loading the dataset in memory\r\n" * 3),
    "who are you": raw(b"-NOAUTH Authentication required.\r\n" * 3),
    "another way to log in": behind(message(b"R", struct.pack("!I", 99))),
    "a message of two gigabytes": then(b"R\x7f\xff\xff\xff", pours(bytes(65536))),
    "a message of no length": raw(b"R\x00\x00\x00\x00"),
    "notices without an end": pours(message(b"N", b"SNOTICE\0Mx\0\0") * 1000),
    "parameters without an end": pours(message(b"S", b"a\0b\0") * 1000),
    "a welcome and nothing else": behind(WELCOME),
    "a welcome and rubbish": then(WELCOME, pours(b"D\x00\x00\x00\x04" * 1000)),
    "no such user": behind(complaint(b"password authentication failed for user")),
    "TLS, and then none": behind(b"S" + b"no"),
    "a greeting of MariaDB cut off": raw(b"\x4a\x00\x00\x00\x0a5.5.5-10.11"),
    "a packet of 16 MiB": then(b"\xff\xff\xff\x00\x0a", pours(b"x" * 65536)),
    "MariaDB says no": raw(b"\x17\x00\x00\x00\xff\x10\x04Too many connections"),
}


def ended(script: Script, names: list[str], *, seconds: float = SHORT) -> list[CheckResult]:
    """How these checks end against a peer that sends without being asked."""
    with peer(script, reads=False) as other:
        checks = [{key: _at(value, other.port) for key, value in CHECKS[name][0].items()} for name in names]
        return looked_all(checks, seconds=seconds)


def _at(value: Any, port: int) -> Any:
    return value.replace("PORT", str(port)) if isinstance(value, str) else value


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The libraries of databases are loaded before anything is timed: that takes its time once a process."""
    ended(raw(b""), list(CHECKS), seconds=20)


@pytest.mark.parametrize("name", SCRIPTS)
def test_whatever_stands_behind_the_port(name: str) -> None:
    began = time.monotonic()
    rows = ended(SCRIPTS[name], list(CHECKS))
    assert time.monotonic() - began < SHORT + 2 * LATE
    hold_to_the_rules(rows, SHORT)
    assert all("word" not in row.message.split() and ":word@" not in texts_of(row) for row in rows)
    for row, (_, gone) in zip(rows, CHECKS.values(), strict=True):
        assert row.status in (gone, Status.UNKNOWN), row


@pytest.mark.parametrize("name", CHECKS)
def test_nobody_there(name: str) -> None:
    check, gone = CHECKS[name]
    with closed_port() as port:
        [row] = looked_all([{key: _at(value, port) for key, value in check.items()}], seconds=2)
    assert row.status is gone, row
    assert row.duration < 1


def after_no_tls(data: bytes) -> Script:
    """As PostgreSQL without TLS: says so when it is asked for it, and then this."""

    def answer(connection: socket.socket, request: str) -> None:
        connection.recv(65536)
        connection.sendall(b"N")
        behind(data)(connection, request)

    return answer


def refusal(text: bytes) -> bytes:
    """An error of MariaDB in the place of its greeting."""
    body = b"\xff\x10\x04" + text
    return struct.pack("<I", len(body))[:3] + b"\x00" + body


# Which check is told what, and how.
TOLD: dict[str, tuple[str, Callable[[bytes], Script]]] = {
    "an error of Redis": ("redis is there", lambda poison: behind(b"-ERR " + poison + b"\r\n")),
    "a reply of Redis": ("redis is there", lambda poison: behind(b"+" + poison + b"\r\n")),
    "a value of Redis": ("redis value", lambda poison: raw(b"+OK\r\n+OK\r\n$%d\r\n%s\r\n" % (len(poison), poison))),
    "a banner": ("tcp greets", lambda poison: raw(poison + b"\r\n")),
    "an error of PostgreSQL": ("PostgreSQL", lambda poison: after_no_tls(complaint(poison))),
    "an error of MariaDB": ("MariaDB", lambda poison: raw(refusal(poison))),
}


@pytest.mark.parametrize("what", TOLD)
def test_what_the_other_side_says_reaches_no_terminal_raw(what: str) -> None:
    name, say = TOLD[what]
    scripts = [say(poison.encode("utf-8", "surrogatepass")) for poison in batches()]
    shown = 0
    with peer(in_turn(scripts), reads=False) as other:
        check = {key: _at(value, other.port) for key, value in CHECKS[name][0].items()}
        for _ in scripts:
            [row] = looked_all([check], seconds=SHORT)
            assert row.status is not Status.PASS, row
            assert "fault of the tool" not in row.message, row
            assert CONTROL.search(texts_of(row)) is None, texts_of(row)
            shown += "\\x" in texts_of(row)
    assert shown, "nothing of what was said is shown: it was not said in the right place"


def test_a_certificate_whose_names_would_move_a_cursor(tmp_path: Path) -> None:
    from tests.checks.hostile.certificates import offering

    with offering("a\x1b[2J\x1b]0;x\x07\u202eb\nVERDICT go", tmp_path) as port:
        rows = looked_all([{"tls": f"127.0.0.1:{port}"}, {"http": f"https://127.0.0.1:{port}/", "status": 200}])
        rows += looked_all([{"redis": f"rediss://127.0.0.1:{port}"}])
    for row in rows:
        assert row.status is Status.FAIL, row
        assert CONTROL.search(texts_of(row)) is None, texts_of(row)
