"""The curl line of a request: it asks the same, it can be pasted where its variables are set, it shows no secret."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from runbook.system.http import Request, basic, bearer, fetch_now
from runbook.system.http_requests import curl_line, filled
from runbook.system.shell_words import shell_word
from runbook.system.variables import Variables
from tests.servers import answer, scripted

SET = {"TOKEN": 't0k"$(id)`\\', "WHO": "ana b", "ID": "7", "EMPTY": ""}


@pytest.mark.parametrize(
    ("request_", "options", "line"),
    [
        (Request("/a"), {}, "curl -fsS http://x.test/a"),
        (Request("/a", "HEAD"), {}, "curl -fsS -I http://x.test/a"),
        (Request("/a", max_redirects=2), {}, "curl -fsS -L --max-redirs 2 http://x.test/a"),
        (Request("/a"), {"seconds": 0.5}, "curl -fsS --max-time 0.5 http://x.test/a"),
        (Request("/a", ca="our ca.pem"), {}, "curl -fsS --cacert 'our ca.pem' http://x.test/a"),
        (Request("/a", proxy="http://p:1"), {}, "curl -fsS -x http://p:1 http://x.test/a"),
        (Request("/a", proxy="environment"), {}, "curl -fsS http://x.test/a"),
        (Request("/a", socket="/run/d.sock"), {}, "curl -fsS --unix-socket /run/d.sock http://x.test/a"),
        (Request("/a", authorization=bearer("${T}")), {}, 'curl -fsS -H "Authorization: Bearer ${T}" http://x.test/a'),
        (Request("/a"), {"user": "ana:${P}"}, 'curl -fsS -u "ana:${P}" http://x.test/a'),
        (Request("/a"), {"user": "${LOGIN}"}, 'curl -fsS -u "${LOGIN}" http://x.test/a'),
        (Request("/a/${ID}?b=c"), {}, 'curl -fsS "http://x.test/a/${ID}?b=c"'),
        (Request("/a", "POST", text="@/etc/passwd"), {}, "curl -fsS -X POST --data-raw @/etc/passwd http://x.test/a"),
    ],
)
def test_each_option(request_: Request, options: dict[str, Any], line: str) -> None:
    assert curl_line(request_, "http://x.test", **options) == line


@pytest.mark.parametrize(
    ("request_", "options"),
    [
        (Request("/a", authorization=bearer("s3cret")), {}),
        (Request("/a"), {"user": "ana:s3cret"}),
        (Request("/a"), {"user": "s3cret"}),
        (Request("/a", headers={"X-Api-Key": "s3cret"}), {}),
        (Request("/a", headers={"authorization": "Token s3cret"}), {}),
        (Request("/a", headers={"Cookie": "session=s3cret"}), {}),
        (Request("http://ana:s3cret@x.test/a"), {}),
        (Request("http://s3cret@x.test/a"), {}),
        (Request("/a", proxy="http://ana:s3cret@proxy:1"), {}),
        (Request("/a?api_key=s3cret&b=1"), {}),
        (Request("/a", "POST", json={"password": "s3cret", "in": [{"api_key": "s3cret"}]}), {}),
        (Request("/a", "POST", form={"token": "s3cret"}), {}),
    ],
)
def test_a_secret_that_the_playbook_holds_is_not_shown(request_: Request, options: dict[str, Any]) -> None:
    line = curl_line(request_, "http://x.test", **options)
    assert "s3cret" not in line
    assert "***" in line


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("plain", "plain"),
        ("a b", "'a b'"),
        ("$(id)", "'$(id)'"),
        ("${X}", '"${X}"'),
        ("$(id) ${X}", '"\\$(id) ${X}"'),
        ("`id` ${X}", '"\\`id\\` ${X}"'),
        ('"${X}"', '"\\"${X}\\""'),
        ("\\${X}", '"\\\\${X}"'),
        ("${X:-a\"b}", '"${X:-a\\"b}"'),
        ("${X:-$(id)}", '"${X:-\\$(id)}"'),
        ("${percent}", "'${percent}'"),
        ("${percent} ${X}", '"\\${percent} ${X}"'),
        ("$${X}", "'$${X}'"),
        ("${not closed", "'${not closed'"),
        ("", "''"),
    ],
)  # fmt: skip
def test_words(text: str, word: str) -> None:
    assert shell_word(text) == word


@pytest.mark.needs("curl")
@pytest.mark.parametrize(
    "request_",
    [
        Request("/a"),
        Request("/a/${ID}?q=${ID}"),
        Request("/a", "POST", text='it\'s ${WHO} "$(id)" `id` \\ !'),
        Request("/a", "PUT", json={"q": "it's $(id)", "n": [1, None]}),
        Request("/a", "POST", form={"q": "a&b=c ${WHO}"}),
        Request("/a", headers={"X-Who": "${WHO}", "X-Plain": "$HOME `id`"}),
        Request("/a", authorization="Bearer ${TOKEN}"),
    ],
)
def test_curl_asks_the_same_as_we_do(request_: Request) -> None:
    variables = Variables(process=SET)
    with scripted({"/a": answer("ok"), "/a/7": answer("ok")}) as server:
        ours = filled(request_, server.url, variables, variables.masker)
        assert ours is not None
        login = None if request_.authorization is None else variables.text(request_.authorization)
        fetch_now(Request(**{**_plain(ours), "authorization": login, "guarded": False}), 5)
        line = curl_line(request_, server.url)
        subprocess.run(["sh", "-c", line], env={**os.environ, **SET}, check=True, timeout=20, capture_output=True)
    assert _told(server.asked[1]) == _told(server.asked[0])


@pytest.mark.needs("curl")
def test_curl_logs_in_as_we_do() -> None:
    with scripted({"/a": answer("ok")}) as server:
        line = curl_line(Request("/a"), server.url, user="ana:${TOKEN}")
        subprocess.run(["sh", "-c", line], env={**os.environ, **SET}, check=True, timeout=20, capture_output=True)
    assert f"authorization: {basic('ana', SET['TOKEN'])}".lower() in server.asked[0].lower()


def _plain(request: Request) -> dict[str, Any]:
    return {name: getattr(request, name) for name in Request.__dataclass_fields__}


def _told(request: str) -> tuple[str, dict[str, str], str]:
    """The line, the headers that mean something, and the body of a request."""
    head, _, body = request.partition("\r\n\r\n")
    line, *lines = head.split("\r\n")
    headers = dict(each.lower().split(": ", 1) for each in lines if each)
    ignored = {"accept", "accept-encoding", "user-agent", "content-length", "connection"}
    if not body.startswith("{"):
        ignored.add("content-type")  # curl says of any text that it is a form
    return line, {name: value for name, value in headers.items() if name not in ignored}, body.replace("%20", "+")
