"""Screens at 80 and at 200 columns: nothing wider than the terminal, nothing that a terminal would obey."""

from __future__ import annotations

import json
import re

import pytest

from tests.command.project import Project
from tests.servers import answer
from tests.terminal.screen import Terminal, on_terminal

SCREENS = [
    "status", "now", "now --short", "explain", "contacts", "gate", "preflight", "health-check", "history", "lint",
    "doctor", "playbooks", "exit-codes", "audit verify", "incident list", "ramp 50 --dry-run", "rollback --dry-run",
    "--help", "ramp --help", "rollback --help",
]  # fmt: skip
# What belongs to our own colours and to nothing else.
OURS = re.compile(rb"\x1b\[[0-9;]*m")
LONG = "a name that somebody thought would explain everything that this check is about, " * 2


def codes_of(terminal: Terminal) -> bytes:
    """The control bytes that are not line ends and not our colours."""
    rest = OURS.sub(b"", terminal.seen)
    return bytes(byte for byte in rest if byte < 0x20 and byte not in b"\r\n\t")


@pytest.mark.parametrize("words", SCREENS)
def test_no_line_is_wider_than_80_columns(project: Project, words: str) -> None:
    project.at_first()
    project.run("note", "complaint", LONG)
    with on_terminal(project, *words.split()) as terminal:
        assert terminal.end() == 0
    plain = OURS.sub(b"", terminal.seen).decode()
    for line in plain.replace("\r\n", "\n").replace("\r", "\n").split("\n"):  # a line may be written over
        one_word = max((len(word) for word in line.split()), default=0) > 60
        assert len(line) <= 80 or one_word, line
    assert codes_of(terminal) == b""


@pytest.mark.parametrize("words", ["status", "now", "explain", "gate", "preflight", "ramp 50 --dry-run", "history"])
def test_200_columns_are_used(project: Project, words: str) -> None:
    project.at_first()
    with on_terminal(project, *words.split(), columns=200) as terminal:
        assert terminal.end() == 0
    assert "ranker" in terminal.text


@pytest.mark.parametrize("columns", [1, 10, 20, 40])
def test_a_very_narrow_terminal_shows_every_word(project: Project, columns: int) -> None:
    project.at_first()
    with on_terminal(project, "gate", columns=columns, lines=60) as terminal:
        assert terminal.end() == 0
    flat = re.sub(rb"\s", b"", OURS.sub(b"", terminal.seen)).decode()
    assert "errors<1%" in flat and "p95<2s" in flat


def test_a_screen_says_the_verdict_first_and_the_next_command_last(project: Project) -> None:
    project.at_first()
    for words, first in ((["gate"], "GO"), (["preflight"], "GO"), (["ramp", "50", "--dry-run"], "GO")):
        with on_terminal(project, *words) as terminal:
            terminal.end()
        shown = [line for line in terminal.shown if line.strip()]
        assert shown[0].startswith(first) and "runbook" in shown[-1], shown


def test_status_fits_on_one_screen(project: Project) -> None:
    project.at_first()
    project.run("hold", "--reason", "rain")
    project.run("incident", "open", "Strange", "--severity", "P2")
    with on_terminal(project, "status") as terminal:
        terminal.end()
    assert len(terminal.screen.history.top) == 0
    assert "rain" in terminal.text and "Strange" in terminal.text


def test_the_card_of_the_night_fits_on_one_screen(project: Project) -> None:
    contacts = "".join(f"\n  Role {n}: {{name: {LONG[:40]!r}, phone: '+1 555 01{n}'}}" for n in range(9))
    project.write(contacts=contacts)
    project.at_first()
    project.run("gate")
    project.numbers(errors=0.07, p95=9000)
    project.run("gate")
    project.run("hold", "--reason", LONG)
    project.run("incident", "open", LONG, "--severity", "P1")
    with on_terminal(project, "now") as terminal:
        assert terminal.end() == 0
    assert len(terminal.screen.history.top) == 0, terminal.text
    assert "UNSAFE" in terminal.shown[0] and "runbook rollback --emergency" in terminal.text
    with on_terminal(project, "now", "--no-color") as terminal:
        assert terminal.end() == 0
    assert b"\x1b" not in terminal.seen and "UNSAFE" in terminal.shown[0]


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}], ids=["NO_COLOR", "dumb", "--no-color"])
def test_without_colour(project: Project, variables: dict[str, str]) -> None:
    project.at_first()
    option = ["--no-color"] if not variables else []
    for words in ("gate", "now"):
        with on_terminal(project, words, *option, env=variables) as terminal:
            assert terminal.end() == 0
        assert b"\x1b" not in terminal.seen, words


def test_with_colour_on_a_terminal(project: Project) -> None:
    project.at_first()
    with on_terminal(project, "gate") as terminal:
        assert terminal.end() == 0
    assert OURS.search(terminal.seen)


EVIL = "x\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\u202etxt\u200b\r\n\tok  GO all fine\x00[bold red]:boom:[/x]"


def test_what_a_service_says_never_reaches_the_terminal(project: Project) -> None:
    contacts = f"\n  On-call: {{name: {json.dumps(EVIL)}, phone: {json.dumps(EVIL)}}}"
    project.write(checklists='\n  ready: [{check: Nothing open, http: /open, list: ".open[]"}]', contacts=contacts)
    project.script("/open", answer(json.dumps({"open": [EVIL, "second"]})))
    project.numbers(errors=EVIL)
    project.run("note", "complaint", EVIL.replace("\x00", ""))
    project.run("hold", "--reason", EVIL.replace("\x00", ""))
    for words in ("preflight", "health-check", "history", "status", "ramp 10", "gate", "explain", "now", "contacts"):
        with on_terminal(project, *words.split()) as terminal:
            terminal.end()
        assert codes_of(terminal) == b"", words
        text = terminal.seen.decode()
        assert not re.search("[\x80-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text), words
        assert "owned" not in terminal.screen.title
        assert not any(line.lstrip().startswith("ok  GO all fine") for line in terminal.shown), words


def test_the_output_of_a_redeploy_never_commands_the_terminal(project: Project) -> None:
    (project.folder / "evil").write_bytes(EVIL.encode() + b"\xff\xfe\n")
    (project.folder / "restart.sh").write_text("cat evil; cat evil >&2; exit 1\n")
    with on_terminal(project, "ramp", "10", "--yes", "-v") as terminal:
        assert terminal.end() == 4
    assert codes_of(terminal) == b"" and "owned" not in terminal.screen.title


def test_a_line_of_ten_megabytes_is_not_printed(project: Project) -> None:
    project.write(checklists='\n  ready: [{check: Nothing open, http: /open, list: ".open[]"}]')
    project.script("/open", answer(json.dumps({"open": ["x" * (4 << 20)]})))
    with on_terminal(project, "preflight") as terminal:
        assert terminal.end() in (1, 3)
    assert len(terminal.seen) < 20_000
