"""A host with several addresses: one that refuses or says nothing does not keep us from the one that answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from runbook.system.addresses import Resolver
from runbook.system.http import Connection, HttpTrouble, Request, Response, fetch
from tests.servers import answer, scripted

SILENT, REFUSING = "127.0.0.3", "127.0.0.2"


class Known(Resolver):
    """A name whose addresses the test says; those that were asked first come first, as ever."""

    def __init__(self, *addresses: str) -> None:
        super().__init__()
        self._addresses = addresses

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        first = self._preferred.get((host, port))
        return tuple(sorted(self._addresses, key=lambda one: one != first)) if first else self._addresses


@contextlib.contextmanager
def silent(port: int) -> Iterator[None]:
    """A listener whose queue is full: the system drops whoever else knocks."""
    with contextlib.ExitStack() as kept:
        listening = kept.enter_context(socket.socket())
        listening.bind((SILENT, port))
        listening.listen(0)
        while True:
            knocking = kept.enter_context(socket.socket())
            knocking.settimeout(0.1)
            try:
                knocking.connect((SILENT, port))
            except TimeoutError:
                break
        yield


def ask(port: int, names: Resolver, seconds: float = 5.0, times: int = 1) -> list[Response | HttpTrouble]:
    async def each() -> list[Response | HttpTrouble]:
        connection = Connection()
        request = Request(f"http://two.example:{port}/")
        try:
            return [await fetch(request, seconds, connection=connection, resolver=names) for _ in range(times)]
        finally:
            await connection.close()

    return asyncio.run(each())


@pytest.mark.parametrize(
    "addresses", [(REFUSING, "127.0.0.1"), ("127.0.0.1", REFUSING), ("::1", REFUSING, "127.0.0.1")]
)
def test_one_that_refuses_costs_nothing(addresses: tuple[str, ...]) -> None:
    with scripted({"/": answer("ok")}) as server:
        began = time.monotonic()
        (found,) = ask(server.port, Known(*addresses))
        assert time.monotonic() - began < 0.5
    assert isinstance(found, Response), found
    assert set(found.phases) == {"resolve", "connect", "wait", "read"}


def test_one_that_says_nothing_costs_a_quarter_of_a_second_and_once() -> None:
    with scripted({"/": answer("ok")}) as server, silent(server.port):
        names = Known(SILENT, "127.0.0.1")
        found = ask(server.port, names, seconds=20.0, times=4)
    times = [one.elapsed for one in found]
    assert all(isinstance(one, Response) for one in found), found
    assert 0.2 < times[0] < 1.5
    assert max(times[1:]) < 0.2
    assert found[0].phases["connect"] > 0.2


def test_an_answer_may_take_longer_than_the_head_start() -> None:
    def late(connection: socket.socket, request: str) -> None:
        time.sleep(0.6)
        answer("ok")(connection, request)

    with scripted({"/": late}) as server:
        (found,) = ask(server.port, Known("127.0.0.1", REFUSING))
    assert isinstance(found, Response)
    assert len(server.asked) == 1


def test_none_that_answers() -> None:
    with scripted({}) as server:
        port = server.port
    (found,) = ask(port, Known(REFUSING, "127.0.0.1"))
    assert isinstance(found, HttpTrouble)
    assert (found.phase, found.timed_out) == ("connect", False)
    assert found.message.endswith(f":{port}: connection refused")
    with silent(port):
        began = time.monotonic()
        (late,) = ask(port, Known(SILENT, REFUSING), seconds=0.8)
        assert 0.7 < time.monotonic() - began < 1.6
    assert isinstance(late, HttpTrouble)
    assert (late.phase, late.timed_out) == ("connect", True)
    assert late.message.endswith(f":{port}: no connection within 0.8 s")


def test_what_fails_after_the_connection_is_not_asked_again_elsewhere() -> None:
    with scripted({"/": lambda connection, request: None}) as server:
        (found,) = ask(server.port, Known("127.0.0.1", REFUSING))
    assert isinstance(found, HttpTrouble)
    assert found.phase == "wait"
    assert len(server.asked) == 1


def test_a_name_without_an_address() -> None:
    (found,) = ask(80, Known())
    assert isinstance(found, HttpTrouble)
    assert found.message.endswith(":80: it has no address")
