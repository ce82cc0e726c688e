"""`redis`: a server answers PING, or one value by a command that only looks."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlsplit

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, failed, seconds_left, shown, unknown, unreachable, without_value
from runbook.checks.reading import Wanted, read_text
from runbook.checks.stores.places import filled_url, shell_word
from runbook.judge.verdicts import Status
from runbook.system.secrets import VariableTrouble


class Redis(Kind, frozen=True, kw_only=True):
    """Without a command this asks *is it there*: PING, and `expect` has its seconds as `time`. A command gives a value.

    Only commands that look are asked, each of which gives one value.
    """

    KEY: ClassVar[str] = "redis"
    LOOKS_AT: ClassVar[str] = "a Redis server: it answers PING, or the value that one command gives"
    EXAMPLE: ClassVar[str] = '{check: Redis answers, redis: "redis://localhost:6379"}'

    redis: str
    command: tuple[str, ...] = ()
    field: str | None = None
    matches: str | None = None
    ca: str | None = None

    def presence(self) -> bool:
        return not self.command

    def given_names(self) -> tuple[str, ...]:
        """`age` is that of the last copy on disk, which LASTSAVE tells."""
        return ("time", "age") if self.command and self.command[0].upper() == "LASTSAVE" else ("time",)

    def takes_value(self) -> bool:
        return bool(self.command)

    def asserts(self) -> bool:
        """An answer to PING and a match say something; a value alone does not: `expect` does."""
        return not self.command or self.matches is not None

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        from runbook.checks.stores.redis_commands import command_problem, is_text

        found = Wanted(matches=self.matches).problems()
        if not self.redis.strip():
            found.append("redis is empty: name the server, redis://localhost:6379")
        if self.command and (problem := command_problem(self.command)) is not None:
            found.append(problem)
        if self.command and is_text(self.command) and not (self.field or self.matches):
            found.append("this reply is a text; add field: used_memory, say, or matches")
        if self.field and not is_text(self.command):
            found.append("field is of a reply in lines: command: [INFO]")
        if self.matches is not None and not self.command:
            found.append("matches is of a command's reply; without one the server is only asked whether it is there")
        return found

    def by_hand(self, url: str | None) -> str:
        """`redis-cli`; what it prints is the value."""
        words = shlex.join(self.command or ("PING",))
        ca = f" --cacert {shell_word(self.ca)}" if self.ca else ""
        if self.redis.startswith("unix://"):
            return f"redis-cli -s {shell_word(urlsplit(self.redis).path)} {words}"
        whole = "://" in self.redis or self.redis.startswith("${")
        return f"redis-cli -u {shell_word(self.redis if whole else f'redis://{self.redis}')}{ca} {words}"

    async def look(self, around: Surroundings) -> Finding:
        from runbook.checks.network.endpoints import NotConnected
        from runbook.checks.stores.redis_asking import RedisTrouble, ask, place_of
        from runbook.checks.stores.redis_commands import command_problem

        try:
            place = place_of(filled_url(self.redis, around))
            command = [around.variables.text(word) for word in self.command]
            ca = None if self.ca is None else str(around.project / around.variables.file_name(self.ca))
        except VariableTrouble as trouble:
            return without_value(trouble)
        except ValueError as trouble:
            return unknown(str(trouble))
        if command and (problem := command_problem(command)) is not None:
            return unknown(problem)
        try:
            answer = await ask(replace(place, ca=ca), command or ["PING"], around.deadline)
            finding = await self._judge(command, answer.reply, around) if command else _pong(answer.reply)
            values = {"time": answer.phases["wait"], **finding.values}
            return replace(finding, phases=answer.phases, values=values, units={"time": "s", **finding.units})
        except NotConnected as trouble:
            return trouble.finding()
        except RedisTrouble as trouble:
            finding = unreachable(str(trouble), observed="timed out" if trouble.timed_out else "")
            return replace(finding, phases=trouble.phases, phase=trouble.phase)
        except NotTaken as trouble:
            return unknown(trouble.message, trouble.reason)

    async def _judge(self, command: list[str], reply: object, around: Surroundings) -> Finding:
        """The finding that a reply gives. Raises NotTaken."""
        from runbook.checks.stores.redis_commands import field_of, is_text, text_of, unit_of, value_of

        value: object = text_of(reply) if is_text(command) else value_of(command, reply)  # type: ignore[arg-type]
        if self.field is not None:
            value = field_of(str(value), self.field)
        if self.matches is not None:
            return await read_text(str(value).encode(), Wanted(matches=self.matches), seconds_left(around))
        units = {"value": unit} if (unit := unit_of(command)) is not None else {}
        values = {"age": around.now - value} if command[0].upper() == "LASTSAVE" and isinstance(value, int) else {}
        return Finding(Status.PASS, observed=shown(value), value=value, values=values, units=units)


def _pong(reply: object) -> Finding:
    if reply != "PONG":
        return failed("it answers PING with something else", observed=shown(str(reply)[:80]), expected="PONG")
    return Finding(Status.PASS, observed="PONG")
