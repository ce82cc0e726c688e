"""`alertmanager`: no alert that matches is active."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlencode

import msgspec

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, unknown, unreachable, without_value
from runbook.checks.monitoring.monitored import all_answered, refuse_skew, status_told
from runbook.checks.monitoring.promql import filled_query, quoted
from runbook.checks.network.access import Auth, asking, by_curl
from runbook.checks.platforms.typed_answers import moment_of, read_as
from runbook.judge.verdicts import Reason, Status
from runbook.language.durations import show_duration
from runbook.system.http_messages import Request, Response
from runbook.system.secrets import VariableTrouble

_MATCHER = re.compile(r'\s*[A-Za-z_:][\w:]*\s*(?:=~|!~|!=|=)\s*(?:"(?:[^"\\\n]|\\.)*"|[^"\s{},]*)\s*', re.ASCII)
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHOWN = 50  # alerts
_STATES = ("active", "suppressed", "unprocessed")


class _State(msgspec.Struct, frozen=True):
    state: str


class _Alert(msgspec.Struct, frozen=True):
    """An alert of Alertmanager's API, version 2 (`gettableAlert`)."""

    labels: dict[str, str]
    status: _State
    starts: str = msgspec.field(name="startsAt")
    ends: str = msgspec.field(name="endsAt")


class Alertmanager(Kind, frozen=True, kw_only=True):
    """Passes where no alert that matches all of `matching` is active. The value is how many are, so `expect` may say
    otherwise, and a metric may count them. An Alertmanager that nobody feeds has no alerts either: `heartbeat` names
    the alert that always fires, and without that nothing is known.
    """

    KEY: ClassVar[str] = "alertmanager"
    GIVES: ClassVar[tuple[str, ...] | None] = ()
    LOOKS_AT: ClassVar[str] = "an Alertmanager: no alert that matches is active"
    EXAMPLE: ClassVar[str] = (
        '{check: Nothing critical fires, alertmanager: "http://localhost:9093", matching: {severity: critical}}'
    )

    alertmanager: str
    matching: dict[str, str] | tuple[str, ...] = ()
    silenced: bool = False
    inhibited: bool = False
    heartbeat: str | None = None
    auth: Auth | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    ca: str | None = None

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = [] if self.alertmanager.strip() else ["alertmanager is empty: name the server, http://localhost:9093"]
        found += self.auth.problems() if self.auth is not None else []
        if isinstance(self.matching, dict):
            return found + [f"{name!r} is no name of a label" for name in self.matching if not _LABEL.fullmatch(name)]
        wrong = [each for each in self.matching if not _MATCHER.fullmatch(each)]
        return found + [
            f'{each!r} matches nothing: write it like severity="critical" or service=~"a|b"' for each in wrong
        ]

    def by_hand(self, url: str | None) -> str:
        filters = [f"filter={each}" for each in self._matchers(lambda text: text)]
        states = [f"{name}={wanted}" for name, wanted in self._states().items()]
        return by_curl(self._written(), self.auth, self.ca, url, asked=[*states, *filters])

    async def look(self, around: Surroundings) -> Finding:
        began = time.monotonic()
        try:
            asked = [self._ask(self._matchers(around.variables.text), self._states(), around)]
            if self.heartbeat is not None:
                name = quoted(around.variables.text(self.heartbeat))
                asked.append(self._ask([f"alertname={name}"], {"silenced": "true", "inhibited": "true"}, around))
        except VariableTrouble as trouble:
            return without_value(trouble)
        answers = await all_answered(asked, around)
        if isinstance(answers, Finding):
            return answers
        try:
            return replace(self._judged(answers, around.now + time.monotonic() - began), phases=answers[0].phases)
        except NotTaken as trouble:
            return unknown(trouble.message, trouble.reason)

    def _judged(self, answers: Sequence[Response], now: float) -> Finding:
        """The finding that the answers give. Raises NotTaken."""
        for answer in answers:
            if answer.status // 100 != 2:
                return unreachable(_refused(answer), observed=str(answer.status))
            if answer.date is not None:
                refuse_skew(answer.date, now)
        alerts = _alerts_in(answers[0])
        if len(answers) > 1 and not any(_lasts(alert, now) for alert in _alerts_in(answers[1])):
            message = f"the alert {self.heartbeat} does not fire, so nothing feeds this Alertmanager"
            raise NotTaken(message, Reason.NODATA)
        alerts.sort(key=lambda alert: alert.starts)
        count, date = len(alerts), answers[0].date
        if not count:
            return Finding(Status.PASS, observed="no alert active", value=0, at=date)
        listed = tuple(_shown(alert, now) for alert in alerts[:_SHOWN])
        observed = f"{count} {'alert' if count == 1 else 'alerts'} active"
        return Finding(Status.FAIL, observed=observed, expected="none", listed=listed, value=count, at=date)

    def _matchers(self, text_of: Callable[[str], str]) -> list[str]:
        """The matchers in Alertmanager's own words. Raises VariableTrouble."""
        if isinstance(self.matching, dict):
            return [f"{name}={quoted(text_of(value))}" for name, value in self.matching.items()]
        return [filled_query(each, text_of) for each in self.matching]

    def _states(self) -> dict[str, str]:
        given = {"active": True, "silenced": self.silenced, "inhibited": self.inhibited}
        return {name: str(wanted).lower() for name, wanted in given.items()}

    def _written(self) -> Request:
        """The request without its filter, as the playbook writes it."""
        return Request(url=f"{self.alertmanager.rstrip('/')}/api/v2/alerts", headers=self.headers)

    def _ask(self, matchers: Sequence[str], states: dict[str, str], around: Surroundings) -> Request | None:
        written = self._written()
        asked = urlencode([*states.items(), *(("filter", each) for each in matchers)])
        return asking(replace(written, url=f"{written.url}?{asked}"), self.auth, self.ca, around)


