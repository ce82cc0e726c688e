"""`file`: there, fresh, large, and saying what it should."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from runbook.judge.verdicts import Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked

HOUR = 3600.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content, age in (
        ("backups/a-1.tar", b"x" * 2000, 30 * HOUR),
        ("backups/a-2.tar", b"x" * 10, 2 * HOUR),
        ("backups/b.tar", b"", 0.0),
        ("state.json", b'{"count": 5, "state": "ok"}', HOUR),
        ("log.txt", b"one\ntwo ERROR\nthree\n", 0.0),
        ("future", b"x", -10 * HOUR),
        ("br[a]cket", b"x", 0.0),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (time.time() - age,) * 2)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("gone")
    (tmp_path / "circle").symlink_to("circle")
    return tmp_path


@pytest.mark.parametrize(
    ("check", "status"),
    [
        ({"file": "state.json"}, Status.PASS),
        ({"file": "gone.json"}, Status.FAIL),
        ({"file": "backups"}, Status.PASS),
        ({"file": "state.json/x"}, Status.FAIL),
        ({"file": "dangling"}, Status.FAIL),
        ({"file": "circle"}, Status.UNKNOWN),
        ({"file": "pipe"}, Status.PASS),
        ({"file": "pipe", "matches": "x"}, Status.UNKNOWN),
        ({"file": "backups", "matches": "x"}, Status.UNKNOWN),
        ({"file": "backups/a-*.tar", "newer_than": "24h"}, Status.PASS),
        ({"file": "backups/a-1.tar", "newer_than": "24h"}, Status.FAIL),
        ({"file": "backups/a-1.tar", "older_than": "24h"}, Status.PASS),
        ({"file": "backups/a-*.tar", "older_than": "24h"}, Status.FAIL),
        ({"file": "backups/c-*.tar", "newer_than": "24h"}, Status.FAIL),
        ({"file": "future", "newer_than": "24h"}, Status.UNKNOWN),
        ({"file": "backups/a-1.tar", "size": "> 1KiB"}, Status.PASS),
        ({"file": "backups/a-2.tar", "size": "> 1KiB"}, Status.FAIL),
        ({"file": "backups/b.tar", "size": "> 0"}, Status.FAIL),
        ({"file": "state.json", "expect": "size < 1KiB and age < 2h"}, Status.PASS),
        ({"file": "state.json", "expect": "age < 30m"}, Status.FAIL),
        ({"file": "state.json", "jq": ".count", "expect": "== 5"}, Status.PASS),
        ({"file": "state.json", "jq": ".gone"}, Status.UNKNOWN),
        ({"file": "log.txt", "jq": ".count"}, Status.UNKNOWN),
        ({"file": "log.txt", "matches": "ERROR$"}, Status.PASS),
        ({"file": "log.txt", "matches": "FATAL"}, Status.FAIL),
        ({"file": "log.txt", "lines": True, "expect": "== 3"}, Status.PASS),
        ({"file": "br${X}cket"}, Status.PASS),
        ({"file": "br${X}cke*"}, Status.PASS),
        ({"file": "${UP}/x"}, Status.UNKNOWN),
        ({"file": "x" * 5000}, Status.UNKNOWN),
    ],
)
def test_what_it_says(check: dict[str, Any], status: Status, folder: Path) -> None:
    variables = Variables(process={"X": "[a]", "UP": ".."})
    row = looked(check, project=folder, variables=variables)
    assert row.status is status, row


def test_it_shows_which_file_and_how_old(folder: Path) -> None:
    row = looked({"file": "backups/a-1.tar", "newer_than": "24h"}, project=folder)
    assert (row.observed, row.expected, row.message) == ("30 h old", "newer than 24h", "a-1.tar")


def test_absolute_paths_and_deep_patterns(folder: Path) -> None:
    assert looked({"file": str(folder / "state.json")}).status is Status.PASS
    assert looked({"file": f"{folder}/**/b.tar"}).status is Status.PASS


def test_what_is_wrong_before_it_is_looked_at() -> None:
    wrong = a_check({"file": "x", "newer_than": "24", "older_than": "soon", "size": "1MiB", "matches": "["})
    assert len(wrong.options.problems()) == 4
    assert a_check({"file": "x", "newer_than": "24h", "size": ">= 20GiB"}).options.problems() == []
