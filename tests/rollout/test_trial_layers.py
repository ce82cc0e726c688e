"""What a test says over what it is like and over its file; and answers that would pass whatever the service does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from runbook.playbook.trial_layers import joined, laid, laid_over
from runbook.rollout.trial_answers import file_problems
from runbook.rollout.trial_outcomes import outcome_of
from runbook.rollout.trials import play
from tests.playbook.reads import load_text, read_well, told
from tests.rollout.test_trials import outcomes_of, troubles

LAID: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"ready/x": "pass"}, {"x": "fail"}, {"x": "fail"}),
    ({"x": "pass"}, {"ready/x": "fail"}, {"ready/x": "fail"}),
    ({"steady/x": "pass"}, {"ready/x": "fail"}, {"steady/x": "pass", "ready/x": "fail"}),
    ({"error_rate": 0.1}, {"metrics/error_rate": 0.9}, {"metrics/error_rate": 0.9}),
    ({"GET /a": 200}, {"/a": 500}, {"/a": 500}),
    ({"get /a": 200}, {"GET /a": 500}, {"GET /a": 500}),
    ({"GET https://h/api/a": 200}, {"GET /a": 500}, {"GET /a": 500}),
    ({"/a": 200}, {"GET /a": 500}, {"/a": 200, "GET /a": 500}),
    ({"/a": 200, "up": "pass"}, {"*": {"down": True}}, {"up": "pass", "*": {"down": True}}),
    ({"/a": {"text": "x"}}, {"/a": {"json": 1}}, {"/a": {"json": 1}}),
    ({"/a": {"down": True}}, {"/a": {"json": 1}}, {"/a": {"json": 1}}),
    ({"/a": {"down": True}}, {"/a": {"status": 200}}, {"/a": {"status": 200}}),
    ({"/a": {"json": 1, "status": 201}}, {"/a": {"timeout": True}}, {"/a": {"timeout": True}}),
    ({"x": {"is": "fail", "message": "m"}}, {"x": {"value": 3}}, {"x": {"value": 3}}),
    ({"x": {"value": 3}}, {"x": {"exit": 1}}, {"x": {"exit": 1}}),
    ({"x": {"rows": [[1]]}}, {"x": {"values": {"a": 1}}}, {"x": {"values": {"a": 1}}}),
    ({"x": {"values": {"a": 1, "b": 2}}}, {"x": {"values": {"a": 3}}}, {"x": {"values": {"a": 3, "b": 2}}}),
    ({"/a": {"json": {"a": 1, "b": 2}}}, {"/a": {"json": {"a": 3}}}, {"/a": {"json": {"a": 3, "b": 2}}}),
]


@pytest.mark.parametrize(("base", "ours", "whole"), LAID)
def test_what_is_said_last_wins(base: dict[str, Any], ours: dict[str, Any], whole: dict[str, Any]) -> None:
    assert laid_over(base, ours, "https://h/api") == whole


def test_headers_merge_whatever_their_case() -> None:
    assert joined("/a", {"headers": {"X-A": "1", "b": "2"}}, {"headers": {"x-a": "3"}}) == {
        "headers": {"b": "2", "x-a": "3"}
    }


def test_each_answer_knows_when_it_was_said() -> None:
    assert laid([{"up": "pass", "/a": 200}, {"/b": 200}, {"verify/up": "fail"}]).said == {
        "/a": 0, "/b": 1, "verify/up": 2,
    }  # fmt: skip


HOLD = [
    # By id first, then by the request that its check asks: what was said last wins.
    ("answers: {up: pass}, expect: {checks: {up: pass}}", "answers: {GET /health: 500}, expect: {checks: {up: fail}}"),
    ("answers: {up: pass}, expect: {checks: {up: pass}}", 'answers: {"*": {down: true}}, expect: {checks: {up: fail}}'),
    ("answers: {verify/up: pass}, expect: {checks: {up: pass}}", "answers: {up: fail}, expect: {checks: {up: fail}}"),
    ("answers: {errors: 1%}, expect: {severity: P0}", "answers: {metrics/errors: 8%}, expect: {severity: P0}"),
    ("answers: {GET /m?x=1: 500}, expect: {gate: go}", "answers: {}, expect: {gate: go}"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "ours"), HOLD)
def test_a_test_wins_over_the_one_that_it_is_like(tmp_path: Path, base: str, ours: str) -> None:
    [_, outcome] = outcomes_of(tmp_path, f"like: well, {base}", f"like: t0, {ours}")
    assert outcome.holds, troubles(outcome)


def test_a_test_wins_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text(json.dumps({"verify/up": "pass", "live": "pass"}))
    first = "answers: answers.json, expect: {checks: {up: pass}}"
    [base, over] = outcomes_of(tmp_path, first, "like: t0, answers: {up: fail}, expect: {checks: {up: fail}}")
    assert base.holds
    assert over.holds, troubles(over)
    (tmp_path / "worse.json").write_text(json.dumps({"up": "fail"}))
    [_, other] = outcomes_of(
        tmp_path, "answers: {verify/up: pass}, expect: {checks: {up: pass}}",
        "like: t0, answers: worse.json, expect: {checks: {up: fail}}",
    )  # fmt: skip
    assert other.holds, troubles(other)


FILES = [
    ('{"a": ' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
    ('{"GET /health": {"json": ' + "[" * 100_000 + "]" * 100_000 + "}}", "nested too deeply"),
    ('{"nobody": "pass"}', "there is no check or metric 'nobody'"),
    ('{"up": 500}', "takes no value out and expects none"),
    ('{"p95": "9%"}', "9% is no value of p95"),
]


@pytest.mark.parametrize(("content", "said"), FILES)
def test_a_strange_file_is_told(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "a.json").write_text(content)
    [outcome] = outcomes_of(tmp_path, "answers: a.json, expect: {checks: {up: pass}}")
    assert said in troubles(outcome)


def test_lint_can_tell_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    test = "  - {test: a, answers: a.json, expect: {checks: {up: pass}}}\n"
    loaded = load_text(tmp_path, SMALL + test)
    assert loaded.playbook is not None
    (tmp_path / "a.json").write_text('{"answers": {"metrics/errors": {"value": 0.1}, "verify/up": "pass"}}')
    assert file_problems(loaded.playbook, loaded.sources, tmp_path) == []
    (tmp_path / "a.json").write_text('{"upp": "pass"}')
    [problem] = file_problems(loaded.playbook, loaded.sources, tmp_path)
    assert "a.json: upp: there is no check or metric 'upp' (did you mean up?)" in problem.message
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (SMALL.count("\n") + 1, 24)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    [outcome] = outcomes_of(tmp_path, "answers: a.json, expect: {checks: {up: pass}}")
    assert "a.json cannot be read: it is a named pipe" in troubles(outcome)
    (tmp_path / "a.json").unlink()
    (tmp_path / "a.json").symlink_to("/dev/zero")
    [outcome] = outcomes_of(tmp_path, "answers: a.json, expect: {checks: {up: pass}}")
    assert "a.json cannot be read: it is a device" in troubles(outcome)


SMALL = """\
runbook: 1
service: soup
flags: {percent: SOUP_PERCENT, safe: {SOUP_PERCENT: 0}}
environments:
  local: {url: "https://soup.example.com/api", flags_in: {env: soup.env}, redeploy: {command: [sh, restart.sh]}}
