"""The values of a condition: numbers, names, windows, and what is calculated with them."""

from __future__ import annotations

from collections.abc import Callable

from runbook.language.cursor import RESERVED, Cursor
from runbook.language.lexer import Token
from runbook.language.places import did_you_mean
from runbook.language.syntax import (
    Arithmetic,
    Clause,
    ConditionError,
    Name,
    Negative,
    Node,
    Number,
    Text,
    Treated,
    TruthValue,
    Window,
)

MOST_OPERATORS = 100  # each makes the tree of an arithmetic chain one level deeper
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
WINDOW_FUNCTIONS = ("avg", "min", "max", "sum", "p50", "p95", "p99", "count", "rate")
FUNCTIONS = (*WINDOW_FUNCTIONS, "last", "treated")


class ValueParser(Cursor):
    """Reads one value. What stands in parentheses is read by the parser of conditions."""

    def _group(self) -> Node:
        raise NotImplementedError

    def _sum(self) -> Node:
        return self._arithmetic(("+", "-"), lambda: self._arithmetic(("*", "/"), self._signed))

    def _arithmetic(self, operators: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        left = operand()
        while self._is(*operators):
            operator = self._next()
            self.operators += 1
            if self.operators > MOST_OPERATORS:
                message = f"more than {MOST_OPERATORS} operators in one condition"
                raise ConditionError(message, operator.start, operator.width)
            right = operand()
            for side in (left, right):
                if isinstance(side, Clause):
                    raise ConditionError("a condition has no value to calculate with", side.start, side.width)
            left = Arithmetic(left.start, right.start + right.width - left.start, operator.text, left, right)
        return left

    def _signed(self) -> Node:
        if not self._is("-"):
            return self._primary()
        sign = self._next()
        with self._deeper(sign):
            of = self._signed()
        if isinstance(of, Clause):
            raise ConditionError("a condition has no value to calculate with", of.start, of.width)
        return Negative(sign.start, of.start + of.width - sign.start, of)

    def _primary(self) -> Node:
        token = self.token
        if self._subject_stands():
            return Name(token.start, 1, self.subject or "")
        if token.kind == "number":
            return self._number(self._next())
        if token.kind == "text":
            return Text(token.start, self._next().width, token.text)
        if self._is("("):
            return self._parenthesis()
        if self._at("true", "false"):
            return TruthValue(token.start, self._next().width, token.text == "true")
        if token.kind == "word" and token.text not in RESERVED:
            return self._function() if self.following.text == "(" else self._name()
        raise self._not_expected()

    def _subject_stands(self) -> bool:
        if self.subject is None:
            return False
        if self._at("increase"):
            return self.following.text in COMPARISONS
        return self._is(*COMPARISONS) or (self._at("matches") and self.following.text == "percent")

    def _parenthesis(self) -> Node:
        opening = self._next()
        with self._deeper(opening):
            inside = self._group()
        if not self._is(")"):
            hint = "add )" if self.token.kind == "end" else ""
            raise ConditionError("this parenthesis is not closed", opening.start, 1, hint)
        self._next()
        return inside

    def _name(self) -> Name:
        token = self._next()
        if not self._is("@"):
            return Name(token.start, token.width, token.text)
        self._next()
        reference = self._word("a reference", "write @baseline, or the name of a stage")
        return Name(token.start, reference.end - token.start, token.text, reference.text)

    def _function(self) -> Node:
        name = self._next()
        if name.text not in FUNCTIONS:
            hint = did_you_mean(name.text, FUNCTIONS) or f"known are {' '.join(FUNCTIONS)}"
            raise ConditionError(f"unknown function {name.text!r}", name.start, name.width, hint)
        self._next()
        if name.text == "treated":
            return self._treated(name)
        word = self._word("a metric", f"{name.text} takes the name of one metric")
        seconds = None
        if name.text != "last":
            seconds = self._window_length(name)
        end = self._close(name)
        metric = Name(word.start, word.width, word.text)
        return Window(name.start, end - name.start, name.text, metric, seconds)

    def _treated(self, name: Token) -> Treated:
        with self._deeper(name):
            of = self._metric_like(self._sum(), "treated()")
        return Treated(name.start, self._close(name) - name.start, of)

    def _window_length(self, name: Token) -> float:
        if not self._is(","):
            hint = f"write {name.text}(metric, 5m)"
            raise ConditionError(f"{name.text} needs a window", self.token.start, self.token.width, hint)
        self._next()
        return self._duration(name.text)

    def _close(self, name: Token) -> int:
        if not self._is(")"):
            hint = "" if self.token.kind != "end" else "add )"
            raise ConditionError(f"{name.text}( is not closed", self.token.start, self.token.width, hint)
        return self._next().end

    def _metric_like(self, node: Node, word: str) -> Name | Window:
        if isinstance(node, Name | Window) and not (isinstance(node, Name) and node.reference):
            return node
        raise ConditionError(f"'{word}' needs one metric on its left", node.start, node.width)

    def _number(self, token: Token) -> Number:
        return Number(token.start, token.width, token.value, token.unit, token.text)
