"""What the kinds that ask a program of the platform share: names fit for its arguments, and an end without answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runbook.checks.base import Finding, Surroundings
from runbook.checks.findings import NotTaken, unknown, unreachable
from runbook.language.substitution import TemplateError, parse_template
from runbook.system.processes import Finished

_NOT_STARTED = re.compile(r"\bis not found\Z")
_LONGEST = 200  # characters of a complaint


def misnamed(option: str, written: str, pattern: re.Pattern[str], example: str) -> list[str]:
    """What is wrong with a name as a playbook writes it; nothing is said of one that holds a `${...}`."""
    try:
        if parse_template(written).references:
            return []
    except TemplateError as trouble:
        return [f"{option}: {trouble.message}"]
    return [] if pattern.fullmatch(written) else [f"{option}: {written!r} is no name here: write it like {example}"]


def name_for(around: Surroundings, option: str, written: str, pattern: re.Pattern[str]) -> str:
    """A name with its values put in, fit to be an argument. Raises NotTaken, and VariableTrouble."""
    name = around.variables.argument(written)
    if not pattern.fullmatch(name):
        raise NotTaken(f"{option}: {name[:80]!r} is no name that can be asked for")
    return name


def without_answer(finished: Finished, install: str) -> Finding | None:
    """A finding where the program gave no answer at all: it is missing, did not start, hung, or was ended.

    A program that hangs is like a server that does; where it is missing, nobody looked. `install` is the remedy.
    """
    if finished.not_started:
        remedy = f"; {install}" if _NOT_STARTED.search(finished.not_started) else ""
        return unknown(f"{finished.how_it_ended}{remedy}")
    if finished.timed_out:
        return unreachable(finished.how_it_ended, observed="timed out")
    if finished.interrupted or finished.exit is None or finished.exit < 0:
        return unknown(finished.how_it_ended)
    return unknown("it said more than can be read") if finished.cut else None


def complaint_of(finished: Finished, passed_over: re.Pattern[str] | None = None) -> str:
    """The last line of its errors that says something, else of its output, shortened; how it ended where there is none.

    Lines that begin as `passed_over` says are a program's own log.
    """
    for text in (finished.errors, finished.output):
        lines = [line.strip() for line in text[-16384:].splitlines() if line.strip()]
        said = [line for line in lines if passed_over is None or not passed_over.match(line)]
        if said:
            return said[-1][:_LONGEST]
    return finished.how_it_ended


def mentions(text: str, words: Iterable[str]) -> bool:
    """Whether one of the words is in the text, in whatever case."""
    lowered = text.lower()
    return any(word.lower() in lowered for word in words)


def counted(number: int, noun: str) -> str:
    """`1 commit`, `2 commits`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
