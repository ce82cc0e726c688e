"""`runbook health-check`: metrics and endpoints now."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.by_hand import Curl, lines_by_hand
from runbook.cli.check_places import with_places
from runbook.cli.options import JUDGED, Deadline, Shared, Strict, deadline_of
from runbook.cli.wiring import open_bench, open_site
from runbook.judge.verdicts import Verdict
from runbook.rollout.facts import look_from_here
from runbook.rollout.health import MetricHealth, health_of, verdict_of_health
from runbook.rollout.looking import Look, measured_of
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.checked import AGAINST, Aside, aside_of, check_lines, in_warnings, phases_in_words, warnings_in
from runbook.show.decisions import WORDS
from runbook.show.page import Page, pasteable
from runbook.show.rows import check_rows, metric_row
from runbook.system.refusals import Refusal, exit_of

app = typer.Typer()


@command(app, "health-check", formats=JUDGED)
def health_check(
    shared: Shared,
    routine: Annotated[str | None, typer.Argument(metavar="[ROUTINE]", help="Routines are not supported yet.")] = None,
    strict: Strict = False,
    deadline: Deadline = "30s",
    curl: Curl = False,
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
    site = open_site(shared, bench=open_bench(shared, looks=True))
    presence = [check for check in site.playbook.verify if check.options.presence()]
    if curl:
        return lines_by_hand(shared, site, "health-check", presence, measured_of(site))
    sight = look_from_here(site, presence, within)
    aside = aside_of(site, sight.look.checks, strict=strict, verbose=shared.verbose)
    answer = _answer(site, sight.look, health_of(site.playbook, sight.facts), aside)
    with_places(shared, site, answer.lists["checks"])
    return answer


def _answer(site: Site, seen: Look, rows: list[MetricHealth], aside: Aside) -> Answer:
    verdict = verdict_of_health(rows, seen.checks, strict=aside.strict)
    metrics = [metric_row(row, strict=aside.strict) for row in rows]
    warned = warnings_in(seen.checks, strict=aside.strict) + sum(not row.counts for row in metrics)
    page = Page()
    page.verdict(WORDS[verdict], site.name, in_warnings(warned))
    check_lines(page, seen.checks, aside)
    _phases_of_metrics(page, seen, aside)
    page.table(
        ("metric", "now", "target", "warning", "critical", "is"),
        [(row.name, row.observed or row.message, row.target, row.warning, row.critical, row.level) for row in rows],
    )
    steps = ["runbook gate" if verdict is Verdict.GO else "runbook incident open", "runbook status"]
    page.next(*steps)
    bad = [
        f"{row.name} {row.observed or row.message} is {row.level}" for row in rows if row.level not in ("ok", "shown")
    ]
    bad += [f"{row.check.title}: {row.message or row.observed}" for row in seen.checks if row.status in AGAINST]
    return Answer(
        exit_of(verdict),
        "; ".join(bad) or "every metric is inside its limits",
        page,
        site.playbook.service,
        site.environment.name,
        lists={"checks": check_rows(seen.checks, aside), "metrics": metrics, "next": [pasteable(one) for one in steps]},
        judged=True,
    )


def _phases_of_metrics(page: Page, seen: Look, aside: Aside) -> None:
    """Under --verbose the parts of the request behind each metric."""
    for name, row in seen.metrics.items():
        if aside.verbose and row.phases:
            page.under(f"{name}: {phases_in_words(row.phases)}")
