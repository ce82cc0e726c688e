"""The end of a log read backwards: any bytes, any length, while it is written, rotated and emptied."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.checks.findings import NotTaken
from runbook.checks.here.log_tail import LONGEST_LINE, MOST_BYTES, last_lines, lines_since
from runbook.judge.verdicts import Status
from runbook.system.files import FileTrouble
from tests.checks.looking import looked


def soon(seconds: float = 10.0) -> float:
    return time.monotonic() + seconds


def as_lines(data: bytes) -> list[str]:
    """What the lines of a file are, said the plain way."""
    whole = data[:-1] if data.endswith(b"\n") else data
    return [line[:LONGEST_LINE].decode("utf-8", "replace").rstrip("\r") for line in whole.split(b"\n")] if data else []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        b"one",
        b"one\n",
        b"one\r\ntwo\r\n",
        b"one\r\ntwo",
        b"\xff\xfe\x00\x01\n\x80",
        b"\x00" * 1000,
        b"x" * 300_000 + b"\ny",
        b"x" * (256 << 10),
        b"x" * ((256 << 10) - 1) + b"\n",
        b"\n" * ((256 << 10) + 1),
        b"a\n" + b"x" * ((256 << 10) - 1) + b"\n",
        "ü".encode() * 200_000 + b"\nend\n",
        b"a\x0bb\x0cc\x1cd\xe2\x80\xa8e\n",
    ],
)
def test_any_bytes(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(data)
    for count in (1, 2, 1000):
        assert list(last_lines(path, count, soon()).lines) == as_lines(data)[-count:]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    newer=st.lists(st.one_of(st.integers(0, 200), st.integers(60_000, 280_000)), max_size=12),
    older=st.lists(st.integers(0, 100), max_size=5),
    count=st.integers(1, 20),
    ended=st.booleans(),
)
def test_the_last_lines_are_those_at_the_end(
    newer: list[int], older: list[int], count: int, ended: bool, tmp_path: Path
) -> None:
    """Compared with a file read whole; where there are too few lines, the rotated part makes up for it."""
    path = tmp_path / "a.log"
    text = [b"".join(b"%d," % (number * 7 % 1000) for _ in range(length // 4)) for number, length in enumerate(newer)]
    data = b"\n".join(text) + (b"\n" if ended and text else b"")
    before = b"".join(b"o" * length + b"\n" for length in older)
    path.write_bytes(data)
    (tmp_path / "a.log.1").write_bytes(before)
    assert list(last_lines(path, count, soon()).lines) == (as_lines(before) + as_lines(data))[-count:]


def test_what_is_too_much(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + (1 << 20))  # a hole: one line of zeros
    with pytest.raises(NotTaken, match="longer than 64 MiB: name a shorter one"):
        last_lines(path, 1000, soon())
    with pytest.raises(NotTaken, match=r"no line of a\.log begins with a time"):
        lines_since(path, 3600, soon())
    with pytest.raises(NotTaken, match="in time"):
        last_lines(path, 1000, soon(-1))
    path.write_bytes((b"%d x\n" % int(time.time())) * 1_000_001)
    with pytest.raises(NotTaken, match="longer than 1,000,000 lines"):
        lines_since(path, 3600, soon(60))
    assert len(last_lines(path, 1_000, soon()).lines) == 1000


def test_a_large_log_takes_as_long_as_its_window(tmp_path: Path) -> None:
    now = int(time.time())
    path = tmp_path / "a.log"
    with path.open("wb") as file:
        file.truncate(1 << 30)
        file.seek(0, 2)
        file.write(b"\n")
        file.writelines(b"%d line\n" % (now - 100_000 + number) for number in range(100_000))
    began = time.monotonic()
    found = lines_since(path, 60.5, soon())
    assert 59 <= len(found.lines) <= 62
    assert time.monotonic() - began < 1


def test_odd_times_do_not_end_the_window(tmp_path: Path) -> None:
    now = int(time.time())
    path = tmp_path / "a.log"
    path.write_text(f"banner\n{now - 30} a\n{now - 90_000} from a queue\n  of long ago\n{now - 40} b\nno time\n")
    assert list(lines_since(path, 3600, soon()).lines) == ["banner", f"{now - 30} a", f"{now - 40} b", "no time"]


def test_what_a_rotated_part_ends_with_goes_on_in_the_next(tmp_path: Path) -> None:
    now = int(time.time())
    (tmp_path / "a.log.2").write_text(f"{now - 3000} x\n")
    (tmp_path / "a.log.1").write_text(f"{now - 9000} old\n{now - 100} Traceback")
    (tmp_path / "a.log").write_text(f"  at line 1\n{now - 5} new")
    found = lines_since(tmp_path / "a.log", 3600, soon())
    assert list(found.lines) == [f"{now - 3000} x", f"{now - 100} Traceback", "  at line 1", f"{now - 5} new"]
    assert found.newest == now - 5


def test_what_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone", Path("/dev/null")):
        with pytest.raises(FileTrouble):
            last_lines(path, 1, soon())
    (tmp_path / "a.log").write_text("one\n")
    (tmp_path / "a.log.1").mkdir()
    assert list(last_lines(tmp_path / "a.log", 5, soon()).lines) == ["one"]


class Writer:
    """Writes a line at a time as fast as it can, and rotates or empties the log every hundred lines."""

    def __init__(self, path: Path, how: str) -> None:
        self.path, self.how = path, how
        self.written = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Writer:
        self.path.touch()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _write(self) -> None:
        now = int(time.time())
        while not self._end.is_set() and self.written < 20_000:
            with self.path.open("ab") as file:
                file.write(b"%d line\n" % now)
            self.written += 1
            if self.written % 100 == 0 and self.how == "empty":
                self.path.write_bytes(b"")
            if self.written % 2000 == 0 and self.how == "rotate":
                for number in range(12, 0, -1):
                    part = self.path.with_name(f"a.log.{number}")
                    if part.exists():
                        part.rename(self.path.with_name(f"a.log.{number + 1}"))
                self.path.rename(self.path.with_name("a.log.1"))
                self.path.touch()


@pytest.mark.parametrize("how", ["append", "rotate", "empty"])
def test_it_is_written_meanwhile(how: str, tmp_path: Path) -> None:
    """No line is counted that was never written; where it only grows, none that was is missed."""
    with Writer(tmp_path / "a.log", how) as writer:
        for number in range(60):
            window = {"last": "1h"} if number % 2 else {"lines": 1_000_000}
            before = writer.written
            row = looked({"log": "a.log", "count": "line", "expect": ">= 0", **window}, project=tmp_path)
            assert "fault of the tool" not in row.message
            if row.status is not Status.PASS:
                assert how != "append", row
                assert "not there" in row.message or "look again" in row.message
                continue
            assert row.value <= writer.written + 1
            assert row.value >= (before if how == "append" else 0)
