"""A check that does not hold says when it did, and what happened since; warnings; phases; the requests by hand."""

from __future__ import annotations

import json
import re
import shlex
import subprocess

import pytest

from tests.command.project import Project
from tests.servers import answer

WARNS = """
  ready:
    - {check: Answers, http: /health}
    - {check: Notes are there, file: notes.txt, level: warn, advice: write them}
    - {check: Both, all: [{check: Words, file: words.txt}, {check: More notes, file: more.txt, level: warn}]}"""


def lines_under(text: str, title: str) -> list[str]:
    """The lines that belong to a row."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line[2:4] in ("NO", "??", "ok") and title in line)
    found = []
    for line in lines[start + 1 :]:
        if not line.startswith("      "):
            break
        found.append(line.strip())
    return found


def test_a_check_that_never_passed_says_so_once_its_list_was_looked_at_before(project: Project) -> None:
    (project.folder / "words.txt").unlink()
    ran = project.json("preflight")
    assert "last_good" not in ran.rows("checks")["words_are_there"], "nobody looked before"
    assert "never seen to pass" in lines_under(project.run("preflight").out, "Words are there")
    row = project.json("preflight").rows("checks")["words_are_there"]
    assert row["last_good"] is None and row["since_then"] == []
    assert "last_good" not in project.json("preflight").rows("checks")["answers"]


def test_the_last_good_value_and_what_happened_since(project: Project) -> None:
    project.run("preflight")
    for build in range(6, 10):
        assert project.run("note", "deploy", f"build {build}", env={"RUNBOOK_OPERATOR": "mira"}).code == 0
    project.run("hold", "--reason", "look first")
    (project.folder / "words.txt").unlink()
    told = lines_under(project.run("preflight").out, "Words are there")
    assert re.fullmatch(r"last good \d+(\.\d+)? m?s ago: \d+.* old", told[1])
    assert told[2].startswith("since then ") and "held: look first, by " in told[2]
    assert told[3].endswith("deploy: build 9, by mira") and told[4].endswith("deploy: build 8, by mira")
    assert told[5].startswith("2 more: runbook history --since ")
    shown = project.run(*shlex.split(told[5].partition(": runbook ")[2])).out
    assert all(f"build {build}" in shown for build in range(6, 10))
    row = project.json("preflight").rows("checks")["words_are_there"]
    assert row["since_then_more"] == 2 and [one["who"] for one in row["since_then"][1:]] == ["mira", "mira"]


def test_two_checks_that_broke_together_tell_it_once(project: Project) -> None:
    lists = "\n  ready: [{check: One, file: words.txt}, {check: Two, file: words.txt}]"
    project.write(checklists=lists)
    project.run("preflight")
    project.run("note", "deploy", "build 7")
    (project.folder / "words.txt").unlink()
    out = project.run("preflight").out
    assert out.count("build 7") == 1
    assert "since then the same as above" in lines_under(out, "Two")


def test_other_looks_keep_and_tell_it_too(project: Project) -> None:
    project.at_first()
    project.run("health-check")
    project.service.scripts.pop("/health")
    ran = project.run("health-check")
    assert ran.code == 1 and any(line.startswith("last good ") for line in lines_under(ran.out, "Up"))
    row = project.json("health-check").rows("checks")["up"]
    assert row["last_good"]["observed"] == "200"


def test_a_ramp_says_it_beside_its_checklist(project: Project) -> None:
    project.run("preflight")
    (project.folder / "words.txt").unlink()
    ran = project.run("ramp", "10", "--yes")
    assert ran.code == 1 and any(line.startswith("last good ") for line in lines_under(ran.out, "Words are there"))


def test_where_the_store_is_away_nothing_is_claimed(project: Project) -> None:
    project.run("preflight")
    (project.folder / "words.txt").unlink()
    ran = project.json("preflight", env={"RUNBOOK_STATE": "/proc/nowhere/state.db"})
    assert ran.code == 1
    assert "last_good" not in ran.rows("checks")["words_are_there"]


def test_a_warning_is_shown_counted_apart_and_does_not_stop(project: Project) -> None:
    project.write(checklists=WARNS)
    ran = project.run("preflight")
    assert ran.code == 0
    first, *_ = ran.out.splitlines()
    assert first.startswith("GO  ") and "  2 warnings  " in first
    assert "NO  Notes are there (warn)" in ran.out and "do: write them" in ran.out
    assert "· 2 warnings" in ran.out
    document = project.json("preflight").document
    assert "with" in document["message"]
    rows = {row["id"]: row for row in document["checks"]}
    assert (rows["notes_are_there"]["counts"], rows["answers"]["counts"]) == (False, True)
    assert project.run("preflight", "-f", "nagios").code == 1
    assert project.run("ramp", "10", "--yes").code == 0


def test_under_strict_a_warning_is_a_no_also_inside_a_list(project: Project) -> None:
    project.write(checklists=WARNS)
    assert project.run("preflight", "--strict").code == 1
    assert project.run("preflight", "--strict", "-f", "nagios").code == 2
    (project.folder / "notes.txt").touch()
    ran = project.json("preflight", "--strict")
    assert ran.code == 1, "the one inside the list is left"
    (project.folder / "more.txt").touch()
    assert project.run("preflight", "--strict").code == 0


def test_a_warning_of_verify_does_not_make_the_health_bad(project: Project) -> None:
    verify = "\n  - {check: Up, http: /health}\n  - {check: Extra, http: /extra, level: warn}"
    project.write(verify=verify)
    ran = project.run("health-check")
    assert ran.code == 0 and "Extra (warn)" in ran.out and "1 warning" in ran.out.splitlines()[0]
    assert project.run("health-check", "--strict").code == 1
    assert project.run("health-check", "-f", "nagios").code == 1


def test_phases_are_shown_when_asked_for(project: Project) -> None:
    assert "connect" not in project.run("preflight").out
    told = lines_under(project.run("preflight", "-v").out, "Answers")
    assert re.fullmatch(r"(\w+ [\d.]+ m?s)( · \w+ [\d.]+ m?s)+", told[0])
    assert "wait " in told[0]
    row = project.json("preflight").rows("checks")["answers"]
    assert 0 <= row["phases"]["wait"] <= row["duration_ms"] and row["phase"] == ""


def test_the_phase_that_failed_is_told_without_being_asked(project: Project) -> None:
    project.write(checklists='\n  ready: [{check: Gone, http: "http://127.0.0.1:9/x"}]')
    assert "it ended in the phase connect" in lines_under(project.run("preflight").out, "Gone")
    assert project.json("preflight").rows("checks")["gone"]["phase"] == "connect"


@pytest.mark.needs("curl")
def test_the_requests_can_be_pasted_and_nothing_is_asked(project: Project) -> None:
    project.script("/health", answer('{"status": "ok"}'))
    ran = project.run("preflight", "--curl")
    assert (ran.code, project.asked("/health")) == (0, 0)
    assert "# Answers" in ran.out and "# No line by hand for: Words are there" in ran.out
    pasted = subprocess.run(["sh", "-e"], input=ran.out, capture_output=True, text=True, check=False, timeout=30)
    assert (pasted.returncode, pasted.stdout) == (0, '{"status": "ok"}'), pasted.stderr
    assert project.asked("/health") == 1
    assert not project.events()


def test_one_request_for_several_metrics_stands_once(project: Project) -> None:
    ran = project.run("health-check", "--curl")
    assert ran.out.count("/numbers") == 1 and "# errors; p95" in ran.out
    rows = project.json("health-check", "--curl").document["requests"]
    assert [row["title"] for row in rows if row["line"].endswith("/numbers")] == ["errors", "p95"]
    assert project.asked("/numbers") == 0


def test_a_secret_stays_a_name(project: Project) -> None:
    lists = "\n  ready: [{check: In, http: /health, headers: {Authorization: 'Bearer ${TOKEN}'}}]"
    project.write(checklists=lists)
    ran = project.run("preflight", "--curl", env={"TOKEN": "hunter2-hunter2"})
    assert "${TOKEN}" in ran.out and "hunter2" not in ran.said
    assert "hunter2" not in json.dumps(project.json("preflight", "--curl", env={"TOKEN": "hunter2-hunter2"}).document)
