"""Secrets: which names and values are taken for one, and the masking of values in every text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MASK = "***"
_LOOKS_SECRET = re.compile(r"(?:TOKEN|KEY|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)\Z", re.IGNORECASE)
_USER_PART = re.compile(r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^\s/?#\"'<>]*)@")
_SHORTEST = 4  # a shorter value would blacken every text
_SHORTEST_BY_NAME = 6  # for a value known as secret by its variable's name alone: MAX_TOKEN=4096 is none
_PLAIN_WORDS = frozenset({"true", "false", "none", "null", "default", "disabled", "enabled", "secret", "password"})
_LONGEST = 64 * 1024  # of one secret; a longer one is learned line by line


class VariableTrouble(Exception):  # noqa: N818 - it is told, not a fault of ours
    """A `${...}` that cannot be given a value. `hint` says what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def looks_secret(name: str) -> bool:
    """Whether a variable of this name is taken for a secret."""
    return bool(_LOOKS_SECRET.search(name))


def has_user_part(value: str) -> bool:
    """Whether a text holds a URL with a user part (`scheme://user:password@host`)."""
    return bool(_USER_PART.search(value))


class Masker:
    """Learns secret values and takes them out of texts, in the forms in which they travel.

    Besides what it was told it masks by position: the user part of every URL. Values shorter than four characters are
    not masked by value, since that would blacken every text.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for value in values:
            self.learn(value)

    def learn(self, value: str) -> None:
        """From now on `value` is masked: also encoded as base64, for a URL, JSON or a shell, and its long lines."""
        if value in self._values:
            return
        self._values.add(value)
        from runbook.system.secret_forms import forms_of

        self._forms.update(form for form in forms_of(value, longest=_LONGEST) if len(form) >= _SHORTEST)
        self._pattern = None

    def learn_environment(self, variables: Mapping[str, str]) -> None:
        """Learn the values whose names look secret, and the user parts of URLs among the others."""
        for name, value in variables.items():
            if looks_secret(name):
                if len(value) >= _SHORTEST_BY_NAME and value.lower() not in _PLAIN_WORDS:
                    self.learn(value)
            elif "://" in value:
                self.learn_url(value)

    def learn_url(self, url: str) -> None:
        """Learn the password of a URL's user part, or the whole part where it is a token alone."""
        from urllib.parse import unquote

        for match in _USER_PART.finditer(url):
            user, colon, password = match["user"].partition(":")
            secret = password if colon else user
            if len(secret) >= _SHORTEST_BY_NAME:
                self.learn(secret)
                self.learn(unquote(secret))

    def mask(self, text: str) -> str:
        """`text` with every secret replaced by three asterisks."""
        if self._pattern is None:
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        masked = self._pattern.sub(MASK, text)
        return _USER_PART.sub(rf"\g<scheme>{MASK}@", masked) if "@" in masked else masked
