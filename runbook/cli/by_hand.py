"""What checks ask, as shell lines: `--curl` prints them, and nothing is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import typer

from runbook.checks.base import Check
from runbook.cli.options import SCREENS, Format, Shared, refuse_format
from runbook.rollout.manual_items import flat
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.document_rows import RequestRow
from runbook.system.harmless import harmless
from runbook.system.refusals import Exit

Curl = Annotated[bool, typer.Option("--curl", help="Print each request as a shell line; ask nothing.")]


def lines_by_hand(
    shared: Shared, site: Site, called: str, checks: Iterable[Check], metrics: Mapping[str, Check] | None = None
) -> Answer:
    """The answer of `--curl`. Values stand as `${NAME}`, as the playbook has them. Raises `Refusal` for a format that
    shows rows of a look.
    """
    if shared.format not in SCREENS:
        refuse_format(shared, f"{called} --curl", SCREENS)
    rows = [_row(site, check, check.title) for check in flat(checks) if not check.checks]
    rows += [_row(site, check, name) for name, check in (metrics or {}).items()]
    asked = sum(bool(row.line) for row in rows)
    answer = Answer(
        Exit.GO,
        f"{asked} of {len(rows)} can be asked by hand; nothing was asked",
        service=site.playbook.service,
        environment=site.environment.name,
        lists={"requests": rows},
    )
    told = _told(rows)
    answer.page.text(told)
    if shared.format in (Format.TABLE, Format.PLAIN):  # no line is broken on a terminal, so that it can be pasted
        answer.text = told
    return answer


def _row(site: Site, check: Check, title: str) -> RequestRow:
    line = harmless(site.masker.mask(check.options.by_hand(site.environment.url)), lines=True)
    return RequestRow(id=check.full_id, title=harmless(title), kind=check.kind, line=line)


def _told(rows: Iterable[RequestRow]) -> str:
    """Each line once, below the names of those that ask it; what has no line is named at the end."""
    titles: dict[str, list[str]] = {}
    for row in rows:
        titles.setdefault(row.line, []).append(row.title)
    without = titles.pop("", [])
    told = "".join(f"# {'; '.join(named)}\n{line}\n" for line, named in titles.items())
    return told + (f"# No line by hand for: {'; '.join(without)}\n" if without else "")
