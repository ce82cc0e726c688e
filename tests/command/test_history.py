"""What happened, as it is told; and the proof that nothing of it was changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.command.project import Project


@pytest.fixture
def lived(project: Project) -> Project:
    """A project with a ramp and a way back behind it."""
    project.at_first()
    assert project.run("rollback", "--yes", "--reason", "tried enough").code == 0
    return project


def test_everything_is_told_with_who_and_when(lived: Project) -> None:
    events = lived.events()
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    assert {"operation.started", "position.entered", "operation.ended"} <= {event["kind"] for event in events}
    assert all(event["who"] and event["host"] and event["hash"] for event in events)
    page = lived.run("history").out
    assert "off@0 -> first@10" in page and "tried enough" in page


def test_only_the_newest(lived: Project) -> None:
    events = lived.events()
    assert lived.json("history", "--last", "2").document["events"] == events[-2:]
    assert lived.json("history", "--last", "999999999").document["events"] == events


def test_only_since(lived: Project) -> None:
    assert lived.json("history", "--since", "1h").document["events"] == lived.events()
    assert lived.json("history", "--since", "0s").document["events"] == []


def test_only_of_one_operation(lived: Project) -> None:
    events = lived.events()
    operation = events[0]["operation"]
    found = lived.json("history", "--operation", operation).document["events"]
    assert found == [event for event in events if event["operation"] == operation]
    assert lived.json("history", "--operation", "none").document["events"] == []


def forge(project: Project, *statements: str) -> int:
    """Change the store behind the tool's back; gives the number of rows changed."""
    with closing(sqlite3.connect(project.folder / ".runbook" / "state.db", isolation_level=None)) as store:
        return sum(store.execute(statement).rowcount for statement in statements)


TRIED = "cast(replace(cast(body as text), 'tried enough', 'tried a lot') as blob)"
ROOT = "cast(replace(cast(head as text), 'root', 'toor') as blob)"
FORGERIES = {
    "a word in a payload": [f"update payloads set body = {TRIED}"],
    "a payload taken away": ["delete from payloads where number = 2"],
    "who did it": [f"update events set head = {ROOT}"],
    "when it was": ["update events set at = at - 60000000 where number = 3"],
    "an event taken away": ["delete from events where number = 2"],
    "the end cut off": ["delete from events where number > 4", "update chains set number = 4"],
    "two events swapped": [
        "update events set number = 99 where number = 2", "update events set number = 2 where number = 3",
        "update events set number = 3 where number = 99",
    ],
    "the whole chain taken away": ["delete from chains"],
    "everything taken away": ["delete from chains", "delete from events", "delete from payloads", "delete from kept"],
}  # fmt: skip


@pytest.mark.parametrize("statements", FORGERIES.values(), ids=FORGERIES.keys())
def test_what_was_changed_is_found(lived: Project, statements: list[str]) -> None:
    assert forge(lived, *statements) > 0
    assert lived.run("audit", "verify").code == 1


def test_the_chain_that_was_changed_is_named(project: Project) -> None:
    one = "{url: http://127.0.0.1:PORT, flags_in: {env: ranker.env}}"
    project.write(environments=f"\n  here: {one}\n  there: {one}")
    for name in ("here", "there"):
        assert project.run("note", "complaint", "-e", name).code == 0
    assert forge(project, "delete from chains where environment = 'there'") == 1
    ran = project.run("audit", "verify")
    assert ran.code == 1 and "there" in ran.out and "here" in ran.out


def test_a_forged_store_stops_neither_status_nor_emergency(lived: Project) -> None:
    assert forge(lived, *FORGERIES["a word in a payload"]) > 0
    assert lived.run("status").code == 0
    assert lived.run("rollback", "--emergency", "--yes").code == 0


def test_a_store_that_was_deleted_is_found(lived: Project) -> None:
    for path in (lived.folder / ".runbook").glob("state.db*"):
        path.unlink()
    ran = lived.run("audit", "verify")
    assert ran.code == 1 and "ranker" in ran.out


def test_an_older_copy_of_the_store_is_found(lived: Project, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with (
        closing(sqlite3.connect(lived.folder / ".runbook" / "state.db")) as store,
        closing(sqlite3.connect(copy)) as kept,
    ):
        store.backup(kept)
    assert lived.run("ramp", "10", "--yes").code == 0
    for path in (lived.folder / ".runbook").glob("state.db*"):
        path.unlink()
    (lived.folder / ".runbook" / "state.db").write_bytes(copy.read_bytes())
    assert lived.run("audit", "verify").code == 1


def test_nothing_happened_yet(project: Project) -> None:
    assert project.run("history").code == 0 and project.events() == []
    assert project.run("audit", "verify").code == 0


def test_the_state_is_for_nobody_else(lived: Project) -> None:
    state = lived.folder / ".runbook"
    assert state.stat().st_mode & 0o777 == 0o700
    for path in state.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert {path.name for path in lived.folder.iterdir()} >= {".runbook"}
    assert not [path for path in lived.folder.iterdir() if path.name.startswith((".ranker", "ranker.env."))]


def test_what_people_and_services_say_cannot_forge_a_line(project: Project) -> None:
    project.at_first()
    evil = "x\n2026-01-01 GO everything is fine\r\x1b[2K\u202e|<script>alert(1)</script>"
    assert project.run("note", "complaint", evil).code == 0
    assert project.run("hold", "--reason", evil).code == 0
    for words in (["history"], ["status"], ["history", "-f", "markdown"], ["status", "-f", "plain"]):
        out = project.run(*words).out
        assert "\n2026-01-01 GO" not in out and "\x1b" not in out
    assert project.events("noted")[0]["payload"]["text"] == evil, "what was said is kept as it was"
