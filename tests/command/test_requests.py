"""How often a look asks: what several checks and metrics have in common is asked for once."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.command.project import Project
from tests.servers import answer

PLACES = [f"/numbers/{number}" for number in range(5)]
FIFTY = "\n" + "".join(
    f"  m{number}: {{http: {PLACES[number % 5]}, jq: .n{number // 5}, unit: ms, target: '< 1s'}}\n"
    for number in range(50)
)
GATES = ", ".join(f"'m{number} < 1s'" for number in range(0, 50, 7))
STAGES = f"""
  - {{stage: off, percent: 0}}
  - {{stage: first, percent: 10, set: {{RANKER_MODEL: small}}, requires: [ready], gates: [{GATES}]}}
  - {{stage: wide, percent: [50, 100]}}"""
READY = "\n  ready:\n" + "".join(
    f"    - {{check: Number {place[-1]}, http: {place}, jq: .n0, expect: '< 1000'}}\n" for place in PLACES
)


def with_numbers(project: Project) -> Project:
    for place in PLACES:
        project.script(place, answer(json.dumps({f"n{number}": number for number in range(10)})))
    return project


def asked(project: Project) -> Counter[str]:
    """The paths asked for since this was called last."""
    heads = list(project.service.asked)
    project.service.asked.clear()
    return Counter(head.split(" ")[1].partition("?")[0] for head in heads)


@pytest.fixture
def fifty(project: Project) -> Project:
    with_numbers(project).write(metrics=FIFTY, stages=STAGES, checklists=READY)
    return project


def test_fifty_metrics_of_five_places_are_five_requests(fifty: Project) -> None:
    ran = fifty.json("health-check")
    assert ran.code == 0, ran
    assert len(ran.document["metrics"]) == 50
    assert {row["status"] for row in ran.document["metrics"]} == {"pass"}
    counted = asked(fifty)
    assert Counter({path: counted[path] for path in PLACES}) == Counter(PLACES)
    assert sum(counted.values()) <= 5 + 2  # and what `verify` asks


def test_a_gate_and_the_checks_of_a_ramp_share_them_too(fifty: Project) -> None:
    fifty.at_first()
    asked(fifty)
    assert fifty.run("gate").code == 0
    counted = asked(fifty)
    assert Counter({path: counted[path] for path in PLACES}) == Counter(PLACES)
    assert fifty.run("ramp", "50", "--dry-run").code == 0
    counted = asked(fifty)
    assert all(counted[path] <= 1 for path in PLACES)


def test_a_preflight_asks_each_place_once(project: Project) -> None:
    many = "\n  ready:\n" + "".join(
        f"    - {{check: Number {number}, http: {PLACES[number % 5]}, jq: .n{number // 5}, expect: '< 1000'}}\n"
        for number in range(50)
    )
    with_numbers(project).write(checklists=many)
    ran = project.json("preflight")
    assert ran.code == 0, ran
    assert sum(row["kind"] == "http" for row in ran.document["checks"]) == 50
    counted = asked(project)
    assert Counter({path: counted[path] for path in PLACES}) == Counter(PLACES)


def test_who_asks_and_what_is_put_in_tell_requests_apart(project: Project) -> None:
    """Ten metrics with the operator's token, ten with another's, ten with none: three requests, each with its own."""
    one = "http: '/numbers/${PART}', jq: .n1, unit: ms, headers: {X-Key: '${KEY}'}"
    other = "http: '/numbers/0', jq: .n2, unit: ms, auth: {bearer: '${OTHER}'}"
    nobody = "http: '/numbers/0', jq: .n3, unit: ms"
    kinds = [one, other, nobody]
    metrics = "\n" + "".join(f"  m{number}: {{{kinds[number % 3]}}}\n" for number in range(30))
    with_numbers(project).write(metrics=metrics, stages="[{stage: off, percent: 0}, {stage: first, percent: 10}]")
    ran = project.json("health-check", env={"PART": "0", "KEY": "key-of-ana", "OTHER": "key-of-ben"})
    assert ran.code == 0, ran
    assert {row["status"] for row in ran.document["metrics"]} == {"pass"}
    heads = [head.lower() for head in project.service.asked if " /numbers/0 " in head]
    assert len(heads) == 3
    assert sum("x-key: key-of-ana" in head for head in heads) == 1
    assert sum("authorization: bearer key-of-ben" in head for head in heads) == 1
    assert sum("key-of" in head for head in heads) == 2
    assert "key-of" not in ran.said


def test_equal_queries_are_asked_once(project: Project) -> None:
    """Thirty metrics on three queries: three requests for values, and one for the freshness of each."""
    queries = [f'errors{{job="{job}"}}' for job in ("a", "b", "c")]
    metrics = "\n" + "".join(
        f"  m{number}: {{prometheus: http://127.0.0.1:PORT, query: '{queries[number % 3]}', unit: count}}\n"
        for number in range(30)
    )

    def tell(connection: socket.socket, request: str) -> None:
        now = time.time()
        query = parse_qs(urlsplit(request.split(" ")[1]).query)["query"][0]
        value = now - 1 if "timestamp(" in query else 7
        vector = [{"metric": {}, "value": [now, str(value)]}]
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": vector}})
        answer(body, headers="Content-Type: application/json\r\n")(connection, request)

    project.script("/api/v1/query", tell)
    project.write(metrics=metrics, stages="[{stage: off, percent: 0}, {stage: first, percent: 10}]")
    ran = project.json("health-check")
    assert ran.code == 0, ran
    assert {row["status"] for row in ran.document["metrics"]} == {"pass"}
    heads = [head for head in project.service.asked if "/api/v1/query?" in head]
    assert len(heads) == len(set(heads)) == 6
