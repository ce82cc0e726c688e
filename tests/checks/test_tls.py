"""`tls`: certificates that are good, and bad in every way, as a real nginx shows them."""

from __future__ import annotations

import _ssl
import contextlib
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, measured
from tests.real.nginx import Nginx, nginx
from tests.servers import closed_port

pytestmark = pytest.mark.needs("nginx")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx")) as running:
        yield running


def row(server: Nginx, special: str, **more: Any) -> CheckResult:
    return looked({"tls": f"localhost:{server.ports[special]}", "ca": server.ca, **more}, seconds=5)


@pytest.mark.parametrize("name", ["good", "whole chain", "only TLS 1.2", "only TLS 1.3"])
def test_a_good_certificate(server: Nginx, name: str) -> None:
    found = row(server, name)
    assert found.status is Status.PASS, found
    assert found.observed.startswith(("62 days left, until 20", "63 days left, until 20"))
    assert found.observed.endswith("by Test Authority")
    assert 62 < found.value < 63.1
    assert {"resolve", "connect", "tls"} == set(found.phases)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("expired", "tls: it expired 3 days ago, on 20"),
        ("just expired", "tls: it expired 2 h"),
        ("not yet valid", "tls: it is not valid yet: it begins on 20"),
        ("wrong host", "tls: it is for shop.example, www.shop.example, not for localhost"),
        ("no name", "tls: it is for no name at all, not for localhost"),
        ("self-signed", "tls: it is signed by itself"),
        ("missing intermediate", "tls: its issuer, Test Authority, is neither sent with it nor trusted here"),
        ("expired above", "tls: a certificate above it in its chain has expired (it was issued by Old Test Authority)"),
        ("old protocol", "tls: it speaks only versions of TLS older than 1.2"),
        ("refuses the handshake", "tls: it serves no such name"),
        ("soon", "renew it, and let the server read the new one"),
    ],
)
def test_each_bad_one_has_its_own_words(server: Nginx, name: str, said: str) -> None:
    found = row(server, name)
    assert found.status is Status.FAIL
    assert found.message.startswith(said)


@pytest.mark.skipif(
    not hasattr(getattr(_ssl, "_SSLSocket", None), "get_verified_chain"), reason="this Python does not tell the chain"
)
def test_the_one_of_the_chain_that_ends_first_is_judged(server: Nginx) -> None:
    found = row(server, "soon above")
    assert found.status is Status.FAIL
    assert (round(found.value), found.observed.rpartition(", ")[2]) == (5, "by Test Root")
    assert found.observed.startswith(("5 days left, until 20", "4 days left, until 20"))
    assert found.message.startswith("Old Test Authority above it ends first (its own ends on 20")
    assert "let the server send its chain" in found.message
    found = row(server, "soon above", days=3)
    assert (found.status, found.message[:37]) == (Status.PASS, "Old Test Authority above it ends firs")
    assert round(measured({"tls": f"localhost:{server.ports['soon above']}", "ca": server.ca}).value) == 5


def test_an_authority_that_nobody_named_is_not_trusted(server: Nginx) -> None:
    for name, said in (("good", "is neither sent with it nor trusted here"), ("whole chain", "is not trusted here")):
        found = looked({"tls": f"localhost:{server.ports[name]}"})
        assert found.status is Status.FAIL
        assert said in found.message
        assert "as ca" in found.message


def test_one_signed_by_itself_is_believed_when_it_is_named(server: Nginx) -> None:
    assert row(server, "self-signed", ca=str(server.folder / "self-signed.pem")).status is Status.PASS
    assert row(server, "good", ca=str(server.folder / "self-signed.pem")).status is Status.FAIL


def test_a_name_of_its_own(server: Nginx) -> None:
    assert row(server, "wrong host", name="www.shop.example").status is Status.PASS
    assert row(server, "wrong host", name="shop.example.org").status is Status.FAIL
    assert row(server, "good", name="127.0.0.1").status is Status.PASS


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "https://localhost", "https://[::1]"])
def test_how_a_place_is_written(server: Nginx, host: str) -> None:
    place = f"{host}:{server.ports['good']}"
    assert looked({"tls": place + ("/" if host[0] == "h" else ""), "ca": server.ca}).status is Status.PASS


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"days": 5}, Status.FAIL),
        ({"days": 4.5}, Status.PASS),
        ({"days": 0}, Status.PASS),
        ({"expect": "> 4"}, Status.PASS),
        ({"expect": "> 6"}, Status.FAIL),
        ({"expect": "days > 4 and tls < 5s and time < 5s"}, Status.PASS),
        ({"expect": "tls < 0ms"}, Status.FAIL),
    ],
)
def test_how_many_days_are_enough(server: Nginx, more: dict[str, Any], status: Status) -> None:
    assert row(server, "soon", **more).status is status


def test_the_days_as_a_metric(server: Nginx) -> None:
    found = measured({"tls": f"localhost:{server.ports['soon']}", "ca": server.ca})
    assert (found.status, round(found.value)) == (Status.PASS, 5)
    none = measured({"tls": f"localhost:{server.ports['expired']}", "ca": server.ca})
    assert (none.status, none.value) == (Status.UNKNOWN, None)
    assert "expired 3 days ago" in none.message


