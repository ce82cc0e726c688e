"""`runbook baseline`: the numbers that the ones after a change are held against."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.options import ReasonText, Shared
from runbook.cli.talk import say
from runbook.cli.wiring import open_site
from runbook.language.durations import parse_duration, show_duration
from runbook.language.units import show_value
from runbook.playbook.held_against import BASELINE
from runbook.rollout.baseline import wanted
from runbook.rollout.capturing import Taken, capture
from runbook.rollout.references import FEWEST, Numbers, counts_now, journey_of
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.document_rows import MetricRow
from runbook.show.page import Page
from runbook.store.state import Captured
from runbook.system.clock import local_day_and_clock, rfc3339
from runbook.system.refusals import Exit, Refusal

app = typer.Typer(no_args_is_help=True, help="The numbers that those after a change are held against.")


@app.callback()
def baseline() -> None:
    """The numbers that those after a change are held against: capture them, show them."""


@command(app, "capture")
def capture_now(
    shared: Shared,
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="5m", help="Look for so long first, in real time, also in a sandbox."),
    ] = None,
    reason: ReasonText = "",
) -> Answer:
    """Keep the numbers since the step was entered as the reference: of each metric mean, n and standard deviation.

    What was seen in that time counts, and one look now; ten samples of a metric are needed. The last one is replaced.

    Example: runbook baseline capture --for 5m
    """
    seconds = parse_duration(for_) if for_ else 0.0
    site = open_site(shared)
    if seconds:
        say(shared, f"  ..  looking for {show_duration(seconds)}; Ctrl-C ends it, and nothing is captured")
    taken = capture(site, seconds=seconds, reason=reason, shown=Counting(shared, site))
    return _taken(site, taken)


class Counting:
    """Tells once that there are samples enough."""

    def __init__(self, shared: Shared, site: Site) -> None:
        self._shared, self._site = shared, site
        self._looks, self._told = 0, False

    def __call__(self, numbers: Numbers) -> None:
        self._looks += 1
        counts = [numbers[name][1] if name in numbers else 0 for name in wanted(self._site)]
        if not self._told and min(counts, default=0) >= FEWEST:
            self._told = True
            if self._looks > 1:
                say(self._shared, f"  ok  {FEWEST} samples of every metric that is held against a baseline")


def _taken(site: Site, taken: Taken) -> Answer:
    captured = taken.captured
    where = _place(captured)
    least = min(n for _, n, _ in captured.numbers.values())
    message = f"captured {len(captured.numbers)} metrics of {where}, from {least:,} samples or more"
    if taken.replaced is not None:
        message += (
            f"; it replaces the one of {_place(taken.replaced)} by {taken.replaced.who} {_when(site, taken.replaced)}"
        )
    page = Page()
    page.verdict("GO", "baseline captured", site.name)
    page.line(f"  {message}")
    _table(page, site, captured)
    for name, why in taken.left_out.items():
        page.mark("--", name, f"left out: {why}")
    page.next("runbook gate", "runbook baseline show")
    return _answer(site, message, page, [BASELINE])


@command(app)
def show(shared: Shared) -> Answer:
    """The baseline, and the numbers of each stage that was left in this rollout: what `increase` and `@` mean now.

    Example: runbook baseline show --format json
    """
    site = open_site(shared)
    state = site.state()
    if site.store is None:
        raise Refusal(f"the store is away: {site.store_trouble}", exit_=Exit.UNKNOWN, next_steps=["runbook doctor"])
    page = Page()
    shown = _captured_by_name(site)
    for name, captured in shown.items():
        page.line(f"{name}  of {_place(captured)}, {captured.who} {_when(site, captured)}, {_counts(site, captured)}")
        _table(page, site, captured)
    if state.baseline is None:
        message = "no baseline was captured yet"
        page.line(message)
        stages = [stage.name for stage in site.playbook.stages if stage.baseline]
        if stages:
            page.line(f"ramp captures one itself when {' or '.join(stages)} is left")
        page.next("runbook baseline capture --for 5m")
    else:
        message = f"the baseline is of {_place(state.baseline)}; it {_counts(site, state.baseline)}"
    return _answer(site, message, page, list(shown))


def _captured_by_name(site: Site) -> dict[str, Captured]:
    """The baseline, and the stages of this rollout, in the order of the playbook."""
    state = site.state()
    stages = {
        stage.name: state.stages[stage.name]
        for stage in site.playbook.stages
        if stage.name in state.stages and counts_now(state, state.stages[stage.name])
    }
    return {BASELINE: state.baseline, **stages} if state.baseline is not None else stages


def _answer(site: Site, message: str, page: Page, names: list[str]) -> Answer:
    captured = _captured_by_name(site)
    rows = [row for name in names for row in _rows(site, name, captured[name])]
    return Answer(
        Exit.GO,
        message,
        page,
        site.playbook.service,
        site.environment.name,
        lists={
            "metrics": rows,
            "details": {"references": [_details(site, name, captured[name]) for name in names]},
        },
    )


def _details(site: Site, name: str, captured: Captured) -> dict[str, object]:
    return {
        "reference": name,
        "stage": captured.stage or None,
        "percent": captured.percent,
        "captured_at": rfc3339(captured.at),
        "captured_by": captured.who,
        "rollout": journey_of(captured),
        "counts": counts_now(site.state(), captured),
    }


def _place(captured: Captured) -> str:
    return f"{captured.stage}@{captured.percent:g}" if captured.stage else "the time before the first step"


def _when(site: Site, captured: Captured) -> str:
    return local_day_and_clock(captured.at, site.clock.wall())


def _counts(site: Site, captured: Captured) -> str:
    """Whether the numbers are what conditions are held against now."""
    if counts_now(site.state(), captured):
        return f"counts now (rollout {journey_of(captured)})"
    return f"does not count any more (it is of rollout {journey_of(captured)})"


def _table(page: Page, site: Site, captured: Captured) -> None:
    page.table(
        ("metric", "mean", "n", "spread"),
        [
            (name, show_value(mean, unit_of(site, name)), f"{n:,}", show_value(spread, unit_of(site, name)))
            for name, (mean, n, spread) in captured.numbers.items()
        ],
    )


def _rows(site: Site, reference: str, captured: Captured) -> list[MetricRow]:
    return [
        MetricRow(
            name=name,
            level="shown",
            status="pass",
            value=mean,
            unit=unit_of(site, name),
            observed=show_value(mean, unit_of(site, name)),
            n=n,
            spread=spread,
            reference=reference,
        )
        for name, (mean, n, spread) in captured.numbers.items()
    ]


def unit_of(site: Site, name: str) -> str | None:
    """The unit of a metric as the playbook has it now."""
    metric = site.playbook.metrics.get(name)
    return metric.unit if metric is not None else None
