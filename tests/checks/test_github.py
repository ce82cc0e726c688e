"""`github`: runs as GitHub's API lists them, its refusals, and whatever else answers in its place."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.checks.platforms.github import Github
from runbook.judge.verdicts import Reason, Status
from runbook.system.clock import local_clock, rfc3339
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, looked_all, measured, surroundings
from tests.hostile import BODIES, BROKEN
from tests.servers import Script, answer, closed_port, scripted

PATH = "/repos/team/shop/actions/workflows/ci.yml/runs"
PLAIN = {"github": "team/shop", "workflow": "ci.yml"}


def run(number: int, conclusion: str | None = "success", status: str = "completed", **more: Any) -> dict[str, Any]:
    """A run as the API writes it, that began two hours ago."""
    began = rfc3339(time.time() - more.pop("hours", 2) * 3600)
    return {
        "id": 30433642 + number,
        "name": "CI",
        "head_branch": "main",
        "head_sha": "009b8a3a9ccbb128af87f9b1c0f4c62e8a304f6d",
        "run_number": number,
        "run_attempt": 1,
        "event": "push",
        "status": status,
        "conclusion": conclusion,
        "html_url": f"https://github.test/team/shop/actions/runs/{30433642 + number}",
        "created_at": began,
        "updated_at": began,
        "run_started_at": began,
        "head_repository": {"id": 1, "name": "shop", "full_name": more.pop("of", "team/shop"), "private": False},
        **more,
    }


def runs(*several: dict[str, Any]) -> Script:
    date = f"Date: {formatdate(time.time(), usegmt=True)}\r\nContent-Type: application/json; charset=utf-8\r\n"
    return answer(json.dumps({"total_count": len(several), "workflow_runs": several}), headers=date)


def seen(script: Script, plain: dict[str, Any] | None = None, **more: Any) -> CheckResult:
    with scripted({PATH: script}) as server:
        return looked({**PLAIN, "api": server.url, **(plain or {})}, **more)


@pytest.mark.parametrize(
    ("listed", "status", "observed"),
    [
        ([run(7)], Status.PASS, "success"),
        ([run(7), run(6, "failure")], Status.PASS, "success"),
        ([run(6, "failure"), run(7)], Status.PASS, "success"),
        ([run(7, "failure"), run(6)], Status.FAIL, "failure"),
        ([run(7, "cancelled")], Status.FAIL, "cancelled"),
        ([run(7, "skipped")], Status.FAIL, "skipped"),
        ([run(7, "neutral")], Status.FAIL, "neutral"),
        ([run(7, "timed_out")], Status.FAIL, "timed out"),
        ([run(7, "action_required")], Status.FAIL, "action required"),
        ([run(7, "startup_failure")], Status.FAIL, "startup failure"),
        ([run(7, "stale")], Status.FAIL, "stale"),
        ([run(7, None)], Status.FAIL, "no conclusion"),
        ([run(7, "Success")], Status.FAIL, "Success"),
        ([run(7, None, "in_progress"), run(6)], Status.UNKNOWN, "in progress"),
        ([run(7, None, "queued")], Status.UNKNOWN, "queued"),
        ([run(7, None, "waiting")], Status.UNKNOWN, "waiting"),
        ([run(7, "success", "in_progress")], Status.UNKNOWN, "in progress"),
        ([run(8, "failure", of="somebody/shop"), run(7)], Status.PASS, "success"),
        ([run(8, of="somebody/shop"), run(7, "failure")], Status.FAIL, "failure"),
        ([run(8, of="Team/Shop")], Status.PASS, "success"),
        ([run(8, of="somebody/shop")], Status.UNKNOWN, ""),
        ([run(8, head_repository=None)], Status.UNKNOWN, ""),
        ([], Status.UNKNOWN, ""),
    ],
)
def test_the_newest_run(listed: list[dict[str, Any]], status: Status, observed: str) -> None:
    row = seen(runs(*listed))
    assert (row.status, row.observed) == (status, observed), row
    if status is Status.UNKNOWN:
        assert row.reason is (Reason.INCONCLUSIVE if observed else Reason.NODATA)
        assert row.message.startswith("waiting: run 7" if observed else "no run of ci.yml on main")
        if not observed and listed:
            assert row.message.endswith("; 1 run, but of another repository (fork)")
    else:
        assert "/actions/runs/30433" in row.message


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"newer_than": "3h"}, Status.PASS),
        ({"newer_than": "1h"}, Status.FAIL),
        ({"expect": "age < 3h"}, Status.PASS),
        ({"expect": "age < 1h"}, Status.FAIL),
        ({"expect": "attempt == 1"}, Status.PASS),
        ({"expect": "== success"}, Status.PASS),
        ({"expect": "age < 10%"}, Status.UNKNOWN),
    ],
)
def test_its_age(options: dict[str, Any], status: Status) -> None:
    row = seen(runs(run(7)), options)
    assert row.status is status, row
    if options == {"newer_than": "1h"}:
        assert (row.observed, row.expected) == ("success, 2 h ago", "newer than 1h")


def test_a_failed_run_fails_whatever_is_expected_of_it() -> None:
    assert seen(runs(run(7, "failure")), {"expect": "age < 3h"}).status is Status.FAIL


def test_an_age_that_is_not_told() -> None:
    untold = run(7, run_started_at=None, created_at="yesterday")
    assert seen(runs(untold)).status is Status.PASS
    assert seen(runs(untold), {"newer_than": "3h"}).status is Status.UNKNOWN


def test_what_is_asked() -> None:
    token = Variables(process={"GITHUB_TOKEN": "canary-of-github", "REPO": "team/shop"})
    with scripted({PATH: runs(run(7))}) as server:
        plain = {**PLAIN, "github": "${REPO}", "api": server.url, "token": "${GITHUB_TOKEN}", "branch": "feature/a&b"}
        row = looked(plain, variables=token)
        looked({**PLAIN, "api": f"{server.url}/", "sha": "a" * 40})
    assert row.status is Status.PASS, row
    assert "canary" not in repr(row)
    first, second = server.asked
    assert first.startswith(f"GET {PATH}?branch=feature%2Fa%26b&per_page=30 HTTP/1.1")
    assert "\r\nAuthorization: Bearer canary-of-github\r\n" in first
    assert "\r\nAccept: application/vnd.github+json\r\n" in first
    assert "\r\nUser-Agent: runbook/" in first
    assert second.startswith(f"GET {PATH}?head_sha={'a' * 40}&per_page=30 HTTP/1.1")
    assert "authorization" not in second.lower()


def test_a_value_is_never_read_again() -> None:
    """A branch may be called `${GITHUB_TOKEN}`; that does not send the token as its name."""
    process = {"GITHUB_TOKEN": "canary-of-github", "BRANCH": "$GITHUB_TOKEN"}
    with scripted({PATH: runs(run(7))}) as server:
        looked({**PLAIN, "api": server.url, "branch": "${BRANCH}"}, variables=Variables(process=process))
    assert "?branch=%24GITHUB_TOKEN&" in server.asked[0]


RESET = 4_000_000_000  # the same in every worker: it stands in the names of tests
USED_UP = f"X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: {RESET}\r\n"


@pytest.mark.parametrize(
    ("status", "headers", "body", "says"),
    [
        ("401 Unauthorized", "", '{"message": "Bad credentials"}', "does not accept the token"),
        ("403 Forbidden", USED_UP, '{"message": "API rate limit exceeded"}', f"before {local_clock(RESET)}; a token"),
        ("429 Too Many Requests", "Retry-After: 60\r\n", "{}", "takes no more requests for 60 s"),
        ("429 Too Many Requests", "Retry-After: soon\r\n", "", "takes no more requests; a token"),
        ("403 Forbidden", "", '{"message": "You have exceeded a secondary rate limit"}', "takes no more requests"),
        ("403 Forbidden", "", '{"message": "Resource not accessible"}', "(it takes actions: read): Resource not"),
        ("404 Not Found", "", '{"message": "Not Found"}', "GitHub has no workflow ci.yml in team/shop"),
        ("301 Moved Permanently", "Location: /repositories/1\r\n", "", "team/shop was moved"),
        ("500 Internal Server Error", "", "<html>", "answers with status 500: without a reason"),
        ("502 Bad Gateway", "", '{"message": "\\u001b[2J"}', "answers with status 502: \\x1b[2J"),
        ("204 No Content", "", "", "answers with status 204"),
    ],
)
def test_refusals(status: str, headers: str, body: str, says: str) -> None:
    row = seen(answer(body, status=status, headers=headers))
    assert (row.status, row.reason, row.observed) == (Status.UNKNOWN, Reason.ERROR, status[:3])
    assert says in row.message


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers(name: str) -> None:
    with scripted({PATH: BROKEN[name]}) as server:
        began = time.monotonic()
        checks = [{**PLAIN, "api": server.url}, {**PLAIN, "api": server.url, "expect": "age < 1d"}]
        rows = looked_all(checks, surroundings(seconds=0.5))
        assert time.monotonic() - began < 3
    for row in rows:
        assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR), row
        assert row.message


@pytest.mark.parametrize("name", BODIES)
def test_broken_bodies(name: str) -> None:
    row = seen(answer(BODIES[name]))
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert row.message.startswith("this does not answer as GitHub does")


@pytest.mark.parametrize(
    "changes",
    [
        {"run_number": "7"},
        {"run_number": 1e400},
        {"status": None},
        {"conclusion": True},
        {"conclusion": ["success"]},
        {"html_url": None},
        {"head_repository": "team/shop"},
        {"head_repository": {"name": "shop"}},
    ],
)
def test_runs_that_are_none(changes: dict[str, Any]) -> None:
    row = seen(runs({**run(7), **changes}))
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR), row


def test_nothing_reaches_the_terminal_raw() -> None:
    row = seen(runs(run(7, "\x1b[2Jsuccess", html_url="https://x\x1b]8;;y\x07")))
    assert row.status is Status.FAIL
    assert not any(ord(character) < 32 for character in row.observed + row.message)


def test_nobody_listens() -> None:
    with closed_port() as port:
        row = looked({**PLAIN, "api": f"http://127.0.0.1:{port}"})
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert "refused" in row.message


def test_as_a_measurement() -> None:
    with scripted({PATH: runs(run(7))}) as server:
        assert measured({**PLAIN, "api": server.url}).value == "success"
    with scripted({PATH: runs(run(7, "failure"))}) as server:
        assert measured({**PLAIN, "api": server.url}).status is Status.UNKNOWN


def test_what_is_wrong_before() -> None:
    for name in ("shop", "team/", "/shop", "a/b/c", "-a/b", "team/..", "team/a b", "", "team/shop?x=1"):
        assert a_check({**PLAIN, "github": name}).options.problems(), name
        row = looked({**PLAIN, "github": "${NAME}"}, variables=Variables(process={"NAME": name}))
        assert row.status is Status.UNKNOWN, name
    wrong = {"workflow": "../x", "branch": "a b", "sha": "abc", "newer_than": "7", "api": "github.test"}
    assert len(a_check({**PLAIN, **wrong}).options.problems()) == 5
    assert a_check({**PLAIN, "github": "${REPO}", "api": "${API}", "sha": "${SHA}"}).options.problems() == []
    assert a_check({**PLAIN, "workflow": "161335"}).options.problems() == []


def test_by_hand() -> None:
    options = a_check({**PLAIN, "token": "${GITHUB_TOKEN}", "branch": "${BRANCH}"}).options
    assert isinstance(options, Github)
    line = options.by_hand(None)
    assert line.startswith('curl -fsS -H "Authorization: Bearer ${GITHUB_TOKEN}" -H \'Accept: application/vnd')
    assert line.endswith(f'"https://api.github.com{PATH}?branch=${{BRANCH}}&per_page=30"')
    assert not options.presence()
    assert options.only_looks()
