"""HTTP for a practice service: hostile requests get an answer or a closed connection, and never end the process."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from runbook.sandbox.service import Answer, Service

BODY_LIMIT = 1 << 20  # bytes of a request's body
AT_ONCE = 512  # connections; more are closed unanswered, a practice service needs no queue
IDLE = 30.0  # seconds a connection may say nothing
OWN = "/_sandbox/"


class Server(ThreadingHTTPServer):
    """The service on one port of the loopback; `reload` has the faults read again (on the control port alone)."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, service: Service, reload: Callable[[], None] | None = None) -> None:
        super().__init__(("127.0.0.1", port), Conversation, bind_and_activate=False)
        self.service = service
        self.reload = reload
        self.at_work = 0
        self._open: set[socket.socket] = set()
        self._changing = threading.Lock()
        self._thread: threading.Thread | None = None
        self.server_bind()

    def server_bind(self) -> None:
        """Binds without the look-up of the host's name that HTTPServer makes, which can hang where DNS does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = (host, port)
        self.server_name, self.server_port = str(host), int(port)

    def serve(self) -> None:
        """Begins to listen and to answer, in a thread of its own."""
        self.server_activate()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Takes no more connections, gives those at work `patience` seconds, and closes what is left."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.socket.close()
        end = time.monotonic() + patience
        while self.at_work and time.monotonic() < end:
            time.sleep(0.005)
        with self._changing:
            left = list(self._open)
        for connection in left:
            cut(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changing:
            full = len(self._open) >= AT_ONCE
            if not full:
                self._open.add(request)
        if full:
            request.close()
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._changing:
            self._open.discard(request)
        super().shutdown_request(request)

    def working(self, change: int) -> None:
        with self._changing:
            self.at_work += change

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is nothing to tell; anything else is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Conversation(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "practice"
    sys_version = ""
    timeout = IDLE
    wbufsize = -1  # head and body leave together; unbuffered they are two packets
    server: Server

    def answer(self) -> None:
        self.server.working(+1)
        try:
            body = self._body()
            if body is not None:
                self._send(self._answer_to(body))
        finally:
            self.server.working(-1)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815 - http.server's names

    def _answer_to(self, body: bytes) -> Answer:
        path = self.path.partition("?")[0]
        if path == OWN + "reload" and self.server.reload and self.command == "POST":
            self.server.reload()
            path = OWN + "state"
        if path == OWN + "state":
            return Answer(body=json.dumps(self.server.service.state(), indent=2).encode())
        if self.server.reload:
            return Answer(404, b'{"error": "this port is for control alone"}')
        return self.server.service.answer(self.command, path, body)

    def _body(self) -> bytes | None:
        """The request's body; None when the request was refused, and the connection will be closed."""
        given = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            self._refuse(411, "send a Content-Length")
        elif not (given.isascii() and given.isdigit() and len(given) < 20):
            self._refuse(400, "Content-Length is no number")
        elif int(given) > BODY_LIMIT:
            self._refuse(413, f"more than {BODY_LIMIT} bytes")
        else:
            body = self.rfile.read(int(given))
            if len(body) == int(given):
                return body
            self.close_connection = True
        return None

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True
        self._send(Answer(status, json.dumps({"error": why}).encode()))

    def _send(self, answer: Answer) -> None:
        if answer.late:
            time.sleep(answer.late)
        if answer.drop:
            self.close_connection = True
            cut(self.connection)
            return
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string(answer.date))
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.allow:
            self.send_header("Allow", ", ".join(answer.allow))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Requests are counted, not logged: a watched sandbox answers some per second."""


def cut(connection: socket.socket) -> None:
    """Ends a connection both ways, also under a thread that reads from it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        connection.close()
