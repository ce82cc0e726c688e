"""What must not be kept of an answer: secrets that are known, and texts whose name or form says that they are one.

The tool's own masking knows values. A service also answers with tokens that it has just made, which only their name
tells: `access_token`, a `Location` with `?code=`, a line `PASSWORD=...`.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_plus

from runbook.system.secrets import MASK, Masker

DEEPEST = 200
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[0-9]+")
_SECRET = frozenset(
    [
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "credential",
        "authorization",
        "cookie",
        "jwt",
        "apikey",
        "otp",
    ]
)
_SECRET_PAIRS = frozenset({"api key", "access key", "private key", "secret key", "session key", "session id"})
# These name a secret only where the value looks like one: a key may as well be that of a list.
_MAYBE = frozenset(
    ["key", "auth", "session", "sid", "signature", "sig", "code", "nonce", "state", "assertion", "ticket", "bearer"]
)
_RANDOM = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])\S{12,}")
_ALSO_AS_NUMBER = frozenset(["password", "passwd", "passcode", "pwd", "otp", "secret"])
_PARAMETER = re.compile(r"(?P<name>(?<=[?&;#])[^=&;#?\s\"'<>]{1,100})=(?P<value>[^&;#\s\"'<>]+)")
_ASSIGNED = re.compile(
    r"(?P<name>[A-Za-z][\w.-]{0,80})(?P<is>[\"']?[ \t]{0,8}[:=][ \t]{0,8})"
    r"(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s\"',;&<>]+)"
)
_BEARER = re.compile(r"\b(?P<scheme>Bearer|Basic)[ \t]+[\w.~+/=-]{8,}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")


def names_secret(name: str, value: str = "") -> bool:
    """Whether what stands under a name is taken for a secret; of some names only where the value looks random."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words:
        return False
    last = words[-1].removesuffix("s") if words[-1] not in _SECRET else words[-1]
    if last in _SECRET or f"{words[-2] if words[1:] else ''} {last}" in _SECRET_PAIRS:
        return True
    return last in _MAYBE and _RANDOM.fullmatch(value) is not None


@dataclass(frozen=True)
class Masks:
    """Takes secrets out of what was answered. `spared` are values that stand for a secret and are none."""

    masker: Masker
    spared: Collection[str] = ()

    def tree(self, plain: Any, deep: int = 0) -> Any:
        """Plain data with every key and text masked, and what stands under a name that looks secret."""
        if deep > DEEPEST:
            return MASK
        if isinstance(plain, str):
            return self.text(plain)
        if isinstance(plain, dict):
            named = next((text for key in ("name", "key", "header") if isinstance(text := plain.get(key), str)), "")
            return {
                self.text(key): self._under(named if key == "value" else key, value, deep)
                for key, value in plain.items()
            }
        if isinstance(plain, list):
            return [self.tree(value, deep + 1) for value in plain]
        if isinstance(plain, float) and not math.isfinite(plain):
            return None
        if isinstance(plain, int | float) and not isinstance(plain, bool):
            return plain if self.masker.mask(json.dumps(plain)) == json.dumps(plain) else MASK
        return plain

    def _under(self, name: str, value: Any, deep: int) -> Any:
        if isinstance(value, str):
            return MASK if value and names_secret(name, value) else self.text(value)
        if isinstance(value, dict | list) and names_secret(name):
            return _blackened(value)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and names_secret(name) and name.lower().endswith(tuple(_ALSO_AS_NUMBER)):
            return MASK
        return self.tree(value, deep + 1)

    def text(self, text: str) -> str:
        """A text without secrets, also those that are written with the escapes of JSON, HTML or a URL."""
        masked = self._plain(text)
        for written in (_unescaped, html.unescape, unquote):
            clear = written(masked)
            if clear != masked and (hidden := self._plain(clear)) != clear:
                masked = hidden
        return masked.encode("utf-8", "replace").decode()  # half a pair of surrogates cannot be written

    def page(self, text: str) -> str:
        """A whole body that is no JSON: beside the secrets what is assigned to a name that looks secret."""
        return _ASSIGNED.sub(self._assigned, self.text(text))

    def _plain(self, text: str) -> str:
        masked = self.masker.mask(text)
        if "=" in masked:
            masked = _PARAMETER.sub(self._parameter, masked)
        return _JWT.sub(MASK, _BEARER.sub(rf"\g<scheme> {MASK}", masked))

    def _parameter(self, found: re.Match[str]) -> str:
        name, value = unquote_plus(found["name"]), unquote_plus(found["value"])
        if value in self.spared:
            return found[0]
        inner = value if "=" in value else ""
        if names_secret(name, value) or (inner and self._plain(f"?{inner.rpartition('?')[2]}") != _after(inner)):
            return f"{found['name']}={MASK}"
        return found[0]

    def _assigned(self, found: re.Match[str]) -> str:
        value = found["value"].strip("\"'")
        return f"{found['name']}{found['is']}{MASK}" if value and names_secret(found["name"], value) else found[0]


def _after(inner: str) -> str:
    return f"?{inner.rpartition('?')[2]}"


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text).replace("\\/", "/") if "\\" in text else text


def _blackened(value: Any) -> Any:
    """Every text in it masked: of a list of tokens how many there are stays true."""
    if isinstance(value, dict):
        return {key: _blackened(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_blackened(one) for one in value]
    return value if value is None or isinstance(value, bool) else MASK
