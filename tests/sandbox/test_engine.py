"""What the practice service answers: numbers, faults, counts, and hostile requests."""

from __future__ import annotations

import json
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.utils import parsedate_to_datetime

import pytest

from runbook.sandbox import control
from runbook.sandbox.trouble import SandboxTrouble
from tests.sandbox.conftest import SHIPPED, Practice

QUERY = json.dumps({"query": "which trials"}).encode()


def at(practice: Practice, percent: int, hops: int = 1) -> None:
    practice.set(ENRICHMENT_ROLLOUT_PERCENTAGE=percent, ENABLE_MULTI_HOP="true", ENABLE_REASONING="true", MAX_HOPS=hops)
    control.restart(practice.folder)


def test_numbers_follow_percentage_and_flags(practice: Practice) -> None:
    found = {}
    for percent, hops in ((0, 0), (10, 1), (100, 1), (100, 2)):
        at(practice, percent, hops)
        found[percent, hops] = practice.metrics()
    shares = [found[key]["enrichment_usage_rate"] for key in found]
    assert shares == [pytest.approx(share, rel=0.03) for share in (0, 0.1, 1, 1)]
    p95 = [found[key]["latency"]["p95_ms"] for key in found]
    assert p95[0] < p95[2] < p95[3] < 3500
    assert all(each["error_rate"] < 0.01 for each in found.values())


def test_the_same_requests_get_the_same_numbers_after_a_restart(practice: Practice) -> None:
    def rates() -> list[float]:
        return [practice.metrics()["error_rate"] for _ in range(5)]

    first = rates()
    control.restart(practice.folder)
    assert rates() == first
    assert len(set(first)) > 1


def test_requests_are_counted_by_path(practice: Practice) -> None:
    for _ in range(3):
        practice.metrics()
    practice.ask("/health")
    practice.ask("/nowhere")
    practice.ask("/nowhere/else")
    state = practice.state()
    assert state["requests"] == {"GET /api/metrics": 3, "GET /health": 1, "elsewhere": 2}
    assert state["flags"]["MAX_HOPS"] == 0
    assert state["faults"] == "none"
    control.restart(practice.folder)
    assert practice.state()["requests"] == {}


def test_the_share_of_enriched_answers_is_the_percentage(practice: Practice) -> None:
    at(practice, 10)
    enriched = sum(practice.ask("/api/query/enhanced", "POST", QUERY).json()["enriched"] for _ in range(100))
    assert enriched == 10


def test_a_forced_error_rate_shows_in_metrics_and_in_answers(practice: Practice) -> None:
    control.set_fault(practice.folder, "error_rate=8%")
    assert practice.metrics()["error_rate"] == 0.08
    failed = sum(practice.ask("/api/query/enhanced", "POST", QUERY).status == 500 for _ in range(100))
    assert failed == 8
    assert practice.ask("/health").status == 200


def test_latency_slows_traffic_and_shows_in_the_numbers(practice: Practice) -> None:
    control.set_fault(practice.folder, "latency=300ms")
    began = time.monotonic()
    assert practice.ask("/api/query/enrichment/config").status == 200
    slow = time.monotonic() - began
    assert slow >= 0.3
    assert practice.metrics()["latency"]["p95_ms"] == pytest.approx(2400, rel=0.05)


def test_down_refuses_connections_and_leaves_control(practice: Practice) -> None:
    state = control.set_fault(practice.folder, "down")
    assert (state.fault, state.alive) == ("down", True)
    with pytest.raises(ConnectionRefusedError):
        practice.ask("/health")
    control.restart(practice.folder)
    with pytest.raises(ConnectionRefusedError):
        practice.ask("/health")
    assert control.set_fault(practice.folder, "none").fault == "none"
    assert practice.ask("/health").status == 200


def test_down_cuts_connections_that_are_open(practice: Practice) -> None:
    with socket.create_connection(("127.0.0.1", practice.port()), timeout=5) as open_one:
        open_one.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert open_one.recv(4096).startswith(b"HTTP/1.1 200")
        control.set_fault(practice.folder, "down")
        assert open_one.recv(4096) == b""


def test_one_path_alone_can_be_down(practice: Practice) -> None:
    control.set_fault(practice.folder, "down=/api/metrics")
    with pytest.raises(ConnectionError):
        practice.metrics()
    assert practice.ask("/health").status == 200


def test_garbage_answers_200_and_never_a_number(practice: Practice) -> None:
    control.set_fault(practice.folder, "garbage=/api/metrics")
    for _ in range(8):
        reply = practice.ask("/api/metrics")
        assert reply.status == 200
        try:
            rate = reply.json()["error_rate"]
        except ValueError:
            continue
        assert rate != rate  # NaN
    assert practice.ask("/health").json()["status"] == "ok"


