"""Kills the tool at every system call that touches state, and sees whether the next commands bring it to rest.

    python tests/fault/kill_everywhere.py --kills 300
    python tests/fault/kill_everywhere.py --all --commands ramp,emergency,resume --jobs 2
    python tests/fault/kill_everywhere.py --faults ENOSPC,EIO,HUP,INT --kills 100

For each call: a fresh copy of the project, the installed command killed at that very call, then what an operator
would type: `status`, the command again, `resume --finish` or `--undo` or the emergency. After that file, service,
record and history must agree, with nothing left about. The exit status is the number of calls that were not recovered.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fault.calls import Call, record
from tests.fault.faults import FAULTS, Fault
from tests.fault.practice import Practice, copy
from tests.fault.recovering import Strike, Tried, try_one
from tests.fault.scenarios import SCENARIOS, WAYS, template
from tests.fault.warm import load


@dataclass(frozen=True)
class Report:
    """What became of one scenario: how many calls it has, and every kill that was tried."""

    name: str
    calls: int
    tried: Sequence[Tried]

    @property
    def failures(self) -> int:
        return sum(bool(one.wrong) for one in self.tried)


def main(argv: Sequence[str] | None = None) -> int:
    """The number of calls that were not recovered."""
    given = _arguments(argv)
    folder = Path(tempfile.mkdtemp(prefix="runbook-kills-"))
    began = time.monotonic()
    try:
        load()
        reports = _strike(_chosen(given.commands), given, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _print(reports, time.monotonic() - began)
    if given.report:
        told = [
            {"name": one.name, "calls": one.calls, "tried": [asdict(each) for each in one.tried]} for one in reports
        ]
        Path(given.report).write_text(json.dumps(told, indent=1))
    return min(sum(report.failures for report in reports), 125)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=300, help="how many in all, spread evenly over the calls")
    parser.add_argument("--all", action="store_const", dest="kills", const=0, help="at every call of every command")
    parser.add_argument("--commands", default="", help="only these, by the first word: ramp,rollback,emergency,resume")
    parser.add_argument("--faults", default="KILL", help=f"what strikes, in turn: {','.join(FAULTS)}")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="how many at once")
    parser.add_argument("--report", metavar="FILE", help="write every kill there, as JSON")
    return parser.parse_args(argv)


def _chosen(commands: str) -> list[int]:
    wanted = {word.strip() for word in commands.split(",") if word.strip()}
    known = {one.command for one in SCENARIOS}
    if wanted - known:
        raise SystemExit(
            f"no such command: {', '.join(sorted(wanted - known))} (there are: {', '.join(sorted(known))})"
        )
    return [number for number, one in enumerate(SCENARIOS) if not wanted or one.command in wanted]


def _strike(chosen: Sequence[int], given: argparse.Namespace, folder: Path) -> list[Report]:
    faults = [FAULTS[name] for name in given.faults.split(",")]
    with multiprocessing.get_context("fork").Pool(given.jobs, initializer=_take_slot, initargs=(folder,)) as pool:
        recorded = pool.map(_recorded, chosen, chunksize=1)
        calls = {
            number: [call for call in found if any(fault.strikes(call) for fault in faults)]
            for number, found in zip(chosen, recorded, strict=True)
        }
        tasks = list(_tasks(calls, faults, given.kills))
        tried: dict[int, list[Tried]] = {number: [] for number in chosen}
        for done, (number, one) in enumerate(pool.imap_unordered(_tried, tasks, chunksize=1), start=1):
            tried[number].append(one)
            if one.wrong:
                print(f"  {SCENARIOS[number].name}: {one}", flush=True)
            if done % 100 == 0:
                print(f"  {done} of {len(tasks)} tried", file=sys.stderr, flush=True)
    return [Report(SCENARIOS[number].name, len(calls[number]), tried[number]) for number in chosen]


def _tasks(calls: dict[int, list[Call]], faults: Sequence[Fault], wanted: int) -> Iterator[tuple[int, Strike]]:
    """As many as wanted (0: all), spread evenly over all calls; faults and ways out in turn."""
    every = [(number, call, fault) for number, found in calls.items() for call in found for fault in faults]
    every = [(number, call, fault) for number, call, fault in every if fault.strikes(call)]
    count = min(wanted or len(every), len(every))
    for turn in range(count):
        number, call, fault = every[turn * len(every) // count]
        yield number, Strike(fault.name, call, WAYS[turn % len(WAYS)])


_slot: list[Path] = []


def _take_slot(folder: Path) -> None:
    own = folder / f"slot-{os.getpid()}"
    own.mkdir()
    _slot[:] = [folder, own]


def _recorded(number: int) -> list[Call]:
    """Make the template of a scenario, and list the calls of one whole run of it."""
    folder, own = _slot
    scenario = SCENARIOS[number]
    made = template(scenario, folder / f"template-{number}")
    calls, ran = record(copy(made, own / "p"), *scenario.argv)
    if ran.code != 0:
        raise AssertionError(f"{scenario.name} does not work undisturbed: {ran}")
    return calls


def _tried(task: tuple[int, Strike]) -> tuple[int, Tried]:
    number, strike = task
    folder, own = _slot
    return number, try_one(SCENARIOS[number], strike, Practice(folder / f"template-{number}"), own / "p")


def _print(reports: Sequence[Report], seconds: float) -> None:
    width = max(len(report.name) for report in reports)
    print(f"\n{'command':{width}}   calls   tried   recovered")
    for report in reports:
        tried = len(report.tried)
        print(f"{report.name:{width}}   {report.calls:5}   {tried:5}   {tried - report.failures} of {tried}")
    tried = sum(len(report.tried) for report in reports)
    failed = sum(report.failures for report in reports)
    print(f"{'all':{width}}   {sum(one.calls for one in reports):5}   {tried:5}   {tried - failed} of {tried}")
    print(f"\n{seconds:.0f} s, {seconds / max(tried, 1):.2f} s each")


if __name__ == "__main__":
    sys.exit(main())
