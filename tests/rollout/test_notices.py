"""Notices: which goes out on which occasion, what its text holds, and that nothing of it harms what it tells of."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runbook.actions.channels import Letter
from runbook.rollout import outbox
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.notice_texts import asked_in
from runbook.rollout.notices import announce, announce_gate, await_notices, letter_by_hand, tell_from_step
from runbook.store.spool import Spool
from runbook.system.secrets import VariableTrouble
from runbook.system.variables import Variables
from tests.clocks import SetClock
from tests.command.waiting import wait_until
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house, open_house
from tests.servers import answer, scripted

# Nothing is sent by itself here: what is drafted tells just as well which notice an occasion is for.
HOOK = 'channels: {hook: {webhook: "http://127.0.0.1:9/hook"}}\n'
NOTICES = (
    HOOK
    + """\
notices:
  deploys: {to: hook, on: [ramp, rollback], text: "${service} ${from} -> ${to}: ${outcome} by ${who} (${why})"}
  canary: {to: hook, on: enter canary, text: "at ${stage}, ${percent} %"}
  bad: {to: hook, on: incident, text: "incident ${incident} is ${severity}"}
  fine: {to: hook, on: [recovered, stable, gate], text: "${occasion} at ${time}"}
"""
)


def with_notices(folder: Path, notices: str = NOTICES, **options: Any) -> House:
    return make_house(folder, PLAYBOOK + STAGES + notices, **options)


def drafts(house: House) -> list[tuple[str, str, str]]:
    """Notice, occasion and text of what was drafted."""
    told = [one.event.payload for one in house.store.events(house.site.chain) if one.event.kind == "notice.drafted"]
    return [(each["notice"], each["occasion"], each["text"]) for each in told]


def payloads(house: House, kind: str) -> list[dict[str, Any]]:
    return [one.event.payload for one in house.store.events(house.site.chain) if one.event.kind == kind]


def test_a_ramp_tells_of_the_step_and_of_the_stage_it_enters(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    house.ramp_to("canary@5")
    assert drafts(house) == [
        ("deploys", "ramp", "checkout off@0 -> canary@5: done by ana (no reason was given)"),
        ("canary", "enter canary", "at canary, 5 %"),
    ]
    house.ramp()
    assert [(name, occasion) for name, occasion, _ in drafts(house)[2:]] == [("deploys", "ramp")]


def test_a_ramp_that_was_undone_says_so_and_enters_nothing(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    house.file("deploy.sh").write_text("[ -e once ] && cp .env live.env || { touch once; exit 1; }\n")
    assert house.ramp().outcome == "undone"
    assert drafts(house) == [
        ("deploys", "ramp", "checkout off@0 -> canary@5: undone by ana (no reason was given)"),
    ]


def test_a_way_back_tells(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    house.stand_at("canary@10")
    house.rollback()
    assert [text for *_, text in drafts(house)] == ["checkout canary@10 -> canary@5: done by ana (no reason was given)"]


def test_an_emergency_tells_of_itself_and_of_the_incident_that_it_opens(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    house.stand_at("canary@10")
    emergency(house.site, house.heard, Alarm(reason="wrong answers"))
    assert [(name, text) for name, _, text in drafts(house)] == [
        ("deploys", "checkout canary@10 -> safe: done by ana (wrong answers)"),
        ("bad", "incident 1 is P0"),
    ]


def test_one_that_fails_half_way_tells_of_the_incident_once(tmp_path: Path) -> None:
    house = make_house(tmp_path, PLAYBOOK.replace("verify_within: 5s", "verify_within: 1s") + STAGES + NOTICES)
    house.stand_at("canary@10")
    house.file("deploy.sh").write_text("exit 1\n")
    for _ in range(2):
        house.site.forget_state()
        emergency(house.site, house.heard, Alarm())
    assert [(name, occasion) for name, occasion, _ in drafts(house)] == [
        ("deploys", "rollback"), ("bad", "incident"), ("deploys", "rollback")
    ]  # fmt: skip
    assert "half-done by ana" in drafts(house)[0][2]


def test_a_robot_is_named_as_what_it_is(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    house.stand_at("canary@10")
    emergency(house.site, house.heard, Alarm(reason="errors", rule="error_rate > 5%"))
    assert "by runbook, run by ana" in drafts(house)[0][2]


def test_a_notice_for_two_occasions_of_one_operation_goes_out_once(tmp_path: Path) -> None:
    both = (
        'channels: {hook: {webhook: "http://h"}}\nnotices: {all: {to: hook, on: [incident, rollback], text: "${to}"}}\n'
    )
    house = with_notices(tmp_path, both)
    house.stand_at("canary@10")
    emergency(house.site, house.heard, Alarm())
    assert drafts(house) == [("all", "rollback", "safe")]


def test_the_other_occasions(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    assert announce(house.site, "recovered", {}).drafted == ["fine"]
    assert announce(house.site, "stable", {}).drafted == ["fine"]
    assert announce(house.site, "incident", {"incident": "3", "severity": "P2"}).drafted == ["bad"]
    assert announce(house.site, "daily", {}).drafted == []
    assert [text for *_, text in drafts(house)] == ["recovered at 14:13 UTC", "stable at 14:13 UTC", "incident 3 is P2"]


def test_the_time_is_told_in_the_zone_of_the_calendar(tmp_path: Path) -> None:
    house = with_notices(tmp_path, NOTICES + "calendar: {timezone: Asia/Kathmandu}\n")
    announce(house.site, "stable", {})
    assert drafts(house)[0][2] == "stable at 19:58 +0545"


def test_the_gate_is_told_once_for_each_entry(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    assert announce_gate(house.site).drafted == []  # no position yet
    house.stand_at("canary@5")
    assert [announce_gate(house.site).drafted for _ in range(3)] == [["fine"], [], []]
    house.clock.pass_time(60)
    house.stand_at("canary@10")
    assert [announce_gate(house.again().site).drafted for _ in range(2)] == [["fine"], []]


def test_what_a_text_names_and_nobody_knows_is_told_as_failed(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    assert announce(house.site, "incident", {}).failed == ["bad"]  # no incident is open, so it has no number
    [told] = payloads(house, "notice.failed")
    assert (told["notice"], told["channel"], told["occasion"]) == ("bad", "hook", "incident")
    assert "${incident}" in told["reason"]


def changed(house: House, **notices: str) -> House:
    """The site with other texts in place of its notices."""
    made = {name: msgspec.structs.replace(house.site.playbook.notices["deploys"], text=text, on=("ramp",))
            for name, text in notices.items()}  # fmt: skip
    house.site.playbook = msgspec.structs.replace(house.site.playbook, notices=made)
    return house


def test_values_are_harmless_and_are_never_filled_again(tmp_path: Path) -> None:
    house = changed(with_notices(tmp_path), n="a\n ${why} b")
    hostile = "\x1b[31m ${who} {{7*7}} {0.__class__}\r\n# heading \u202e"
    assert announce(house.site, "ramp", {"why": hostile}).drafted == ["n"]
    assert drafts(house)[0][2] == "a\n \\x1b[31m ${who} {{7*7}} {0.__class__}\\r\\n# heading \\u202e b"


def test_a_megabyte_of_reason_stays_out(tmp_path: Path) -> None:
    house = changed(with_notices(tmp_path), n="${why}")
    announce(house.site, "ramp", {"why": "a" * 1_000_000})
    assert len(drafts(house)[0][2]) == 500


def test_a_notice_carries_no_secret(tmp_path: Path) -> None:
    house = changed(with_notices(tmp_path), token="${API_TOKEN}", mask="the value is ${PLAIN}")
    masker = house.site.masker
    masker.learn("hunter2-hunter2")
    given = {"API_TOKEN": "abcdefgh", "PLAIN": "x hunter2-hunter2 x"}
    house.site.variables = lambda context: Variables(process=given, context=context, masker=masker)
    announced = announce(house.site, "ramp", {})
    assert (announced.failed, announced.drafted) == (["token"], ["mask"])
    assert "API_TOKEN" in payloads(house, "notice.failed")[0]["reason"]
    assert drafts(house) == [("mask", "ramp", "the value is x *** x")]


def test_what_a_person_has_to_answer_is_drafted_also_with_auto(tmp_path: Path) -> None:
    asks = 'notices: {users: {to: hook, on: ramp, auto: true, text: "back at ${ask:eta}"}}\n'
    house = with_notices(tmp_path, HOOK + asks)
    ended = house.ramp()
    assert asked_in("${ask:eta} ${ask:who} ${ask:eta}") == ("eta", "who")
    assert drafts(house) == [("users", "ramp", "back at [eta]")]
    assert outbox.waiting(house.site) == []
    await_notices(house.site, ended.operation, house.heard)
    assert house.heard.said[-1] == "drafted: users   send it: runbook notify users --set eta=..."


def test_by_hand_a_notice_tells_of_the_newest_operation(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    house.ramp()
    house.site.forget_state()
    letter = letter_by_hand(house.site, "deploys", {})
    assert letter.text == "checkout off@0 -> canary@5: done by ana (no reason was given)"
    assert (letter.occasion, letter.operation) == ("by hand", None)
    with pytest.raises(VariableTrouble, match="incident"):
        letter_by_hand(house.site, "bad", {})


def test_a_mistake_in_telling_changes_nothing_of_what_it_tells_of(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    (house.site.state_folder / "outbox").write_text("not a folder")
    automatic = {name: msgspec.structs.replace(one, auto=True) for name, one in house.site.playbook.notices.items()}
    house.site.playbook = msgspec.structs.replace(house.site.playbook, notices=automatic)
    ended = house.ramp()
    assert ended.outcome == "done"
    assert house.at() == "canary@5"
    assert {told["notice"] for told in payloads(house, "notice.failed")} == {"deploys", "canary"}


def test_without_a_store_it_is_drafted_into_the_spool(tmp_path: Path) -> None:
    with_notices(tmp_path).stand_at("canary@10")
    away = open_house(tmp_path, SetClock(), store=False)
    ended = emergency(away.site, away.heard, Alarm())
    waiting = [one.event.payload["notice"] for one in Spool(away.site.state_folder / "spool").waiting()
               if one.event.kind == "notice.drafted"]  # fmt: skip
    assert waiting == ["deploys", "bad"]
    await_notices(away.site, ended.operation, away.heard)
    assert [line.partition("   ")[0] for line in away.heard.said if "drafted" in line] == [
        "drafted: deploys",
        "drafted: bad",
    ]


def test_a_step_of_the_way_back_queues_a_notice_and_waits_for_nobody(tmp_path: Path) -> None:
    stages = STAGES.replace("incident: P0", "incident: P0, steps: [{do: Tell users, notify: deploys}]")
    make_house(tmp_path, PLAYBOOK + stages + NOTICES)
    house = open_house(tmp_path, SetClock(time.time()))
    house.stand_at("canary@10")
    ended = house.rollback()
    assert ended.outcome == "done"
    assert ("Tell users", "ok", "queued for hook") in house.heard.steps
    assert drafts(house) == []  # the step has told it: the occasion does not tell it again
    outbox_of_it = [one.letter.text for one in outbox.waiting(house.site)]
    assert outbox_of_it == ["checkout canary@10 -> canary@5: under way by ana (no reason was given)"]


def test_a_step_that_cannot_tell_fails_but_not_in_an_emergency(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    assert not tell_from_step(house.site, "op-1", "nobody").ok
    assert not tell_from_step(house.site, "op-1", "deploys").ok  # nothing tells where from and where to
    house.site.insist = True
    done = tell_from_step(house.site, "op-1", "nobody")
    assert (done.ok, done.message) == (True, "not sent: the playbook has no notice nobody")


def test_it_is_shown_what_was_sent_what_failed_and_what_has_no_answer_yet(tmp_path: Path) -> None:
    house = with_notices(tmp_path)
    letter = letter_by_hand_of(house, "op-7")
    house.site.record(outbox.outcome_event(house.site, letter, "chat", ""))
    house.site.record(outbox.outcome_event(house.site, letter, "mail", "status 403"))
    outbox.put(house.site, letter, ["chat", "pager"])
    began = time.monotonic()
    await_notices(house.site, "op-7", house.heard)
    assert time.monotonic() - began < 1  # no sender of ours is at work: there is nothing to wait for
    assert house.heard.steps == [
        ("notify", "ok", "chat: sent"),
        ("notify", "NO", "mail: status 403"),
        ("notify", "??", "pager: no answer yet, not waited for"),
    ]
    await_notices(house.site, "op-8", house.heard)
    assert len(house.heard.steps) == 3


def letter_by_hand_of(house: House, operation: str) -> Letter:
    house.stand_at("canary@5")
    announce(house.site, "stable", {})
    letter = letter_by_hand(house.site, "fine", {})
    return msgspec.structs.replace(letter, operation=operation)


def test_the_whole_way_by_a_process_of_its_own(tmp_path: Path) -> None:
    with scripted({"/hook": answer("{}")}) as server:
        notices = NOTICES.replace("http://127.0.0.1:9", server.url).replace("on: [ramp,", "auto: true, on: [ramp,")
        with_notices(tmp_path, notices)
        house = open_house(tmp_path, SetClock(time.time()))
        ended = house.ramp()
        await_notices(house.site, ended.operation, house.heard, within=20)
        assert ("notify", "ok", "hook: sent") in house.heard.steps
        [asked] = server.asked
        assert "checkout off@0 -\\u003e canary@5" in asked or "checkout off@0 -> canary@5" in asked
        wait_until(lambda: not outbox.sender_at_work(house.site))
        assert outbox.waiting(house.site) == []


def test_a_playbook_without_notices_starts_nothing(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    ended = house.ramp()
    await_notices(house.site, ended.operation, house.heard)
    assert not (house.site.state_folder / "outbox").exists()
    assert [title for title, *_ in house.heard.steps] == ["flags", "redeploy", "verify"]
