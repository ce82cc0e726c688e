"""Notices: who is told of what, on which occasion. Nothing here delays or fails what it tells of.

On an occasion each notice that names it is written out. With `auto: true` it goes into the outbox, from where a process
of its own sends it; any other is drafted: an event that a person sees, and sends with `runbook notify NAME`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from runbook.actions.base import Done
from runbook.actions.channels import Letter
from runbook.actions.journal import Header, Journal, open_journals
from runbook.actions.listener import Listener
from runbook.actions.notify import Notify
from runbook.actions.steps import StepRecord
from runbook.playbook.model import Notice
from runbook.playbook.notices import ENTER
from runbook.rollout import outbox
from runbook.rollout.notice_texts import NO_REASON, Text, asked_in, context_of, facts_of_header, written
from runbook.rollout.site import Site
from runbook.store.base import StoreAway
from runbook.store.events import Event
from runbook.store.spool import Spool
from runbook.system.files import FileTrouble
from runbook.system.secrets import VariableTrouble

DOWN = frozenset({"rollback", "emergency", "partial", "fallback", "previous"})
TELLING = frozenset({"done", "undone", "half-done"})  # where nothing was changed, or another goes on, nobody is told
BY_HAND = "by hand"


@dataclass(frozen=True)
class Occasion:
    """What happened. A notice goes out once, for the first of `names` that it is for, with `told` in its text.

    `header` is the operation's, if it is one; `skip` names notices that have gone out already.
    """

    names: Sequence[str]
    told: Mapping[str, str]
    header: Header | None = None
    skip: frozenset[str] = frozenset()


@dataclass
class Announced:
    """What became of an occasion: names of notices that were queued, drafted, or could not be written out."""

    queued: list[str] = field(default_factory=list)
    drafted: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def announce(site: Site, occasion: str, told: Mapping[str, str]) -> Announced:
    """Tell of an occasion: `recovered`, `stable`, `incident`, `gate`. Never raises, never waits.

    `told` are names that a notice's text may use (`from`, `to`, `why`, `incident`, `severity`...), beside those that
    are always known.
    """
    announced = Announced()
    with suppress(Exception):  # it has happened: no mistake in telling of it may change that
        _announce(site, Occasion((occasion,), told), announced)
    return announced


def announce_operation(site: Site, journal: Journal, outcome: str, events: Iterable[Event]) -> Announced:
    """Tell of the end of an operation: `ramp` or `rollback`, `enter STAGE`, and of the incident that it opened.

    Never raises, never waits.
    """
    announced = Announced()
    with suppress(Exception):  # it has ended: no mistake in telling of it may change how
        if site.playbook.notices or outbox.to_send(site):
            _announce(site, _occasion_of(site, journal, outcome, events), announced)
    return announced


def _occasion_of(site: Site, journal: Journal, outcome: str, events: Iterable[Event]) -> Occasion:
    header = journal.header
    names, told = _names_of(header, outcome), facts_of_header(site, header, outcome)
    opened = _opened(site, header, events) if names else None
    if opened is not None:
        names.append("incident")
        told |= {"incident": str(opened[0]), "severity": opened[1]}
    steps = {step.by_hand for number, step in enumerate(header.steps) if journal.state_of(number) == "done"}
    skip = frozenset(name for name in site.playbook.notices if Notify(notify=name).by_hand() in steps)
    return Occasion(names, told, header, skip)


def _names_of(header: Header, outcome: str) -> list[str]:
    if outcome not in TELLING:
        return []
    if header.kind in DOWN:
        return ["rollback"]
    if header.kind != "ramp":
        return []
    entered = outcome == "done" and header.came_from.partition("@")[0] != header.stage
    return ["ramp", *([f"{ENTER}{header.stage}"] if entered else [])]


def _opened(site: Site, header: Header, events: Iterable[Event]) -> tuple[int, str] | None:
    """Number and severity of the incident that this operation opened, not one that it joined."""
    for event in events:
        if event.kind == "incident.opened":
            return event.payload["id"], event.payload["severity"]
    for incident in site.state().open_incidents():
        if incident.operations == [header.operation]:
            return incident.id, incident.severity
    return None


def _announce(site: Site, occasion: Occasion, announced: Announced) -> None:
    for name, notice in site.playbook.notices.items():
        fitting = next((one for one in occasion.names if one in map(_plainly, notice.on)), None)
        if fitting is None or name in occasion.skip:
            continue
        try:
            _tell(site, name, notice, fitting, occasion, announced)
        except (VariableTrouble, FileTrouble) as trouble:
            announced.failed.append(name)
            letter = _letter(site, name, "", fitting, occasion)
            site.record(*(outbox.outcome_event(site, letter, to, str(trouble)) for to in notice.to))
    if announced.queued or outbox.to_send(site):
        outbox.start_sender(site)


def _plainly(name: str) -> str:
    """An occasion of the playbook as it is called here: `enter canary`, however many spaces stand in it."""
    return f"{ENTER}{name.removeprefix(ENTER).strip()}" if name.startswith(ENTER) else name


def _tell(site: Site, name: str, notice: Notice, fitting: str, occasion: Occasion, announced: Announced) -> None:
    asked = asked_in(notice.text)
    answers = {f"ask:{question}": f"[{question}]" for question in asked}
    text = written(site, notice.text, context_of(site, {**occasion.told, **answers, "occasion": fitting}))
    if notice.auto and not asked:
        outbox.put(site, _letter(site, name, text, fitting, occasion), notice.to)
        announced.queued.append(name)
        return
    told = {"notice": name, "occasion": fitting, "text": text, "asks": list(asked)}
    operation = occasion.header.operation if occasion.header else None
    site.record(site.event("notice.drafted", told, operation=operation))
    announced.drafted.append(name)


def _letter(site: Site, name: str, text: Text, fitting: str, occasion: Occasion) -> Letter:
    header, told = occasion.header, occasion.told
    return Letter(
        id=uuid.uuid4().hex,
        notice=name,
        occasion=fitting,
        text=text,
        service=site.playbook.service,
        environment=site.environment.name,
        who=written(site, "${who}", context_of(site, told)),
        at=site.clock.wall(),
        began=header.began if header else None,
        operation=header.operation if header else None,
        came_from=header.came_from if header else told.get("from", ""),
        to=header.to if header else told.get("to", ""),
        outcome=told.get("outcome", ""),
        incident=int(told["incident"]) if told.get("incident") else None,
        severity=told.get("severity"),
    )


def letter_by_hand(site: Site, name: str, answers: Mapping[str, str]) -> Letter:
    """The letter of a notice that a person sends now; `answers` are those to its `${ask:...}`.

    What the text names of an operation is the newest one's. Raises VariableTrouble, which names what is not known.
    """
    told = {f"ask:{question}": answer for question, answer in answers.items()}
    last = site.state().last_operation or {}
    told |= {name: str(last[name]) for name in ("from", "to", "outcome") if last.get(name)}
    told |= {"why": str(last.get("reason") or NO_REASON)} if last else {}
    occasion = Occasion((BY_HAND,), told)
    text = written(site, site.playbook.notices[name].text, context_of(site, {**told, "occasion": BY_HAND}))
    return _letter(site, name, text, BY_HAND, occasion)


def tell_from_step(site: Site, operation: str, name: str) -> Done:
    """What the action `notify` does: the notice is queued, and nobody waits for it.

    In an emergency it is done also where it cannot be queued: the way back does not depend on who is told of it.
    """
    journals = open_journals(site.journals, site.slug)
    header = next((one.header for one in journals if one.header.operation == operation), None)
    told = facts_of_header(site, header, "under way") if header else {}
    occasion = Occasion(("rollback",), told, header)
    try:
        notice = site.playbook.notices[name]
        text = written(site, notice.text, context_of(site, {**told, "occasion": "rollback"}))
        outbox.put(site, _letter(site, name, text, "rollback", occasion), notice.to)
        if not site.insist:  # the emergency starts one sender, when it has ended
            outbox.start_sender(site)
    except KeyError:
        return Done(site.insist, f"not sent: the playbook has no notice {name}")
    except (VariableTrouble, FileTrouble) as trouble:
        return Done(site.insist, f"not sent: {trouble}")
    return Done(True, f"queued for {', '.join(notice.to)}")


def announce_gate(site: Site) -> Announced:
    """Tell that the way up is open: once for each time that a rung's bake began. Only where a notice is for it."""
    position = site.state().position
    if position is None or site.store is None or not any("gate" in one.on for one in site.playbook.notices.values()):
        return Announced()
    here = f"{position.name} since {position.baking_since:.3f}".encode()
    try:
        if site.store.get_note(site.chain, "gate-opened") == here:
            return Announced()
        site.store.put_note(site.chain, "gate-opened", here)
    except StoreAway as away:
        site.lose_store(away)
        return Announced()
    return announce(site, "gate", {"from": position.name})


