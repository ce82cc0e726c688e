"""`flags`: what the flag file shows: the safe defaults, agreement with the running service, or one key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Literal

import msgspec

from runbook.checks.answers import program_problem, take_out
from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, answered, failed, seconds_left, shown, unknown, unreachable, without_value
from runbook.judge.verdicts import Reason, Status
from runbook.system.http_messages import Request
from runbook.system.http_requests import curl_line, filled
from runbook.system.secrets import VariableTrouble

_NUMBER = re.compile(r"[-+]?\d{1,30}(\.\d{1,30})?([eE][-+]?\d{1,3})?")
_YES = frozenset({"true", "1", "yes", "on"})
_NO = frozenset({"false", "0", "no", "off", ""})
_SECTIONS = ("safe", "live")

Form = Literal["fraction", "percent"]


class Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where the service tells one key's value, and in which form where that differs from the file's.

    `as: fraction` means that the service says 0.1 where the file says 10, `as: percent` the other way round.
    """

    jq: str
    as_: Form | None = msgspec.field(name="as", default=None)


class Flags(Kind, frozen=True, kw_only=True):
    """`safe`, `live` (with `from` and `map`), or the name of one key, whose value `expect` judges.

    `as` is the form for the one key of a `map`; in a map of several each may say its own: `{jq: .share, as: fraction}`.
    """

    KEY: ClassVar[str] = "flags"
    GIVES: ClassVar[tuple[str, ...] | None] = ()
    LOOKS_AT: ClassVar[str] = "the flag file: the safe defaults, agreement with the running service, or one key"
    EXAMPLE: ClassVar[str] = "{check: The file shows the safe defaults, flags: safe}"

    flags: str
    from_: str | None = msgspec.field(name="from", default=None)
    map: dict[str, str | Told] = msgspec.field(default_factory=dict)
    as_: Form | None = msgspec.field(name="as", default=None)

    def takes_value(self) -> bool:
        return self.flags not in _SECTIONS

    def asserts(self) -> bool:
        """One key says nothing without `expect`."""
        return self.flags in _SECTIONS

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        if self.flags != "live":
            return ["from and map belong to `flags: live`"] if self.from_ or self.map else []
        found = [] if self.from_ else ["`flags: live` needs `from`: the endpoint that tells the live values"]
        if not self.map:
            found.append("`flags: live` needs `map`: each key with the jq path of its live value")
        paths = [one if isinstance(one, str) else one.jq for one in self.map.values()]
        found += [problem for path in paths if (problem := program_problem(path))]
        if self.as_ and len(self.map) > 1:
            found.append("`as` beside a map of several keys: write it at its key, {jq: .share, as: fraction}")
        return found

    def by_hand(self, url: str | None) -> str:
        return curl_line(Request(url=self.from_), url) if self.from_ else ""

    async def look(self, around: Surroundings) -> Finding:
        from runbook.system.daemon_threads import in_thread

        if not around.flag_files:
            return unknown("this environment names no flag file")
        if self.flags == "safe":
            return await in_thread(lambda: _safe(around))
        if self.flags == "live":
            return await self._live(around)
        return await in_thread(lambda: _one_key(around, self.flags))

    async def _live(self, around: Surroundings) -> Finding:
        from runbook.system.daemon_threads import in_thread

        request = self._request(around)
        if isinstance(request, Finding):
            return request
        files = await in_thread(lambda: _read(around, tuple(self.map)))
        if isinstance(files, Finding):
            return files
        answer = await answered(request, around)
        if isinstance(answer, Finding):
            return answer
        if answer.status // 100 != 2:
            return unreachable(f"status {answer.status}", observed=str(answer.status))
        differing: list[str] = []
        for key, place in self.map.items():
            told = place if isinstance(place, Told) else Told(jq=place, as_=self.as_)
            try:
                live = (await take_out(answer.body, told.jq, seconds_left(around))).value
            except NotTaken as trouble:
                return unknown(f"{key}: {trouble.message}", trouble.reason)
            differing += _differences(key, files, live, told.as_)
        return _agreement(differing, len(self.map))

    def _request(self, around: Surroundings) -> Request | Finding:
        try:
            request = filled(Request(url=self.from_ or ""), around.url, around.variables, around.masker)
        except VariableTrouble as trouble:
            return without_value(trouble)
        return request or unknown("a relative URL, and the environment has no url")


