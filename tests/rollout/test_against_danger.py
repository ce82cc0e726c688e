"""What is typed against danger, from wherever the service stands: the same command for every screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runbook.judge.verdicts import Status
from runbook.rollout.against_danger import answer_to
from runbook.rollout.glance import Glance, glance_at
from runbook.rollout.holds import hold
from runbook.rollout.matrix import answer_here
from runbook.rollout.planning import flags_are_safe
from runbook.rollout.robot import has_done
from runbook.rollout.rules import asked_of
from runbook.rollout.watch import act_on, look_once, stays_for
from runbook.show.printing import as_plain
from runbook.show.standing import Seen, status_page
from tests.rollout.matrices import house_with as with_matrix
from tests.rollout.matrices import rows_of, see
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house

ONE_WAY = """\
metrics:
  error_rate: {file: numbers.json, jq: .error_rate, unit: ratio, interval: 60s, critical: "> 5%"}
stages:
  - {stage: off, percent: 0}
  - {stage: canary, percent: 10, set: {NEW_CART: true, LIMIT: 3}}
  - {stage: moved, percent: [40, 50], set: {LIMIT: 5}, one_way: true, fallback: 25}
  - {stage: full, percent: [80, 100], set: {LIMIT: 9}, fallback: previous}
rollback: {set: safe}
"""
ON_ERROR = STAGES.replace("then: rollback}", "then: rollback, on_error: fail}")


def glance(house: House) -> Glance:
    house.site.forget_state()
    return glance_at(house.site)


def bad(house: House, looks: int = 1) -> None:
    house.numbers(error_rate=0.2)
    for _ in range(looks):
        house.clock.pass_time(60)
        house.site.forget_state()
        look_once(house.site)


@pytest.mark.parametrize(
    ("at", "back"),
    [
        ("canary@10", "runbook rollback  to off@0"),
        ("moved@40", "runbook rollback --fallback  to 25 %"),
        ("moved@50", "runbook rollback  to moved@40"),
        ("full@80", "runbook rollback  to moved@50"),
    ],
)
def test_the_way_back_does_not_lead_past_a_stage_that_is_one_way(tmp_path: Path, at: str, back: str) -> None:
    house = make_house(tmp_path, PLAYBOOK + ONE_WAY)
    house.stand_at(at)
    assert glance(house).back == back


def test_without_a_lower_fallback_there_is_no_way_back_to_show(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + ONE_WAY.replace("fallback: 25", "fallback: 40"))
    house.stand_at("moved@40")
    assert glance(house).back == ""


def test_past_a_one_way_stage_the_emergency_is_told_as_it_is(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + ONE_WAY)
    house.stand_at("full@80")
    bad(house)
    step = glance(house).step
    assert (step.command, step.undo) == ("runbook rollback --emergency", "runbook ramp")
    assert step.why == "to moved@25: moved is one_way, and its own fallback is to 25 %"
    house.site.record(
        house.site.event("position.entered", {"stage": "moved", "percent": 25.0, "how": "emergency", "flags": {}})
    )
    bad(house)
    lower = glance(house)
    assert (lower.step.command, lower.back) == ("runbook incident open", "")
    assert lower.step.why == "moved@25 is as far back as the playbook goes: look elsewhere"


def test_a_rule_that_is_true_by_what_the_playbook_says_of_errors_is_answered_too(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + ON_ERROR)
    house.stand_at("canary@5")
    house.file("numbers.json").write_text("no json")
    house.clock.pass_time(60)
    row = next(row for row in look_once(house.site).decision.rows if row.id == "canary/0")
    assert (row.status, row.counts) == (Status.FAIL, True)
    against = glance(house).against
    assert against is not None and against.command == "runbook rollback --emergency"
    assert asked_of(house.site, house.standing(), 0.0) == ["rollback"]
    assert asked_of(house.site, house.standing(), house.clock.now + 5) == [], "a newer sample tells more"


def test_what_was_done_is_not_asked_for_again(tmp_path: Path) -> None:
    house = with_matrix(tmp_path)
    site = house.site
    assert answer_here(site, "hold") == "runbook hold --reason TEXT"
    assert answer_here(site, "investigate") == "runbook incident open"
    hold(site, reason="rain", until=None)
    site.record(site.event("incident.opened", {"id": 1, "title": "Slow", "severity": "P1"}))
    assert (answer_here(site, "hold"), answer_here(site, "investigate")) == ("", "")
    state = site.state()
    assert answer_to(site.playbook, state, "halve", safe=True, held=True) == "runbook incident show"
    assert answer_to(site.playbook, state, "halve", safe=False, held=True) == "runbook rollback --partial"


def test_a_fallback_that_was_done_is_not_asked_for_again(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK + ONE_WAY)
    house.stand_at("moved@40")
    answer = answer_to(house.site.playbook, house.site.state(), "fallback", safe=False, held=False)
    assert answer == "runbook rollback --fallback"
    assert house.rollback("25").outcome == "done" and house.at() == "moved@25"
    assert answer_to(house.site.playbook, house.site.state(), "fallback", safe=False, held=False) == ""


def test_flags_are_safe_only_where_they_can_be_read(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    assert flags_are_safe(house.site)
    house.file(".env").unlink()
    assert not flags_are_safe(house.site)


def test_of_the_matrix_the_first_row_alone_says_what_to_do(tmp_path: Path) -> None:
    rows = '  - {when: "p95 > 3s", then: halve, within: 1h}\n  - {when: "error_rate > 5%", then: rollback}\n'
    house = with_matrix(tmp_path, rows)
    tick = see(house, p95=4000, error_rate=0.2)
    assert [row.status for row in rows_of(tick)] == [Status.FAIL, Status.FAIL]
    assert rows_of(tick)[1].message == "pending: seen true once, the next look decides"
    assert glance(house).step.command == "runbook rollback --partial"


def test_an_armed_watch_stays_for_what_it_may_still_do(tmp_path: Path) -> None:
    house = with_matrix(tmp_path, '  - {when: "p95 > 3s", then: halve, within: 1h}\n')
    told: set[str] = set()
    assert stays_for(house.site, see(house), told) == []
    tick = see(house, p95=4000)
    assert act_on(house.site, house.heard, tick, told) is None
    [stays] = stays_for(house.site, tick, told)
    assert stays.rule.id == "matrix/0" and not has_done(told, stays.rule)
    safe = with_matrix(tmp_path / "safe", '  - {when: "p95 > 3s", then: halve}\n', at="off@0")
    assert stays_for(safe.site, see(safe, p95=4000), set()) == [], "nothing is left for it to change"
    low = with_matrix(tmp_path / "low", '  - {when: "p95 > 3s", then: fallback}\n', at="full@50")
    low.file(".env").write_text(low.env().replace("PERCENT=50", "PERCENT=20"))
    tick, told = see(low, p95=4000), set()
    assert stays_for(low.site, tick, told)
    act_on(low.site, low.heard, tick, told)
    assert stays_for(low.site, tick, told) == [], "it is there already"


def test_an_armed_watch_stays_for_a_rule_that_is_pending(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    house.stand_at("canary@5")
    bad(house)
    [stays] = stays_for(house.site, look_once(house.site), set())
    assert stays.rule.id == "canary/0" and stays.advanced.pending


def test_where_no_share_is_asked_status_says_nothing_of_what_was_watched(tmp_path: Path) -> None:
    for bake, said in (("1h", False), ("{for: 1h, sampled: 80%}", True)):
        house = make_house(tmp_path / str(said), PLAYBOOK + STAGES.replace("bake: 1h", f"bake: {bake}"))
        house.stand_at("canary@5")
        seen = glance(house)
        assert seen.bake is not None
        seen = replace(seen, bake=replace(seen.bake, sampled=0.0))
        assert ("watched 0%" in as_plain(status_page(house.site, Seen(glance=seen)))) is said


def test_status_says_that_a_baseline_of_the_rollout_before_is_not_for_the_next(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    told = {"stage": "off", "percent": 0.0, "numbers": {"error_rate": [0.005, 14, 0.001]}, "how": "by hand"}
    house.stand_at("off@0")
    house.site.record(house.site.event("baseline.captured", told))
    past = ", of the rollout before: not for the next one"
    house.stand_at("canary@5")
    assert f"baseline   of off@0, n 14{past}" not in as_plain(status_page(house.site, Seen(glance=glance(house))))
    house.rollback()
    assert f"baseline   of off@0, n 14{past}" in as_plain(status_page(house.site, Seen(glance=glance(house))))


def test_status_shows_six_metrics_first_those_that_the_stage_asks_for(tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(9)]
    metrics = "".join(f"  {name}: {{file: numbers.json, jq: .{name}, interval: 60s}}\n" for name in names)
    stages = STAGES.replace("metrics:\n", f"metrics:\n{metrics}").replace(
        'triggers: [{when: "error_rate', 'triggers: [{when: "max(m8, 1m) > 9", then: notify}, {when: "error_rate'
    )
    house = make_house(tmp_path, PLAYBOOK + stages)
    house.stand_at("canary@5")
    house.numbers(error_rate=0.001, **dict.fromkeys(names, 1.0))
    house.clock.pass_time(60)
    look_once(house.site)
    seen = glance(house)
    samples = {name: one.samples for name, one in seen.facts.series.items()}
    lines = as_plain(status_page(house.site, Seen(glance=seen, samples=samples))).splitlines()
    shown = [line.split()[0] for line in lines if line.split()[:1] and line.split()[0] in samples]
    assert (len(shown), set(shown[:2])) == (6, {"error_rate", "m8"})
    assert "  metrics    4 more: runbook health-check" in lines