def await_notices(site: Site, operation: str, listener: Listener, within: float = 5.0) -> None:
    """Show what became of an operation's notices; wait for answers at most so long, and not while a lock is held."""
    if not site.playbook.notices or not operation:
        return
    until = time.monotonic() + within
    try:
        while time.monotonic() < until and outbox.sender_at_work(site) and _unsent(site, operation):
            time.sleep(0.05)
    except KeyboardInterrupt:
        listener.say("the notices were not waited for; they go out all the same")
    unsent = _unsent(site, operation)  # looked at before the events: what is sent in between is shown once
    shown = {(event.payload.get("notice"), event.payload.get("channel")) for event in _show(site, operation, listener)}
    for one in unsent:
        for channel in one.to:
            if (one.letter.notice, channel) not in shown:
                listener.ended(_record(), "??", f"{channel}: no answer yet, not waited for", 0.0)


def _unsent(site: Site, operation: str) -> list[outbox.Waiting]:
    return [one for one in outbox.waiting(site) if one.letter.operation == operation]


def _show(site: Site, operation: str, listener: Listener) -> list[Event]:
    events = _events_of(site, operation)
    for event in events:
        told = event.payload
        if event.kind == "notice.drafted":
            options = "".join(f" --set {question}=..." for question in told.get("asks") or ())
            listener.say(f"drafted: {told['notice']}   send it: runbook notify {told['notice']}{options}")
        elif event.kind == "notice.sent":
            listener.ended(_record(), "ok", f"{told['channel']}: sent", 0.0)
        else:
            listener.ended(_record(), "NO", f"{told['channel']}: {told.get('reason', '')}", 0.0)
    return events


def _record() -> StepRecord:
    return StepRecord(kind="notify", title="notify")


def _events_of(site: Site, operation: str) -> list[Event]:
    """What is recorded of an operation's notices, in the store or, where that is away, in the spool."""
    try:
        if site.store is not None:
            found = [one.event for one in site.store.events(site.chain, operation=operation)]
            return [event for event in found if event.kind.startswith("notice.")]
    except StoreAway as away:
        site.lose_store(away)
    spooled = (one.event for one in Spool(site.state_folder / "spool").waiting())
    return [event for event in spooled if event.operation == operation and event.kind.startswith("notice.")]
