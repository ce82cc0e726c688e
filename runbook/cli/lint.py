"""`runbook lint`: every error of a playbook, and what is suspicious."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.choosing import choose_playbook
from runbook.cli.options import Shared, Strict
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


@command(app)
def lint(
    shared: Shared,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILES]", help="Else every playbook here.")] = None,
    strict: Strict = False,
) -> Answer:
    """Every error with file, line, column and a caret under the place; also what is suspicious. Nothing is run.

    Exit 0 without errors, 2 with some; under --strict warnings are errors (exit 1 when only they are there).

    Example: runbook lint playbooks/menu.yaml
    """
    project, settings = settings_of(shared)
    paths = list(files or [])
    if not paths and settings.get("playbook"):
        chosen = choose_playbook(project.root, settings.get("playbook"), known={})
        paths = [chosen.path] if chosen.path else []
    paths = paths or [candidate.path for candidate in find_playbooks(project.root)]
    if not paths:
        raise Refusal(f"no playbook in {project.root}/playbooks", next_steps=["runbook lint FILE", "runbook playbooks"])
    page, problems = Page(), []
    for path in paths:
        loaded = load_playbook(path.absolute(), project.root)
        for problem in loaded.problems:
            _show(page, problem, loaded)
        problems += loaded.problems
    errors = [problem for problem in problems if problem.level == "error"]
    warnings = [problem for problem in problems if problem.level == "warning"]
    message = f"{_count(len(errors), 'error')}, {_count(len(warnings), 'warning')} in {_count(len(paths), 'playbook')}"
    page.line(
        Span(message + ".", "bold red" if errors else "bold green" if not warnings else "yellow"), " Nothing was run."
    )
    exit_ = Exit.USAGE if errors else Exit.NO_GO if strict and warnings else Exit.GO
    return Answer(exit_, message, page, lists={"problems": problem_rows(problems)})


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
