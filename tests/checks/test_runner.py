"""Many checks at once: one deadline, equal requests once, attempts, waivers, dry runs, and one that breaks."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import Answer, Check, Finding, Kind, Surroundings, Waiver
from runbook.checks.runner import look_and_measure_now, look_now
from runbook.judge.verdicts import Reason, Status
from tests.checks.looking import a_check, looked, looked_all, surroundings
from tests.hostile import hang
from tests.servers import answer, scripted


@dataclass
class Kept:
    """Kept answers, by check."""

    answers: dict[str, Answer] = field(default_factory=dict)
    waivers: dict[str, Waiver] = field(default_factory=dict)

    def answer(self, check_id: str, title: str) -> Answer | None:
        return self.answers.get(check_id)

    def waiver(self, check_id: str) -> Waiver | None:
        return self.waivers.get(check_id)


def test_all_at_once() -> None:
    together = threading.Barrier(8)

    def meet(connection: Any, request: str) -> None:
        together.wait(5)
        answer("ok")(connection, request)

    with scripted({f"/{n}": meet for n in range(8)}) as server:
        rows = looked_all([{"http": f"/{n}"} for n in range(8)], url=server.url)
    assert {row.status for row in rows} == {Status.PASS}


def test_equal_requests_are_made_once() -> None:
    body = '{"a": 1, "b": 2}'
    with scripted({"/n": answer(body), "/h": answer("ok")}) as server:
        checks = [{"http": "/n", "jq": f".{key}"} for key in "abab"] + [{"http": "/n"}, {"http": f"{server.url}/n"}]
        metrics = {"a": a_check(checks[0]), "b": a_check(checks[1]), "h": a_check({"http": "/h"})}
        rows, found = look_and_measure_now([a_check(check) for check in checks], metrics, surroundings(url=server.url))
        assert len(server.asked) == 2
        looked_all(
            [{"http": "/h"}, {"http": "/h", "headers": {"X-A": "b"}}, {"http": "/h", "method": "HEAD"}], url=server.url
        )
        assert len(server.asked) == 5
    assert [row.value for row in rows[:4]] == [1, 2, 1, 2]
    assert (found["a"].value, found["b"].value, found["h"].value) == (1, 2, "ok")


def test_the_same_asker_serves_another_look_afresh() -> None:
    with scripted({"/": answer("ok")}) as server:
        around = surroundings(url=server.url)
        for _ in range(2):
            assert look_now([a_check({"http": "/"})], around)[0].status is Status.PASS
        assert len(server.asked) == 2


def test_no_more_than_its_share_at_one_host() -> None:
    now, most, lock = [0], [0], threading.Lock()

    def count(connection: Any, request: str) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        answer("ok")(connection, request)

    with scripted({f"/{n}": count for n in range(100)}) as server:
        rows = looked_all([{"http": f"/{n}"} for n in range(100)], url=server.url)
    assert {row.status for row in rows} == {Status.PASS}
    assert 8 < most[0] <= 32


def test_one_deadline_for_all() -> None:
    with scripted({"/hang": hang, "/ok": answer("ok")}) as server:
        began = time.monotonic()
        checks: list[dict[str, Any]] = [
            {"http": "/hang"},
            {"http": "/hang", "jq": ".a"},
            {"http": "/ok"},
            {"run": "sleep 30", "reads": True},
        ]
        checks += [{"all": [{"http": "/hang"}, {"http": "/ok"}]}]
        rows = looked_all(checks, surroundings(url=server.url, seconds=0.5))
        assert time.monotonic() - began < 1.5
    statuses = [row.status for row in rows]
    assert statuses == [Status.FAIL, Status.UNKNOWN, Status.PASS, Status.UNKNOWN, Status.FAIL]
    assert [row.status for row in rows[4].nested] == [Status.FAIL, Status.PASS]


def test_each_attempt_has_its_own_time() -> None:
    with scripted({"/": hang}) as server:
        row = looked({"http": "/", "timeout": 0.2, "attempts": 2}, url=server.url)
        assert len(server.asked) == 2
    assert row.status is Status.FAIL
    assert 0.4 < row.duration < 3


def test_attempts_end_with_the_first_pass() -> None:
    def second_time(connection: Any, request: str) -> None:
        answer("2" if len(server.asked) > 1 else "1")(connection, request)

    with scripted({"/": second_time}) as server:
        assert looked({"http": "/", "jq": ".", "expect": "== 2", "attempts": 5}, url=server.url).status is Status.PASS
        assert len(server.asked) == 2


def test_a_kind_that_breaks_is_its_own_row() -> None:
    class Broken(Kind, frozen=True, kw_only=True):
        async def look(self, around: Surroundings) -> Finding:
            raise ZeroDivisionError("on purpose")

    broken = Check(title="Broken", id="broken", kind="http", options=Broken())
    rows = look_now([broken, a_check({"run": "true"})], surroundings())
    assert (rows[0].status, rows[0].reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "ZeroDivisionError" in rows[0].message
    assert rows[1].status is Status.PASS


@pytest.mark.parametrize(
    ("check", "environment", "status"),
    [
        ({"run": "true", "only": ("staging",)}, "staging", Status.PASS),
        ({"run": "true", "only": ("production",)}, "staging", Status.SKIPPED),
        ({"run": "true", "unless": ("staging",)}, "staging", Status.SKIPPED),
        ({"run": "true", "unless": ("production",)}, "staging", Status.PASS),
    ],
)
def test_only_and_unless(check: dict[str, Any], environment: str, status: Status) -> None:
    assert looked(check, environment=environment).status is status


def test_a_dry_run_looks_only_at_what_is_harmless(tmp_path: Path) -> None:
    with scripted({"/": answer("ok")}) as server:
        checks: list[dict[str, Any]] = [
            {"http": "/"},
            {"file": "/etc"},
            {"run": "touch canary"},
            {"command": ["touch", "canary"]},
            {"http": "/", "method": "POST"},
            {"run": "true", "reads": True},
            {"all": [{"run": "touch canary"}, {"http": "/"}]},
            {"all": [{"run": "touch canary"}]},
        ]
        rows = looked_all(checks, url=server.url, project=tmp_path, dry_run=True)
        assert all(request.startswith("GET") for request in server.asked)
    wanted = [Status.PASS] * 2 + [Status.SKIPPED] * 3 + [Status.PASS] * 2 + [Status.SKIPPED]
    assert [row.status for row in rows] == wanted
    assert "not looked at" in rows[2].message
    assert not (tmp_path / "canary").exists()


def test_waivers_until_they_expire() -> None:
    now = time.time()
    kept = Kept(waivers={"lists/a": Waiver("jo", now + 3600, "no traffic"), "lists/b": Waiver("jo", now - 1, "late")})
    checks = [a_check({"run": "false", "id": name}) for name in ("a", "b")]
    import msgspec

    rows = look_now([msgspec.structs.replace(check, checklist="lists") for check in checks], surroundings(answers=kept))
    assert [row.status for row in rows] == [Status.WAIVED, Status.FAIL]
    assert "by jo: no traffic" in rows[0].message


def test_expect_sees_the_built_in_values() -> None:
    row = looked({"run": "echo 10", "expect": "== percent"}, builtins={"percent": 10})
    assert row.status is Status.PASS


def test_a_row_that_cannot_be_judged_is_unknown() -> None:
    for expect in ("< 5%%", "> fish", "==", "< 3s"):
        assert looked({"run": "echo text", "expect": expect}).status is not Status.PASS


def test_no_checks_no_rows() -> None:
    assert looked_all([]) == []


def test_a_thread_that_hangs_does_not_hold_the_process(tmp_path: Path) -> None:
    code = """
import time, runbook.checks.here.file as file
file._newest = lambda *a: time.sleep(600)
from tests.checks.looking import looked, surroundings
print(looked({"file": "x"}, surroundings(seconds=0.3)).status)
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "unknown\n"
    assert time.monotonic() - began < 5
