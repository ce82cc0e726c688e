"""Asking over a Unix socket: the host of the URL is only a name, nothing is resolved, no proxy is in between."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.system.http import HttpTrouble, Request, Response, fetch_now
from tests.servers import Script, Scripted, answer, raw
from tests.system.other_worlds import NOBODY, run_python

# What is needed is loaded first, for it may lie where nobody may not read.
AS_NOBODY = f"""
import os, sys
from runbook.system.http import Request, fetch_now
fetch_now(Request("http://localhost/", socket=sys.argv[1] + "-gone"))
os.setegid({NOBODY})
os.seteuid({NOBODY})
print(fetch_now(Request("http://localhost/", socket=sys.argv[1])))
"""


@contextlib.contextmanager
def listening(path: Path, scripts: dict[str, Script]) -> Iterator[Scripted]:
    server = Scripted(scripts)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.serve(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def ask(path: Path, url: str = "http://no-such-host.invalid/x", **more: object) -> Response | HttpTrouble:
    return fetch_now(Request(url, socket=str(path), **more), 2)  # type: ignore[arg-type]


def test_an_answer(tmp_path: Path) -> None:
    with listening(tmp_path / "s", {"/x": answer("ok")}) as server:
        found = ask(tmp_path / "s", guarded=True, proxy="http://127.0.0.1:1")
    assert isinstance(found, Response), found
    assert found.text == "ok"
    assert set(found.phases) == {"connect", "wait", "read"}
    assert server.asked[0].startswith("GET /x HTTP/1.1\r\nHost: no-such-host.invalid\r\n")


def test_redirects_stay_on_it(tmp_path: Path) -> None:
    scripts = {
        "/x": answer("", status="302 Found", headers="Location: /end\r\n"),
        "/end": answer("here"),
        "/far": answer("", status="302 Found", headers="Location: http://127.0.0.1:1/\r\n"),
    }
    with listening(tmp_path / "s", scripts) as server:
        found = ask(tmp_path / "s", max_redirects=1)
        far = ask(tmp_path / "s", "http://localhost/far", max_redirects=1)
    assert isinstance(found, Response)
    assert found.text == "here"
    assert isinstance(far, HttpTrouble)
    assert far.phase == "redirect"
    assert len(server.asked) == 3


@pytest.mark.parametrize("what", ["gone", "closed", "file", "folder", "too long"])
def test_nobody_there(what: str, tmp_path: Path) -> None:
    path = tmp_path / ("s" * 200 if what == "too long" else "s")
    if what == "closed":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    elif what == "file":
        path.touch()
    elif what == "folder":
        path.mkdir()
    found = ask(path)
    assert isinstance(found, HttpTrouble)
    assert found.phase == "connect"
    said = {"gone": "no such file or directory", "closed": "connection refused", "file": "connection refused"}
    assert found.message == (f"{path}: {said[what]}" if what in said else found.message)


def test_what_breaks_there(tmp_path: Path) -> None:
    with listening(tmp_path / "s", {"/x": raw(b"")}):
        found = ask(tmp_path / "s")
    assert isinstance(found, HttpTrouble)
    assert found.phase == "wait"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_socket_without_leave(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        for folder in list(path.parents)[:3]:
            folder.chmod(0o755)
        done = run_python(AS_NOBODY, arguments=(str(path),))
    assert f"phase='connect', message='{path}: permission denied'" in done.stdout, done
