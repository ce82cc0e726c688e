"""The end of a log, read backwards in blocks, over its rotated files, and never more of it than is bearable."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook.checks.findings import NotTaken
from runbook.checks.here.log_times import time_of
from runbook.judge.verdicts import Reason
from runbook.language.durations import show_duration
from runbook.system.files import ensure_regular, told_in_words

MOST_BYTES = 64 << 20
MOST_LINES = 1_000_000
LONGEST_LINE = 64 << 10  # bytes; the rest of a longer line is not looked at
_BLOCK = 256 << 10
_TIMES_WITHIN = 1 << 20  # bytes without any time: then the log has none
_AHEAD = 60.0  # seconds by which the clock of the log may be ahead
_MOST_ROTATED = 50


@dataclass(frozen=True)
class Tail:
    """The lines of a window, oldest first; `newest` is the time of the last line that has one, where it was asked."""

    lines: Sequence[str]
    newest: float | None = None


def last_lines(path: Path, count: int, until: float) -> Tail:
    """The last lines of a log, fewer where there are no more. `until` is on the monotonic clock.

    Raises NotTaken where they are too long, and FileTrouble.
    """
    blocks: list[list[bytes]] = []
    seen = 0
    for block, _ in _blocks(path, until, since=None):
        blocks.append(block)
        seen += len(block)
        if seen >= count:
            break
    lines = [line for block in reversed(blocks) for line in block]
    return Tail([_text(line) for line in lines[-count:]])


def lines_since(path: Path, seconds: float, until: float) -> Tail:
    """The lines of the last `seconds`; one without a time of its own belongs to the line before.

    Raises NotTaken where no line has a time, where they are too many, or where the log's clock is ahead; FileTrouble.
    """
    now = time.time()  # a log's time is the machine's, whatever clock the look itself was given
    start = now - seconds
    timed: list[list[tuple[float | None, str]]] = []
    newest: float | None = None
    size = 0
    for block, read in _blocks(path, until, since=start):
        part = [(time_of(line, now), line) for line in map(_text, block)]
        timed.append(part)
        times = [at for at, _ in part if at is not None]
        size += read
        newest = newest if newest is not None or not times else times[-1]
        if times and max(times) < start:  # a whole block of older lines, not just one odd time
            break
        if newest is None and size > _TIMES_WITHIN:
            break
    if newest is None and size:
        raise NotTaken(f"no line of {path.name} begins with a time, so there is no last hour: write lines: 1000")
    if newest is not None and newest > now + _AHEAD:
        ahead = show_duration(newest - now)
        raise NotTaken(f"the newest line of {path.name} is {ahead} ahead of this machine's clock, or in another zone")
    return Tail(_within([one for part in reversed(timed) for one in part], start), newest)


def _within(timed: Sequence[tuple[float | None, str]], start: float) -> list[str]:
    """The lines from `start` on. What stands before the first time at all is as old as that."""
    here = next((at for at, _ in timed if at is not None), start)
    found: list[str] = []
    for at, line in timed:
        here = here if at is None else at
        if here >= start:
            found.append(line)
    return found


def _text(line: bytes) -> str:
    return line[:LONGEST_LINE].decode("utf-8", "replace").rstrip("\r")


def _blocks(path: Path, until: float, since: float | None) -> Iterator[tuple[list[bytes], int]]:
    """Blocks of whole lines with the bytes read for each, the last block first, on into `PATH.1`, `PATH.2` and so on.

    With `since`, a rotated file last written before that is not opened.
    """
    size = lines = 0
    for block, read in _over_files(path, since):
        size, lines = size + read, lines + len(block)
        if size > MOST_BYTES or lines > MOST_LINES:
            what = f"{MOST_BYTES >> 20} MiB" if size > MOST_BYTES else f"{MOST_LINES:,} lines"
            raise NotTaken(f"the window of {path.name} is longer than {what}: name a shorter one, last: 5m")
        if time.monotonic() > until:
            raise NotTaken(f"{path.name} could not be read in time: name a shorter window, or a longer timeout")
        yield block, read


def _over_files(path: Path, since: float | None) -> Iterator[tuple[list[bytes], int]]:
    seen: set[tuple[int, int]] = set()
    yield from _backwards(path, seen)
    for number in range(1, _MOST_ROTATED):
        rotated = path.with_name(f"{path.name}.{number}")
        if since is not None:
            _refuse_packed(rotated, since)
        if not rotated.is_file() or (since is not None and rotated.stat().st_mtime < since):
            return
        yield from _backwards(rotated, seen)


def _refuse_packed(rotated: Path, since: float) -> None:
    """Raise NotTaken where the part before was compressed and holds lines of the window."""
    for ending in (".gz", ".zst", ".xz", ".bz2"):
        packed = rotated.with_name(rotated.name + ending)
        try:
            changed = packed.stat().st_mtime
        except OSError:
            continue
        if changed >= since:
            raise NotTaken(f"a part of the window is in {packed.name}, which is compressed: name a shorter window")


def _backwards(path: Path, seen: set[tuple[int, int]]) -> Iterator[tuple[list[bytes], int]]:
    """Blocks of whole lines of one file from its end, each with the bytes read for it. Raises FileTrouble.

    A file seen before under another name, because it was rotated just now, is passed over.
    """
    with told_in_words(path):
        ensure_regular(path, path.stat())
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        about = os.fstat(descriptor)
        ensure_regular(path, about)
        if (about.st_dev, about.st_ino) not in seen:
            seen.add((about.st_dev, about.st_ino))
            yield from _lines_of(descriptor, about.st_size, path)
    finally:
        os.close(descriptor)


def _lines_of(descriptor: int, size: int, path: Path) -> Iterator[tuple[list[bytes], int]]:
    end, rest = size, b""  # `rest` is the beginning of a line of which more stands before it
    while end > 0:
        start = max(0, end - _BLOCK)
        with told_in_words(path):
            data = _exactly(descriptor, end - start, start, path)
        if end == size and data.endswith(b"\n"):
            data = data[:-1]
        first, *lines = data.split(b"\n")
        if lines:
            lines[-1] = (lines[-1] + rest)[: LONGEST_LINE + 1]
            rest = first
        else:
            rest = (first + rest)[: LONGEST_LINE + 1]
        if start == 0:
            lines.insert(0, rest)
        yield lines, end - start
        end = start


def _exactly(descriptor: int, length: int, offset: int, path: Path) -> bytes:
    data = b""
    while len(data) < length:
        part = os.pread(descriptor, length - len(data), offset + len(data))
        if not part:
            raise NotTaken(f"{path.name} was emptied while it was read: look again", Reason.ERROR)
        data += part
    return data
