"""The section `tests`: how it is read, and every name in it that the rest of the playbook does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.playbook.schema import playbook_schema
from runbook.playbook.trial import Expected, Trial, conditions_tried, overlaid
from runbook.playbook.trial_layers import merged
from tests.playbook.reads import load_text, read_well, told

PLAYBOOK = """\
runbook: 1
service: soup
flags: {percent: SOUP_PERCENT, safe: {SOUP_PERCENT: 0}}
environments:
  local: {url: "http://127.0.0.1:1", flags_in: {env: soup.env}, redeploy: {command: [sh, restart.sh]}}
verify: [{check: Up, http: /health}]
metrics:
  errors: {http: /m, jq: .errors, unit: ratio}
  complaints: {counter: complaint}
checklists:
  ready:
    - {check: Tables exist, sql: "${DB}", query: select 1, expect: "== 2"}
    - {check: Team agrees, sign: true}
    - {check: Both, http: /a}
  steady: [{check: Both, http: /b}]
stages:
  - {stage: "off", percent: 0}
  - stage: canary
    percent: [10, 20]
    fallback: 5
    gates: ["errors < 2%", {sign: No bug}]
    triggers: [{when: "errors > 5% for 5m", then: rollback}]
    sign: [verified_by]
matrix: [{when: "errors > 9%", then: halve}]
tests:
"""
WHOLE = """\
  - test: it goes back
    at: canary@10
    environment: local
    bake: 2h
    for: 10m
    time: 2025-12-24 10:00
    answers: {GET /health: 200, errors: 8%, metrics/complaints: 3, tables_exist: 2, ready/team_agrees: pass}
    before: {errors: 0.4%}
    baseline: {errors: 0.4%}
    left: {"off": {errors: 0.3%}}
    signed: {verified_by: yes, no_bug: no}
    incidents: [critical]
    expect:
      gate: no-go
      gates: {"errors < 2%": fail, verified_by: pass, bake: pass}
      checks: {tables_exist: pass, verify/up: pass}
      fires: [rollback, "errors > 9%"]
      severity: high
      metrics: {errors: critical}
      preflight: unknown
