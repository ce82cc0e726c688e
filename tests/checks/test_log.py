"""`log`: what the last window of a log says, over its rotated parts."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path
from typing import Any

import pytest

from runbook.judge.verdicts import Reason, Status
from runbook.system.secrets import Masker
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, measured

MINUTE, HOUR = 60.0, 3600.0


def at(ago: float, text: str) -> str:
    return time.strftime(f"%Y-%m-%dT%H:%M:%SZ {text}\n", time.gmtime(time.time() - ago))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A service's log: an hour in two parts, twenty lines a part, every fifth an error with a trace of two lines."""
    for name, oldest in (("app.log.1", 60), ("app.log", 30)):
        lines = []
        for number in range(20):
            ago = (oldest - 1.5 * number) * MINUTE - 30
            bad = number % 5 == 0
            lines.append(
                at(ago, f"ERROR timeout after {number} ms" if bad else f"INFO Cache {'HIT' if number % 2 else 'MISS'}")
            )
            lines += ["Traceback of an ERROR\n", "  at line 5\n"] if bad else []
        (tmp_path / name).write_text("".join(lines))
    (tmp_path / "plain.log").write_text("one\ntwo ERROR\nthree\n")
    (tmp_path / "old.log").write_text(at(3 * HOUR, "ERROR long ago"))
    (tmp_path / "ahead.log").write_text(at(-2 * HOUR, "INFO in another zone"))
    (tmp_path / "empty.log").write_bytes(b"")
    (tmp_path / "folder.log").mkdir()
    os.mkfifo(tmp_path / "pipe.log")
    os.utime(tmp_path / "app.log.1", (time.time() - 31 * MINUTE,) * 2)
    return tmp_path


@pytest.mark.parametrize(
    ("check", "status"),
    [
        ({"log": "plain.log", "count": "ERROR", "expect": "== 1"}, Status.PASS),
        ({"log": "plain.log", "count": "error", "expect": "== 1"}, Status.FAIL),
        ({"log": "plain.log", "count": "(?i)error", "expect": "== 1"}, Status.PASS),
        ({"log": "plain.log", "count": "ERROR", "lines": 1, "expect": "== 0"}, Status.PASS),
        ({"log": "plain.log", "count": "t[a-z]+", "lines": 2, "expect": "count == 2 and lines == 2"}, Status.PASS),
        ({"log": "plain.log", "count": "o", "lines": 1000, "expect": "lines == 3"}, Status.PASS),
        ({"log": "plain.log", "share": "ERROR", "of": "t", "expect": "<= 50%"}, Status.PASS),
        ({"log": "plain.log", "share": "ERROR", "of": "t", "expect": "share < 0.5 and lines == 2"}, Status.FAIL),
        ({"log": "plain.log", "share": "o", "of": "ERROR", "expect": "== 100%"}, Status.PASS),
        ({"log": "plain.log", "share": "ERROR", "of": "nothing", "expect": "< 50%"}, Status.UNKNOWN),
        ({"log": "plain.log", "share": "ERROR", "of": "t", "expect": "< 50"}, Status.UNKNOWN),
        ({"log": "plain.log", "count": "ERROR", "expect": "< 5%"}, Status.UNKNOWN),
        ({"log": "plain.log", "top": 5}, Status.PASS),
        ({"log": "plain.log", "top": 5, "expect": "< 3"}, Status.FAIL),
        ({"log": "plain.log", "count": "ERROR", "last": "1h", "expect": ">= 0"}, Status.UNKNOWN),
        ({"log": "app.log", "count": "ERROR", "last": "10d", "expect": "== 16"}, Status.PASS),
        ({"log": "app.log", "count": "ERROR", "last": "20m", "expect": "count == 4 and lines == 17"}, Status.PASS),
        ({"log": "app.log", "count": "^  at", "last": "20m", "expect": "== 2"}, Status.PASS),
        ({"log": "app.log", "count": "INFO", "last": "45m", "expect": "== 24"}, Status.PASS),
        ({"log": "app.log", "count": "INFO", "lines": 1000, "expect": "count == 32 and lines == 56"}, Status.PASS),
        ({"log": "app.log", "share": "HIT", "of": "Cache (HIT|MISS)", "last": "1h", "expect": "== 50%"}, Status.PASS),
        ({"log": "app*.log", "count": "ERROR", "last": "1s", "expect": "== 0"}, Status.PASS),
        ({"log": "old.log", "count": "ERROR", "last": "1h", "expect": "== 0"}, Status.PASS),
        ({"log": "old.log", "count": "ERROR", "last": "4h", "expect": "== 0"}, Status.FAIL),
        ({"log": "old.log", "share": "ERROR", "of": "E", "last": "1h", "expect": "< 1%"}, Status.UNKNOWN),
        ({"log": "ahead.log", "count": "ERROR", "last": "1h", "expect": "== 0"}, Status.UNKNOWN),
        ({"log": "empty.log", "count": "ERROR", "expect": "== 0"}, Status.PASS),
        ({"log": "empty.log", "count": "ERROR", "last": "1h", "expect": "== 0"}, Status.PASS),
        ({"log": "empty.log", "share": "ERROR", "of": ".", "expect": ">= 0"}, Status.UNKNOWN),
        ({"log": "empty.log", "top": 3}, Status.PASS),
        ({"log": "gone.log", "count": "ERROR", "expect": "== 0"}, Status.UNKNOWN),
        ({"log": "gone-*.log", "count": "ERROR", "expect": "== 0"}, Status.UNKNOWN),
        ({"log": "plain.log/x", "count": "ERROR", "expect": "== 0"}, Status.UNKNOWN),
        ({"log": "folder.log", "count": "ERROR", "expect": "== 0"}, Status.UNKNOWN),
        ({"log": "pipe.log", "count": "ERROR", "expect": "== 0"}, Status.UNKNOWN),
        ({"log": "/dev/zero", "count": "ERROR", "expect": "== 0"}, Status.UNKNOWN),
        ({"log": "${UP}/x", "count": "ERROR", "expect": "== 0"}, Status.UNKNOWN),
        ({"log": "${NAME}.log", "count": "ERROR", "expect": "== 1"}, Status.PASS),
        ({"log": "${NAME}.lo*", "count": "ERROR", "expect": "== 1"}, Status.PASS),
        ({"log": "x" * 5000, "count": "ERROR", "expect": "== 0"}, Status.UNKNOWN),
    ],
)
def test_what_it_says(check: dict[str, Any], status: Status, folder: Path) -> None:
    row = looked(check, project=folder, variables=Variables(process={"UP": "..", "NAME": "plain"}))
    assert row.status is status, row
    assert "fault of the tool" not in row.message
    assert row.message or status is not Status.UNKNOWN


