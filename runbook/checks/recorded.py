"""Recorded answers in place of the world: what a look is told when a playbook's tests run.

A request is named by its method and URL or path (`GET /health`), anything else by the id of its check. What nothing was
recorded for is noted and unknown: the world itself is never asked instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from runbook.checks.base import Check, Finding
from runbook.checks.findings import AroundCheck, NotTaken, Rows, Unreachable, shown, unknown
from runbook.judge.verdicts import Reason, Status
from runbook.language.conditions import ConditionError, parse_condition
from runbook.language.syntax import Comparison, Number
from runbook.system.http_messages import HttpTrouble, Request, Response

METHODS = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"
ANY_REQUEST = "*"
_REQUEST = re.compile(rf"(?:(?:{METHODS}) )?(?:/|https?://)\S*|\*", re.IGNORECASE)
_AMOUNT = re.compile(r"[-+$]?\.?\d")
_WORDS = ("pass", "fail", "unknown")
# These look only at what was asked over HTTP, at what the tool itself laid down, or at what people answered. Prometheus
# is not among them: its answers bear times, by which what was recorded is always too old.
THROUGH_REQUESTS = frozenset({"http", "ollama", "scrape", "alertmanager", "github", "flags", "inspect", "sign", "all"})
_OF_PROCESSES = ("command", "run")


class RecordedAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One answer. Of a request: `status`, `headers`, and `json` or `text`; `took` is in seconds.

    Of a check: how it came out (`is`), the `value` that it took out and more by name (`values`), `exit`, `output` and
    `errors` of a program, the `rows` of a query. `down` and `timeout` are no answer at all.
    """

    status: int = 200
    headers: dict[str, str] = {}
    json: Any = msgspec.UNSET
    text: str | None = None
    took: float = 0.0
    down: bool = False
    timeout: bool = False
    is_: Literal["pass", "fail", "unknown"] | None = msgspec.field(name="is", default=None)
    value: Any = msgspec.UNSET
    values: dict[str, Any] = {}
    message: str = ""
    listed: tuple[str, ...] = ()
    exit: int | None = None
    output: str = ""
    errors: str = ""
    rows: tuple[tuple[Any, ...], ...] | None = None


OF_REQUESTS = frozenset({"status", "headers", "json", "text", "took", "down", "timeout"})
OF_CHECKS = frozenset(
    {"is", "value", "values", "message", "listed", "exit", "output", "errors", "rows", "down", "timeout"}
)


@dataclass(frozen=True)
class Settled(Finding):
    """A finding that is told as it is: neither `expect` nor the kind judges it any more."""


def names_request(key: str) -> bool:
    """Whether the name of an answer is that of a request: `GET /health`, `/health`, a URL, or `*` for any."""
    return _REQUEST.fullmatch(key) is not None


def read_answer(key: str, plain: Any) -> RecordedAnswer:
    """The answer of plain data as it is written. Of a check a word, a number or a text may stand for the whole.

    Raises ValueError with what is wrong.
    """
    request = names_request(key)
    known = OF_REQUESTS if request else OF_CHECKS
    if isinstance(plain, dict):
        strange = [str(name) for name in plain if name not in known]
        if strange:
            raise ValueError(f"'{strange[0]}' is no part of an answer; known here: {', '.join(sorted(known))}")
        try:
            return msgspec.convert(plain, RecordedAnswer)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None
    if request:
        if isinstance(plain, int) and not isinstance(plain, bool):
            return RecordedAnswer(status=plain)
        raise ValueError("the answer of a request is a status, or a mapping: {status: 200, json: {...}}, {down: true}")
    if isinstance(plain, str) and plain in _WORDS:
        return RecordedAnswer(is_=msgspec.convert(plain, Literal["pass", "fail", "unknown"]))
    if isinstance(plain, list):
        raise ValueError("one value is meant; write {value: ...}, or {rows: [[...]]} for a query")
    return RecordedAnswer(value=plain)


@dataclass
class Recorded:
    """The answers of one look, and what was asked without any: `missing` collects sentences.

    `quiet` are full ids of checks whose missing answer is no data and needs no word.
    """

    answers: Mapping[str, RecordedAnswer]
    quiet: Collection[str] = ()
    missing: list[str] = field(default_factory=list)

    async def look(self, around: AroundCheck) -> Finding:
        """What the check finds: its own recorded answer, or what its kind makes of the recorded requests."""
        check = around.check
        answer = self.answers.get(check.full_id) or self.answers.get(check.id)
        if answer is not None:
            return await _found(answer, around)
        if check.kind in THROUGH_REQUESTS:
            from runbook.checks.recorded_asker import RecordedAsker

            around.asker = RecordedAsker(lambda request: self.response(request, check))
            finding: Finding = await check.options.look(around)
            return finding
        return self.nothing_for(check, f"nothing recorded for the check '{check.title}': write  {check.id}: pass")

    def nothing_for(self, check: Check, message: str) -> Finding:
        """A finding that nothing was recorded, which is noted unless nobody waits for it."""
        self._note(check, message)
        return Settled(Status.UNKNOWN, message=message, reason=Reason.NODATA)

    def response(self, request: Request, check: Check) -> Response | HttpTrouble:
        """The recorded answer of a request."""
        answer = next((self.answers[key] for key in keys_of(request) if key in self.answers), None)
        if answer is None:
            told = f"{request.method} {path_of(request.url)}"
            message = f"nothing recorded for {told}; the check '{check.title}' asks it"
            self._note(check, message)
            return HttpTrouble("refuse", message)
        if answer.down:
            return HttpTrouble("connect", "connection refused (recorded)")
        if answer.timeout:
            return HttpTrouble("wait", "timed out (recorded)", timed_out=True)
        usual = {"content-type": "application/json"} if answer.json is not msgspec.UNSET else {}
        headers = tuple({**usual, **{name.lower(): value for name, value in answer.headers.items()}}.items())
        return Response(answer.status, headers, body_of(answer), request.url, answer.took, phases={"wait": answer.took})

    def _note(self, check: Check, message: str) -> None:
        if check.full_id not in self.quiet and message not in self.missing:
            self.missing.append(message)


