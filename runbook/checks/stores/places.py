"""The URL of a database or store: filled in, its secrets learned, and as a word of a shell line."""

from __future__ import annotations

import re
import shlex
from urllib.parse import parse_qsl, unquote, urlsplit

from runbook.checks.base import Surroundings
from runbook.system.secrets import Masker

_SECRET_PARAMETERS = ("password", "sslpassword", "passwd", "pwd", "key", "accountkey")
_VARIABLE_ALONE = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")


def filled_url(written: str, around: Surroundings) -> str:
    """The URL with its values: percent-encoded, unless a value is its beginning (`${DATABASE_URL}`). What is secret in
    it is masked from now on. Raises VariableTrouble.
    """
    whole = written.startswith("${") or "://" not in written
    url = around.variables.text(written) if whole else around.variables.url(written)
    learn_secrets(around.masker, url)
    return url


def learn_secrets(masker: Masker, url: str) -> None:
    """Learn the password of a URL wherever it stands: in the user part, also a short one, or as a parameter."""
    masker.learn_url(url)
    try:
        parts = urlsplit(url)
        given = [parts.password or "", *(value for name, value in parse_qsl(parts.query) if _is_secret(name))]
    except ValueError:  # no URL after all
        return
    for secret in given:
        if secret:
            masker.learn(secret)
            masker.learn(unquote(secret))


def shell_word(text: str) -> str:
    """One word of a shell line. In a text without anything else that a shell reads, `${NAME}` is left to the shell."""
    if "${" in text and not re.search(r'["`\\$]', _VARIABLE_ALONE.sub("", text)):
        return f'"{text}"'
    return shlex.quote(text)


def _is_secret(name: str) -> bool:
    return name.lower() in _SECRET_PARAMETERS
