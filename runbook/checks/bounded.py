"""Programs of a playbook (jq, regular expressions) over texts of others, in a child process that can be ended.

Either may take for ever: a jq program that loops, a regular expression that tries every way to match. The child reads
questions line by line, keeps nothing, and ends when its input does. One that is late is killed and the next question
starts another; one whose parent was killed in the middle of a question is ended by the kernel after 20 s of its work.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

_AT_ONCE = 2  # children; more than that the cores do not serve
_LONGEST_REPLY = 16 << 20

_CHILD = r"""
import itertools, json, re, resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
for line in sys.stdin.buffer:
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 20, -1))
    try:
        ask = json.loads(line)
        if "jq" in ask:
            import jq
            found = list(itertools.islice(jq.compile(ask["jq"]).input_text(ask["text"]), ask["most"]))
        else:
            match = re.search(ask["re"], ask["text"], re.MULTILINE)
            found = None if match is None else [match.group(), *match.groups()]
        reply = json.dumps({"found": found})
    except ModuleNotFoundError as trouble:
        reply = json.dumps({"missing": str(trouble)})
    except MemoryError:
        reply = json.dumps({"error": "it needs more than 1 GiB of memory"})
    except Exception as trouble:
        reply = json.dumps({"error": str(trouble)[:500]})
    sys.stdout.write(reply + "\n")
    sys.stdout.flush()
"""


class BoundedTrouble(Exception):  # noqa: N818 - it is told, not a fault of ours
    """The program failed, took too long, or could not be run. `said` is what the program itself said, if it did."""

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said


class _Child:
    """One child that answers one question at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )

    def ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise BoundedTrouble("its process has no pipes")
        try:
            stdin.write(json.dumps(question).encode() + b"\n")
            stdin.flush()
            reply = self._line(stdout.fileno(), until)
        except OSError as trouble:
            raise BoundedTrouble("its process ended") from trouble
        answer: dict[str, Any] = json.loads(reply)
        return answer

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _line(self, descriptor: int, until: float) -> bytes:
        import os

        reply = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while not reply.endswith(b"\n"):
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise BoundedTrouble("it took too long")
                data = os.read(descriptor, 1 << 16)
                if not data:
                    raise OSError("closed")
                reply += data
                if len(reply) > _LONGEST_REPLY:
                    raise BoundedTrouble("what it gave is too large")
        return bytes(reply)


class _Children:
    """The children of this process: at most two, made when first needed."""

    def __init__(self) -> None:
        self._resting: list[_Child] = []
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(_AT_ONCE)
        atexit.register(self.close)

    def ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        if not self._turns.acquire(timeout=seconds):
            raise BoundedTrouble("it got no turn in time")
        try:
            with self._one() as child:
                return child.ask(question, max(0.001, until - time.monotonic()))
        finally:
            self._turns.release()

    def close(self) -> None:
        with self._lock:
            children, self._resting = self._resting, []
        for child in children:
            child.close()

    @contextlib.contextmanager
    def _one(self) -> Iterator[_Child]:
        with self._lock:
            child = self._resting.pop() if self._resting else None
        if child is None:
            child = _Child()
        try:
            yield child
        except BaseException:
            child.close()
            raise
        with self._lock:
            self._resting.append(child)


_children = _Children()


def run_jq(program: str, text: str, most: int, seconds: float) -> list[Any]:
    """At most `most` outputs of a jq program over a JSON text. Blocks; raises BoundedTrouble."""
    found = _found(_children.ask({"jq": program, "text": text, "most": most}, seconds))
    return found or []


def search(pattern: str, text: str, seconds: float) -> list[str | None] | None:
    """The first match of a regular expression and its groups, None if there is none. Blocks; raises BoundedTrouble."""
    return _found(_children.ask({"re": pattern, "text": text}, seconds))


def _found(answer: dict[str, Any]) -> list[Any] | None:
    if "missing" in answer:
        raise BoundedTrouble(f"jq is not installed ({answer['missing']})")
    if "error" in answer:
        raise BoundedTrouble(str(answer["error"]), said=str(answer["error"]))
    found: list[Any] | None = answer["found"]
    return found
