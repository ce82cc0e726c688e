"""`runbook history`: the event log."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli import completing
from runbook.cli.boundary import command
from runbook.cli.options import Last, Shared
from runbook.cli.wiring import open_site
from runbook.incidents.words import words_of
from runbook.language.durations import parse_duration
from runbook.show.answer import Answer
from runbook.show.page import Page
from runbook.show.rows import event_row
from runbook.store.base import StoreAway
from runbook.store.events import Recorded
from runbook.system.clock import microseconds, utc
from runbook.system.refusals import Exit, Refusal

app = typer.Typer()


@command(app)
def history(
    shared: Shared,
    last: Last = None,
    since: Annotated[str | None, typer.Option("--since", metavar="2h", help="Not older than this.")] = None,
    operation: Annotated[
        str | None,
        typer.Option("--operation", metavar="ID", help="Of one operation.", autocompletion=completing.operations),
    ] = None,
) -> Answer:
    """What happened, oldest first: every operation, position, incident, hold and answer with who and when.

    Example: runbook history --since 2h
    """
    site = open_site(shared, tolerant=True)
    if site.store is None:
        raise Refusal(f"the store is away: {site.store_trouble}", exit_=Exit.UNKNOWN, next_steps=["runbook doctor"])
    after = microseconds(site.clock.wall() - parse_duration(since)) if since else None
    try:
        found = site.store.events(site.chain, last=last, since=after, operation=operation)
    except StoreAway as away:
        raise Refusal(f"the store is away: {away.reason}", exit_=Exit.UNKNOWN, next_steps=["runbook doctor"]) from away
    found = sorted(found, key=lambda record: (record.event.at, record.number))
    page = Page()
    if not found:
        page.line("nothing has happened yet")
    else:
        rows = [
            (record.number, _moment(record), record.event.who.operator, record.event.kind, words_of(record))
            for record in found
        ]
        page.table(("no", "time", "who", "what", "details"), rows)
    return Answer(
        Exit.GO, f"{len(found)} events", page, site.playbook.service, site.environment.name,
        lists={"events": [event_row(record) for record in found]},
    )  # fmt: skip


def _moment(record: Recorded) -> str:
    return utc(record.event.at / 1_000_000).astimezone().strftime("%m-%d %H:%M:%S")
