"""Answers that mean harm, or are merely broken: told in time, in little memory, never taken for an answer."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.system.http import HttpTrouble, Request, Response, bearer, fetch_now
from runbook.system.http_requests import filled
from runbook.system.variables import Variables
from tests.hostile import BROKEN
from tests.servers import Script, Scripted, answer, raw, scripted

WITH_STATUS = {
    "401",
    "403",
    "404",
    "429",
    "500",
    "503",
    "304",
    "redirect elsewhere",
    "redirect to a file",
    "redirect to itself",
}


@pytest.mark.parametrize("name", BROKEN)
def test_told_within_the_deadline(name: str) -> None:
    with scripted({"/": BROKEN[name]}) as server:
        began = time.monotonic()
        answered = fetch_now(Request(f"{server.url}/"), 0.8)
        assert time.monotonic() - began < 1.5
    if name in WITH_STATUS:
        assert isinstance(answered, Response)
        assert answered.status // 100 != 2
    else:
        assert isinstance(answered, HttpTrouble)
        assert answered.message
        assert answered.phase in ("connect", "send", "wait", "read")
        assert answered.timed_out == (name in ("slow drip", "hang", "hang in the body", "endless interim answers"))


def small_chunks(connection: socket.socket, request: str) -> None:
    """A body without end, a byte at a time as far as the wire goes, but many of them at once."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"1\r\nx\r\n" * 5000)


def endless_extension(connection: socket.socket, request: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"x" * 65536)


def endless_trailer(connection: socket.socket, request: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")


def slow_packed(connection: socket.socket, request: str) -> None:
    """A bomb that unpacks more with every byte."""
    packed = gzip.compress(bytes(40 << 20), 9)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed))
    with contextlib.suppress(OSError):
        for byte in packed[:2000]:
            connection.sendall(bytes([byte]))


def packed(encoding: str, data: bytes) -> Script:
    return answer(data, headers=f"Content-Encoding: {encoding}\r\n")


@pytest.mark.parametrize(
    ("script", "phase"),
    [
        (small_chunks, "read"),
        (endless_extension, "read"),
        (endless_trailer, "read"),
        (slow_packed, "read"),
        (packed("gzip, gzip", gzip.compress(gzip.compress(b"x"))), "read"),
        (packed("gzip", gzip.compress(b"x" * 10)[:-9]), "read"),
        (packed("br", b"x"), "read"),
        (packed("GZIP, br", gzip.compress(b"x")), "read"),
        (answer(gzip.compress(b"x"), headers="Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"), "read"),
        (packed("gzip", b"".join(gzip.compress(b"x") for _ in range(100))), "read"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 40_000 + b"\r\n"), "wait"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"A" * 200_000 + b": b\r\n\r\n"), "wait"),
        (raw(b"HTTP/1.1 200 OK\r\nA: b\r\n" + b" folded\r\n" * 40_000 + b"\r\n"), "wait"),
        (raw(b"HTTP/1.1 200 " + b"K" * 300_000), "wait"),
        (raw(b"HTTP/9.9 200 OK\r\n\r\n"), "wait"),
        (raw(b"HTTP/1.1 999999 OK\r\n\r\n"), "wait"),
        (raw(b"HTTP/1.1 200 OK\r\nA: b\x00c\r\n\r\n"), "wait"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), "wait"),
        (raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "wait"),
    ],
)
def test_more_that_is_told_in_time(script: Script, phase: str) -> None:
    with scripted({"/": script}) as server:
        began = time.monotonic()
        answered = fetch_now(Request(f"{server.url}/"), 0.8)
        assert time.monotonic() - began < 1.6
    assert isinstance(answered, HttpTrouble), answered
    assert answered.phase == phase, answered
    assert answered.message
    assert set(answered.phases) <= {"resolve", "connect", "wait", "read"}


@pytest.fixture(scope="module")
def sink() -> Iterator[Scripted]:
    """One server for all examples."""
    with scripted({"/a": answer("ok")}) as server:
        yield server


ANY_TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\r\n\0:; \t%/?#&"), max_size=30)


@given(header=ANY_TEXT, token=ANY_TEXT, parameter=ANY_TEXT)
@settings(max_examples=120)
def test_no_value_becomes_a_header_or_a_second_request(sink: Scripted, header: str, token: str, parameter: str) -> None:
    """What a variable holds is sent as a value, or nothing is sent."""
    process = {"HEADER": header, "TOKEN": token, "PARAMETER": parameter}
    variables = Variables(process=process)
    written = Request(f"{sink.url}/a?b=${{PARAMETER:-x}}", headers={"X-Value": "${HEADER:-x}"})
    request = filled(written, None, variables, variables.masker)
    assert request is not None
    sink.asked.clear()
    answered = fetch_now(replace(request, authorization=bearer(variables.text("${TOKEN:-x}"))), 5)
    if isinstance(answered, HttpTrouble):
        assert sink.asked == []
        assert answered.phase == "refuse"
        return
    (asked,) = sink.asked
    head, _, body = asked.partition("\r\n\r\n")
    line, *lines = head.split("\r\n")
    assert body == ""
    assert re.fullmatch(r"GET /a\?b=[A-Za-z0-9._~%-]* HTTP/1\.1", line)
    names = [each.partition(":")[0] for each in lines]
    assert sorted(names) == ["Accept", "Accept-Encoding", "Authorization", "Host", "User-Agent", "X-Value"]


def test_memory_stays_small() -> None:
    """All of them in one process of their own, whose largest size is looked at."""
    code = """
import resource
from tests.hostile import BROKEN, BOMB
from tests.servers import scripted
from runbook.system.http import Request, fetch_now
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in ("a gigabyte", "endless chunks", "endless headers", "gzip bomb", "deflate bomb", "bomb in a bomb", "large"):
    with scripted({"/": BROKEN[name]}) as server:
        fetch_now(Request(server.url + "/"), 2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    grown = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
    assert grown < 60 << 20
