"""What to do about a check that does not hold: the playbook's advice, or what the row itself says."""

from __future__ import annotations

import re

_SIGNS = re.compile(r"\brunbook sign \S+")
_SAYS = re.compile(
    r"\brunbook [a-z]|\bpip install \S"
    r"|(?:; |: |, |\()(?:set|start|run|put|write|add|allow|correct|create|log in|look|kubectl|it takes)\b"
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SENTENCE = re.compile(r"[A-Z][a-z']*(?: |\Z)")


def signing_in(message: str) -> str:
    """The command by which people answer, as a row says it: `runbook sign trained`; empty where it says none."""
    found = _SIGNS.search(message)
    return found[0] if found else ""


def advice_on(status: str, advice: str | None, message: str) -> str:
    """The playbook's advice as far as it is for this row.

    It is for a check that fails: what could not be looked at, and says itself what is missing, is not answered by it.
    """
    return "" if advice is None or (status == "unknown" and _SAYS.search(message)) else advice


def can_be_typed(advice: str) -> bool:
    """Whether an advice may stand where commands stand; an address or a sentence is read, not typed."""
    return not (_ADDRESS.match(advice) or _SENTENCE.match(advice) or not advice.strip())
