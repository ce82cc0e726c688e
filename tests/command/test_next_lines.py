"""What a refusal and a preflight end with can be pasted, and holds no option that was wrong."""

from __future__ import annotations

import pytest

from tests.command.project import SECTIONS, Project

TWO = SECTIONS["environments"] + "\n  production: {url: http://127.0.0.1:PORT, flags_in: {env: ranker.env}}"


@pytest.mark.parametrize("typed", [["-e", "prodction"], ["-eprodction"], ["--env", "prodction"], ["--env=prodction"]])
def test_an_environment_that_is_not_there_is_not_repeated(project: Project, typed: list[str]) -> None:
    project.write(environments=TWO)
    ran = project.run("preflight", "first", *typed)
    assert ran.code == 2
    assert "Next: runbook preflight first -e local\n      runbook preflight first -e production\n" in ran.err
    assert "prodction -e" not in ran.err


def test_a_playbook_that_is_not_there_is_not_repeated(project: Project) -> None:
    assert project.run("preflight", "-p", "nosuch", "-e", "local").err.endswith("Next: runbook playbooks\n")
    assert project.json("preflight", "-p", "nosuch").document["next"] == ["runbook playbooks"]


def test_checks_that_there_are_are_named_in_a_whole_command(project: Project) -> None:
    steps = project.json("preflight", "first", "--only", "nonsense").document["next"]
    assert steps[:2] == [
        "runbook preflight first --only ready/answers",
        "runbook preflight first --only ready/words_are_there",
    ]
    assert "Next: runbook preflight --only ready/" in project.run("preflight", "--only", "nonsense").err


def test_a_row_and_the_end_name_an_item_in_one_form(project: Project) -> None:
    project.write(checklists="\n  ready: [{check: Both, all: [{check: Team is trained, id: trained, sign: true}]}]")
    told = project.run("preflight").out
    assert "no answer yet: runbook sign trained\n" in told
    assert "Next: runbook sign trained, then  runbook preflight first\n" in told


def test_advice_is_for_what_fails(project: Project) -> None:
    project.write(
        checklists="""
  ready:
    - {check: Private, http: "/p?key=${NO_SUCH_KEY}", advice: make private}
    - {check: Words are there, file: words.txt, advice: make words}"""
    )
    told = project.run("preflight").out
    assert "make private" not in told and "make private" not in project.run("preflight", "-f", "markdown").out
    (project.folder / "words.txt").unlink()
    assert "Next: make words, then  runbook preflight first\n" in project.run("preflight").out


@pytest.mark.parametrize("advice", ["https://wiki.example/words", "Ask the team for words"])
def test_what_is_no_command_is_shown_and_not_offered_as_one(project: Project, advice: str) -> None:
    project.write(checklists=f'\n  ready: [{{check: Words are there, file: none.txt, advice: "{advice}"}}]')
    ran = project.run("preflight")
    assert f"do: {advice}\n" in ran.out and ran.out.endswith("Next: runbook preflight first\n")


def test_an_unknown_that_warns_stays_unknown_in_every_format(project: Project) -> None:
    project.write(checklists='\n  ready: [{check: Number, http: /none, jq: .n, expect: "> 1", level: warn}]')
    assert "??  Number (warn)" in project.run("preflight").out
    assert "??  Number (warn)" in project.run("preflight", "-f", "nagios").out
    assert "??  Number (warn)" in project.run("preflight", "-f", "github").out
    assert "| ?? | Number" in project.run("preflight", "-f", "markdown").out


def test_a_long_page_says_the_verdict_again_at_its_end(project: Project) -> None:
    assert project.run("preflight").out.count("GO  ranker") == 1
    items = "".join(f"\n    - {{check: Words {n}, file: none{n}.txt}}" for n in range(15))
    project.write(checklists=f"\n  ready:{items}\n    - {{check: Answers, http: /health}}")
    lines = project.run("preflight").out.splitlines()
    assert lines[0].startswith("NO-GO  ranker") and lines[-2] == lines[0]
    assert lines[-1].startswith("Next: ")


def test_quiet_shows_what_does_not_hold_alone(project: Project) -> None:
    assert project.run("preflight", "-q").out == ""
    lists = """
  ready:
    - {check: Answers, http: /health}
    - {check: Both, all: [{check: Answers too, http: /health}, {check: Words are there, file: none.txt}]}"""
    project.write(checklists=lists)
    lines = project.run("preflight", "-q").out.splitlines()
    assert lines[0].startswith("NO-GO") and lines[-1].startswith("Next: ")
    assert [line.split()[0] for line in lines[1:-1] if line[2:4].strip()] == ["NO", "NO"]
    assert not any("Answers" in line or "last way back" in line for line in lines)


def test_a_dry_run_says_the_verdict_once(project: Project) -> None:
    items = "".join(f"\n    - {{check: Words {n}, file: none{n}.txt}}" for n in range(15))
    project.write(checklists=f"\n  ready:{items}")
    assert project.run("ramp", "10", "--dry-run").out.count("NO-GO  ranker") == 1


def test_every_format_says_the_same_of_what_happened_since(project: Project) -> None:
    project.run("preflight")
    for build in range(6, 10):
        project.run("note", "deploy", f"build {build}")
    (project.folder / "words.txt").unlink()
    for wanted in ("table", "github", "markdown", "junit"):
        assert "1 more: runbook history --since 1m" in project.run("preflight", "-f", wanted).out
