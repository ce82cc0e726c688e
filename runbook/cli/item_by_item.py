"""Judging a sample item by item on a terminal: each item is shown, and each question answered by one key."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from runbook.checks.base import Check
from runbook.cli.options import Shared
from runbook.cli.talk import can_ask, say, show
from runbook.rollout.looking import surroundings
from runbook.rollout.site import Site
from runbook.show.page import Page, Span
from runbook.system.refusals import Exit, Refusal

FETCHED_WITHIN = 30.0  # seconds
NAMED = 10  # answers of no that the evidence names one by one
YES, NO, LEAVE = "y", "n", "q"


@dataclass(frozen=True)
class Judgement:
    """What the answers say together."""

    yes: bool
    evidence: str


def judge_items(shared: Shared, site: Site, check: Check) -> Judgement | None:
    """Show the sample and ask every question about every item; None where somebody left before the end.

    Raises `Refusal`: exit 2 without a terminal, 3 where there is nothing to judge.
    """
    if not can_ask():
        steps = [f"runbook sign {check.full_id}  typed on a terminal"]
        raise Refusal(f"{check.title} needs a terminal: it is judged item by item", next_steps=steps)
    from runbook.checks.people.inspect import judged

    say(shared, f"  ..  fetching {check.options.inspect}")
    items, questions = _fetched(site, check), check.options.questions
    _forget_keys()
    verdicts: list[list[bool]] = []
    for number, item in enumerate(items, 1):
        _show(shared, f"{check.title}: item {number} of {len(items)}", item)
        answers = _answers(shared, questions)
        if answers is None:
            say(shared, "left: nothing is recorded")
            return None
        verdicts.append(answers)
    yes, words = judged(check.options, verdicts)
    return Judgement(yes, words + _named(verdicts, questions))


def _fetched(site: Site, check: Check) -> list[str]:
    import asyncio

    from runbook.checks.base import Finding
    from runbook.checks.people.inspect import items_of

    position = site.state().position
    around = surroundings(
        site, FETCHED_WITHIN,
        percent=position.percent if position else None, stage=position.stage if position else None,
    )  # fmt: skip

    async def fetched() -> list[str] | Finding:
        try:
            return await items_of(check.options, around)
        finally:
            await around.asker.close()

    found = asyncio.run(fetched())
    if isinstance(found, Finding):
        why = found.message or found.observed
        raise Refusal(
            f"{check.title}: there is nothing to judge: {why}",
            exit_=Exit.UNKNOWN,
            next_steps=[f"runbook sign {check.full_id}  when it answers"],
        )
    return found


def _show(shared: Shared, title: str, item: str) -> None:
    page = Page()
    page.blank()
    page.line(Span(title, "bold"))
    for line in item.splitlines():
        page.line(f"  {line}", indent=2)
    show(shared, page)


def _answers(shared: Shared, questions: tuple[str, ...]) -> list[bool] | None:
    answers = []
    for question in questions:
        asked = Page()
        asked.line("  ", Span(question.rstrip("?") + "?", "bold"), "  y yes, n no, q leaves", indent=2)
        show(shared, asked)
        pressed = pressed_key((YES, NO, LEAVE))
        if pressed == LEAVE:
            return None
        answers.append(pressed == YES)
    return answers


def _named(verdicts: list[list[bool]], questions: tuple[str, ...]) -> str:
    """`: item 4: Is it right? no`, for the first of them."""
    said = [
        f"item {number}: {question.rstrip('?')}? no"
        for number, answers in enumerate(verdicts, 1)
        for question, yes in zip(questions, answers, strict=True)
        if not yes
    ]
    more = f"; and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return f": {'; '.join(said[:NAMED])}{more}" if said else ""


def _forget_keys() -> None:
    """Drop what was typed before there was anything to judge."""
    import termios

    termios.tcflush(sys.stdin, termios.TCIFLUSH)


def pressed_key(keys: tuple[str, ...]) -> str:
    """One of these keys, by one press and no Enter. Ctrl-C, Ctrl-D and Escape raise KeyboardInterrupt."""
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        while (pressed := os.read(sys.stdin.fileno(), 1).decode("ascii", "replace").lower()) not in keys:
            if not pressed or pressed in "\x04\x1b":
                raise KeyboardInterrupt
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
    return pressed
