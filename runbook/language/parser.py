"""The parser of conditions: tokens become a tree. One pass, no going back, a limit on depth."""

from __future__ import annotations

from collections.abc import Callable

from runbook.language.syntax import (
    Arithmetic,
    Clause,
    Comparison,
    ConditionError,
    Held,
    Increase,
    Joined,
    Matches,
    Name,
    Node,
    Not,
    Number,
    Outcome,
    Points,
    Text,
    TruthValue,
    walk,
)
from runbook.language.value_parser import COMPARISONS, ValueParser

MOST_POINTS = 1000
Wrap = Callable[[Clause], Clause]


class Parser(ValueParser):
    """Reads one condition."""

    def condition(self) -> Clause:
        """The whole text as one condition. Raises ConditionError."""
        if self.token.kind == "end":
            raise ConditionError("the condition is empty", 0, 1, "write one like error_rate < 2%")
        root = self._clause(self._group())
        if self.token.kind != "end":
            raise self._not_expected()
        return root

    # -- joined conditions, and what holds for them ------------------------------------------------

    def _group(self) -> Node:
        chains: list[list[Node]] = [[]]
        whole: Wrap | None = None
        while True:
            part = self._negated()
            if self._at("for", "in"):
                own, whole = self._held(chains)
                part = own(self._clause(part)) if own else part
            chains[-1].append(part)
            if self._at("or"):
                chains.append([])
            elif not self._at("and"):
                break
            self._next()
        root = self._join([self._join(chain, every=True) for chain in chains], every=False)
        return whole(self._clause(root)) if whole else root

    def _join(self, parts: list[Node], *, every: bool) -> Node:
        if len(parts) == 1:
            return parts[0]
        clauses = tuple(self._clause(part) for part in parts)
        start = clauses[0].start
        return Joined(start, clauses[-1].start + clauses[-1].width - start, clauses, every)

    def _held(self, chains: list[list[Node]]) -> tuple[Wrap | None, Wrap | None]:
        """What `for` or `in M of N` wraps: the part before it, or the whole group; see `language.conditions`."""
        word = self.token
        wrap = self._points() if word.text == "in" else self._for()
        if self._at("for", "in"):
            raise ConditionError("this is held already", self.token.start, self.token.width, "write one of for, in")
        before = [part for chain in chains for part in chain]
        if self._ends() and before and not any(isinstance(part, Held | Points) for part in before):
            return None, wrap
        if all(isinstance(part, Held | Points) for part in chains[-1]):
            return wrap, None
        hint = "put what is held into parentheses: (a > 1 and b > 2) for 5m"
        raise ConditionError(f"it is not clear what this {word.text!r} belongs to", word.start, word.width, hint)

    def _ends(self) -> bool:
        return self.token.kind == "end" or self._is(")")

    def _for(self) -> Wrap:
        self._next()
        seconds, end = self._duration("for"), self.tokens[self.position - 1].end
        return lambda clause: Held(clause.start, end - clause.start, self._unheld(clause), seconds)

    def _points(self) -> Wrap:
        word = self._next()
        m = self._whole_number("3 of 5")
        if not self._at("of"):
            raise ConditionError("'of' is missing", self.token.start, self.token.width, "write in 3 of 5")
        self._next()
        n, end = self._whole_number("3 of 5"), self.tokens[self.position - 1].end
        if not 1 <= m <= n <= MOST_POINTS:
            message = f"{m} of {n} cannot be: M is from 1 to N, and N at most {MOST_POINTS}"
            raise ConditionError(message, word.start, end - word.start)
        return lambda clause: Points(clause.start, end - clause.start, self._unheld(clause), m, n)

    def _unheld(self, clause: Clause) -> Clause:
        for node in walk(clause):
            if isinstance(node, Held | Points):
                raise ConditionError("a part of this is held already", node.start, node.width, "keep one of them")
        return clause

    def _negated(self) -> Node:
        if not self._at("not"):
            return self._comparison()
        word = self._next()
        with self._deeper(word):
            of = self._clause(self._negated())
        return Not(word.start, of.start + of.width - word.start, of)

    # -- one comparison ----------------------------------------------------------------------------

    def _comparison(self) -> Node:
        left = self._sum()
        if self._is(*COMPARISONS):
            return self._compared(left)
        if self._at("increase") and self.following.text in COMPARISONS:
            return self._increase(left)
        if self._at("matches"):
            return self._matches(left)
        if self._at("fails", "passes"):
            return self._outcome(left)
        return left

    def _compared(self, left: Node) -> Comparison:
        operator = self._next()
        right = self._sum()
        for side in (left, right):
            if isinstance(side, Clause):
                raise ConditionError("a condition cannot be compared", side.start, side.width, "join with and, or")
        if self._is(*COMPARISONS):
            hint = "write two comparisons joined with and"
            raise ConditionError("comparisons cannot be chained", self.token.start, self.token.width, hint)
        if operator.text in ("==", "!=") and isinstance(right, Name) and right.reference is None:
            right = Name(right.start, right.width, right.name, may_be_text=True)
        return Comparison(left.start, right.start + right.width - left.start, operator.text, left, right)

    def _increase(self, left: Node) -> Increase:
        of = self._metric_like(left, "increase")
        self._next()
        operator = self._next()
        limit = self._sum()
        if isinstance(limit, Clause):
            raise ConditionError("a condition cannot be a limit", limit.start, limit.width)
        versus, versus_start, end = "baseline", 0, limit.start + limit.width
        if self._at("vs"):
            self._next()
            token = self._word("a reference", "write vs baseline, or the name of a stage")
            versus, versus_start, end = token.text, token.start, token.end
        return Increase(of.start, end - of.start, of, operator.text, limit, versus, versus_start)

    def _matches(self, left: Node) -> Matches:
        of = self._metric_like(left, "matches")
        word = self._next()
        if not self._at("percent"):
            raise ConditionError("'percent' is missing", word.start, word.width, "write matches percent")
        end, tolerance = self._next().end, None
        if self._is("+-"):
            self._next()
            if self.token.kind != "number" or self.token.unit not in ("percent", None):
                raise ConditionError("a tolerance is missing", self.token.start, self.token.width, "write +- 3%")
            tolerance = self._number(self._next())
            end = tolerance.start + tolerance.width
        return Matches(of.start, end - of.start, of, tolerance)

    def _outcome(self, left: Node) -> Outcome:
        word = self._next()
        name = _checked_name(left)
        if name is None:
            raise ConditionError(f"only a check or an experiment {word.text}", left.start, left.width)
        return Outcome(left.start, word.end - left.start, name, word.text == "passes")

    def _clause(self, node: Node) -> Clause:
        if isinstance(node, Clause):
            return node
        hint = "compare it: NAME < 5, or NAME == true"
        if isinstance(node, Number | Text | TruthValue):
            hint = "write an operator in front: == 2"
        raise ConditionError("this is a value, not a condition", node.start, node.width, hint)


def _checked_name(node: Node) -> str | None:
    """The name of a check; LIST/ID without spaces is one, though it reads like a division."""
    if isinstance(node, Name) and node.reference is None:
        return node.name
    if isinstance(node, Arithmetic) and node.operator == "/":
        first, second = node.left, node.right
        if isinstance(first, Name) and isinstance(second, Name) and second.start == first.start + first.width + 1:
            return f"{first.name}/{second.name}"
    return None
