"""Scenes for the golden files: a project made ready, and the command that is then printed in every format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.command.project import Project
from tests.servers import answer

Prepared = Callable[[Project], None]

LISTS = """
  ready:
    - {check: Answers, http: /health, advice: look at restart.sh}
    - {check: Words are there, file: words.txt, advice: make words}"""
WARNS = LISTS + "\n    - {check: Notes are there, file: notes.txt, level: warn, advice: write them}"
PEOPLE = (
    LISTS
    + """
    - {check: Team is told, id: told, sign: true, valid: 30d}
    - {check: All of it, all: [{check: Words again, file: words.txt}, {check: Legal agreed, id: legal, sign: true}]}"""
)
PASSED_OVER = LISTS + "\n    - {check: Elsewhere, http: /nowhere, unless: [local]}"
# Everything that one of the formats could take for its own: markup, directives, commands, bars, quotes, control bytes.
HOSTILE_BODY = (
    "\x1b[2J</failure>]]><script>::error::x ##[error]y | 'a'=1;2 # SKIP # T" + "ODO\n::set-output name=x::y"
    "\n![x](http://203.0.113.9/x) **bold** `tick` \u202eright\u2069 \x00 100% \\ \" ' &amp;"
)
HOSTILE = """
  ready:
    - check: "a | b # c :: <i> `d` \\\\ 'e' \\"f\\" %0A, g"
      id: hostile
      http: /hostile
      jq: .text
      expect: "== fine"
      advice: "::warning::x | # <b>"
    - {check: Answers, http: /health}"""


@dataclass(frozen=True)
class Scene:
    """A project made ready by `before`, and the command."""

    before: Prepared
    words: tuple[str, ...]


def _write(project: Project, lists: str) -> None:
    project.write(checklists=lists)


def _no_go(project: Project) -> None:
    _write(project, LISTS)
    project.run("preflight")
    project.run("note", "deploy", "build 7", env={"RUNBOOK_OPERATOR": "mira"})
    (project.folder / "words.txt").unlink()


def _waived(project: Project) -> None:
    _write(project, PASSED_OVER)
    (project.folder / "words.txt").unlink()
    waive = ("waive", "words_are_there", "--until", "3d", "--reason", "the words come on Friday")
    project.run(*waive, env={"RUNBOOK_OPERATOR": "mira"})


def _hostile(project: Project) -> None:
    _write(project, HOSTILE)
    project.script("/hostile", answer(json.dumps({"text": HOSTILE_BODY})))


def _gates(project: Project) -> None:
    project.at_first()
    project.numbers(errors=0.026)


def _metrics(**numbers: object) -> Prepared:
    return lambda project: project.numbers(**numbers)


def _wrong(project: Project) -> None:
    project.write(rollback="{sett: safe, objective: soon}")


def _lists(lists: str) -> Prepared:
    return lambda project: _write(project, lists)


def _odd(project: Project) -> None:
    project.write(verify=None)


SCENES: dict[str, Scene] = {
    "preflight-go": Scene(_lists(LISTS), ("preflight",)),
    "preflight-no-go": Scene(_no_go, ("preflight",)),
    "preflight-unknown": Scene(_lists(PEOPLE), ("preflight", "first")),
    "preflight-automatic": Scene(_lists(PEOPLE), ("preflight", "first", "--automatic")),
    "preflight-warn": Scene(_lists(WARNS), ("preflight",)),
    "preflight-warn-strict": Scene(_lists(WARNS), ("preflight", "--strict")),
    "preflight-waived": Scene(_waived, ("preflight",)),
    "preflight-hostile": Scene(_hostile, ("preflight",)),
    "preflight-refused": Scene(_lists(LISTS), ("preflight", "nowhere")),
    "gate-go": Scene(lambda project: None, ("gate",)),
    "gate-no-go": Scene(_gates, ("gate",)),
    "health-go": Scene(_metrics(), ("health-check",)),
    "health-warn": Scene(_metrics(errors=0.02), ("health-check",)),
    "health-critical": Scene(_metrics(errors=0.2, p95=None), ("health-check",)),
    "lint-clean": Scene(lambda project: None, ("lint",)),
    "lint-odd": Scene(_odd, ("lint",)),
    "lint-wrong": Scene(_wrong, ("lint",)),
}

_CLOCK = "2026-01-01T00:00:00.000Z"
_SAME: tuple[tuple[str, str], ...] = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", _CLOCK),
    (r'timestamp="[^"]*"', 'timestamp="2026-01-01T00:00:00"'),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "2026-01-01 00:00"),
    (r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(?:\d{1,2} [A-Z][a-z]{2} (?:\d{4} )?)?\d\d:\d\d\b(?=[ ,;.)]|$)", "00:00"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:80"),
    (r"\d[\d.,]* (?:ms|s|m|h)(?= (?:ago|old)\b)", "9 s"),
    (r"(?<=age )[\d.]+ (?:ms|s)", "9 s"),
    (r'("(?:duration_ms|age)": )[\d.e-]+', r"\g<1>9"),
    (r"(duration_ms: )[\d.e-]+", r"\g<1>9"),
    (r'(?s)"phases": \{[^}]*\}', '"phases": {}'),
    (r'( time=)"[\d.]+"', r'\g<1>"0.009"'),
    (r"(time'=)[\d.]+s", r"\g<1>0.009s"),
    (r"(?m)^(runbook_\w*_seconds\{.*\}) .*$", r"\g<1> 9"),
    (r"(?m)^runbook_check_phase_seconds\{.*\n|^# \w+ runbook_check_phase_seconds .*\n", ""),
    (r"(?m)  +\d[\d.]* s$", "  9 s"),
)


def normalised(text: str) -> str:
    """What was printed, with the same time, duration and port in every run."""
    for pattern, same in _SAME:
        text = re.sub(pattern, same, text)
    return text
