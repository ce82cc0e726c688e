"""Whether each check can say no: it is held against answers that should make it fail, and what never does is told.

Nothing of the world is touched: what a kind does with an answer over HTTP, or with the end of a program, is tried out
with made ones; of the others their `expect` is searched for a value at which it is false, and their kind is trusted.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from runbook.checks.base import Check, Surroundings
from runbook.checks.recorded import THROUGH_REQUESTS, Recorded, RecordedAnswer, names_request
from runbook.checks.recorded_names import ANY_REQUEST, closeness, request_named
from runbook.flags.target import FlagFile
from runbook.judge.reachable import reached
from runbook.judge.verdicts import Status, Truth
from runbook.language.conditions import parse_condition
from runbook.language.syntax import Name, walk
from runbook.playbook.model import Playbook
from runbook.playbook.tests_agreement import every_check
from runbook.playbook.trial import overlaid
from runbook.rollout.manual_items import BY_PEOPLE
from runbook.rollout.proving_answers import (
    NOTHING,
    PRINTED,
    RUBBISH,
    TEXTS,
    changed,
    documents_for,
    is_path,
    listed,
    names_fields,
    printed,
)
from runbook.rollout.proving_domains import ANY, domains_of_expect
from runbook.rollout.proving_shell import sign_of_line, sign_of_program
from runbook.rollout.trial_answers import TrialTrouble, answers_of, from_file
from runbook.rollout.trial_site import stand_ins
from runbook.system.http_requests import absolute
from runbook.system.secrets import Masker, VariableTrouble
from runbook.system.variables import Variables

PROVED, BY_KIND, SUSPECT = "proved", "by its kind", "suspect"
SECONDS = 600.0
# A program that chooses among what it finds may wait for something that was not thought of.
_CHOOSES = re.compile(r"\b(?:select|test|match|map|reduce|def|foreach|any|all|scan|capture)\b")
MISSING = "let a missing value be missing: no // and no ?, and [.items[]] | length in place of .items | length"


@dataclass(frozen=True)
class Proof:
    """How a check came out. `why` says of one that is suspect what lets it pass, `hint` what to do about it."""

    check: Check
    how: str
    why: str = ""
    hint: str = ""


@dataclass
class _Tries:
    """The answers that a check is held against, and what it said to them."""

    around: Surroundings
    recorded: Mapping[str, RecordedAnswer] = field(default_factory=dict)

    async def status(self, check: Check, answer: RecordedAnswer, *, named: bool = False) -> Status:
        """How the check comes out where every request, or with `named` the check itself, is answered so."""
        from runbook.checks.runner import look, measure

        given = {check.full_id if named else "*": answer}
        around = replace(self.around, recorded=Recorded(given))
        if check.checklist == "metrics":
            return (await measure({"it": check}, around))["it"].status
        return (await look([check], around))[0].status


def prove(playbook: Playbook, project: Path | None = None) -> list[Proof]:
    """Every check of the verify list, the checklists and the metrics, held against answers that should make it fail.

    In `project` lie the files of answers that the playbook's tests name.
    """

    async def everything(folder: Path) -> list[Proof]:
        tries = _tries(playbook, folder, project)
        checks = [*every_check(playbook), *(one.check for one in playbook.metrics.values() if one.check is not None)]
        return [await _proof(check, playbook, tries) for check in checks]

    with TemporaryDirectory(prefix="runbook-prove-") as name:
        return asyncio.run(everything(Path(name)))


def _tries(playbook: Playbook, folder: Path, project: Path | None) -> _Tries:
    from runbook.checks.asker import Asker

    masker = Masker()
    context = {"percent": "10", "stage": "stage", "environment": "test", "service": playbook.service}
    context |= {"today": "2026-01-06", "month": "2026-01"}
    declared = stand_ins(playbook)
    around = Surroundings(
        project=folder,
        environment="",
        url="http://service.invalid",
        variables=Variables(declared=declared, context=context, masker=masker),
        masker=masker,
        asker=Asker(),
        deadline=time.monotonic() + SECONDS,
        now=0.0,
        flag_files=[_safe_file(playbook, folder)],
        safe=playbook.flags.safe if playbook.flags is not None else {},
    )
    return _Tries(around, _recorded(playbook, project))


def _safe_file(playbook: Playbook, folder: Path) -> FlagFile:
    """A flag file that shows the safe values."""
    safe = playbook.flags.safe if playbook.flags is not None else {}
    (folder / "flags.env").write_text("".join(f"{key}='{value}'\n" for key, value in safe.items()) or "# none\n")
    return FlagFile(folder, "flags.env", False, folder)


def _recorded(playbook: Playbook, project: Path | None) -> dict[str, RecordedAnswer]:
    """What the playbook's own tests recorded of requests: the answers that values are changed in."""
    found: dict[str, RecordedAnswer] = {}
    for trial in playbook.tests:
        try:
            whole = overlaid(trial, playbook.tests)
            given = {**(from_file(playbook, whole, project) if project is not None else {}), **whole.answers}
            asked = {key: plain for key, plain in given.items() if names_request(key)}
            found = {**answers_of(playbook, asked), **found}
        except (TrialTrouble, ValueError):  # lint tells what is wrong with it
            continue
    return found


