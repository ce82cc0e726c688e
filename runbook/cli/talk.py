"""Talk: what is said on standard error while a command works, and the questions it asks on a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from runbook.actions.listener import Listener
from runbook.actions.steps import Plan, StepRecord
from runbook.cli.options import Shared
from runbook.language.durations import show_duration
from runbook.playbook.model import Environment
from runbook.show.page import Page, Span
from runbook.show.printing import is_terminal, print_page, wants_colour
from runbook.system.harmless import harmless
from runbook.system.refusals import Refusal


def say(shared: Shared, *parts: str | Span) -> None:
    """One line of talk."""
    if not shared.quiet:
        page = Page()
        page.line(*parts, indent=2)
        show(shared, page)


def show(shared: Shared, page: Page) -> None:
    """A page of talk."""
    print_page(page, sys.stderr, colour=wants_colour(sys.stderr, shared.no_color))


@contextlib.contextmanager
def looking(shared: Shared, at: str) -> Iterator[None]:
    """On a terminal: a line that says that we are looking, for as long as there is nothing else to show."""
    line = f"  ..  looking at {at}"
    shown = is_terminal(sys.stderr) and not shared.quiet
    if shown:
        with contextlib.suppress(OSError):
            sys.stderr.write(line)
            sys.stderr.flush()
    try:
        yield
    finally:
        if shown:
            with contextlib.suppress(OSError):
                sys.stderr.write("\r" + " " * len(line) + "\r")
                sys.stderr.flush()


LONGEST, MOST, TAIL = 500, 2000, 20  # characters of a line, lines of a step, lines kept for when it fails
LINE = 78  # characters of a growing line
KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"


def show_clock(seconds: float) -> str:
    """A time on the clock of an emergency, minutes and seconds: `00:07`."""
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


class Telling(Listener):
    """Tells of each step as it ends, and of the output of what it started under `--verbose` or when it failed.

    With `clock` (the emergency) each step shows the time since the beginning of all, else how long it took itself.
    """

    def __init__(self, shared: Shared, *, clock: bool = False) -> None:
        self._shared = shared
        self._began = time.monotonic() if clock else None
        self._output: list[str] = []
        self._count = 0

    def begun(self, record: StepRecord) -> None:
        self._output, self._count = [], 0
        if is_terminal(sys.stderr) and not self._shared.quiet and record.kind in ("redeploy", "verify"):
            say(self._shared, Span(f"  ..  {record.title:<12}  {record.detail}", "dim"))

    def line(self, text: str) -> None:
        self._count += 1
        self._output = [*self._output[-TAIL:], text[:LONGEST]]
        if not self._shared.verbose or self._count > MOST:
            return
        more = "" if self._count < MOST else "   (the lines after this one are only counted)"
        say(self._shared, Span(f"        | {text[:LONGEST]}{more}", "dim"))

    def ended(self, record: StepRecord, mark: str, message: str, seconds: float) -> None:
        if self._shared.quiet:
            return
        page = Page()
        detail = message or record.detail
        took = show_duration(seconds) if seconds >= 0.005 else ""
        if self._began is not None:
            took = show_clock(time.monotonic() - self._began)
        page.mark(mark, record.title, detail, took, width=12)
        if mark == "NO" and not self._shared.verbose:
            for text in self._output[-8:]:
                page.under(f"| {text}")
        show(self._shared, page)

    def say(self, text: str) -> None:
        say(self._shared, text)


class Growing:
    """One line of talk that grows by each value, while something is waited for; what does not fit begins another."""

    def __init__(self, shared: Shared, lead: str) -> None:
        self._quiet, self._lead, self._width = shared.quiet, lead, 0

    def __call__(self, text: str) -> None:
        if self._quiet:
            return
        piece = f"{' -> ' if self._width else self._lead}{harmless(text)}"
        if self._width and self._width + len(piece) > LINE:
            _write("\n ")
            self._width = 1
        _write(piece)
        self._width += len(piece)

    def end(self) -> None:
        """The end of the line; what is said next begins on a new one."""
        if self._width:
            _write("\n")


def _write(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # the terminal is gone; what is watched goes on
        sys.stderr.write(text)
        sys.stderr.flush()


def can_ask() -> bool:
    """Whether a person is at a terminal."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def confirm(
    shared: Shared, question: str, *, yes: bool, typed: str | None = None, confirm_option: str | None = None
) -> None:
    """Ask for consent. `typed` is the name that has to be typed out (a protected environment), else yes is enough.

    Raises `Refusal`: exit 2 where nobody can be asked, naming the option; no-go when the answer is no.
    """
    if typed is not None:
        if confirm_option == typed:
            return
        if confirm_option is not None:
            raise Refusal(f"--confirm {confirm_option} is not {typed}", next_steps=[f"--confirm {typed}"])
    elif yes:
        return
    if not can_ask():
        option = f"--confirm {typed}" if typed else "--yes"
        raise Refusal(f"{question} This needs an answer and there is no terminal.", next_steps=[f"give {option}"])
    if not _asked(question, typed):
        from runbook.system.refusals import Exit

        raise Refusal("not confirmed; nothing was changed", exit_=Exit.NO_GO)


@dataclass(frozen=True)
class Consent:
    """What was given beforehand: `--yes`, and the protected environment's name."""

    yes: bool
    name: str | None

    def ask(self, shared: Shared, environment: Environment, question: str) -> None:
        """Ask; in a protected environment its name has to be typed, and `--yes` is not enough. Raises `Refusal`."""
        typed = environment.name if environment.protected else None
        confirm(shared, question, yes=self.yes, typed=typed, confirm_option=self.name)


def _asked(question: str, typed: str | None) -> bool:
    import questionary

    if typed is not None:
        answer = questionary.text(f"{question} Type {typed} to go on:").unsafe_ask()
        return bool(answer is not None and answer.strip() == typed)
    return bool(questionary.confirm(question, default=False).unsafe_ask())


def choose_one(question: str, choices: list[str]) -> str:
    """One question, answered by one key and no Enter. Only called where `can_ask`. Ctrl-C raises KeyboardInterrupt."""
    import termios
    import tty

    keys = KEYS[: len(choices)]
    page = Page()
    page.line(Span(question, "bold"))
    for key, name in zip(keys, choices, strict=False):
        page.line("  ", Span(key, "bold"), f"  {name}")
    print_page(page, sys.stderr, colour=False)
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        while (pressed := os.read(sys.stdin.fileno(), 1).decode("ascii", "replace")) not in keys:
            if not pressed or pressed in "\x04\x1b":
                raise KeyboardInterrupt
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
    return choices[keys.index(pressed)]


def plan_page(page: Page, plan: Plan, *, watching: str = "", bake: str = "") -> None:
    """The plan, each step with its undo, as it is shown before the question and under `--dry-run`."""
    for number, record in enumerate(plan.records(), 1):
        undo = f"undo: {record.undo}" if record.undo else ""
        page.line(f"  {number}  {record.title:<9} {record.detail}", f"     {undo}" if undo else "", indent=15)
        for line in record.diff:
            page.line("     ", Span(line, "red" if line.startswith("-") else "green"), indent=7)
    if bake:
        page.line(f"  {len(plan.steps) + 1}  bake      {bake}", indent=15)
    if watching:
        page.line(f"     watching  {watching}", indent=15)
