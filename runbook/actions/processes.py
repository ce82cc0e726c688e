"""What the actions that start a process share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from runbook.actions.base import Done, Hands
from runbook.system.harmless import harmless
from runbook.system.processes import MARKER, Finished, child_environment, run_process


def run_argv(
    argv: Sequence[str],
    hands: Hands,
    timeout: float,
    *,
    additions: Mapping[str, str] | None = None,
    named: Collection[str] = (),
) -> Finished:
    """Run `argv` in the project's folder as a process group of its own, marked with the operation.

    `named` are the secrets that the playbook's own line names; no others reach the child.
    """
    return run_process(
        argv,
        cwd=hands.project,
        env=child_environment(
            hands.variables,
            named=named,
            additions={**(additions or {}), MARKER: hands.operation},
        ),
        timeout=timeout,
        stopping=hands.stopping,
        started=hands.started,
        on_line=lambda line: hands.output(harmless(hands.masker.mask(line))),
    )


def done_by(finished: Finished) -> Done:
    """How the process ended, in an operator's words."""
    message = "" if finished.ok else finished.how_it_ended
    if finished.timed_out:
        message += "; its whole process group was ended"
    return Done(finished.ok, message, finished.duration, finished.interrupted)
