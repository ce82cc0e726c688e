"""The journal: durable lines, whatever is torn off their end, and an operation that is taken away."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.actions.journal import Entry, Header, Journal, TakenOver, open_journals, read_journal
from runbook.actions.steps import StepRecord
from runbook.flags.changes import FlagChange
from runbook.system.files import FileTrouble
from tests.actions.making import ANA, header, journal_of

STEPS = (
    StepRecord(kind="set", title="flags", changes=(FlagChange(key="P", old="0", new="5", old_raw=("0",)),)),
    StepRecord(kind="redeploy", title="redeploy"),
)
SLUG = "checkout-production"


def entries() -> list[Entry]:
    other = (FlagChange(key="P", old="1", new="5", old_raw=("1",)),)
    return [
        Entry(state="begun", at=1.0, step=0, changes=other),
        Entry(state="done", at=2.0, step=0),
        Entry(state="begun", at=3.0, step=1),
        Entry(state="started", at=4.0, step=1, pid=4711),
    ]


def test_what_is_noted_is_read_again(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, STEPS)
    for entry in entries():
        journal.note(entry)
    read = read_journal(journal.path)
    assert read is not None
    assert (read.header, read.entries) == (journal.header, entries())
    assert [read.state_of(step) for step in (0, 1, 2)] == ["done", "begun", ""]
    assert read.changes_of(0)[0].old == "1"
    assert read.changes_of(1) == ()
    assert read.ended is None
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_before_a_step_begins_the_plan_says_what_it_would_change(tmp_path: Path) -> None:
    assert journal_of(tmp_path, STEPS).changes_of(0)[0].old == "0"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_wherever_the_file_is_torn_whole_lines_count_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "torn.jsonl"
    lines = [msgspec.json.encode(part) + b"\n" for part in (header(steps=STEPS), *entries())]
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    read = read_journal(path)
    # A line without its line end is whole all the same when every byte of it is there.
    counted = sum(1 for number in range(len(lines)) if len(b"".join(lines[: number + 1])) - 1 <= cut)
    if counted == 0:
        assert read is None
    else:
        assert read is not None
        assert read.entries == entries()[: counted - 1]


def test_what_is_noted_after_a_torn_line_is_read(tmp_path: Path) -> None:
    """A process was killed in the middle of a line; the one that resumes goes on behind it."""
    journal = journal_of(tmp_path, STEPS)
    journal.note(entries()[0])
    with journal.path.open("ab") as file:
        file.write(b'{"state":"done","at":2.0,"st')
    resumed = read_journal(journal.path)
    assert resumed is not None
    assert resumed.state_of(0) == "begun"
    resumed.note(Entry(state="done", at=9.0, step=0))
    resumed.note(Entry(state="begun", at=10.0, step=1))
    again = read_journal(journal.path)
    assert again is not None
    assert [(entry.state, entry.step) for entry in again.entries] == [("begun", 0), ("done", 0), ("begun", 1)]


def test_an_operation_that_was_taken_away_stops_at_its_next_word(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, STEPS)
    journal.path.unlink()
    with pytest.raises(TakenOver):
        journal.note(entries()[0])
    assert not journal.path.exists()


def test_taken_away_it_has_ended_and_is_still_told_of(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, STEPS)
    theirs = read_journal(journal.path)
    assert theirs is not None
    theirs.take_away(Entry(state="ended", at=5.0, outcome="taken-over"))
    with pytest.raises(TakenOver):
        journal.note(entries()[0])
    [found] = open_journals(tmp_path / "journal", SLUG)
    assert found.ended is not None
    assert found.ended.outcome == "taken-over"
    found.remove()
    found.remove()
    assert open_journals(tmp_path / "journal", SLUG) == []


def test_open_journals_come_oldest_first_and_only_those_of_the_service(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    for name, began in (("b", 2.0), ("a", 3.0), ("c", 1.0)):
        Journal.begin(folder, SLUG, msgspec.structs.replace(header(name), began=began))
    Journal.begin(folder, "other-production", header("d"))
    (folder / SLUG / "half.jsonl").write_bytes(b'{"operation": "half"')
    (folder / SLUG / "empty.jsonl").write_bytes(b"")
    (folder / SLUG / "note.txt").write_text("not a journal")
    assert [journal.header.operation for journal in open_journals(folder, SLUG)] == ["c", "b", "a"]
    assert open_journals(folder, "nobody-nowhere") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may still read where nobody may write")
def test_nothing_begins_without_a_journal_but_the_way_back(tmp_path: Path) -> None:
    blocked = tmp_path / "journal"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(FileTrouble):
        Journal.begin(blocked, SLUG, header())
    insisting = Journal.begin(blocked, SLUG, header(), insist=True)
    assert insisting.lost
    insisting.note(entries()[0])
    assert insisting.state_of(0) == "begun"


def test_an_older_header_is_read_with_what_it_has() -> None:
    plain = msgspec.to_builtins(header(steps=STEPS))
    for name in ("reason", "automatic", "rollout", "playbook", "flags_after", "process"):
        plain.pop(name, None)
    plain["something_newer"] = 1
    read = msgspec.json.decode(msgspec.json.encode(plain), type=Header)
    assert (read.operation, read.who, read.steps) == ("op-1", ANA, STEPS)


def test_a_process_of_a_step_that_did_not_end_is_unfinished(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, STEPS)
    for entry in entries():
        journal.note(entry)
    assert journal.unfinished() == ["op-1/1"]
    journal.note(Entry(state="failed", at=5.0, step=1))
    assert journal.unfinished() == []
