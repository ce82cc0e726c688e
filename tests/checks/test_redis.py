"""`redis` on a real server: PING, values, accounts, TLS; and on servers that are none."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.checks.stores.redis_commands import command_problem
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.byte_server import Saying, drip, heard, pour, silent, speaking
from tests.checks.looking import a_check, looked, measured, surroundings
from tests.real.certificates import authority
from tests.real.redis import PASSWORD, QUOTED, RedisServer, redis
from tests.servers import closed_port

needs_redis = pytest.mark.needs("redis-server")
PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis() as running:
        running.run(
            ["SET", "number", "5"],
            ["SET", "text", "hello"],
            ["SET", "two words", "x"],
            ["SET", "big", "x" * 200_000],
            ["SET", "short", "1", "EX", "100"],
            ["SETBIT", "bytes", "0", "1"],
            ["RPUSH", "jobs", "a", "b"],
            ["HSET", "spend", "bo", "0.31"],
            ["ZADD", "scores", "1.5", "ana"],
        )
        yield running


def asked(server: RedisServer, *command: str, url: str = "", **more: Any) -> CheckResult:
    return looked({"redis": url or server.url, **({"command": list(command)} if command else {}), **more})


@needs_redis
@pytest.mark.parametrize(
    ("command", "more", "status", "reason"),
    [
        ("", {}, PASS, None),
        ("", {"expect": "time < 2s"}, PASS, None),
        ("GET number", {"expect": "== 5"}, PASS, None),
        ("GET number", {"expect": "> 5"}, FAIL, None),
        ("GET text", {"expect": "== hello"}, PASS, None),
        ("GET text", {"matches": "^h(.)"}, PASS, None),
        ("GET text", {"matches": "^x"}, FAIL, None),
        ("get number", {"expect": "== 5"}, PASS, None),
        ("GET nothing", {"expect": "== 5"}, UNKNOWN, Reason.NODATA),
        ("GET jobs", {"expect": "== 5"}, UNKNOWN, Reason.ERROR),
        ("GET big", {"expect": "== 5"}, UNKNOWN, Reason.ERROR),
        ("GET bytes", {"expect": "== 5"}, UNKNOWN, Reason.ERROR),
        ("STRLEN big", {"expect": "< 1MiB"}, PASS, None),
        ("EXISTS number text", {"expect": "== 2"}, PASS, None),
        ("LLEN jobs", {"expect": "< 3"}, PASS, None),
        ("HGET spend bo", {"expect": "< 0.5"}, PASS, None),
        ("ZSCORE scores ana", {"expect": "== 1.5"}, PASS, None),
        ("TTL short", {"expect": "> 1m"}, PASS, None),
        ("TTL nothing", {"expect": "< 1m"}, UNKNOWN, Reason.NODATA),
        ("TTL number", {"expect": "< 1m"}, UNKNOWN, Reason.ERROR),
        ("MEMORY USAGE number", {"expect": "< 1KiB"}, PASS, None),
        ("CONFIG GET maxmemory", {"expect": "== 0"}, PASS, None),
        ("ROLE", {"expect": "== master"}, PASS, None),
        ("LASTSAVE", {"expect": "age < 1h"}, PASS, None),
        ("DBSIZE", {"expect": "> 5"}, PASS, None),
        ("INFO", {"field": "used_memory", "expect": "< 1GiB"}, PASS, None),
        ("INFO", {"field": "db0.keys", "expect": "> 5"}, PASS, None),
        ("INFO replication", {"field": "role", "expect": "== master"}, PASS, None),
        ("INFO replication", {"matches": "role:(\\w+)", "expect": "== master"}, PASS, None),
        ("INFO", {"field": "no_such_field", "expect": "< 1"}, UNKNOWN, Reason.NODATA),
        ("SET number 1", {"expect": "== OK"}, UNKNOWN, Reason.ERROR),
        ("FLUSHALL", {"expect": "== OK"}, UNKNOWN, Reason.ERROR),
        ("EVAL return 0", {"expect": "== 0"}, UNKNOWN, Reason.ERROR),
        ("CONFIG SET maxmemory 1", {"expect": "== OK"}, UNKNOWN, Reason.ERROR),
        ("CONFIG GET requirepass", {"matches": "."}, UNKNOWN, Reason.ERROR),
    ],
)
def test_what_it_says(
    command: str, more: dict[str, Any], status: Status, reason: Reason | None, server: RedisServer
) -> None:
    row = asked(server, *command.split(), **more)
    assert (row.status, row.reason) == (status, reason), row
    assert asked(server, "DBSIZE", expect="== 9").status is PASS


@needs_redis
def test_a_word_with_anything_in_it_stays_one_word(server: RedisServer) -> None:
    for value in ("two words", "x\r\nFLUSHALL\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "ü😀", "\0", "$9", "x" * 100_000):
        row = looked(
            {"redis": server.url, "command": ["EXISTS", "${KEY}"], "expect": "== 1"},
            variables=Variables(process={"KEY": value}),
        )
        assert row.status is (PASS if value == "two words" else FAIL), (value[:20], row.message)
    assert asked(server, "DBSIZE", expect="== 9").status is PASS


@needs_redis
def test_places_are_written_in_several_ways(server: RedisServer) -> None:
    for url in (
        f"127.0.0.1:{server.port}",
        f"localhost:{server.port}",
        f"redis://127.0.0.1:{server.port}/0",
        f"redis://127.0.0.1:{server.port}?db=0",
        f"unix://{server.path}",
        f"unix://{server.path}?db=1",
    ):
        row = asked(server, url=url)
        assert (row.status, row.observed) == (PASS, "PONG"), (url, row)
        assert {"connect", "wait"} <= set(row.phases)
    assert asked(server, "DBSIZE", url=f"{server.url}/3", expect="== 0").status is PASS
    assert measured({"redis": server.url, "command": ["LLEN", "jobs"]}).value == 2


@needs_redis
def test_accounts_and_passwords() -> None:
    with redis(password=PASSWORD) as server:
        server.run(["ACL", "SETUSER", "looker", "on", ">canary-looker", "~a*", "+ping", "+get"])
        here = f"127.0.0.1:{server.port}"
        assert asked(server, url=f"redis://:{QUOTED}@{here}").status is PASS
        kept = Variables(process={"REDIS_PASSWORD": PASSWORD})
        assert looked({"redis": f"redis://:${{REDIS_PASSWORD}}@{here}"}, variables=kept).status is PASS
        looker = f"redis://looker:canary-looker@{here}"
        assert asked(server, url=looker).status is PASS
        refusals = {
            here: "it wants a password",
            f"redis://:canary-wrong@{here}": "check the user and the password",
            f"redis://looker:c4n@{here}": "check the user and the password",
            f"{looker}/1": "the account may not do that",
        }
        for url, said in refusals.items():
            row = asked(server, url=url)
            assert (row.status, row.phase) == (FAIL, "wait"), row
            assert said in row.message
            assert ".;" not in row.message
            assert not any(part in repr(row.message) for part in ("canary", "c4n", PASSWORD))
            assert asked(server, "GET", "a", url=url, expect="== 1").status is UNKNOWN
        assert "the account may not do that" in asked(server, "GET", "b", url=looker, expect="== 1").message


@needs_redis
def test_tls(tmp_path: Path) -> None:
    ours, others = tmp_path / "ours", tmp_path / "others"
    for folder in (ours, others):
        folder.mkdir()
        authority(folder)
    ca = authority(ours)
    with redis(authority=ca) as server:
        server.run(["SET", "big", "x" * 4_000_000])
        url = server.url.replace("redis:", "rediss:")
        good = asked(server, url=url, ca=str(ca.file))
        assert (good.status, "tls" in good.phases) == (PASS, True)
        assert asked(server, "STRLEN", "big", url=url, ca=str(ca.file), expect="== 4000000").status is PASS
        assert "4000000 characters" in asked(server, "GET", "big", url=url, ca=str(ca.file), expect="> 0").message
        for more in ({}, {"ca": str(others / "authority.pem")}):
            row = asked(server, url=url, **more)
            assert (row.status, row.phase) == (FAIL, "tls")
            assert "certificate is not accepted" in row.message
        assert asked(server, url=url, ca=str(tmp_path / "none.pem")).status is UNKNOWN  # nothing was asked
        plain = asked(server, url=server.url)
        assert plain.status is FAIL
        assert "rediss://" in plain.message


def test_nobody_there(tmp_path: Path) -> None:
    with closed_port() as port:
        for url in (
            f"127.0.0.1:{port}",
            f"redis://u:canary-x@127.0.0.1:{port}",
            "redis://nohost.invalid",
            "unix:///no",
        ):
            row = looked({"redis": url})
            assert row.status is FAIL, row
            assert "canary" not in repr(row.message)
            assert looked({"redis": url, "command": ["DBSIZE"], "expect": "> 0"}).reason is Reason.ERROR
    for url in ("http://127.0.0.1", "redis://u:canary/x@h", "redis://h/one", "redis://h:99999999", ""):
        row = looked({"redis": url})
        assert (row.status, row.reason) == (UNKNOWN, Reason.ERROR)
        assert "canary" not in repr(row.message)


def replying(*replies: bytes, last: Saying = silent) -> Saying:
    def say(connection: socket.socket) -> None:
        for reply in replies:
            heard(connection)
            connection.sendall(reply)
        last(connection)

    return say


# What comes instead of a value, and how PING then comes out: nothing usable is a fail, what makes no sense is unknown.
REPLIES: dict[str, tuple[Saying, Status]] = {
    "silence": (silent, FAIL),
    "closed at once": (lambda connection: None, FAIL),
    "loading": (replying(b"-LOADING Redis is loading the dataset in memory\r\n"), FAIL),
    "master down": (replying(b"-MASTERDOWN Link with MASTER is down\r\n"), FAIL),
    "too many": (replying(b"-ERR max number of clients reached\r\n"), FAIL),
    "protected": (replying(b"-DENIED Redis is running in protected mode\r\n", last=lambda connection: None), FAIL),
    "http": (replying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), UNKNOWN),
    "garbage": (replying(bytes(range(256)) * 99), UNKNOWN),
    "one byte after the other": (replying(last=lambda connection: drip(connection, b"$99\r\n" + b"x" * 99)), FAIL),
    "endless line": (replying(last=lambda connection: pour(connection, b"+" + b"x" * 9999)), UNKNOWN),
    "endless text": (replying(b"$1000000000000\r\n", last=lambda connection: pour(connection, b"x" * 9999)), UNKNOWN),
    "text of five megabytes": (
        replying(b"$5242881\r\n", last=lambda connection: pour(connection, b"x" * 9999)),
        UNKNOWN,
    ),
    "wrong length": (replying(b"$3\r\nlonger\r\n"), UNKNOWN),
    "length below nothing": (replying(b"$-5\r\n"), UNKNOWN),
    "length no number": (replying(b"$five\r\n"), UNKNOWN),
    "number no number": (replying(b":0x10\r\n"), UNKNOWN),
    "number with 400 digits": (replying(b":" + b"9" * 400 + b"\r\n"), UNKNOWN),
    "lists in lists": (replying(b"*1\r\n" * 1_000_000), UNKNOWN),
    "a list of a million": (replying(b"*1000000\r\n" + b":1\r\n" * 9999), UNKNOWN),
    "a list that is cut off": (replying(b"*2\r\n:1\r\n", last=lambda connection: None), FAIL),
    "an error in a list": (replying(b"*2\r\n:1\r\n-ERR no\r\n"), FAIL),
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_server_that_is_none(name: str) -> None:
    say, of_ping = REPLIES[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with speaking(say) as port:
        for command, status in (([], of_ping), (["GET", "x"], UNKNOWN)):
            began = time.monotonic()
            plain = {"redis": f"127.0.0.1:{port}", "command": command, **({"expect": ">= 0"} if command else {})}
            row = looked(plain, surroundings("/", seconds=0.5))
            assert row.status is status, row
            assert row.message
            assert time.monotonic() - began < 1.2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 << 10


def test_options_that_are_wrong_are_told() -> None:
    def problems(**more: Any) -> list[str]:
        found: list[str] = a_check({"redis": "localhost", **more}).options.problems()
        return found

    assert problems() == problems(command=["GET", "x"]) == problems(command=["INFO"], field="x") == []
    assert problems(redis=" ") and problems(command=["KEYS", "*"]) and problems(command=["GET"])
    assert problems(command=["INFO"]) and problems(command=["GET", "x"], field="y") and problems(matches="x")
    assert problems(command=["GET", "x"], matches="(")
    assert a_check({"redis": "h"}).options.asserts()
    assert not a_check({"redis": "h", "command": ["DBSIZE"]}).options.asserts()
    assert command_problem([]) is not None
    writing = (
        "SET DEL INCR LPUSH EXPIRE RENAME FLUSHDB SHUTDOWN SAVE BGSAVE REPLICAOF SCRIPT MIGRATE PUBLISH GETDEL GETEX"
    )
    assert all(command_problem([word, "x"]) for word in writing.split())


@pytest.mark.parametrize(
    ("plain", "line"),
    [
        ({"redis": "redis://localhost:6379"}, "redis-cli -u redis://localhost:6379 PING"),
        ({"redis": "${REDIS_URL}", "command": ["LLEN", "my jobs"]}, "redis-cli -u \"${REDIS_URL}\" LLEN 'my jobs'"),
        ({"redis": "redis://:${PW}@h/1"}, 'redis-cli -u "redis://:${PW}@h/1" PING'),
        ({"redis": "h:1", "command": ["INFO"]}, "redis-cli -u redis://h:1 INFO"),
        ({"redis": "rediss://h", "ca": "ca.pem"}, "redis-cli -u rediss://h --cacert ca.pem PING"),
        ({"redis": "unix:///run/r.sock"}, "redis-cli -s /run/r.sock PING"),
    ],
)
def test_the_line_that_looks_by_hand(plain: dict[str, Any], line: str) -> None:
    assert a_check(plain).options.by_hand(None) == line
