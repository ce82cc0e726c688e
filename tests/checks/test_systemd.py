"""`systemd`: units as a manager tells them, a machine without one, and a systemctl that says anything at all."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.checks.platforms.systemd import Systemd
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, surroundings

# Answers as systemd does: what only services have comes first, and a blank line stands between two units.
SYSTEMCTL = """#!/bin/sh
echo "$@" > "$0.asked"
while [ "$1" != -- ]; do shift; done
shift
between=
for unit; do
    printf "$between"
    between='\\n'
    cat "$0.units/$unit" 2>/dev/null || cat "$0.units/missing"
done
"""
MISSING = "Result=success\nNRestarts=0\nId=x.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n"


def told(active: str, sub: str, *, load: str = "loaded", result: str = "success", restarts: int | None = 0) -> str:
    """What `systemctl show` tells of a service; when it became active is put in when the test begins."""
    service = "" if restarts is None else f"Result={result}\nNRestarts={restarts}\n"
    entered = "SINCE" if active == "active" else 0
    state = f"Id=x.service\nLoadState={load}\nActiveState={active}\nSubState={sub}\n"
    return f"{service}{state}ActiveEnterTimestampMonotonic={entered}\n"


UNITS = {
    "missing": MISSING,
    "web": told("active", "running", restarts=2),
    "reloading": told("reloading", "reload"),
    "refreshing": told("refreshing", "refresh"),
    "oneshot": told("active", "exited"),
    "backup.timer": told("active", "waiting", restarts=None),
    "-.mount": told("active", "mounted", restarts=None),
    "stopped": told("inactive", "dead"),
    "crashed": told("failed", "failed", result="exit-code", restarts=5),
    "killed": told("failed", "failed", result="oom-kill"),
    "starting": told("activating", "auto-restart", restarts=7),
    "stopping": told("deactivating", "stop-sigterm"),
    "masked": told("inactive", "dead", load="masked"),
    "broken": told("inactive", "dead", load="bad-setting"),
    "removed": told("active", "running", load="not-found"),
    "worker@1.service": told("active", "running"),
    "lately": told("active", "running").replace("Monotonic=", "Monotonic=9"),
}


def systemctl(folder: Path, script: str = SYSTEMCTL) -> Variables:
    """A program of that name before all others."""
    units = folder / "systemctl.units"
    units.mkdir()
    for name, text in UNITS.items():
        (units / name).write_text(text.replace("SINCE", str(int((time.monotonic() - 90) * 1e6))))
    program = folder / "systemctl"
    program.write_text(script)
    program.chmod(0o755)
    return Variables(process={"PATH": f"{folder}:{os.environ['PATH']}"})


def seen(folder: Path, plain: dict[str, Any], script: str = SYSTEMCTL, seconds: float = 10.0) -> CheckResult:
    variables = systemctl(folder, script)
    return looked(plain, surroundings(folder, seconds=seconds, variables=variables))


@pytest.mark.parametrize(
    ("unit", "state", "status", "observed", "says"),
    [
        ("web", "active", Status.PASS, "active (running)", "for 1 m 3"),
        ("web", "running", Status.PASS, "active (running)", "for 1 m"),
        ("web", "inactive", Status.FAIL, "active (running)", "web is active (running)"),
        ("reloading", "active", Status.PASS, "reloading (reload)", ""),
        ("refreshing", "active", Status.PASS, "refreshing (refresh)", ""),
        ("oneshot", "active", Status.PASS, "active (exited)", ""),
        ("oneshot", "running", Status.FAIL, "active (exited)", "oneshot is active (exited)"),
        ("backup.timer", "active", Status.PASS, "active (waiting)", ""),
        ("-.mount", "active", Status.PASS, "active (mounted)", ""),
        ("worker@1.service", "active", Status.PASS, "active (running)", ""),
        ("stopped", "active", Status.FAIL, "inactive", "stopped is inactive; journalctl -u stopped -n 20 tells more"),
        ("stopped", "inactive", Status.PASS, "inactive", ""),
        ("crashed", "active", Status.FAIL, "failed (exit-code)", "crashed is failed (exit-code); journalctl"),
        ("crashed", "inactive", Status.FAIL, "failed (exit-code)", "crashed is failed"),
        ("killed", "active", Status.FAIL, "failed (oom-kill)", "oom-kill"),
        ("starting", "active", Status.FAIL, "activating (auto-restart)", "activating (auto-restart)"),
        ("stopping", "active", Status.FAIL, "deactivating (stop-sigterm)", ""),
        ("masked", "active", Status.FAIL, "inactive", "its unit file is masked"),
        ("masked", "inactive", Status.PASS, "inactive", ""),
        ("broken", "active", Status.FAIL, "inactive", "its unit file is bad-setting"),
        ("removed", "active", Status.PASS, "active (running)", ""),
        ("nowhere", "active", Status.FAIL, "inactive", "nowhere is not known to systemd; systemctl list-unit-files"),
        ("nowhere", "inactive", Status.FAIL, "inactive", "nowhere is not known to systemd"),
        ("lately", "active", Status.PASS, "active (running)", ""),
    ],
)
def test_units(tmp_path: Path, unit: str, state: str, status: Status, observed: str, says: str) -> None:
    row = seen(tmp_path, {"systemd": unit, "state": state})
    assert (row.status, row.observed) == (status, observed), row
    assert says in row.message


def test_several_units_and_those_that_are_not_as_meant(tmp_path: Path) -> None:
    row = seen(tmp_path, {"systemd": ["web", "crashed", "oneshot", "nowhere"]})
    assert (row.status, row.observed) == (Status.FAIL, "2 of 4 active")
    assert list(row.listed) == ["crashed is failed (exit-code)", "nowhere is not known to systemd"]


def test_all_of_several_units(tmp_path: Path) -> None:
    row = seen(tmp_path, {"systemd": ["web", "backup.timer", "oneshot"]})
    assert (row.status, row.observed, row.value) == (Status.PASS, "3 active", 2)


@pytest.mark.parametrize(
    ("unit", "expect", "status"),
    [
        ("web", "restarts < 3", Status.PASS),
        ("web", "restarts == 0", Status.FAIL),
        ("web", "age > 1m", Status.PASS),
        ("web", "age > 1h", Status.FAIL),
        ("web", "== 2", Status.PASS),
        ("web", "age > 3%", Status.UNKNOWN),  # a share of what
        ("backup.timer", "restarts == 0", Status.UNKNOWN),  # timers are not restarted
        ("crashed", "restarts < 10", Status.FAIL),  # it is down, whatever else holds
        ("nowhere", "restarts == 0", Status.FAIL),
    ],
)
def test_what_expect_can_judge(tmp_path: Path, unit: str, expect: str, status: Status) -> None:
    assert seen(tmp_path, {"systemd": unit, "expect": expect}).status is status


def test_what_is_asked(tmp_path: Path) -> None:
    seen(tmp_path, {"systemd": "web", "user": True})
    asked = (tmp_path / "systemctl.asked").read_text()
    assert asked.startswith("--user show --no-pager --property=Id,")
    assert asked.rstrip().endswith("-- web")


def test_this_machine_without_systemd_as_its_first_process() -> None:
    """Where it has one, a unit of that name is still not there."""
    variables = Variables(process=dict(os.environ))
    row = looked({"systemd": "no-such-unit-anywhere"}, variables=variables)
    if Path("/run/systemd/system").is_dir():
        assert (row.status, row.observed) == (Status.FAIL, "inactive")
    else:
        assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
        assert "not booted with systemd" in row.message or "systemctl is not found" in row.message


@pytest.mark.parametrize(
    ("script", "status", "says"),
    [
        ("echo 'Failed to connect to bus: No medium found' >&2; exit 1", Status.UNKNOWN, "No medium found"),
        ("echo 'Failed to get properties: Connection timed out' >&2; exit 1", Status.FAIL, "does not answer"),
        ("echo 'Failed to get properties: Access denied' >&2; exit 1", Status.UNKNOWN, "Access denied"),
        ("exit 1", Status.UNKNOWN, "exit 1"),
        ("kill -9 $$", Status.UNKNOWN, "signal 9"),
        ("true", Status.UNKNOWN, "told of 0 units where 1 were asked for"),
        ("echo ActiveState=active", Status.UNKNOWN, "does not tell the state of web"),
        ("printf 'LoadState=loaded\\nActiveState=\\n'", Status.UNKNOWN, "does not tell the state"),
        ("printf 'LoadState=loaded\\nActiveState=ACTIVE\\n'", Status.FAIL, "ACTIVE"),
        ("printf 'LoadState=loaded\\nActiveState=active\\n\\nLoadState=loaded\\n'", Status.UNKNOWN, "told of 2"),
        ("printf 'LoadState=loaded\\nActiveState=\\033[2Jactive\\377\\n'", Status.FAIL, "\\x1b[2Jactive"),
        ("printf '\\000\\377\\376'", Status.UNKNOWN, "does not tell the state"),
        ("head -c 20000000 /dev/zero | tr '\\0' a", Status.UNKNOWN, "more than can be read"),
        ("exec sleep 60", Status.FAIL, "timed out"),
    ],
)
def test_a_systemctl_that_says_anything(tmp_path: Path, script: str, status: Status, says: str) -> None:
    began = time.monotonic()
    row = seen(tmp_path, {"systemd": "web"}, f"#!/bin/sh\n{script}\n", seconds=1.0)
    assert time.monotonic() - began < 5
    assert row.status is status, row
    assert says in row.message
    assert row.reason is (Reason.ERROR if status is Status.UNKNOWN else None)
    assert not any(ord(character) < 32 for character in row.message + row.observed)


def test_numbers_that_are_none(tmp_path: Path) -> None:
    script = "printf 'LoadState=loaded\\nActiveState=active\\nNRestarts=%s\\nActiveEnterTimestampMonotonic=%s\\n'"
    row = seen(tmp_path, {"systemd": "web"}, f"#!/bin/sh\n{script} 99999999999999 [not set]\n")
    assert (row.status, row.value, row.message) == (Status.PASS, None, "")


def test_a_machine_without_systemctl(tmp_path: Path) -> None:
    row = looked({"systemd": "web"}, variables=Variables(process={"PATH": str(tmp_path)}))
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "this machine has no systemd" in row.message


def test_names_that_are_none_and_what_is_wrong_before() -> None:
    for unit in ("a b", "--now", "x/y", "a\nb", "", "web*", "\x1b[2J"):
        options = a_check({"systemd": unit}).options
        assert isinstance(options, Systemd)
        # A dash begins the names of some units, and no option of systemctl comes after `--`.
        assert bool(options.problems()) is (unit != "--now")
    assert a_check({"systemd": []}).options.problems() == ["systemd is empty: name a unit"]
    assert a_check({"systemd": ["x"] * 101}).options.problems()
    assert a_check({"systemd": "${UNIT}"}).options.problems() == []
    row = looked({"systemd": "${UNIT}"}, variables=Variables(process={"UNIT": "a; reboot"}))
    assert (row.status, row.message) == (Status.UNKNOWN, "systemd: 'a; reboot' is no name that can be asked for")
    assert looked({"systemd": "${NO_SUCH_UNIT}"}).status is Status.UNKNOWN


def test_by_hand() -> None:
    assert a_check({"systemd": "web"}).options.by_hand(None) == "systemctl status --no-pager -- web"
    several = a_check({"systemd": ["a", "b"], "user": True}).options
    assert several.by_hand(None) == "systemctl --user status --no-pager -- a b"
    assert several.presence()
    assert several.only_looks()