def test_a_file_of_certificates_that_cannot_be_used(server: Nginx, tmp_path: Path) -> None:
    (tmp_path / "rubbish.pem").write_text("-----BEGIN CERTIFICATE-----\nrubbish\n", "utf-8")
    (tmp_path / "empty.pem").touch()
    for name in ("gone.pem", "rubbish.pem", "empty.pem", "."):
        found = row(server, "good", ca=str(tmp_path / name))
        assert (found.status, found.reason) == (Status.UNKNOWN, Reason.ERROR), name
        assert "nothing was asked" in found.message


def test_a_file_of_certificates_that_is_replaced_is_read_again(server: Nginx, tmp_path: Path) -> None:
    kept = tmp_path / "ca.pem"
    kept.write_text((server.folder / "self-signed.pem").read_text("utf-8"), "utf-8")
    assert row(server, "good", ca=str(kept)).status is Status.FAIL
    kept.write_text(Path(server.ca).read_text("utf-8"), "utf-8")
    assert row(server, "good", ca=str(kept)).status is Status.PASS


def say_and_close(data: bytes) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(data)

    return serve


def hang(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


@contextlib.contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port whose connections are handed to `serve`, one after the other."""

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection, contextlib.suppress(OSError):
                    serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.mark.parametrize(
    ("serve", "said"),
    [
        (say_and_close(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak TLS"),
        (say_and_close(b"SSH-2.0-OpenSSH_9.2\r\n"), "does not speak TLS"),
        (say_and_close(b""), "tls: "),
        (say_and_close(b"\x16\x03\x03\xff\xff" + bytes(70000)), "tls: "),
        (say_and_close(b"\x15\x03\x03\x00\x02\x02\x28"), "no cipher in common"),
        (say_and_close(b"\x1b]0;title\x07" * 20), "does not speak TLS"),
        (hang, "what answers there may not speak TLS"),
    ],
    ids=["http", "ssh", "closes", "rubbish", "alert", "escapes", "hangs"],
)
def test_what_is_no_tls_at_all(serve: Callable[[socket.socket], None], said: str) -> None:
    with listener(serve) as port:
        began = time.monotonic()
        found = looked({"tls": f"127.0.0.1:{port}"}, seconds=0.5)
        assert time.monotonic() - began < 1.5
    assert (found.status, found.phase) == (Status.FAIL, "tls")
    assert said in found.message
    assert found.message.isprintable()


def test_nobody_there() -> None:
    with closed_port() as port:
        found = looked({"tls": f"127.0.0.1:{port}"})
        assert (found.status, found.phase) == (Status.FAIL, "connect")
        assert found.message == f"connect: 127.0.0.1:{port}: connection refused"
        assert looked({"tls": f"127.0.0.1:{port}", "expect": "> 5"}).status is Status.UNKNOWN
    assert looked({"tls": "no-such-host.invalid"}).phase == "resolve"


def test_plain_http(server: Nginx) -> None:
    found = looked({"tls": f"127.0.0.1:{server.plain}"})
    assert found.status is Status.FAIL
    assert found.message == "tls: what answers there does not speak TLS: try http://, or another port"
    assert set(found.phases) == {"resolve", "connect", "tls"}


def test_values_of_the_playbook(server: Nginx) -> None:
    variables = Variables(process={"HOST": "localhost", "PORT": str(server.ports["good"])})
    check = {"tls": "${HOST}:${PORT}", "ca": server.ca}
    assert looked(check, variables=variables).status is Status.PASS
    assert looked({"tls": "${GONE}:443"}).status is Status.UNKNOWN
    assert looked({"tls": "${HOST}:x"}, variables=variables).status is Status.UNKNOWN


def test_the_line_by_hand_shows_the_same(server: Nginx) -> None:
    options = a_check({"tls": f"localhost:{server.ports['good']}", "ca": server.ca}).options
    done = subprocess.run(["sh", "-c", options.by_hand(None)], capture_output=True, text=True, timeout=20, check=True)
    assert "notAfter=" in done.stdout
    assert "Test Authority" in done.stdout
    assert '"${HOST}:443"' in a_check({"tls": "${HOST}"}).options.by_hand(None)
    assert shlex.split(a_check({"tls": "a.example"}).options.by_hand(None))[3] == "a.example:443"


@pytest.mark.parametrize(
    ("plain", "count"),
    [
        ({"tls": "a.example", "days": 30}, 0),
        ({"tls": "https://a.example/"}, 0),
        ({"tls": "${HOST}"}, 0),
        ({"tls": "https://a.example/path"}, 1),
        ({"tls": "a.example:0"}, 1),
        ({"tls": "a.example:99999"}, 1),
        ({"tls": "::1"}, 1),
        ({"tls": "", "days": -1}, 2),
        ({"tls": "a b"}, 1),
    ],
)
def test_options_that_can_be_wrong(plain: dict[str, Any], count: int) -> None:
    options = a_check(plain).options
    assert len(options.problems()) == count
    assert options.only_looks()
    assert options.presence()
