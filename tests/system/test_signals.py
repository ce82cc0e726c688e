"""Signals while something is changed: a child process is signalled, as a terminal or an init system would."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runbook.system.signals import Interruptions
from tests.places import PROJECT

CHILD = """
import signal, sys, time
from runbook.system.signals import Interruptions
signal.alarm(30)  # a test that waits for a word that never comes fails, and does not hang
interruptions = Interruptions()
if "stubborn" in sys.argv:
    interruptions.stubborn(lambda: print("asked", flush=True))
with interruptions:
    if "looking" in sys.argv:
        interruptions.heed_hang_up()
    if "nested" in sys.argv:
        with interruptions:
            pass
    print("begun", flush=True)
    for line in sys.stdin:
        print("stopping" if interruptions.stopping else "working", interruptions.signal, flush=True)
print("restored", signal.getsignal(signal.SIGINT) is signal.default_int_handler,
      *(signal.getsignal(number) is signal.SIG_DFL for number in (signal.SIGTERM, signal.SIGHUP)),
      signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN, flush=True)
"""


class Child:
    """A process that is changing something, and says how it stands whenever it is asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def state(self) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return self.line()

    def end(self) -> str:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.line()


@contextmanager
def child(*words: str) -> Iterator[Child]:
    argv = [sys.executable, "-c", CHILD, *words]
    with subprocess.Popen(argv, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        made = Child(process)
        try:
            assert made.line() == "begun"
            yield made
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGPIPE])
@pytest.mark.parametrize("words", [(), ("stubborn",)])
def test_a_closed_terminal_and_a_gone_reader_stop_no_change(number: int, words: tuple[str, ...]) -> None:
    with child(*words) as made:
        for _ in range(3):
            made.process.send_signal(number)
            assert made.state() == "working None"
        assert made.end() == "restored True True True True"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_a_wish_that_is_remembered(number: int) -> None:
    with child() as made:
        made.process.send_signal(number)
        assert made.state() == f"stopping {number}"
        assert made.end() == "restored True True True True"


@pytest.mark.parametrize("numbers", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)])
def test_the_emergency_asks_first_and_stops_at_the_second(numbers: tuple[int, int]) -> None:
    with child("stubborn") as made:
        made.process.send_signal(numbers[0])
        assert made.line() == "asked"
        assert made.state().startswith("working")
        made.process.send_signal(numbers[1])
        assert made.state().startswith("stopping")


def test_who_only_looks_ends_with_the_terminal() -> None:
    with child("looking") as made:
        made.process.send_signal(signal.SIGHUP)
        assert made.state() == f"stopping {int(signal.SIGHUP)}"


def test_a_change_within_a_change_gives_the_signals_back_at_the_end_alone() -> None:
    with child("nested") as made:
        made.process.send_signal(signal.SIGHUP)
        made.process.send_signal(signal.SIGINT)
        assert made.state().startswith("stopping")
        assert made.end() == "restored True True True True"


def test_an_error_inside_gives_the_signals_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), Interruptions():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_stubborn_forgets_what_was_asked_before() -> None:
    """A watch was asked to stop, and then a trigger fires: the way back is a change of its own."""
    interruptions = Interruptions()
    interruptions.stopping = True
    interruptions.stubborn(lambda: None)
    assert not interruptions.stopping
