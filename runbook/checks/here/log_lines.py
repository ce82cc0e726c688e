"""Lines of a log looked through: which match a regular expression, within a time; and what they have in common."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from runbook.checks.findings import NotTaken
from runbook.checks.here.log_times import without_time

_MEMORY = 1 << 30  # bytes that the child may take
_AT_ONCE = 1000  # lines between two looks at the clock
_FOLDED = 400  # characters of a line that its pattern is made of
_MOST_CHOICES = 6
_HARMLESS_GROUP = re.compile(r"\(\?(?:i\)|:)")
_NOT_SIMPLE = re.compile(r"[*+?{]|\\\d")  # repeats, options and back references

_CHILD = r"""
import json, re, resource, sys
asked = json.loads(sys.stdin.buffer.readline())
resource.setrlimit(resource.RLIMIT_AS, (asked["memory"], asked["memory"]))
resource.setrlimit(resource.RLIMIT_CPU, (asked["seconds"], asked["seconds"]))
patterns = [re.compile(pattern) for pattern in asked["patterns"]]
found = [bytearray() for _ in patterns]
for line in sys.stdin.buffer:
    text = line[:-1].decode()
    for pattern, marks in zip(patterns, found):
        marks.append(49 if pattern.search(text) else 48)
sys.stdout.buffer.write(b"\n".join(found))
"""

# What differs from one occurrence to the next. A single pass, so that nothing folded is folded again.
_DIFFERS = re.compile(
    r"""
      "(?:[^"\\]|\\.){0,300}"                                   # quoted
    | (?<!\w)'[^']{0,300}'(?!\w)
    | \b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b  # a UUID
    | \b0x[0-9a-fA-F]+\b
    | \b(?=[a-zA-Z]{0,40}\d)[0-9a-fA-F]{4,}\b                   # hexadecimal, with a digit in it
    | \b[0-9a-fA-F]{16,}\b
    | \b(?=[a-zA-Z]{0,40}\d)[0-9a-zA-Z]{12,}\b                  # an id
    | (?P<name>\b[a-zA-Z]+)\d+\b                                # worker7
    | \b\d+(?P<unit>(?:[nuµm]?s|min|[hdkMGTB%]|[kKMGT]i?B)\b)   # 31ms
    | \b\d[0-9a-zA-Z]*
    """,
    re.VERBOSE,
)
_JOINED = re.compile(r"#(?:[-.,:/+T]#)+")  # what is left of a date, an address, a version
_BLANKS = re.compile(r"\s+")


class Said(msgspec.Struct, frozen=True):
    """What a line of JSON says, under the names in use."""

    message: Any = None
    msg: Any = None
    event: Any = None
    error: Any = None
    level: Any = None
    severity: Any = None


_SAID = msgspec.json.Decoder(Said)


def matching(patterns: Sequence[str], lines: Sequence[str], until: float) -> list[list[bool]]:
    """For each regular expression, whether it is found in each line. Blocks until `until`, on the monotonic clock.

    An expression that may take for ever is searched in a child process that can be ended, one for all lines. Raises
    NotTaken.
    """
    if all(_is_simple(pattern) for pattern in patterns):
        return [_found(re.compile(pattern), lines, until) for pattern in patterns]
    return _in_child(patterns, lines, until)


def patterns_of(lines: Iterable[str], until: float) -> Counter[str]:
    """How often each pattern occurs; blank lines and those that go on with another are left out. Raises NotTaken."""
    counted: Counter[str] = Counter()
    for number, line in enumerate(lines):
        if number % _AT_ONCE == 0:
            _refuse_late(until)
        if line.strip() and line[0] not in " \t":
            counted[pattern_of(line)] += 1
    return counted


def pattern_of(line: str) -> str:
    """A line without its time, with `#` for numbers, ids, hexadecimal and quoted parts: `timeout after # ms for #`.

    Of a line of JSON it is the level and the message.
    """
    text = _message_of(line) if line[:1] == "{" else without_time(line)
    folded = _JOINED.sub("#", _DIFFERS.sub(_folded, text[:_FOLDED]))
    return _BLANKS.sub(" ", folded).strip(" -:|") or "#"


def _folded(match: re.Match[str]) -> str:
    quote = match.group()[0]
    if quote in "\"'":
        return f"{quote}#{quote}"
    return f"{match['name'] or ''}#{match['unit'] or ''}"


def _message_of(line: str) -> str:
    try:
        said = _SAID.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return line
    message = next((each for each in (said.message, said.msg, said.event, said.error) if isinstance(each, str)), None)
    level = next((each for each in (said.level, said.severity) if isinstance(each, str)), "")
    return line if message is None else f"{level} {message}"


def _is_simple(pattern: str) -> bool:
    """Whether it repeats nothing and has few choices, so that its time grows with the length of a line alone."""
    plain = _HARMLESS_GROUP.sub("(", pattern)
    return not _NOT_SIMPLE.search(plain) and plain.count("|") <= _MOST_CHOICES


def _found(pattern: re.Pattern[str], lines: Sequence[str], until: float) -> list[bool]:
    found: list[bool] = []
    for start in range(0, len(lines), _AT_ONCE):
        _refuse_late(until)
        found += [pattern.search(line) is not None for line in lines[start : start + _AT_ONCE]]
    return found


def _refuse_late(until: float) -> None:
    if time.monotonic() > until:
        raise NotTaken("the log could not be looked through in time: name a shorter window, or a longer timeout")


def _in_child(patterns: Sequence[str], lines: Sequence[str], until: float) -> list[list[bool]]:
    import subprocess
    import sys

    shown = ", ".join(patterns)
    seconds = max(0.001, until - time.monotonic())
    asked = {"patterns": patterns, "memory": _MEMORY, "seconds": int(seconds) + 2}
    body = "".join(f"{line}\n" for line in (json.dumps(asked), *lines)).encode("utf-8", "replace")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD],
            input=body,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotTaken(f"the regular expression {shown}: it took too long") from None
    except OSError as trouble:
        raise NotTaken(f"the regular expression {shown}: no process could be started for it: {trouble}") from None
    marks = done.stdout.split(b"\n")
    if done.returncode != 0 or [len(each) for each in marks] != [len(lines)] * len(patterns):
        raise NotTaken(f"the regular expression {shown}: its process ended with {done.returncode}")
    return [[mark == ord("1") for mark in each] for each in marks]
