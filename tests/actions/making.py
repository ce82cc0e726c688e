"""What the tests of actions have in common: a header, hands, and steps that are done by a shell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from runbook.actions.base import Action, Hands
from runbook.actions.journal import Header, Journal
from runbook.actions.registry import KINDS
from runbook.actions.steps import StepRecord
from runbook.store.events import Who
from runbook.system.secrets import Masker
from runbook.system.variables import Variables

ANA = Who(operator="ana", host="app-1")


def header(operation: str = "op-1", steps: Sequence[StepRecord] = ()) -> Header:
    """A header of a process that is no more."""
    return Header(
        operation=operation,
        kind="ramp",
        service="checkout",
        environment="production",
        who=ANA,
        began=1_790_000_000.0,
        epoch=1,
        came_from="off@0",
        to="canary@5",
        steps=tuple(steps),
        sections={},
    )


def journal_of(folder: Path, steps: Sequence[StepRecord]) -> Journal:
    return Journal.begin(folder / "journal", "checkout-production", header(steps=steps))


def hands(
    folder: Path,
    *,
    url: str | None = None,
    stopping: Callable[[], bool] = lambda: False,
    context: dict[str, str] | None = None,
    process: dict[str, str] | None = None,
    output: Callable[[str], None] = lambda line: None,
    started: Callable[[int], None] = lambda pid: None,
    scale: float = 1.0,
) -> Hands:
    masker = Masker()
    variables = Variables(process={"PATH": "/usr/bin:/bin", **(process or {})}, context=context or {}, masker=masker)
    return Hands(
        project=folder,
        url=url,
        variables=variables,
        masker=masker,
        operation="op-1",
        started=started,
        output=output,
        stopping=stopping,
        scale=scale,
    )


def action(kind: str, *, title: str = "", timeout: float = 10.0, attempts: int = 1, critical: bool = True,
           undo: Action | None = None, **options: object) -> Action:  # fmt: skip
    """An action of a kind with its options."""
    made = KINDS[kind](**options)
    return Action(
        title=title or kind, kind=kind, options=made, timeout=timeout, attempts=attempts, critical=critical, undo=undo
    )


def run(line: str, **settings: object) -> Action:
    """An action that runs a shell line."""
    return action("run", run=line, **settings)  # type: ignore[arg-type]
