"""`file`: a file is there, fresh enough, large enough, and says what it should. Of a glob the newest counts."""

from __future__ import annotations

import glob
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import failed, seconds_left, unknown, without_value
from runbook.checks.reading import Wanted, read_text
from runbook.judge.verdicts import Status
from runbook.language.conditions import parse_condition
from runbook.language.durations import DurationError, parse_duration, show_duration
from runbook.system.secrets import VariableTrouble

_SKEW = 60.0  # seconds by which a file may lie in the future: two clocks
_MOST_MATCHES = 100_000


@dataclass(frozen=True)
class _Seen:
    """One file as it was seen; times in seconds since the epoch, `size` in bytes."""

    path: Path
    changed: float
    size: int
    regular: bool


class File(Kind, frozen=True, kw_only=True):
    """`newer_than` and `older_than` are durations, `size` is a condition (`> 1MiB`); `expect` has `size` and `age`."""

    KEY: ClassVar[str] = "file"
    GIVES: ClassVar[tuple[str, ...] | None] = ("size", "age")
    LOOKS_AT: ClassVar[str] = "a file: that it is there, its age, size and content; a glob takes the newest"
    EXAMPLE: ClassVar[str] = '{check: Backup is fresh, file: "backups/*.tar", newer_than: 24h, advice: "make backup"}'

    file: str
    newer_than: str | None = None
    older_than: str | None = None
    size: str | None = None
    matches: str | None = None
    jq: str | None = None
    lines: bool = False

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = self._wanted().problems()
        for name, text in (("newer_than", self.newer_than), ("older_than", self.older_than)):
            try:
                parse_duration(text or "1s")
            except DurationError as trouble:
                found.append(f"{name}: {trouble}")
        try:
            parse_condition(self.size or "> 0", subject="value")
        except ValueError as trouble:
            found.append(f"size: {trouble}")
        return found

    async def look(self, around: Surroundings) -> Finding:
        from runbook.system.daemon_threads import in_thread

        is_pattern = any(mark in self.file for mark in "*?[")
        try:
            name = around.variables.file_name(self.file, pattern=is_pattern)
        except VariableTrouble as trouble:
            return without_value(trouble)
        try:
            seen = await in_thread(lambda: _newest(around.project, name, is_pattern))
            if seen is None:
                return failed(f"{name} is not there", observed="missing")
            body = await in_thread(lambda: _content(seen)) if self._wanted().anything() else None
        except (OSError, ValueError) as trouble:
            return unknown(f"{name} cannot be looked at: {_reason(trouble)}")
        # The tool's own clock can be set for a look; a file's time is the machine's.
        return await self._judge(seen, body, around, age=time.time() - seen.changed)

    async def _judge(self, seen: _Seen, body: bytes | None, around: Surroundings, age: float) -> Finding:
        if age < -_SKEW:
            return unknown(f"{seen.path.name} was changed {show_duration(-age)} in the future; look at the clock")
        old = show_duration(max(0.0, age))
        if self.newer_than is not None and age > parse_duration(self.newer_than):
            return failed(seen.path.name, observed=f"{old} old", expected=f"newer than {self.newer_than}")
        if self.older_than is not None and age < parse_duration(self.older_than):
            return failed(seen.path.name, observed=f"{old} old", expected=f"older than {self.older_than}")
        if self.size is not None and (finding := self._sized(seen)) is not None:
            return finding
        values = {"size": seen.size, "age": max(0.0, age)}
        if body is None:
            return Finding(Status.PASS, observed=f"{old} old", message=seen.path.name, values=values)
        finding = await read_text(body, self._wanted(), seconds_left(around))
        return Finding(
            finding.status,
            observed=finding.observed,
            expected=finding.expected,
            message=finding.message or seen.path.name,
            reason=finding.reason,
            value=finding.value,
            values={**values, **finding.values},
            listed=finding.listed,
        )

    def _sized(self, seen: _Seen) -> Finding | None:
        """A finding where the size is not as wanted."""
        from runbook.judge.evaluate import evaluate_value

        condition = parse_condition(self.size or "", subject="value")
        judged = evaluate_value(condition, {"value": seen.size}, "bytes")
        if judged.holds:
            return None
        status = Status.UNKNOWN if judged.reason else Status.FAIL
        observed = judged.observed or str(seen.size)
        return Finding(status, observed, f"size {self.size}", judged.message or seen.path.name, judged.reason)

    def _wanted(self) -> Wanted:
        return Wanted(jq=self.jq, matches=self.matches, lines=self.lines)


def _newest(project: Path, name: str, is_pattern: bool) -> _Seen | None:
    """The file, or of a pattern the one changed last; None if there is none. Raises OSError."""
    names = [name]
    if is_pattern:
        names = glob.glob(name, root_dir=project, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    if len(names) > _MOST_MATCHES:
        raise ValueError(f"the pattern matches {len(names)} files")
    seen = [found for found in (_seen(project / found) for found in names) if found is not None]
    return max(seen, key=lambda found: (found.changed, str(found.path)), default=None)


def _seen(path: Path) -> _Seen | None:
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _Seen(path, about.st_mtime, about.st_size, stat.S_ISREG(about.st_mode))


def _content(seen: _Seen) -> bytes:
    from runbook.system.files import FileTrouble, read_regular

    try:
        return read_regular(seen.path)
    except FileTrouble as trouble:
        raise ValueError(trouble.reason) from None


def _reason(trouble: Exception) -> str:
    if isinstance(trouble, OSError) and trouble.errno:
        return os.strerror(trouble.errno).lower()
    return str(trouble)
