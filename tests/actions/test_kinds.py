"""The kinds of action: each does what it says, within its time, and tells how it ended."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runbook.actions.base import Done
from runbook.actions.registry import KINDS, NOT_YET, REDEPLOYS
from tests.actions.making import action, hands
from tests.servers import Scripted, answer, closed_port, scripted

EXAMPLES: dict[str, dict[str, Any]] = {
    "command": {"command": ("bin/flush", "--all")},
    "run": {"run": "bin/warm-up | tee warm-up.log"},
    "http": {"http": "/flush"},
    "systemd": {"systemd": "checkout"},
    "wait": {"wait": "30s"},
    "notify": {"notify": "users"},
}


def act(kind: str, folder: Path, *, timeout: float = 10.0, given: dict[str, Any] | None = None, **options: Any) -> Done:
    made = msgspec.convert(options, KINDS[kind])
    return made.act(hands(folder, **(given or {})), timeout)


def test_the_registry_and_the_examples_here_name_the_same_kinds() -> None:
    assert set(KINDS) == set(EXAMPLES)
    assert not set(KINDS) & NOT_YET
    assert set(KINDS) >= REDEPLOYS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_tells_what_it_would_do_and_how_to_do_it_by_hand(kind: str) -> None:
    made = KINDS[kind](**EXAMPLES[kind])
    assert made.preview()
    assert made.by_hand()
    assert KINDS[kind].DOES
    assert kind in KINDS[kind].EXAMPLE


def test_a_command_has_no_shell(tmp_path: Path) -> None:
    done = act("command", tmp_path, command=["touch", "a b", "$(touch pwned)", ";touch pwned", "*"])
    assert done.ok
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a b", "$(touch pwned)", ";touch pwned", "*"])


def test_a_value_stays_one_argument_and_never_becomes_code(tmp_path: Path) -> None:
    given = {"process": {"NAME": "x; touch pwned #", "FLAG": "--help"}}
    act("command", tmp_path, command=["touch", "${NAME}"], given=given)
    act("run", tmp_path, run='touch "from-run ${NAME}"', given=given)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["from-run x; touch pwned #", "x; touch pwned #"]


@pytest.mark.parametrize(
    ("line", "ok", "message"),
    [("true", True, ""), ("exit 7", False, "exit 7"), ("kill -9 $$", False, "ended by signal 9")],
)
def test_how_a_shell_line_ended_is_told(tmp_path: Path, line: str, ok: bool, message: str) -> None:
    done = act("run", tmp_path, run=line)
    assert (done.ok, done.message) == (ok, message)


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = act("command", tmp_path, command=["no-such-program"])
    assert (done.ok, done.message) == (False, "could not be started: no-such-program is not found")


def test_at_its_time_out_the_whole_family_is_ended(tmp_path: Path) -> None:
    line = "sleep 60 & echo $! > child; trap '' TERM; sleep 60"
    began = time.monotonic()
    done = act("run", tmp_path, run=line, timeout=0.5)
    assert time.monotonic() - began < 10
    assert not done.ok
    assert "timed out" in done.message
    assert "whole process group was ended" in done.message
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "child").read_text()), 0)


def test_output_comes_line_by_line_harmless_and_without_secrets(tmp_path: Path) -> None:
    lines: list[str] = []
    made = hands(tmp_path, output=lines.append)
    made.masker.learn("hunter2-hunter2")
    done = KINDS["run"](run="printf 'one\\nhunter2-hunter2\\n\\033[31mred\\n'").act(made, 10.0)
    assert done.ok
    assert lines[0] == "one"
    assert "hunter2" not in lines[1]
    assert "\x1b" not in lines[2]


def test_secrets_reach_only_a_line_that_names_them(tmp_path: Path) -> None:
    given = {"process": {"API_TOKEN": "hunter2-hunter2", "PLAIN": "seen"}}
    act("run", tmp_path, run="env > all", given=given)
    act("run", tmp_path, run='echo "$API_TOKEN" > named', given=given)
    told = (tmp_path / "all").read_text()
    assert "PLAIN=seen" in told
    assert "hunter2" not in told
    assert (tmp_path / "named").read_text() == "hunter2-hunter2\n"


def test_interrupted_it_ends_and_says_so(tmp_path: Path) -> None:
    given = {"stopping": (tmp_path / "stop").exists}
    done = act("run", tmp_path, run="touch stop; sleep 60", given=given)
    assert (done.ok, done.interrupted) == (False, True)


@pytest.mark.parametrize(("scale", "least", "most"), [(0.01, 0.3, 20.0), (0.0001, 0.0, 20.0)])
def test_a_wait_waits_as_long_as_the_scale_says(tmp_path: Path, scale: float, least: float, most: float) -> None:
    began = time.monotonic()
    assert act("wait", tmp_path, wait="30s", given={"scale": scale}).ok
    assert least <= time.monotonic() - began < most


def test_a_wait_ends_when_asked_to_stop_and_refuses_what_is_no_time(tmp_path: Path) -> None:
    done = act("wait", tmp_path, wait="1h", given={"stopping": lambda: True})
    assert (done.ok, done.interrupted) == (False, True)
    wait = KINDS["wait"](wait="soon")
    assert "soon" in wait.problems()[0]  # type: ignore[attr-defined]
    assert KINDS["wait"](wait="2m").by_hand() == "sleep 120"


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted({}) as serving:
        yield serving


@pytest.mark.parametrize(
    ("status", "wanted", "ok"),
    [
        ("200 OK", None, True),
        ("204 No Content", None, True),
        ("302 Found", None, False),
        ("404 Not Found", None, False),
        ("500 Oops", None, False),
        ("202 Accepted", 202, True),
        ("200 OK", 202, False),
        ("409 Conflict", [200, 409], True),
    ],
)
def test_a_call_is_done_when_the_status_is_the_wanted_one(
    tmp_path: Path, server: Scripted, status: str, wanted: object, ok: bool
) -> None:
    server.scripts["/flush"] = answer(b"", status=status)
    done = act("http", tmp_path, http="/flush", given={"url": server.url}, status=wanted)
    assert (done.ok, done.message) == (ok, f"status {status.split(maxsplit=1)[0]}")
    assert server.asked[0].startswith("POST /flush ")


def test_a_call_sends_what_it_is_told_and_values_stay_values(tmp_path: Path, server: Scripted) -> None:
    server.scripts["/flush/a%2Fb%3F"] = answer(b"")
    given = {"url": server.url + "/", "process": {"WHICH": "a/b?"}}
    done = act(
        "http", tmp_path, http="flush/${WHICH}", method="PUT", headers={"X-By": "${WHICH}"}, text="all ${WHICH}",
        given=given,
    )  # fmt: skip
    assert done.ok, done.message
    [request] = server.asked
    assert request.startswith("PUT /flush/a%2Fb%3F ")
    assert "x-by: a/b?" in request.lower()


def test_a_call_fills_in_its_json_and_masks_what_its_headers_and_url_carry(tmp_path: Path, server: Scripted) -> None:
    server.scripts["/flush"] = answer(b"")
    own = hands(tmp_path, url=server.url, process={"WHICH": 'a"b'})
    made = KINDS["http"](http="/flush", json={"which": ["${WHICH}"]}, headers={"X-Pass": "hunter2hunter2"})
    done = made.act(own, 10.0)
    assert done.ok, done.message
    [request] = server.asked
    assert '{"which":["a\\"b"]}' in request
    assert "hunter2hunter2" not in own.masker.mask("it was hunter2hunter2")


def test_a_call_to_a_host_from_outside_the_playbook_never_reaches_this_machine(
    tmp_path: Path, server: Scripted
) -> None:
    server.scripts["/flush"] = answer(b"")
    done = act("http", tmp_path, http="${HOOK}/flush", given={"process": {"HOOK": server.url}})
    assert not done.ok
    assert server.asked == []
    done = act("http", tmp_path, http="/flush?to=http://elsewhere.test", given={"url": server.url})
    assert len(server.asked) == 1, "a URL inside another one does not make it absolute"


def test_a_relative_call_without_a_place_to_start_is_told(tmp_path: Path) -> None:
    done = act("http", tmp_path, http="/flush")
    assert (done.ok, done.message) == (False, "a relative URL, and the environment has no url")


def test_a_service_that_refuses_is_told_and_nothing_is_raised(tmp_path: Path) -> None:
    with closed_port() as port:
        done = act("http", tmp_path, http=f"http://127.0.0.1:{port}/flush", timeout=5.0)
    assert not done.ok
    assert done.message


def test_a_call_by_hand_is_a_line_that_a_shell_takes_as_it_is() -> None:
    made = KINDS["http"](http="https://x.test/a b", method="POST", headers={"X": "it's"}, json={"a": "$(id)"})
    words = shlex.split(made.by_hand())
    assert words[:5] == ["curl", "-fsS", "-X", "POST", "-H"]
    assert words[-1] == "https://x.test/a b"
    assert "X: it's" in words
    assert '{"a":"$(id)"}' in words


def fake_systemctl(folder: Path, script: str) -> dict[str, Any]:
    """A `systemctl` of our own on the path: a real process that notes how it was called."""
    program = folder / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\n{script}\n')
    program.chmod(0o755)
    return {"process": {"PATH": f"{program.parent}:/usr/bin:/bin"}}


@pytest.mark.parametrize(
    ("script", "ok", "calls"),
    [
        ("exit 0", True, 2),
        ("exit 5", False, 1),
        ('test "$1" = restart', False, 2),
    ],
)
def test_a_unit_is_restarted_and_has_to_be_active(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, ok: bool, calls: int
) -> None:
    given = fake_systemctl(tmp_path, script)
    monkeypatch.setenv("PATH", given["process"]["PATH"])
    done = act("systemd", tmp_path, systemd="checkout@1", given=given)
    assert done.ok is ok
    told = (tmp_path / "calls").read_text().splitlines()
    assert told == ["restart -- checkout@1", "is-active --quiet -- checkout@1"][:calls]
    assert calls == 1 or ok or "was restarted and is not active" in done.message


def test_an_option_that_is_not_known_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"run": "true", "shell": "bash"}, KINDS["run"])
    assert action("run", run="true").attempts == 1
