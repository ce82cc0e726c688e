"""What a report says: every figure from events and samples in a real store."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runbook.reports.incident import Note, gather
from runbook.reports.sentences import minute_of, next_steps
from runbook.store.base import StoreAway
from runbook.system.refusals import Exit, Refusal
from tests.clocks import SetClock
from tests.reports.making import BASE, gone_wrong, headings, make_site, rendered, report_of, tables, tell


def test_the_headings_of_the_report_are_those_that_are_promised(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    assert headings(rendered(site)) == [
        "Summary", "Impact", "Timeline", "Flags changed", "Actions", "Next steps", "Contact",
    ]  # fmt: skip


def test_the_headings_of_the_post_mortem(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    text = rendered(site, "post_mortem.md")
    assert headings(text) == [
        "Summary", "Impact", "Root causes", "Trigger", "Resolution", "Detection", "Action items", "Lessons learned",
        "Timeline", "Supporting information",
    ]  # fmt: skip
    assert headings(text, 3) == ["What went well", "What went wrong", "Where we got lucky"]


def test_a_minutes_reading(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    minute = minute_of(report_of(site))
    assert minute.happened == (
        "On 2023-11-14 at 22:14:50 UTC error_rate was 6 % (critical > 5%) for menu in local, 1 m 30 s after "
        "ramp dark@0 -> tasters@10 by ana on app-1; it was noticed after 10 s (trigger fired: error_rate > 5% (8 %) "
        "-> rollback); the emergency rollback was done 19 s after the beginning."
    )
    assert minute.affected == (
        "10 % of the traffic for 19 s; 2,000 requests in that time (total_requests), 200 of them in the changed share."
    )
    assert minute.now == (
        "The incident is open (P0); menu is at dark@0 since 22:15:09 UTC, verified; it is held (after the way back)."
    )


def test_what_is_not_known_is_said_to_be_not_known(tmp_path: Path) -> None:
    site = make_site(tmp_path, metrics={})
    tell(site, 100, "incident.opened", id=1, title="slow", severity="P2")
    minute = minute_of(report_of(site))
    assert "An unknown share of the traffic for 5 m, and going on" in minute.affected
    assert "how many requests that were is not known" in minute.affected
    assert "no position of menu is recorded" in minute.now
    assert "No metric was measured in that time." in rendered(site)


def test_resolved_is_said_with_the_words_of_the_resolution(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    tell(site, 209, "incident.resolved", id=1, text="the model was restarted")
    report = report_of(site)
    assert "resolved at 2023-11-14 22:16:49 UTC (P0): the model was restarted" in minute_of(report).now
    figures = {row[0]: row[1] for row in tables(rendered(site))[0]}
    assert figures["Time to detect"] == "10 s"
    assert figures["Time to mitigate"] == "19 s"
    assert figures["Time to resolve"] == "1 m 59 s"
    assert figures["Share of the traffic"] == "10 %"
    assert figures["An answer was due"] == "2023-11-14 22:16:09 UTC; answered after 21 s by ana"


def test_flags_changed_have_name_old_and_new(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    _, _, _, flags = tables(rendered(site))
    assert [row[:3] for row in flags] == [
        ["name", "old", "new"],
        ["MENU_PERCENT", "0", "10"],
        ["MENU_MODEL", "(not set)", "small"],
        ["MENU_PERCENT", "10", "0"],
    ]


@pytest.mark.parametrize("outcome", ["undone", "nothing", "taken-over"])
def test_a_change_that_was_taken_back_is_not_listed(tmp_path: Path, outcome: str) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    steps = [{"kind": "set", "title": "flags", "changes": [{"key": "MENU_PERCENT", "old": "0", "new": "50"}]}]
    tell(site, 150, "operation.started", "op-3", kind="ramp", to="x@50", header={"steps": steps})
    tell(site, 152, "operation.ended", "op-3", kind="ramp", to="x@50", outcome=outcome)
    report = report_of(site)
    assert "50" not in {row.new for row in report.flags}
    assert report.operations[-1].outcome == outcome


def test_an_edit_by_force_is_told_by_the_flags_before_and_after(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    tell(site, 0, "position.entered", "op-1", stage="a", percent=10.0, flags={"P": "10", "M": "x"})
    forced = {"steps": [{"kind": "set", "title": "flags", "place": ".env"}]}
    tell(site, 100, "operation.started", "op-2", kind="emergency", to="safe", header=forced)
    tell(site, 105, "position.entered", "op-2", stage="s", percent=0.0, flags={"P": "0", "M": "x"})
    tell(site, 105, "incident.opened", "op-2", id=1, title="t", severity="P1")
    tell(site, 105, "operation.ended", "op-2", kind="emergency", to="safe", outcome="done")
    (row,) = report_of(site).flags
    assert (row.key, row.old, row.new) == ("P", "10", "0")


def test_actions_show_each_step_and_how_it_came_out(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    report = report_of(site)
    (operation,) = report.operations
    assert [(step.title, step.ok, step.message) for step in operation.steps] == [
        ("flags", True, "1 value"),
        ("verify", True, "Up 200"),
    ]
    assert report.change is not None and report.change.name == "ramp dark@0 -> tasters@10"
    assert report.notes == (Note(BASE + 130, "ana", "the model was at fault"),)


def test_steps_that_never_ran_are_not_known(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    tell(site, 100, "incident.opened", id=1, title="t", severity="P1")
    steps = [{"title": "flags"}, {"title": "redeploy"}]
    tell(site, 110, "operation.started", "op-2", kind="rollback", to="a@1", header={"steps": steps})
    (operation,) = report_of(site).operations
    assert [step.ok for step in operation.steps] == [None, None] and operation.outcome == ""
    assert "its end is not known" in rendered(site)


def test_action_items_have_owner_and_date(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    tell(site, 140, "incident.action", id=1, text="alert earlier", owner="jo", due="2023-12-01")
    assert ["alert earlier", "jo", "2023-12-01"] in tables(rendered(site, "post_mortem.md"))[2]


def test_people_are_named_with_what_they_did(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    (ana,) = report_of(site).people
    assert ana.name == "ana" and ana.host == "app-1" and ana.known == "os-user"
    assert ana.did == ("ramp dark@0 -> tasters@10", "ran the tool when it acted by its rules", "wrote notes")


@pytest.mark.parametrize(
    ("resolved", "brought_back", "commands"),
    [
        (False, True, ["incident note TEXT --incident 1", "release", "incident resolve TEXT --incident 1",
                       "preflight"]),
        (True, True, ["release", "incident postmortem 1", "preflight"]),
        (False, False, ["rollback", "rollback --emergency", "incident note TEXT --incident 1",
                        "incident resolve TEXT --incident 1", "preflight"]),
    ],
)  # fmt: skip
def test_next_steps_follow_from_how_things_stand(
    tmp_path: Path, resolved: bool, brought_back: bool, commands: list[str]
) -> None:
    site = make_site(tmp_path)
    if brought_back:
        gone_wrong(site)
    else:
        tell(site, 100, "incident.opened", id=1, title="t", severity="P1")
    if resolved:
        tell(site, 300, "incident.resolved", id=1, text="")
    steps = next_steps(report_of(site))
    assert [step.command for step in steps] == [f"runbook {command} -e local" for command in commands]


def test_the_report_ends_with_the_head_of_the_chain(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    assert site.store is not None
    last = site.store.events(site.chain)[-1]
    end = rendered(site)[-400:]
    assert f"event {last.number}" in end and last.hash in end


def test_without_the_store_the_report_is_refused(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    incident = site.state().incidents[1]
    site.lose_store(StoreAway("the disk is full"))
    with pytest.raises(Refusal) as refused:
        gather(site, incident)
    assert refused.value.exit is Exit.FAILED and "the disk is full" in refused.value.message


def test_the_same_events_at_the_same_time_make_the_same_text(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    first = rendered(site)
    assert rendered(site) == first
    assert isinstance(site.clock, SetClock)
    site.clock.now += 60
    assert rendered(site) != first


def test_local_times_are_in_the_operators_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make_site(tmp_path)
    gone_wrong(site)
    monkeypatch.setenv("TZ", "XYZ-05:30")
    time.tzset()
    try:
        timeline = tables(rendered(site))[2]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert timeline[0][1] == "local (XYZ)"
    assert timeline[1][:2] == ["2023-11-14 22:13:20", "03:43:20"]
