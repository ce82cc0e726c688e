"""`disk`: the room of this machine's file systems, as `df` tells it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.here.disk import room
from runbook.judge.verdicts import Reason, Status
from runbook.system.files import FileTrouble
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, measured


@pytest.mark.parametrize(
    ("check", "status"),
    [
        ({"disk": ".", "expect": "free > 1MiB"}, Status.PASS),
        ({"disk": ".", "expect": "free > 1PiB"}, Status.FAIL),
        ({"disk": ".", "expect": "> 1MiB"}, Status.PASS),
        ({"disk": ".", "expect": "total >= free and total > 1MiB"}, Status.PASS),
        ({"disk": ".", "expect": "used <= 100%"}, Status.PASS),
        ({"disk": ".", "expect": "used > 0.99999 or used >= 0"}, Status.PASS),
        ({"disk": ".", "expect": "free / total <= 100%"}, Status.PASS),
        ({"disk": ".", "take": "used", "expect": "<= 100%"}, Status.PASS),
        ({"disk": ".", "take": "total", "expect": "> 1MiB"}, Status.PASS),
        ({"disk": "kept/there.txt", "expect": "> 0"}, Status.PASS),
        ({"disk": "${NAME}", "expect": "> 0"}, Status.PASS),
        ({"disk": "/", "expect": "> 0"}, Status.PASS),
        # What would always hold, or compares bytes with something else, is never judged.
        ({"disk": ".", "expect": "used < 90"}, Status.UNKNOWN),
        ({"disk": ".", "take": "used", "expect": "< 90"}, Status.UNKNOWN),
        ({"disk": ".", "expect": "free > 10%"}, Status.UNKNOWN),
        ({"disk": ".", "expect": "> 10%"}, Status.UNKNOWN),
        ({"disk": ".", "expect": "free > 3s"}, Status.UNKNOWN),
        ({"disk": ".", "expect": "room > 1GiB"}, Status.UNKNOWN),
        ({"disk": "gone", "expect": "> 0"}, Status.UNKNOWN),
        ({"disk": "kept/there.txt/x", "expect": "> 0"}, Status.UNKNOWN),
        ({"disk": "circle", "expect": "> 0"}, Status.UNKNOWN),
        ({"disk": "${UP}", "expect": "> 0"}, Status.UNKNOWN),
        ({"disk": "${NOWHERE}", "expect": "> 0"}, Status.UNKNOWN),
        ({"disk": "x" * 5000, "expect": "> 0"}, Status.UNKNOWN),
        ({"disk": "a\0b", "expect": "> 0"}, Status.UNKNOWN),
    ],
)
def test_what_it_says(check: dict[str, Any], status: Status, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/there.txt").write_text("x")
    (tmp_path / "circle").symlink_to("circle")
    row = looked(check, project=tmp_path, variables=Variables(process={"NAME": "kept", "UP": "../.."}))
    assert row.status is status, row
    assert "fault of the tool" not in row.message
    if status is Status.UNKNOWN:
        assert row.reason is Reason.ERROR
        assert row.message


def test_the_numbers_are_those_of_df(tmp_path: Path) -> None:
    df = subprocess.run(["df", "-Pk", tmp_path], capture_output=True, text=True, check=True, env={"LC_ALL": "C"})
    _, size, used, free, share, *_ = df.stdout.splitlines()[1].split()
    values = room(tmp_path)
    assert values["total"] == pytest.approx(int(size) * 1024, rel=0.001)
    assert values["free"] == pytest.approx(int(free) * 1024, rel=0.05)
    assert values["used"] == pytest.approx(int(used) / (int(used) + int(free)), abs=0.02)
    assert values["used"] * 100 <= int(share.rstrip("%")) + 2


def test_what_is_shown(tmp_path: Path) -> None:
    row = looked({"disk": ".", "expect": "free > 1PiB"}, project=tmp_path)
    assert row.observed.split()[1] in ("KiB", "MiB", "GiB", "TiB")
    assert row.expected == "free > 1PiB"
    assert looked({"disk": ".", "expect": "used <= 100%"}, project=tmp_path).observed.endswith(" %")
    slip = looked({"disk": ".", "expect": "free > 10%"}, project=tmp_path)
    assert slip.message == "expect: cannot compare free (bytes) with 10 %; write a size: 20GiB"
    assert looked({"disk": "gone", "expect": "> 0"}, project=tmp_path).message == "gone is not there"


def test_as_a_metric(tmp_path: Path) -> None:
    free = measured({"disk": "."}, project=tmp_path)
    assert isinstance(free.value, int)
    assert free.observed.endswith(" free")
    used = measured({"disk": ".", "take": "used"}, project=tmp_path)
    assert isinstance(used.value, float)
    assert 0 <= used.value <= 1


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="there is no /proc here")
def test_a_file_system_without_room_has_no_data() -> None:
    row = looked({"disk": "/proc", "expect": "free >= 0"})
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.NODATA)
    assert room(Path("/proc")) == {}


def test_what_is_wrong_before_it_is_looked_at() -> None:
    assert a_check({"disk": " "}).options.problems() == ["disk is empty: name a path, . is the project's folder"]
    assert a_check({"disk": "a b"}).options.problems() == []
    assert not a_check({"disk": "."}).options.asserts()
    assert a_check({"disk": "a b"}).options.by_hand(None) == "df -h 'a b'"
    with pytest.raises(FileTrouble, match="is not there"):
        room(Path("/nowhere/at/all"))
