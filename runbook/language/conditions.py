"""Conditions: the one small language of gates, triggers, alerts, `when` and `expect`.

`parse_condition` reads a text into a tree (nodes in `language.syntax`); `judge.evaluate` judges the tree.

Where `for` and `in M of N` belong: at the end of a condition, or of a parenthesis, they hold for all of it
(`a > 1 and b > 2 for 5m`); where a part before already has one of its own, and in front of `and` or `or`, for the part
they follow (`a > 1 for 5m or b > 2 for 1m`). What could be read in two ways is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from runbook.language.parser import Parser
from runbook.language.syntax import (
    Clause,
    ConditionError,
    Held,
    Increase,
    Name,
    Outcome,
    Points,
    Window,
    walk,
)

__all__ = ["Condition", "ConditionError", "NameUse", "names_in", "parse_condition"]


@dataclass(frozen=True)
class Condition:
    """A condition, read. `subject` is what stands on the left where the text begins with an operator."""

    text: str
    root: Clause
    subject: str | None = None

    @property
    def hold(self) -> float | None:
        """The seconds of a `for` over the whole condition."""
        return self.root.seconds if isinstance(self.root, Held) else None

    @property
    def m_of_n(self) -> tuple[int, int] | None:
        """M and N of an `in M of N` over the whole condition."""
        return (self.root.m, self.root.n) if isinstance(self.root, Points) else None

    @property
    def smoothed(self) -> bool:
        """Whether one sample alone cannot decide: some part has `for`, M of N or a window."""
        return any(
            isinstance(node, Held | Points) or (isinstance(node, Window) and node.function != "last")
            for node in walk(self.root)
        )

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class NameUse:
    """A name that stands in a condition. `role` is metric, check, reference, or text (a bare word after == or !=)."""

    name: str
    start: int
    width: int
    role: str


@lru_cache(maxsize=4096)
def parse_condition(text: str, subject: str | None = None) -> Condition:
    """Read a condition; raises ConditionError, which points at the first thing that is wrong.

    Where a part begins with an operator (`< 2%`, `>= 1 and <= 5`), `subject` stands on its left.
    """
    return Condition(text, Parser(text, subject).condition(), subject)


def names_in(condition: Condition) -> tuple[NameUse, ...]:
    """Every name that the condition uses, in the order of the text; the subject is not among them."""
    uses: list[NameUse] = []
    for node in walk(condition.root):
        if isinstance(node, Name):
            role = "text" if node.may_be_text and node.reference is None else "metric"
            uses.append(NameUse(node.name, node.start, len(node.name), role))
            if node.reference is not None:
                uses.append(NameUse(node.reference, node.start + len(node.name) + 1, len(node.reference), "reference"))
        elif isinstance(node, Outcome):
            uses.append(NameUse(node.name, node.start, len(node.name), "check"))
        elif isinstance(node, Increase):
            uses.append(NameUse(node.versus, node.versus_start, len(node.versus), "reference"))
    return tuple(use for use in uses if condition.text[use.start : use.start + use.width] == use.name)
