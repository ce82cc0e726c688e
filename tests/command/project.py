"""A project as an operator has it: a folder, a small playbook, a scripted service, and `runbook` as a process.

Every call is held to what the command line promises of all commands: a known exit status, no traceback, no control
character, and under `--format json` one document that is valid by the schema that the tool itself prints.
"""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from tests.command.quick_start import Forked, Process
from tests.command.waiting import wait_until
from tests.servers import Script, Scripted, answer, scripted

RUNBOOK = Path(sys.executable).with_name("runbook")
REASONS = {
    0: "go", 1: "no-go", 2: "usage", 3: "unknown", 4: "failed", 5: "busy", 130: "interrupted", 143: "interrupted",
}  # fmt: skip
WORDS = {0: "go", 1: "no-go", 3: "unknown"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")

# The playbook in sections, so that a test replaces the one it is about.
SECTIONS: dict[str, str] = {
    "runbook": "1",
    "service": "ranker",
    "flags": "\n  percent: RANKER_SHARE\n  safe: {RANKER_SHARE: 0, RANKER_MODEL: plain}",
    "environments": """
  local:
    url: http://127.0.0.1:PORT
    flags_in: {env: ranker.env}
    redeploy: {command: [sh, restart.sh], timeout: 10s, verify_within: 2s}""",
    "verify": """
  - {check: Up, http: /health}
  - {check: Live share, flags: live, from: /config, map: {RANKER_SHARE: .share}}""",
    "metrics": """
  errors: {http: /numbers, jq: .errors, unit: ratio, target: "< 1%", warning: "> 1%", critical: "> 5%"}
  p95: {http: /numbers, jq: .p95, unit: ms, target: "< 2s", warning: "> 2s", critical: "> 4s"}
  complaints: {counter: complaint}""",
    "checklists": """
  ready:
    - {check: Answers, http: /health, advice: look at restart.sh}
    - {check: Words are there, file: words.txt}""",
    "stages": """
  - {stage: off, percent: 0}
  - stage: first
    percent: 10
    set: {RANKER_MODEL: small}
    requires: [ready]
    gates: ["errors < 1%", "p95 < 2s"]
    triggers: [{when: "errors > 5% for 2s", then: rollback}]
  - {stage: wide, percent: [50, 100], gates: ["errors < 1%"]}""",
    "rollback": "{set: safe, objective: 1m, incident: P1}",
    "severities": "{P1: {respond: 15m}}",
}
FLAGS = "# ranker\nRANKER_SHARE = 0\nexport RANKER_MODEL='plain'  # plain, small\nRANKER_WORDS=\"a b\"\n"
AT_FIRST = FLAGS.replace("= 0", "= 10").replace("'plain'", "'small'")
RESTART = """#!/bin/sh
[ -e fail-restart ] && { echo "no room to start" >&2; exit 7; }
slow=$(cat slow-restart 2>/dev/null)
touch restarting
[ -n "$slow" ] && sleep "$slow"
rm -f restarting
echo restarted >> restarts.txt
cat *.env > running
"""
NUMBERS = {"errors": 0.002, "p95": 700}


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def said(self) -> str:
        return self.out + self.err

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document. Held to the schema when the command ran."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    def rows(self, name: str) -> dict[str, dict[str, Any]]:
        """The rows of a list by their id (or title)."""
        return {row.get("id") or row["title"]: row for row in self.document[name]}


@functools.cache
def schema() -> jsonschema.Draft202012Validator:
    """The schema of the documents, as the installed command prints it."""
    made = subprocess.run([RUNBOOK, "schema", "--documents"], capture_output=True, text=True, check=True, timeout=30)
    return jsonschema.Draft202012Validator(json.loads(made.stdout))


def environment(**more: str) -> dict[str, str]:
    """A clean environment for the command."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "RANKER_"))}
    return {**clean, "TERM": "xterm-256color", **more}


class Project:
    """One project. `service` answers as its scripts say.

    `installed`: commands are those of the installed script, else they are forked (see `quick_start`).
    """

    installed = bool(os.environ.get("RUNBOOK_TEST_INSTALLED"))

    def __init__(self, folder: Path, service: Scripted) -> None:
        self.folder, self.service = folder, service
        self.flags = folder / "ranker.env"
        self.playbook = folder / "playbooks" / "ranker.yaml"
        self.playbook.parent.mkdir(parents=True)
        self.flags.write_text(FLAGS)
        (folder / "running").write_text(FLAGS)
        (folder / "restart.sh").write_text(RESTART)
        (folder / "words.txt").write_text("word\n")
        self.write()
        service.scripts |= {
            "/health": answer('{"status": "ok"}'),
            "/config": self.tell_config,
            "/numbers": answer(json.dumps(NUMBERS)),
        }

    def write(self, **sections: str | None) -> None:
        """The playbook, with these sections in place of the usual ones; None leaves one out."""
        text = "".join(
            f"{name}: {body}\n" for name, body in {**SECTIONS, **sections}.items() if body is not None
        ).replace("PORT", str(self.service.port))
        self.playbook.write_text(text)

    def tell_config(self, connection: socket.socket, request: str) -> None:
        """Answer with what the service runs with just now."""
        answer(json.dumps(self.config()))(connection, request)

    def running(self) -> dict[str, str]:
        """The flags that the service was last started with."""
        lines = [
            line.split("#")[0].removeprefix("export ") for line in (self.folder / "running").read_text().splitlines()
        ]
        pairs = (line.split("=", 1) for line in lines if "=" in line)
        return {key.strip(): value.strip().strip("'\"") for key, value in pairs}

    def config(self) -> dict[str, Any]:
        share = self.running().get("RANKER_SHARE", "0")
        return {"share": float(share) if "." in share else int(share)}

    def restarts(self) -> int:
        """How often the service was restarted."""
        path = self.folder / "restarts.txt"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def numbers(self, body: object = None, /, **numbers: object) -> None:
        """What the metrics' endpoint says from now on."""
        told = {**NUMBERS, **numbers} if body is None else body
        self.service.scripts["/numbers"] = answer(told if isinstance(told, str) else json.dumps(told))

    def script(self, path: str, what: Script) -> None:
        self.service.scripts[path] = what

    @contextmanager
    def restarting_slowly(self, *args: str, seconds: str = "30") -> Iterator[Process]:
        """A command that stands in its redeploy when the block begins; later redeploys are quick again."""
        (self.folder / "restarting").unlink(missing_ok=True)
        (self.folder / "slow-restart").write_text(seconds)
        process = self.start(*args)
        try:
            wait_until((self.folder / "restarting").exists)
            (self.folder / "slow-restart").rename(self.folder / "was-slow")
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def asked(self, path: str) -> int:
        """How often this path was asked for."""
        return sum(head.split(" ")[1] == path for head in self.service.asked)

    def start(self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Process:
        """The command, running, in a session of its own and without a terminal."""
        if not self.installed:
            return Forked(list(args), cwd or self.folder, environment(**(env or {})))
        return subprocess.Popen(
            [RUNBOOK, *args], cwd=cwd or self.folder, env=environment(**(env or {})), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 60
    ) -> Ran:
        """The command, ended, and held to what holds for all commands."""
        return self.ended(self.start(*args, cwd=cwd, env=env), args, timeout)

    def ended(self, process: Process, args: tuple[str, ...] = (), timeout: float = 60) -> Ran:
        """Wait for a command that was started."""
        began = time.monotonic()
        out, err = process.communicate(timeout=timeout)
        ran = Ran(process.returncode, out, err, time.monotonic() - began)
        hold_to_the_rules(ran, args)
        return ran

    def json(self, *args: str, **more: Any) -> Ran:
        """The command under `--format json`."""
        return self.run(*args, "--format", "json", **more)

    def at_first(self) -> Project:
        """The project after its first ramp, at first@10."""
        ran = self.run("ramp", "10", "--yes")
        assert ran.code == 0, ran
        return self

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The events so far."""
        found: list[dict[str, Any]] = self.json("history").document["events"]
        return [event for event in found if kind in (None, event["kind"])]

    def files(self) -> dict[str, bytes]:
        """Every file of the project but the state's, by its path."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and ".runbook" not in path.parts
        }


def hold_to_the_rules(ran: Ran, args: tuple[str, ...]) -> None:
    """What holds for every command, whatever it did."""
    told = f"runbook {' '.join(args)}: exit {ran.code}\n{ran.out[-2000:]}\n{ran.err[-2000:]}"
    assert ran.code in REASONS, told
    assert "Traceback" not in ran.said, told
    found = CONTROL.search(ran.said)
    assert found is None, f"control character {found.group()!r}: {told}"
    if "json" in args and args[args.index("json") - 1] in ("-f", "--format") and "-o" not in args:
        hold_to_the_schema(ran, told)


def hold_to_the_schema(ran: Ran, told: str) -> None:
    """One document and nothing else on standard output, valid, and of one voice with the exit status."""
    document = json.loads(ran.out)
    problems = [f"{error.json_path}: {error.message}" for error in schema().iter_errors(document)]
    assert not problems, f"{problems}: {told}"
    assert document["exit_reason"] == REASONS[ran.code], told
    assert document["verdict"] == WORDS.get(ran.code, "failed"), told
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", document["started_at"]), told
    assert document["message"], told


@contextmanager
def made_in(folder: Path) -> Iterator[Project]:
    """A project in a new folder; its service ends with the block."""
    with scripted({}) as service:
        yield Project(folder, service)
