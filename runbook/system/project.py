"""Where the project is, and where its state is kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook.system.files import FileTrouble, ensure_folder, write_private
from runbook.system.refusals import Exit, Refusal

_PLAYBOOK = re.compile(rb"""(?:^|[\r\n{,])(?:\xef\xbb\xbf)?[ \t]*["']?runbook["']?[ \t]*:""")


@dataclass(frozen=True)
class Project:
    """The project's folder and how it was found."""

    root: Path
    source: str


def find_project(environment: Mapping[str, str], start: Path | None = None) -> Project:
    """The nearest folder upwards that holds runbook.toml, `.runbook/`, or `playbooks/` with a playbook in it.

    RUNBOOK_PROJECT overrides; with nothing found it is the current folder. Raises `Refusal` when the folder is gone.
    """
    named = environment.get("RUNBOOK_PROJECT")
    try:
        here = Path(named).resolve(strict=True) if named else (start or Path.cwd()).resolve()
    except OSError as error:
        where = "RUNBOOK_PROJECT" if named else "the current folder"
        raise Refusal(
            f"{where} is not there: {error.strerror}", exit_=Exit.USAGE, next_steps=["cd to the project's folder"]
        ) from error
    if named and not here.is_dir():
        raise Refusal(f"RUNBOOK_PROJECT names {here}, which is no folder", next_steps=["name the project's folder"])
    if named:
        return Project(here, "RUNBOOK_PROJECT")
    for folder in (here, *here.parents):
        if (folder / "runbook.toml").is_file() or (folder / ".runbook").is_dir() or _has_playbook(folder / "playbooks"):
            return Project(folder, "found upwards" if folder != here else "the current folder")
    return Project(here, "the current folder")


def _has_playbook(folder: Path) -> bool:
    try:
        paths = sorted(folder.glob("*.yaml"))
    except OSError:
        return False
    return any(_is_playbook(path) for path in paths)


def _is_playbook(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            data = file.read(1_048_577)
    except OSError:
        return False
    return _PLAYBOOK.search(data.replace(b"\0", b"")) is not None and _has_the_key(data)


def _has_the_key(data: bytes) -> bool:
    """Whether the top level has the key `runbook`; what is no YAML may be a playbook that was spoilt."""
    import yaml

    try:
        top = yaml.compose(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return True
    return isinstance(top, yaml.MappingNode) and any(key.value == "runbook" for key, _ in top.value)


@dataclass(frozen=True)
class StateFolder:
    """Where store, journals, locks, kits and spool lie; `note` says why when it is not the project's `.runbook/`."""

    path: Path
    note: str = ""


def state_folder(root: Path) -> StateFolder:
    """The project's `.runbook/`; where that cannot be written, the user's state folder, keyed by the real path."""
    folder = root / ".runbook"
    if not (folder / "state.db").exists() and (_users_path(root) / "state.db").exists():
        # What happened is kept there since a command could not write here: it stays in one place.
        return _users_folder(root, f"{folder} has no state yet")
    try:
        _ensure_folder_of_a_checkout(folder)
        if os.access(folder, os.W_OK | os.X_OK):
            return StateFolder(folder)
        reason = "it cannot be written"
    except FileTrouble as trouble:
        reason = trouble.reason
    return _users_folder(root, f"{folder}: {reason}")


def _ensure_folder_of_a_checkout(folder: Path) -> None:
    """Make the folder where it is not there, with a file in it that keeps it out of git: a checkout stays clean."""
    is_new = not folder.exists()
    ensure_folder(folder)
    if is_new:
        with contextlib.suppress(FileTrouble):
            write_private(folder / ".gitignore", b"*\n")


def _users_path(root: Path) -> Path:
    from platformdirs import user_state_dir

    key = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Path(user_state_dir("runbook")) / "projects" / key


def _users_folder(root: Path, why: str) -> StateFolder:
    folder = _users_path(root)
    try:
        ensure_folder(folder)
    except FileTrouble as trouble:
        raise Refusal(
            f"{why}; and {folder}: {trouble.reason}",
            exit_=Exit.FAILED,
            next_steps=["make one of the two folders writable for you"],
        ) from trouble
    return StateFolder(folder, f"{why}; state is kept in {folder}")
