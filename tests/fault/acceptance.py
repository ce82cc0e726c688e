"""What must hold after a fault, whatever it was: read from outside, by the commands that an operator would type.

Each function gives sentences about what is wrong; none means that all is well.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from tests.fault.practice import MODE, SHOWN, Practice, Ran

Command = Callable[..., Ran]  # (practice, *argv) -> Ran
_TEMPORARY = re.compile(r"\.runbook-[0-9a-f]{8}$")


def document(ran: Ran) -> dict[str, Any]:
    """The JSON document that a command printed; empty when it printed none."""
    try:
        found = json.loads(ran.out)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def position_of(status: dict[str, Any]) -> str:
    """`stage@percent` by the document of `status`."""
    stage, percent = status.get("stage"), status.get("percent")
    return f"{stage}@{percent:g}" if isinstance(percent, int | float) else "none"


def is_cut_off(status: dict[str, Any]) -> bool:
    """Whether `status` tells of an operation that was cut off."""
    return (status.get("operation") or {}).get("state") == "cut off"


def flag_file(practice: Practice, allowed: Collection[str]) -> list[str]:
    """The flag file holds the bytes of one of the positions, and is otherwise as it was."""
    wrong: list[str] = []
    data = practice.flags.read_bytes()
    shown = [position for position, expected in SHOWN.items() if expected == data]
    if not set(shown) & set(allowed):
        wrong.append(f"the flag file is {shown[0] if shown else f'torn: {data!r}'}, not {' or '.join(allowed)}")
    if (mode := practice.flags.stat().st_mode & 0o7777) != MODE:
        wrong.append(f"the flag file's mode is {mode:o}, not {MODE:o}")
    if hasattr(os, "listxattr") and _kept_attribute(practice.root / "conf") and not _kept_attribute(practice.flags):
        wrong.append("the flag file's extended attribute is gone")
    return wrong


def _kept_attribute(path: Path) -> bool:
    """Whether an attribute of the user can be put on (a folder) or is still there (the file)."""
    try:
        if path.is_dir():
            os.setxattr(path, "user.kept", b"yes")
        return os.getxattr(path, "user.kept") == b"yes"
    except OSError:
        return False


def told_truly(practice: Practice, ran: Ran) -> list[str]:
    """Right after the fault: `status` answers, and where file and record differ it says that something was cut off."""
    status = document(ran)
    if ran.code != 0 or not status:
        return [f"status after the fault: {ran}"]
    wrong: list[str] = []
    if (status.get("operation") or {}).get("state") == "at work":
        wrong.append("status says that a dead operation is at work")
    if not is_cut_off(status) and practice.flags.read_bytes() != SHOWN.get(position_of(status)):
        wrong.append(f"the flag file does not show {position_of(status)}, and status tells of nothing cut off")
    return wrong


def settled(command: Command, practice: Practice, end: str) -> list[str]:
    """At the end: a named state, which file, service, record and history agree upon, and nothing left about."""
    ran = command(practice, "status", "-f", "json")
    status = document(ran)
    if ran.code != 0 or not status:
        return [f"status at the end: {ran}"]
    position = position_of(status)
    wrong: list[str] = []
    if position != end:
        wrong.append(f"it ended at {position}, not at {end}")
    if is_cut_off(status):
        wrong.append("status still tells of an operation that was cut off")
    if (status.get("lock") or {}).get("state") == "live":
        wrong.append("somebody still has the lock")
    wrong += flag_file(practice, [position])
    if practice.running.read_bytes() != SHOWN.get(position):
        wrong.append(f"the service does not run with the flags of {position}")
    audit = command(practice, "audit", "verify")
    if audit.code != 0:
        wrong.append(f"audit verify: {audit}")
    return wrong + history(command(practice, "history", "-f", "json")) + left_behind(practice)


def history(ran: Ran) -> list[str]:
    """Each operation began once and ended once, and entered at most one position."""
    events = document(ran).get("events")
    if ran.code != 0 or events is None:
        return [f"history: {ran}"]
    # What ended half done ends once more when it is brought to rest.
    told = [event for event in events if event["operation"] and event["payload"].get("outcome") != "half-done"]
    counts = Counter((event["operation"], event["kind"]) for event in told)
    wrong = []
    for operation in sorted({operation for operation, _ in counts}):
        for kind, least, most in (("operation.started", 1, 1), ("operation.ended", 1, 1), ("position.entered", 0, 1)):
            if not least <= counts[operation, kind] <= most:
                wrong.append(f"history has {counts[operation, kind]} times {kind} of {operation}")
    numbers = sorted(event["number"] for event in events)
    if numbers != list(range(1, len(numbers) + 1)):
        wrong.append(f"history has a hole or a double number: {numbers}")
    return wrong


def left_behind(practice: Practice) -> list[str]:
    """No file and no process that does not belong there."""
    wrong = [
        f"{path.relative_to(practice.root)} is left"
        for path in sorted(practice.root.rglob("*"))
        if path.is_file() and (_TEMPORARY.search(path.name) or path.parent.name in ("spool", "ended", "menu-local"))
        if path.name != "forward.lock" and "output" not in path.parts
    ]
    beside = {path.name for path in practice.flags.parent.iterdir()} - {"menu.env", "running.env", "restart.sh"}
    wrong += [f"conf/{name} is left" for name in sorted(beside) if not _TEMPORARY.search(name)]
    above = {path.name for path in practice.root.iterdir()} - {"playbooks", "conf", ".runbook", "incidents"}
    wrong += [f"{name} is left in the project" for name in sorted(above)]
    return wrong + [f"process {pid} of an operation is left" for pid in processes_of(practice)]


def processes_of(practice: Practice) -> list[int]:
    """Processes that carry the mark of an operation and work in the project."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cwd").readlink() == practice.root and b"RUNBOOK_OPERATION=" in (
                folder / "environ"
            ).read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found
