"""What a sandbox keeps in its folder: how it was set up, which process serves it, and its faults.

Two files, one writer each: `sandbox.json` belongs to whoever controls the sandbox, `running.json` to the process
that serves. All of it is private (0600) and replaced whole, so that a reader never sees half a file.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from runbook.sandbox.trouble import SandboxTrouble

LOG = "engine.log"
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Setup:
    """How the sandbox was set up. `port` 0 means: take a free one. `up` is false after an orderly `down`."""

    definition: str
    env_file: str
    port: int = 0
    up: bool = True


@dataclass(frozen=True)
class Serving:
    """The process that serves: `birth` tells it from a later process with the same number.

    `started_at` is in seconds since the epoch, `control_port` answers also while the service's own port refuses.
    `variables` are what checks of a playbook may name to find the sandbox's own database and files.
    """

    service: str
    pid: int
    birth: str
    port: int
    control_port: int
    started_at: float
    flags: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def alive(self) -> bool:
        return process_birth(self.pid) == self.birth


def read_setup(folder: Path) -> Setup | None:
    """The setup kept in `folder`; None where no sandbox was ever set up. Raises SandboxTrouble when it is damaged."""
    kept = _read(folder / "sandbox.json")
    return None if kept is None else _fill(Setup, kept, folder)


def read_serving(folder: Path) -> Serving | None:
    """The last process that served `folder`, alive or not. Raises SandboxTrouble when the record is damaged."""
    kept = _read(folder / "running.json")
    return None if kept is None else _fill(Serving, kept, folder)


def write_setup(folder: Path, setup: Setup) -> None:
    write_private(folder / "sandbox.json", json.dumps(asdict(setup), indent=2))


def write_serving(folder: Path, serving: Serving) -> None:
    write_private(folder / "running.json", json.dumps(asdict(serving), indent=2))


def write_private(path: Path, text: str) -> None:
    """Replaces `path` by a file with `text` that only its owner may read."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def process_birth(pid: int) -> str | None:
    """When the process began, in the machine's own terms; None when there is no such process any more.

    A process that ended and was not yet fetched by its parent (a zombie) serves nobody: it counts as gone.
    """
    if sys.platform == "linux":
        try:
            # The name in parentheses may hold blanks and parentheses; what follows it is fixed (proc(5)).
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return None
        return None if fields[0] in "ZX" and not _threads_left(pid) else f"{boot}:{fields[19]}"
    return _birth_from_ps(pid)


def _threads_left(pid: int) -> bool:
    """Whether threads of an ended process are still ending: until then its files and ports are held."""
    try:
        return any(thread.name != str(pid) for thread in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return False


def _birth_from_ps(pid: int) -> str | None:
    import subprocess

    asked = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, began = asked.stdout.strip().partition(" ")
    return None if not began or state.startswith("Z") else began.strip()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as trouble:
        raise _damaged(path, str(trouble)) from None
    if not isinstance(kept, dict):
        raise _damaged(path, "not a mapping")
    return kept


def _fill(kind: type[Kept], kept: dict[str, Any], folder: Path) -> Kept:
    try:
        return kind(**kept)
    except TypeError as trouble:
        raise _damaged(folder, str(trouble)) from None


def _damaged(path: Path, why: str) -> SandboxTrouble:
    return SandboxTrouble(
        f"the sandbox's record {path} cannot be read: {why}", "remove its folder, then set it up again"
    )
