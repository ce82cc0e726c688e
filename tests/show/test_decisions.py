"""The end of a screen of a decision: a few lines, each of which can be typed."""

from __future__ import annotations

from collections.abc import Collection

from runbook.judge.verdicts import Status
from runbook.rollout.rows import Decision, Row
from runbook.show.decisions import EXPLAINS, decision_page, next_lines, said_against
from runbook.show.page import Line


def no(identity: str, kind: str, remedy: str = "", status: Status = Status.FAIL) -> Row:
    return Row(identity, identity, kind, status, observed="bad", remedy=remedy)


HOLD, BAKE, GATE = no("hold", "hold", "runbook release"), no("bake", "bake", "wait 50 m"), no("gate/0", "gate")
SIGNS = [no(role, "sign", f"runbook sign {role}", Status.UNKNOWN) for role in ("verified_by", "reviewed_by")]


def lines_of(*rows: Row) -> list[str]:
    return next_lines(Decision("a@1", "b@2", rows))


def test_what_is_to_be_typed_stands_in_the_order_of_the_rows() -> None:
    assert lines_of(HOLD, BAKE) == ["wait 50 m", "runbook release"]
    assert lines_of(BAKE, *SIGNS) == ["wait 50 m", "runbook sign verified_by", "runbook sign reviewed_by"]
    assert lines_of() == []


def test_one_of_the_sign_offs_stays_among_them_where_there_are_too_many() -> None:
    incident = no("i", "incident", "runbook incident resolve")
    assert lines_of(HOLD, BAKE, *SIGNS) == ["wait 50 m", "runbook sign verified_by", "runbook release"]
    assert lines_of(HOLD, BAKE, incident, *SIGNS) == ["wait 50 m", "runbook incident resolve", "runbook release"]
    assert lines_of(HOLD, BAKE, incident) == ["wait 50 m", "runbook incident resolve", "runbook release"]


def test_a_hold_is_released_last_and_an_incident_resolved_before_it() -> None:
    incident = no("incident/1", "incident", "runbook incident resolve --incident 1")
    assert lines_of(HOLD, incident, GATE) == [EXPLAINS, "runbook incident resolve --incident 1", "runbook release"]
    assert lines_of(HOLD) == ["runbook release"]


def test_what_is_bad_now_is_answered_first_and_once() -> None:
    fires, first = (
        no("a/0", "trigger", "runbook rollback --fallback"),
        "runbook rollback --emergency  to the safe flags",
    )
    lines = next_lines(Decision("a@1", "b@2", (HOLD, fires, BAKE)), first=first)
    assert lines == [first, "wait 50 m", EXPLAINS, "runbook release"]
    assert next_lines(Decision("a@1", "b@2", (fires,)), first=first) == [first, EXPLAINS]
    assert next_lines(Decision("a@1", "b@2", ()), onwards=["runbook ramp 2"]) == ["runbook ramp 2"]


def test_a_quiet_rule_says_so_and_one_that_is_pending_its_limit() -> None:
    title, why = "e > 5% -> rollback", "pending: for 20 s of 1 m"
    quiet = Row("t/0", title, "trigger", Status.PASS, "0.39 %", "> 5 %", "quiet")
    pending = Row("t/1", title, "trigger", Status.FAIL, "9 %", "> 5 %", why)
    lines = shown(quiet, pending)
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "ok e > 5% -> rollback quiet: 0.39 %", "NO e > 5% -> rollback 9 % > 5 %", "pending: for 20 s of 1 m",
    ]  # fmt: skip


def test_each_line_once_and_a_gate_without_a_remedy_is_explained() -> None:
    assert lines_of(GATE, no("gate/1", "gate")) == ["runbook explain  shows what it was judged on"]


def test_what_counts_for_nothing_asks_for_nothing() -> None:
    dry = Row("d", "d", "gate", Status.FAIL, counts=False, remedy="nothing")
    assert lines_of(dry, Row("ok", "ok", "gate", Status.PASS, remedy="nothing")) == []


def shown(*rows: Row, said: Collection[str] = ()) -> list[str]:
    page = decision_page(Decision("a@1", "b@2", rows), "x", said=said)
    return [block.text for block in page.blocks if isinstance(block, Line)]


def test_what_the_end_says_is_not_said_under_the_row() -> None:
    rows = (HOLD, BAKE, *SIGNS)
    asked = [line.strip() for line in shown(*rows, said=lines_of(*rows)) if "do: " in line]
    assert asked == ["do: runbook sign reviewed_by"]
    assert len([line for line in shown(*rows) if "do: " in line]) == 4


def test_many_quiet_rules_share_a_line_and_one_that_fires_has_its_own() -> None:
    quiet = [Row(f"t{number}", f"rule {number}", "trigger", Status.PASS) for number in range(4)]
    fires = Row("m", "rule m", "matrix", Status.FAIL)
    lines = shown(*quiet, fires, GATE)
    assert [line for line in lines if "rule" in line] == [
        f"  ok  {'4 rules are quiet':<20}  --format json shows them all",
        "  NO  rule m",
    ]
    assert sum("rule" in line for line in shown(*quiet[:3], GATE)) == 3


def test_all_that_speaks_against_it_in_one_sentence() -> None:
    assert said_against(Decision("a@1", "b@2", (HOLD, BAKE))) == "hold: bad; bake: bad"
