"""Which events belong to an incident, and how they read."""

from __future__ import annotations

import pytest

from runbook.incidents.timeline import LOOKED_BACK, TimelineRow, seconds_of, timeline, who_of
from runbook.incidents.words import words_of
from runbook.store.events import Event, Recorded
from tests.incidents.scene import ANA, BASE, Chain


def gone_wrong() -> Chain:
    chain = Chain()
    chain.ramp(0, "op-1", "tasters", 10)
    chain.add(100, "trigger.fired", when="error_rate > 5%", then="rollback", observed="8 %")
    chain.emergency(101, "op-2", 1)
    chain.add(120, "hold.set", reason="look first")
    chain.add(130, "incident.noted", id=1, text="it was the model")
    chain.add(200, "incident.resolved", id=1, text="restarted")
    return chain


def test_the_first_sign_is_the_trigger_that_fired() -> None:
    story = gone_wrong().story()
    assert story.signalled == BASE + 100
    assert story.sign is not None and story.sign.event.kind == "trigger.fired"


def test_what_changed_before_comes_along() -> None:
    story = gone_wrong().story()
    assert [record.number for record in story.before] == [1, 2, 3]
    rows = timeline(story, BASE + 100)
    assert [row.change for row in rows[:4]] == [True, True, True, False]
    assert rows[0].offset == -100 and rows[0].what == "ramp dark@0 -> tasters@10 began"


def test_events_from_the_first_sign_to_the_resolution_belong() -> None:
    chain = gone_wrong()
    chain.ramp(300, "op-9", "tasters", 10)
    story = chain.story()
    assert [record.event.kind for record in story.events] == [
        "trigger.fired", "operation.started", "position.entered", "incident.opened", "operation.ended",
        "hold.set", "incident.noted", "incident.resolved",
    ]  # fmt: skip


def test_a_note_after_the_resolution_still_belongs() -> None:
    chain = gone_wrong()
    chain.add(9_000, "incident.noted", id=1, text="found the cause")
    assert words_of(chain.story().events[-1]) == "note: found the cause"


def test_of_two_open_incidents_each_has_its_own_events() -> None:
    chain = gone_wrong()
    chain.recorded.pop()  # the first one stays open
    chain.add(140, "incident.opened", id=2, title="another matter", severity="P2")
    chain.add(150, "incident.noted", id=2, text="of the second")
    chain.add(160, "incident.noted", id=1, text="of the first")
    first = [words_of(record) for record in chain.story(1).events]
    second = [words_of(record) for record in chain.story(2).events]
    assert "note: of the first" in first and "note: of the second" not in first
    assert "note: of the second" in second and "note: of the first" not in second


def test_an_operation_of_another_incident_alone_is_left_out() -> None:
    chain = Chain()
    chain.add(0, "incident.opened", id=1, title="slow", severity="P2")
    chain.emergency(10, "op-2", 2)
    assert {record.event.operation for record in chain.story(1).events} == {None}
    assert "op-2" in {record.event.operation for record in chain.story(2).events}


@pytest.mark.parametrize(
    ("seconds", "is_sign"),
    [(1.0, False), (3.0, True), (LOOKED_BACK - 1, True)],
    ids=["before the rung was entered", "on this rung", "long ago on this rung"],
)
def test_only_triggers_of_this_rung_are_signs(seconds: float, is_sign: bool) -> None:
    chain = Chain()
    chain.add(seconds, "trigger.fired", when="w", then="notify", observed="o")
    chain.ramp(0, "op-1", "tasters", 10)  # entered at 2 s
    chain.add(LOOKED_BACK, "incident.opened", id=1, title="t", severity="P1")
    assert (chain.story().signalled == BASE + seconds) is is_sign


def test_a_trigger_of_an_earlier_incident_is_no_sign() -> None:
    chain = Chain()
    chain.add(0, "incident.opened", id=1, title="t", severity="P1")
    chain.add(5, "trigger.fired", when="w", then="notify", observed="o")
    chain.add(10, "incident.resolved", id=1, text="")
    chain.add(20, "incident.opened", id=2, title="t", severity="P1")
    assert chain.story(2).signalled == BASE + 20


def test_an_event_that_came_late_stands_at_its_time() -> None:
    chain = gone_wrong()
    chain.add(105, "noted", kind="complaint", text="it hangs")
    rows = timeline(chain.story(), BASE + 100)
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    late = next(row for row in rows if row.what == "complaint: it hangs")
    assert late.offset == 5 and late.source == "event 12"


def test_what_samples_tell_of_the_beginning_is_a_row() -> None:
    row = TimelineRow(BASE + 90, 0.0, "the service", "error_rate was 8 %", "samples")
    rows = timeline(gone_wrong().story(), BASE + 90, row)
    assert rows[3] is row and rows[4].offset == 10