async def _proof(check: Check, playbook: Playbook, tries: _Tries) -> Proof:
    check = msgspec.structs.replace(check, only=(), unless=()) if _is_looked_at(check, playbook) else check
    if check.only or check.unless:
        return Proof(check, SUSPECT, "it is looked at in no environment", "mend only: and unless:")
    if check.kind in BY_PEOPLE:
        return Proof(check, PROVED)
    if check.kind == "all":
        idle = all(one.level == "warn" for one in check.checks)
        why = "every check in it is a warning, which never counts here"
        return Proof(check, SUSPECT, why, "leave level: warn out") if idle else Proof(check, PROVED)
    if check.expect is not None and (why := _never_false(check)):
        return Proof(check, SUSPECT, why, "write a limit that a bad value breaks")
    if check.kind in ("command", "run"):
        return await _of_program(check, tries)
    if check.kind == "flags":
        return await _of_flags(check, tries)
    if check.kind in THROUGH_REQUESTS:
        return await _of_requests(check, tries)
    return Proof(check, PROVED if check.expect is not None else BY_KIND)


def _is_looked_at(check: Check, playbook: Playbook) -> bool:
    return not playbook.environments or any(check.counts_in(name) for name in playbook.environments)


def _never_false(check: Check) -> str:
    """Why an `expect` cannot say no; empty where it can, and where that cannot be searched."""
    condition = parse_condition(check.expect or "", "value")
    known = domains_of_expect(check)
    named = [node.name for node in walk(condition.root) if isinstance(node, Name) and not node.may_be_text]
    domains = {name: known.get(name, ANY) for name in (*named, "value")}
    if reached(condition, domains) != {Truth.TRUE}:
        return ""
    unit = domains["value"].unit
    of = {"count": "for every count", "ratio": "for every share"}.get(unit or "", "for every value")
    return f"expect: {check.expect} holds {of}"


async def _of_requests(check: Check, tries: _Tries) -> Proof:
    """A check that is answered over HTTP: nothing, rubbish, and documents with other values."""
    said = {label: await tries.status(check, answer) for label, answer in RUBBISH.items()}
    passed = [label for label in RUBBISH if said[label] is Status.PASS and _is_rubbish(check, label)]
    if len(passed) == len(RUBBISH):
        return Proof(check, SUSPECT, "it passes whatever is answered, and where nothing answers", "say what must hold")
    if told := _passes_on(check, passed):
        return Proof(check, SUSPECT, f"it passes on {listed(told)}", _hint_for(check))
    if Status.FAIL in said.values() or check.checklist == "metrics":
        return Proof(check, PROVED)
    if check.kind == "http" and (program := _program_of(check)) and await _never_fails(check, program, tries):
        return Proof(check, SUSPECT, f"no value of {program} makes it fail", "say what must hold: expect: ...")
    return Proof(check, PROVED if check.kind == "http" or check.expect is not None else BY_KIND)


