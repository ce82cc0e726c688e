"""`tcp`: ports that take connections, refuse them, say nothing, or greet as something else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runbook.checks.network.endpoints import Endpoint, endpoint
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, measured
from tests.servers import closed_port


@contextlib.contextmanager
def greeter(*said: bytes, host: str = "127.0.0.1", stays: bool = True, after: float = 0.0) -> Iterator[int]:
    """A port that says this to everybody after so many seconds, piece by piece, and then stays or goes."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            over.wait(after)
            for piece in said:
                connection.sendall(piece)
            while stays and not over.wait(0.02):
                pass

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listening:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@contextlib.contextmanager
def full(address: str, port: int = 0) -> Iterator[int]:
    """A port whose queue is full: the system drops whoever else knocks, so that a connection is never answered."""
    with contextlib.ExitStack() as kept:
        listening = kept.enter_context(socket.socket())
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(0)
        place = listening.getsockname()
        while True:
            knocking = kept.enter_context(socket.socket())
            knocking.settimeout(0.1)
            try:
                knocking.connect(place)
            except TimeoutError:
                break
        yield place[1]


def test_a_port_that_answers() -> None:
    with greeter() as port:
        found = looked({"tcp": f"127.0.0.1:{port}"})
    assert (found.status, found.message) == (Status.PASS, "")
    assert found.observed.startswith("connected in ")
    assert set(found.phases) == {"resolve", "connect"}
    assert 0 < found.value < 1


def test_several_addresses_and_which_answered() -> None:
    with greeter() as port:
        assert looked({"tcp": f"localhost:{port}"}).observed.startswith("connected at 127.0.0.1 in ")
    with greeter(host="::1") as port:
        assert looked({"tcp": f"[::1]:{port}"}).observed.startswith("connected in ")


def test_nobody_there() -> None:
    with closed_port() as port:
        refused = looked({"tcp": f"127.0.0.1:{port}"})
        assert (refused.status, refused.phase) == (Status.FAIL, "connect")
        assert refused.message == f"connect: 127.0.0.1:{port}: connection refused"
        wanted = looked({"tcp": f"127.0.0.1:{port}", "expect": "< 1s"})
        assert (wanted.status, wanted.reason) == (Status.UNKNOWN, Reason.ERROR)
        assert measured({"tcp": f"127.0.0.1:{port}"}).status is Status.UNKNOWN
    gone = looked({"tcp": "no-such-host.invalid:80"})
    assert (gone.status, gone.phase) == (Status.FAIL, "resolve")
    assert gone.message.startswith("resolve: no-such-host.invalid:80: ")


def test_one_that_says_nothing_is_given_up_in_time() -> None:
    with full("127.0.0.1") as port:
        began = time.monotonic()
        found = looked({"tcp": f"127.0.0.1:{port}", "timeout": 0.4})
        assert time.monotonic() - began < 1.2
    assert (found.status, found.observed, found.phase) == (Status.FAIL, "timed out", "connect")
    assert found.message == f"connect: 127.0.0.1:{port}: no connection within 0.4 s"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"within": "5s"}, Status.PASS),
        ({"within": "0ms"}, Status.FAIL),
        ({"expect": "< 5s"}, Status.PASS),
        ({"expect": "time < 5s"}, Status.PASS),
        ({"expect": "> 5s"}, Status.FAIL),
    ],
)
def test_how_long_it_may_take(more: dict[str, Any], status: Status) -> None:
    with greeter() as port:
        assert looked({"tcp": f"127.0.0.1:{port}", **more}).status is status


