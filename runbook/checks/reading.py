"""What every kind does with a text that it got: `jq`, `matches`, `list`, `lines`, in one order and with one meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from runbook.checks.answers import number_or_text, program_problem, take_entries, take_out
from runbook.checks.base import Finding
from runbook.checks.findings import NotTaken, failed, shown, unknown
from runbook.judge.verdicts import Status

_SIMPLE_TEXT = 8 << 10  # characters; up to there a simple regular expression is searched directly, square time or not
_LONGEST_VALUE = 1000
_REPEAT = re.compile(r"(?<!\\)[*+{]")
_NOT_SIMPLE = re.compile(r"\)[*+{]|\\\d|\(\?P=")  # repeated groups and back references
_SECONDS = 5.0


@dataclass(frozen=True)
class Wanted:
    """What is to be taken out of a text. `list_` is a jq program that gives the entries, or True for the lines."""

    jq: str | None = None
    matches: str | None = None
    list_: str | bool = False
    lines: bool = False

    def anything(self) -> bool:
        return bool(self.jq or self.matches is not None or self.list_ or self.lines)

    def takes_value(self) -> bool:
        return bool(self.jq or self.list_ or self.lines)

    def problems(self) -> list[str]:
        """What is wrong with the programs themselves."""
        programs = [self.jq, self.list_ if isinstance(self.list_, str) else None]
        found = [problem for program in programs if program and (problem := program_problem(program))]
        if self.matches is not None:
            try:
                re.compile(self.matches)
            except (re.error, OverflowError, RecursionError) as trouble:
                found.append(f"matches is no regular expression: {trouble}")
        return found


async def read_text(body: bytes, wanted: Wanted, seconds: float) -> Finding:
    """The finding that a text gives: pass with the value taken out, fail where it does not match or lists something,
    unknown where nothing could be taken out.
    """
    try:
        if wanted.matches is not None:
            matched = await search_in(body.decode("utf-8", "replace"), wanted.matches, seconds)
            if matched is None:
                return failed("does not match", observed=first_line(body), expected=f"matches {wanted.matches}")
            if not wanted.takes_value():
                return Finding(Status.PASS, observed=matched, value=number_or_text(matched))
        if wanted.list_:
            return await _listed(body, wanted.list_, seconds)
        if wanted.jq:
            taken = await take_out(body, wanted.jq, seconds)
            observed = shown(taken.values or taken.value)
            return Finding(Status.PASS, observed=observed, value=taken.value, values=taken.values)
    except NotTaken as trouble:
        return unknown(trouble.message, trouble.reason)
    if wanted.lines:
        count = len(body.decode("utf-8", "replace").splitlines())
        return Finding(Status.PASS, observed=f"{count} lines", value=count)
    return Finding(Status.PASS, observed=first_line(body), value=_plain_value(body))


async def search_in(text: str, pattern: str, seconds: float) -> str | None:
    """The first group of the first match, or the whole match; None if there is none. Raises NotTaken."""
    from runbook.checks.bounded import BoundedTrouble, search
    from runbook.system.daemon_threads import in_thread

    if len(text) <= _SIMPLE_TEXT and len(_REPEAT.findall(pattern)) <= 1 and not _NOT_SIMPLE.search(pattern):
        match = re.search(pattern, text, re.MULTILINE)
        groups = None if match is None else [match.group(), *match.groups()]
    else:
        try:
            groups = await in_thread(lambda: search(pattern, text, min(seconds, _SECONDS)))
        except BoundedTrouble as trouble:
            raise NotTaken(f"the regular expression {pattern}: {trouble}") from None
    if groups is None:
        return None
    return next((group for group in groups[1:] if group is not None), groups[0] or "")


def first_line(body: bytes) -> str:
    """The first line of a text that holds anything, shortened."""
    text = body[:4096].decode("utf-8", "replace").strip()
    return text.splitlines()[0][:120] if text else ""


async def _listed(body: bytes, program: str | bool, seconds: float) -> Finding:
    if isinstance(program, str):
        entries = await take_entries(body, program, seconds)
    else:
        entries = [line.strip() for line in body.decode("utf-8", "replace").splitlines() if line.strip()]
    if not entries:
        return Finding(Status.PASS, observed="empty list", value=0)
    count = len(entries)
    listed = tuple(entry[:200] for entry in entries[:50])
    return Finding(Status.FAIL, observed=f"{count} listed", expected="none", listed=listed, value=count)


def _plain_value(body: bytes) -> Any:
    text = body.decode("utf-8", "replace").strip()
    return number_or_text(text) if text and len(text) <= _LONGEST_VALUE else None
