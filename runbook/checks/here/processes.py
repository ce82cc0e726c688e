"""What the kinds that start a process share: how it is run beside the loop, and what its end says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from runbook.checks.base import Finding, Surroundings
from runbook.checks.findings import failed, seconds_left, unknown
from runbook.checks.reading import Wanted, first_line, read_text
from runbook.judge.verdicts import Status
from runbook.system.processes import Finished, child_environment, run_process

_ENDING = 5.0  # seconds to wait for a process group that is being ended


async def run_for_check(
    argv: Sequence[str],
    around: Surroundings,
    *,
    named: Collection[str] = (),
    additions: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program until the deadline of the check. Cancelled, it is ended with its whole group first."""
    import asyncio
    import threading

    from runbook.system.daemon_threads import in_thread

    stop = threading.Event()
    environment = child_environment(around.variables, named=named, additions=additions)

    def run() -> Finished:
        return run_process(
            argv,
            cwd=around.project,
            env=environment,
            timeout=seconds_left(around),
            stopping=stop.is_set,
            limit=5 << 20,
            merge=False,
        )

    running = asyncio.ensure_future(in_thread(run))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([running], timeout=_ENDING)
        raise


async def finding_of(finished: Finished, wanted: Wanted, around: Surroundings) -> Finding:
    """What the end of a process says: its status, and what is taken out of its standard output.

    Not started, timed out or ended by a signal is unknown; so is another status than 0 where a value was to be had.
    """
    complaint = first_line((finished.errors or finished.output).encode())
    how = f"{finished.how_it_ended}: {complaint}" if complaint else finished.how_it_ended
    if finished.exit is None or finished.exit < 0 or finished.timed_out or finished.interrupted:
        return unknown(how, observed="timed out" if finished.timed_out else "")
    if finished.exit != 0:
        return unknown(how) if wanted.takes_value() else failed(how, f"exit {finished.exit}", "exit 0")
    finding = await read_text(finished.output.encode(), wanted, seconds_left(around))
    if finding.status is Status.PASS and not wanted.anything():
        return Finding(Status.PASS, observed="exit 0", value=finding.value)
    return finding
