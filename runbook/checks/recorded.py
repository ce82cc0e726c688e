"""Recorded answers in place of the world: what a look is told when a playbook's tests run.

A request is named by its method and URL or path (`GET /health`), anything else by the id of its check. What nothing was
recorded for is noted and unknown: the world itself is never asked instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from runbook.checks.base import Check, Finding
from runbook.checks.findings import AroundCheck, NotTaken, Unreachable, shown, unknown
from runbook.checks.recorded_names import (
    ANY_REQUEST,
    closeness,
    keys_of,
    names_request,
    path_of,
    place_of,
    request_named,
)
from runbook.judge.verdicts import Reason, Status
from runbook.language.conditions import ConditionError, parse_condition
from runbook.language.syntax import Comparison, Number
from runbook.system.http_messages import HttpTrouble, Request, Response

__all__ = [
    "ANY_REQUEST", "Recorded", "RecordedAnswer", "Settled", "amount_of", "keys_of", "names_request", "path_of",
    "read_answer",
]  # fmt: skip

_AMOUNT = re.compile(r"[-+$]?\.?\d")
_WORDS = ("pass", "fail", "unknown")
# These look only at what was asked over HTTP, at what the tool itself laid down, or at what people answered. Prometheus
# is not among them: its answers bear times, by which what was recorded is always too old.
THROUGH_REQUESTS = frozenset({"http", "ollama", "scrape", "alertmanager", "github", "flags", "inspect", "sign", "all"})
OF_PROCESSES = ("command", "run")


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
class _Heard:
    """What one check asked: when the answers were said (`said`), and sentences of what had none."""

    said: list[int] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)


@dataclass
class Recorded:
    """The answers of one look, and what was asked without any: `missing` collects sentences.

    `quiet` are full ids of checks whose missing answer is no data and needs no word. `said` numbers the answers by when
    they were said: what was said later wins, and of what was said at once the closest name.
    """

    answers: Mapping[str, RecordedAnswer]
    quiet: Collection[str] = ()
    missing: list[str] = field(default_factory=list)
    said: Mapping[str, int] = field(default_factory=dict)
    _places: dict[str, set[str]] = field(default_factory=dict)  # the hosts that a path was asked of

    async def look(self, around: AroundCheck) -> Finding:
        """What the check finds: its own recorded answer, or what its kind makes of the recorded requests."""
        check = around.check
        own = self._own(check)
        if own is not None and self._when(own) >= await self._newest(around):
            return await _found(self.answers[own], around)
        if check.kind in THROUGH_REQUESTS:
            finding, heard = await self._asked(around)
            for message in heard.lacking:
                self._note(check, message)
            return finding
        return self.nothing_for(check, f"nothing recorded for the check '{check.title}': write  {check.id}: pass")

    def nothing_for(self, check: Check, message: str) -> Finding:
        """A finding that nothing was recorded, which is noted unless nobody waits for it."""
        self._note(check, message)
        return Settled(Status.UNKNOWN, message=message, reason=Reason.NODATA)

    def _own(self, check: Check) -> str | None:
        """The name of the check's own answer: the one said last, of those said at once the full id."""
        found = [key for key in dict.fromkeys((check.id, check.full_id)) if key in self.answers]
        return max(found, key=lambda key: (self._when(key), key == check.full_id), default=None)

    def _when(self, key: str) -> int:
        return self.said.get(key, 0)

    async def _newest(self, around: AroundCheck) -> int:
        """When the last word was said on what the check looks at by way of others; -1 where nothing was."""
        check = around.check
        if check.kind not in THROUGH_REQUESTS or not any(self.said.values()):
            return -1
        if check.kind != "all":
            return max((await self._asked(around))[1].said, default=-1)
        found = [-1]
        for one in check.checks:
            own = self._own(one)
            found.append(-1 if own is None else self._when(own))
            found.append(await self._newest(AroundCheck.of(around, one, around.look_all)))
        return max(found)

    async def _asked(self, around: AroundCheck) -> tuple[Finding, _Heard]:
        """What the kind makes of the recorded requests, and which of them it asked for."""
        from runbook.checks.recorded_asker import RecordedAsker

        heard = _Heard()
        asker = RecordedAsker(
            lambda request: self._response(request, around.check, around.url, heard), around.check.timeout
        )
        finding: Finding = await around.check.options.look(replace(around, asker=asker))
        return finding, heard

    def _response(self, request: Request, check: Check, base: str | None, heard: _Heard) -> Response | HttpTrouble:
        """The recorded answer of a request."""
        key = self._named(request, base, heard)
        if key is None:
            message = f"nothing recorded for {request.method} {path_of(request.url)}; the check '{check.title}' asks it"
            heard.lacking.append(message)
            return HttpTrouble("refuse", message)
        heard.said.append(self._when(key))
        answer = self.answers[key]
        if answer.down:
            return HttpTrouble("connect", "connection refused (recorded)")
        if answer.timeout:
            return HttpTrouble("wait", "timed out (recorded)", timed_out=True)
        usual = {"content-type": "application/json"} if answer.json is not msgspec.UNSET else {}
        headers = tuple({**usual, **{name.lower(): value for name, value in answer.headers.items()}}.items())
        return Response(answer.status, headers, body_of(answer), request.url, answer.took, phases={"wait": answer.took})

    def _named(self, request: Request, base: str | None, heard: _Heard) -> str | None:
        """The name under which the answer of a request is recorded. A path that two places are asked for is noted."""
        near = {key: closeness(request_named(key, base), request.method, request.url, base) for key in self._requests()}
        found = [(self._when(key), close, key) for key, close in near.items() if close is not None]
        key = max(found)[2] if found else None
        if key is None or "://" in key or key == ANY_REQUEST:
            return key
        asked = request.url.removesuffix(path_of(request.url)) or request.url
        places = self._places.setdefault(key, set())
        places.add(base or asked if place_of(request.url, base).startswith("/") else asked)
        if len(places) > 1:
            told = " and ".join(sorted(places))
            heard.lacking.append(f"{key} is asked of {told}: write whose answer it is, {request.method} {request.url}")
        return key

    def _requests(self) -> list[str]:
        return [key for key in self.answers if names_request(key)]

    def _note(self, check: Check, message: str) -> None:
        if check.full_id not in self.quiet and message not in self.missing:
            self.missing.append(message)


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
        from runbook.checks.stores.cells import judge_rows

        try:
            return judge_rows(answer.rows, getattr(check.options, "worst", None))
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
    if around.check.kind not in OF_PROCESSES:
        return unknown(f"exit and output are of a program, and this is a check of the kind {around.check.kind}")
    wanted = Wanted(jq=options.jq, matches=options.matches, list_=options.list_, lines=options.lines)
    return await finding_of(Finished(answer.exit or 0, answer.output, answer.errors), wanted, around)
