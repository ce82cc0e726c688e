"""`runbook health-check`: metrics and endpoints now."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Deadline, Shared, Strict, deadline_of
from runbook.cli.wiring import open_site
from runbook.judge.verdicts import Status, Verdict
from runbook.rollout.facts import look_from_here
from runbook.rollout.health import MetricHealth, health_of, verdict_of_health
from runbook.rollout.looking import Look
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.decisions import WORDS, check_lines
from runbook.show.documents import MetricRow
from runbook.show.page import Page
from runbook.show.rows import check_rows
from runbook.system.refusals import Refusal, exit_of

app = typer.Typer()


@command(app, "health-check")
def health_check(
    shared: Shared,
    routine: Annotated[str | None, typer.Argument(metavar="[ROUTINE]", help="Routines are not supported yet.")] = None,
    strict: Strict = False,
    deadline: Deadline = "30s",
) -> Answer:
    """Metrics and endpoints now, against target, warning and critical.

    Critical or an endpoint that is down is exit 1, a warning or a missed target 0 (1 under --strict), unknown 3.

    Example: runbook health-check -e production
    """
    if routine is not None:
        raise Refusal(
            f"routines are not supported yet, so {routine!r} cannot be run", next_steps=["runbook health-check"]
        )
    within = deadline_of(deadline)
    site = open_site(shared)
    presence = [check for check in site.playbook.verify if check.options.presence()]
    sight = look_from_here(site, presence, within)
    return _answer(site, sight.look, health_of(site.playbook, sight.facts), strict=strict)


def _answer(site: Site, seen: Look, rows: list[MetricHealth], *, strict: bool) -> Answer:
    verdict = verdict_of_health(rows, seen.checks, strict=strict)
    page = Page()
    page.verdict(WORDS[verdict], site.name)
    check_lines(page, seen.checks)
    page.table(
        ("metric", "now", "target", "warning", "critical", "is"),
        [(row.name, row.observed or row.message, row.target, row.warning, row.critical, row.level) for row in rows],
    )
    page.next("runbook gate" if verdict is Verdict.GO else "runbook incident open", "runbook status")
    bad = [
        f"{row.name} {row.observed or row.message} is {row.level}" for row in rows if row.level not in ("ok", "shown")
    ]
    bad += [f"{row.check.title}: {row.message or row.observed}" for row in seen.checks if row.status is not Status.PASS]
    return Answer(
        exit_of(verdict),
        "; ".join(bad) or "every metric is inside its limits",
        page,
        site.playbook.service,
        site.environment.name,
        lists={"checks": check_rows(seen.checks), "metrics": [_doc(row) for row in rows]},
    )


def _doc(row: MetricHealth) -> MetricRow:
    value = row.value if isinstance(row.value, (float, int, str)) and not isinstance(row.value, bool) else None
    return MetricRow(
        name=row.name, level=row.level, status=row.status.value, value=value, unit=row.unit, observed=row.observed,
        target=row.target, warning=row.warning, critical=row.critical, reason=row.reason.value if row.reason else None,
        message=row.message, age=row.age,
    )  # fmt: skip
