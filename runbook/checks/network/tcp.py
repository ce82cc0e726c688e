"""`tcp`: a port takes connections, and greets as it should."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import AroundCheck, failed, seconds_left, unknown, without_value
from runbook.checks.reading import Wanted, read_text
from runbook.judge.verdicts import Status
from runbook.language.durations import DurationError, parse_duration, show_duration
from runbook.language.units import show_value
from runbook.system.secrets import VariableTrouble
from runbook.system.shell_words import shell_line

if TYPE_CHECKING:
    from runbook.checks.network.endpoints import Connected, Endpoint

_GREETING = 4096  # bytes
_QUIET = 0.3  # seconds without more, after which a greeting is taken to be whole
_PATIENCE = 2.0  # seconds until a greeting begins, where the check names no time: who greets does it at once


class Tcp(Kind, frozen=True, kw_only=True):
    """Where the host has several addresses, one that answers is enough, and it is named. The value is the seconds that
    the connection took. It goes straight to the host, through no proxy. With `matches` a greeting is waited for 2 s, or
    as long as `timeout` says.
    """

    KEY: ClassVar[str] = "tcp"
    GIVES: ClassVar[tuple[str, ...] | None] = ("time",)
    LOOKS_AT: ClassVar[str] = "a port: it takes connections, and greets as it should"
    EXAMPLE: ClassVar[str] = '{check: The database listens, tcp: "localhost:5432", within: 500ms}'

    tcp: str
    within: str | None = None
    matches: str | None = None

    def presence(self) -> bool:
        return True

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        from runbook.checks.network.endpoints import endpoint

        found = Wanted(matches=self.matches).problems()
        try:
            if "${" not in self.tcp:
                endpoint(self.tcp)
        except ValueError as trouble:
            found.append(f"tcp: {trouble}")
        try:
            parse_duration(self.within or "1s")
        except DurationError as trouble:
            found.append(f"within: {trouble}")
        return found

    def by_hand(self, url: str | None) -> str:
        from runbook.checks.network.endpoints import endpoint

        try:
            place = endpoint(self.tcp)
        except ValueError:
            return ""
        words = ["nc", "-w", "5", place.host, str(place.port)]
        return f"{shell_line(words)} </dev/null" if self.matches else shell_line([*words[:1], "-vz", *words[1:]])

    async def look(self, around: Surroundings) -> Finding:
        from runbook.checks.network.endpoints import NotConnected, connection, endpoint

        try:
            place = endpoint(around.variables.text(self.tcp))
        except VariableTrouble as trouble:
            return without_value(trouble)
        except ValueError as trouble:
            return unknown(str(trouble))
        try:
            async with connection(place, around.deadline) as connected:
                return replace(await self._judge(place, connected, around), phases=connected.phases)
        except NotConnected as trouble:
            return trouble.finding()

    async def _judge(self, place: Endpoint, connected: Connected, around: Surroundings) -> Finding:
        took = connected.phases["connect"]
        shown = show_value(took, "s")
        if self.within is not None and took > parse_duration(self.within):
            return failed(f"connected after {shown}", observed=shown, expected=f"within {self.within}")
        via = "" if connected.address == place.host else f" at {connected.address}"
        finding = Finding(
            Status.PASS,
            observed=f"connected{via} in {shown}",
            value=took,
            values={"time": took},
            units={"value": "s", "time": "s"},
        )
        return finding if self.matches is None else await self._greeted(finding, connected, around)

    def _patience(self, around: Surroundings) -> float:
        """How many seconds a greeting is waited for: what a check says of its time holds, the usual is far too long."""
        left = seconds_left(around) * 0.9
        usual = not isinstance(around, AroundCheck) or around.check.timeout == self.TIMEOUT
        return min(left, _PATIENCE) if usual else left

    async def _greeted(self, finding: Finding, connected: Connected, around: Surroundings) -> Finding:
        seconds = self._patience(around)
        greeting = await _greeting(connected, seconds)
        if not greeting.said:
            nothing = "it takes the connection and closes it without a greeting"
            if not greeting.closed:
                waited = f"a greeting was waited for {show_duration(seconds)}"
                nothing = f"it takes the connection and says nothing: {waited}; timeout: says how long it may take"
            return failed(nothing, expected=f"matches {self.matches}")
        read = await read_text(greeting.said, Wanted(matches=self.matches), seconds_left(around))
        return replace(finding, observed=read.observed) if read.status is Status.PASS else read


@dataclass(frozen=True)
class _Greeting:
    """What was said after a connection, and whether the other side ended it there."""

    said: bytes
    closed: bool


async def _greeting(connected: Connected, seconds: float) -> _Greeting:
    """What is said of itself after a connection: until it is quiet, closed, or long enough."""
    import asyncio

    said, closed = b"", False
    try:
        async with asyncio.timeout(seconds) as limit:
            while len(said) < _GREETING and not closed:
                more = await connected.reader.read(_GREETING - len(said))
                said, closed = said + more, not more
                quiet = asyncio.get_running_loop().time() + _QUIET
                limit.reschedule(min(quiet, limit.when() or quiet))
    except TimeoutError:
        pass
    except OSError:
        closed = True
    return _Greeting(said, closed)
