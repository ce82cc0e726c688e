"""`runbook rollback`: one step back, to a named step, in part, by the stage's fallback, or the emergency."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli import completing
from runbook.cli.alarm import raise_alarm
from runbook.cli.boundary import command
from runbook.cli.options import Confirm, DryRun, ReasonText, Shared, Wait, Yes
from runbook.cli.stepping import Asked, step_back
from runbook.cli.talk import Consent
from runbook.language.durations import parse_duration
from runbook.rollout.emergency import Alarm
from runbook.show.answer import Answer
from runbook.system.refusals import Refusal

app = typer.Typer()

To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="PERCENT|STAGE|STAGE@PERCENT",
        help="Down to that step.",
        autocompletion=completing.lower_positions,
    ),
]
Emergency = Annotated[bool, typer.Option("--emergency", help="Back to the safe flags, whatever else is broken.")]
Partial = Annotated[bool, typer.Option("--partial", help="Down in part: the next lower step of rollback.partial.")]
Fallback = Annotated[bool, typer.Option("--fallback", help="What the stage we are in says for when there are issues.")]
Takeover = Annotated[bool, typer.Option("--takeover", help="With --emergency: at once, also from another emergency.")]
Stay = Annotated[
    bool,
    typer.Option(
        "--watch", help="Stay until the numbers recover; with --partial for its bake, and further down if they do not."
    ),
]


@command(app)
def rollback(
    shared: Shared,
    to: To = None,
    partial: Partial = False,
    fallback: Fallback = False,
    emergency: Emergency = False,
    takeover: Takeover = False,
    watch: Stay = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm_name: Confirm = None,
    reason: ReasonText = "",
    wait: Wait = None,
) -> Answer:
    """One step back on the ladder; --to goes further down; --emergency to the safe flags.

    --partial stays in the stage and takes the next lower percentage of rollback.partial; --fallback does what the stage
    says itself. Down is always allowed: no gate, calendar, hold or drift stops it; only a one_way stage is not gone
    back past. The emergency works without the store, the metrics, a terminal, and without a readable playbook.

    Example: runbook rollback --emergency
    """
    refuse_several(to=to is not None, partial=partial, fallback=fallback, emergency=emergency)
    if emergency:
        return raise_alarm(shared, yes=yes, dry_run=dry_run, watch=watch, alarm=Alarm(reason, takeover=takeover))
    if takeover:
        raise Refusal("--takeover goes with --emergency", next_steps=["runbook rollback --emergency --takeover"])
    waiting = parse_duration(wait) if wait else 0.0
    asked = Asked(shared, Consent(yes, confirm_name), dry_run, watch, reason, waiting)
    if partial and watch and not dry_run:
        from runbook.cli.parts import go_down_in_parts

        return go_down_in_parts(asked)
    return step_back(asked, to, "partial" if partial else "fallback" if fallback else "rollback")


def refuse_several(**ways: bool) -> None:
    """Raises `Refusal` where more than one way down was named."""
    named = [f"--{name}" for name, given in ways.items() if given]
    if len(named) > 1:
        listed = f"{', '.join(named[:-1])} and {named[-1]}"
        steps = [f"runbook rollback {name}{' PERCENT' if name == '--to' else ''}" for name in named]
        raise Refusal(f"{listed} are different ways down; choose one", next_steps=steps)
