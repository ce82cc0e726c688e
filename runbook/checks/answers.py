"""Values taken out of what came back: JSON read without trust, jq bounded in time, one value where one is meant."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runbook.checks.findings import NotTaken
from runbook.judge.verdicts import Reason

_MOST_ENTRIES = 1000
_SECONDS = 5.0  # for one program, where the deadline leaves so much
# Of what a body holds, so that 5 MiB of it stay small: an empty object takes 2 bytes there, 72 in Python and 450 in jq.
_MOST_INSIDE = 100_000  # lists and objects
_MOST_VALUES = 250_000
_DIGITS = 400  # of a whole number; a longer one is read as infinite, as its value as a float is
_LARGEST = 1.797e308  # what jq makes of infinity
_PERHAPS_NOT_FINITE = re.compile(r"NaN|Infinity|[eE]\+?\d{3}|\d{308}")
_STEP = re.compile(
    r"""\.?\[(?P<index>-?\d{1,9})\]|\.?\["(?P<quoted>[^"\\]*)"\]|\."(?P<text>[^"\\]*)"|\.(?P<name>[A-Za-z_]\w*)"""
)
# A program made of these alone ends soon on any text: no definitions, no variables, nothing recursive, and no product
# of strings. Two iterations joined by an operator are a product of lists, so they go to the child as well.
_HARMLESS = re.compile(
    r"""\s+|"[^"\\]*"|\d+(?:\.\d+)?|\.?\[\]\??|\.\[|\.[A-Za-z_]\w*\??|\.(?!\.)|\|(?!=)|//(?!=)|[-+/<>](?!=)|[<>=!]=|[()\[\]:,?]
    |\b(?:length|keys|add|tonumber|tostring|not|first|last|min|max|floor|ceil|round|fabs|any|all|sort|unique|reverse
    |type|map|select|has|join|sort_by|group_by|min_by|max_by|startswith|endswith|to_entries|from_entries|and|or
    |if|then|else|elif|end|empty|null|true|false)\b""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Taken:
    """One value, or several by name where a program gives an object."""

    value: Any = None
    values: dict[str, Any] = field(default_factory=dict)


def parse_json(body: bytes) -> Any:
    """The JSON in a body. NaN and infinity are read as such; raises NotTaken for anything that is no JSON."""
    return _parsed(_text_of(body))


def refuse_many(text: str) -> None:
    """Raise NotTaken for a document of more parts than fit into little memory, before it is read.

    Marks inside of texts count too: to tell them apart takes as long as reading does.
    """
    if text.count("{") + text.count("[") > _MOST_INSIDE or text.count(",") > _MOST_VALUES:
        most = f"{_MOST_INSIDE:,} lists and objects, or {_MOST_VALUES:,} values"
        raise NotTaken(f"the answer is JSON with more than {most}; ask for less of it")


async def take_out(body: bytes, jq: str, seconds: float) -> Taken:
    """The one value that a jq program takes out of a JSON body, within `seconds`. Raises NotTaken.

    null, NaN, infinity and no output at all are no data. Two outputs, and a list, are an error: one value was meant.
    """
    outputs = await _outputs(body, jq, 2, seconds)
    if not outputs:
        raise NotTaken(f"{jq} gives nothing", Reason.NODATA)
    if len(outputs) > 1:
        raise NotTaken(f"{jq} gives more than one value; name an aggregate, or take one")
    return _one(outputs[0], jq)


async def take_entries(body: bytes, jq: str, seconds: float) -> list[str]:
    """The entries that a jq program lists, each by name. Raises NotTaken, also where there is no list at all."""
    outputs = await _outputs(body, jq, _MOST_ENTRIES, seconds)
    if len(outputs) == 1 and isinstance(outputs[0], list):
        outputs = outputs[0]
    if any(entry is None for entry in outputs):
        raise NotTaken(f"{jq} gives null where a list was meant", Reason.NODATA)
    return [entry_name(entry) for entry in outputs]


def entry_name(entry: Any) -> str:
    """How one entry of a list is shown: its text, or the name an object carries."""
    from runbook.checks.findings import shown

    if isinstance(entry, dict):
        for key in ("name", "title", "id", "message"):
            if isinstance(entry.get(key), str | int):
                return str(entry[key])
    return shown(entry)


def number_or_text(text: str) -> int | float | str:
    """A text as a number where it is one, as JSON writes numbers."""
    stripped = text.strip()
    if re.fullmatch(r"-?\d{1,300}(\.\d{1,300})?([eE][-+]?\d{1,3})?", stripped):
        return int(stripped) if stripped.lstrip("-").isdecimal() else float(stripped)
    return stripped


async def _outputs(body: bytes, program: str, most: int, seconds: float) -> Sequence[Any]:
    text = _text_of(body)
    document = _parsed(text)
    steps = _steps(program)
    if steps is not None:
        return [_walk(document, steps, program)]
    _refuse_infinite(text)
    try:
        if _ends_soon(program):
            import itertools

            import jq

            return list(itertools.islice(jq.compile(program).input_text(text), most))
        return await _in_child(program, text, most, min(seconds, _SECONDS))
    except ImportError:
        raise NotTaken("jq is not installed here; only plain paths such as .a.b are read without it") from None
    except ValueError as trouble:
        raise _jq_trouble(program, str(trouble)) from None


async def _in_child(program: str, text: str, most: int, seconds: float) -> list[Any]:
    from runbook.checks.bounded import BoundedTrouble, run_jq
    from runbook.system.daemon_threads import in_thread

    try:
        return await in_thread(lambda: run_jq(program, text, most, seconds))
    except BoundedTrouble as trouble:
        if trouble.said:
            raise _jq_trouble(program, trouble.said) from None
        raise NotTaken(f"jq {program}: {trouble}") from None


def _jq_trouble(program: str, said: str) -> NotTaken:
    nothing_there = re.search(r"\bnull\b", said) is not None and "compile" not in said
    return NotTaken(f"jq {program}: {said.splitlines()[0] if said else 'failed'}", _missing(nothing_there))


def _missing(nothing_there: bool) -> Reason:
    return Reason.NODATA if nothing_there else Reason.ERROR


def _text_of(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotTaken("the answer is not UTF-8 text") from None


def _parsed(text: str) -> Any:
    if not text.strip():
        raise NotTaken("the answer is empty", Reason.NODATA)
    refuse_many(text)
    try:
        return json.loads(text, parse_int=_whole)
    except RecursionError:
        raise NotTaken("the answer is JSON nested too deeply") from None
    except ValueError:
        looks = "HTML" if text.lstrip()[:1] == "<" else "something else"
        raise NotTaken(f"the answer is no JSON but {looks}" if looks == "HTML" else "the answer is no JSON") from None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < _DIGITS else float(digits)


def _refuse_infinite(text: str) -> None:
    """Raise NotTaken for a document with a number that is not finite, before a program that calculates sees it.

    jq reads infinity as the largest number there is, and takes NaN for smaller than every number.
    """
    if not _PERHAPS_NOT_FINITE.search(text):
        return

    def refuse(digits: str) -> None:
        if not math.isfinite(float(digits)):
            raise NotTaken("the answer holds NaN or infinity, with which jq would calculate", Reason.NODATA)

    json.loads(text, parse_constant=refuse, parse_float=refuse, parse_int=refuse)


def _steps(program: str) -> list[str | int] | None:
    """The steps of a plain path (`.a.b[0]`), None if the program is more than that."""
    program = program.strip()
    if program == ".":
        return []
    steps: list[str | int] = []
    position = 0
    while position < len(program):
        match = _STEP.match(program, position)
        if match is None or (position == 0 and program[0] != "."):
            return None
        index = match["index"]
        name = next((match[key] for key in ("quoted", "text", "name") if match[key] is not None), "")
        steps.append(int(index) if index is not None else name)
        position = match.end()
    return steps


def _walk(document: Any, steps: list[str | int], program: str) -> Any:
    """As jq does: a missing key is null, and so is everything below it; a path through anything else is an error."""
    here = document
    for step in steps:
        if here is None:
            return None
        if isinstance(step, str) and isinstance(here, dict):
            here = here.get(step)
        elif isinstance(step, int) and isinstance(here, list):
            here = here[step] if -len(here) <= step < len(here) else None
        else:
            raise NotTaken(f"{program} leads through something that has no {step!r}")
    return here


def _ends_soon(program: str) -> bool:
    position = iterations = 0
    joined = False
    while position < len(program):
        match = _HARMLESS.match(program, position)
        if match is None:
            return False
        mark = match.group()
        iterations += "[]" in mark
        joined = joined or bool(re.match(r"[-+/<>=!,]|and|or", mark))
        position = match.end()
    return iterations <= 1 or not joined


def _one(value: Any, jq: str) -> Taken:
    if value is None:
        raise NotTaken(f"{jq} gives null", Reason.NODATA)
    if isinstance(value, float | int) and not abs(value) < _LARGEST:
        raise NotTaken(f"{jq} gives something that is no finite number", Reason.NODATA)
    if isinstance(value, list):
        raise NotTaken(f"{jq} gives a list where one value was meant; count it (| length) or name an aggregate")
    if isinstance(value, dict):
        if not value or any(isinstance(part, dict | list) for part in value.values()):
            raise NotTaken(f"{jq} gives an object where one value was meant")
        return Taken(values=value)
    return Taken(value.encode("utf-8", "replace").decode() if isinstance(value, str) else value)


def program_problem(program: str) -> str | None:
    """Why a jq program cannot be read; None when it can, or when jq is not installed here."""
    if _steps(program) is not None:
        return None
    try:
        import jq
    except ImportError:
        return None
    try:
        jq.compile(program)
    except ValueError as trouble:
        return f"{program!r} is no jq program: {str(trouble).splitlines()[0]}"
    return None
