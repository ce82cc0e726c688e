"""`inspect`: people judge a fetched sample item by item. The kept judgement counts as long as it is valid."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from runbook.checks.answers import parse_json
from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import AroundCheck, NotTaken, answered, seconds_left, unknown, unreachable, without_value
from runbook.checks.people.sign import Sign
from runbook.checks.reading import Wanted
from runbook.judge.verdicts import Reason
from runbook.language.units import show_value
from runbook.system.harmless import harmless
from runbook.system.http_messages import Request
from runbook.system.http_requests import curl_line, filled
from runbook.system.secrets import VariableTrouble

_FETCHED = re.compile(r"/|https?://", re.IGNORECASE)
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%")
_MOST_ITEMS = 100_000
_MOST_ASKED = 1000  # items that somebody looks at one by one
_LONGEST_ITEM = 2000  # characters
_SECONDS = 10.0  # for a jq program


class Inspect(Kind, frozen=True, kw_only=True):
    """What begins with `/` or `http` is fetched, anything else is a file in the project. `runbook sign` shows the items
    and keeps what was answered; looking at the check takes nothing but the kept answer.
    """

    KEY: ClassVar[str] = "inspect"
    LOOKS_AT: ClassVar[str] = "a sample that people judge item by item: passes when enough items have every answer yes"
    EXAMPLE: ClassVar[str] = (
        "{check: Answers are right, inspect: /answers, list: '.items[]', sample: 20, "
        "questions: [Is it right, Is it complete], share: 90%, valid: 7d}"
    )

    inspect: str
    questions: tuple[str, ...]
    list_: str | None = msgspec.field(name="list", default=None)
    sample: int = 20
    share: str = "100%"
    valid: str | None = None

    def takes_value(self) -> bool:
        return False

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = Wanted(list_=self.list_ or False).problems() + self._sign().problems()
        if not self.inspect.strip():
            found.append("inspect is empty: write a URL, or a file in the project")
        if not self.questions or not all(question.strip() for question in self.questions):
            found.append("questions: write at least one, such as [Is it right]")
        if not 1 <= self.sample <= _MOST_ASKED:
            found.append(f"sample is {self.sample}: write how many items are judged, from 1 to {_MOST_ASKED:,}")
        share = _SHARE.fullmatch(self.share)
        if share is None or not 0 < Decimal(share[1]) <= 100:
            found.append(f"share is {self.share!r}: write it in percent, such as 90%")
        return found

    def by_hand(self, url: str | None) -> str:
        return curl_line(Request(url=self.inspect), url) if self.is_fetched() else ""

    def is_fetched(self) -> bool:
        """Whether the sample comes over HTTP, not out of a file."""
        return _FETCHED.match(self.inspect) is not None

    async def look(self, around: Surroundings) -> Finding:
        if not isinstance(around, AroundCheck):
            return unknown("nobody said whose answer is meant")
        finding = await self._sign().look(around)
        check = around.check
        if around.answers is None or around.answers.answer(check.full_id, check.title) is None:
            return replace(finding, message=f"nobody has judged it: runbook sign {check.full_id} on a terminal")
        return finding

    def _sign(self) -> Sign:
        """The answer to the whole, as a manual item."""
        return Sign(sign=True, valid=self.valid)


async def items_of(options: Inspect, around: Surroundings) -> list[str] | Finding:
    """The items that somebody is to judge, as texts that may be shown: masked, harmless, in lines, none too long.

    They are spread evenly over all that are there, and the same for the same ones; where fewer are there than
    `sample`, these. A finding says why there is nothing to judge. Close `around.asker` afterwards.
    """
    try:
        body = await _fetched(options, around) if options.is_fetched() else await _read(options, around)
    except VariableTrouble as trouble:
        return without_value(trouble)
    if isinstance(body, Finding):
        return body
    try:
        found = await _entries(body, options.list_, min(seconds_left(around), _SECONDS))
    except NotTaken as trouble:
        return unknown(trouble.message, trouble.reason)
    if not found:
        return unknown(f"there is no item in {options.inspect}", Reason.NODATA)
    return [_shown(item, around) for item in spread(found, options.sample)]


def judged(options: Inspect, verdicts: Sequence[Sequence[bool]]) -> tuple[bool, str]:
    """What the answers to each item's questions say together: whether the share is reached, and that in words.

    `verdicts` holds for each item the answers to the questions, in their order. An item counts with a yes to every
    question; over no item the answer is no.
    """
    count = len(verdicts)
    good = sum(len(answers) == len(options.questions) and all(answers) for answers in verdicts)
    if not count:
        return False, "nothing was judged"
    words = f"{good} of {count}, {show_value(Decimal(good) / count, 'ratio')}"
    if count < options.sample:
        words += f" (of the {options.sample} meant, {count} were there)"
    return Decimal(good) * 100 >= _percent(options.share) * count, words


def spread(found: Sequence[Any], sample: int) -> list[Any]:
    """At most `sample` of them, in their order and at even distances, the first of all among them."""
    count = min(sample, len(found))
    return [found[number * len(found) // count] for number in range(count)]


def _percent(share: str) -> Decimal:
    return Decimal(share.rstrip("% "))


async def _fetched(options: Inspect, around: Surroundings) -> bytes | Finding:
    request = filled(Request(url=options.inspect), around.url, around.variables, around.masker)
    answer = await answered(request, around)
    if isinstance(answer, Finding):
        return answer
    if answer.status // 100 != 2:
        return unreachable(f"status {answer.status}", observed=str(answer.status))
    return answer.body


async def _read(options: Inspect, around: Surroundings) -> bytes | Finding:
    from runbook.system.daemon_threads import in_thread
    from runbook.system.files import FileTrouble, read_regular

    name = around.variables.file_name(options.inspect)
    try:
        return await in_thread(lambda: read_regular(around.project / name))
    except FileTrouble as trouble:
        return unknown(f"{name} {trouble.reason}")
    except ValueError as trouble:  # a name that no file can have
        return unknown(f"{name}: {trouble}")


async def _entries(body: bytes, program: str | None, seconds: float) -> list[Any]:
    """All entries: of a jq program, of a JSON list, else the lines that hold something. Raises NotTaken."""
    if program is None:
        return _listed_or_lines(body)
    parse_json(body)  # says best what is wrong with it
    outputs = await _outputs(body.decode("utf-8-sig"), program, seconds)
    if len(outputs) == 1 and isinstance(outputs[0], list):
        outputs = outputs[0]
    if any(entry is None for entry in outputs):
        raise NotTaken(f"{program} gives null where items were meant", Reason.NODATA)
    return outputs


async def _outputs(text: str, program: str, seconds: float) -> list[Any]:
    from runbook.checks.bounded import BoundedTrouble, run_jq
    from runbook.system.daemon_threads import in_thread

    try:
        return await in_thread(lambda: run_jq(program, text, _MOST_ITEMS, seconds))
    except BoundedTrouble as trouble:
        raise NotTaken(f"jq {program}: {str(trouble).splitlines()[0]}") from None


def _listed_or_lines(body: bytes) -> list[Any]:
    try:
        document = parse_json(body)
    except NotTaken:
        document = None
    if isinstance(document, list):
        return document
    if isinstance(document, dict):
        raise NotTaken("it is one JSON object: say where its items are, as in list: .items[]")
    return [line.strip() for line in body.decode("utf-8", "replace").splitlines() if line.strip()]


def _shown(item: Any, around: Surroundings) -> str:
    text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, indent=2)
    return harmless(around.masker.mask(text), lines=True, limit=_LONGEST_ITEM)
