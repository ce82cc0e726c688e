"""What checks ask, as shell lines: `--curl` prints them, and nothing is asked."""

from __future__ import annotations

import re
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
from runbook.system.secrets import MASK, Masker

_NAMES = re.compile(r"(?:\$\{[A-Za-z_][A-Za-z0-9_]*\})+")
_USER_PART = re.compile(r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*)://(?P<user>[^\s/?#\"'<>]*)@")
_PARAMETER = re.compile(
    r"(?i)(?P<name>[?&](?:ssl)?(?:password|passwd|pwd|token|secret|accountkey)=)(?P<value>[^\s&#\"']+)"
)
# A user alone is a name in the URL of a database; elsewhere it may be a token.
_USER_OF_DATABASE = re.compile(r"\b(?:postgres|mysql|mariadb)[a-z+0-9]*://[^\s/?#\"'<>:@$]+@", re.IGNORECASE)
_AS_WRITTEN = re.compile(rf"({_NAMES.pattern}|{_USER_OF_DATABASE.pattern})", re.IGNORECASE)

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
    line = harmless(with_names(check.options.by_hand(site.environment.url), site.masker), lines=True)
    return RequestRow(id=check.full_id, title=harmless(title), kind=check.kind, line=line)


def with_names(line: str, masker: Masker) -> str:
    """The line with the secrets that stand in it masked; a `${NAME}`, which gives none away, stays as it is written."""
    line = _PARAMETER.sub(lambda found: found["name"] + _unless_named(found["value"]), _USER_PART.sub(_user_part, line))
    marked = (part if number % 2 else masker.mask(part) for number, part in enumerate(_AS_WRITTEN.split(line)))
    return "".join(marked)


def _user_part(found: re.Match[str]) -> str:
    user, colon, password = found["user"].partition(":")
    if _USER_OF_DATABASE.fullmatch(found[0]):
        return found[0]
    shown = f"{user}:{password}" if colon and _NAMES.fullmatch(password) else _unless_named(found["user"])
    return f"{found['scheme']}://{shown}@"


def _unless_named(value: str) -> str:
    return value if _NAMES.fullmatch(value) else MASK


def _told(rows: Iterable[RequestRow]) -> str:
    """Each line once, below the names of those that ask it; what has no line is named at the end."""
    titles: dict[str, list[str]] = {}
    for row in rows:
        titles.setdefault(row.line, []).append(row.title)
    without = titles.pop("", [])
    told = "".join(f"# {'; '.join(named)}\n{line}\n" for line, named in titles.items())
    return told + (f"# No line by hand for: {'; '.join(without)}\n" if without else "")
