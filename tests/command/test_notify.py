"""Notices by command: the deploy marker, drafts, sending by hand, and an emergency that waits for nobody."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.command.project import Project, Ran
from tests.command.waiting import wait_until
from tests.servers import Script, answer, closed_port

TOKEN = "glsa-0123456789abcdefghij"
SECRET = "correct-horse-battery"
GIVEN = {"GRAFANA_TOKEN": TOKEN, "HOOK_SECRET": SECRET, "RUNBOOK_OPERATOR": "ana"}
NOTICES = """
  deploys: {to: marker, on: [ramp, rollback], auto: true, text: "${service} ${from} -> ${to}: ${outcome}"}
  users: {to: hook, on: rollback, text: "We went back because ${why}. Back at ${ask:eta}."}"""
AUTO = """
  deploys: {to: hook, on: [ramp, rollback], auto: true, text: "${to}: ${outcome}"}"""


@pytest.fixture
def noticed(project: Project) -> Project:
    """A project with a deploy marker and a draft for users; both channels answer."""
    channels = f"""
  marker: {{grafana: "{project.service.url}", token: "${{GRAFANA_TOKEN}}", tags: [deploys]}}
  hook: {{webhook: "{project.service.url}/hook", secret: "${{HOOK_SECRET}}", timeout: 2s}}"""
    project.write(channels=channels, notices=NOTICES)
    project.script("/api/annotations", answer('{"id": 1, "message": "Annotation added"}'))
    project.script("/hook", answer("{}"))
    return project


@pytest.fixture(autouse=True)
def no_sender_outlives_its_test(project: Project) -> Iterator[None]:
    yield
    for pid in senders(project):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def sent_to(project: Project, path: str) -> list[tuple[str, Any]]:
    """Head and body of each request to a path."""
    asked = [one.partition("\r\n\r\n") for one in project.service.asked if one.split(" ")[1] == path]
    return [(head, json.loads(body)) for head, _, body in asked]


def senders(project: Project) -> list[int]:
    """The processes that send this project's outbox."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = path.read_text().replace("\0", " ")
            if "--outbox" in line and str(project.folder) in line:
                found.append(int(path.parent.name))
    return found


def everything_kept(project: Project) -> bytes:
    return b"".join(path.read_bytes() for path in (project.folder / ".runbook").rglob("*") if path.is_file())


def run(project: Project, *args: str, **more: Any) -> Ran:
    return project.run(*args, env=GIVEN, **more)


def test_every_operation_leaves_a_marker_and_its_token_nowhere(noticed: Project) -> None:
    ramp = run(noticed, "ramp", "10", "--yes", "--verbose")
    assert ramp.code == 0
    assert "ok  notify        marker: sent" in ramp.err
    back = run(noticed, "rollback", "--yes", "--reason", "errors")
    assert back.code == 0
    wait_until(lambda: len(noticed.events("notice.sent")) == 2 and not senders(noticed))
    (head, up), (_, down) = sent_to(noticed, "/api/annotations")
    assert f"Authorization: Bearer {TOKEN}" in head
    assert up["tags"] == ["runbook", "ranker", "local", "ramp", "done", "deploys"]
    assert up["text"] == "ranker off@0 -> first@10: done"
    assert up["time"] <= up["timeEnd"] <= down["time"]
    assert down["tags"][3:5] == ["rollback", "done"]
    assert list((noticed.folder / ".runbook" / "outbox").iterdir()) == []
    shown = ramp.said + back.said + run(noticed, "history", "--verbose").said
    assert TOKEN not in shown
    assert TOKEN.encode() not in everything_kept(noticed)


def test_what_is_not_automatic_is_drafted_and_sent_by_hand(noticed: Project) -> None:
    run(noticed, "ramp", "10", "--yes")
    back = run(noticed, "rollback", "--yes", "--reason", "of errors")
    assert "drafted: users   send it: runbook notify users --set eta=..." in back.err
    [drafted] = noticed.events("notice.drafted")
    assert drafted["payload"]["text"] == "We went back because of errors. Back at [eta]."
    assert sent_to(noticed, "/hook") == []
    sent = run(noticed, "notify", "users", "--set", "eta=18:00 ${x} {{1}}")
    assert (sent.code, "ok  hook  status 200" in sent.out) == (0, True)
    [(head, body)] = sent_to(noticed, "/hook")
    assert body["text"] == "We went back because of errors. Back at 18:00 ${x} {{1}}."
    assert (body["schema"], body["occasion"], body["who"]) == ("runbook-notice/1", "by hand", "ana")
    assert "X-Runbook-Signature: sha256=" in head
    assert SECRET not in head + sent.said
    assert noticed.events("notice.sent")[-1]["payload"]["channel"] == "hook"


def test_a_dry_run_shows_text_and_channels_and_sends_nothing(noticed: Project) -> None:
    early = run(noticed, "notify", "deploys", "--dry-run")  # there was no operation yet that it could tell of
    assert (early.code, "${from} is not known here" in early.err) == (2, True)
    run(noticed, "ramp", "10", "--yes")
    wait_until(lambda: len(noticed.events("notice.sent")) == 1)
    asked = len(noticed.service.asked)
    ran = noticed.json("notify", "users", "--dry-run", env=GIVEN)
    [row] = ran.document["notices"]
    assert (row["channel"], row["kind"], row["sent"]) == ("hook", "webhook", None)
    assert row["text"] == "We went back because no reason was given. Back at [eta]."
    assert "/hook" in run(noticed, "notify", "users", "--dry-run").out
    assert len(noticed.service.asked) == asked


