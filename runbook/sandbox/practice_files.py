"""The files that a practice service keeps, so that checks of files and databases have something to look at."""

from __future__ import annotations

import os
from pathlib import Path

from runbook.sandbox.definition import PracticeFile
from runbook.sandbox.trouble import SandboxTrouble


def write_practice_files(folder: Path, files: tuple[PracticeFile, ...]) -> None:
    """Writes what is missing below `folder`, and anew what is `renewed`. Raises SandboxTrouble when it cannot."""
    for file in files:
        path = folder / file.path
        if path.exists() and not file.renewed:
            continue
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, file)
        except OSError as trouble:
            raise SandboxTrouble(f"{path} cannot be written: {trouble.strerror or trouble}") from None


def _write(path: Path, file: PracticeFile) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if file.sqlite is not None:
        _write_database(beside, file.sqlite)
    else:
        beside.write_bytes((file.text or "").encode().ljust(file.size, b"\0"))
    beside.replace(path)


def _write_database(path: Path, statements: str) -> None:
    import sqlite3

    connection = sqlite3.connect(path)
    try:
        connection.executescript(statements)
        connection.commit()
    except sqlite3.Error as trouble:
        raise SandboxTrouble(f"the statements for {path.name.lstrip('.')} are wrong: {trouble}") from None
    finally:
        connection.close()