"""


def test_a_whole_test_is_read(tmp_path: Path) -> None:
    [trial] = read_well(tmp_path, PLAYBOOK + WHOLE).tests
    assert (trial.name, trial.at, trial.bake, trial.held) == ("it goes back", "canary@10", 7200.0, 600.0)
    assert trial.answers["errors"] == "8%"
    assert trial.signed == {"verified_by": True, "no_bug": False}
    assert trial.incidents == ("P0",)
    assert trial.expect.gates == {"errors < 2%": "fail", "verified_by": "pass", "bake": "pass"}
    assert (trial.expect.severity, trial.expect.fires) == ("P1", ("rollback", "errors > 9%"))


def test_little_is_enough(tmp_path: Path) -> None:
    [trial] = read_well(tmp_path, PLAYBOOK + "  - {test: small, expect: {fires: []}}\n").tests
    assert trial == Trial(name="small", expect=Expected(fires=()))


def test_the_bake_is_over_unless_it_is_said(tmp_path: Path) -> None:
    text = "  - {test: a, bake: over, expect: {gate: go}}\n  - {test: b, bake: 0s, expect: {gate: go}}\n"
    assert [one.bake for one in read_well(tmp_path, PLAYBOOK + text).tests] == [None, 0.0]


WRONG = [
    ("{test: a}", "a test without 'expect'"),
    ("{expect: {gate: go}}", "a test without 'test'"),
    ("{test: a, expect: {}}", "the test expects nothing"),
    ("{test: a, expect: {gate: maybe}}", "'maybe' is unknown here"),
    ("{test: a, expect: {gates: {bake: green}}}", "'green' is unknown here"),
    ("{test: a, expectt: {gate: go}, expect: {gate: go}}", "unknown key 'expectt' in a test"),
    ("{test: a, at: canry@10, expect: {gate: go}}", "there is no step 'canry@10'"),
    ("{test: a, at: canary@11, expect: {gate: go}}", "there is no step 'canary@11'"),
    ("{test: a, at: canary@ten, expect: {gate: go}}", "there is no step 'canary@ten'"),
    ("{test: a, environment: prod, expect: {gate: go}}", "there is no environment 'prod'"),
    ("{test: a, enters: canry, expect: {preflight: go}}", "there is no stage 'canry'"),
    ("{test: a, like: b, expect: {gate: go}}", "there is no test 'b'"),
    ("{test: a, like: a, expect: {gate: go}}", "the test 'a' is like itself"),
    ("{test: a, bake: long, expect: {gate: go}}", "long"),
    ("{test: a, time: noon, expect: {gate: go}}", "'noon' is no moment"),
    ("{test: a, answers: {GET /x: fine}, expect: {gate: go}}", "GET /x: the answer of a request is a status"),
    ("{test: a, answers: {eror: 8%}, expect: {gate: go}}", "there is no check or metric 'eror'"),
    ("{test: a, answers: {GET /x: {bodi: 1}}, expect: {gate: go}}", "'bodi' is no part of an answer"),
    ("{test: a, before: {tables: 2}, expect: {gate: go}}", "there is no check or metric 'tables'"),
    ("{test: a, answers: {complaints: -1}, expect: {gate: go}}", "one whole number from 0 to 1,000"),
    ("{test: a, answers: {complaints: 1000000000}, expect: {gate: go}}", "one whole number from 0 to 1,000"),
    ("{test: a, answers: {complaints: 1.5}, expect: {gate: go}}", "one whole number from 0 to 1,000"),
    ("{test: a, answers: {both: pass}, expect: {gate: go}}", "'both' may be ready/both or steady/both"),
    ("{test: a, expect: {checks: {both: pass}}}", "'both' may be ready/both or steady/both"),
    ("{test: a, answers: {up: 3}, expect: {gate: go}}", "'Up' takes no value out and expects none"),
    ("{test: a, baseline: {erors: 1%}, expect: {gate: go}}", "there is no metric 'erors'"),
    ("{test: a, baseline: {errors: low}, expect: {gate: go}}", "errors: the text 'low' is no number"),
    ("{test: a, left: {of: {errors: 1%}}, expect: {gate: go}}", "there is no stage 'of'"),
    ("{test: a, signed: [nobody], expect: {gate: go}}", "there is no role or manual item 'nobody'"),
    ("{test: a, signed: {verified_by: 3}, expect: {gate: go}}", "verified_by: the number 3 is no answer"),
    ("{test: a, incidents: [P9], expect: {gate: go}}", "'P9' is unknown here"),
    ("{test: a, expect: {checks: {upp: pass}}}", "there is no check 'upp'"),
    ("{test: a, expect: {metrics: {erors: ok}}}", "there is no metric 'erors'"),
    ('{test: a, at: canary@10, expect: {gates: {"errors < 3%": fail}}}', "there is no gate here 'errors < 3%'"),
    ("{test: a, at: canary@10, expect: {fires: [explode]}}", "there is no rule here 'explode'"),
    ('{test: a, at: "off@0", expect: {fires: ["errors > 5% for 5m"]}}', "there is no rule here 'errors > 5% for 5m'"),
]


@pytest.mark.parametrize(("written", "message"), WRONG)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, written: str, message: str) -> None:
    found = told(load_text(tmp_path, f"{PLAYBOOK}  - {written}\n"))
    assert len(found) == 1, found
    assert message in found[0]
    assert found[0].startswith(f"{PLAYBOOK.count(chr(10)) + 1}:")


def test_what_was_probably_meant_is_said(tmp_path: Path) -> None:
    text = "  - {test: a, at: canary@10, answers: {eror: 8%}, expect: {checks: {table_exists: pass}}}\n"
    hints = [problem.hint for problem in load_text(tmp_path, PLAYBOOK + text).errors]
    assert hints == ["did you mean errors?", "did you mean tables_exist?"]


def test_two_tests_of_one_title_are_refused(tmp_path: Path) -> None:
    text = "  - {test: a, expect: {gate: go}}\n  - {test: a, expect: {gate: no-go}}\n"
    assert "the test 'a' stands twice" in told(load_text(tmp_path, PLAYBOOK + text))[0]


def test_a_percentage_where_a_way_back_leads_is_a_place(tmp_path: Path) -> None:
    read_well(tmp_path, PLAYBOOK + "  - {test: a, at: canary@5, expect: {gate: no-go}}\n")


def test_a_test_takes_over_what_another_says_and_its_own_words_win() -> None:
    first = Trial(
        name="a", at="canary@10", answers={"GET /m": {"json": {"errors": 0.1, "p95": 900}}, "x": 1}, signed={"r": True}
    )
    second = Trial(name="b", like="a", answers={"GET /m": {"json": {"errors": 0.9}}}, expect=Expected(gate="no-go"))
    third = Trial(name="c", like="b", at="full@100", signed={"r": False}, expect=Expected(gate="go"))
    whole = overlaid(third, (first, second, third))
    assert (whole.name, whole.at, whole.signed, whole.expect.gate) == ("c", "full@100", {"r": False}, "go")
    assert whole.answers == {"GET /m": {"json": {"errors": 0.9, "p95": 900}}, "x": 1}
    assert first.answers["GET /m"]["json"]["errors"] == 0.1


def test_what_is_said_last_wins_under_a_wider_name_too() -> None:
    first = Trial(name="a", answers={"GET /m": 200, "POST /m": 200, "verify/up": "pass", "list/x": 1, "errors": 2})
    second = Trial(name="b", like="a", answers={"/m": 500, "up": "fail"})
    assert overlaid(second, (first, second)).answers == {"list/x": 1, "errors": 2, "/m": 500, "up": "fail"}
    third = Trial(name="c", like="a", answers={"*": {"down": True}, "GET /m": 201})
    whole = overlaid(third, (first, third)).answers
    assert whole == {"GET /m": 201, "verify/up": "pass", "list/x": 1, "errors": 2, "*": {"down": True}}


def test_lists_and_values_are_replaced_where_mappings_merge() -> None:
    assert merged({"a": [1, 2], "b": {"c": 1}}, {"a": [3], "b": {"d": 2}}) == {"a": [3], "b": {"c": 1, "d": 2}}


def test_an_emergency_does_not_mind_the_tests(tmp_path: Path) -> None:
    from runbook.playbook.load import load_emergency

    path = tmp_path / "playbooks" / "soup.yaml"
    path.parent.mkdir()
    path.write_text(PLAYBOOK + "  - {test: a, at: nowhere@7, expect: {gate: green}}\n")
    assert load_emergency(path, tmp_path).playbook is not None


def test_the_schema_knows_the_section() -> None:
    keys = playbook_schema()["properties"]["tests"]["items"]["properties"]
    assert {"test", "at", "answers", "expect", "like"} <= set(keys)
    assert keys["expect"]["properties"]["gate"] == {"enum": ["go", "no-go", "unknown"], **_meaning(keys, "gate")}


def _meaning(keys: dict[str, dict[str, dict[str, dict[str, str]]]], name: str) -> dict[str, str]:
    return {"description": keys["expect"]["properties"][name]["description"]}


def test_the_conditions_that_a_test_shows_to_fire_are_known() -> None:
    shows = Expected(fires=("rollback", "errors > 5% for 5m"))
    assert conditions_tried([Trial(name="a", expect=shows), Trial(name="b")]) == {"errors > 5% for 5m"}