@pytest.mark.parametrize(
    ("said", "status", "observed"),
    [
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), Status.PASS, "SSH-2.0"),
        ((b"SS", b"H-2.", b"0-x\r\n"), Status.PASS, "SSH-2.0"),
        ((b"220 mail.example\r\n",), Status.FAIL, "220 mail.example"),
        ((b"\x1b[2J\x1b]0;title\x07\xff\xfe\r\n",), Status.FAIL, None),
        ((b"\x00" * 100_000,), Status.FAIL, None),
        ((b"SSH-2.0" + b"x" * 1_000_000,), Status.PASS, "SSH-2.0"),
        ((), Status.FAIL, ""),
    ],
    ids=["one piece", "pieces", "another", "escapes", "zeros", "endless", "silent"],
)
@pytest.mark.parametrize("stays", [True, False])
def test_what_it_says_of_itself(said: tuple[bytes, ...], status: Status, observed: str | None, stays: bool) -> None:
    with greeter(*said, stays=stays) as port:
        found = looked({"tcp": f"127.0.0.1:{port}", "matches": r"^SSH-\d\.\d", "timeout": 1.0})
    assert found.status is status, found
    assert found.observed.isprintable()
    assert observed is None or found.observed == observed
    assert status is Status.PASS or found.expected == r"matches ^SSH-\d\.\d"


def test_values_of_the_playbook() -> None:
    with greeter() as port:
        variables = Variables(process={"HOST": "127.0.0.1", "PORT": str(port), "BAD": "a b"})
        assert looked({"tcp": "${HOST}:${PORT}"}, variables=variables).status is Status.PASS
        assert looked({"tcp": "${BAD}:${PORT}"}, variables=variables).status is Status.UNKNOWN
        assert looked({"tcp": "${GONE}:${PORT}"}, variables=variables).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("text", "port", "place"),
    [
        ("localhost:5432", None, Endpoint("localhost", 5432)),
        ("[::1]:5432", None, Endpoint("::1", 5432)),
        ("redis://cache.internal:6379", None, Endpoint("cache.internal", 6379)),
        ("https://a.example/", 443, Endpoint("a.example", 443)),
        ("a.example", 443, Endpoint("a.example", 443)),
        ("[fe80::2]", 443, Endpoint("fe80::2", 443)),
    ],
)
def test_how_a_place_is_written(text: str, port: int | None, place: Endpoint) -> None:
    assert endpoint(text, port) == place
    assert endpoint(str(place)) == place


@pytest.mark.parametrize(
    "text", ["", "localhost", "a b:1", "::1", "::1:80", "h:0", "h:70000", "h:x", "u@h:1", "h/x:1", "h:1/x", "h:1\nx:2"]
)
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|brackets|no port"):
        endpoint(text)
    assert len(a_check({"tcp": text}).options.problems()) == 1


def test_options_and_the_line_by_hand() -> None:
    wrong = a_check({"tcp": "x", "within": "5", "matches": "("}).options
    assert len(wrong.problems()) == 3
    good = a_check({"tcp": "db:5432"}).options
    assert good.problems() == []
    assert good.presence()
    assert good.only_looks()
    assert good.by_hand(None) == "nc -vz -w 5 db 5432"
    assert a_check({"tcp": "${DB}:5432"}).options.by_hand(None) == 'nc -vz -w 5 "${DB}" 5432'
    assert a_check({"tcp": "db:22", "matches": "SSH"}).options.by_hand(None) == "nc -w 5 db 22 </dev/null"


def test_a_silent_port_is_given_two_seconds_and_the_row_says_so() -> None:
    with greeter(stays=True) as port:
        began = time.monotonic()
        found = looked({"tcp": f"127.0.0.1:{port}", "matches": "SSH"})
        assert time.monotonic() - began < 4
        own = looked({"tcp": f"127.0.0.1:{port}", "matches": "SSH", "timeout": 0.5})
    said = "it takes the connection and says nothing: a greeting was waited for 2 s; timeout: says how long it may take"
    assert (found.status, found.message) == (Status.FAIL, said)
    assert "a greeting was waited for 4" in own.message, own  # most of its 500 ms
    with greeter(stays=False) as port:
        closed = looked({"tcp": f"127.0.0.1:{port}", "matches": "SSH"})
    assert closed.message == "it takes the connection and closes it without a greeting"


def test_who_takes_time_to_greet_is_heard_within_the_time_of_the_check() -> None:
    with greeter(b"SSH-2.0\r\n", after=2.6) as port:
        found = looked({"tcp": f"127.0.0.1:{port}", "matches": "SSH", "timeout": 6.0})
        assert found.status is Status.PASS, found