def test_a_channel_that_fails_is_exit_4_with_its_answer(noticed: Project) -> None:
    run(noticed, "ramp", "10", "--yes")
    noticed.script("/hook", answer("who are you", status="401 Unauthorized"))
    ran = noticed.json("notify", "users", "--set", "eta=soon", env=GIVEN)
    assert ran.code == 4
    assert ran.document["notices"][0]["message"] == "status 401"
    assert noticed.events("notice.failed")[-1]["payload"]["reason"] == "status 401"
    unset = noticed.run("notify", "deploys", env={"HOOK_SECRET": SECRET})
    assert unset.code == 4
    assert "GRAFANA_TOKEN" in unset.out


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["notify"], "which notice?"),
        (["notify", "user"], "did you mean users?"),
        (["notify", "users"], "asks for eta and there is no terminal"),
        (["notify", "users", "--set", "eat=1"], "did you mean eta?"),
        (["notify", "users", "--set", "eta"], "asks for eta"),
        (["notify", "deploys", "--set", "eta=1"], "asks for nothing"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_what_to_type(noticed: Project, args: list[str], told: str) -> None:
    ran = run(noticed, *args)
    assert ran.code == 2
    assert told in ran.err
    assert sent_to(noticed, "/hook") == []


def test_without_notices_the_line_to_add_is_named(project: Project) -> None:
    ran = project.run("notify")
    assert (ran.code, "the playbook has no notices" in ran.err, "notices:" in ran.err) == (2, True, True)


def test_in_a_protected_environment_the_name_is_typed(noticed: Project) -> None:
    text = noticed.playbook.read_text().replace("    url: http", "    protected: true\n    url: http", 1)
    noticed.playbook.write_text(text.replace("because ${why}", "for a while"))
    refused = run(noticed, "notify", "users", "-e", "local", "--set", "eta=1", "--yes")
    assert (refused.code, "--confirm local" in refused.err) == (2, True)
    assert run(noticed, "notify", "users", "-e", "local", "--set", "eta=1", "--confirm", "local").code == 0


def emergency(project: Project) -> Ran:
    ran = run(project, "rollback", "--emergency", "--yes")
    assert (ran.code, "SAFE" in ran.out) == (0, True)
    assert project.config() == {"share": 0}
    return ran


def silent(until: threading.Event) -> Script:
    """A script that accepts and never answers while the test runs."""

    def script(connection: socket.socket, request: str) -> None:
        until.wait(20)

    return script


def late(connection: socket.socket, request: str) -> None:
    """Answers ten seconds later, if somebody still waits."""
    connection.settimeout(10)
    with suppress(TimeoutError):
        if connection.recv(1) == b"":
            return
    answer("{}")(connection, request)


@pytest.mark.parametrize("how", ["silent", "late", "refusing"])
def test_an_emergency_is_not_a_second_later_for_its_notifier(project: Project, how: str) -> None:
    project.at_first()
    without = emergency(project)
    ended = threading.Event()
    project.script("/hook", silent(ended) if how == "silent" else late)
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}" if how == "refusing" else f"{project.service.url}/hook"
        project.write(channels=f'{{hook: {{webhook: "{url}", timeout: 2s}}}}', notices=AUTO)
        with_notice = emergency(project)
        assert with_notice.seconds - without.seconds < 1.0, (with_notice, without)
        ended.set()
    assert [event["payload"]["outcome"] for event in project.events("operation.ended")] == ["done"] * 3


def test_what_had_no_answer_is_tried_again_and_the_sender_ends(noticed: Project) -> None:
    noticed.at_first()
    heard = threading.Event()

    def first_time_silent(connection: socket.socket, request: str) -> None:
        if not heard.is_set():
            heard.set()
            connection.recv(1)
            return
        answer("{}")(connection, request)

    noticed.script("/hook", first_time_silent)
    noticed.write(channels=f'{{hook: {{webhook: "{noticed.service.url}/hook", timeout: 1s}}}}', notices=AUTO)
    ran = emergency(noticed)
    assert "??  notify        hook: no answer yet, not waited for" in ran.err
    assert heard.wait(20)
    wait_until(lambda: len(noticed.events("notice.sent")) == 1, 20)
    wait_until(lambda: not senders(noticed), 5)
    assert len({body["id"] for _, body in sent_to(noticed, "/hook")}) == 1


def test_an_emergency_with_a_broken_playbook_tells_all_the_same(noticed: Project) -> None:
    run(noticed, "ramp", "10", "--yes")
    wait_until(lambda: len(noticed.events("notice.sent")) == 1)
    noticed.playbook.write_text("runbook: 1\nservice: [\n")
    ran = run(noticed, "rollback", "--emergency", "--yes", "-p", "ranker")
    assert ran.code == 0, ran
    wait_until(lambda: len(sent_to(noticed, "/api/annotations")) == 2)
    assert sent_to(noticed, "/api/annotations")[1][1]["text"] == "ranker first@10 -> safe: done"
    wait_until(lambda: not senders(noticed))