async def _of_flags(check: Check, tries: _Tries) -> Proof:
    """A check of the flag file; where it asks the service too, rubbish must not count as agreement."""
    if check.options.flags != "live":
        return Proof(check, PROVED if check.expect is not None else BY_KIND)
    said = {label: await tries.status(check, answer) for label, answer in RUBBISH.items()}
    passed = [label for label in RUBBISH if said[label] is Status.PASS]
    if passed:
        return Proof(check, SUSPECT, f"it passes on {listed(passed)}, as if the service had told its flags", MISSING)
    return Proof(check, BY_KIND)


def _is_rubbish(check: Check, label: str) -> bool:
    program = _program_of(check)
    if label == "{}" and program.lstrip("[( ").startswith(".[]"):  # what is answered is a collection, and that is empty
        return False
    return label != "{}" or not program or names_fields(program)


def _program_of(check: Check) -> str:
    found = getattr(check.options, "jq", None) or getattr(check.options, "list_", None)
    return found if isinstance(found, str) else ""


def _passes_on(check: Check, passed: list[str]) -> list[str]:
    """Of the rubbish on which a check passes that on which it should not: what it takes out is not there."""
    if check.kind != "http":
        return [label for label in passed if label in (NOTHING, "status 500", "an HTML page")]
    options = check.options
    bad = [label for label in passed if label in (NOTHING, "status 500", "status 404")]
    wanted = options.status if isinstance(options.status, tuple) else (options.status,)
    only_bad = not any(code == "2xx" or (isinstance(code, int) and code // 100 == 2) for code in wanted)
    if only_bad and not _program_of(check):  # that it is not there, or not for everybody, is what is asked
        bad = []
    if options.matches is not None and {"an empty answer", "an HTML page", "{}", "null"} <= set(passed):
        return ["every text: its pattern matches whatever is answered"]
    if _program_of(check):
        return [*bad, *(label for label in passed if label not in bad)]
    return bad


def _hint_for(check: Check) -> str:
    if check.kind == "http" and _program_of(check):
        return MISSING
    return "name the one status that is right"


async def _never_fails(check: Check, program: str, tries: _Tries) -> bool:
    """Whether no document that could be thought of makes the check fail, though some make it pass."""
    if is_path(program):  # it gives whatever stands there, so that an `expect` can be false
        return False
    passed = False
    known = [one for document in _known_documents(check, tries) for one in changed(document)]
    for document in itertools.chain(documents_for(program, check.expect or ""), known):
        status = await tries.status(check, RecordedAnswer(json=document))
        if status is Status.FAIL:
            return False
        passed = passed or status is Status.PASS
    return passed and not _CHOOSES.search(program)


def _known_documents(check: Check, tries: _Tries) -> Iterable[Any]:
    """The recorded answers of the request that the check makes."""
    try:
        url = absolute(tries.around.variables.url(check.options.http), tries.around.url)
    except VariableTrouble:
        return
    method, base = str(check.options.method).upper(), tries.around.url
    for key, answer in tries.recorded.items():
        meant = closeness(request_named(key, base), method, url or "", base) if key != ANY_REQUEST else None
        if meant is not None and answer.json is not msgspec.UNSET:
            yield answer.json


async def _of_program(check: Check, tries: _Tries) -> Proof:
    """A check that starts a process: its end, and what it prints; the line itself is only read."""
    options = check.options
    judges_output = bool(options.jq or options.lines or options.list_ or options.matches is not None or check.expect)
    if not judges_output:
        sign = sign_of_line(options.run) if check.kind == "run" else sign_of_program(options.command)
        hint = "let its status tell, or judge what it prints: matches, expect"
        return Proof(check, SUSPECT, sign, hint) if sign else Proof(check, BY_KIND)
    if program := _program_of(check):
        came = {label: await tries.status(check, printed(text), named=True) for label, text in PRINTED.items()}
        told = [label for label in PRINTED if came[label] is Status.PASS and _is_rubbish(check, label)]
        if told and names_fields(program):
            return Proof(check, SUSPECT, f"it passes on {listed(told)}", MISSING)
    if check.expect is None and not options.list_:
        said = [await tries.status(check, printed(text), named=True) for text in TEXTS]
        if options.matches is not None and set(said) == {Status.PASS}:
            return Proof(check, SUSPECT, "its pattern matches whatever is printed", "say what must be printed")
    return Proof(check, PROVED)
