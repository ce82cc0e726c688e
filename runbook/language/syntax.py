"""What a condition is made of: the nodes of its tree, and the error that points into its text.

Every node knows where it stands: `start` counts characters from 0, `width` is at least 1. Nodes are msgspec Structs
because seventeen dataclasses take 5 ms to define, which every start of the tool would pay.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from runbook.language.places import TextError


class ConditionError(TextError):
    """A condition that is wrong."""


class Node(msgspec.Struct, frozen=True):
    """The base of all nodes."""

    start: int
    width: int

    def children(self) -> tuple[Node, ...]:
        return ()


class Number(Node, frozen=True):
    """A written number: `value` counts `unit` (percent, s, ms, usd, bytes, version) or is bare (None)."""

    value: Decimal
    unit: str | None
    text: str


class Text(Node, frozen=True):
    """A quoted text."""

    value: str


class TruthValue(Node, frozen=True):
    """`true` or `false`."""

    value: bool


class Name(Node, frozen=True):
    """A name: a metric, a counter, a constant, something built in; at `reference` (`@baseline`, `@STAGE`) where given.

    `may_be_text` marks a bare word to the right of `==` or `!=`: it is text unless something is called so.
    """

    name: str
    reference: str | None = None
    may_be_text: bool = False


class Window(Node, frozen=True):
    """A function of the samples of one metric over `seconds`; None for `last`, which is the newest sample alone."""

    function: str
    metric: Name
    seconds: float | None

    def children(self) -> tuple[Node, ...]:
        return (self.metric,)


class Treated(Node, frozen=True):
    """What the changed share of the traffic sees of a metric."""

    of: Name | Window

    def children(self) -> tuple[Node, ...]:
        return (self.of,)


class Arithmetic(Node, frozen=True):
    """`left operator right`, the operator being one of + - * /."""

    operator: str
    left: Node
    right: Node

    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


class Negative(Node, frozen=True):
    """The value with its sign turned."""

    of: Node

    def children(self) -> tuple[Node, ...]:
        return (self.of,)


class Clause(Node, frozen=True):
    """The base of the nodes that are true, false or unknown."""


class Comparison(Clause, frozen=True):
    """`left operator right`, the operator being one of < <= > >= == !=."""

    operator: str
    left: Node
    right: Node

    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


class Increase(Clause, frozen=True):
    """By how much a metric grew against a reference, compared with a limit."""

    of: Name | Window
    operator: str
    limit: Node
    versus: str = "baseline"
    versus_start: int = 0

    def children(self) -> tuple[Node, ...]:
        return (self.of, self.limit)


class Matches(Clause, frozen=True):
    """Whether a share agrees with the percentage; `tolerance` is a share, None takes it from the sample size."""

    of: Name | Window
    tolerance: Number | None

    def children(self) -> tuple[Node, ...]:
        return (self.of,)


class Outcome(Clause, frozen=True):
    """Whether a check or an experiment passes (or, with `passes` false, fails)."""

    name: str
    passes: bool


class Not(Clause, frozen=True):
    """The opposite."""

    of: Clause

    def children(self) -> tuple[Node, ...]:
        return (self.of,)


class Joined(Clause, frozen=True):
    """All parts (`every`), or one of them."""

    parts: tuple[Clause, ...]
    every: bool

    def children(self) -> tuple[Node, ...]:
        return self.parts


class Held(Clause, frozen=True):
    """True for `seconds` without a break."""

    of: Clause
    seconds: float

    def children(self) -> tuple[Node, ...]:
        return (self.of,)


class Points(Clause, frozen=True):
    """True at `m` of the newest `n` points."""

    of: Clause
    m: int
    n: int

    def children(self) -> tuple[Node, ...]:
        return (self.of,)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first, in the order of the text."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(current.children()))
