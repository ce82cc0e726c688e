"""What TLS trusts, and what went wrong with it in words that say what to do."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from pathlib import Path


class CaTrouble(OSError):  # noqa: N818 - it is told, not a fault of ours
    """A file of certificates that cannot be used, and why."""


def tls_context(ca: str | None, use: str = "http") -> ssl.SSLContext:
    """What TLS trusts: the certificates in the file `ca`, else the system's. Raises CaTrouble.

    It is kept for the next connection of the same `use` (a client may leave its marks on it) as long as the file stays
    as it is.
    """
    if ca is None:
        return _system_context(use)
    try:
        kept = Path(ca).stat()
        return _context_of(ca, use, kept.st_mtime_ns, kept.st_size)
    except ssl.SSLError:
        raise CaTrouble(f"the file {ca} holds no certificate that can be read (PEM): nothing was asked") from None
    except (OSError, ValueError) as trouble:
        why = os.strerror(trouble.errno).lower() if isinstance(trouble, OSError) and trouble.errno else str(trouble)
        raise CaTrouble(f"the file of certificates {ca} cannot be read: {why}: nothing was asked") from None


@lru_cache(maxsize=1)
def no_tls() -> ssl.SSLContext:
    """A context for connections without TLS, where one has to be given; a real one costs 20 ms."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@lru_cache(maxsize=2)
def _system_context(use: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:  # a machine without certificates of its own
        import certifi

        context.load_verify_locations(certifi.where())
    return context


@lru_cache(maxsize=8)
def _context_of(ca: str, use: str, changed: int, size: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


_NO_TLS = "what answers there does not speak TLS: try http://, or another port"
_TOO_OLD = "it speaks only versions of TLS older than 1.2, which are not safe: let it offer 1.2 and 1.3"
_REASONS = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "UNSUPPORTED_PROTOCOL": _TOO_OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": _TOO_OLD,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it and this machine have no cipher in common, or it wants a client certificate",
    "NO_SHARED_CIPHER": "it and this machine have no cipher in common",
    "TLSV1_UNRECOGNIZED_NAME": "it serves no such name",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a client certificate",
    "DH_KEY_TOO_SMALL": "its key exchange is too weak",
    "CA_MD_TOO_WEAK": "its certificate is signed in a way that is too weak",
    "EE_KEY_TOO_SMALL": "the key of its certificate is too short",
    "CA_KEY_TOO_SMALL": "the key of its issuer is too short",
    "UNEXPECTED_EOF_WHILE_READING": "it closed the connection in the handshake",
}


def tls_in_words(trouble: ssl.SSLError) -> str:
    """What went wrong in a handshake."""
    if isinstance(trouble, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {trouble.verify_message.rstrip('.')}"
    reason = trouble.reason or ""
    if isinstance(trouble, ssl.SSLEOFError):
        reason = "UNEXPECTED_EOF_WHILE_READING"
    return _REASONS.get(reason) or reason.lower().replace("_", " ") or "the handshake failed"
