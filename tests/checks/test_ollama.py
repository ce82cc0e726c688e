"""`ollama`: the server answers and has the models, or what is missing; whatever else answers is never a pass."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, looked_all, surroundings
from tests.hostile import BODIES, BROKEN
from tests.servers import answer, closed_port, scripted

HERE = ["nomic-embed-text:latest", "llama3:8b", "jo/tuned:v2", "hub.test:5000/team/small:latest", "bare"]


def tags(*names: Any) -> str:
    return json.dumps({"models": [{"name": name, "size": 1, "details": {"family": "x"}} for name in names]})


@pytest.mark.parametrize(
    ("models", "missing"),
    [
        ([], []),
        (["nomic-embed-text", "llama3"], []),
        (["nomic-embed-text:latest", "llama3:8b"], []),
        (["llama3:latest"], ["llama3:latest"]),
        (["llama3:70b", "llama3"], ["llama3:70b"]),
        (["llama"], ["llama"]),
        (["llama3:8"], ["llama3:8"]),
        (["jo/tuned", "jo/tuned:v2"], []),
        (["tuned"], ["tuned"]),
        (["hub.test:5000/team/small", "hub.test:5000/team/small:latest"], []),
        (["hub.test:5000/team/large"], ["hub.test:5000/team/large"]),
        (["bare"], []),
        (["bare:latest"], ["bare:latest"]),
        (["${MODEL}"], []),
    ],
)
def test_a_model_is_there_or_named(models: list[str], missing: list[str]) -> None:
    with scripted({"/api/tags": answer(tags(*HERE))}) as server:
        variables = Variables(process={"MODEL": "llama3"})
        row = looked({"ollama": server.url, "models": models}, variables=variables)
    assert row.status is (Status.FAIL if missing else Status.PASS), row
    assert list(row.listed) == missing
    if missing:
        assert row.message == f"pull what is missing with: ollama pull {missing[0]}"
        assert row.observed == f"{len(models) - len(missing)} of {len(models)} there"


def test_what_is_shown() -> None:
    with scripted({"/api/tags": answer(tags(*HERE)), "/one/api/tags": answer(tags("a"))}) as server:
        named, none, one = looked_all(
            [
                {"ollama": f"{server.url}/", "models": ["nomic-embed-text", "llama3"]},
                {"ollama": "/"},
                {"ollama": "/one"},
            ],
            url=server.url,
        )
        assert len(server.asked) == 2  # equal requests are made once
    assert [row.observed for row in (named, none, one)] == ["nomic-embed-text, llama3", "5 models", "1 model"]


@pytest.mark.parametrize("body", ['{"models": []}', '{"models": null}'])
def test_a_server_without_models(body: str) -> None:
    with scripted({"/api/tags": answer(body)}) as server:
        rows = looked_all([{"ollama": server.url}, {"ollama": server.url, "models": ["llama3"]}])
    assert [row.status for row in rows] == [Status.PASS, Status.FAIL]


def test_nothing_listens() -> None:
    with closed_port() as port:
        row = looked({"ollama": f"http://127.0.0.1:{port}", "models": ["llama3"]})
    assert (row.status, row.reason) == (Status.FAIL, None)
    assert "refused" in row.message


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers(name: str) -> None:
    with scripted({"/api/tags": BROKEN[name]}) as server:
        began = time.monotonic()
        around = surroundings(url=server.url, seconds=0.5)
        rows = looked_all([{"ollama": "/"}, {"ollama": "/", "models": ["llama3"]}], around)
        assert time.monotonic() - began < 2.0
    assert [row.status for row in rows] == [Status.FAIL] * 2
    assert all(row.message for row in rows)


@pytest.mark.parametrize("name", BODIES)
def test_broken_bodies(name: str) -> None:
    with scripted({"/api/tags": answer(BODIES[name])}) as server:
        rows = looked_all([{"ollama": server.url}, {"ollama": server.url, "models": ["llama3"]}])
    assert [(row.status, row.reason) for row in rows] == [(Status.UNKNOWN, Reason.ERROR)] * 2
    assert all(row.message.startswith("this does not answer as Ollama does") for row in rows)


@pytest.mark.parametrize(
    "body",
    [
        '{"models": {}}',
        '{"models": ""}',
        '{"models": false}',
        '{"models": []}1',
        '{"models": "llama3"}',
        '{"models": {"name": "llama3"}}',
        '{"models": ["llama3"]}',
        '{"models": [{}]}',
        '{"models": [{"name": null}]}',
        '{"models": [{"name": ["llama3"]}]}',
        '{"models": [{"name": "llama3"}, 5]}',
        '{"Models": [{"name": "llama3"}]}',
        '{"error": "unauthorized"}',
    ],
)
def test_lists_that_are_none(body: str) -> None:
    with scripted({"/api/tags": answer(body)}) as server:
        row = looked({"ollama": server.url, "models": ["llama3"]})
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)


def test_names_reach_no_terminal_raw() -> None:
    with scripted({"/api/tags": answer(tags("a"))}) as server:
        row = looked({"ollama": server.url, "models": ["\x1b]0;x\x07"]})
    assert not {"\x1b", "\x07"} & set(row.observed + row.message + "".join(row.listed))


def test_addresses_that_cannot_be_asked() -> None:
    relative = looked({"ollama": "/models"})
    assert (relative.status, relative.message) == (Status.UNKNOWN, "a relative URL, and the environment has no url")
    assert looked({"ollama": "${NOWHERE}"}).status is Status.UNKNOWN


def test_by_hand_and_what_is_wrong_before() -> None:
    options = a_check({"ollama": "http://x.test:11434/", "models": ["a"]}).options
    assert options.by_hand(None) == "curl -fsS http://x.test:11434/api/tags"
    assert options.presence()
    assert options.asserts()
    assert not options.takes_value()
    assert options.problems() == []
    assert len(a_check({"ollama": " ", "models": ["", "a b"]}).options.problems()) == 3