def _read(around: Surroundings, keys: Sequence[str]) -> list[tuple[str, Mapping[str, str | None]]] | Finding:
    """Each flag file by its shown name, with the values of the keys."""
    from runbook.flags.changes import FlagTrouble

    found: list[tuple[str, Mapping[str, str | None]]] = []
    for file in around.flag_files:
        try:
            found.append((file.shown, file.read(keys).values))
        except FlagTrouble as trouble:
            return unknown(str(trouble))
    return found


def _safe(around: Surroundings) -> Finding:
    files = _read(around, tuple(around.safe))
    if isinstance(files, Finding):
        return files
    if not around.safe:
        return unknown("the playbook declares no safe flags", Reason.NODATA)
    wrong, missing = [], []
    for file, values in files:
        for key, wanted in around.safe.items():
            present = values.get(key)
            if present is None:
                missing.append(f"{key} is missing in {file}")
            elif not same(present, wanted):
                wrong.append(f"{key}={present} in {file}, safe is {wanted}")
    if wrong:
        return failed("not the safe defaults", f"{len(wrong)} not safe", "safe defaults", listed=wrong + missing)
    if missing:
        finding = unknown(missing[0], Reason.NODATA, f"{len(missing)} missing")
        return replace(finding, expected="safe defaults", listed=tuple(missing))
    return Finding(Status.PASS, observed=f"{len(around.safe)} safe", expected="safe defaults")


def _one_key(around: Surroundings, key: str) -> Finding:
    files = _read(around, (key,))
    if isinstance(files, Finding):
        return files
    values = {file: found.get(key) for file, found in files}
    present = [value for value in values.values() if value is not None]
    if not present:
        return unknown(f"{key} is missing in {', '.join(values)}", Reason.NODATA)
    if len(present) < len(values) or any(not same(value, present[0]) for value in present):
        listed = [f"{file}: {value if value is not None else 'missing'}" for file, value in values.items()]
        return Finding(Status.UNKNOWN, "differs", message="the files differ", reason=Reason.ERROR, listed=listed)
    return Finding(Status.PASS, observed=present[0], value=_typed(present[0]))


def _differences(
    key: str, files: Sequence[tuple[str, Mapping[str, str | None]]], live: Any, form: Form | None
) -> list[str]:
    found = []
    for file, values in files:
        present = values.get(key)
        if present is None:
            found.append(f"{key} is missing in {file}; live it is {shown(live)}")
        elif not agrees(present, live, form):
            found.append(f"{key}={present} in {file}, live it is {shown(live)}")
    return found


def _agreement(differing: list[str], count: int) -> Finding:
    if differing:
        return failed(differing[0], f"{len(differing)} differ", "the file's flags", listed=differing)
    return Finding(Status.PASS, observed=f"{count} agree", expected="the file's flags")


def agrees(written: str, live: Any, form: Form | None = None) -> bool:
    """Whether a value in a file and one told by a service mean the same: `True` and true, `10` and 10.0.

    With a form the service's number is compared as that form of the file's.
    """
    if isinstance(live, bool):
        return written.strip().lower() in (_YES if live else _NO)
    if isinstance(live, int | float):
        number = _decimal(written)
        told = _decimal(repr(live)) if form is None else _in_form(repr(live), form)
        return number is not None and told is not None and number == told
    if form is not None:
        told = _in_form(str(live), form)
        return told is not None and told == _decimal(written)
    return same(written, str(live))


def same(one: str, other: str) -> bool:
    """Whether two texts mean the same value: equal, equal truths (`True`, `true`), or equal numbers (`10`, `10.0`)."""
    if one == other:
        return True
    if one.lower() in ("true", "false") and one.lower() == other.lower():
        return True
    first, second = _decimal(one), _decimal(other)
    return first is not None and first == second


def _in_form(text: str, form: Form) -> Decimal | None:
    number = _decimal(text)
    if number is None:
        return None
    return number * 100 if form == "fraction" else number / 100


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _typed(text: str) -> Any:
    """A flag's text as `expect` compares it: a truth, a number, or the text."""
    from runbook.checks.answers import number_or_text

    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return number_or_text(text)
