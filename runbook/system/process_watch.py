"""Waiting for a process while its output is read, and ending a group of processes for good."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

_SLICE = 0.05  # seconds between two looks at the clock, the process and `stopping`
_HELD_OPEN = 0.3  # seconds that output is still read when the process is gone and a child of it holds the pipe
_GRACE = 2.0  # seconds between asking and making a group end
_LONGEST_LINE = 64 * 1024


class Kept:
    """The beginning and the end of a stream of bytes: all of it up to `limit`, else half of that from each side."""

    def __init__(self, limit: int) -> None:
        self._half = max(1, limit // 2)
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room] if room > 0 else b""
        self._tail += data[max(0, room) :]
        if len(self._tail) > 2 * self._half:
            self._drop()

    def text(self) -> str:
        self._drop()
        note = f"\n... {self._dropped} bytes left out ...\n".encode() if self._dropped else b""
        return bytes(self._head + note + self._tail).decode("utf-8", "replace")

    @property
    def cut(self) -> bool:
        return self._dropped > 0 or len(self._tail) > self._half

    def _drop(self) -> None:
        over = len(self._tail) - self._half
        if over > 0:
            del self._tail[:over]
            self._dropped += over


class Lines:
    """Cuts a stream of bytes into lines and hands each on; a reader that fails is not asked again."""

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self._on_line = on_line
        self._rest = b""

    def add(self, data: bytes) -> None:
        if self._on_line is None:
            return
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._hand_on(line)
        while len(self._rest) > _LONGEST_LINE:
            self._hand_on(self._rest[:_LONGEST_LINE])
            self._rest = self._rest[_LONGEST_LINE:]

    def end(self) -> None:
        if self._rest:
            self._hand_on(self._rest)
            self._rest = b""

    def _hand_on(self, line: bytes) -> None:
        if self._on_line is None:
            return
        try:
            self._on_line(line.rstrip(b"\r").decode("utf-8", "replace"))
        except OSError:  # the terminal is gone; the work goes on
            self._on_line = None


class Watch:
    """One started process: reads what it writes until it has ended, its time is up, or the operator stops."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        on_line: Callable[[str], None] | None,
        limit: int,
        until: float,
        stopping: Callable[[], bool] | None,
    ) -> None:
        self.output = Kept(limit)
        self.errors = Kept(limit)
        self._process = process
        self._until = until
        self._stopping = stopping
        self._selector = selectors.DefaultSelector()
        self._streams: list[IO[bytes]] = []
        for stream, kept in ((process.stdout, self.output), (process.stderr, self.errors)):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                self._streams.append(stream)
                self._selector.register(stream, selectors.EVENT_READ, (kept, Lines(on_line)))

    def wait(self) -> str:
        """Empty when it ended by itself, else `time` or `stop`."""
        ended_at: float | None = None
        while True:
            open_pipes = bool(self._selector.get_map())
            if open_pipes:
                self._read(_SLICE)
            ended = self._has_ended(0.0 if open_pipes else _SLICE)
            now = time.monotonic()
            if ended:
                ended_at = ended_at or now
                if not self._selector.get_map() or now - ended_at >= _HELD_OPEN:
                    return ""
            elif now >= self._until:
                return "time"
            elif self._stopping is not None and self._stopping():
                return "stop"

    def close(self) -> None:
        """Take what is still there to read, and let go of the pipes."""
        with contextlib.suppress(OSError, ValueError):
            self._read(0.0)
        for key in list(self._selector.get_map().values()):
            key.data[1].end()
        self._selector.close()
        for stream in self._streams:
            stream.close()

    def _has_ended(self, wait: float) -> bool:
        try:
            self._process.wait(wait)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _read(self, wait: float) -> None:
        for key, _ in self._selector.select(wait):
            kept, lines = key.data
            try:
                data = os.read(key.fd, 1 << 16)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            kept.add(data)
            lines.add(data)
            if not data:
                lines.end()
                self._selector.unregister(key.fileobj)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and its whole group: asked first, made to after two seconds. It is gone when this returns."""
    for number, wait in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _GRACE)):
        if not _signal_group(process.pid, number):
            break
        until = time.monotonic() + wait
        while time.monotonic() < until:
            process.poll()
            if not _signal_group(process.pid, 0) or _only_zombies(process.pid):
                break
            time.sleep(0.01)
    process.wait()


def _signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody in it changed user; nothing more can be done
        return number == 0
    return True


def _only_zombies(group: int) -> bool:
    """Whether all that is left of a group are entries that nobody has collected. False where `/proc` is absent."""
    seen = False
    for pid in _pids():
        fields = _stat(pid)
        if fields and fields[2] == str(group):
            seen = True
            if fields[0] not in "ZX":
                return False
    return seen


def processes_with(setting: str) -> set[int]:
    """The living processes of this user, ourselves apart, whose environment carries `NAME=value`."""
    wanted = b"\0" + os.fsencode(setting) + b"\0"
    found = set()
    for pid in _pids():
        if pid == os.getpid():
            continue
        with contextlib.suppress(OSError):
            environment = b"\0" + Path(f"/proc/{pid}/environ").read_bytes() + b"\0"
            fields = _stat(pid)
            if wanted in environment and fields and fields[0] not in "ZX":
                found.add(pid)
    return found


def end_processes(find: Callable[[], set[int]], *, wait: float) -> int:
    """End what `find` shows, and what it starts meanwhile; how many there were in all."""
    ended: set[int] = set()
    number = signal.SIGTERM if wait > 0 else signal.SIGKILL
    until = time.monotonic() + wait
    giving_up = until + _GRACE
    while (found := find()) and time.monotonic() < giving_up:
        if time.monotonic() >= until:
            number = signal.SIGKILL
        for pid in found - ended if number == signal.SIGTERM else found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        ended |= found
        time.sleep(0.02)
    return len(ended)


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208 - twice as fast
    except OSError:
        return []


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
