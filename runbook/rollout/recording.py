"""What is really answered now, as recorded answers that a test can begin with: secrets masked, bodies bounded."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from runbook.checks.asker import Asker
from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Status
from runbook.playbook.written import COMPARISON
from runbook.rollout.looking import measured_of, surroundings
from runbook.rollout.manual_items import BY_PEOPLE
from runbook.rollout.recording_masks import Masks
from runbook.rollout.recording_places import Kept, Origin, placed
from runbook.rollout.site import Site
from runbook.rollout.standing import standing_of
from runbook.rollout.trial_site import stand_ins
from runbook.system.clock import rfc3339
from runbook.system.harmless import harmless
from runbook.system.http_messages import HttpTrouble, Request, Response
from runbook.system.refusals import Refusal
from runbook.system.secrets import VariableTrouble
from runbook.system.variables import Variables

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


@dataclass
class ListeningVariables(Variables):
    """Fills in as ever, and remembers for each URL how a test fills it in, which knows none of the real values."""

    of_tests: Variables = field(default_factory=Variables)
    urls: dict[str, str] = field(default_factory=dict)

    def url(self, template: str) -> str:
        filled = super().url(template)
        with contextlib.suppress(VariableTrouble):
            self.urls[filled] = self.of_tests.url(template)
        return filled


def record(site: Site, deadline: float) -> dict[str, Any]:
    """Look at every check and metric once, changing nothing, and give what was answered as a document for a file.

    Requests stand under their method and path (their whole URL where the host is another one) as a test asks them, all
    else under the id of the check. What people answer is left out. `cut` names what is kept only in part.
    """
    from runbook.checks.runner import look_and_measure_now

    shown, _ = site.flags_or_trouble()
    here = standing_of(site.playbook, site.state(), shown).position
    percent, stage = (here.percent, here.stage) if here else (None, None)
    heard = Heard()
    around = surroundings(site, deadline, percent=percent, stage=stage, dry_run=True)
    variables = _listening(around.variables, site)
    around = replace(around, asker=ListeningAsker(around.asker, heard), variables=variables)
    checks = [*site.playbook.verify, *(check for listed in site.playbook.checklists.values() for check in listed)]
    results, measured = look_and_measure_now(checks, measured_of(site), around)
    _learn_secrets(variables)
    masks = Masks(site.masker, frozenset(variables.of_tests.declared.values()))
    answered = {asked: _answered(answer, masks) for asked, answer in heard.answers.items()}
    answers, cut = placed(answered, Origin(site.environment.url or "", variables.urls), masks)
    for row in [*_flat(results), *measured.values()]:
        if (told := _told(row, row in measured.values())) is not None and not _asks(row):
            answers[row.check.full_id] = masks.tree(told)
    document = {
        "service": site.playbook.service,
        "environment": site.environment.name,
        "at": rfc3339(site.clock.wall()),
        "answers": answers,
    }
    return {**document, "cut": cut} if cut else document


def written(document: dict[str, Any], site: Site) -> bytes:
    """The document as it is kept, masked once more as a whole. Raises `Refusal` where that would spoil it."""
    text = site.masker.mask(json.dumps(document, indent=2, ensure_ascii=False))
    try:
        kept = json.loads(text)
    except ValueError:
        kept = {}
    if not isinstance(kept, dict) or not isinstance(kept.get("answers"), dict):
        raise Refusal(
            "a secret of this playbook is a word that every file of answers holds, so nothing was kept",
            next_steps=["give the service a longer secret, and record again"],
        )
    return text.encode() + b"\n"


def _listening(variables: Variables, site: Site) -> ListeningVariables:
    """The variables, listening; and those of a test: stand-ins for what it cannot know, the same places else."""
    declared = {**stand_ins(site.playbook), **site.environment.variables}
    of_tests = Variables(declared=declared, context=variables.context)
    given = {one.name: getattr(variables, one.name) for one in fields(variables) if not one.name.startswith("_")}
    return ListeningVariables(**given, of_tests=of_tests)


def _learn_secrets(variables: Variables) -> None:
    """The declared secrets that no check needed: the service may tell them all the same. No command is run for it."""
    for name, secret in variables.secrets.items():
        if not secret.command:
            with contextlib.suppress(VariableTrouble):
                variables.is_set(name)


def _answered(answer: Response | HttpTrouble, masks: Masks) -> Kept:
    if isinstance(answer, HttpTrouble):
        return Kept({"timeout": True} if answer.timed_out else {"down": True})
    told: dict[str, Any] = {"status": answer.status}
    headers = {name: masks.text(value) for name, value in answer.headers if name in _HEADERS}
    if headers:
        told["headers"] = headers
    try:
        document = masks.tree(json.loads(answer.body, parse_constant=lambda name: None))
    except (ValueError, RecursionError):
        text = masks.page(_text_of(answer))
    else:
        text = json.dumps(document, ensure_ascii=False)
        if len(text) <= LARGEST_BODY and document is not None:
            return Kept({**told, "json": document})
    return Kept({**told, "text": text[:LARGEST_BODY]}, cut=len(text) > LARGEST_BODY)


def _text_of(answer: Response) -> str:
    """The body as text, in the encoding that it names; bytes that are none in it are shown as such."""
    found = re.search(r"charset=[\"']?([\w.:-]+)", answer.header("content-type") or "")
    try:
        return answer.body.decode(found[1] if found else "utf-8", "replace")
    except (LookupError, ValueError):
        return answer.text


def _flat(results: Iterable[CheckResult]) -> Iterable[CheckResult]:
    for row in results:
        yield row
        yield from _flat(row.nested)


def _asks(row: CheckResult) -> bool:
    """Whether its answer stands among the requests already."""
    from runbook.checks.recorded import THROUGH_REQUESTS

    if row.check.kind == "flags":  # what it reads in the file is not asked
        return getattr(row.check.options, "flags", None) == "live"
    return row.check.kind in THROUGH_REQUESTS


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
