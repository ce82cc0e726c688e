"""`dns`: a name resolves, to the addresses that are meant."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import ClassVar, Literal

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import failed, seconds_left, unanswered, unknown, without_value
from runbook.judge.verdicts import Status
from runbook.system.http_messages import HttpTrouble
from runbook.system.secrets import VariableTrouble
from runbook.system.shell_words import shell_word

_NAME = re.compile(r"(?=.{1,254}\Z)(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?\Z")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)
_SHOWN = 4
_TCP = "tcp asks whether somebody answers there"
_SAID = {None: "address", "ipv4": "IPv4 address", "ipv6": "IPv6 address"}
_DATABASES = {None: "ahosts", "ipv4": "ahostsv4", "ipv6": "ahostsv6"}


class Dns(Kind, frozen=True, kw_only=True):
    """Asks the resolver of this machine, as every program on it does: its hosts file, its search list and its DNS
    servers. The value is the number of addresses.
    """

    KEY: ClassVar[str] = "dns"
    GIVES: ClassVar[tuple[str, ...] | None] = ("time",)
    LOOKS_AT: ClassVar[str] = "a name: it resolves, to the addresses that are meant"
    EXAMPLE: ClassVar[str] = "{check: The name leads to the new machine, dns: localhost, to: [127.0.0.1]}"

    dns: str
    to: tuple[str, ...] = ()
    exactly: bool = False
    family: Literal["ipv4", "ipv6"] | None = None

    def presence(self) -> bool:
        return True

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = []
        if "${" not in self.dns and not _NAME.match(self.dns):
            found.append(f"dns: {self.dns!r} is no name: write one without scheme and port, such as db.internal")
        elif _plain_address(self.dns):
            found.append(f"dns: {self.dns} is an address already: {_TCP}")
        elif "${" not in self.dns and _number(self.dns):
            found.append(f"dns: {self.dns} ends in a number, which resolvers take for an address: write a name")
        found += [f"to: {each!r} is no address" for each in self.to if "${" not in each and not _plain_address(each)]
        if self.exactly and not self.to:
            found.append("exactly: true says that to holds all addresses, and there is no to")
        return found

    def by_hand(self, url: str | None) -> str:
        return f"getent {_DATABASES[self.family]} {shell_word(self.dns)}"

    async def look(self, around: Surroundings) -> Finding:
        import asyncio

        try:
            name = around.variables.text(self.dns).strip()
            wanted = [around.variables.text(each) for each in self.to]
        except VariableTrouble as trouble:
            return without_value(trouble)
        if not _NAME.match(name):
            return unknown(f"{name[:100]!r} is no name: nothing was asked")
        if _plain_address(name):
            return unknown(f"{name[:100]} is an address already: nothing was asked; {_TCP}")
        if _number(name):
            return unknown(f"{name[:100]} ends in a number, which resolvers take for an address: nothing was asked")
        if wrong := [each for each in wanted if not _plain_address(each)]:
            return unknown(f"to: {wrong[0][:100]!r} is no address")
        await asyncio.sleep(0)  # the other checks of the look load what they need first, which is no time of this one
        began = time.monotonic()
        found = await _resolved(name, seconds_left(around))
        if isinstance(found, HttpTrouble):
            return unanswered(found)
        return self._judge(
            _of_family(found, self.family), [_plain_address(each) for each in wanted], time.monotonic() - began
        )

    def _judge(self, found: Sequence[str], wanted: Sequence[str], took: float) -> Finding:
        if not found:
            return failed(f"it has no {_SAID[self.family]}", observed="0 addresses")
        observed = ", ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
        missing = [each for each in wanted if each not in found]
        if missing:
            return failed(f"{', '.join(missing)} is not among them", observed=observed, expected=", ".join(wanted))
        more = [each for each in found if each not in wanted] if self.exactly else []
        if more:
            return failed(f"{', '.join(more)} is there too", observed=observed, expected=f"only {', '.join(wanted)}")
        phases = {"resolve": took}
        return Finding(Status.PASS, observed=observed, value=len(found), values={"time": took}, phases=phases)


async def _resolved(name: str, seconds: float) -> Sequence[str] | HttpTrouble:
    import asyncio

    from runbook.system.addresses import resolve
    from runbook.system.http_wire import in_words

    try:
        async with asyncio.timeout(seconds):
            return await resolve(name, 0)
    except TimeoutError:
        return HttpTrouble("resolve", f"no address within {seconds:.3g} s", timed_out=True)
    except (OSError, ValueError) as trouble:  # UnicodeError, where a name cannot be written for the DNS
        return HttpTrouble("resolve", in_words(trouble, "resolve"))


def _plain_address(text: str) -> str:
    """An address in the form in which the resolver gives it; empty where the text is none."""
    import ipaddress

    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return ""


def _number(name: str) -> bool:
    """Whether a name ends in a number, so that resolvers read it as an address (`12345`, `10.1`, `0x7f000001`) and ask
    nobody. It is looked at as it is asked for: `１２` is `12` then.
    """
    import unicodedata

    return _NUMBER.match(unicodedata.normalize("NFKC", name.strip().removesuffix(".")).rpartition(".")[2]) is not None


def _of_family(addresses: Sequence[str], family: str | None) -> list[str]:
    return [each for each in addresses if family is None or (":" in each) == (family == "ipv6")]
