"""`sql` on a database of SQLite with a write-ahead log: nothing is left beside it, and no half of a change is read."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.findings import NotTaken
from runbook.checks.stores.sql_question import Question
from runbook.checks.stores.sql_sqlite import ask_sqlite
from runbook.judge.verdicts import Reason, Status
from tests.checks.looking import looked
from tests.places import PROJECT

CHECK = {"sql": "sqlite:///data/app.db", "query": "select count(*) from spend", "expect": "== 3"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which a database lies that a service left in order: its log is gone."""
    (tmp_path / "data").mkdir()
    connection = service(tmp_path)
    connection.executescript(
        "pragma journal_mode = wal; create table spend (usd real); insert into spend values (1), (2), (3)"
    )
    connection.close()
    assert names(tmp_path / "data") == ["app.db"]
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def service(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "data/app.db", isolation_level=None)


def test_nothing_is_left_beside_a_database_that_nobody_has_open(folder: Path) -> None:
    (folder / "link.db").symlink_to("data/app.db")
    for url in ("sqlite:///data/app.db", "sqlite:///link.db", f"file:{folder}/data/app.db"):
        assert looked({**CHECK, "sql": url}, project=folder).status is Status.PASS
        assert looked({**CHECK, "sql": url, "query": "select nope"}, project=folder).status is Status.UNKNOWN
    assert names(folder / "data") == ["app.db"]
    assert names(folder) == ["data", "link.db"]


@pytest.mark.skipif(os.geteuid() != 0, reason="looking as somebody else takes root")
def test_a_service_of_another_account_goes_on_writing(folder: Path) -> None:
    """The operator looks first, then the service opens its database anew, as an account of its own."""
    temporary = Path(tempfile.gettempdir())
    for path in (folder, *(parent for parent in folder.parents if temporary in parent.parents)):
        path.chmod(0o755)
    os.chown(folder / "data", 65534, 65534)
    os.chown(folder / "data/app.db", 65534, 65534)
    assert looked(CHECK, project=folder).status is Status.PASS
    code = """
import os, sqlite3, sys
os.setgroups([]), os.setgid(65534), os.setuid(65534)
with sqlite3.connect(sys.argv[1]) as connection:
    connection.execute("insert into spend values (4)")
"""
    argv = [sys.executable, "-c", code, str(folder / "data/app.db")]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_a_service_wrote_and_holds_open_is_read(folder: Path) -> None:
    running = service(folder)
    running.execute("insert into spend values (4)")
    assert looked({**CHECK, "expect": "== 4"}, project=folder).status is Status.PASS
    running.execute("begin immediate")
    running.execute("insert into spend values (5)")
    assert looked({**CHECK, "expect": "== 4"}, project=folder).status is Status.PASS
    running.execute("commit")
    assert looked({**CHECK, "expect": "== 5"}, project=folder).status is Status.PASS
    running.close()
    assert looked({**CHECK, "expect": "== 5"}, project=folder).status is Status.PASS
    assert names(folder / "data") == ["app.db"]


class Meanwhile(dict[str, Any]):
    """Parameters whose look-up does something: it falls between the opening of the database and the query."""

    def __init__(self, act: Callable[[int], None]) -> None:
        super().__init__()
        self.act, self.times = act, 0

    def __getitem__(self, key: str) -> Any:
        self.times += 1
        self.act(self.times)
        return 0


def question(folder: Path, parameters: dict[str, Any]) -> Question:
    query = "select count(*) from spend where usd > :value_1"
    return Question("sqlite:///data/app.db", query, parameters, time.monotonic() + 10, folder)


def written(folder: Path) -> None:
    connection = service(folder)
    connection.executemany("insert into spend values (?)", [(9,)] * 1000)
    connection.close()


def test_a_change_meanwhile_is_seen_and_asked_for_once_more(folder: Path) -> None:
    parameters = Meanwhile(lambda times: written(folder) if times == 1 else None)
    assert ask_sqlite(question(folder, parameters)) == [(1003,)]
    assert parameters.times == 2


def test_a_service_that_starts_meanwhile_is_read_with_its_log(folder: Path) -> None:
    running: list[sqlite3.Connection] = []

    def start(times: int) -> None:
        if times == 1:
            running.append(service(folder))
            running[0].execute("insert into spend values (4)")

    parameters = Meanwhile(start)
    assert ask_sqlite(question(folder, parameters)) == [(4,)]
    assert parameters.times == 2
    running[0].close()


def test_a_database_that_changes_all_the_time_is_unknown(folder: Path) -> None:
    with pytest.raises(NotTaken, match="changed while it was read") as told:
        ask_sqlite(question(folder, Meanwhile(lambda _: written(folder))))
    assert told.value.reason is Reason.ERROR


def test_a_database_without_such_a_log_is_locked_as_ever(folder: Path) -> None:
    connection = service(folder)
    connection.execute("pragma journal_mode = delete")
    connection.execute("begin exclusive")
    assert looked(CHECK, project=folder, seconds=0.4).status is Status.UNKNOWN
    connection.close()
    assert looked(CHECK, project=folder).status is Status.PASS
