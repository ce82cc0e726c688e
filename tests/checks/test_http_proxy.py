"""Checks through a proxy: only where the environment of the playbook says so, and never for this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Reason, Status
from runbook.system.http import HttpTrouble, Request, fetch_now
from runbook.system.http_proxy import proxies_of_environment, proxy_for
from runbook.system.variables import Variables
from tests.checks.looking import looked
from tests.real.forward_proxy import forward_proxy
from tests.real.nginx import Nginx, nginx
from tests.servers import Scripted, answer, closed_port, scripted

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx")) as running:
        yield running


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted({"/health": answer("ok"), "/api/tags": answer('{"models": [{"name": "llama3:8b"}]}')}) as running:
        yield running


def test_plain_requests_go_through_it_by_name(server: Scripted) -> None:
    with forward_proxy({"shop.example": server.port}) as proxy:
        found = looked({"http": "http://shop.example/health", "headers": {"X-Two": "b"}}, proxy=proxy.url)
    assert found.status is Status.PASS, found
    assert proxy.asked[0].startswith("GET http://shop.example/health HTTP/1.1\r\n")
    assert "\r\nHost: shop.example\r\n" in server.asked[0]
    assert "X-Two: b" in server.asked[0]
    assert {"connect", "wait", "read"} == set(found.phases)


@pytest.mark.needs("nginx")
def test_tls_goes_through_a_tunnel_and_is_checked_at_its_end(secure: Nginx) -> None:
    with forward_proxy({"localhost.example": 1, "shop.example": secure.ports["wrong host"]}) as proxy:
        check = {"http": "https://shop.example/health", "ca": secure.ca, "jq": ".name"}
        found = looked(check, proxy=proxy.url)
        assert (found.status, found.observed) == (Status.PASS, "shop.example")
        assert {"connect", "tls", "wait", "read"} == set(found.phases)
        assert looked({**check, "expect": "tls < 5s and connect < 5s"}, proxy=proxy.url).status is Status.PASS
        untrusted = looked({"http": "https://shop.example/health"}, proxy=proxy.url)
    assert proxy.asked[0].startswith("CONNECT shop.example:443 HTTP/1.1\r\n")
    assert (untrusted.status, untrusted.phase) == (Status.FAIL, "tls")
    assert "X-" not in "".join(proxy.asked)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_a_proxy_cannot_reach(scheme: str) -> None:
    with forward_proxy({}) as proxy:
        found = looked({"http": f"{scheme}://gone.example/"}, proxy=proxy.url)
    if scheme == "https":  # it was not passed on, which says nothing of the other side
        assert (found.status, found.reason, found.phase) == (Status.UNKNOWN, Reason.ERROR, "proxy")
    else:  # an answer like any other: nobody can tell who gave it
        assert found.status is Status.FAIL
    assert "502" in found.message


def test_a_proxy_that_is_not_there() -> None:
    with closed_port() as port:
        found = looked({"http": "http://shop.example/"}, proxy=f"http://127.0.0.1:{port}")
    assert (found.status, found.reason, found.phase) == (Status.UNKNOWN, Reason.ERROR, "proxy")
    assert f"the proxy 127.0.0.1:{port}" in found.message and "connection refused" in found.message


def test_a_proxy_that_asks_who_we_are_says_nothing_of_the_service() -> None:
    with forward_proxy({}, login="ana:pr0xy-canary") as proxy:
        found = looked({"http": "http://shop.example/"}, proxy=f"http://127.0.0.1:{proxy.port}")
    assert (found.status, found.phase) == (Status.UNKNOWN, "proxy")
    assert "407" in found.message


def test_a_proxy_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        found = looked({"http": "https://shop.example/"}, proxy=proxy, seconds=0.5)
    assert (found.status, found.phase) == (Status.UNKNOWN, "proxy")


def test_logins_of_the_proxy_are_sent_to_it_alone_and_masked(server: Scripted) -> None:
    with forward_proxy({"shop.example": server.port}, login="ana:pr0xy-canary") as proxy:
        variables = Variables(process={"PROXY_PASSWORD": "pr0xy-canary"})
        written = proxy.url.replace("pr0xy-canary", "${PROXY_PASSWORD}")
        found = looked({"http": "http://shop.example/health"}, variables=variables, proxy=written)
        assert found.status is Status.PASS
        wrong = looked({"http": "https://shop.example/"}, proxy=f"http://ana:wr0ng-canary@127.0.0.1:{proxy.port}")
        missing = looked({"http": "http://shop.example/"}, proxy=written)
    assert "Proxy-Authorization" not in server.asked[0]
    assert variables.masker.mask("it is pr0xy-canary") == "it is ***"
    assert "the proxy answers 407" in wrong.message
    assert "canary" not in repr((wrong.message, wrong.observed))
    assert (missing.status, "${PROXY_PASSWORD} is not set" in missing.message) == (Status.UNKNOWN, True)


def test_every_kind_that_asks_over_http_goes_through_it(server: Scripted) -> None:
    with forward_proxy({"models.example": server.port}) as proxy:
        found = looked({"ollama": "http://models.example:11434", "models": ["llama3"]}, proxy=proxy.url)
        assert found.status is Status.PASS
    assert len(proxy.asked) == 1


def test_a_load_goes_through_it_too(server: Scripted) -> None:
    with forward_proxy({"shop.example": server.port}) as proxy:
        plain = {"load": "http://shop.example/health", "requests": 5, "concurrency": 2, "expect": "errors == 0%"}
        assert looked({**plain, "reads": True}, proxy=proxy.url).status is Status.PASS
    assert len(proxy.asked) == 5


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "a.localhost"])
@pytest.mark.parametrize("said", ["environment", "url"])
def test_this_machine_is_asked_directly(
    host: str, said: str, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closed_port() as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        proxy = f"http://127.0.0.1:{port}" if said == "url" else said
        if host == "a.localhost":
            assert proxy_for(proxy, "http", host, 80) is None
        else:
            assert looked({"http": f"http://{host}:{server.port}/health"}, proxy=proxy).status is Status.PASS


def test_the_environment_counts_only_where_the_playbook_says_so(
    monkeypatch: pytest.MonkeyPatch, server: Scripted
) -> None:
    def look(**more: Any) -> CheckResult:
        return looked({"http": "http://shop.invalid/health"}, **more)

    with forward_proxy({"shop.invalid": server.port}) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            with monkeypatch.context() as within:
                within.setenv(name, proxy.url)
                assert look().phase == "resolve"
                assert look(proxy="environment").status is Status.PASS
                within.setenv("NO_PROXY", "other.invalid,.invalid")
                assert look(proxy="environment").phase == "resolve"
    assert len(proxy.asked) == 3


def test_a_host_from_outside_is_not_handed_to_a_proxy(server: Scripted) -> None:
    with forward_proxy({"169.254.169.254": server.port, "shop.example": server.port}) as proxy:
        variables = Variables(process={"HOST": "169.254.169.254", "OTHER": "shop.example"})
        for written in ("http://${HOST}/health", "http://${OTHER}/health"):
            found = looked({"http": written}, variables=variables, proxy=proxy.url)
            assert found.status is Status.UNKNOWN
            assert "nothing was asked" in found.message
    assert proxy.asked == []


def test_a_proxy_of_another_kind_is_refused() -> None:
    found = fetch_now(Request("http://shop.example/", proxy="socks5://127.0.0.1:1080"), 2)
    assert isinstance(found, HttpTrouble)
    assert found.phase == "refuse"
    assert "socks5 is not spoken here" in found.message


@pytest.mark.parametrize(
    ("exceptions", "host", "spared"),
    [
        ("", "a.example", False),
        ("*", "a.example", True),
        ("a.example", "a.example", True),
        ("a.example", "b.a.example", True),
        ("a.example", "ba.example", False),
        (".a.example", "a.example", True),
        ("*.a.example", "b.a.example", True),
        ("A.Example.", "a.example", True),
        ("x,  a.example", "a.example", True),
        ("x a.example", "a.example", True),
        ("a.example:8080", "a.example", True),
        ("a.example:80", "a.example", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "10.example", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:8080", "10.1.2.3", True),
        ("fd00::/8", "fd12::1", True),
        ("[fd12::1]", "fd12::1", True),
        ("fd12::1", "fd12::2", False),
        (",,", "a.example", False),
        ("/8,:,[", "a.example", False),
    ],
)
def test_no_proxy(exceptions: str, host: str, spared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert proxy_for("environment", "https", host, 8080) == (None if spared else "http://proxy:3128")
    assert proxy_for("environment", "http", host, 8080) is None
    assert proxy_for("http://said:1", "https", host, 8080) == "http://said:1"


def test_which_variable_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://upper:1")
    monkeypatch.setenv("https_proxy", "http://lower:1")
    monkeypatch.setenv("ALL_PROXY", "http://all:1")
    assert proxy_for("environment", "https", "a.example", 443) == "http://lower:1"
    assert proxy_for("environment", "http", "a.example", 80) == "http://all:1"
    assert proxy_for(None, "http", "a.example", 80) is None
    assert set(proxies_of_environment()) == {"http://lower:1", "http://all:1"}
