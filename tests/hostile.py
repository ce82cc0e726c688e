"""What a service, or something in its place, may send instead of an honest answer."""

from __future__ import annotations

import gzip
import os
import socket
import struct
import time
import zlib

from tests.servers import Script, answer, raw

OK = "HTTP/1.1 200 OK\r\n"
GOOD = b'{"value": 1}'
# How much later than on a quiet machine something may come: several test workers and their servers share the cores.
SLOWER = 2 if os.environ.get("PYTEST_XDIST_WORKER") else 1


def endless(connection: socket.socket, request: str) -> None:
    """A body announced as a gigabyte, sent as long as somebody takes it."""
    connection.sendall((OK + f"Content-Length: {1 << 30}\r\n\r\n").encode())
    _pour(connection, b'{"value": 1, ' * 5000)


def endless_chunks(connection: socket.socket, request: str) -> None:
    connection.sendall((OK + "Transfer-Encoding: chunked\r\n\r\n").encode())
    _pour(connection, b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def endless_headers(connection: socket.socket, request: str) -> None:
    connection.sendall(OK.encode())
    _pour(connection, b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_interim(connection: socket.socket, request: str) -> None:
    _pour(connection, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50, pause=0.001)


def drip(connection: socket.socket, request: str) -> None:
    """One byte of a whole answer at a time, each well within any time-out of a single read."""
    for byte in (OK + f"Content-Length: {len(GOOD)}\r\n\r\n").encode() + GOOD * 20:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def hang(connection: socket.socket, request: str) -> None:
    """Takes the request and says nothing until the other side goes."""
    connection.settimeout(30)
    connection.recv(1)


def hang_in_the_body(connection: socket.socket, request: str) -> None:
    connection.sendall((OK + "Content-Length: 100\r\n\r\n").encode() + GOOD)
    hang(connection, request)


def small_chunks(connection: socket.socket, request: str) -> None:
    connection.sendall((OK + "Transfer-Encoding: chunked\r\n\r\n").encode())
    _pour(connection, b"1\r\nx\r\n" * 2000)


def endless_trailers(connection: socket.socket, request: str) -> None:
    connection.sendall((OK + "Transfer-Encoding: chunked\r\n\r\n").encode() + b"c\r\n" + GOOD + b"\r\n0\r\n")
    _pour(connection, b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_chunk_extension(connection: socket.socket, request: str) -> None:
    connection.sendall((OK + "Transfer-Encoding: chunked\r\n\r\n").encode() + b"c;")
    _pour(connection, b"a=" + b"x" * 1000 + b";")


def endless_error(connection: socket.socket, request: str) -> None:
    connection.sendall(b"HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n")
    _pour(connection, b"1000\r\n" + b"e" * 0x1000 + b"\r\n")


def drip_in_the_head(connection: socket.socket, request: str) -> None:
    for byte in (OK + "X-Slow: " + "y" * 200).encode():
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def reset_in_the_body(connection: socket.socket, request: str) -> None:
    connection.sendall((OK + "Content-Length: 100\r\n\r\n").encode() + GOOD)
    reset(connection, request)


def reset(connection: socket.socket, request: str) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _pour(connection: socket.socket, data: bytes, pause: float = 0.0) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        connection.sendall(data)
        if pause:
            time.sleep(pause)


def packed(data: bytes, encoding: str) -> Script:
    return answer(data, headers=f"Content-Encoding: {encoding}\r\n")


BOMB = gzip.compress(b" " * (60 << 20), 9)

# Answers on the way: for a value each is unknown, and none of them may ever pass where the answer itself matters.
BROKEN: dict[str, Script] = {
    "a gigabyte": endless,
    "endless chunks": endless_chunks,
    "endless headers": endless_headers,
    "endless interim answers": endless_interim,
    "slow drip": drip,
    "hang": hang,
    "hang in the body": hang_in_the_body,
    "reset": reset,
    "closed at once": lambda connection, request: None,
    "closed in the headers": raw(b"HTTP/1.1 200 OK\r\nContent-"),
    "content-length too long": raw((OK + "Content-Length: 999\r\n\r\n").encode() + GOOD),
    "content-length twice": raw((OK + "Content-Length: 5\r\nContent-Length: 12\r\n\r\n").encode() + GOOD),
    "content-length negative": raw((OK + "Content-Length: -5\r\n\r\n").encode() + GOOD),
    "chunk cut off": raw((OK + "Transfer-Encoding: chunked\r\n\r\n").encode() + b"c\r\n" + GOOD[:5]),
    "chunk size no number": raw((OK + "Transfer-Encoding: chunked\r\n\r\n").encode() + b"zz\r\n" + GOOD),
    "not HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "garbage": raw(bytes(range(256)) * 100),
    "header of a megabyte": raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n" + GOOD),
    "gzip bomb": packed(BOMB, "gzip"),
    "deflate bomb": packed(zlib.compress(b" " * (60 << 20), 9), "deflate"),
    "bomb in a bomb": packed(gzip.compress(BOMB), "gzip, gzip"),
    "brotli": packed(b"\x8b\x05\x80" + GOOD, "br"),
    "zstd": packed(b"\x28\xb5\x2f\xfd" + GOOD, "zstd"),
    "gzip that is none": packed(GOOD, "gzip"),
    "gzip cut off": packed(gzip.compress(GOOD * 1000)[:-12], "gzip"),
    "large": answer(b" " * (6 << 20) + GOOD),
    "401": answer(GOOD, status="401 Unauthorized"),
    "403": answer(GOOD, status="403 Forbidden"),
    "404": answer(GOOD, status="404 Not Found"),
    "429": answer(GOOD, status="429 Too Many Requests"),
    "500": answer(GOOD, status="500 Internal Server Error"),
    "503": answer(GOOD, status="503 Service Unavailable"),
    "304": raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "redirect elsewhere": answer(GOOD, status="302 Found", headers="Location: http://169.254.169.254/latest\r\n"),
    "redirect to a file": answer(GOOD, status="301 Moved", headers="Location: file:///etc/passwd\r\n"),
    "redirect to itself": answer(GOOD, status="307 Temporary", headers="Location: /\r\n"),
}

# More of the same, which every kind of check meets.
MORE_BROKEN: dict[str, Script] = {
    "reset in the body": reset_in_the_body,
    "one byte a chunk, for ever": small_chunks,
    "endless trailers": endless_trailers,
    "endless chunk extension": endless_chunk_extension,
    "500 without an end": endless_error,
    "slow drip in the head": drip_in_the_head,
    "status without a number": raw(b"HTTP/1.1 OK fine\r\n\r\n" + GOOD),
    "status of five digits": raw(b"HTTP/1.1 20000 OK\r\n\r\n" + GOOD),
    "status line of a megabyte": raw(b"HTTP/1.1 200 " + b"O" * (1 << 20) + b"\r\n\r\n" + GOOD),
    "header without a colon": raw((OK + "nothing\r\n\r\n").encode() + GOOD),
    "header with NUL": raw((OK + "X: a\x00b\r\n\r\n").encode() + GOOD),
    "HTTP/0.9": raw(GOOD),
    "HTTP/2": raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18)),
    "a TLS alert": raw(b"\x15\x03\x01\x00\x02\x02\x28"),
    "another protocol from now on": raw(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    ),
    "three times packed": packed(gzip.compress(gzip.compress(gzip.compress(b" " * (60 << 20)))), "gzip, gzip, gzip"),
    "xz": packed(b"\xfd7zXZ\x00" + GOOD, "xz"),
    "401 that asks who": answer(GOOD, status="401 Unauthorized", headers='WWW-Authenticate: Basic realm="x"\r\n'),
    "407": answer(GOOD, status="407 Proxy Authentication Required"),
    "408": answer(GOOD, status="408 Request Timeout"),
    "429 with a date to wait for": answer(GOOD, status="429 Too Many", headers="Retry-After: 99999999999999\r\n"),
    "502": answer(b"<html>bad gateway</html>", status="502 Bad Gateway"),
    "504": answer(GOOD, status="504 Gateway Timeout"),
    "redirect without a place": answer(GOOD, status="302 Found"),
    "redirect to an empty place": answer(GOOD, status="308 Permanent", headers="Location:\r\n"),
    "redirect to two places": answer(GOOD, status="302 Found", headers="Location: /a\r\nLocation: /b\r\n"),
}

# Whole answers with status 200 from which `.value` cannot be had as a sound number.
BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b"  \n",
    "HTML": b"<!doctype html><html><body>Sign in</body></html>",
    "HTML with JSON in it": b'<pre>{"value": 1}</pre>',
    "text": b"OK",
    "null": b"null",
    "empty object": b"{}",
    "empty list": b"[]",
    "a list": b'[{"value": 1}]',
    "a number": b"1",
    "a string": b'"value"',
    "value null": b'{"value": null}',
    "value NaN": b'{"value": NaN}',
    "value infinite": b'{"value": Infinity}',
    "value infinite below": b'{"value": -Infinity}',
    "value beyond floats": b'{"value": 1e999}',
    "value of 5000 digits": b'{"value": ' + b"9" * 5000 + b"}",
    "value empty text": b'{"value": ""}',
    "value text": b'{"value": "low"}',
    "value n/a": b'{"value": "NaN"}',
    "value list": b'{"value": [1]}',
    "value two": b'{"value": [1, 1]}',
    "value object": b'{"value": {"now": 1}}',
    "value false": b'{"value": false}',
    "value true": b'{"value": true}',
    "another key": b'{"Value": 1, "values": 1}',
    "truncated": b'{"value": 1',
    "truncated later": b'{"value": 1, "x": [1, 2',
    "two documents": b'{"value": 1}{"value": 1}',
    "two lines": b'{"value": 1}\n{"value": 1}\n',
    "single quotes": b"{'value': 1}",
    "trailing comma": b'{"value": 1,}',
    "comment": b'{"value": 1} // fine',
    "deep": b'{"value": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep and open": b"[" * 200_000,
    "latin-1": '{"value": "é"}'.encode("latin-1"),
    "UTF-16": '{"value": 1}'.encode("utf-16"),
    "NUL": b'\x00{"value": 1}',
    "jsonp": b'callback({"value": 1})',
    "yaml": b"value: 1\n",
    "prometheus": b"value 1\n",
    "hexadecimal": b'{"value": 0x1}',
    "leading zero": b'{"value": 01}',
    "plus": b'{"value": +1}',
}
