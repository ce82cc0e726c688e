"""`runbook lint`: every error of a playbook, and what is suspicious."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.choosing import choose_playbook
from runbook.cli.options import JUDGED, Shared, Strict
from runbook.cli.wiring import settings_of
from runbook.language.places import Problem
from runbook.playbook.excerpts import excerpt
from runbook.playbook.find import find_playbooks
from runbook.playbook.load import Loaded, load_playbook
from runbook.show.answer import Answer
from runbook.show.page import Page, Span
from runbook.show.rows import problem_rows
from runbook.system.refusals import Exit, Refusal

app = typer.Typer()


@command(app, formats=JUDGED)
def lint(
    shared: Shared,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILES]", help="Else every playbook here.")] = None,
    strict: Strict = False,
    prove: Annotated[
        bool, typer.Option("--prove", help="Try every check against answers that should make it fail.")
    ] = False,
) -> Answer:
    """Every error with file, line, column and a caret under the place; also what is suspicious. Nothing is run.

    With --prove a check or rule that decides nothing is a warning: it passes whatever is answered, or can never fire.

    Exit 0 without errors, 2 with some; under --strict warnings are errors (exit 1 when only they are there).

    Example: runbook lint playbooks/menu.yaml
    """
    root, paths = _meant(shared, files)
    page, problems = Page(), []
    for path in paths:
        loaded = load_playbook(path.absolute(), root)
        found = [*loaded.problems, *_of_recordings(loaded, root)]
        told: list[str] = []
        if prove:
            suspected, told = _proven(path, root)
            found += suspected
        for problem in found:
            _show(page, problem, loaded)
        for text in told:
            page.line(text, indent=2)
        problems += found
    errors = [problem for problem in problems if problem.level == "error"]
    warnings = [problem for problem in problems if problem.level == "warning"]
    message = f"{_count(len(errors), 'error')}, {_count(len(warnings), 'warning')} in {_count(len(paths), 'playbook')}"
    page.line(
        Span(message + ".", "bold red" if errors else "bold green" if not warnings else "yellow"), " Nothing was run."
    )
    exit_ = Exit.USAGE if errors else Exit.NO_GO if strict and warnings else Exit.GO
    return Answer(exit_, message, page, lists={"problems": problem_rows(problems, strict=strict)}, judged=True)


def _meant(shared: Shared, files: list[Path] | None) -> tuple[Path, list[Path]]:
    """The project, and the playbooks that are meant. Raises `Refusal` where there is none."""
    project, settings = settings_of(shared)
    paths = list(files or [])
    if not paths and settings.get("playbook"):
        chosen = choose_playbook(project.root, settings.get("playbook"), known={})
        paths = [chosen.path] if chosen.path else []
    paths = paths or [candidate.path for candidate in find_playbooks(project.root)]
    if not paths:
        raise Refusal(f"no playbook in {project.root}/playbooks", next_steps=["runbook lint FILE", "runbook playbooks"])
    return project.root, paths


def _proven(path: Path, root: Path) -> tuple[list[Problem], list[str]]:
    """The checks and rules of a playbook that decide nothing, and what was tried in words."""
    from runbook.cli.proving import prove_file

    proven = prove_file(path.absolute(), root)
    return list(proven.problems), list(proven.told)


def _of_recordings(loaded: Loaded, root: Path) -> list[Problem]:
    """What is wrong with the files of answers that tests name; a bad one stops a test, and never a ramp."""
    if loaded.playbook is None or not loaded.playbook.tests:
        return []
    from runbook.rollout.trial_answers import file_problems

    return file_problems(loaded.playbook, loaded.sources, root)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _show(page: Page, problem: Problem, loaded: Loaded) -> None:
    style = "bold red" if problem.level == "error" else "yellow"
    word = "" if problem.level == "error" else "warning: "
    page.line(
        Span(f"{problem.place or ''}", "bold"),
        ": " if problem.place else "",
        Span(word + problem.message, style),
        indent=4,
    )
    text = loaded.sources.get(problem.place.file, "") if problem.place else ""
    for line in excerpt(problem, text):
        page.line(line)
