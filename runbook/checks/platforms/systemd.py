"""`systemd`: units are active, as the manager that runs them tells it."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, failed, unknown, unreachable, without_value
from runbook.checks.here.amounts import misfit
from runbook.checks.platforms.programs import complaint_of, mentions, misnamed, name_for, without_answer
from runbook.judge.verdicts import Status
from runbook.language.durations import show_duration
from runbook.system.secrets import VariableTrouble
from runbook.system.shell_words import shell_line

# systemd.unit(5): at most 255 of these. The backslash is part of an escaped name, a leading dash of `-.mount`.
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")
_PROPERTIES = "Id,LoadState,ActiveState,SubState,Result,NRestarts,ActiveEnterTimestampMonotonic"
_UP = ("active", "reloading", "refreshing")  # what `systemctl is-active` takes for active
_GONE = ("timed out", "connection refused", "connection reset", "not connected", "did not reply", "no reply")
_UNITS: Mapping[str, str | None] = {"restarts": "count", "age": "s", "value": "count"}
_MOST_UNITS = 100
_NO_SYSTEMCTL = "this machine has no systemd; look at what the unit serves, by http or tcp"
_NOT_BOOTED = "this machine was not booted with systemd, so nobody here can tell; look where the unit runs"
_NO_BUS = "ask as the user whose manager it is, with XDG_RUNTIME_DIR set; loginctl enable-linger keeps it running"


@dataclass(frozen=True)
class _Seen:
    """One unit as it was told. `restarts` are those that systemd made by itself; `age` in seconds since it is up."""

    name: str
    load: str
    active: str
    sub: str
    result: str
    restarts: int | None
    age: float | None


class Systemd(Kind, frozen=True, kw_only=True):
    """Each unit named has to be in `state`; `running` is active with a process, which a oneshot that ended has not.

    `expect` has `restarts`, those that systemd made by itself, and `age`, the time since the unit became active: of
    several units the most and the shortest. A unit that is down fails whatever `expect` says.
    """

    KEY: ClassVar[str] = "systemd"
    GIVES: ClassVar[tuple[str, ...] | None] = ("restarts", "age")
    LOOKS_AT: ClassVar[str] = "units of systemd: each is active"
    EXAMPLE: ClassVar[str] = "{check: The backend runs, systemd: enrichment-backend}"

    systemd: str | tuple[str, ...]
    state: Literal["active", "running", "inactive"] = "active"
    user: bool = False

    def presence(self) -> bool:
        return True

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        written = self._written()
        found = [] if written else ["systemd is empty: name a unit"]
        if len(written) > _MOST_UNITS:
            found.append(f"systemd: {len(written)} units are more than the {_MOST_UNITS} that one check asks for")
        for unit in written:
            found += misnamed("systemd", unit, _UNIT, "nginx or backup.timer")
        return found

    def by_hand(self, url: str | None) -> str:
        whose = ["--user"] if self.user else []
        return shell_line(["systemctl", *whose, "status", "--no-pager", "--", *self._written()])

    async def look(self, around: Surroundings) -> Finding:
        from runbook.checks.here.processes import run_for_check

        if (refused := misfit(around, _UNITS)) is not None:
            return refused
        try:
            units = [name_for(around, "systemd", unit, _UNIT) for unit in self._written()]
        except VariableTrouble as trouble:
            return without_value(trouble)
        except NotTaken as trouble:
            return unknown(trouble.message)
        argv = ["systemctl", *(["--user"] if self.user else []), "show", "--no-pager"]
        argv += [f"--property={_PROPERTIES}", "--", *units]
        finished = await run_for_check(argv, around, additions=self._additions(around))
        if (nothing := without_answer(finished, _NO_SYSTEMCTL)) is not None:
            return nothing
        if finished.exit != 0:
            return self._refused(complaint_of(finished), finished.errors + finished.output)
        try:
            return self._judge(_seen_in(finished.output, units))
        except NotTaken as trouble:
            return unknown(trouble.message)

    def _written(self) -> tuple[str, ...]:
        return (self.systemd,) if isinstance(self.systemd, str) else self.systemd

    def _additions(self, around: Surroundings) -> dict[str, str]:
        """The plain words of C, and for a user's manager the folder of its bus, which cron does not set."""
        folder = Path(f"/run/user/{os.getuid()}")
        if self.user and "XDG_RUNTIME_DIR" not in around.variables.process and folder.is_dir():
            return {"LC_ALL": "C", "XDG_RUNTIME_DIR": str(folder)}
        return {"LC_ALL": "C"}

    def _refused(self, complaint: str, said: str) -> Finding:
        """What `systemctl` could not do; a manager that does not answer is like a server that does not."""
        if "not been booted with systemd" in said:
            return unknown(_NOT_BOOTED)
        if mentions(said, _GONE):
            return unreachable(f"systemd does not answer: {complaint}")
        return unknown(f"{complaint} ({_NO_BUS})" if self.user and "bus" in said else complaint)

    def _judge(self, seen: Sequence[_Seen]) -> Finding:
        wrong = [(unit, why) for unit in seen if (why := self._why_not(unit))]
        if wrong:
            unit, why = wrong[0]
            message = f"{unit.name} {why}{self._where_it_is_told(unit)}"
            observed = _state(unit) if len(seen) == 1 else f"{len(seen) - len(wrong)} of {len(seen)} {self.state}"
            listed = [f"{unit.name} {why}" for unit, why in wrong] if len(seen) > 1 else ()
            return failed(message, observed, self.state, listed)
        values = _values(seen)
        observed = _state(seen[0]) if len(seen) == 1 else f"{len(seen)} {self.state}"
        age = f"for {show_duration(values['age'])}" if "age" in values and self.state != "inactive" else ""
        restarts = values.get("restarts")
        return Finding(Status.PASS, observed, message=age, value=restarts, values=values, units=_known_units(values))

    def _why_not(self, unit: _Seen) -> str:
        """Why a unit is not as it should be, empty where it is. A unit that does not exist is never as meant."""
        if unit.load == "not-found" and unit.active not in _UP:  # it may run on when its file was taken away
            return "is not known to systemd"
        if unit.load in ("masked", "bad-setting", "error") and self.state != "inactive":
            return f"is {unit.active}, and its unit file is {unit.load}"
        if self.state == "inactive":
            return "" if unit.active == "inactive" else f"is {_state(unit)}"
        if unit.active not in _UP:
            return f"is {_state(unit)}"
        return f"is {_state(unit)}" if self.state == "running" and unit.sub != "running" else ""

    def _where_it_is_told(self, unit: _Seen) -> str:
        whose = " --user" if self.user else ""
        if unit.load == "not-found":
            return f"; systemctl{whose} list-unit-files lists what is"
        return f"; journalctl{whose} -u {shlex.quote(unit.name)} -n 20 tells more"