def test_what_a_rule_decided_is_said_to_be_by_the_tool() -> None:
    rows = {row.what: row.who for row in timeline(gone_wrong().story(), BASE)}
    assert rows["emergency rollback tasters@10 -> safe began: error_rate > 5%"] == "runbook, run by ana on app-1"
    assert rows["incident 1 opened as P0: Emergency rollback"] == "runbook, run by ana on app-1"
    assert rows["note: it was the model"] == "ana on app-1"


def test_a_person_is_named_with_the_machine() -> None:
    assert who_of(Event(kind="noted", at=0, who=ANA)) == "ana on app-1"


def test_seconds_of_an_event() -> None:
    assert seconds_of(gone_wrong().recorded[3]) == BASE + 100


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("operation.started", {"kind": "rollback", "from": "a@1", "to": "b@0", "reason": "r"},
         "rollback a@1 -> b@0 began: r"),
        ("operation.ended", {"kind": "ramp", "to": "b@1", "outcome": "undone", "seconds": 65, "message": "m"},
         "ramp b@1 failed and was undone after 1 m 5 s: m"),
        ("operation.ended", {"kind": "ramp", "to": "b@1", "outcome": "half-done"}, "ramp b@1 stands half done"),
        ("position.entered", {"stage": "a", "percent": 2.5, "verified": None}, "at a@2.5, not verified"),
        ("position.entered", {"stage": "a", "percent": 2, "verified": False}, "at a@2, verify does not hold"),
        ("position.entered", {"stage": "a", "percent": 2, "how": "adopt", "reason": "r"},
         "a@2 was taken as the start: r"),
        ("bake.passed", {"stage": "a", "percent": 2}, "the bake of a@2 passed"),
        ("rollout.started", {"number": 3}, "rollout 3 began"),
        ("rollout.ended", {"why": "safe again"}, "the rollout ended: safe again"),
        ("hold.set", {"reason": ""}, "held"),
        ("hold.released", {"reason": "fixed"}, "released: fixed"),
        ("check.signed", {"check": "c", "yes": False, "evidence": "e"}, "signed c: no (e)"),
        ("incident.severity", {"id": 1, "severity": "P0", "before": "P2"}, "severity P2 -> P0"),
        ("incident.joined", {"id": 1, "title": "t"}, "this incident goes on: t"),
        ("incident.resolved", {"id": 1, "text": ""}, "resolved"),
        ("noted", {"kind": "complaint"}, "complaint"),
        ("rollout.ended", {"why": "stable", "reason": "a quiet week"}, "declared stable: a quiet week"),
        ("role.signed", {"role": "reviewed_by", "stage": "a", "percent": 10.0, "yes": True, "evidence": "e"},
         "signed reviewed_by of a@10: yes (e)"),
        ("check.waived", {"check": "ready/backup", "until": BASE, "reason": "r"},
         "waived ready/backup until 2023-11-14 22:13 UTC: r"),
        ("check.waived", {"check": "ready/backup", "until": -5.0}, "the waiver of ready/backup was ended"),
        ("check.signed", {"check": "incident/3/fix", "yes": False}, "checklist: fix not done"),
        ("baseline.captured", {"stage": "a", "percent": 0, "numbers": {"m": [1, 2, 3]}},
         "the numbers of a@0 are the baseline (metrics: m)"),
        ("version.seen", {"version": "2.4.0"}, "build 2.4.0 runs there"),
        ("bake.restarted", {"version": "2", "before": "1"}, "a new build 2 (it was 1): the bake begins again"),
        ("matrix.fired", {"when": "w", "then": "halve", "severity": "P2", "observed": "8 %"},
         "matrix: w (8 %) -> halve, P2"),
        ("matrix.cleared", {"when": "w"}, "matrix: w is not true any more"),
        ("recovered", {"seconds": 9, "condition": "c", "observed": "1 %"}, "recovered: c (1 %)"),
        ("notice.drafted", {"notice": "n"}, "notice n drafted"),
        ("notice.sent", {"notice": "n", "channel": "c"}, "notice n sent to c"),
        ("notice.failed", {"notice": "n", "channel": "c", "reason": "status 403"},
         "notice n did not reach c: status 403"),
        ("from.a.later.version", {"n": 1, "deep": {}}, "from.a.later.version: n 1"),
    ],
)  # fmt: skip
def test_words(kind: str, payload: dict[str, object], words: str) -> None:
    assert words_of(Recorded(number=1, hash="", event=Event(kind=kind, at=0, who=ANA, payload=payload))) == words


@pytest.mark.parametrize(
    "kind",
    ["operation.ended", "position.entered", "trigger.fired", "check.signed", "noted", "role.signed", "check.waived",
     "baseline.captured", "matrix.fired", "recovered", "notice.failed"],
)  # fmt: skip
def test_an_empty_payload_is_no_error(kind: str) -> None:
    assert words_of(Recorded(number=1, hash="", event=Event(kind=kind, at=0, who=ANA)))


def test_what_was_erased_is_said_to_be_erased() -> None:
    event = Event(kind="incident.noted", at=0, who=ANA)
    assert (
        words_of(Recorded(number=1, hash="", event=event, redacted=True)) == "incident.noted (what it said was erased)"
    )
