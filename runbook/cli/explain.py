"""`runbook explain`: the last decision, or an operation, rule by rule and number by number."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli import completing
from runbook.cli.boundary import command
from runbook.cli.options import Shared
from runbook.cli.wiring import open_site
from runbook.rollout.glance import glance_at
from runbook.rollout.receipts import Receipt, behind, last_operations, newest_receipt, receipt_of
from runbook.rollout.rows import Decision
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.decisions import next_lines
from runbook.show.documents import OperationDoc
from runbook.show.explain import Told, evidence_rows, explained_page, operation_page
from runbook.show.page import Page
from runbook.show.rows import event_row, rule_rows
from runbook.store.base import StoreAway
from runbook.store.events import Recorded
from runbook.system.clock import local_day_and_clock, rfc3339
from runbook.system.refusals import Exit, Refusal

app = typer.Typer()


@command(app)
def explain(
    shared: Shared,
    operation: Annotated[
        str | None,
        typer.Argument(
            metavar="[OPERATION]", help="An operation's id, or how it begins.", autocompletion=completing.operations
        ),
    ] = None,
) -> Answer:
    """The last decision: every rule with its value, limit, age and sample size, and the samples behind each gate.

    With an operation: its plan, the decision it was begun on, its steps with their times, and how it ended. From the
    store alone.

    Example: runbook explain
    """
    site = open_site(shared, tolerant=True)
    if site.store is None:
        raise _away(site.store_trouble)
    try:
        return _operation(site, operation) if operation is not None else _last(site)
    except StoreAway as away:
        raise _away(away.reason) from away


def _away(reason: str) -> Refusal:
    return Refusal(f"the store is away: {reason}", exit_=Exit.UNKNOWN, next_steps=["runbook doctor"])


def _last(site: Site) -> Answer:
    """The newest decision, of a look or of a step."""
    receipt, now = newest_receipt(site), site.clock.wall()
    if receipt is None:
        page = Page()
        page.line(f"nothing was decided yet in {site.name}")
        page.next("runbook gate  decides about the next step and keeps why")
        return _answer(site, "nothing was decided yet", page, ["runbook gate"])
    glance = glance_at(site)
    evidence = behind(glance.standing, glance.facts.series, receipt)
    page = explained_page(site.name, receipt, evidence, now)
    here = glance.standing.position
    if here is not None and receipt.at < here.baking_since:
        page.line(f"Since then {here.name} was entered, {local_day_and_clock(here.baking_since, now)}.")
    elif receipt.operation:
        page.line(f"On it the step was made: runbook explain {receipt.operation}", typed=True)
    decided = Decision(receipt.came_from, receipt.to, tuple(receipt.rows))
    first = glance.against.line if glance.against is not None else ""
    steps = next_lines(decided, onwards=[glance.step.command], first=first, explains="runbook gate  looks again")
    page.next(*steps)
    answer = _answer(site, f"{receipt.verdict}, by {receipt.about} of {receipt.who}", page, steps)
    answer.lists |= {"rules": rule_rows(receipt.rows), "samples": evidence_rows(evidence)}
    answer.lists["details"] = _told_of(receipt)
    return answer


def _told_of(receipt: Receipt) -> dict[str, object]:
    return {
        "verdict": receipt.verdict, "decided_at": rfc3339(receipt.at), "by": receipt.who, "about": receipt.about,
        "from": receipt.came_from, "to": receipt.to,
    }  # fmt: skip


def _operation(site: Site, wanted: str) -> Answer:
    """One operation, by its id or how it begins. Raises `Refusal` for none or several."""
    started = _found(site, wanted)
    identity, now = started.event.operation or "", site.clock.wall()
    assert site.store is not None  # looked at before
    events = site.store.events(site.chain, operation=identity)
    ended = next((one for one in reversed(events) if one.event.kind == "operation.ended"), None)
    others = [one for one in events if one.event.kind not in ("operation.started", "operation.ended")]
    receipt = receipt_of(started)
    page = operation_page(Told(started, ended, others), receipt, now)
    steps = ["runbook status"] if ended is not None else ["runbook resume"]
    page.next(*steps)
    payload, told = started.event.payload, ended.event.payload if ended is not None else {}
    document = OperationDoc(
        id=identity,
        kind=str(payload.get("kind", "")),
        state=str(told.get("outcome", "not ended")),
        to=str(payload.get("to", "")),
        by=started.event.who.operator,
        began_at=rfc3339(started.event.at / 1_000_000),
        message=str(told.get("message", "")),
    )
    answer = _answer(site, f"{document.kind} to {document.to}: {document.state}", page, steps)
    answer.lists |= {"operation": document, "events": [event_row(one) for one in events]}
    if receipt is not None:
        answer.lists |= {"rules": rule_rows(receipt.rows)}
    return answer


def _found(site: Site, wanted: str) -> Recorded:
    known = last_operations(site, 10_000)
    found = [one for one in known if wanted and (one.event.operation or "").startswith(wanted)]
    if len(found) == 1:
        return found[0]
    lines = [_line(site, one) for one in (found or known)[:5]]
    if found:
        raise Refusal(f"several operations begin with {wanted}", next_steps=lines)
    message = f"there is no operation {wanted!r}" + ("; the last ones:" if lines else "; nothing was changed yet")
    raise Refusal(message, next_steps=lines or ["runbook explain"])


def _line(site: Site, one: Recorded) -> str:
    payload, at = one.event.payload, one.event.at / 1_000_000
    when = local_day_and_clock(at, site.clock.wall())
    return f"runbook explain {one.event.operation}  {when} {payload.get('kind')} to {payload.get('to')}"


def _answer(site: Site, message: str, page: Page, steps: list[str]) -> Answer:
    return Answer(Exit.GO, message, page, site.playbook.service, site.environment.name, lists={"next": list(steps)})
