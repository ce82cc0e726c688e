"""Requests as a playbook writes them: where a URL starts, and the shell line that asks the same."""

from __future__ import annotations

import shlex

import pytest

from runbook.system.http_messages import Request
from runbook.system.http_requests import absolute, curl_line


@pytest.mark.parametrize(
    ("url", "base", "whole"),
    [
        ("/health", "http://x.test", "http://x.test/health"),
        ("health", "http://x.test/", "http://x.test/health"),
        ("/health", "http://x.test/api/", "http://x.test/api/health"),
        ("HTTPS://y.test/a", "http://x.test", "HTTPS://y.test/a"),
        ("/go?to=http://y.test", "http://x.test", "http://x.test/go?to=http://y.test"),
        ("http://y.test", None, "http://y.test"),
        ("/health", None, None),
    ],
)
def test_a_url_starts_at_the_environments_unless_it_names_its_host(url: str, base: str | None, whole: str) -> None:
    assert absolute(url, base) == whole


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request("/health"), ["http://x.test/health"]),
        (Request("/ask", "post", json={"q": "it's"}), [
            "-X", "POST", "-H", "Content-Type: application/json", "-d", '{"q":"it\'s"}', "http://x.test/ask",
        ]),
        (Request("/ask", "POST", {"X-By": "a b"}, text="$(id)"), [
            "-X", "POST", "-H", "X-By: a b", "-d", "$(id)", "http://x.test/ask",
        ]),
        (Request("/ask", "POST", form={"q": "a&b"}), [
            "-X", "POST", "--data-urlencode", "q=a&b", "http://x.test/ask",
        ]),
    ],
)  # fmt: skip
def test_the_shell_line_asks_the_same(request_: Request, words: list[str]) -> None:
    assert shlex.split(curl_line(request_, "http://x.test")) == ["curl", "-fsS", *words]