rollback: {set: safe}
verify:
  - {check: Up, http: /health}
  - {check: Other, http: "https://other.example.com/health"}
metrics:
  errors: {http: /m, jq: .errors, unit: ratio}
  p95: {http: /m, jq: .p95, unit: ms}
  calm: {value: 1}
stages:
  - stage: first
    percent: 10
    bake: 1h
    triggers:
      - {when: "errors > 5%", then: notify}
      - {when: "errors > 5%", then: hold}
      - {when: "avg(p95, 10m) > 5s", then: hold}
tests:
"""
WELL = "at: first@10, answers: {up: pass, other: pass, errors: 1%, p95: 900ms"


def small(folder: Path, test: str) -> str:
    """Why a test of the small playbook does not hold; nothing where it does."""
    playbook = read_well(folder, f"{SMALL}  - {{test: a, {test}}}\n")
    return troubles(outcome_of(playbook, play(playbook, playbook.tests[0], folder)))


def test_both_actions_of_one_condition_fire(tmp_path: Path) -> None:
    eight = WELL.replace("1%", "8%")
    assert "hold expected, hold, notify came" in small(tmp_path, eight + "}, expect: {fires: [hold]}")
    assert "notify expected, hold, notify came" in small(tmp_path, eight + "}, expect: {fires: [notify]}")
    assert small(tmp_path, eight + "}, expect: {fires: [notify, hold]}") == ""
    slow = eight.replace("900ms", "9s")
    assert 'hold (avg(p95, 10m) > 5s)' in small(tmp_path, slow + '}, expect: {fires: ["errors > 5%"]}')  # fmt: skip


def test_a_value_is_brought_into_the_unit_of_its_metric(tmp_path: Path) -> None:
    slow = WELL.replace("900ms", "{value: 9s}")
    assert small(tmp_path, slow + '}, expect: {fires: ["avg(p95, 10m) > 5s"]}') == ""


def test_answers_hold_until_a_window_is_full_of_them(tmp_path: Path) -> None:
    slow = WELL.replace("900ms", "6s") + '}, before: {p95: 100ms}, expect: {fires: ["avg(p95, 10m) > 5s"]}'
    assert small(tmp_path, slow) == ""


def test_the_bake_that_is_said_stays_so_long(tmp_path: Path) -> None:
    test = WELL + "}, bake: 5m, expect: {fires: [], gates: {bake: fail}, gate: no-go}"
    assert small(tmp_path, test) == ""
    assert small(tmp_path, test.replace("fires: [], ", "")) == ""


def test_a_path_is_below_the_environments_url(tmp_path: Path) -> None:
    rest = "expect: {checks: {up: pass, other: pass}}"
    both = "answers: {GET /health: 200}, " + rest
    assert "write whose answer it is" in small(tmp_path, both)
    assert small(tmp_path, 'answers: {GET /health: 200, "GET https://other.example.com/health": 200}, ' + rest) == ""
    assert small(tmp_path, 'answers: {"https://soup.example.com/api/health": 200, other: pass}, ' + rest) == ""
    assert "nothing recorded" in small(tmp_path, "answers: {GET /api/health: 200, other: pass}, " + rest)


REFUSED = [
    ("answers: {up: 500}", "'Up' takes no value out and expects none"),
    ("answers: {up: refused}", "'Up' takes no value out and expects none"),
    ("answers: {up: {exit: 1}}", "exit, output and errors are of a program"),
    ("answers: {up: {rows: [[1]]}}", "rows are of a query"),
    ("answers: {errors: 9s}", "9s is no value of errors"),
    ("baseline: {p95: 9%}", "9% is no value of p95"),
    ("left: {first: {nope: 1%}}", "there is no metric 'nope'"),
]


@pytest.mark.parametrize(("written", "said"), REFUSED)
def test_an_answer_that_nothing_judges_is_refused_with_its_place(tmp_path: Path, written: str, said: str) -> None:
    found = told(load_text(tmp_path, f"{SMALL}  - {{test: a, {written}, expect: {{gate: go}}}}\n"))
    assert len(found) == 1, found
    assert said in found[0]
    assert found[0].startswith(f"{SMALL.count(chr(10)) + 1}:")
