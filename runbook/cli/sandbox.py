"""`runbook sandbox`: a practice service for a playbook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from runbook.cli.boundary import command
from runbook.cli.choosing import choose_playbook
from runbook.cli.options import Shared
from runbook.cli.practice import definition_of, env_file_of, folder_of
from runbook.cli.wiring import Bench, known_names, open_bench, read_playbook
from runbook.playbook.model import Environment, Playbook
from runbook.show.answer import Answer
from runbook.show.page import Page
from runbook.system.clock import rfc3339
from runbook.system.refusals import Exit, Refusal

app = typer.Typer(no_args_is_help=True, help="A practice service: up, fault, down, status.")


@app.callback()
def sandbox() -> None:
    """A practice service for a playbook: a real HTTP server that reads its flag file only when it is (re)started."""


@dataclass(frozen=True)
class Practice:
    """The sandbox of one playbook: where it lives and what describes it."""

    bench: Bench
    playbook: Playbook
    environment: Environment
    folder: Path
    definition: Path
    env_file: Path


def practice_of(shared: Shared) -> Practice:
    """The sandbox that is meant. Raises `Refusal` when the playbook has no sandbox environment."""
    bench = open_bench(shared)
    chosen = choose_playbook(bench.project.root, bench.settings.get("playbook"), known=known_names(bench))
    playbook = read_playbook(bench, chosen, tolerant=False)
    assert playbook is not None  # not tolerant
    named = bench.settings.get("env")
    found = [one for one in playbook.environments.values() if one.sandbox and named in (None, one.name)]
    if not found:
        raise Refusal(
            f"{playbook.service} has no sandbox environment" + (f" {named!r}" if named else ""),
            next_steps=["add to its environments:  sandbox: {sandbox: true, bake_scale: 0.001}"],
        )
    environment = found[0]
    root, folder = bench.project.root, folder_of(bench.state.path, playbook.service, environment.name)
    return Practice(
        bench,
        playbook,
        environment,
        folder,
        definition_of(root, playbook.service),
        env_file_of(root, folder, environment),
    )


@command(app)
def up(
    shared: Shared,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="Else the one of last time, or a free one.")
    ] = None,
) -> Answer:
    """Start the practice service, detached, and return when it answers.

    Example: runbook sandbox up -p enrichment
    """
    from runbook.sandbox import control
    from runbook.sandbox.trouble import SandboxTrouble

    practice = practice_of(shared)
    try:
        running = control.up(practice.definition, practice.folder, practice.env_file, port=port)
    except SandboxTrouble as trouble:
        raise refused(trouble) from trouble
    answer = _answer(practice, Exit.GO, f"{practice.playbook.service} answers at {running.url}")
    answer.page.verdict("UP", answer.message)
    answer.page.line(f"  flag file  {_shown(practice.bench.project.root, running.env_file)}")
    answer.page.line(f"  output     {_shown(practice.bench.project.root, running.folder)}/engine.log")
    answer.page.next("runbook preflight")
    answer.page.next("runbook sandbox fault error_rate=8%", label="Later, to practise")
    answer.lists["details"] = {"url": running.url, "pid": running.pid, "env_file": str(running.env_file)}
    return answer


@command(app)
def down(shared: Shared) -> Answer:
    """End the practice service. Its files stay.

    Example: runbook sandbox down
    """
    from runbook.sandbox import control
    from runbook.sandbox.trouble import SandboxTrouble

    practice = practice_of(shared)
    try:
        ended = control.down(practice.folder)
    except SandboxTrouble as trouble:
        raise refused(trouble) from trouble
    answer = _answer(
        practice, Exit.GO, "the practice service has ended" if ended else "no practice service was running"
    )
    answer.page.line(answer.message)
    return answer


@command(app)
def fault(
    shared: Shared,
    what: Annotated[
        str, typer.Argument(metavar="FAULT", help="error_rate=8%, latency=4s, down, garbage, stale, none.")
    ],
) -> Answer:
    """Give the practice service a fault. Faults add up until `none`, and survive a restart.

    Example: runbook sandbox fault error_rate=8%
    """
    from runbook.sandbox import control
    from runbook.sandbox.trouble import SandboxTrouble

    practice = practice_of(shared)
    try:
        state = control.set_fault(practice.folder, what)
    except SandboxTrouble as trouble:
        raise refused(trouble) from trouble
    answer = _answer(practice, Exit.GO, f"faults of {practice.playbook.service}: {state.fault}")
    answer.page.line(answer.message)
    answer.lists["details"] = {"fault": state.fault}
    return answer


@command(app)
def status(shared: Shared) -> Answer:
    """Whether the practice service runs, where, since when, and with which faults.

    Example: runbook sandbox status
    """
    from runbook.sandbox import control
    from runbook.sandbox.trouble import SandboxTrouble

    practice = practice_of(shared)
    try:
        state = control.status(practice.folder)
    except SandboxTrouble as trouble:
        raise refused(trouble) from trouble
    if state is None or not state.up:
        answer = _answer(practice, Exit.NO_GO, "no practice service is up")
        answer.page.line(answer.message)
        answer.page.next("runbook sandbox up")
        return answer
    word = f"answers at {state.url}, process {state.pid}" if state.alive else "was killed"
    answer = _answer(practice, Exit.GO if state.alive else Exit.NO_GO, f"{practice.playbook.service} {word}")
    answer.page.verdict("UP" if state.alive else "DOWN", answer.message, f"since {rfc3339(state.started_at)}")
    answer.page.line(f"  faults     {state.fault}")
    answer.page.line(f"  flag file  {_shown(practice.bench.project.root, state.env_file)}")
    if not state.alive:
        answer.page.next("runbook sandbox up")
    answer.lists["details"] = {"url": state.url, "pid": state.pid, "alive": state.alive, "fault": state.fault}
    return answer


def refused(trouble: Any) -> Refusal:
    """A sandbox's trouble as a refusal."""
    return Refusal(trouble.reason, exit_=Exit.FAILED, next_steps=[trouble.hint] if trouble.hint else [])


def _shown(root: Path, path: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _answer(practice: Practice, exit_: Exit, message: str) -> Answer:
    return Answer(exit_, message, Page(), practice.playbook.service, practice.environment.name)
