"""The runner: what is written before what, what stops it, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from runbook.actions.base import Action
from runbook.actions.journal import TakenOver
from runbook.actions.listener import Listener
from runbook.actions.runner import perform, undo_flags, walk
from runbook.actions.steps import Act, Plan, SetFlags, StepRecord
from runbook.flags.target import FlagFile
from runbook.judge.verdicts import Judged, Reason, Truth
from tests.actions.making import hands, journal_of, run
from tests.actions.walking import Walked


@pytest.fixture
def walked(tmp_path: Path) -> Walked:
    return Walked(tmp_path)


def test_every_step_is_written_down_before_it_happens(walked: Walked) -> None:
    """The step itself copies the journal: what announces it stands there, and nothing of what follows."""
    copy = "cp journal/*/op-1.jsonl seen-{}"
    results = walked.do(Act(run(copy.format("a"))), Act(run(copy.format("b"))))
    assert [one.ok for one in results] == [True, True]
    # The header, what was before, and `begun`; the child may be faster than the note that it was started.
    assert len((walked.folder / "seen-a").read_text().splitlines()) in (2, 3)
    assert len((walked.folder / "seen-b").read_text().splitlines()) in (5, 6)
    assert walked.states() == [("begun", 0), ("started", 0), ("done", 0), ("begun", 1), ("started", 1), ("done", 1)]
    assert walked.fences == ["step 1 of 2, run", "step 2 of 2, run"]


def test_the_first_failure_stops_a_ramp_and_no_way_back(walked: Walked) -> None:
    steps = (Act(run("exit 3")), Act(run("touch went-on")))
    results = walked.do(*steps)
    assert [(one.ok, one.message) for one in results] == [(False, "exit 3")]
    assert not (walked.folder / "went-on").exists()
    walked.journal.remove()
    assert [one.ok for one in walked.do(*steps, go_on=True)] == [False, True]
    assert walked.states()[2] == ("failed", 0)


def test_one_that_is_not_critical_may_fail(walked: Walked) -> None:
    results = walked.do(Act(run("exit 3", critical=False)), Act(run("touch went-on")))
    assert [(one.ok, one.well) for one in results] == [(False, True), (True, True)]


def test_steps_that_were_done_are_not_done_again(walked: Walked) -> None:
    plan = Plan("ramp", "", "", (Act(run("touch first")), Act(run("touch second"))))
    journal = journal_of(walked.folder, plan.records())
    results = walk(plan, journal, walked.means(), skip=frozenset({0}))
    assert len(results) == 1
    assert not (walked.folder / "first").exists()


def test_asked_to_stop_it_stops_before_the_next_step(walked: Walked) -> None:
    walked.stop = (walked.folder / "stop").exists
    results = walked.do(Act(run("touch stop")), Act(run("touch second")))
    assert [(one.ok, one.interrupted) for one in results][-1] == (False, True)
    assert not (walked.folder / "second").exists()


def test_taken_over_in_the_middle_it_touches_nothing_more(walked: Walked) -> None:
    with pytest.raises(TakenOver):
        walked.do(Act(run("rm journal/*/op-1.jsonl")), Act(run("touch second")))
    assert not (walked.folder / "second").exists()


def test_the_fence_stops_who_was_taken_over(walked: Walked) -> None:
    def fence(doing: str) -> None:
        raise TakenOver("op-1")

    means = walked.means()
    means.fence = fence
    plan = Plan("ramp", "", "", (Act(run("touch first")),))
    journal = journal_of(walked.folder, plan.records())
    with pytest.raises(TakenOver):
        walk(plan, journal, means)
    assert not (walked.folder / "first").exists()
    assert journal.entries == []


def test_every_process_carries_the_mark_of_its_step(walked: Walked) -> None:
    walked.do(Act(run("true")), Act(run("echo $RUNBOOK_OPERATION > mark; echo $$ > pid")))
    assert (walked.folder / "mark").read_text() == "op-1/1\n"
    pid = next(entry.pid for entry in walked.journal.entries if entry.state == "started" and entry.step == 1)
    assert (walked.folder / "pid").read_text() == f"{pid}\n"


@pytest.mark.parametrize(("attempts", "ok", "tries"), [(1, False, 1), (2, False, 2), (3, True, 3), (9, True, 3)])
def test_an_action_is_tried_as_often_as_it_may_be(tmp_path: Path, attempts: int, ok: bool, tries: int) -> None:
    action: Action = run("echo x >> tries; test $(wc -l < tries) -ge 3", attempts=attempts)
    assert perform(action, hands(tmp_path)).ok is ok
    assert len((tmp_path / "tries").read_text().splitlines()) == tries


def test_a_variable_that_is_not_set_is_said_and_nothing_runs(tmp_path: Path) -> None:
    done = perform(run("touch ran; echo ${NOBODY_SET_THIS}", attempts=5), hands(tmp_path))
    assert not done.ok
    assert "NOBODY_SET_THIS" in done.message
    assert not (tmp_path / "ran").exists()


def flag_step(folder: Path, values: dict[str, str], *, insist: bool = False) -> SetFlags:
    file = FlagFile(folder, ".env", False, folder / "state")
    return SetFlags(file, file.prepare(values), values, insist)


def test_flags_are_set_and_a_file_that_shows_them_is_let_alone(walked: Walked) -> None:
    (walked.folder / ".env").write_text("P=0\n")
    step = flag_step(walked.folder, {"P": "5"})
    assert [one.ok for one in walked.do(step)] == [True]
    walked.journal.remove()
    inode = (walked.folder / ".env").stat().st_ino
    [again] = walked.do(flag_step(walked.folder, {"P": "5"}))
    assert (again.ok, again.message) == (True, "the file shows the values already")
    assert (walked.folder / ".env").stat().st_ino == inode


def test_a_file_that_changed_since_the_plan_is_not_overwritten(walked: Walked) -> None:
    (walked.folder / ".env").write_text("P=0\n")
    step = flag_step(walked.folder, {"P": "5"})
    (walked.folder / ".env").write_text("P=0\nOTHER=1\n")
    [result] = walked.do(step)
    assert not result.ok
    assert "was changed by somebody else" in result.message
    assert (walked.folder / ".env").read_text() == "P=0\nOTHER=1\n"
    walked.journal.remove()
    [insisting] = walked.do(SetFlags(step.file, step.prepared, step.values, insist=True))
    assert insisting.ok
    assert (walked.folder / ".env").read_text() == "P=5\nOTHER=1\n"


def test_an_undo_puts_back_only_what_it_wrote(walked: Walked) -> None:
    (walked.folder / ".env").write_text("P=0\nQ='a'\n")
    step = flag_step(walked.folder, {"P": "5", "Q": "b", "R": "new"})
    walked.do(step)
    text = (walked.folder / ".env").read_text()
    (walked.folder / ".env").write_text(text.replace("P=5", "P=6"))
    undone = undo_flags(step, walked.journal.changes_of(0))
    assert (sorted(undone.restored), undone.left, undone.trouble) == (["Q", "R"], (("P", "6"),), "")
    assert (walked.folder / ".env").read_text() == "P=6\nQ='a'\n"
    (walked.folder / ".env").unlink()
    assert undo_flags(step, walked.journal.changes_of(0)).trouble


def test_a_listener_is_told_when_it_stands_in_the_journal(walked: Walked) -> None:
    told: list[tuple[str, int]] = []

    class Counting(Listener):
        def begun(self, record: StepRecord) -> None:
            told.append(("begun", len(walked.journal.entries)))

        def ended(self, record: StepRecord, mark: str, message: str, seconds: float) -> None:
            told.append((mark, len(walked.journal.entries)))

    walked.do(Act(run("true")), Act(run("exit 1")), listener=Counting())
    assert told == [("begun", 1), ("ok", 3), ("begun", 4), ("NO", 6)]


@pytest.mark.parametrize(
    ("truth", "done", "mark"), [(Truth.TRUE, True, "ok"), (Truth.FALSE, False, "--"), (Truth.UNKNOWN, False, "??")]
)
def test_an_action_is_left_out_unless_its_when_holds(walked: Walked, truth: Truth, done: bool, mark: str) -> None:
    marks: list[str] = []

    class Marking(Listener):
        def ended(self, record: StepRecord, mark: str, message: str, seconds: float) -> None:
            marks.append(mark)

    means = walked.means(Marking())
    asked: list[str] = []

    def holds(text: str) -> Judged:
        asked.append(text)
        return Judged(truth, Reason.NODATA if truth is Truth.UNKNOWN else None)

    means.holds = holds
    action = msgspec.structs.replace(run("touch ran"), when="percent > 5")
    plan = Plan("rollback", "", "", (Act(action), Act(run("touch next"))))
    journal = journal_of(walked.folder, plan.records())
    results = walk(plan, journal, means)
    assert [one.well for one in results] == [True, True]
    assert ((walked.folder / "ran").exists(), (walked.folder / "next").exists()) == (done, True)
    assert (asked, marks) == (["percent > 5"], [mark, "ok"])
    assert journal.state_of(0) == ("done" if done else "skipped")
