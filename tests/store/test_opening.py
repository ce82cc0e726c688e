"""Which store a setting names; and that no kill while opening or appending leaves half of anything."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.store.base import StoreAway
from runbook.store.chain import verify
from runbook.store.heads import read_head
from runbook.store.opening import open_store
from runbook.store.sqlite import open_sqlite
from runbook.system.clock import MachineClock
from tests.places import PROJECT
from tests.store.making import CHAIN, event


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (None, ".runbook/state.db"),
        ("", ".runbook/state.db"),
        ("elsewhere/my.db", "elsewhere/my.db"),
        ("sqlite:relative.db", "relative.db"),
        ("sqlite://{root}/absolute.db", "absolute.db"),
        ("{root}/plain: odd.db", "plain: odd.db"),
    ],
)
def test_a_setting_names_a_file(tmp_path: Path, setting: str | None, expected: str) -> None:
    wanted = setting and setting.replace("{root}", str(tmp_path))
    store = open_store(wanted, tmp_path / ".runbook", MachineClock())
    store.append(CHAIN, [event(1)])
    store.close()
    assert (tmp_path / expected).is_file()
    assert read_head(tmp_path / ".runbook" / "heads", CHAIN) is not None


@pytest.mark.parametrize("setting", ["postgresql://ana:hunter2@db/x", "postgres://hunter2", "mysql://ana:hunter2@db/x"])
def test_another_kind_of_store_is_refused_without_telling_the_password(tmp_path: Path, setting: str) -> None:
    with pytest.raises(StoreAway) as refused:
        open_store(setting, tmp_path / ".runbook", MachineClock())
    assert refused.value.hint and "hunter2" not in refused.value.reason + refused.value.hint
    assert list(tmp_path.iterdir()) == []


APPENDS = """
import sys
from pathlib import Path
from runbook.store.sqlite import open_sqlite
from runbook.system.clock import MachineClock
from tests.store.making import CHAIN, event
store = open_sqlite(Path(sys.argv[1]), clock=MachineClock(), wait=30)
print("ready", flush=True)
number = int(sys.argv[2])
while number < int(sys.argv[3]):
    number += 1
    store.append(CHAIN, [event(number)], state=lambda body, new: (body or b"")[-9_000:] + b"x" * 100)
    print(number, flush=True)
"""


def start(path: Path, first: int, last: int = 10**9) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", APPENDS, str(path), str(first), str(last)]
    return subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE)


def test_whatever_was_told_as_appended_is_there_after_a_kill(tmp_path: Path) -> None:
    path, pick = tmp_path / "state.db", random.Random(11)
    told: list[int] = []
    for round_ in range(10):
        with start(path, round_ * 1_000_000) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            for _ in range(pick.randrange(1, 60)):
                told.append(int(process.stdout.readline()))
            process.send_signal(signal.SIGKILL)
            told += [int(line) for line in process.stdout.read().splitlines()]
        store = open_sqlite(path, clock=MachineClock())
        found = [one.event.payload["step"] for one in store.events(CHAIN)]
        assert set(told) <= set(found) and len(found) - len(told) <= round_ + 1
        assert verify(store, CHAIN, read_head(tmp_path / "heads", CHAIN)).ok
        assert store.damage() is None
        state = store.load_state(CHAIN)
        assert state is not None and state[0] == len(found), "the state is never ahead of the events or behind"
        store.close()


def test_several_processes_may_make_the_same_store_at_once(tmp_path: Path) -> None:
    for number in range(3):
        path = tmp_path / f"{number}" / "state.db"
        running = [start(path, 1_000 * one, 1_000 * one + 5) for one in range(1, 5)]
        for process in running:
            assert process.communicate()[0].startswith(b"ready\n") and process.returncode == 0
        store = open_sqlite(path, clock=MachineClock())
        assert len(store.events(CHAIN)) == 20
        assert verify(store, CHAIN, read_head(path.parent / "heads", CHAIN)).ok
        store.close()


def test_looking_at_the_status_loads_no_database_driver_and_nothing_heavy() -> None:
    code = (
        "import sys, runbook.store.sqlite, runbook.store.chain, runbook.store.heads, runbook.store.spool,"
        " runbook.store.opening; print(*sorted({'sqlite3', 'fcntl', 'httpx', 'asyncio', 'subprocess', 'yaml'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, check=True)
    assert done.stdout.strip() == b""
