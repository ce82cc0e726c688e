"""What a value without quotes means: as in YAML 1.2, so that `no`, `0777`, `12:30:45` and `1_000` stay text."""

from __future__ import annotations

import math
import re

from runbook.playbook.nodes import Value

NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
LONGEST_NUMBER = 100  # Python itself refuses an integer above 4,300 digits with an exception
WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def meaning(text: str) -> Value:
    """The value of unquoted `text`. Raises ValueError for a number that is too long or too large."""
    if text in WORDS:
        return WORDS[text]
    found = NUMBER.fullmatch(text)
    if not found:
        return text
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text):,} characters is too long")
    if not found[1] and not found[2]:
        return int(text)
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text} is too large")
    return number
