"""`tls`: a certificate is valid, for this name, for more than so many days."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import failed, unknown, without_value
from runbook.judge.verdicts import Status
from runbook.system.secrets import VariableTrouble
from runbook.system.shell_words import shell_line

if TYPE_CHECKING:
    import ssl

    from runbook.checks.network.certificates import Secured, Server
    from runbook.checks.network.endpoints import Endpoint

_PORT = 443


class Tls(Kind, frozen=True, kw_only=True):
    """Expired, for another name, signed by itself or by nobody who is trusted, an old version of TLS: each is a fail.
    The value is the number of days left, of the certificate in its chain that ends first. Whether it was revoked is not
    asked. It goes straight to the host, through no proxy.
    """

    KEY: ClassVar[str] = "tls"
    GIVES: ClassVar[tuple[str, ...] | None] = ("days", "time", "resolve", "connect", "tls")
    LOOKS_AT: ClassVar[str] = "a certificate: it is trusted, for this name, and valid for more than so many days"
    EXAMPLE: ClassVar[str] = '{check: The certificate lasts, tls: "localhost:8443", days: 14}'

    tls: str
    days: int | float = 14
    name: str | None = None
    ca: str | None = None

    def presence(self) -> bool:
        return True

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = []
        try:
            if "${" not in self.tls:
                _place(self.tls)
        except ValueError as trouble:
            found.append(f"tls: {trouble}")
        if not 0 <= self.days < math.inf:
            found.append(f"days is {self.days:g}: write how many days have to be left, 14 or 0")
        return found

    def by_hand(self, url: str | None) -> str:
        try:
            place = _place(self.tls)
        except ValueError:
            return ""
        words = ["openssl", "s_client", "-connect", str(place), "-servername", self.name or place.host]
        words += ["-verify_return_error", "-verify_hostname", self.name or place.host]
        words += ["-CAfile", self.ca] if self.ca else []
        return f"{shell_line(words)} </dev/null | openssl x509 -noout -dates -issuer"

    async def look(self, around: Surroundings) -> Finding:
        from runbook.checks.network.certificates import Server
        from runbook.system.http_tls import CaTrouble, tls_context

        try:
            place = _place(around.variables.text(self.tls))
            name = place.host if self.name is None else around.variables.text(self.name)
            ca = None if self.ca is None else str(around.project / around.variables.file_name(self.ca))
            return await self._shake(Server(place, name, around.deadline), tls_context(ca, "tls"), around)
        except VariableTrouble as trouble:
            return without_value(trouble)
        except (CaTrouble, ValueError) as trouble:
            return unknown(str(trouble))

    async def _shake(self, server: Server, trusted: ssl.SSLContext, around: Surroundings) -> Finding:
        from ssl import SSLCertVerificationError

        from runbook.checks.network.certificates import handshake, why_not_believed
        from runbook.checks.network.endpoints import NotConnected

        try:
            secured = await handshake(server, trusted)
        except NotConnected as trouble:
            return trouble.finding()
        except SSLCertVerificationError as refusal:
            why = await why_not_believed(server, refusal, around.now)
            return failed(f"tls: {why}", observed="not valid", expected="a valid certificate")
        return self._judge(secured, around.now)

    def _judge(self, secured: Secured, now: float) -> Finding:
        from runbook.checks.network.certificates import DAY, day, days

        own, first = secured.certificate, secured.ends_first
        if own is None or first is None:
            return unknown("the certificate cannot be read")
        left = (first.ends - now) / DAY
        enough = left > self.days
        above = f"{first.subject} above it ends first (its own ends on {day(own.ends)})" if first is not own else ""
        renew = f"{above}: get one under another authority, and let the server send its chain"
        short = renew if above else "renew it, and let the server read the new one"
        return Finding(
            Status.PASS if enough else Status.FAIL,
            observed=f"{days(first.ends - now)} left, until {day(first.ends)}, by {first.issuer}",
            expected=f"more than {self.days:g} days",
            message=above if enough else short,
            value=left,
            values={"days": left, "time": sum(secured.phases.values()), **secured.phases},
            units=dict.fromkeys(("time", *secured.phases), "s"),
            phases=secured.phases,
        )


def _place(text: str) -> Endpoint:
    from runbook.checks.network.endpoints import endpoint

    return endpoint(text, _PORT)
