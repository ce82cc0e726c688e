"""What `runbook test` makes of recorded answers is what `preflight` and `gate` make of a server that answers so."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.command.project import Project, made_in
from tests.servers import Script, answer, raw

HTML = "<html><body>502 Bad Gateway</body></html>"


def silent(connection: socket.socket, request: str) -> None:
    """Say nothing until the other side goes."""
    connection.recv(1)


def led(where: str) -> Script:
    return answer("", status="302 Found", headers=f"Location: {where}\r\n")


def told(document: object) -> Script:
    return answer(json.dumps(document))


class Case(NamedTuple):
    """A check, what the server says at its path, what is recorded for that, and how it comes out."""

    check: str
    live: Script
    recorded: Any
    status: str


CASES = {
    "/up": Case("http: /up", told({}), {"GET /up": 200}, "pass"),
    "/broken": Case("http: /broken", answer("", status="500 Broken"), {"GET /broken": 500}, "fail"),
    "/gone": Case("http: /gone", raw(b""), {"/gone": {"down": True}}, "fail"),
    "/few": Case('http: /few, jq: .n, expect: "< 5"', told({"n": 3}), {"/few": {"json": {"n": 3}}}, "pass"),
    "/many": Case('http: /many, jq: .n, expect: "< 5"', told({"n": 9}), {"GET /many": {"json": {"n": 9}}}, "fail"),
    "/none": Case('http: /none, jq: .n, expect: "< 5"', told({"n": None}), {"/none": {"json": {"n": None}}}, "unknown"),
    "/html": Case('http: /html, jq: .n, expect: "< 5"', answer(HTML), {"/html": {"text": HTML}}, "unknown"),
    "/silent": Case("http: /silent, timeout: 300ms", silent, {"/silent": {"took": 0.3}}, "fail"),
    "/mute": Case('http: /mute, timeout: 300ms, jq: .n, expect: "< 5"', silent, {"/mute": {"took": 9}}, "unknown"),
    "/left": Case("http: /left", led("/up"), {"/left": {"status": 302, "headers": {"Location": "/up"}}}, "fail"),
    "/led": Case(
        "http: /led, max_redirects: 1", led("/up"), {"/led": {"status": 302, "headers": {"Location": "/up"}}}, "pass"
    ),
    "/round": Case(
        "http: /round, max_redirects: 3",
        led("/round"),
        {"/round": {"status": 302, "headers": {"Location": "/round"}}},
        "fail",
    ),
    "/away": Case(
        "http: /away, max_redirects: 3",
        led("http://127.0.0.1:9/up"),
        {"/away": {"status": 302, "headers": {"Location": "http://127.0.0.1:9/up"}}},
        "fail",
    ),
    "/ready": Case("http: /ready, matches: '^ok'", answer("no"), {"/ready": {"text": "no"}}, "fail"),
    "/unmet": Case("http: /unmet, list: '.un[]'", told({"un": ["a"]}), {"/unmet": {"json": {"un": ["a"]}}}, "fail"),
    "/day?n=1": Case('http: "/day?n=1", jq: .n, expect: "> 0"', told({"n": 1}), {"/day": {"json": {"n": 1}}}, "pass"),
    "/whole": Case('http: "http://127.0.0.1:PORT/whole"', told({}), {"get http://127.0.0.1:PORT/whole": 200}, "pass"),
    "/made": Case("run: 'exit 3', reads: true", told({}), {"CHECK": {"exit": 3}}, "fail"),
    "/post": Case("http: /post, method: POST, reads: true", told({}), {"GET /post": 500, "POST /post": 200}, "pass"),
}  # fmt: skip


@pytest.fixture(scope="module")
def at_first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with made_in(tmp_path_factory.mktemp("agrees") / "project") as made:
        yield made.at_first()


def test_each_check_comes_out_as_it_does_live(tmp_path: Path) -> None:
    with made_in(tmp_path / "project") as project:
        checks = [f"{{check: Number {number}, {case.check}}}" for number, case in enumerate(CASES.values())]
        lists = "\n  ready:\n" + "".join(f"    - {one}\n" for one in checks).replace("PORT", str(project.service.port))
        project.write(checklists=lists)
        for path, case in CASES.items():
            project.script(path.partition("?")[0], case.live)
        live = project.json("preflight", "first")
        came = {row["title"]: row["status"] for row in live.document["checks"] if "Number" in row["title"]}
        assert came == {f"Number {number}": case.status for number, case in enumerate(CASES.values())}
        answers: dict[str, Any] = {}
        for number, case in enumerate(CASES.values()):
            answers |= {
                key.replace("CHECK", f"number_{number}").replace("PORT", str(project.service.port)): one
                for key, one in case.recorded.items()
            }
        expect = {
            "checks": {f"ready/number_{number}": case.status for number, case in enumerate(CASES.values())},
            "preflight": live.document["verdict"],
        }
        trial = {"test": "all", "enters": "first", "answers": answers, "expect": expect}
        project.write(checklists=lists, tests=json.dumps([trial]))
        assert project.run("test").code == 0, project.run("test")


class Numbers(NamedTuple):
    """What the endpoint of the numbers says, what is recorded for it, and the verdict of both."""

    live: Script
    recorded: Any
    verdict: str


WELL = {"GET /health": 200, "live_share": "pass"}
GATES = {
    "well": Numbers(told({"errors": 0.002, "p95": 700}), {"/numbers": {"json": {"errors": 0.002, "p95": 700}}}, "go"),
    "null": Numbers(told({"errors": None, "p95": 700}), {"/numbers": {"json": {"p95": 700}}}, "unknown"),
    "a share above one": Numbers(told({"errors": 3, "p95": 700}), {"metrics/errors": 3, "metrics/p95": 700}, "unknown"),
    "503": Numbers(answer(HTML, status="503 No"), {"GET /numbers": 503}, "unknown"),
    "errors": Numbers(told({"errors": 0.03, "p95": 700}), {"errors": "3%", "p95": "700ms"}, "no-go"),
    "slow": Numbers(told({"errors": 0.002, "p95": 9000}), {"errors": "0.2%", "p95": {"value": "9s"}}, "no-go"),
}


def test_a_gate_decides_as_it_does_live(at_first: Project) -> None:
    """In this order: what was seen during the bake counts, and after what is beyond a limit nothing is a go."""
    for name, case in GATES.items():
        at_first.script("/numbers", case.live)
        at_first.write()
        live = at_first.json("gate")
        answers = {**WELL, **case.recorded}
        trial = {"test": name, "at": "first@10", "answers": answers, "expect": {"gate": case.verdict}}
        at_first.write(tests=json.dumps([trial]))
        ran = at_first.run("test")
        assert (live.document["verdict"], ran.code) == (case.verdict, 0), (live.out, ran.out)
