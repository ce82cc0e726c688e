"""`log`: the last window of a log file: how many lines match, which share of them, or what they say most often."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, unknown, without_value
from runbook.checks.here.amounts import misfit
from runbook.judge.verdicts import Reason, Status
from runbook.language.durations import DurationError, parse_duration, show_duration
from runbook.language.units import show_value
from runbook.system.secrets import VariableTrouble

if TYPE_CHECKING:
    from runbook.checks.here.log_tail import Tail

_LINES = 1000
_MOST_PATTERNS = 50
_MOST_MATCHES = 100_000
_UNITS = {
    "count": {"count": "count", "lines": "count", "value": "count"},
    "share": {"share": "ratio", "count": "count", "lines": "count", "value": "ratio"},
    "top": {"count": "count", "lines": "count", "value": "count"},
}


class Log(Kind, frozen=True, kw_only=True):
    """One of `count`, `share` with `of`, or `top`, over `last: 1h` or `lines: 1000`; patterns are regular expressions.

    `expect` has `lines`, how many there are (of `share` and `top` those that match `of`), `count` and `share`.
    """

    KEY: ClassVar[str] = "log"
    LOOKS_AT: ClassVar[str] = (
        "a log's last window: how many lines match, the share of them among others, or the patterns seen most often"
    )
    EXAMPLE: ClassVar[str] = '{check: No errors lately, log: "logs/*.log", last: 10m, count: ERROR, expect: "== 0"}'

    log: str
    count: str | None = None
    share: str | None = None
    of: str | None = None
    top: int | None = None
    last: str | None = None
    lines: int | None = None

    def given_names(self) -> tuple[str, ...]:
        return tuple(_UNITS[self._question()])

    def asserts(self) -> bool:
        """A number alone says nothing; a list of what is said most is information."""
        return self.top is not None

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = [] if self.log.strip() else ["log is empty: name a file"]
        if sum(one is not None for one in (self.count, self.share, self.top)) != 1:
            found.append(
                "a log is looked at for one of three: count: PATTERN, share: PATTERN with of: PATTERN, top: 10"
            )
        if self.share is not None and self.of is None:
            found.append('share needs of: among which lines, as in share: "Cache HIT", of: "Cache (HIT|MISS)"')
        if self.of is not None and self.count is not None:
            found.append("of belongs to share and top")
        for name in ("count", "share", "of"):
            found += _pattern_problems(name, getattr(self, name))
        if self.top is not None and not 1 <= self.top <= _MOST_PATTERNS:
            found.append(f"top: {self.top} is not between 1 and {_MOST_PATTERNS}")
        return found + self._window_problems()

    async def look(self, around: Surroundings) -> Finding:
        from runbook.system.daemon_threads import in_thread
        from runbook.system.files import FileTrouble

        units = _UNITS[self._question()]
        if (refused := misfit(around, units)) is not None:
            return refused
        is_pattern = any(mark in self.log for mark in "*?[")
        try:
            name = around.variables.file_name(self.log, pattern=is_pattern)
        except VariableTrouble as refusal:
            return without_value(refusal)
        try:
            # A little earlier than the look itself ends, so that the reason can still be told.
            return await in_thread(lambda: self._found(around.project, name, is_pattern, around.deadline - 0.05))
        except NotTaken as reason:
            return unknown(reason.message, reason.reason)
        except FileTrouble as reason:
            return unknown(f"{name} {reason.reason}")

    def _question(self) -> str:
        return "top" if self.top is not None else "share" if self.share is not None else "count"

    def _found(self, project: Path, name: str, is_pattern: bool, until: float) -> Finding:
        """What the log says. Blocks; raises NotTaken and FileTrouble."""
        from runbook.checks.here.log_lines import matching
        from runbook.checks.here.log_tail import last_lines, lines_since

        path = _newest(project, name) if is_pattern else project / name
        if self.last is None:
            tail = last_lines(path, self.lines or _LINES, until)
        else:
            tail = lines_since(path, parse_duration(self.last), until)
        where = _where(path.name, tail, self.last)
        if self.top is not None:
            return self._most_often(tail.lines, self.top, where, until)
        if self.share is not None and self.of is not None:
            return _share(tail.lines, self.share, self.of, where, until)
        count = sum(matching([self.count or ""], tail.lines, until)[0])
        values = {"count": count, "lines": len(tail.lines)}
        observed = f"{count:,} of {_lines(len(tail.lines))}"
        return Finding(Status.PASS, observed, message=where, value=count, values=values, units=_UNITS["count"])

    def _most_often(self, lines: Sequence[str], top: int, where: str, until: float) -> Finding:
        from runbook.checks.here.log_lines import matching, patterns_of

        if self.of is not None:
            marks = matching([self.of], lines, until)[0]
            lines = [line for line, holds in zip(lines, marks, strict=True) if holds]
        counted = patterns_of(lines, until)
        listed = [f"{count:,}  {pattern}" for pattern, count in counted.most_common(top)]
        number = len(counted)
        observed = f"{number:,} {'pattern' if number == 1 else 'patterns'} in {_lines(len(lines))}"
        values = {"count": number, "lines": len(lines)}
        return Finding(
            Status.PASS, observed, message=where, value=number, values=values, listed=listed, units=_UNITS["top"]
        )

    def _window_problems(self) -> list[str]:
        from runbook.checks.here.log_tail import MOST_LINES

        found = ["last and lines exclude each other"] if self.last is not None and self.lines is not None else []
        try:
            if self.last is not None and parse_duration(self.last) <= 0:
                found.append("last: a window is longer than nothing")
        except DurationError as refusal:
            found.append(f"last: {refusal}")
        if self.lines is not None and not 1 <= self.lines <= MOST_LINES:
            found.append(f"lines: {self.lines} is not between 1 and {MOST_LINES:,}")
        return found


def _share(lines: Sequence[str], part: str, of: str, where: str, until: float) -> Finding:
    from runbook.checks.here.log_lines import matching

    parts, wholes = matching([part, of], lines, until)
    whole = sum(wholes)
    count = sum(one and among for one, among in zip(parts, wholes, strict=True))
    if not whole:
        return unknown(f"no line matches {of}; {where}", Reason.NODATA, f"0 of {_lines(len(lines))}")
    share = count / whole
    values = {"share": share, "count": count, "lines": whole}
    observed = f"{show_value(share, 'ratio')} ({count:,} of {whole:,})"
    return Finding(Status.PASS, observed, message=where, value=share, values=values, units=_UNITS["share"])


def _where(name: str, tail: Tail, last: str | None) -> str:
    """The file and, where the window holds nothing, how old the newest line is."""
    if tail.lines:
        return name
    if last is None or tail.newest is None:
        return f"{name} is empty"
    return f"the newest line of {name} is {show_duration(max(0.0, time.time() - tail.newest))} old"


def _lines(count: int) -> str:
    return f"{count:,} {'line' if count == 1 else 'lines'}"


def _pattern_problems(name: str, pattern: str | None) -> list[str]:
    try:
        re.compile(pattern or "")
    except (re.error, OverflowError, RecursionError) as refusal:
        return [f"{name} is no regular expression: {refusal}"]
    return []


def _newest(project: Path, pattern: str) -> Path:
    """Of the files that match the one changed last. Raises NotTaken, and FileTrouble."""
    import glob

    from runbook.system.files import trouble

    names = glob.glob(pattern, root_dir=project, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    if len(names) > _MOST_MATCHES:
        raise NotTaken(f"the pattern matches {len(names):,} files")
    found: list[tuple[float, str]] = []
    for name in names:
        try:
            found.append(((project / name).stat().st_mtime, name))
        except FileNotFoundError:  # rotated away meanwhile
            continue
        except OSError as refusal:
            raise trouble(project / name, refusal) from refusal
    if not found:
        raise NotTaken(f"no file matches {pattern}")
    return project / max(found)[1]