def _alerts_in(answer: Response) -> list[_Alert]:
    """The alerts of an answer. Raises NotTaken.

    An empty list is the good answer here, so it has to come from something that at least calls it JSON.
    """
    if "json" not in (answer.header("content-type") or "").lower():
        raise NotTaken("this does not answer as Alertmanager does: the answer does not call itself JSON")
    try:
        alerts = read_as(answer.body, list[_Alert])
    except NotTaken as trouble:
        raise NotTaken(f"this does not answer as Alertmanager does: {trouble.message}") from None
    for alert in alerts:
        if alert.status.state not in _STATES or moment_of(alert.starts) is None or moment_of(alert.ends) is None:
            raise NotTaken("this does not answer as Alertmanager does: an alert has no state, or no times")
    return alerts


def _refused(answer: Response) -> str:
    """What Alertmanager says of a request that it does not take: a JSON text."""
    if answer.status != 400:
        return status_told(answer.status, "Alertmanager")
    try:
        return f"Alertmanager says: {read_as(answer.body, str)[:200]}"
    except NotTaken:
        return status_told(answer.status, "Alertmanager")


def _lasts(alert: _Alert, now: float) -> bool:
    """Whether an alert is still fed: whoever sends it puts its end some minutes ahead each time."""
    return (moment_of(alert.ends) or 0.0) > now


def _shown(alert: _Alert, now: float) -> str:
    """`HighErrorRate for 12 m (service=api, severity=critical)`."""
    name = alert.labels.get("alertname", "an alert")
    since = show_duration(max(0.0, now - (moment_of(alert.starts) or now)))
    labels = ", ".join(f"{key}={value}" for key, value in sorted(alert.labels.items()) if key != "alertname")
    suppressed = "" if alert.status.state == "active" else f", {alert.status.state}"
    return f"{name} for {since}{suppressed}" + (f" ({labels})" if labels else "")