def keys_of(request: Request) -> list[str]:
    """The names under which the answer of a request may be recorded, the closest first."""
    path = path_of(request.url)
    places = list(dict.fromkeys([request.url, path, path.partition("?")[0]]))
    return [*(f"{request.method} {place}" for place in places), *places, ANY_REQUEST]


def path_of(url: str) -> str:
    """The path and query of a URL."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def body_of(answer: RecordedAnswer) -> bytes:
    """The body of a recorded answer."""
    if answer.json is not msgspec.UNSET:
        return json.dumps(answer.json).encode()
    return (answer.text or "").encode()


def amount_of(value: Any) -> tuple[Any, str | None]:
    """A value as it is written, and its unit where a text names one: `8%`, `64GiB`, `900ms`; else as it is."""
    if not isinstance(value, str) or not _AMOUNT.match(value):
        return value, None
    try:
        root = parse_condition(f"value == {value}", "value").root
    except ConditionError:
        return value, None
    right = root.right if isinstance(root, Comparison) else None
    if not isinstance(right, Number) or right.unit in (None, "version"):
        return value, None
    return float(right.value), right.unit


async def _found(answer: RecordedAnswer, around: AroundCheck) -> Finding:
    check = around.check
    if answer.down or answer.timeout:
        word = "timed out" if answer.timeout else "connection refused"
        return Unreachable(Status.UNKNOWN, "", message=f"{word} (recorded)", reason=Reason.ERROR)
    if answer.is_ is not None:
        reason = Reason.ERROR if answer.is_ == "unknown" else None
        told = answer.message or "recorded"
        return Settled(Status(answer.is_), answer.is_, message=told, reason=reason, listed=answer.listed)
    if answer.exit is not None or answer.output or answer.errors:
        return await _ended(answer, around)
    if answer.rows is not None:
        try:
            return _of_rows(answer.rows, getattr(check.options, "worst", None))
        except NotTaken as trouble:
            return unknown(trouble.message, trouble.reason)
    return _of_values(answer)


def _of_values(answer: RecordedAnswer) -> Finding:
    value, unit = amount_of(None if answer.value is msgspec.UNSET else answer.value)
    taken = {name: amount_of(one) for name, one in answer.values.items()}
    if value is None and not taken:
        return unknown("there is no value in the recorded answer", Reason.NODATA)
    units = {name: one[1] for name, one in (*taken.items(), ("value", (value, unit))) if one[1] is not None}
    observed = shown(value if value is not None else {name: one[0] for name, one in taken.items()})
    values = {name: one[0] for name, one in taken.items()}
    return Finding(Status.PASS, observed, message=answer.message, value=value, values=values, units=units)


async def _ended(answer: RecordedAnswer, around: AroundCheck) -> Finding:
    """What the kind makes of a program that ended so."""
    from runbook.checks.here.processes import finding_of
    from runbook.checks.reading import Wanted
    from runbook.system.processes import Finished

    options = around.check.options
    if around.check.kind not in _OF_PROCESSES:
        return unknown(f"exit and output are of a program, and this is a check of the kind {around.check.kind}")
    wanted = Wanted(jq=options.jq, matches=options.matches, list_=options.list_, lines=options.lines)
    return await finding_of(Finished(answer.exit or 0, answer.output, answer.errors), wanted, around)


def _of_rows(rows: tuple[tuple[Any, ...], ...], worst: str | None) -> Finding:
    """The value of a query's rows: the one cell, or the worst of the last column. Raises NotTaken."""
    if not rows or not all(rows):
        raise NotTaken("the query gives no row", Reason.NODATA)
    if worst is None:
        if len(rows) > 1:
            raise NotTaken("the query gives more than one row; add limit 1, an aggregate, or worst: max")
        value = rows[0][0]
        if value is None:
            raise NotTaken("the query gives null", Reason.NODATA)
        return Finding(Status.PASS, observed=shown(value), value=value)
    named = [(shown(row[0]), row[-1]) for row in rows]
    if any(not isinstance(value, int | float) for _, value in named):
        raise NotTaken("the last column holds no numbers, so no row is the worst")
    named.sort(key=lambda pair: pair[1], reverse=worst == "max")
    return Rows(Status.PASS, f"{shown(named[0][1])} ({named[0][0]})", value=named[0][1], rows=tuple(named))
