"""What an armed watcher does when rules fire: it tells, investigates, holds, or makes one change, within its limits.

A person's command wins over the robot, and after each way down it waits for a person. Several rules at once make one
change at most: the one that leaves the lowest percentage.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from runbook.actions.listener import Listener
from runbook.incidents.incident import open_or_join
from runbook.incidents.severity import propose_severity
from runbook.judge.facts import Facts
from runbook.judge.rules import Rule, Ruled, choose
from runbook.rollout.emergency import Alarm, emergency
from runbook.rollout.holds import changes_of_robots, hold, hold_everything
from runbook.rollout.ladder import percent_shown
from runbook.rollout.lock import LEASE_SECONDS, busy
from runbook.rollout.matrix import due_of
from runbook.rollout.notices import announce
from runbook.rollout.operation import Ended, new_operation
from runbook.rollout.planning import flags_are_safe
from runbook.rollout.refuge import refuge_of, standing_in_emergency
from runbook.rollout.rollback import WayBack, carry_back, propose_back, refuse_if_moved
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing
from runbook.rollout.underway import underway
from runbook.store.base import Busy, Lease, StaleEpoch, StoreAway
from runbook.store.lease_table import holder_of
from runbook.system.refusals import Exit, Refusal

ROBOT_LIMIT = 3  # automatic changes in ten minutes over all services; then everything is held


@dataclass(frozen=True)
class Acted:
    """The change that was made: by which rule, by which way (as the position is recorded with it), how it ended."""

    rule: Rule
    how: str
    ended: Ended


@dataclass(frozen=True)
class Meant:
    """What a rule that fires would do: `percent` is what it leaves, None where there is nothing for it to change."""

    rule: Rule
    percent: float | None = None
    way: WayBack | None = None


def has_done(told: set[str], rule: Rule) -> bool:
    """Whether a rule that fires has nothing left to do from here: it holds, or there is nothing lower to go to."""
    return any(f"{rule.id}\n{topic}" in told for topic in ("holds", "safe", "below", "nothing", "limit"))


@dataclass
class Robot:
    """One round: what fired at a look from `standing`. `told` remembers over the rounds what was said already."""

    site: Site
    listener: Listener
    standing: Standing
    facts: Facts
    told: set[str]

    def act(self, fired: Sequence[Ruled]) -> Acted | None:
        """Do what the rules say; None when the service was not changed."""
        self._forget(fired)
        live = [one for one in fired if not one.rule.dry_run]
        due = [one for one in live if self._due(one.rule)]
        new = [one for one in live if self._first_time(one)]  # before any is told: two may have one condition
        for one in live:
            if one.rule.investigates or one in due:
                self._tell(one, new=one in new)
        meant = [self._meant(one.rule) for one in due]
        acting, _ = choose([(one.rule, one.percent) for one in meant])
        if acting is None:
            return None
        why = next(f"{one.rule.shown} ({one.advanced.judged.observed})" for one in due if one.rule.id == acting.id)
        if acting.action == "hold":
            self._hold(acting, why)
            return None
        way = next(one.way for one in meant if one.rule is acting)
        return self._change(acting, why, way)

    def _due(self, rule: Rule) -> bool:
        """Whether it is its turn: telling waits for nothing, what changes or holds for the time that people have."""
        if not (rule.changes or rule.action == "hold"):
            return True
        until = due_of(self.site, rule)
        return until is None or until <= self.site.clock.wall()

    def _tell(self, one: Ruled, *, new: bool) -> None:
        rule, judged = one.rule, one.advanced.judged
        kind = "matrix" if rule.source == "matrix" else "trigger"
        self._say(rule, "fired", f"{kind} fired: {rule.shown} ({judged.observed}) -> {rule.then}")
        if not new:
            return
        payload = {"rule": rule.id, "when": rule.shown, "then": rule.then, "observed": judged.observed}
        self.site.record(self.site.event("trigger.fired", payload))
        if rule.investigates:
            self._investigate(one)

    def _first_time(self, one: Ruled) -> bool:
        """Whether this firing was not told yet: here, or by a watcher before us."""
        rule, state = one.rule, self.site.state()
        true = state.matrix.get(rule.when.text) if rule.source == "matrix" else None
        since = true.since if true is not None else one.advanced.state.since
        before = state.fired.get(rule.shown)
        return rule.id not in self.told and (before is None or since is None or before < since)

    def _forget(self, fired: Sequence[Ruled]) -> None:
        """What fires no longer may be told anew."""
        firing = {one.rule.id for one in fired}
        self.told -= {text for text in self.told if text.partition("\n")[0] not in firing}

    def _say(self, rule: Rule, topic: str, text: str) -> None:
        """Say a thing once as long as the rule fires, though the numbers in it change."""
        self.told.add(rule.id)
        if f"{rule.id}\n{topic}" not in self.told:
            self.told.add(f"{rule.id}\n{topic}")
            self.listener.say(text)

    def _investigate(self, one: Ruled) -> None:
        """Open an incident, or go on in the one that is open."""
        site, rule = self.site, one.rule
        proposed = propose_severity(site.playbook.severities, self.facts)
        severity = rule.severity or proposed.severity
        title = f"{rule.shown}: {one.advanced.judged.observed}"
        told = open_or_join(site.state(), title, severity, started=one.advanced.state.since)
        site.record(site.event(told.kind, told.payload))
        if told.kind == "incident.joined":
            self._say(rule, "incident", f"incident {told.incident} goes on: {title}")
            return
        self._say(rule, "incident", f"incident {told.incident} ({severity}) is open: {title}")
        announce(site, "incident", {"incident": str(told.incident), "severity": severity, "why": title})

    def _meant(self, rule: Rule) -> Meant:
        """What it would change from here. A way that the playbook does not have, or that is closed, becomes a hold."""
        if not rule.changes:
            return Meant(rule)
        if rule.action == "rollback":
            return self._rollback(rule)
        if self.site.store is None:
            text = f"{rule.shown}: the store is away ({self.site.store_trouble}), so nothing but a rollback"
            self._say(rule, "away", text)
            return Meant(rule)
        return self._way(rule)

    def _rollback(self, rule: Rule) -> Meant:
        """To the safe flags; past a one-way stage to where the emergency goes instead."""
        if flags_are_safe(self.site):
            self._say(rule, "safe", f"{rule.shown}: already safe, look elsewhere")
            return Meant(rule)
        shown, _ = self.site.flags_or_trouble()
        refuge = refuge_of(standing_in_emergency(self.site, shown))
        if refuge.safe or refuge.to is None:
            return Meant(rule, 0.0)
        if refuge.action is None and self._at_or_below(refuge.to.percent):
            self._say(rule, "below", f"{rule.shown}: already at or below {refuge.to.name}, look elsewhere")
            return Meant(rule)
        return Meant(rule, refuge.to.percent)

    def _way(self, rule: Rule) -> Meant:
        """The way along the ladder, with its target as it is now."""
        try:
            way = propose_back(self.site, how="reduce" if rule.then == "reduce" else rule.action)
        except Refusal as refusal:
            self._say(rule, "refused", f"{rule.shown}: {refusal.message}")
            return Meant(rule if refusal.exit is Exit.BUSY else replace(rule, then="hold"))
        here = way.standing.position
        if way.to is None or here is None:
            self._say(rule, "nothing", f"{rule.shown}: {way.message}")
        elif way.to.percent == here.percent:  # an action of the stage's own: the flags stay
            return Meant(rule, way.to.percent, way)
        elif flags_are_safe(self.site):
            self._say(rule, "safe", f"{rule.shown}: already safe, look elsewhere")
        elif self._at_or_below(way.to.percent):
            below = f"already at or below {way.to.percent:g} % in the flag file"
            self._say(rule, "below", f"{rule.shown}: {below}, look elsewhere")
        else:
            return Meant(rule, way.to.percent, way)
        return Meant(rule)

    def _at_or_below(self, percent: float) -> bool:
        """Whether the flag file shows this percentage or less: a robot never goes up."""
        flags = self.site.playbook.flags
        shown, _ = self.site.flags_or_trouble()
        text = shown.get(flags.percent) if flags and flags.percent else None
        present = percent_shown(flags, text) if flags and text is not None else None
        return present is not None and present <= percent

    def _hold(self, rule: Rule, why: str) -> None:
        if self.site.state().hold_at(self.site.clock.wall()) is None:
            hold(self.site, reason=why, until=None, automatic=True)
            self._say(rule, "holds", f"held by the rule {why}; runbook release lets it go on")

    def _change(self, rule: Rule, why: str, way: WayBack | None) -> Acted | None:
        """The change itself, unless a person, or the limit of what robots may do, stands before it."""
        if (held := self._held()) is not None:
            self._say(rule, "held", f"{why}: held {held}, so nothing is changed; runbook rollback --emergency is yours")
            return None
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._alone())
                if changes_of_robots(self.site) >= ROBOT_LIMIT:
                    self._give_up(rule, why)
                    return None
                if way is not None:
                    stack.close()
                    return Acted(rule, way.how, carry_back(self.site, way, self.listener, reason=why, automatic=why))
            except Refusal as refusal:  # somebody is at work, or was: theirs is the way down
                self._say(rule, "busy", f"{why}: {refusal.message}; the rule changes nothing")
                return None
            return Acted(rule, "emergency", emergency(self.site, self.listener, Alarm(reason=why, rule=why)))

    def _held(self) -> str | None:
        """Who holds the service against the robot."""
        held = self.site.state().hold_at(self.site.clock.wall())
        if held is None or (held.automatic and not held.robots):
            return None
        return f"automatically ({held.reason})" if held.automatic else f"by {held.by}"

    def _give_up(self, rule: Rule, why: str) -> None:
        hold_everything(self.site, f"three automatic changes in ten minutes; nothing more is changed: {why}")
        self._say(rule, "limit", "everything is held: three automatic changes in ten minutes are the limit")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """The state in which nobody else is at work, and the service stands where it was looked at.

        An emergency takes over from whoever is at work; one that a rule decided must not take over from a person. Our
        own lease stands before theirs could. Raises `Refusal`.
        """
        site = self.site
        found = underway(site)
        if found is not None and found.alive:
            raise busy(site)
        lease = self._lease()
        try:
            site.forget_state()
            refuse_if_moved(site, self.standing)
            yield
        finally:
            if lease is not None and site.store is not None:
                with contextlib.suppress(StaleEpoch, StoreAway):
                    site.store.release(lease)

    def _lease(self) -> Lease | None:
        """The lease, as anybody takes it; None where the store is away. Raises `Refusal` where somebody has it."""
        site = self.site
        if site.store is None:
            return None
        operation, holder = new_operation(), holder_of(site.who.operator)
        try:
            return site.store.take_lease(site.chain, holder, operation, "watch", seconds=LEASE_SECONDS)
        except Busy as first:
            raise busy(site, "", first.lease) from first
        except StoreAway as away:
            site.lose_store(away)
            return None
