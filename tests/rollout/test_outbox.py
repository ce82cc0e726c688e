"""The outbox: what lies there is private, is sent once by whoever takes it, and is never late news."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runbook.actions.channels import Letter
from runbook.rollout import outbox
from runbook.rollout.notices import tell_from_step
from runbook.store.spool import Spool
from tests.clocks import SetClock
from tests.command.waiting import wait_until
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house, open_house
from tests.servers import Scripted, answer, scripted

LETTER = Letter(
    id="letter-1", notice="users", occasion="rollback", text="we went back", who="ana",
    service="checkout", environment="production", at=0.0, operation="op-1",
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted({"/hook": answer("{}"), "/no": answer("{}", status="403 Forbidden")}) as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, server: Scripted) -> House:
    channels = f"""\
channels:
  hook: {{webhook: "{server.url}/hook", token: "${{HOOK_TOKEN:-token-0123456}}"}}
  no: {{webhook: "{server.url}/no"}}
  slow: {{webhook: "{server.url}/slow", timeout: 20s}}
notices: {{users: {{to: [hook, no], text: hello}}}}
"""
    make_house(tmp_path, PLAYBOOK + STAGES + channels)
    return open_house(tmp_path, SetClock(time.time()))


def put(house: House, *to: str, number: int = 1, age: float = 0.0, **given: Any) -> None:
    at = house.clock.wall() - age
    letter = msgspec.structs.replace(LETTER, id=f"letter-{number}", at=at, **given)
    outbox.put(house.site, letter, to or ("hook",))


def told(house: House) -> list[tuple[str, str, str]]:
    events = [one.event for one in house.store.events(house.site.chain) if one.event.kind.startswith("notice.")]
    return [(event.kind, event.payload["channel"], event.payload.get("reason", "")) for event in events]


def files(house: House) -> list[Path]:
    folder = house.site.state_folder / "outbox"
    return sorted(folder.iterdir()) if folder.exists() else []


def sender(house: House) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "runbook", "notify", "--outbox", "--playbook=checkout", "--env=production"],
        env={**environment, "RUNBOOK_PROJECT": str(house.folder)},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def test_a_letter_is_private_and_holds_no_secret(house: House, server: Scripted) -> None:
    put(house, "hook", "no")
    [path] = files(house)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    kept = json.loads(path.read_bytes())
    assert kept["to"] == ["hook", "no"]
    assert b"token-0123456" not in path.read_bytes()
    assert outbox.to_send(house.site)
    assert server.asked == []


def test_each_channel_is_recorded_and_the_file_goes(house: House, server: Scripted) -> None:
    put(house, "hook", "no", "gone")
    assert outbox.send_waiting(house.site) == 1
    assert sorted(told(house)) == [
        ("notice.failed", "gone", "the playbook has no channel gone"),
        ("notice.failed", "no", "status 403"),
        ("notice.sent", "hook", ""),
    ]
    assert files(house) == []
    assert outbox.send_waiting(house.site) == 0
    assert len(server.asked) == 2
    assert house.store.events(house.site.chain, operation="op-1")


def test_late_news_is_told_as_failed_and_not_sent(house: House, server: Scripted) -> None:
    put(house, age=3700)
    put(house, number=2, age=3500)
    assert outbox.send_waiting(house.site) == 1
    assert [kind for kind, *_ in sorted(told(house))] == ["notice.failed", "notice.sent"]
    assert "more than an hour" in sorted(told(house))[0][2]
    assert len(server.asked) == 1


def test_in_an_emergency_a_step_starts_no_sender_of_its_own(house: House) -> None:
    house.site.insist = True
    assert tell_from_step(house.site, "op-1", "users").message == "queued for hook, no"
    assert len(files(house)) == 1 and not outbox.sender_at_work(house.site)


def test_of_a_heap_the_newest_go_first_and_few_at_a_time(house: House, server: Scripted) -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def counting(connection: socket.socket, request: str) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        answer("{}")(connection, request)
        with lock:
            at_once -= 1

    server.scripts["/hook"] = counting
    for number in range(60):
        put(house, number=number, age=10.0 * (number + 1), text=f"news {number}")
    assert outbox.send_waiting(house.site) == 60
    numbers = [int(json.loads(asked.partition("\r\n\r\n")[2])["text"].split()[1]) for asked in server.asked]
    assert sorted(numbers) == list(range(60)) and max(numbers[:20]) < 40, numbers
    assert most <= outbox.AT_ONCE
    assert files(house) == []


def test_what_there_was_no_time_for_stays_for_the_next_sender(house: House, server: Scripted) -> None:
    put(house)
    assert outbox.send_waiting(house.site, seconds=0.0) == 0
    assert (server.asked, told(house), len(files(house))) == ([], [], 1)


def test_another_services_letters_and_what_is_no_letter_are_left(house: House, server: Scripted) -> None:
    put(house, environment="staging")  # of a site whose name begins alike
    (house.site.state_folder / "outbox" / "checkout-production.bad.json").write_text("{")
    assert outbox.send_waiting(house.site) == 0
    assert not outbox.to_send(house.site)
    assert len(files(house)) == 2


def test_what_another_process_sends_is_left_to_it(house: House) -> None:
    put(house)
    [claimed] = outbox.claim(house.site)
    assert outbox.claim(house.site) == []  # ours, and we are alive
    assert not outbox.to_send(house.site)
    assert [one.letter.id for one in outbox.waiting(house.site)] == ["letter-1"]  # it is not sent yet
    old = time.time() - outbox.CLAIM_LASTS - 1
    os.utime(claimed.path, (old, old))
    assert len(outbox.claim(house.site)) == 1  # no sender lives that long


def test_what_a_killed_write_left_is_removed_when_it_is_old(house: House) -> None:
    put(house)
    left = [house.site.state_folder / "outbox" / f".x.json.runbook-{name}" for name in ("00000000", "11111111")]
    for path in left:
        path.write_text("{")
    os.utime(left[0], (time.time() - 4000, time.time() - 4000))
    outbox.send_waiting(house.site)
    assert files(house) == [left[1]]  # it may be in the middle of being written


def test_one_that_is_done_with_a_channel_does_not_send_there_again(house: House) -> None:
    put(house, "hook", "no")
    [claimed] = outbox.claim(house.site)
    claimed.done_with("hook")
    assert [one.to for one in outbox.waiting(house.site)] == [("no",)]
    claimed.done_with("no")
    assert files(house) == []


def test_a_killed_sender_is_taken_over_from(house: House, server: Scripted) -> None:
    asked = threading.Event()

    def slow(connection: socket.socket, request: str) -> None:
        asked.set()
        connection.recv(1)

    server.scripts["/slow"] = slow
    put(house, "slow", "hook")
    process = sender(house)
    assert asked.wait(20)
    wait_until(lambda: [one.to for one in outbox.waiting(house.site)] == [("slow",)])
    assert outbox.claim(house.site) == []
    process.send_signal(signal.SIGKILL)
    process.wait()
    server.scripts["/slow"] = answer("{}")
    assert outbox.send_waiting(house.site) == 1
    assert sorted(told(house)) == [("notice.sent", "hook", ""), ("notice.sent", "slow", "")]
    assert files(house) == []


def test_several_senders_at_once_send_each_letter_once(house: House, server: Scripted) -> None:
    for number in range(30):
        put(house, number=number)
    processes = [sender(house) for _ in range(3)]
    assert [process.wait(timeout=30) for process in processes] == [0, 0, 0]
    sent = [json.loads(asked.partition("\r\n\r\n")[2])["id"] for asked in server.asked]
    assert sorted(sent) == sorted(f"letter-{number}" for number in range(30))
    assert len(told(house)) == 30
    assert files(house) == []


def test_it_is_sent_with_a_broken_playbook_too(house: House, server: Scripted) -> None:
    put(house)
    playbook = house.file("playbooks/checkout.yaml")
    playbook.write_text(playbook.read_text().replace("bake: 1h", "bake: [an hour]"))
    assert sender(house).wait(timeout=30) == 0
    assert told(house) == [("notice.sent", "hook", "")]


def test_without_a_store_it_is_told_to_the_spool(house: House, server: Scripted) -> None:
    put(house)
    away = open_house(house.folder, house.clock, store=False)
    assert outbox.send_waiting(away.site) == 1
    [waiting] = Spool(away.site.state_folder / "spool").waiting()
    assert waiting.event.kind == "notice.sent"