def _seen_in(output: str, units: Sequence[str]) -> list[_Seen]:
    """The units in what `systemctl show` says: one block of NAME=value lines a unit, in the order asked for.

    Raises NotTaken.
    """
    blocks = [block for block in re.split(r"\n\s*\n", output.strip()) if block.strip()]
    if len(blocks) != len(units):
        raise NotTaken(f"systemctl told of {len(blocks)} units where {len(units)} were asked for")
    now = time.monotonic()
    return [_one(block, unit, now) for block, unit in zip(blocks, units, strict=True)]


def _one(block: str, unit: str, now: float) -> _Seen:
    told = {name: value for name, _, value in (line.strip().partition("=") for line in block.splitlines())}
    if not told.get("ActiveState") or not told.get("LoadState"):
        raise NotTaken(f"systemctl does not tell the state of {unit}")
    restarts, entered = told.get("NRestarts", ""), told.get("ActiveEnterTimestampMonotonic", "")
    age = now - int(entered) / 1e6 if re.fullmatch(r"[1-9]\d{0,18}", entered) else None
    return _Seen(
        name=unit,
        load=told["LoadState"],
        active=told["ActiveState"],
        sub=told.get("SubState", ""),
        result=told.get("Result", ""),
        restarts=int(restarts) if re.fullmatch(r"\d{1,9}", restarts) else None,
        age=age if age is not None and age >= 0 else None,
    )


def _state(unit: _Seen) -> str:
    """`active (running)`, `failed (exit-code)`, `inactive`."""
    more = unit.result if unit.active == "failed" and unit.result not in ("", "success") else unit.sub
    return f"{unit.active} ({more})" if more and more not in (unit.active, "dead") else unit.active


def _values(seen: Sequence[_Seen]) -> dict[str, Any]:
    restarts = [unit.restarts for unit in seen if unit.restarts is not None]
    ages = [unit.age for unit in seen if unit.age is not None]
    return ({"restarts": max(restarts)} if restarts else {}) | ({"age": min(ages)} if ages else {})


def _known_units(values: Mapping[str, Any]) -> dict[str, str]:
    known = {"restarts": "count", "age": "s", "value": "count"}
    return {name: unit for name, unit in known.items() if name in values or name == "value"}
