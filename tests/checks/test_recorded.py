"""Recorded answers in place of the world: each form of them, judged as the world's; what is missing is never asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import Check, CheckResult
from runbook.checks.recorded import Recorded, amount_of, names_request, read_answer
from runbook.checks.runner import look_now, measure_now
from tests.checks.looking import surroundings
from tests.playbook.reads import SMALL, read_well

HTML = "<html><body>502 Bad Gateway</body></html>"


def check_of(folder: Path, written: str) -> Check:
    playbook = read_well(folder, SMALL + f"checklists:\n  list:\n    - {{check: It, {written}}}\n")
    [check] = playbook.checklists["list"]
    return check


def looked(folder: Path, written: str, answers: dict[str, Any]) -> tuple[CheckResult, list[str]]:
    recorded = Recorded({key: read_answer(key, plain) for key, plain in answers.items()})
    around = replace(surroundings(folder, url="http://service.invalid"), recorded=recorded)
    [row] = look_now([check_of(folder, written)], around)
    return row, recorded.missing


FOUND = [
    ("http: /health", {"GET /health": 200}, "pass"),
    ("http: /health", {"/health": {"status": 204}}, "pass"),
    ("http: /health", {"*": 200}, "pass"),
    ("http: /health", {"GET /health": 500}, "fail"),
    ("http: /health", {"GET /health": {"down": True}}, "fail"),
    ("http: /health", {"GET /health": {"timeout": True}}, "fail"),
    ("http: /health", {"*": {"down": True}, "GET /health": 200}, "pass"),
    ('http: "/m?day=1", jq: .n, expect: "< 5"', {"GET /m?day=1": {"json": {"n": 9}}, "GET /m": 200}, "fail"),
    ('http: "/m?day=1", jq: .n, expect: "< 5"', {"GET /m": {"json": {"n": 1}}}, "pass"),
    ('http: /m, jq: .n, expect: "< 5"', {"GET /m": {"text": HTML}}, "unknown"),
    ('http: /m, jq: .n, expect: "< 5"', {"GET /m": {"json": {}}}, "unknown"),
    ('http: /m, jq: .n, expect: "< 5"', {"GET /m": {"down": True}}, "unknown"),
    ("http: /m, method: POST, reads: true", {"GET /m": 500, "POST /m": 200}, "pass"),
    ("http: /m, matches: ready", {"GET /m": {"text": "not yet"}}, "fail"),
    ("http: /m, list: '.unmet[]'", {"GET /m": {"json": {"unmet": ["a"]}}}, "fail"),
    ('http: /m, header: x-colour, expect: "== green"', {"GET /m": {"headers": {"X-Colour": "blue"}}}, "fail"),
    ("http: /m, within: 500ms", {"GET /m": {"took": 0.9}}, "fail"),
    ('ollama: "http://models:1", models: [llama3]', {"GET /api/tags": {"json": {"models": []}}}, "fail"),
    ('scrape: /metrics, metric: queue, expect: "< 5"', {"GET /metrics": {"text": "queue 9\n"}}, "fail"),
    ('scrape: /metrics, metric: queue, expect: "< 5"', {"GET /metrics": {"text": "queue 1\n"}}, "pass"),
    ('alertmanager: "http://alerts:9093"', {"GET /api/v2/alerts": {"json": []}}, "pass"),
    ('alertmanager: "http://alerts:9093"', {"*": {"text": HTML}}, "unknown"),
    ('prometheus: "http://prometheus:9090", query: up, expect: "== 1"', {"it": 1}, "pass"),
    ('prometheus: "http://prometheus:9090", query: up, expect: "== 1"', {"it": 0}, "fail"),
    ('tls: "rag.example.com:443", expect: "> 20"', {"it": 12}, "fail"),
    ("docker: web", {"it": "fail"}, "fail"),
    ("tcp: db:5432", {"it": {"down": True}}, "fail"),
    ("http: /health", {"it": "pass"}, "pass"),
    ("http: /health", {"list/it": "fail", "it": "pass"}, "fail"),
    ("http: /health", {"it": {"is": "unknown", "message": "nobody knows"}}, "unknown"),
    ('sql: "${DB}", query: select 1, expect: "== 2"', {"it": 2}, "pass"),
    ('sql: "${DB}", query: select 1, expect: "== 2"', {"it": 1}, "fail"),
    ('sql: "${DB}", query: select 1, expect: "== 2"', {"it": None}, "unknown"),
    ('sql: "${DB}", query: select 1, expect: "== 2"', {"it": {"rows": [[2]]}}, "pass"),
    ('sql: "${DB}", query: select 1, expect: "== 2"', {"it": {"rows": []}}, "unknown"),
    ('sql: "${DB}", query: select 1, worst: max, expect: "< 5"', {"it": {"rows": [["a", 3], ["b", 7]]}}, "fail"),
    ("command: [make, test], reads: true", {"it": {"exit": 0}}, "pass"),
    ("command: [make, test], reads: true", {"it": {"exit": 1, "errors": "2 failing"}}, "fail"),
    ("run: make test, matches: '^ok', reads: true", {"it": {"exit": 0, "output": "ok 3\n"}}, "pass"),
    ("run: make test, matches: '^ok', reads: true", {"it": {"exit": 0, "output": "no\n"}}, "fail"),
    ('run: count, jq: .n, expect: "> 3", reads: true', {"it": {"exit": 0, "output": '{"n": 2}'}}, "fail"),
    ("run: list, list: true, reads: true", {"it": {"exit": 0, "output": "one\ntwo\n"}}, "fail"),
    ('disk: ., expect: "free > 20GiB"', {"it": {"values": {"free": "64GiB"}}}, "pass"),
    ('disk: ., expect: "free > 20GiB"', {"it": {"values": {"free": "3GiB"}}}, "fail"),
    ('load: /q, expect: "p95 < 3s and errors < 1%"', {"it": {"values": {"p95": "900ms", "errors": "0.1%"}}}, "pass"),
    ('load: /q, expect: "p95 < 3s and errors < 1%"', {"it": {"values": {"p95": "900ms", "errors": "2%"}}}, "fail"),
    ("all: [{check: A, http: /a}, {check: B, file: x}]", {"GET /a": 200, "b": "pass"}, "pass"),
    ("all: [{check: A, http: /a}, {check: B, file: x}]", {"GET /a": 200, "b": "fail"}, "fail"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "answers", "status"), FOUND)
def test_a_recorded_answer_is_judged_as_the_worlds(
    tmp_path: Path, written: str, answers: dict[str, Any], status: str
) -> None:
    row, missing = looked(tmp_path, written, answers)
    assert (row.status, missing) == (status, []), row.message


MISSING = [
    "http: /health", 'sql: "sqlite:///here.db", query: select 1, expect: "== 1"', "command: [touch, made]",
    "run: touch made", "file: here.db", "disk: ., expect: \"free > 0B\"", 'machine: memory, expect: "< 99%"',
    'log: app.log, count: x, expect: "< 1"', "tcp: 127.0.0.1:9", "dns: localhost", "systemd: app", "docker: web",
    "git: ., clean: true", "variables: [HOME]", 'load: /q, expect: "p95 < 1s"',
]  # fmt: skip


@pytest.mark.parametrize("written", MISSING)
def test_what_was_not_recorded_is_told_and_never_asked(tmp_path: Path, written: str) -> None:
    (tmp_path / "here.db").write_bytes(b"")
    row, missing = looked(tmp_path, written, {"GET /other": 200})
    assert row.status in ("fail", "unknown")
    assert len(missing) == 1
    assert "nothing recorded for" in missing[0]
    assert "'It'" in missing[0]
    assert not (tmp_path / "made").exists()


def test_attempts_are_not_waited_for(tmp_path: Path) -> None:
    row, _ = looked(tmp_path, "http: /health, attempts: 50", {"GET /health": 500})
    assert row.status == "fail"
    assert row.duration < 5


def test_a_metric_takes_its_value_or_none(tmp_path: Path) -> None:
    metrics = "metrics: {errors: {http: /m, jq: .errors, unit: ratio}}\n"
    check = read_well(tmp_path, SMALL + metrics).metrics["errors"].check
    assert check is not None
    for plain, status, value in ((0.08, "pass", 0.08), (None, "unknown", None), ("fail", "unknown", None)):
        recorded = Recorded({"errors": read_answer("errors", plain)})
        row = measure_now(
            {"errors": check}, replace(surroundings(tmp_path, url="http://service.invalid"), recorded=recorded)
        )["errors"]
        assert (row.status, row.value) == (status, value)


@pytest.mark.parametrize(
    ("key", "plain", "told"),
    [
        ("GET /x", "fine", "a status, or a mapping"),
        ("GET /x", {"value": 3}, "'value' is no part"),
        ("tables", {"status": 200}, "'status' is no part"),
        ("tables", [1, 2], "one value is meant"),
        ("tables", {"is": "maybe"}, "Invalid enum value 'maybe'"),
        ("GET /x", {"status": "ok"}, "Expected `int`"),
    ],
)
def test_an_answer_that_cannot_be_read_says_why(key: str, plain: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        read_answer(key, plain)


def test_requests_are_told_from_checks_by_their_names() -> None:
    for key in ("GET /x", "/x?a=b", "post /x", "http://host/x", "HEAD https://host", "*"):
        assert names_request(key), key
    for key in ("health", "verify/health", "GET", "get_x", "x y", "tables exist"):
        assert not names_request(key), key


def test_amounts_are_read_with_their_units() -> None:
    assert amount_of("8%") == (8.0, "percent")
    assert amount_of("900ms") == (900.0, "ms")
    assert amount_of("$40") == (40.0, "usd")
    assert amount_of("64GiB")[1] == "bytes"
    for plain in ("HEALTHY", "13.0", "2.4.0", "12 monkeys", 7, None, True):
        assert amount_of(plain) == (plain, None)
