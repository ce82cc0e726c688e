"""The kit: the way back of one service and environment, left on disk before the first change of each ramp.

It is a mini-playbook (the sections that the emergency needs, as plain data) and a shell script beside it for the case
that the tool itself is gone. It holds names of secrets, never values, and stays until the next ramp writes a newer one.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from runbook import __version__
from runbook.playbook.model import Environment, Playbook
from runbook.system.clock import rfc3339
from runbook.system.files import FileTrouble, read_regular, write_private
from runbook.system.harmless import harmless
from runbook.system.replacement import clear_leftovers

SECTIONS = ("runbook", "service", "title", "flags", "secrets", "verify", "rollback", "channels", "notices", "stages")
STAGE_KEYS = ("stage", "percent", "set", "again", "one_way", "fallback")


class Kit(msgspec.Struct, frozen=True, kw_only=True):
    """What the kit file holds. `written_at` is seconds since the epoch; `position` where the service stood then."""

    written_at: float
    tool: str
    service: str
    environment: str
    playbook: tuple[str, str]
    position: str
    sections: dict[str, Any]


def sections_of(playbook: Playbook, environment: Environment) -> dict[str, Any]:
    """The mini-playbook: the sections of the way back, with this one environment.

    Of a sandbox, what the practice service gave (its URL, flag file and redeploy) is spelled out.
    """
    sections = {name: playbook.plain[name] for name in SECTIONS if name in playbook.plain and name != "stages"}
    sections["stages"] = [
        {key: stage[key] for key in STAGE_KEYS if key in stage} for stage in playbook.plain.get("stages", [])
    ]
    plain = dict(playbook.plain.get("environments", {}).get(environment.name) or {})
    if environment.sandbox:
        plain |= {"url": environment.url, "flags_in": [{place.kind: place.path} for place in environment.flags_in]}
        if environment.redeploy is not None:
            action = environment.redeploy.action
            plain["redeploy"] = {"command": list(action.options.command), "timeout": f"{action.timeout:g}s"}
    sections["environments"] = {environment.name: plain}
    return sections


def kit_path(state_folder: Path, slug: str) -> Path:
    return state_folder / "kit" / f"{slug}.json"


def write_kit(state_folder: Path, slug: str, kit: Kit, script: str) -> Path:
    """Write the kit and the script beside it; returns the script's path."""
    path = kit_path(state_folder, slug)
    for file in (path, path.with_suffix(".sh")):
        if path.parent.is_dir():
            clear_leftovers(file)
    write_private(path, msgspec.json.format(msgspec.json.encode(kit), indent=1) + b"\n")
    write_private(path.with_suffix(".sh"), script.encode())
    return path.with_suffix(".sh")


def read_kit(path: Path) -> Kit | None:
    """The kit in a file; None when there is none or it cannot be read."""
    try:
        return msgspec.json.decode(read_regular(path), type=Kit)
    except (FileTrouble, msgspec.MsgspecError):
        return None


def list_kits(state_folder: Path) -> list[Kit]:
    """Every kit of the project that can be read."""
    found = [read_kit(path) for path in sorted((state_folder / "kit").glob("*.json"))]
    return [kit for kit in found if kit is not None]


@dataclass(frozen=True)
class ScriptLines:
    """The shell lines of a way back, in the order in which they are run; `to` says where it leads.

    `redeploy` is None where the playbook names none.
    """

    to: str
    flags: Sequence[str]
    redeploy: str | None
    steps: Sequence[str]
    verify: Sequence[str]


def script_of(kit: Kit, project: Path, way: ScriptLines) -> str:
    """A plain shell script that goes the same way back as the emergency."""
    position = harmless(kit.position or "no position")
    parts = [("the flags: these values, each wherever its key stands", list(way.flags))]
    parts.append(("redeploy, so that the service reads them", [way.redeploy or "# (the playbook names no redeploy)"]))
    if way.steps:
        parts.append(("what else the way back asks for", list(way.steps)))
    parts.append(("verify: every line must answer", list(way.verify) or ["# (the playbook names no verify)"]))
    lines = [
        "#!/bin/sh",
        f"# The way back of {kit.service} in {kit.environment}, {harmless(way.to)}.",
        f"# Written {rfc3339(kit.written_at)} by runbook {__version__}; it stood at {position}.",
        "# With the tool:    runbook rollback --emergency",
        "# Without it:       read this, then  sh " + shlex.quote(f"{kit.service}-{kit.environment}.sh"),
        "set -eu",
        f"cd {shlex.quote(str(project))}",
    ]
    for number, (title, commands) in enumerate(parts, 1):
        lines += ["", f"# {number}. {title}", *commands]
    return "\n".join(lines) + "\n"
