"""The kinds that read from a network, one row each: how a check of it is written, and what an honest answer is.

A kind of the registry that stands neither here nor among those that read no network fails a test.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbook.checks.base import CheckResult, Surroundings
from runbook.checks.registry import KINDS
from runbook.flags.target import FlagFile
from runbook.judge.verdicts import Status
from tests.checks.hostile.peers import Peer
from tests.checks.looking import looked_all, surroundings
from tests.servers import Script, answer

NO_NETWORK = frozenset(
    {"command", "run", "file", "disk", "machine", "log", "variables", "systemd", "git", "sign", "all"}
)
POISON = "POISON"  # stands in an answer where a text of the other side is shown


@dataclass(frozen=True)
class Row:
    """One check of a kind that speaks HTTP.

    `check` holds `{url}` and `{socket}`; `gone` is how it ends where nothing usable answers; `honest` makes the body of
    an answer with which it passes (None: it does not look at the body). `poisoned` are bodies with POISON in them, and
    `quiet` one that shows nothing of them; `but` are the bodies of `tests.hostile` that are an honest answer to it.
    """

    name: str
    check: Mapping[str, Any]
    gone: Status = Status.UNKNOWN
    honest: Callable[[], str] | None = None
    poisoned: Sequence[str] = ()
    quiet: bool = False
    but: frozenset[str] = field(default_factory=frozenset)

    @property
    def kind(self) -> str:
        return next(key for key in self.check if key in KINDS)

    def against(self, peer: Peer) -> dict[str, Any]:
        """The check as it is written against this peer."""
        text = json.dumps(self.check).replace("{url}", peer.url).replace("{socket}", str(peer.path))
        check: dict[str, Any] = json.loads(text)
        return check


def _vector(value: str = "0.5", labels: str = "{}", more: str = "") -> str:
    return (
        '{"status": "success", "data": {"resultType": "vector", "result": '
        f'[{{"metric": {labels}, "value": [{time.time():.3f}, "{value}"]}}{more}]}}}}'
    )


def _two_series(text: str) -> str:
    one = '{"metric": {"%s": "%s"}, "value": [1, "1"]}'
    return (
        '{"status": "success", "data": {"resultType": "vector", "result": ['
        + one % ("job", text) + ", " + one % ("job", text + "2") + "]}}"
    )  # fmt: skip


def _run(conclusion: str = "success", text: str = "ci") -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    run = {
        "id": 1, "run_number": 7, "run_attempt": 1, "name": text, "display_title": text, "status": "completed",
        "conclusion": conclusion, "head_branch": "main", "head_sha": "a" * 40, "event": "push", "path": text,
        "html_url": f"https://github.com/o/r/actions/runs/1{text}", "created_at": now, "updated_at": now,
        "run_started_at": now, "head_repository": {"full_name": "o/r", "id": 1},
        "repository": {"full_name": "o/r", "id": 1},
    }  # fmt: skip
    return json.dumps({"total_count": 1, "workflow_runs": [run]})


def _container(status: str = "running", text: str = "nginx") -> str:
    return json.dumps(
        {
            "Id": "abc", "Name": "/web", "Created": "2026-01-02T03:04:05Z", "Image": "sha256:aaa", "RestartCount": 0,
            "Config": {"Image": text, "Labels": {}},
            "State": {
                "Status": status, "Running": True, "StartedAt": "2026-01-02T03:04:05Z", "ExitCode": 1, "Error": text
            },
        }
    )  # fmt: skip


ALERT = {
    "labels": {"alertname": POISON, "severity": POISON}, "annotations": {"summary": POISON}, "fingerprint": POISON,
    "startsAt": "2026-01-02T03:04:05Z", "endsAt": "2036-01-02T03:04:05Z", "updatedAt": "2026-01-02T03:04:05Z",
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []}, "receivers": [{"name": "x"}],
    "generatorURL": POISON,
}  # fmt: skip

HTTP_ROWS: tuple[Row, ...] = (
    Row(
        "http value",
        {"http": "{url}/", "jq": ".value", "expect": "> 0.5 and value < 1000000"},
        honest=lambda: '{"value": 1}',
        poisoned=['{"value": "POISON"}', "POISON", '{"POISON": 1}'],
    ),
    Row("http is there", {"http": "{url}/", "status": 200}, gone=Status.FAIL),
    Row("http text", {"http": "{url}/", "matches": "^ready (\\d+)", "expect": "> 5"}, honest=lambda: "ready 7"),
    Row(
        "http list",
        {"http": "{url}/", "list": ".[].name", "expect": "== x"},
        poisoned=['[{"name": "POISON"}]', '[{"name": {"POISON": 1}}]'],
    ),
    Row("http header", {"http": "{url}/", "header": "x-share", "expect": "> 5"}),
    Row(
        "prometheus",
        {"prometheus": "{url}", "query": "vector(1)", "expect": "< 1 and value > 0"},
        honest=_vector,
        poisoned=[
            _two_series(POISON),
            '{"status": "error", "errorType": "POISON", "error": "POISON"}',
            '{"status": "POISON", "data": {}}',
            '{"status": "success", "warnings": ["POISON"], "data": {"resultType": "vector", "result": []}}',
            '{"status": "success", "data": {"resultType": "POISON", "result": []}}',
            _vector("POISON"),
        ],
    ),
    Row(
        "scrape",
        {"scrape": "{url}/metrics", "metric": "shares", "expect": "> 0"},
        honest=lambda: "# TYPE shares gauge\nshares 1\n",
        poisoned=[
            'shares{a="POISON"} 1\nshares{a="POISON2"} 1\n', "shares POISON\n", "POISON\n", "# TYPE shares POISON\n"
        ],
    ),
    Row(
        "alertmanager",
        {"alertmanager": "{url}"},
        honest=lambda: "[]",
        poisoned=[json.dumps([ALERT]), '{"error": "POISON"}', '"POISON"'],
        but=frozenset({"empty list"}),
    ),
    Row(
        "ollama",
        {"ollama": "{url}", "models": ["llama3"]},
        gone=Status.FAIL,
        honest=lambda: '{"models": [{"name": "llama3:8b"}]}',
        quiet=True,
        poisoned=['{"models": [{"name": "POISON"}]}', '{"models": "POISON"}', '{"POISON": 1}'],
    ),
    Row(
        "github",
        {"github": "o/r", "workflow": "ci.yml", "api": "{url}"},
        honest=_run,
        poisoned=[_run("POISON", "POISON"), '{"message": "POISON"}', _run("failure", "POISON")],
    ),
    Row(
        "docker",
        {"docker": "web", "socket": "{socket}"},
        gone=Status.FAIL,
        honest=_container,
        poisoned=[_container("POISON", "POISON"), '{"message": "POISON"}', _container("exited", "POISON")],
    ),
    Row(
        "flags live",
        {"flags": "live", "from": "{url}/config", "map": {"SHARE": ".value"}},
        honest=lambda: '{"value": 10}',
        poisoned=['{"value": "POISON"}', '{"value": {"POISON": 1}}'],
    ),
    Row(
        "cosmos",
        {
            "cosmos": "{url}", "database": "d", "container": "c", "key": "a2V5", "expect": "> 0.5 and value < 1000000",
            "query": "select value 1",
        },
        poisoned=['{"code": "POISON", "message": "POISON"}', '{"POISON": 1}', "POISON"],
    ),
    Row("load", {"load": "{url}/", "requests": 4, "concurrency": 2, "expect": "errors < 1% and p95 < 3s"}),
)  # fmt: skip
ROWS = tuple(row for row in HTTP_ROWS if any(key in KINDS for key in row.check))


def told(body: bytes | str, status: str = "200 OK") -> Script:
    """A whole answer that calls itself JSON, as all that are honest do."""
    return answer(body, status=status, headers="Content-Type: application/json\r\n")


def around_in(folder: Path, *, seconds: float, **more: Any) -> Surroundings:
    """The surroundings of a look, with a flag file that shows `SHARE=10`."""
    (folder / "service.env").write_text("SHARE=10\n")
    file = FlagFile(folder, "service.env", False, folder / "state")
    return surroundings(folder, seconds=seconds, flag_files=[file], **more)


def looked_at(rows: Sequence[Row], peer: Peer, folder: Path, *, seconds: float, **more: Any) -> list[CheckResult]:
    """The rows of all these checks, looked at together."""
    return looked_all([row.against(peer) for row in rows], around_in(folder, seconds=seconds, **more))