def test_what_is_shown(folder: Path) -> None:
    count = looked({"log": "app.log", "count": "ERROR", "last": "20m", "expect": "< 2"}, project=folder)
    assert (count.observed, count.expected, count.message) == ("4", "< 2", "app.log")
    share = measured({"log": "app.log", "share": "HIT", "of": "Cache"}, project=folder)
    assert (share.observed, share.value) == ("50 % (16 of 32)", 0.5)
    assert measured({"log": "app.log", "count": "ERROR"}, project=folder).observed == "16 of 56 lines"
    old = looked({"log": "old.log", "count": "ERROR", "last": "1h", "expect": "> 0"}, project=folder)
    assert old.message == "the newest line of old.log is 3 h old"
    none = looked({"log": "old.log", "share": "a", "of": "b", "last": "1h", "expect": "> 0"}, project=folder)
    assert (none.reason, none.message) == (Reason.NODATA, "no line matches b; the newest line of old.log is 3 h old")
    timeless = looked({"log": "plain.log", "count": "a", "last": "1h", "expect": "== 0"}, project=folder)
    assert timeless.reason is Reason.ERROR
    assert "write lines: 1000" in timeless.message
    assert looked({"log": "gone.log", "top": 1}, project=folder).message == "gone.log is not there"


def test_what_is_said_most_often(folder: Path) -> None:
    row = looked({"log": "app.log", "top": 2}, project=folder)
    assert list(row.listed) == ["16  INFO Cache HIT", "16  INFO Cache MISS"]
    assert (row.observed, row.value) == ("4 patterns in 56 lines", 4)
    errors = looked({"log": "app.log", "top": 10, "of": "ERROR timeout", "last": "20m"}, project=folder)
    assert list(errors.listed) == ["2  ERROR timeout after # ms"]
    assert errors.observed == "1 pattern in 2 lines"


def test_what_a_log_holds_is_masked_and_harmless(folder: Path) -> None:
    (folder / "bad.log").write_bytes(b"\x1b]0;title\x07 hunter-two-hunter \xe2\x80\xae\n" * 3)
    row = looked(
        {"log": "bad.log", "top": 3}, project=folder, variables=Variables(masker=Masker(["hunter-two-hunter"]))
    )
    shown = row.observed + row.message + "".join(row.listed)
    assert "\\x1b]#;title" in shown.replace("]0;", "]#;")
    assert not {"\x1b", "\u202e", "\x07"} & set(shown)
    assert "hunter" not in shown


def test_a_part_that_was_compressed_is_missed(folder: Path) -> None:
    check = {"log": "app.log", "count": "ERROR", "last": "2h", "expect": ">= 0"}
    (folder / "app.log.2.gz").write_bytes(gzip.compress(b"x"))
    os.utime(folder / "app.log.2.gz", (time.time() - 1.01 * HOUR,) * 2)
    assert "app.log.2.gz, which is compressed" in looked(check, project=folder).message
    os.utime(folder / "app.log.2.gz", (time.time() - 2.5 * HOUR,) * 2)
    assert looked(check, project=folder).status is Status.PASS


@pytest.mark.parametrize(
    ("options", "problems"),
    [
        ({}, 1),
        ({"count": "a", "top": 1}, 1),
        ({"count": "a", "share": "b", "of": "c"}, 2),
        ({"share": "a"}, 1),
        ({"count": "["}, 1),
        ({"share": "(", "of": "*"}, 2),
        ({"count": "a", "last": "1h", "lines": 5}, 1),
        ({"count": "a", "last": "60"}, 1),
        ({"count": "a", "last": "soon"}, 1),
        ({"count": "a", "last": "0s"}, 1),
        ({"count": "a", "lines": 0}, 1),
        ({"count": "a", "lines": 10_000_000}, 1),
        ({"top": 0}, 1),
        ({"top": 1000}, 1),
        ({"count": ""}, 0),
        ({"top": 10, "of": "ERROR", "last": "1h30m"}, 0),
        ({"share": "a", "of": "b", "lines": 1_000_000}, 0),
    ],
)
def test_what_is_wrong_before_it_is_looked_at(options: dict[str, Any], problems: int) -> None:
    found = a_check({"log": "x", **options}).options.problems()
    assert len(found) == problems, found


def test_what_asserts_something_without_expect() -> None:
    assert a_check({"log": "x", "top": 1}).options.asserts()
    assert not a_check({"log": "x", "count": "a"}).options.asserts()
    assert not a_check({"log": "x", "share": "a", "of": "b"}).options.asserts()
    assert a_check({"log": " ", "count": "a"}).options.problems() == ["log is empty: name a file"]
