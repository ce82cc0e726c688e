"""`runbook demo`: the tour. It types real commands against a practice service and tells what happens."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Format, Shared
from runbook.playbook.find import shipped_folder
from runbook.show.answer import Answer
from runbook.show.page import Page, Span
from runbook.show.printing import print_page, wants_colour
from runbook.store.base import Chain, StoreAway
from runbook.store.fold import state_of
from runbook.store.opening import open_store
from runbook.system.clock import MachineClock
from runbook.system.refusals import Exit, Refusal

app = typer.Typer()

SETTINGS = "# Read by runbook in this folder: which environment is meant when none is typed.\nRUNBOOK_ENV=sandbox\n"
PATIENCE = 60.0  # seconds that any one step of the tour may take


class Stopped(Exception):  # noqa: N818 - it is told, not a fault of ours
    """A step of the tour did not come out as told; the story after it would not be true."""


@dataclass
class Tour:
    """The tour in its folder. `shared` says how to print."""

    folder: Path
    shared: Shared

    def tell(self, *sentences: str) -> None:
        """A sentence of the story."""
        page = Page()
        page.blank()
        for sentence in sentences:
            page.line(Span(sentence, "bold cyan"))
        self._print(page)

    def type(self, line: str, *, expected: int = 0) -> None:
        """Type a command, show it and what it prints, and look at its exit status."""
        self._ended(line, self._start(line), expected)

    def type_and_meanwhile(self, line: str, meanwhile: str, *, percent: float, expected: int) -> None:
        """Type a command that stays, and another one as soon as the service stands at `percent`."""
        process = self._start(line)
        until = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < until and not self._stands_at(percent):
            time.sleep(0.05)
        self._print_prompt(f"{meanwhile}      # in another terminal")
        self.run_unseen(meanwhile)
        self._ended(line, process, expected)

    def run_unseen(self, line: str) -> None:
        """Run a command that is not part of the story."""
        subprocess.run(self._argv(line), cwd=self.folder, env=self._environment(), check=False, capture_output=True)

    def _start(self, line: str) -> subprocess.Popen[bytes]:
        self._print_prompt(line)
        return subprocess.Popen(self._argv(line), cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL,
                                stdout=self._output(), stderr=self._output())  # fmt: skip

    def _ended(self, line: str, process: subprocess.Popen[bytes], expected: int) -> None:
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        page = Page()
        page.line(Span(f"(exit status {code})", "dim"))
        self._print(page)
        if code != expected:
            raise Stopped(f"{line}: exit status {code}, {expected} was expected")

    def _stands_at(self, percent: float) -> bool:
        """Whether the events say so; read here, since a process for each look would take as long as the bake."""
        folder = self.folder / ".runbook"
        try:
            store = open_store(None, folder, MachineClock())
            try:
                position = state_of(store, Chain("enrichment", "sandbox")).position
            finally:
                store.close()
        except StoreAway:
            return False
        return position is not None and position.percent == percent

    def _argv(self, line: str) -> list[str]:
        return [sys.executable, "-m", "runbook", *shlex.split(line)[1:]]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
        return kept | {"RUNBOOK_OPERATOR": os.environ.get("RUNBOOK_OPERATOR", ""), "PYTHONSAFEPATH": "1"}

    def _output(self) -> int | None:
        return subprocess.DEVNULL if self.shared.quiet else sys.stderr.fileno() if self._json else None

    @property
    def _json(self) -> bool:
        return self.shared.format is Format.JSON

    def _print_prompt(self, line: str) -> None:
        page = Page()
        page.blank()
        page.line(Span("$ ", "bold"), Span(line, "bold"))
        self._print(page)

    def _print(self, page: Page) -> None:
        if self.shared.quiet:
            return
        stream = sys.stderr if self._json else sys.stdout
        print_page(page, stream, colour=wants_colour(stream, self.shared.no_color))


@command(app)
def demo(
    shared: Shared,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Where to; else a new temporary folder.")
    ] = None,
) -> Answer:
    """The tour: preflight, ramp, a fault, the automatic rollback, the incident report; under a minute.

    Every line is a real command against a practice service on this machine, in a folder of its own, which stays.

    Example: runbook demo
    """
    where = make_folder(folder)
    tour, failed = Tour(where, shared), ""
    try:
        _story(tour)
    except Stopped as stopped:
        failed = str(stopped)
    finally:
        tour.run_unseen("runbook sandbox down")
    report = where / "incident_report.md"
    exit_ = Exit.GO if not failed and report.is_file() else Exit.FAILED
    page = Page()
    page.blank()
    page.verdict("GO" if exit_ is Exit.GO else "FAILED", failed or "the tour is over")
    page.line(f"The report:   {report}")
    page.line(f"The playbook: {where / 'playbooks' / 'enrichment.yaml'}")
    page.next(f"cd {where}", "runbook history", "runbook sandbox up   to go on by hand")
    return Answer(exit_, failed or "the tour is over", page, "enrichment", "sandbox", {"path": str(report)})


def make_folder(folder: Path | None) -> Path:
    """A folder with a playbook, its practice service and a setting. Raises `Refusal` where one stands already."""
    if folder is None:
        where = Path(tempfile.mkdtemp(prefix="runbook-demo-"))
    else:
        where = folder.absolute()
        if where.exists() and any(where.iterdir()):
            raise Refusal(f"{where} is not empty", next_steps=["runbook demo NEW-FOLDER"])
        where.mkdir(parents=True, exist_ok=True)
    shipped = shipped_folder("playbooks")
    shutil.copytree(shipped / "sandbox", where / "playbooks" / "sandbox")
    for name in ("enrichment.yaml", "base.yaml"):
        if (shipped / name).is_file():
            shutil.copy(shipped / name, where / "playbooks" / name)
    (where / ".env").write_text(SETTINGS, "utf-8")
    return where


def _story(tour: Tour) -> None:
    tour.tell(
        "A team wants to roll an LLM feature out, step by step. Its runbook is playbooks/enrichment.yaml.",
        f"This is a real service on this machine and a real rollout, in {tour.folder}.",
        "Days of waiting are seconds here; nothing else is shortened.",
    )
    tour.type("runbook sandbox up")
    tour.tell("Is everything ready? Each box of the checklist is asked of the live service.")
    tour.type("runbook preflight")
    tour.tell("Enter the first stage: the code is out, the feature is off. The flag file is edited by the byte,",
              "the service restarted, and its live configuration compared with the file.")  # fmt: skip
    tour.type("runbook ramp 0 --yes")
    tour.tell("The numbers with the feature off become the reference, and somebody signs that they were looked at.")
    tour.type("runbook baseline capture --for 3s")
    tour.type("runbook sign verified_by")
    tour.tell("May we go on? Every gate with its value, its limit and what it rests on.")
    tour.type("runbook gate")
    tour.tell("Ten percent of the users, and we stay to watch. In another terminal the service begins to fail.")
    tour.type_and_meanwhile(
        "runbook ramp 10 --yes --watch", "runbook sandbox fault error_rate=8%", percent=10, expected=int(Exit.NO_GO)
    )
    tour.tell(
        "The trigger fired and nobody had to be awake: the flags are safe, an incident is open,",
        "further ramps are held.",
    )
    tour.type("runbook sandbox fault none")
    tour.type("runbook now")
    tour.tell("The next ramp is refused, with every reason.")
    tour.type("runbook ramp 10 --yes", expected=int(Exit.NO_GO))
    tour.tell("What happened is on record, and the report writes itself from it.")
    tour.type('runbook incident note "errors came from the answer model; a fix is on its way"')
    tour.type('runbook sign investigate_the_root_cause --evidence "the answer model timed out"')
    tour.type("runbook incident report")
    tour.type("runbook history --last 12")
    tour.type("runbook audit verify")
