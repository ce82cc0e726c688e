"""What is really answered now, as recorded answers that a test can begin with: secrets masked, bodies bounded."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from runbook.checks.asker import Asker
from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Status
from runbook.playbook.written import COMPARISON
from runbook.rollout.looking import measured_of, surroundings
from runbook.rollout.manual_items import BY_PEOPLE
from runbook.rollout.site import Site
from runbook.rollout.standing import standing_of
from runbook.system.clock import rfc3339
from runbook.system.harmless import harmless
from runbook.system.http_messages import HttpTrouble, Request, Response

LARGEST_BODY = 64 << 10  # characters; of a longer one the beginning is kept, as text
_HEADERS = frozenset({"content-type", "location", "retry-after"})


@dataclass
class Heard:
    """The answers of a look, by request; and the checks that asked."""

    answers: dict[str, Response | HttpTrouble] = field(default_factory=dict)


class ListeningAsker(Asker):
    """Asks as ever, and remembers what was answered."""

    def __init__(self, asks: Asker, heard: Heard) -> None:
        super().__init__()
        self._asks = asks
        self._heard = heard

    async def ask(self, request: Request, timeout: float) -> Response | HttpTrouble:
        answer = await self._asks.ask(request, timeout)
        self._heard.answers[f"{request.method} {request.url}"] = answer
        return answer

    def afresh(self) -> ListeningAsker:
        return ListeningAsker(self._asks.afresh(), self._heard)

    async def close(self) -> None:
        await self._asks.close()


def record(site: Site, deadline: float) -> dict[str, Any]:
    """Look at every check and metric once, changing nothing, and give what was answered as a document for a file.

    Requests stand under their method and path (their whole URL where the host is another one), all else under the id
    of the check. What people answer is left out.
    """
    from runbook.checks.runner import look_and_measure_now

    shown, _ = site.flags_or_trouble()
    here = standing_of(site.playbook, site.state(), shown).position
    percent, stage = (here.percent, here.stage) if here else (None, None)
    heard = Heard()
    around = surroundings(site, deadline, percent=percent, stage=stage, dry_run=True)
    around = replace(around, asker=ListeningAsker(around.asker, heard))
    checks = [*site.playbook.verify, *(check for listed in site.playbook.checklists.values() for check in listed)]
    results, measured = look_and_measure_now(checks, measured_of(site), around)
    base = (site.environment.url or "").rstrip("/")
    answers = {_key(key, base, site): _answered(answer, site) for key, answer in heard.answers.items()}
    for row in [*_flat(results), *measured.values()]:
        if (told := _told(row, row in measured.values())) is not None and not _asks(row):
            answers[row.check.full_id] = told
    return {
        "service": site.playbook.service,
        "environment": site.environment.name,
        "at": rfc3339(site.clock.wall()),
        "answers": answers,
    }


def _key(asked: str, base: str, site: Site) -> str:
    method, _, url = asked.partition(" ")
    path = url.removeprefix(base) if base and url.startswith(base) else url
    return site.masker.mask(f"{method} {path or '/'}")


def _answered(answer: Response | HttpTrouble, site: Site) -> dict[str, Any]:
    if isinstance(answer, HttpTrouble):
        return {"timeout": True} if answer.timed_out else {"down": True}
    told: dict[str, Any] = {"status": answer.status}
    headers = {name: site.masker.mask(value) for name, value in answer.headers if name in _HEADERS}
    if headers:
        told["headers"] = headers
    text = site.masker.mask(answer.body.decode("utf-8", "replace"))
    try:
        document = json.loads(text, parse_constant=lambda name: None) if len(text) <= LARGEST_BODY else None
    except (ValueError, RecursionError):
        document = None
    return {**told, "json": document} if document is not None else {**told, "text": text[:LARGEST_BODY]}


def _flat(results: Iterable[CheckResult]) -> Iterable[CheckResult]:
    for row in results:
        yield row
        yield from _flat(row.nested)


def _asks(row: CheckResult) -> bool:
    """Whether its answer stands among the requests already."""
    from runbook.checks.recorded import THROUGH_REQUESTS

    return row.check.kind in THROUGH_REQUESTS and row.check.kind != "flags"


def _told(row: CheckResult, is_metric: bool) -> Any:
    """How a check came out, or the value that its `expect` judges; None for what is not to be recorded."""
    if row.check.kind in BY_PEOPLE or row.status in (Status.SKIPPED, Status.WAIVED):
        return None
    if is_metric:
        return {"value": row.value} if row.status is Status.PASS else "unknown"
    plain = isinstance(row.value, int | float | str | bool)
    if (
        plain
        and row.check.expect is not None
        and COMPARISON.match(row.check.expect)
        and row.status is not Status.UNKNOWN
    ):
        return {"value": row.value}
    told = {"is": row.status.value, "message": harmless(row.message)}
    return told if row.message else row.status.value
