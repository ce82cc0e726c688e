"""Judging a sample on a terminal: item by item, one key an answer; left in the middle, nothing is recorded."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from tests.command.project import Project
from tests.servers import answer
from tests.terminal.screen import on_terminal

LISTS = """
  ready:
    - {check: Answers read well, id: answers, inspect: /answers, list: ".items[]", sample: 3,
       questions: [Is it right, Is it short?], share: 60%, valid: 7d}"""


@pytest.fixture
def asked(project: Project) -> Project:
    project.write(checklists=LISTS)
    project.script("/answers", answer(json.dumps({"items": ["alpha", "be\x1b[2Jta", {"text": "gamma"}]})))
    return project


def recorded(project: Project) -> list[tuple[bool, str]]:
    return [(event["payload"]["yes"], event["payload"]["evidence"]) for event in project.events("check.signed")]


def test_each_item_is_shown_and_each_question_asked(asked: Project) -> None:
    with on_terminal(asked, "sign", "answers", "--evidence", "read twice") as terminal:
        terminal.wait_for("Answers read well: item 1 of 3").wait_for("alpha").wait_for("Is it right?").key_in("y")
        terminal.wait_for("Is it short?").key_in("Y")
        terminal.wait_for("item 2 of 3").wait_for("Is it right?").key_in("x").key_in("y")
        terminal.wait_for("Is it short?").key_in("n")
        terminal.wait_for("item 3 of 3").wait_for("gamma").wait_for("Is it right?").key_in("y")
        terminal.wait_for("Is it short?").key_in("y")
        assert terminal.end() == 0
        assert b"\x1b[2Jta" not in terminal.seen, "what an item holds is no command to the terminal"
    [(yes, evidence)] = recorded(asked)
    assert yes is True
    assert evidence.startswith("2 of 3, 66.7 %")
    assert evidence.endswith(": item 2: Is it short? no; read twice")
    assert asked.run("preflight").code == 0


def test_too_few_are_a_no(asked: Project) -> None:
    with on_terminal(asked, "sign", "answers") as terminal:
        for number in (1, 2, 3):
            for question in ("Is it right?", "Is it short?"):
                terminal.wait_for(f"item {number} of 3" if question == "Is it right?" else question).key_in("n")
        assert terminal.end() == 0
    [(yes, evidence)] = recorded(asked)
    assert (yes, evidence.startswith("0 of 3")) == (False, True)
    assert asked.run("preflight").code == 1


@pytest.mark.parametrize(("key", "code"), [("q", 3), ("\x03", 130)])
def test_who_leaves_before_the_end_leaves_nothing_behind(asked: Project, key: str, code: int) -> None:
    with on_terminal(asked, "sign", "answers") as terminal:
        terminal.wait_for("Is it right?").key_in("y")
        terminal.wait_for("Is it short?").key_in(key)
        assert terminal.end() == code
    assert recorded(asked) == []


def test_preflight_asks_in_the_same_way_and_not_twice(asked: Project) -> None:
    with on_terminal(asked, "preflight") as terminal:
        terminal.wait_for("item 1 of 3").key_in("q")
        terminal.wait_for("left open: runbook sign ready/answers")
        assert terminal.end() == 3
    with on_terminal(asked, "preflight") as terminal:
        for _ in range(6):
            terminal.wait_for("q leaves").key_in("y")
        assert terminal.end() == 0
    assert [yes for yes, _ in recorded(asked)] == [True]
    with on_terminal(asked, "preflight") as terminal:
        assert terminal.end() == 0, "nothing is asked twice"


def test_a_waived_sample_is_not_asked_for(asked: Project) -> None:
    assert asked.run("waive", "answers", "--until", "2d", "--reason", "later").code == 0
    with on_terminal(asked, "preflight") as terminal:
        assert terminal.end() == 0


def test_nothing_to_judge_is_told(asked: Project) -> None:
    asked.script("/answers", answer('{"items": []}'))
    with on_terminal(asked, "sign", "answers") as terminal:
        assert terminal.end() == 3
        assert "there is no item in /answers" in terminal.text
    assert recorded(asked) == []


def test_what_was_typed_before_anything_was_shown_judges_nothing(asked: Project) -> None:
    typed = threading.Event()

    def late(connection: socket.socket, request: str) -> None:
        typed.wait(20)
        answer('{"items": ["alpha"]}')(connection, request)

    asked.script("/answers", late)
    with on_terminal(asked, "sign", "answers") as terminal:
        terminal.wait_for("fetching /answers").key_in("nnnn")
        typed.set()
        terminal.wait_for("Is it right?").key_in("y")
        terminal.wait_for("Is it short?").key_in("y")
        assert terminal.end() == 0
    assert [yes for yes, _ in recorded(asked)] == [True]
