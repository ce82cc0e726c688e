"""Whole commands, from the start of the process to its end, beside a Python that does nothing."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, figure
from benchmarks.rooms import fill
from benchmarks.scene import BEGAN, CHECKS, RUNBOOK, Project, make_project
from benchmarks.timing import Subject, Times, Work, in_turns, process
from runbook.store.sqlite import open_sqlite
from runbook.system.clock import MachineClock

ROUNDS = 15
BASE = "python -c pass"


@dataclass(frozen=True)
class Timed:
    """A command to time, and how many times the base it may take."""

    what: str
    arguments: tuple[str, ...]
    target: float | None


QUICK = (
    Timed("runbook --version", ("--version",), 3),
    Timed("runbook --help", ("--help",), 14),
    Timed("runbook status", ("status",), 9),
    Timed("runbook status --format json", ("status", "--format", "json"), 9),
    Timed("runbook history --last 20", ("history", "--last", "20"), None),
    Timed("runbook lint", ("lint",), None),
)
COMPLETED = (Timed("completion of a command", ("rol",), 7), Timed("completion of a stage", ("ramp", "so"), 7))


def commands_that_ask_nobody(project: Project) -> list[Figure]:
    """Version, help, status, history, lint and completion; on a service in the middle of a bake."""
    subjects = [_base(project)]
    for timed in QUICK:
        subjects.append(Subject(timed.what, process([RUNBOOK, *timed.arguments], project.folder, project.env)))
    for timed in COMPLETED:
        words = " ".join(("runbook", *timed.arguments))
        asked = {"_RUNBOOK_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(timed.arguments))}
        subjects.append(Subject(timed.what, process([RUNBOOK], project.folder, {**project.env, **asked})))
    times = in_turns(subjects, ROUNDS)
    return [_beside_base(timed.what, times, timed.target) for timed in (*QUICK, *COMPLETED)]


def preflight_beside_curl(project: Project) -> list[Figure]:
    """The checks of a stage on a service that takes its time, beside curl asking the same URLs all at once."""
    if shutil.which("curl") is None:
        return []
    name, plain = f"runbook preflight, {CHECKS} checks at 50 ms", "curl --parallel"
    each = [part for url in project.check_urls() for part in ("-o", "/dev/null", url)]
    curl = ["curl", "--silent", "--parallel", "--parallel-max", "64", *each]
    times = in_turns(
        [
            Subject(plain, process(curl, project.folder, project.env)),
            Subject(name, process([RUNBOOK, "preflight"], project.folder, project.env)),
        ],
        ROUNDS,
    )
    return [figure(name, times[name], plain, times[plain], 2.0)]


def emergency(project: Project) -> list[Figure]:
    """The way back from the middle of a bake. Its redeploy only notes when it began, so the rest is ours."""
    project.put_back()
    whole, on_disk = "runbook rollback --emergency", "the same, until its redeploy begins (the flag is on disk)"
    run = process([RUNBOOK, "rollback", "--emergency", "--yes"], project.folder, project.env)
    times = in_turns(
        [
            _base(project),
            Subject(whole, run, project.put_back),
            Subject(on_disk, _until_the_redeploy(run, project.folder / BEGAN), project.put_back),
        ],
        ROUNDS,
    )
    return [_beside_base(whole, times, 15), _beside_base(on_disk, times, 10)]


def _until_the_redeploy(run: Work, noted: Path) -> Work:
    def until() -> float:
        began = time.time_ns()
        run()
        return (int(noted.read_text("utf-8")) - began) / 1e9

    return until


def history_of_a_long_chain(folder: Path, url: str) -> list[Figure]:
    """The newest twenty events of many, beside the newest twenty of few."""
    few, many = 100, 100_000
    names = {count: f"runbook history --last 20, of {count:,} events" for count in (few, many)}
    subjects = []
    for count, name in names.items():
        project = make_project(folder / str(count), url)
        store = open_sqlite(project.folder / ".runbook/state.db", clock=MachineClock())
        fill(store, count)
        store.close()
        subjects.append(Subject(name, process([RUNBOOK, "history", "--last", "20"], project.folder, project.env)))
    times = in_turns(subjects, ROUNDS)
    return [figure(names[many], times[names[many]], "the same, of 100", times[names[few]], 1.2)]


def in_mid_bake(folder: Path, url: str) -> Project:
    """A project whose service has entered its second stage. Raises `RuntimeError` when it cannot."""
    project = make_project(folder, url)
    process([RUNBOOK, "ramp", "10", "--yes"], folder, project.env)()
    project.keep()
    return project


def _base(project: Project) -> Subject:
    return Subject(BASE, process([sys.executable, "-c", "pass"], project.folder, project.env))


def _beside_base(what: str, times: dict[str, Times], target: float | None) -> Figure:
    return figure(what, times[what], BASE, times[BASE], target)
