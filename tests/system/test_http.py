"""Asking over HTTP: what is sent, what comes back, what is refused before it is sent."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from runbook.system.addresses import is_forbidden
from runbook.system.http import HttpTrouble, Request, Response, basic, bearer, fetch_now
from tests.servers import answer, closed_port, raw, scripted


def fetched(request: Request, timeout: float = 5.0) -> Response:
    response = fetch_now(request, timeout)
    assert isinstance(response, Response), response
    return response


def trouble(request: Request, timeout: float = 2.0) -> HttpTrouble:
    found = fetch_now(request, timeout)
    assert isinstance(found, HttpTrouble), found
    return found


def test_an_answer() -> None:
    date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Two: a\r\nX-Two: b\r\n"
    with scripted({"/a": answer("hé", status="203 Odd", headers=date)}) as server:
        response = fetched(Request(f"{server.url}/a?q=1"))
    assert (response.status, response.text, response.date) == (203, "hé", 784111777.0)
    assert response.header("x-two") == "a"
    assert response.header("nope") is None
    assert 0 < response.elapsed < 2
    assert server.asked[0].startswith(f"GET /a?q=1 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n")


@pytest.mark.parametrize(
    ("request_", "expected", "body"),
    [
        ({"json": {"a": [1, None]}}, "Content-Type: application/json", '{"a":[1,null]}'),
        ({"json": None}, "Content-Type: application/json", "null"),
        ({"text": "hé"}, "Content-Type: text/plain; charset=utf-8", "hÃ©"),
        ({"form": {"a": "b c&d"}}, "Content-Type: application/x-www-form-urlencoded", "a=b+c%26d"),
        ({"authorization": bearer("t0k")}, "Authorization: Bearer t0k", ""),
        ({"authorization": basic("u", "p:q")}, "Authorization: Basic dTpwOnE=", ""),
        ({"headers": {"X-Api-Key": "k", "accept": "a/b"}}, "X-Api-Key: k\r\naccept: a/b", ""),
    ],
)
def test_what_is_sent(request_: dict[str, object], expected: str, body: str) -> None:
    with scripted({"/": answer("ok")}) as server:
        fetched(Request(f"{server.url}/", method="POST", **request_))  # type: ignore[arg-type]
    assert f"\r\n{expected}\r\n" in server.asked[0]
    assert server.asked[0].partition("\r\n\r\n")[2] == body


def test_the_user_part_of_a_url_becomes_a_login() -> None:
    with scripted({"/": answer("ok")}) as server:
        fetched(Request(f"http://ana:p%40ss@127.0.0.1:{server.port}/"))
    assert f"Authorization: {basic('ana', 'p@ss')}" in server.asked[0]
    assert "ana:" not in server.asked[0]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (gzip.compress(b"body" * 100), "gzip"),
        (gzip.compress(b"body" * 50) + gzip.compress(b"body" * 50), "x-gzip"),
        (zlib.compress(b"body" * 100), "deflate"),
        (zlib.compress(b"body" * 100)[2:-4], "deflate"),
        (b"body" * 100, "identity"),
    ],
)
def test_packed_bodies(data: bytes, encoding: str) -> None:
    with scripted({"/": answer(data, headers=f"Content-Encoding: {encoding}\r\n")}) as server:
        assert fetched(Request(f"{server.url}/")).body == b"body" * 100


def test_head_has_no_body() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nContent-Encoding: br\r\n\r\n"
    with scripted({"/": raw(head)}) as server:
        assert fetched(Request(f"{server.url}/", method="HEAD")).body == b""


@pytest.mark.parametrize(
    "request_",
    [
        Request("http://127.0.0.1:1/", headers={"X-A": "b\r\nHost: evil"}),
        Request("http://127.0.0.1:1/", headers={"X-A\r\nB": "c"}),
        Request("http://127.0.0.1:1/", headers={"X A": "c"}),
        Request("http://127.0.0.1:1/", headers={"": "c"}),
        Request("http://127.0.0.1:1/", headers={"X-A": "b\0"}),
        Request("http://127.0.0.1:1/", authorization="Bearer a\nb"),
        Request("http://127.0.0.1:1/", method="GET / HTTP/1.1\r\nX: y"),
        Request("file:///etc/passwd"),
        Request("ftp://127.0.0.1/"),
        Request("http:///x"),
        Request("//127.0.0.1/"),
        Request("/relative"),
        Request("http://[::1/"),
        Request("http://127.0.0.1:99999/"),
        Request("http://a b/"),
        Request("http://127.0.0.1\\@evil/"),
        Request(""),
    ],
)
def test_refused_before_anything_is_sent(request_: Request) -> None:
    found = trouble(request_)
    assert found.phase == "refuse"
    assert found.elapsed < 1


def test_phases_of_an_end() -> None:
    with closed_port() as port:
        refused = trouble(Request(f"http://127.0.0.1:{port}/"))
    said = f"127.0.0.1:{port}: connection refused"
    assert (refused.phase, refused.message, refused.timed_out) == ("connect", said, False)
    login = trouble(Request(f"http://ana:canary@127.0.0.1:{port}/"))
    assert login.message == said
    assert trouble(Request("http://no-such-host.invalid/")).phase == "resolve"
    with scripted({"/": raw(b"")}) as server:
        assert trouble(Request(f"{server.url}/")).phase == "wait"
        assert trouble(Request(f"https://127.0.0.1:{server.port}/")).phase == "tls"


def test_redirects_only_within_the_same_place() -> None:
    with scripted({}) as other, scripted({"/end": answer("here")}) as server:
        for path, status, where in (
            ("/near", "302 Found", "/end"),
            ("/two", "307 Temporary", "/near"),
            ("/far", "302 Found", f"{other.url}/steal"),
            ("/scheme", "302 Found", f"https://127.0.0.1:{server.port}/end"),
            ("/loop", "302 Found", "/loop"),
            ("/login", "302 Found", f"http://u:p@127.0.0.1:{server.port}/end"),
        ):
            server.scripts[path] = answer("", status=status, headers=f"Location: {where}\r\n")

        def ask(path: str, most: int) -> Response | HttpTrouble:
            secret = {"X-Api-Key": "k"}
            request = Request(server.url + path, headers=secret, authorization="Bearer t", max_redirects=most)
            return fetch_now(request, 5)

        assert fetched(Request(f"{server.url}/near")).status == 302
        for path, most, body in (("/near", 1, "here"), ("/two", 2, "here")):
            answered = ask(path, most)
            assert isinstance(answered, Response)
            assert answered.text == body
        for path in ("/far", "/scheme", "/loop", "/login"):
            ended = ask(path, 3)
            assert isinstance(ended, HttpTrouble)
            assert ended.phase == "redirect"
        assert isinstance(ask("/two", 1), HttpTrouble)
    assert other.asked == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as port, scripted({"/": answer("ok")}) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        assert fetched(Request(f"{server.url}/")).text == "ok"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "169.254.169.254",
    ],
)
def test_a_host_from_outside_may_not_be_this_machine(host: str) -> None:
    with scripted({"/": answer("ok")}) as server:
        found = trouble(Request(f"http://{host}:{server.port}/", guarded=True))
        assert found.phase == "refuse", found
    assert server.asked == []


@pytest.mark.parametrize(
    "address", ["fe80::1%eth0", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "fd00:ec2::254", "224.0.0.1", "::"]
)
def test_forbidden_in_disguise(address: str) -> None:
    assert is_forbidden(address)


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.1.1", "8.8.8.8", "2606:4700::1111", "fd12::1"])
def test_allowed_addresses(address: str) -> None:
    assert not is_forbidden(address)


def test_tls_fails_closed_and_trusts_what_it_is_given(tmp_path: Path) -> None:
    import ssl
    import threading

    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, *subject],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve(listener: socket.socket) -> None:
        for _ in range(3):
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            except (ssl.SSLError, ConnectionError):
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        unknown = trouble(Request(f"https://localhost:{port}/"))
        assert (unknown.phase, unknown.message[:31]) == ("tls", "the certificate is not accepted")
        wrong_host = trouble(Request(f"https://127.0.0.1:{port}/", ca=str(certificate)))
        assert wrong_host.phase == "tls"
        assert fetched(Request(f"https://localhost:{port}/", ca=str(certificate))).text == "ok"
        thread.join(5)
    assert trouble(Request("https://localhost:1/", ca=str(tmp_path / "gone.pem"))).phase in ("connect", "refuse")


def test_a_name_that_is_never_resolved_does_not_hold_the_process() -> None:
    code = """
import socket, time
socket.getaddrinfo = lambda *a, **k: time.sleep(600)
from runbook.system.http import Request, fetch_now
print(fetch_now(Request("http://slow.example/"), 0.3))
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert "phase='resolve'" in done.stdout
    assert "timed_out=True" in done.stdout
    assert time.monotonic() - began < 5


def test_what_has_to_be_loaded_first_is_no_time_of_the_network() -> None:
    code = """
import sys, time
from runbook.system.http import Request, fetch_now
began = time.monotonic()
answered = fetch_now(Request(sys.argv[1]), 10)
print(answered.status, sum(answered.phases.values()) < 0.5 * (time.monotonic() - began))
"""
    with scripted({"/": answer("ok")}) as server:
        argv = [sys.executable, "-c", code, f"{server.url}/"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.split() == ["200", "True"]
