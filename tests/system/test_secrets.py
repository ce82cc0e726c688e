"""Secrets are masked by value in every form, by name, and by position in a URL."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.system.secrets import MASK, Masker, has_user_part, looks_secret

CANARIES = [
    "s3cr3t-canary-value",
    "p@ss w/rd+100%&more",
    "quo\"te'd back\\slash",
    "grün-gehäim-schlüssel",
    "-----BEGIN KEY-----\nabcdefghijklmnop\nqrstuvwxyz012345\n-----END KEY-----\n",
    "tab\tand\nline",
    "x" * 300 + "é",
]

FORMS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "in a sentence": lambda value: f"curl -H 'X: {value}' failed",
    "url": lambda value: quote(value, safe=""),
    "url with slashes": quote,
    "form": quote_plus,
    "lower-case url": lambda value: re.sub("%..", lambda escape: escape.group().lower(), quote(value, safe="")),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 of a login": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "base64 of a longer login": lambda value: base64.b64encode(f"a-user:{value}".encode()).decode(),
    "base64 of another login": lambda value: base64.b64encode(f"an-user:{value}".encode()).decode(),
    "url-safe base64": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "json": json.dumps,
    "json as it is": lambda value: json.dumps(value, ensure_ascii=False),
    "repr": repr,
    "html": html.escape,
    "shell": shlex.quote,
    "hex": lambda value: value.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("canary", CANARIES)
def test_each_form_of_each_canary_is_masked(canary: str, form: str) -> None:
    masker = Masker([canary])
    text = FORMS[form](canary)
    masked = masker.mask(f"before {text} after")
    assert MASK in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    # Of a login's base64 only the characters that hold bytes of the user's name stay.
    assert len(masked.replace(MASK, "")) < len("before  after") + 16 or "in a sentence" in form
    for piece in (canary, base64.b64encode(canary.encode()).decode()[4:-4], quote(canary, safe="")):
        assert piece not in masked


def test_long_lines_of_a_secret_are_masked_alone() -> None:
    masker = Masker([CANARIES[4]])
    assert masker.mask("line: abcdefghijklmnop.") == f"line: {MASK}."


@pytest.mark.parametrize("value", ["", "a", "ab", "on", "1"])
def test_short_values_are_not_masked(value: str) -> None:
    text = "a banana on 1 ab"
    assert Masker([value]).mask(text) == text


def test_environment_by_name() -> None:
    masker = Masker()
    masker.learn_environment(
        {
            "API_TOKEN": "tok-123456",
            "db_password": "hunter2hunter2",
            "MAX_TOKEN": "4096",
            "USE_KEY": "true",
            "HOME": "/home/ana",
            "DATABASE_URL": "postgresql://app:pa%24%24word@db/app",
        }
    )
    text = "tok-123456 hunter2hunter2 4096 true /home/ana pa%24%24word pa$$word app"
    assert masker.mask(text) == f"{MASK} {MASK} 4096 true /home/ana {MASK} {MASK} app"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://user:pw@h/x", "https://***@h/x"),
        ("see postgres://a:b@c@db:5432/x.", "see postgres://***@db:5432/x."),
        ("https://token@h", "https://***@h"),
        ("mail me@example.com", "mail me@example.com"),
        ("https://h/p?q=a@b", "https://h/p?q=a@b"),
        ("https://h/x and me@y", "https://h/x and me@y"),
    ],
)
def test_the_user_part_of_urls_is_masked_unlearned(text: str, masked: str) -> None:
    assert Masker().mask(text) == masked


@pytest.mark.parametrize("name", ["A_TOKEN", "apikey", "API_KEY", "DB_PASSWORD", "SECRET", "client_secret"])
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["HOME", "TOKENS", "KEYBOARD", "PATH", "PASSWORD_FILE"])
def test_names_of_others(name: str) -> None:
    assert not looks_secret(name)


def test_user_parts() -> None:
    assert has_user_part("amqp://u:p@h")
    assert not has_user_part("http://h/@x")


@given(st.text(min_size=4, max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_learned_value_never_shows(secret: str, before: str, after: str) -> None:
    masked = Masker([secret]).mask(before + secret + after)
    if secret not in before + MASK + after and secret not in (before + MASK) and secret not in (MASK + after):
        assert secret not in masked or secret in MASK


@given(st.text(max_size=80))
def test_nothing_learned_nothing_changed(text: str) -> None:
    if "://" not in text:
        assert Masker().mask(text) == text
