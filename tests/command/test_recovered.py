"""After the emergency: the clock against the objective, what is left as it was, and whether the numbers recover."""

from __future__ import annotations

import re
import signal

import pytest

from tests.command.project import FLAGS, Project, Ran
from tests.command.waiting import wait_until
from tests.terminal.screen import on_terminal

METRICS = """
  errors: {http: /numbers, jq: .errors, unit: ratio, interval: 1s}
  p95: {http: /numbers, jq: .p95, unit: ms, interval: 1s}"""
RECOVERED = '{set: safe, objective: 1m, incident: P1, recovered: "errors < 1% for 1s"}'


@pytest.fixture
def failing(project: Project) -> Project:
    """At first@10, with errors; the playbook says when it counts as recovered."""
    project.write(metrics=METRICS, rollback=RECOVERED)
    project.at_first().numbers(errors=0.08)
    return project


def test_the_time_is_held_against_the_objective(project: Project) -> None:
    ran = project.at_first().json("rollback", "--emergency", "--yes")
    document = ran.document
    assert document["how"] == "emergency" and document["objective"] == 60
    assert 0 < document["seconds"] < 60 and document["within_objective"] is True
    project.write(rollback="{set: safe, objective: 1ms}")
    late = project.json("rollback", "--emergency", "--yes").document
    assert late["within_objective"] is False and late["seconds"] > 0.001
    ran = project.run("rollback", "--emergency", "--yes")
    assert re.search(r"^SAFE  after .*  later than the objective of 1 ms$", ran.out, re.MULTILINE), ran
    assert "00:00 of 00:00" in ran.err
    assert len(re.findall(r"^  ok  \w+ .*  00:0\d$", ran.err, re.MULTILINE)) == 3, ran.err
    project.write(rollback="{set: safe}")
    none = project.json("rollback", "--emergency", "--yes").document
    assert (none["objective"], none["within_objective"]) == (None, None)


def test_a_key_that_the_way_back_does_not_name_stays_and_is_no_drift(project: Project) -> None:
    project.write(rollback="{set: {RANKER_SHARE: 0}}")
    assert project.at_first().run("rollback", "--emergency", "--yes").code == 0
    assert project.running() == {**project.running(), "RANKER_SHARE": "0", "RANKER_MODEL": "small"}
    status = project.run("status")
    assert status.code == 0 and "drift" not in status.said
    plan = project.json("ramp", "10", "--dry-run").document["plan"]
    assert any("RANKER_SHARE" in line for line in plan[0]["diff"])


def left_to_recover(project: Project, *args: str) -> Ran:
    """The way back, watched; the numbers recover when it has been seen that they have not."""
    process = project.start(*args, "--yes", "--watch", "--format", "json")
    wait_until(lambda: bool(project.events("position.entered")[1:]))
    before = project.asked("/numbers")
    wait_until(lambda: project.asked("/numbers") >= before + 2)
    project.numbers(errors=0.004)
    return project.ended(process, args)


@pytest.mark.parametrize("way", [("--emergency",), ()])
def test_watched_until_the_numbers_have_recovered(failing: Project, way: tuple[str, ...]) -> None:
    ran = left_to_recover(failing, "rollback", *way)
    assert ran.code == 0 and ran.document["recovered"] is True, ran
    assert re.search(
        r"Watching recovery for up to 30 m \(Ctrl-C leaves, nothing is lost\): 8 %(\s+-> \S+ %)*\s+-> 0.4 %\n", ran.err
    ), ran
    [told] = failing.events("recovered")
    assert told["payload"]["condition"] == "errors < 1% for 1s" and told["payload"]["observed"] == "0.4 %"
    assert told["payload"]["seconds"] >= 1
    assert failing.flags.read_text() == FLAGS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_leaves_changes_nothing_of_how_it_ended(failing: Project, number: signal.Signals) -> None:
    process = failing.start("rollback", "--emergency", "--yes", "--watch", "--format", "json")
    wait_until(lambda: bool(failing.events("operation.ended")[1:]))
    before = failing.asked("/numbers")
    wait_until(lambda: failing.asked("/numbers") >= before + 2)
    process.send_signal(number)
    ran = failing.ended(process, ("rollback",))
    assert ran.code == 0 and ran.document["recovered"] is False, ran
    assert failing.events("recovered") == []


def test_without_the_condition_or_a_baseline_it_says_so_at_once(project: Project) -> None:
    ran = project.at_first().json("rollback", "--emergency", "--yes", "--watch")
    assert ran.code == 0 and ran.document["recovered"] is None
    project.write(metrics=METRICS, rollback='{set: safe, recovered: "errors <= errors@baseline"}')
    ran = project.run("rollback", "--emergency", "--yes", "--watch")
    assert ran.code == 0
    assert "no baseline was captured; watching errors alone cannot tell" in ran.out


def test_a_service_that_does_not_answer_afterwards_is_unknown_and_the_way_back_is_done(failing: Project) -> None:
    process = failing.start("rollback", "--emergency", "--yes", "--watch", "--format", "json")
    failing.numbers("not a number")
    wait_until(lambda: bool(failing.events("operation.ended")[1:]))
    before = failing.asked("/numbers")
    wait_until(lambda: failing.asked("/numbers") >= before + 2)
    process.send_signal(signal.SIGINT)
    ran = failing.ended(process, ("rollback",))
    assert ran.code == 0 and "unknown" in ran.err, ran


def test_on_a_terminal_the_verdict_comes_first_and_ctrl_c_leaves(failing: Project) -> None:
    with on_terminal(failing, "rollback", "--emergency", "--yes") as terminal:
        terminal.wait_for("SAFE").wait_for("Watching recovery").wait_for("8 %")
        terminal.key_in("\x03")
        assert terminal.end() == 0
        assert terminal.text.count("SAFE") == 1 and "Recovery: left; it saw 8 % last" in terminal.text
        assert terminal.text.rindex("Next:") > terminal.text.index("Recovery:")
    assert failing.flags.read_text() == FLAGS
