"""`http` against a real nginx: TLS in all its ways, logins, redirects, both families of addresses, a packed bomb."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, measured
from tests.real.nginx import PASSWORD, USER, Nginx, nginx

pytestmark = pytest.mark.needs("nginx")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx")) as running:
        yield running


def row(server: Nginx, special: str, path: str = "/health", **more: Any) -> CheckResult:
    return looked({"http": f"{server.secure(special)}{path}", "ca": server.ca, **more}, seconds=5)


@pytest.mark.parametrize("special", ["good", "soon", "whole chain", "only TLS 1.2", "only TLS 1.3"])
def test_what_is_trusted(server: Nginx, special: str) -> None:
    found = row(server, special, jq=".name")
    assert (found.status, found.observed) == (Status.PASS, "localhost")
    assert list(found.phases) == ["resolve", "connect", "tls", "wait", "read"]


REFUSED = [
    ("expired", "certificate has expired"),
    ("just expired", "certificate has expired"),
    ("not yet valid", "certificate is not yet valid"),
    ("wrong host", "Hostname mismatch, certificate is not valid for 'localhost'"),
    ("no name", "Hostname mismatch"),
    ("self-signed", "self-signed certificate"),
    ("missing intermediate", "unable to get local issuer certificate"),
    ("expired above", "certificate has expired"),
    ("old protocol", "older than 1.2"),
    ("refuses the handshake", "it serves no such name"),
]


@pytest.mark.parametrize(("special", "said"), REFUSED, ids=[name for name, _ in REFUSED])
def test_what_is_not_trusted(server: Nginx, special: str, said: str) -> None:
    before = server.log()
    found = row(server, special, auth={"bearer": "t0k-canary"})
    assert (found.status, found.phase) == (Status.FAIL, "tls")
    assert found.message.startswith("tls: ")
    assert said in found.message
    assert set(found.phases) == {"resolve", "connect", "tls"}
    value = row(server, special, jq=".name")
    assert (value.status, value.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert measured({"http": f"{server.secure(special)}/health", "ca": server.ca, "jq": "."}).status is Status.UNKNOWN
    assert server.log() == before


def test_a_client_certificate_that_is_wanted_is_told(server: Nginx) -> None:
    assert row(server, "wants a client certificate").observed == "400"


def test_an_authority_has_to_be_named(server: Nginx) -> None:
    found = looked({"http": f"{server.secure('good')}/health"})
    assert (found.status, found.phase) == (Status.FAIL, "tls")


def test_a_file_of_certificates_that_cannot_be_used(server: Nginx, tmp_path: Path) -> None:
    (tmp_path / "rubbish.pem").write_text("-----BEGIN CERTIFICATE-----\nrubbish\n", "utf-8")
    (tmp_path / "empty.pem").touch()
    (tmp_path / "folder.pem").mkdir()
    (tmp_path / "key.pem").write_bytes((server.folder / "good.key").read_bytes())
    for name in ("gone.pem", "rubbish.pem", "empty.pem", "key.pem", "folder.pem"):
        found = row(server, "good", ca=str(tmp_path / name))
        assert (found.status, found.reason) == (Status.UNKNOWN, Reason.ERROR), name
        assert "nothing was asked" in found.message
        assert name in found.message


@pytest.mark.parametrize("host", ["[::1]", "127.0.0.1", "localhost"])
@pytest.mark.parametrize("special", ["good", None])
def test_both_families_of_addresses(server: Nginx, host: str, special: str | None) -> None:
    url = server.secure(special, host) if special else f"http://{host}:{server.plain}"
    found = looked({"http": f"{url}/health", "ca": server.ca, "jq": ".name // .by"})
    name = "localhost" if host == "localhost" else ""
    assert (found.status, found.observed) == (Status.PASS, name if special else host)


def test_logins(server: Nginx) -> None:
    variables = Variables(process={"PASSWORD": PASSWORD, "TOKEN": "t0k-canary"})

    def ask(path: str, auth: dict[str, str] | None = None) -> CheckResult:
        plain = {"http": f"{server.url}{path}", **({"auth": auth} if auth else {})}
        return looked(plain, variables=variables)

    assert ask("/private").observed == "401"
    assert ask("/private", {"basic": f"{USER}:wrong"}).observed == "401"
    assert ask("/private", {"basic": f"{USER}:${{PASSWORD}}"}).status is Status.PASS
    assert ask("/token").observed == "401"
    assert ask("/token", {"bearer": "${TOKEN}"}).status is Status.PASS
    with_user = looked({"http": f"http://{USER}:{PASSWORD}@127.0.0.1:{server.plain}/private"})
    assert with_user.status is Status.PASS


@pytest.mark.parametrize("auth", [{}, {"bearer": "${T}", "basic": "u:p"}])
def test_a_login_is_one_of_two(auth: dict[str, str]) -> None:
    (problem,) = a_check({"http": "/", "auth": auth}).options.problems()
    assert "auth is either" in problem


@pytest.mark.parametrize(("path", "most", "said"), [
    ("/elsewhere", 3, "redirects to another place, http://localhost:"),
    ("/upgrade", 3, "redirects to another place, https://localhost:"),
    ("/metadata", 3, "redirects to another place, http://169.254.169.254"),
    ("/elsewhere", 0, "redirects to http://localhost:"),
])  # fmt: skip
def test_secrets_go_to_no_other_place(server: Nginx, path: str, most: int, said: str) -> None:
    variables = Variables(process={"KEY": "k3y-canary", "TOKEN": "t0k-canary"})
    check = {"http": f"{server.url}{path}", "headers": {"X-Api-Key": "${KEY}"}, "auth": {"bearer": "${TOKEN}"}}
    found = looked({**check, "max_redirects": most}, variables=variables)
    assert found.status is Status.FAIL
    assert said in found.message
    assert "canary" not in found.message
    assert "/seen" not in server.log()


def test_redirects_within_the_same_place(server: Nginx) -> None:
    assert row(server, "good", "/near", max_redirects=1).status is Status.PASS
    assert "max_redirects: 1 follows it" in row(server, "good", "/near").message
    down = row(server, "good", "/downgrade", max_redirects=5)
    assert (down.status, down.phase) == (Status.FAIL, "redirect")


def test_a_bomb_is_not_unpacked(server: Nginx) -> None:
    for path, more in (("/bomb", {}), ("/bomb", {"jq": "."})):
        found = looked({"http": f"{server.url}{path}", **more})
        assert found.status is (Status.UNKNOWN if more else Status.FAIL)
        assert found.phase == "read"


def test_what_else_expect_knows(server: Nginx) -> None:
    url = f"{server.secure('good')}/health"
    all_parts = "resolve < 5s and connect < 5s and tls < 5s and wait < 5s and read < 5s and time < 20s"
    assert looked({"http": url, "ca": server.ca, "expect": all_parts}).status is Status.PASS
    for part in ("resolve", "connect", "tls", "wait", "read"):
        assert looked({"http": url, "ca": server.ca, "expect": f"{part} > 5s"}).status is Status.FAIL
    plain = looked({"http": f"{server.url}/health", "expect": "tls < 5s"})
    assert plain.status is Status.UNKNOWN
