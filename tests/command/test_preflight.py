"""`preflight`: the boxes of the next stage; and the answers of people."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.command.project import AT_FIRST, SECTIONS, Project, Ran

MANUAL = """
  ready:
    - {check: Answers, http: /health}
    - {check: Team is trained, id: trained, sign: true, valid: 30d}
    - check: As on paper
      id: paper
      all:
        - {check: Words are there, file: words.txt}
        - {check: Legal agreed, id: legal, sign: true}"""


def statuses(ran: Ran) -> dict[str, str]:
    return {row["id"]: row["status"] for row in ran.document["checks"]}


def test_every_check_is_shown_with_what_was_seen(project: Project) -> None:
    (project.folder / "words.txt").unlink()
    ran = project.json("preflight", "first")
    assert ran.code == 1 and ran.document["stage"] == "first"
    rows = ran.rows("checks")
    assert rows["answers"]["observed"] == "200" and rows["answers"]["status"] == "pass"
    assert rows["words_are_there"]["status"] == "fail" and rows["words_are_there"]["kind"] == "file"
    assert all(row["duration_ms"] >= 0 for row in rows.values())


def test_the_advice_is_shown_where_it_fails(project: Project) -> None:
    project.service.scripts.pop("/health")
    ran = project.run("preflight")
    assert ran.code == 1 and "look at restart.sh" in ran.out


def test_an_unanswered_item_is_unknown_and_automatic_leaves_it_out(project: Project) -> None:
    project.write(checklists=MANUAL)
    assert project.run("preflight").code == 3
    ran = project.json("preflight", "--automatic")
    assert ran.code == 0, "nothing but people's answers is missing"
    assert "trained" in statuses(ran), "they are listed"
    assert "Team is trained" in project.run("preflight", "--automatic").out
    (project.folder / "words.txt").unlink()
    assert project.run("preflight", "--automatic").code == 1, "what a machine can see counts"


def test_what_people_judge_is_left_out_and_what_is_waived_is_counted(project: Project) -> None:
    more = "\n    - {check: Words read well, id: well, inspect: words.txt, questions: [Is it right]}"
    project.write(checklists=MANUAL + more)
    assert project.run("waive", "trained", "--until", "2d", "--reason", "the course is on Friday").code == 0
    assert project.run("preflight").code == 3
    ran = project.json("preflight", "--automatic")
    assert (ran.code, statuses(ran)["well"], statuses(ran)["trained"]) == (0, "unknown", "waived")
    shown = project.run("preflight", "--automatic").out
    assert "Left to people:" in shown
    assert "Words read well" in shown.partition("Left to people:")[2]
    assert "1 waived" in shown
    assert ": the course is on Friday" in shown


def test_an_answer_counts_until_it_is_another_one(project: Project) -> None:
    project.write(checklists=MANUAL)
    for item in ("trained", "ready/legal"):
        assert project.run("sign", item, "--evidence", "https://wiki.example/4711").code == 0
    assert project.run("preflight").code == 0
    assert project.run("ramp", "10", "--yes").code == 0
    assert project.run("rollback", "--yes").code == 0
    assert statuses(project.json("preflight", "first"))["trained"] == "pass", "it is kept for 30 days"
    assert project.run("preflight", "first").code == 3, "the other answer belonged to the rollout that ended"
    assert project.run("sign", "trained", "--no").code == 0
    assert project.run("preflight", "first").code == 1
    signed = project.events("check.signed")[0]["payload"]
    assert signed["yes"] is True and signed["evidence"] == "https://wiki.example/4711"


def test_an_answer_runs_out(project: Project) -> None:
    project.write(checklists="\n  ready: [{check: Team is trained, id: trained, sign: true}]")
    assert project.run("sign", "trained", "--valid", "1ms").code == 0
    assert project.run("preflight").code == 3
    assert project.run("sign", "trained", "--valid", "1h").code == 0
    assert project.run("preflight").code == 0


def test_an_unknown_item_is_refused_with_those_there_are(project: Project) -> None:
    project.write(checklists=MANUAL)
    ran = project.json("sign", "traind")
    assert ran.code == 2 and "trained" in ran.document["message"] + str(ran.document["next"])
    assert project.run("sign", "answers").code == 2, "a machine answers that one"
    assert project.events("check.signed") == []


def test_only_some(project: Project) -> None:
    (project.folder / "words.txt").unlink()
    ran = project.json("preflight", "--only", "answers")
    assert ran.code == 0 and statuses(ran) == {"answers": "pass"}
    ran = project.json("preflight", "--only", "ready/words_are_there", "--only", "answers")
    assert ran.code == 1 and set(statuses(ran)) == {"answers", "words_are_there"}


ELSEWHERE = """
  ready:
    - {check: Answers, http: /health}
    - {check: Data, id: data, http: /gone, only: [production]}
    - {check: Both, id: both, all: [{check: Words, file: words.txt, unless: [local]}]}
    - {check: Notes, id: notes, file: notes.txt, level: warn}"""
PRODUCTION = """
  production:
    url: http://127.0.0.1:PORT
    flags_in: {env: ranker.env}"""


@pytest.fixture
def elsewhere(project: Project) -> Project:
    project.write(checklists=ELSEWHERE, environments=SECTIONS["environments"] + PRODUCTION)
    return project


@pytest.mark.parametrize(("only", "first"), [(["data"], "data"), (["both"], "words"), (["data", "both"], "data")])
def test_a_go_never_rests_on_nothing(elsewhere: Project, only: list[str], first: str) -> None:
    chosen = ["-e", "local", *(word for name in only for word in ("--only", name))]
    ran = elsewhere.json("preflight", *chosen)
    assert (ran.code, ran.document["verdict"]) == (3, "unknown")
    assert ran.document["message"] == "nothing was looked at: every check is skipped in local"
    assert any(f"--only ready/{first} -e production" in step for step in ran.document["next"])
    shown = elsewhere.run("preflight", *chosen)
    assert shown.code == 3 and shown.out.startswith("UNKNOWN") and "nothing was looked at" in shown.out


def test_where_something_was_looked_at_it_is_a_go(elsewhere: Project) -> None:
    for more in (["--only", "data", "--only", "answers"], ["--only", "notes"], [], ["wide"]):
        assert elsewhere.run("preflight", "-e", "local", *more).code == 0, more


def test_nested_checks_come_out_with_their_parts(project: Project) -> None:
    project.write(checklists=MANUAL)
    (project.folder / "words.txt").unlink()
    row = project.json("preflight").rows("checks")["paper"]
    assert row["status"] == "fail"
    assert [(part["id"], part["status"]) for part in row["checks"]] == [
        ("words_are_there", "fail"),
        ("legal", "unknown"),
    ]


def test_a_warning_counts_only_when_strict(project: Project) -> None:
    project.write(checklists="\n  ready: [{check: Words are there, file: words.txt, level: warn}]")
    (project.folder / "words.txt").unlink()
    ran = project.run("preflight")
    assert ran.code == 0 and "Words are there" in ran.out
    assert project.run("preflight", "--strict").code == 1
    assert project.run("ramp", "10", "--yes").code == 0


def test_a_list_that_holds_entries_names_them(project: Project) -> None:
    from tests.servers import answer

    project.write(checklists='\n  ready: [{check: Nothing is open, http: /open, list: ".open[]"}]')
    project.script("/open", answer(json.dumps({"open": ["index", "a\u202eb\x1b[2J"]})))
    ran = project.json("preflight")
    row: dict[str, Any] = ran.rows("checks")["nothing_is_open"]
    assert ran.code == 1 and "index" in json.dumps(row)
    assert "index" in project.run("preflight").out
    project.script("/open", answer('{"open": []}'))
    assert project.run("preflight").code == 0


def test_the_safe_defaults_first_and_the_drift_later(project: Project) -> None:
    project.flags.write_text(AT_FIRST)
    ran = project.json("preflight", "first")
    assert ran.code == 1 and statuses(ran)["safe_defaults"] == "fail"
    assert "RANKER_SHARE" in json.dumps(ran.rows("checks")["safe_defaults"])
    assert project.run("adopt", "first", "--reason", "it is").code == 0
    assert statuses(project.json("preflight"))["drift"] == "pass"
    project.flags.write_text(AT_FIRST.replace("= 10", "= 12"))
    assert statuses(project.json("preflight"))["drift"] == "fail"


def test_without_stages_the_file_is_held_against_the_safe_flags(project: Project) -> None:
    project.write(stages=None)
    assert statuses(project.json("preflight"))["safe_defaults"] == "pass"
    project.flags.write_text(AT_FIRST)
    ran = project.json("preflight")
    assert ran.code == 1 and statuses(ran)["safe_defaults"] == "fail"
    assert "RANKER_SHARE" in json.dumps(ran.rows("checks")["safe_defaults"])


@pytest.mark.parametrize("kind", ["run: 'sleep 20'", "http: /slow, timeout: 20s"])
def test_the_deadline_ends_what_takes_too_long(project: Project, kind: str) -> None:
    from tests.hostile import hang

    project.script("/slow", hang)
    project.write(checklists=f"\n  ready: [{{check: Slow, {kind}}}, {{check: Answers, http: /health}}]")
    ran = project.json("preflight", "--deadline", "1s")
    assert ran.code in (1, 3) and ran.seconds < 10
    assert statuses(ran)["slow"] in ("unknown", "fail") and statuses(ran)["answers"] == "pass"


def test_all_at_once(project: Project) -> None:
    items = ", ".join(f"{{check: Sleeps {n}, run: 'sleep 1', reads: true}}" for n in range(8))
    project.write(checklists=f"\n  ready: [{items}]")
    ran = project.run("preflight")
    assert ran.code == 0 and ran.seconds < 6


def test_a_check_that_changes_something_waits_in_a_dry_run(project: Project) -> None:
    project.write(
        checklists="""
  ready:
    - {check: Leaves a mark, run: touch mark}
    - {check: Reads, run: touch read, reads: true}"""
    )
    project.run("ramp", "10", "--dry-run")
    assert not (project.folder / "mark").exists() and (project.folder / "read").exists()


def test_a_manual_item_of_a_gate(project: Project) -> None:
    project.write(
        stages="""
  - {stage: off, percent: 0}
  - {stage: first, percent: [10, 20], gates: [{sign: Nobody complained}]}
  - {stage: wide, percent: 50}"""
    )
    project.at_first()
    assert project.run("ramp", "20", "--yes").code == 0, "it is asked for when the stage is left"
    gate = project.run("gate")
    assert gate.code == 3 and "runbook sign" in gate.out
    assert "sign nobody_complained" in project.run("status").out
    assert project.run("sign", "nobody_complained", "--no").code == 0
    assert project.run("gate").code == 1
    assert project.run("sign", "nobody_complained").code == 0
    assert project.run("gate").code == 0
    assert project.run("gate", "first").code == 0
    assert project.run("gate", "wide").code == 1, "we are not there"


def test_notes_are_counted(project: Project) -> None:
    project.write(
        stages="""
  - {stage: off, percent: 0}
  - {stage: first, percent: 10, gates: ["complaints < 2"]}
  - {stage: wide, percent: 50}"""
    )
    project.at_first()
    assert project.run("gate").code == 0
    assert project.run("note", "complaint", "wrong order").code == 0
    assert "complaints is 2" in project.run("note", "complaint").out
    assert project.run("gate").code == 1
