"""What a server shows of itself in a TLS handshake, and in words why it is not believed."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook.checks.network.endpoints import Endpoint, NotConnected, connection, not_connected
from runbook.language.durations import show_duration
from runbook.system.http_timing import Timing
from runbook.system.http_wire import in_words

DAY = 86400.0
_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)  # X509_V_FLAG_NO_CHECK_TIME, which the ssl module has no name for
# The numbers that OpenSSL's x509_vfy.h gives to what is wrong with a chain.
_NOT_YET_VALID, _EXPIRED = 9, 10
_SELF_SIGNED, _UNTRUSTED_ROOT = 18, 19
_NO_ISSUER = (2, 20, 21)
_OTHER_NAME = (62, 64)


@dataclass(frozen=True)
class Certificate:
    """What a certificate says. `begins` and `ends` are seconds since the epoch, `subject` is whom it is of."""

    begins: float
    ends: float
    issuer: str
    names: tuple[str, ...]
    subject: str


@dataclass(frozen=True)
class Secured:
    """A handshake that succeeded; `certificate` is None where nothing was verified, `der` its bytes.

    `ends_first` is the one of its chain, up to the authority that is trusted, that ends first: itself mostly, and
    always where Python does not tell the chain. `phases` are the seconds of resolve, connect and tls.
    """

    certificate: Certificate | None
    ends_first: Certificate | None
    der: bytes
    phases: Mapping[str, float]


@dataclass(frozen=True)
class Server:
    """Where a server listens, the name that its certificate has to be for, and until when (monotonic clock) it may
    take to show it.
    """

    place: Endpoint
    name: str
    until: float


async def handshake(server: Server, context: ssl.SSLContext) -> Secured:
    """Connect and shake hands. Raises NotConnected, and ssl.SSLCertVerificationError where it is not believed."""
    async with connection(server.place, server.until) as connected:
        timing = Timing(connected.phases)
        timing.enter("tls")
        seconds = max(0.001, server.until - time.monotonic())
        try:
            async with asyncio.timeout(seconds):
                await connected.writer.start_tls(context, server_hostname=server.name)
        except TimeoutError:
            message = f"no {timing.awaited()} within {seconds:.3g} s: what answers there may not speak TLS"
            raise not_connected(timing, message, timed_out=True) from None
        except ssl.SSLCertVerificationError:
            raise
        except (OSError, ValueError) as trouble:
            raise not_connected(timing, in_words(trouble, timing.phase)) from None
        shown = connected.writer.get_extra_info("ssl_object")
        plain = shown.getpeercert()
        certificate = _certificate(plain) if plain else None
        ends_first = None if certificate is None else min([certificate, *_above(shown)], key=lambda each: each.ends)
        return Secured(certificate, ends_first, shown.getpeercert(binary_form=True), timing.seconds())


async def why_not_believed(server: Server, refusal: ssl.SSLCertVerificationError, now: float) -> str:
    """What is wrong with the certificate and what to do about it; `now` is in seconds since the epoch."""
    seen = await _shown_by(server)
    code, issuer = refusal.verify_code, seen.issuer if seen else "its issuer"
    if code == _EXPIRED:
        return _expired(seen, now)
    if code == _NOT_YET_VALID:
        return _not_yet_valid(seen, now)
    if code in _OTHER_NAME:
        names = ", ".join(seen.names[:5]) if seen and seen.names else "no name at all"
        return f"it is for {names}, not for {server.name}: ask for it by its name (name:), or get one for this name"
    if code == _SELF_SIGNED:
        return "it is signed by itself, so anybody could have made it: give it as ca if it is the one that is meant"
    if code == _UNTRUSTED_ROOT:
        return "its chain ends in an authority that is not trusted here: give the certificate of that authority as ca"
    if code in _NO_ISSUER:
        return (
            f"its issuer, {issuer}, is neither sent with it nor trusted here: let the server send the whole chain, "
            "or give the certificate of the issuer as ca"
        )
    return f"it is not accepted: {refusal.verify_message}"


def day(seconds: float) -> str:
    """The day of a time, in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def days(seconds: float) -> str:
    """A span in whole days, and below two days in hours and minutes."""
    return f"{seconds / DAY:,.0f} days" if seconds >= 2 * DAY else show_duration(seconds)


def _expired(seen: Certificate | None, now: float) -> str:
    if seen is not None and seen.ends > now:
        return f"a certificate above it in its chain has expired (it was issued by {seen.issuer}): renew the chain"
    when = "" if seen is None else f" {days(now - seen.ends)} ago, on {day(seen.ends)}"
    return f"it expired{when}: renew it, and let the server read the new one"


def _not_yet_valid(seen: Certificate | None, now: float) -> str:
    when = "" if seen is None else f": it begins on {day(seen.begins)}, in {days(seen.begins - now)}"
    return f"it is not valid yet{when}; if that is in the past, the clock of this machine is wrong"


async def _shown_by(server: Server) -> Certificate | None:
    """What the certificate says that is not believed: taken as it is first, then shown to the library as trusted, for
    it reads only what it has verified.
    """
    as_it_is = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    as_it_is.check_hostname = False
    as_it_is.verify_mode = ssl.CERT_NONE
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    try:
        secured = await handshake(server, as_it_is)
        trusting.load_verify_locations(cadata=secured.der)
        return (await handshake(server, trusting)).certificate
    except (NotConnected, ssl.SSLError, ValueError):
        return None


def _above(shown: Any) -> list[Certificate]:
    """The certificates above that of the server, as its chain was verified; none where this Python does not tell.

    The `ssl` module gives them out from 3.13 on, as bytes that it cannot read; what it keeps inside can be read.
    """
    chain = getattr(getattr(shown, "_sslobj", None), "get_verified_chain", None)
    try:
        return [_certificate(each.get_info()) for each in chain()[1:]] if chain is not None else []
    except (AttributeError, TypeError, KeyError, ValueError, ssl.SSLError):
        return []


def _name(parts: Any) -> str:
    fields = {name: value for part in parts for name, value in part}
    named = [fields[key] for key in ("commonName", "organizationName") if fields.get(key)]
    return " of ".join(dict.fromkeys(named)) or "nobody named"


def _certificate(plain: Mapping[str, Any]) -> Certificate:
    return Certificate(
        begins=ssl.cert_time_to_seconds(plain["notBefore"]),
        ends=ssl.cert_time_to_seconds(plain["notAfter"]),
        issuer=_name(plain.get("issuer", ())),
        names=tuple(value for kind, value in plain.get("subjectAltName", ()) if kind in ("DNS", "IP Address")),
        subject=_name(plain.get("subject", ())),
    )
