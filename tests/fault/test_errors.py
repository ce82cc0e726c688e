"""A disk that is full, broken or over its quota: refused or undone, old bytes intact, nothing half done unsaid."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault import acceptance
from tests.fault.calls import Call, first, inject
from tests.fault.practice import RUNBOOK, SHOWN, Practice, Ran
from tests.fault.scenarios import RAMP
from tests.fault.test_kill import strike

TEMPORARY = "conf/.menu.env.runbook-*"


def run(practice: Practice, *argv: str, **more: str) -> Ran:
    return practice.run(*argv, **more)


@pytest.mark.needs("strace")
def test_errors_at_thirty_calls(tmp_path: Path) -> None:
    options = ("--faults", "ENOSPC,EIO,EDQUOT,FULL", "--kills", "30", "--commands", "ramp,rollback,emergency")
    reports = strike(tmp_path / "report.json", *options, seconds=300)
    struck = [one for report in reports for one in report["tried"] if one["struck"] != "never reached"]
    assert len(struck) >= 28


@pytest.mark.fault
@pytest.mark.needs("strace")
@pytest.mark.parametrize("fault", ["ENOSPC", "EIO", "EDQUOT", "FULL"])
def test_an_error_at_every_call(tmp_path: Path, fault: str) -> None:
    strike(tmp_path / "report.json", "--faults", fault, "--all", seconds=6 * 3600)


AT_THE_NEW_FILE = [("openat", "EDQUOT"), ("write", "ENOSPC"), ("write", "EIO"), ("fsync", "EIO"), ("fsync", "ENOSPC")]


@pytest.mark.needs("strace")
@pytest.mark.parametrize(("name", "error"), AT_THE_NEW_FILE)
def test_an_error_at_the_new_file(
    project_at: Callable[[str], Practice], ramp_calls: list[Call], name: str, error: str
) -> None:
    practice = project_at("tasters@10")
    hit = inject(practice, first(ramp_calls, TEMPORARY, name), f"error={error}", *RAMP)
    assert hit.place == TEMPORARY
    assert hit.ran.code == 4, hit.ran
    assert "menu.env" in hit.ran.said
    assert "Next:" in hit.ran.said
    assert acceptance.settled(run, practice, "tasters@10") == []


@pytest.mark.needs("strace")
def test_a_write_that_lies_is_found_out(project_at: Callable[[str], Practice], ramp_calls: list[Call]) -> None:
    """The call says that all was written, and nothing was: only reading back shows it."""
    practice = project_at("tasters@10")
    hit = inject(practice, first(ramp_calls, TEMPORARY, "write"), f"retval={len(SHOWN['tables@50'])}", *RAMP)
    assert hit.ran.code == 4, hit.ran
    assert acceptance.settled(run, practice, "tasters@10") == []


@pytest.mark.parametrize("argv", [RAMP, ("rollback", "--to", "10", "--yes")])
def test_a_file_that_fits_only_in_part(project_at: Callable[[str], Practice], argv: tuple[str, ...]) -> None:
    """The first write takes a part and reports no error; the rest does not fit under the limit for file sizes."""
    practice = project_at("tasters@10" if argv == RAMP else "tables@50")
    comment = b"# " + b"x" * (3 << 20) + b"\n"
    long = practice.flags.read_bytes() + comment
    practice.flags.write_bytes(long)
    practice.running.write_bytes(long)
    limit = "ulimit -f 2048"  # blocks of 512 bytes, of 1024 in some shells: either lies between the store and the file
    done = subprocess.run(
        ["sh", "-c", f'{limit}; exec "$0" "$@"', str(RUNBOOK), *argv], cwd=practice.root, capture_output=True,
        env=practice.environment(), text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stdout + done.stderr
    assert "limit for file sizes" in done.stdout + done.stderr
    assert practice.flags.read_bytes() == long
    assert acceptance.left_behind(practice) == []
