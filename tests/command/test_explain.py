"""`runbook explain`: the last decision rule by rule, and an operation from its plan to its end."""

from __future__ import annotations

import re
import sqlite3

import pytest

from tests.command.project import Project


def operation(project: Project) -> str:
    [event] = project.events("operation.started")[-1:]
    return str(event["operation"])


def test_with_nothing_decided_it_says_what_to_type(project: Project) -> None:
    ran = project.run("explain")
    assert ran.code == 0
    assert "nothing was decided yet" in ran.out and "Next: runbook gate" in ran.out


@pytest.fixture
def wide(project: Project) -> Project:
    """At wide@50, by a step that was decided on gates."""
    project.at_first()
    for _ in range(3):
        project.run("gate")
    assert project.run("ramp", "50", "--yes").code == 0
    return project


def test_the_decision_of_the_last_step_is_told_with_every_rule(wide: Project) -> None:
    ran = wide.run("explain")
    assert ran.code == 0
    first = ran.out.splitlines()[0]
    assert first.startswith("GO  leaving first@10 for wide@50   ramp by ")
    assert "errors < 1%" in ran.out and "p95 < 2s" in ran.out
    assert "Since then wide@50 was entered" in ran.out
    rules = wide.json("explain").document["rules"]
    gate = next(row for row in rules if row["title"] == "errors < 1%")
    assert (gate["status"], gate["n"]) == ("pass", 4) and gate["observed"]


def test_a_look_is_told_with_the_samples_behind_its_gates(wide: Project) -> None:
    wide.run("gate")
    wide.numbers(errors=0.04)
    wide.run("gate")
    ran = wide.run("explain")
    assert ran.out.startswith("NO-GO  leaving wide@50 for wide@100   gate by ")
    assert re.search(r"errors: mean 2\.1 % of n 2; the last 2: 0\.2 %, 4 % \(\d s ago\)", ran.out)
    assert ran.out.splitlines()[-1].startswith("Next: runbook ")
    [samples] = wide.json("explain").document["samples"]
    assert (samples["metric"], samples["n"], samples["mean"]) == ("errors", 2, 0.021)
    assert [one["value"] for one in samples["newest"]] == [0.002, 0.04]


def test_a_go_is_followed_by_the_step(wide: Project) -> None:
    wide.run("gate")
    assert wide.run("explain").out.splitlines()[-1] == "Next: runbook ramp 100"


def test_an_operation_is_told_from_its_plan_to_its_end(wide: Project) -> None:
    ran = wide.run("explain", operation(wide)[:5])
    assert ran.code == 0
    assert ran.out.startswith("GO  ramp first@10 -> wide@50")
    for text in ("  result     ranker is at wide@50", "ok  flags", "ok  redeploy", "ok  verify", "position.entered"):
        assert text in ran.out
    assert "It was begun on this decision: GO" in ran.out
    told = wide.json("explain", operation(wide)).document
    assert (told["operation"]["state"], told["operation"]["to"]) == ("done", "wide@50")
    assert {event["kind"] for event in told["events"]} >= {"operation.started", "operation.ended", "position.entered"}


def test_what_was_undone_is_told(wide: Project) -> None:
    (wide.folder / "fail-restart").touch()
    assert wide.run("ramp", "100", "--yes").code == 4
    ran = wide.run("explain", operation(wide))
    assert ran.code == 0
    assert "restored 1" in ran.out or "restored RANKER_SHARE" in ran.out
    assert ran.out.startswith("UNDONE  ramp wide@50 -> wide@100")
    assert "NO  redeploy: sh restart.sh  exit 7" in ran.out
    assert "--  verify: Up; Live share   up to 2 s  not run" in ran.out


def test_a_way_back_has_no_decision_and_an_operation_all_the_same(wide: Project) -> None:
    wide.run("rollback", "--yes")
    ran = wide.run("explain", operation(wide))
    assert ran.out.startswith("GO  rollback wide@50 -> first@10")
    assert "It was begun on this decision" not in ran.out


def test_an_unknown_operation_is_refused_with_the_last_ones(wide: Project) -> None:
    ran = wide.run("explain", "zzz")
    assert ran.code == 2
    assert "there is no operation 'zzz'" in ran.err and f"runbook explain {operation(wide)}" in ran.err
    nothing = wide.run("explain", "")
    assert nothing.code == 2


def test_several_that_begin_so_are_named(wide: Project) -> None:
    ids = {event["operation"] for event in wide.events("operation.started")}
    by_first: dict[str, list[str]] = {}
    while not any(len(found) > 1 for found in by_first.values()):
        wide.run("rollback", "--yes")
        wide.run("ramp", "50", "--yes")
        ids = {event["operation"] for event in wide.events("operation.started")}
        by_first = {}
        for one in ids:
            by_first.setdefault(one[0], []).append(one)
    first, several = next((key, found) for key, found in by_first.items() if len(found) > 1)
    ran = wide.run("explain", first)
    assert ran.code == 2
    assert all(f"runbook explain {one}" in ran.err for one in several)


def test_without_the_store_it_says_so(wide: Project) -> None:
    for path in (wide.folder / ".runbook").glob("state.db*"):
        path.unlink()
    (wide.folder / ".runbook" / "state.db").write_bytes(b"junk" * 2000)
    ran = wide.run("explain")
    assert ran.code == 3 and "the store is away" in ran.err


def test_a_broken_playbook_does_not_matter(wide: Project) -> None:
    wide.playbook.write_text(wide.playbook.read_text() + "stages: 5\n")
    assert wide.run("explain").code == 0
    assert wide.run("explain", operation(wide)).code == 0


def test_it_asks_nobody_and_records_nothing(wide: Project) -> None:
    def events() -> int:
        with sqlite3.connect(wide.folder / ".runbook" / "state.db") as store:
            return int(store.execute("select count(*) from events").fetchone()[0])

    before, asked = events(), len(wide.service.asked)
    wide.run("explain")
    wide.run("explain", operation(wide))
    assert (events(), len(wide.service.asked)) == (before, asked)