def test_stale_numbers_stand_still_with_their_date(practice: Practice) -> None:
    control.set_fault(practice.folder, "stale")
    first = practice.ask("/api/metrics")
    again = practice.ask("/api/metrics")
    assert first.body == again.body
    assert first.headers["date"] == again.headers["date"]
    control.set_fault(practice.folder, "none")
    fresh = practice.ask("/api/metrics")
    assert fresh.json()["generated_at"] > first.json()["generated_at"]
    assert parsedate_to_datetime(fresh.headers["date"]).timestamp() == pytest.approx(time.time(), abs=2)


def test_faults_add_up_and_survive_a_restart(practice: Practice) -> None:
    control.set_fault(practice.folder, "error_rate=8%")
    control.set_fault(practice.folder, "enrichment_score=0.2 p95_latency=4s")
    control.restart(practice.folder)
    metrics = practice.metrics()
    assert (metrics["error_rate"], metrics["avg_enrichment_score"], metrics["latency"]["p95_ms"]) == (0.08, 0.2, 4000)
    assert control.set_fault(practice.folder, "none").fault == "none"
    assert practice.metrics()["error_rate"] < 0.01


@pytest.mark.parametrize(
    ("typed", "told", "hint"),
    [
        ("eror_rate=8%", "unknown fault", "did you mean error_rate?"),
        ("error_rate", "not how this fault is written", "error_rate=VALUE"),
        ("error_rate=much", "gives no number", "error_rate=8%"),
        ("error_rate=4s", "does not fit", ""),
        ("latency=4", "is not a time", "latency=4s"),
        ("latency=-1s", "is not a time", ""),
        ("down=/nowhere", "has no path", "/api/metrics"),
        ("none=1", "not how this fault is written", "none"),
        ("", "no fault was named", "stale"),
        ("downn", "unknown fault", "did you mean down?"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_and_changes_nothing(
    practice: Practice, typed: str, told: str, hint: str
) -> None:
    with pytest.raises(SandboxTrouble, match=told) as trouble:
        control.set_fault(practice.folder, typed)
    assert hint in trouble.value.hint
    assert practice.state()["faults"] == "none"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/health", b"{}", {}, 405),
        ("BREW", "/health", b"", {}, 501),
        ("GET", "/nowhere", b"", {}, 404),
        ("GET", "/../../etc/passwd", b"", {}, 404),
        ("POST", "/api/query/enhanced", b"{", {}, 400),
        ("POST", "/api/query/enhanced", b"[1]", {}, 400),
        ("POST", "/api/query/enhanced", b'{"question": 1}', {}, 400),
        ("POST", "/api/query/enhanced", b"[" * 100_000, {}, 400),
        ("POST", "/api/query/enhanced", b'{"query": ' + b"9" * 5000 + b"}", {}, 400),
        ("POST", "/api/query/enhanced", b"\xff\xfe\x00", {}, 400),
        ("POST", "/api/query/enhanced", QUERY, {"Transfer-Encoding": "chunked"}, 411),
        ("POST", "/api/query/enhanced", b"", {"Content-Length": "99999999999"}, 413),
        ("POST", "/api/query/enhanced", b"", {"Content-Length": "-1"}, 400),
        ("POST", "/_sandbox/reload", b"", {}, 404),
    ],
)
def test_a_hostile_request_is_refused_and_the_service_goes_on(
    practice: Practice, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert practice.ask(path, method, body, **headers).status == status
    assert practice.ask("/health").status == 200


def test_head_and_a_query_string_are_understood(practice: Practice) -> None:
    reply = practice.ask("/health?deep=1", "HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["content-length"]) > 0


def test_random_bytes_never_end_it(practice: Practice) -> None:
    chance = random.Random(3)
    for _ in range(60):
        sent = [
            chance.choice([b"GET ", b"POST /health HTTP/1.1\r\n", b"", b"GET / HTTP/9\r\n"]),
            chance.randbytes(chance.randrange(400)),
            chance.choice([b"", b"\r\n\r\n"]),
        ]
        with socket.create_connection(("127.0.0.1", practice.port()), timeout=5) as raw, suppress(OSError):
            for part in sent:  # it may hang up as soon as it has seen enough
                raw.sendall(part)
    assert practice.ask("/health").status == 200
    assert "Traceback" not in (practice.folder / "engine.log").read_text()


def test_many_silent_connections_do_not_shut_others_out(practice: Practice) -> None:
    silent = [socket.create_connection(("127.0.0.1", practice.port()), timeout=5) for _ in range(100)]
    try:
        with ThreadPoolExecutor(20) as askers:
            statuses = list(askers.map(lambda _: practice.ask("/health").status, range(100)))
        assert statuses == [200] * 100
        assert practice.state()["requests"]["GET /health"] == 100
    finally:
        for connection in silent:
            connection.close()


def test_up_that_takes_too_long_leaves_no_process(practice: Practice) -> None:
    other = Practice(practice.folder.parent / "other")
    with pytest.raises(SandboxTrouble, match="did not answer within 0 s"):
        other.up(wait=0)
    assert control.status(other.folder) is None
    try:
        other.up()
        assert control.initial_env_file(SHIPPED) == other.env_file.read_text()
    finally:
        other.end()
