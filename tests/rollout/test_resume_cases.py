"""What a killed operation needs beside its journal: what others wrote, what still runs, what was not told."""

from __future__ import annotations

import subprocess
from pathlib import Path

from runbook.actions.journal import Entry, read_journal
from runbook.rollout.underway import underway
from runbook.system.processes import MARKER
from tests.actions.making import journal_of
from tests.clocks import SetClock
from tests.rollout.site import ENV, PLAYBOOK, STAGES, House, make_house, open_house
from tests.rollout.test_resume import TEXT, killed_in, resume


def test_finishing_an_emergency_insists_as_the_emergency_did(tmp_path: Path) -> None:
    """An unterminated quote cannot be edited exactly; the emergency writes over it, and so does who finishes it."""
    house = make_house(tmp_path, TEXT)
    house.stand_at("canary@5")
    for name in (".env", "live.env"):
        house.file(name).write_text(house.env().replace("LIMIT=3", 'LIMIT="3'))
    house.store.close()
    killed_in(tmp_path, "emergency")
    [path] = house.journals()
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    house.file(".env").write_bytes(house.file(".env").read_bytes().replace(b"PERCENT=0", b"PERCENT=5", 1))
    house.file(".env").write_text(house.env().replace("LIMIT=0", 'LIMIT="3'))
    later = open_house(tmp_path, house.clock)
    ended = resume(later, "finish")
    assert ended is not None
    assert ended.outcome == "done", ended.message
    shown = later.flags()
    assert (shown["PERCENT"], shown["LIMIT"]) == ("0", "0")


def test_a_failed_finish_takes_back_what_both_runs_wrote(tmp_path: Path) -> None:
    """Killed after three keys were written; somebody edits one; finishing writes it again, and then does not verify."""
    house = make_house(tmp_path, TEXT)
    house.store.close()
    killed_in(tmp_path, "ramp")
    house.file(".env").write_text(house.env().replace("\nPERCENT=5", "\nPERCENT=7"))
    house.file("deploy.sh").write_text("cp .env live.env; ! grep -q '^PERCENT=5' .env")
    later = open_house(tmp_path, house.clock)
    ended = resume(later, "finish")
    assert ended is not None
    assert ended.outcome == "undone", ended.message
    assert later.flags()["NEW_CART"] == "false"
    assert later.flags()["LIMIT"] == "0"
    assert later.flags()["PERCENT"] in ("0", "7")


def test_a_redeploy_of_a_killed_undo_is_ended_before_another_begins(tmp_path: Path) -> None:
    house = make_house(tmp_path, TEXT)
    house.store.close()
    killed_in(tmp_path, "ramp")
    [path] = house.journals()
    journal = read_journal(path)
    assert journal is not None
    operation, now = journal.header.operation, journal.header.began
    for entry in (Entry(state="failed", at=now, step=2), Entry(state="undone", at=now, step=0)):
        journal.note(entry)
    house.file(".env").write_text(ENV)
    left = subprocess.Popen(["sleep", "60"], env={MARKER: f"{operation}/1"})
    try:
        journal.note(Entry(state="started", at=now, step=1, pid=left.pid))
        ended = resume(open_house(tmp_path, house.clock), "undo")
        assert ended is not None
        assert ended.outcome == "undone", ended.message
        assert left.poll() is not None
    finally:
        left.kill()
        left.wait()


def test_what_ended_and_was_not_told_is_told_once(tmp_path: Path) -> None:
    house = make_house(tmp_path, TEXT)
    house.stand_at("canary@5")
    site = house.site
    events = (
        site.event("position.entered", {"stage": "off", "percent": 0.0, "how": "rollback"}, epoch=9),
        site.event("operation.ended", {"outcome": "done"}, operation="op-1", epoch=9),
    )
    for _ in range(2):  # killed after the store was told, and before the journal went
        journal = journal_of(site.journals.parent, ())
        journal.note(Entry(state="ended", at=1.0, outcome="done", events=events))
        assert underway(site) is None
        assert house.journals() == []
    assert house.at() == "off@0"
    assert house.kinds().count("operation.ended") == 1


def test_a_restore_that_is_finished_lets_the_bake_run_on(tmp_path: Path) -> None:
    """A restore leaves us where we were; killed and finished, it must not begin the bake again."""
    house = make_house(tmp_path, TEXT)
    house.stand_at("canary@5")
    since = house.clock.now
    house.file(".env").write_text(house.env().replace("LIMIT=3", "LIMIT=8"))
    house.store.close()
    killed_in(tmp_path, "restore")
    later = open_house(tmp_path, SetClock(wall=since + 900))
    ended = resume(later, "finish")
    assert ended is not None
    assert ended.outcome == "done", ended.message
    position = later.standing().position
    assert position is not None
    assert (position.name, position.since, later.flags()["LIMIT"]) == ("canary@5", since, "3")
    assert later.site.state().rollbacks == 0


def cut_before(house: House, state: str, step: int) -> None:
    """Cut the journal off before this entry, as if the process had died there."""
    [path] = house.journals()
    journal = read_journal(path)
    assert journal is not None
    lines = path.read_bytes().splitlines(keepends=True)
    at = next(n for n, entry in enumerate(journal.entries) if (entry.state, entry.step) == (state, step))
    path.write_bytes(b"".join(lines[: 1 + at]))


STEPS = """rollback: {steps: [
  {do: Same name, run: echo first >> order.log, critical: false},
  {check: It is there, file: there, timeout: 2s},
  {do: Same name, run: "echo second >> order.log; test ! -e broken"}], """


def test_every_step_is_itself_again_checks_and_namesakes_too(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace("rollback: {", STEPS), files={"there": ""})
    house.stand_at("canary@5")
    house.store.close()
    killed_in(tmp_path, "rollback")
    cut_before(house, "begun", 2)
    house.file("order.log").unlink()
    ended = resume(open_house(tmp_path, house.clock), "finish")
    assert ended is not None
    assert ended.outcome == "done", ended.message
    assert house.file("order.log").read_text().split() == ["first", "second"]


def test_a_check_among_the_steps_is_asked_again_and_not_the_whole_verify(tmp_path: Path) -> None:
    text = (PLAYBOOK + STAGES.replace("rollback: {", STEPS)).replace(PLAYBOOK[PLAYBOOK.index("verify:\n") :], "")
    house = make_house(tmp_path, text, files={"there": ""})
    house.stand_at("canary@5")
    house.store.close()
    killed_in(tmp_path, "rollback")
    cut_before(house, "begun", 3)
    ended = resume(open_house(tmp_path, house.clock), "finish")
    assert ended is not None
    assert ended.outcome == "done", ended.message


def test_a_critical_step_that_fails_now_is_not_mistaken_for_one_that_may(tmp_path: Path) -> None:
    """The first step, which may fail, was done; what fails after it is judged by its own word."""
    house = make_house(tmp_path, PLAYBOOK + STAGES.replace("rollback: {", STEPS), files={"there": ""})
    house.stand_at("canary@5")
    house.store.close()
    killed_in(tmp_path, "rollback")
    cut_before(house, "begun", 4)
    house.file("broken").write_text("")
    ended = resume(open_house(tmp_path, house.clock), "finish")
    assert ended is not None
    assert ended.outcome == "half-done", ended.message
