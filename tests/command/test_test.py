"""`runbook test`: its exit statuses, its rows, its formats; and answers recorded from what is really answered."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

from runbook.playbook.load import load_playbook
from tests.command.project import Project
from tests.places import PROJECT
from tests.servers import answer

AT_FIRST = "at: first@10, answers: {up: pass, live_share: pass, GET /numbers: {json: {errors: 0.002, p95: 900}}}"
TESTS = f"""
  - {{test: first may go on, {AT_FIRST}, expect: {{gate: go, fires: []}}}}
  - test: errors go back
    like: first may go on
    answers: {{errors: 8%}}
    expect: {{gate: no-go, fires: [rollback]}}
  - {{test: words are asked for, answers: {{words_are_there: fail}}, expect: {{checks: {{words_are_there: fail}}}}}}"""
WRONG = f"""{TESTS}
  - {{test: wrong, like: first may go on, expect: {{gate: no-go}}}}"""


def test_all_that_come_out_as_expected_are_a_go(project: Project) -> None:
    project.write(tests=TESTS)
    asked = list(project.service.asked)
    ran = project.run("test")
    assert ran.code == 0, ran
    assert "GO  ranker · 3 tests" in ran.out
    assert "3 ok. Nothing of the world was touched." in ran.out
    assert "Next: runbook lint --prove" in ran.out
    assert list(project.service.asked) == asked
    assert not (project.folder / ".runbook" / "state.db").exists()


def test_one_that_does_not_is_a_no_go_and_says_why(project: Project) -> None:
    project.write(tests=WRONG)
    ran = project.run("test")
    assert ran.code == 1
    assert "NO  wrong" in ran.out
    assert "gate: no-go expected, go came (every row holds)" in ran.out
    assert "Next: runbook test wrong -v" in ran.out.replace("'", "")


def test_each_expectation_is_a_row_of_the_document(project: Project) -> None:
    project.write(tests=WRONG)
    ran = project.json("test")
    assert ran.code == 1
    rows = {row["title"]: row for row in ran.document["tests"]}
    assert {title: row["status"] for title, row in rows.items()} == {
        "first may go on": "pass",
        "errors go back": "pass",
        "words are asked for": "pass",
        "wrong": "fail",
    }
    [gate] = rows["wrong"]["checks"]
    assert (gate["title"], gate["status"], gate["expected"], gate["observed"]) == ("gate", "fail", "no-go", "go")


def test_other_programs_read_one_row_a_test(project: Project) -> None:
    project.write(tests=WRONG)
    line = next(n for n, text in enumerate(project.playbook.read_text().splitlines(), 1) if "test: wrong" in text)
    said = "gate: no-go expected, go came (every row holds)"
    tap = project.run("test", "--format", "tap")
    assert tap.code == 1
    assert "not ok 4 - tests: wrong" in tap.out
    assert "1..4" in tap.out
    assert said in tap.out
    junit = ET.fromstring(project.run("test", "-f", "junit").out)
    [suite] = junit.findall("testsuite")
    cases = suite.findall("testcase")
    assert (suite.get("name"), len(cases), cases[3].get("classname")) == ("tests", 4, "ranker.tests")
    assert all(float(case.get("time") or 0) > 0 for case in cases)
    assert said in (cases[3].findtext("failure") or "")
    assert said in project.run("test", "-f", "markdown").out.replace("\\", "")
    github = project.run("test", "-f", "github").out
    assert f"::error file=playbooks/ranker.yaml,line={line},title=wrong::" in github
    assert "wrong: 0 of 1 as expected" in project.run("test", "-f", "nagios").out


def test_a_file_of_answers_that_is_none_is_told_as_that(project: Project) -> None:
    (project.folder / "x.json").write_text("{")
    project.write(tests="[{test: a, answers: x.json, expect: {checks: {up: pass}}}]")
    ran = project.json("test")
    [[row]] = [test["checks"] for test in ran.document["tests"]]
    assert row["title"] == "the test can take place"
    assert "x.json is no JSON" in row["message"]


def test_a_part_of_a_title_chooses(project: Project) -> None:
    project.write(tests=WRONG)
    assert project.run("test", "go back", "WORDS").out.count("  ok  ") == 2
    ran = project.run("test", "go bak")
    assert ran.code == 2
    assert "no test is called go bak" in ran.said


def test_nothing_to_try_is_no_success(project: Project) -> None:
    ran = project.run("test")
    assert ran.code == 2
    assert "has no tests, so nothing was tried" in ran.said
    assert "- test: too many errors are no go" in ran.said


def test_a_wrong_section_is_told_with_its_place(project: Project) -> None:
    project.write(tests="[{test: a, at: frist@10, expect: {gate: go}}]")
    ran = project.run("test")
    assert ran.code == 2
    assert "there is no step 'frist@10' (did you mean first@10?)" in ran.said
    lint = project.run("lint")
    assert lint.code == 2
    assert "there is no step 'frist@10'" in lint.said


def test_an_environment_that_is_none_is_refused(project: Project) -> None:
    project.write(tests=TESTS)
    ran = project.run("test", "-e", "locl")
    assert ran.code == 2
    assert "did you mean local?" in ran.said
    assert project.run("test", "-e", "local").code == 0


READY = """
  ready:
    - {check: Private, http: /private, headers: {x-key: "${RANKER_KEY}"}, jq: .said, expect: "== yes"}
    - {check: Words are there, file: words.txt}
    - {check: Counted, run: "wc -l < words.txt", reads: true, expect: "> 0"}
    - {check: Changes, run: "touch changed"}
    - {check: Somebody agrees, sign: true}"""


def test_what_is_really_answered_can_be_recorded_and_tested_with(project: Project) -> None:
    sections = {"secrets": "{RANKER_KEY: {env: RANKER_KEY}}", "checklists": READY}
    project.write(**sections)
    project.script("/private", answer(json.dumps({"said": "yes", "key": "s3cret-s3cret"})))
    ran = project.run("test", "--record", "answers.json", env={"RANKER_KEY": "s3cret-s3cret"})
    assert ran.code == 0, ran
    file = project.folder / "answers.json"
    assert "s3cret" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    answers = json.loads(file.read_text())["answers"]
    assert answers["GET /numbers"]["json"] == {"errors": 0.002, "p95": 700}
    assert (answers["ready/words_are_there"], answers["ready/counted"]) == (
        {"is": "pass", "message": "words.txt"}, {"value": 1},
    )  # fmt: skip
    assert not {"ready/changes", "ready/somebody_agrees"} & set(answers)
    assert not (project.folder / "changed").exists()
    expect = "{preflight: unknown, checks: {private: pass, words_are_there: pass, counted: pass, changes: unknown}}"
    trial = f"{{test: a, enters: first, answers: answers.json, expect: {expect}}}"
    changes = "{test: b, like: a, answers: {changes: pass}, signed: [somebody_agrees], expect: {preflight: go}}"
    project.write(**sections, tests=f"[{trial}, {changes}]")
    project.service.scripts.clear()
    again = project.run("test")
    assert "nothing recorded for the check 'Changes': write  changes: pass" in again.out
    assert "ok  b" in again.out
    assert again.code == 1


def test_a_service_that_is_down_is_recorded_so(project: Project) -> None:
    project.service.scripts.clear()
    project.write(verify='[{check: Up, http: "http://127.0.0.1:9/health"}]', checklists="{ready: []}")
    assert project.run("test", "--record", "down.json").code == 0
    answers = json.loads((project.folder / "down.json").read_text())["answers"]
    assert answers["GET http://127.0.0.1:9/health"] == {"down": True}


def test_the_shipped_playbooks_hold_their_tests(project: Project) -> None:
    ran = project.json("test", "-p", "enrichment")
    assert ran.code == 0, ran
    tests = ran.document["tests"]
    assert len(tests) > 30
    fired = " ".join(row["message"] for test in tests for row in test["checks"] if row["title"] == "fires")
    loaded = load_playbook(PROJECT / "playbooks/enrichment.yaml", PROJECT).playbook
    assert loaded is not None
    rules = {trigger.when for stage in loaded.stages for trigger in stage.triggers} | {
        row.when for row in loaded.matrix
    }
    assert [when for when in sorted(rules) if f"{when} ->" not in fired] == [], "each rule is seen to fire"
    gates = {(test["expected"].partition("@")[0], row["observed"]) for test in tests for row in test["checks"]}
    for stage in loaded.stages:
        assert {(f"at {stage.name}", "go"), (f"at {stage.name}", "no-go")} <= gates, (
            f"{stage.name} goes on and does not"
        )
