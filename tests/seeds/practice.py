"""A team with a shipped playbook and its practice service, in a folder of its own, typing the installed command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy, copytree
from typing import Any

from tests.command.project import Ran, environment, hold_to_the_rules
from tests.places import PROJECT

RUNBOOK = Path(sys.executable).with_name("runbook")
QUICK = 0.000_02  # what the practice playbooks' bakes are multiplied by here: 24 h in 1.7 s


class Practice:
    """The folder. `said` keeps what was typed and shown, for whoever looks at a failure."""

    def __init__(self, folder: Path, name: str, scale: float = QUICK) -> None:
        self.folder, self.name = folder, name
        self.said: list[str] = []
        copytree(PROJECT / "playbooks/sandbox", folder / "playbooks/sandbox")
        copy(PROJECT / "playbooks/base.yaml", folder / "playbooks/base.yaml")
        self.playbook = folder / "playbooks" / f"{name}.yaml"
        text = (PROJECT / "playbooks" / f"{name}.yaml").read_text()
        self.playbook.write_text(re.sub(r"bake_scale: [0-9.]+", f"bake_scale: {scale:f}", text))

    def edit(self, old: str, new: str) -> None:
        """Change the playbook, as its owner would."""
        text = self.playbook.read_text()
        assert old in text, old
        self.playbook.write_text(text.replace(old, new))

    def start(self, *args: str, by: str = "ana", **more: str) -> subprocess.Popen[str]:
        """Type a command and do not wait for it."""
        typed = {**environment(RUNBOOK_ENV="sandbox", RUNBOOK_OPERATOR=by), **more}
        return subprocess.Popen(
            [RUNBOOK, *args], cwd=self.folder, env=typed, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *args: str, by: str = "ana", code: int | None = 0, **more: str) -> Ran:
        """Type a command; it has to end with this status (None: with any)."""
        began = time.monotonic()
        process = self.start(*args, by=by, **more)
        return self.ended(process, args, began, code)

    def ended(self, process: subprocess.Popen[str], args: tuple[str, ...], began: float, code: int | None) -> Ran:
        out, err = process.communicate(timeout=120)
        ran = Ran(process.returncode, out, err, time.monotonic() - began)
        self.said.append(f"$ runbook {' '.join(args)}\n{err}{out}(exit status {ran.code})")
        hold_to_the_rules(ran, args)
        assert code is None or ran.code == code, "\n\n".join(self.said[-6:])
        return ran

    def json(self, *args: str, **more: Any) -> dict[str, Any]:
        """The document of a command."""
        return self.run(*args, "--format", "json", **more).document

    def at(self) -> str:
        """The position."""
        told = self.json("status")
        return f"{told['stage']}@{told['percent']:g}"

    def flags(self) -> dict[str, str]:
        """The values in the flag file, read without the tool's own reader."""
        file = self.folder / ".runbook/sandbox" / f"{self.name}-sandbox" / "service.env"
        found = re.findall(r"^(?:export )?([A-Z_]+)=([^#\n]*)", file.read_text(), re.MULTILINE)
        return {key: value.strip().strip("'\"") for key, value in found}

    def fault(self, *words: str) -> None:
        self.run("sandbox", "fault", " ".join(words))

    def enter_first(self, by: str = "ana", verifier: str = "ben") -> None:
        """Into the first stage, with its baseline and its sign-off: ready for the canary."""
        self.run("ramp", "0", "--yes", by=by)
        self.run("baseline", "capture", "--for", "3s", by=by)
        self.run("sign", "verified_by", by=verifier)

    def enter_canary(self) -> None:
        self.enter_first()
        self.run("ramp", "10", "--yes")

    def baked(self) -> None:
        """Wait until the bake of the rung is over, looking as its cadence asks."""
        self.run("watch", code=None)

    def events(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("history", "--last", "1000")["events"]
        return [event for event in found if event["kind"] == kind]


@contextmanager
def practised(folder: Path, name: str, scale: float = QUICK) -> Iterator[Practice]:
    """The practice service is up inside the block, and down after it."""
    practice = Practice(folder, name, scale)
    practice.run("sandbox", "up")
    try:
        yield practice
    finally:
        subprocess.run(
            [RUNBOOK, "sandbox", "down"], cwd=folder, env={**os.environ, "RUNBOOK_ENV": "sandbox"}, check=False,
            capture_output=True,
        )  # fmt: skip


def rows(document: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The rows of a list by their title."""
    return {row["title"]: row for row in document[kind]}


def shown(document: dict[str, Any]) -> str:
    """A document as text, for the message of an assertion."""
    return json.dumps(document, indent=1)
