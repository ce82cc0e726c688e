"""How a value is written in an env file so that every reader reads the same.

The readers are python-dotenv, dotenv for JavaScript, compose and the shell (`set -a; . FILE`). They disagree on
escapes, on `#` and on what quotes protect, so only forms are used on which all four agree; a value that has none
is refused.
"""

from __future__ import annotations

import re

PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=^-]*")

# Literal within single quotes. python-dotenv takes a backslash there as an escape before a backslash or a quote, and
# expands ${...} even there.
SINGLE = re.compile(r"(?:[^'\\$]|\\(?=[^\\])|\$(?!\{))*")

# Within double quotes a backslash is kept by some readers and taken away by others, and $ and ` are code in the shell.
DOUBLE = re.compile(r'[^"\\$`]*')


def forms_of(value: str, *, needs_text: bool = False) -> tuple[str, ...]:
    """Every text that all readers read as `value`, the plainest first; empty when there is none.

    `needs_text`: an empty value takes quotes.
    """
    if why_not(value):
        return ()
    forms = []
    if PLAIN.fullmatch(value) and (value or not needs_text):
        forms.append(value)
    if SINGLE.fullmatch(value):
        forms.append(f"'{value}'")
    if DOUBLE.fullmatch(value):
        forms.append(f'"{value}"')
    return tuple(forms)


def form_like(raw: str, value: str, *, needs_text: bool = False) -> str | None:
    """The text for `value` that is closest to the present text `raw`: the same quotes where they can hold it."""
    forms = forms_of(value, needs_text=needs_text)
    if raw in forms:
        return raw
    quote = raw[:1] if raw[:1] in ("'", '"') else ""
    alike = [form for form in forms if quote and form.startswith(quote)]
    return next(iter(alike or forms), None)


def why_not(value: str) -> str:
    """Why no reader can be trusted with `value`; empty when its characters are harmless."""
    if any(not character.isprintable() and character != "\t" for character in value):
        return "cannot take a value with a line break or an invisible character"
    return ""


def why_no_form(value: str) -> str:
    """The reason to give when `forms_of` has none."""
    return why_not(value) or "cannot take a value that readers of env files understand differently"
