"""`waive`: an exception that ends by itself, as it is typed."""

from __future__ import annotations

import os

import pytest

from tests.command.project import SECTIONS, Project, Ran
from tests.command.waiting import wait_until

LISTS = """
  ready:
    - {check: Words are there, id: words, file: words.txt}
    - check: As on paper
      id: paper
      all:
        - {check: Notes are there, id: notes, file: notes.txt}
        - {check: Team is told, id: told, sign: true}"""
PROTECTED = SECTIONS["environments"].rstrip() + "\n    protected: true"
WHY = ("--reason", "they come later")


@pytest.fixture
def bare(project: Project) -> Project:
    """The project without the files that its checks look for."""
    project.write(checklists=LISTS)
    (project.folder / "words.txt").unlink()
    return project


def statuses(ran: Ran) -> dict[str, str]:
    rows = ran.document["checks"]
    return {row["id"]: row["status"] for row in [*rows, *(part for row in rows for part in row["checks"])]}


def test_what_is_waived_is_shown_and_holds_nothing_back(bare: Project) -> None:
    assert bare.run("preflight").code == 1
    for check in ("words", "ready/notes", "told"):
        assert bare.run("waive", check, "--until", "2d", *WHY).code == 0
    ran = bare.json("preflight")
    assert ran.code == 0
    assert [statuses(ran)[check] for check in ("words", "notes", "told", "paper")] == ["waived"] * 3 + ["pass"]
    shown = bare.run("preflight").out
    assert "   ~  Words are there" in shown
    assert ": they come later" in shown
    assert "1 waived" in shown
    assert bare.run("ramp", "10", "--yes").code == 0


def test_it_says_until_when_and_how_to_end_it(bare: Project) -> None:
    ran = bare.json("waive", "words", "--until", "2099-01-01", *WHY)
    assert ran.code == 1
    assert "a waiver ends within 90 d" in ran.document["message"]
    ran = bare.json("waive", "words", "--until", "2d", *WHY, env={"RUNBOOK_OPERATOR": "jo"})
    assert ran.code == 0
    assert ran.document["message"].startswith("Words are there: waived until ")
    assert ran.document["message"].endswith(" by jo (claimed)")
    assert ran.document["details"]["check"] == "ready/words"
    assert "Back: runbook waive ready/words --end" in bare.run("waive", "words", "--until", "3d", *WHY).out
    [event, _] = bare.events("check.waived")
    assert (event["who"], event["payload"]["reason"]) == ("jo", "they come later")


def test_it_ends_when_somebody_ends_it(bare: Project) -> None:
    for check in ("words", "notes", "told"):
        assert bare.run("waive", check, "--until", "2d", *WHY).code == 0
    ran = bare.run("waive", "words", "--end")
    assert (ran.code, "counts again" in ran.out) == (0, True)
    assert bare.run("preflight").code == 1
    ran = bare.run("waive", "words", "--end")
    assert (ran.code, "is not waived" in ran.out) == (0, True)
    assert bare.run("waive", "words", "--end", "--until", "2d").code == 2


def test_it_ends_by_itself_and_is_told_beside_the_check(bare: Project) -> None:
    for check in ("notes", "told"):
        assert bare.run("waive", check, "--until", "2d", *WHY).code == 0
    assert bare.run("waive", "words", "--until", "1500ms", *WHY, env={"RUNBOOK_OPERATOR": "jo"}).code == 0
    wait_until(lambda: bare.json("preflight").code == 1)
    row = bare.json("preflight").rows("checks")["words"]
    assert row["status"] == "fail"
    assert row["message"].endswith(" by jo; it has ended")


@pytest.mark.parametrize(
    ("args", "missing"),
    [
        ((), "--until and --reason"),
        (("--until", "2d"), "--reason"),
        (("--reason", "they come later"), "--until"),
        (("--until", "", "--reason", ""), "--until and --reason"),
    ],
)
def test_both_are_needed(bare: Project, args: tuple[str, ...], missing: str) -> None:
    ran = bare.json("waive", "words", *args)
    assert (ran.code, ran.document["message"]) == (2, f"a waiver needs {missing}")
    assert ran.document["next"][0].startswith("runbook waive words --until 2d --reason ")


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("yesterday", "is no moment"),
        ("2", "2 has no unit"),
        ("2020-01-01", "is past"),
        ("firday", "did you mean friday?"),
    ],
)
def test_a_moment_that_is_none_is_refused(bare: Project, until: str, said: str) -> None:
    ran = bare.json("waive", "words", "--until", until, *WHY)
    assert (ran.code, said in ran.document["message"]) == (2, True)
    assert bare.events("check.waived") == []


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("up", 1, "belongs to verify"),
        ("errors < 1%", 1, "a gate is passed by ramp --override"),
        ("safe_defaults", 1, "the safe flags cannot be waived"),
        ("wrods", 2, "did you mean words?"),
    ],
)
def test_only_checks_of_checklists(bare: Project, name: str, code: int, said: str) -> None:
    ran = bare.json("waive", name, "--until", "2d", *WHY)
    assert (ran.code, said in ran.document["message"]) == (code, True)
    assert ran.document["next"]


def test_in_a_protected_environment_only_somebody_known(bare: Project) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root is under sudo")
    bare.write(checklists=LISTS, environments=PROTECTED)
    args = ("waive", "words", "-e", "local", "--until", "2d", *WHY)
    ran = bare.json(*args, env={"RUNBOOK_OPERATOR": "jo"})
    assert (ran.code, "only claimed, and local is protected" in ran.document["message"]) == (1, True)
    assert bare.run("waive", "words", "-e", "local", "--end", env={"RUNBOOK_OPERATOR": "jo"}).code == 1
    assert bare.run(*args, env={"SUDO_USER": "jo"}).code == 0


@pytest.mark.parametrize(("until", "code"), [("friday", 0), ("23:59", 0), ("2h", 0), ("2020-01-01", 2), ("soon", 2)])
def test_a_hold_reads_moments_in_the_same_way(project: Project, until: str, code: int) -> None:
    ran = project.json("hold", "--until", until)
    assert ran.code == code, ran
    assert len(project.events("hold.set")) == (code == 0)
