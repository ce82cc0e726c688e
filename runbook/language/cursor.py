"""The place in the tokens of a condition, and what can be read there of a single token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runbook.language.lexer import Token, tokens_of
from runbook.language.places import did_you_mean
from runbook.language.syntax import ConditionError

DEEPEST = 50
RESERVED = ("and", "or", "not", "for", "in", "of", "true", "false")


class Cursor:
    """Goes through the tokens once, never back. `subject` stands wherever a part begins with an operator."""

    def __init__(self, text: str, subject: str | None = None) -> None:
        self.tokens = tokens_of(text)
        self.subject = subject
        self.position = 0
        self.depth = 0
        self.operators = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    @property
    def following(self) -> Token:
        return self.tokens[min(self.position + 1, len(self.tokens) - 1)]

    def _duration(self, what: str) -> float:
        token = self.token
        if token.kind != "number" or token.unit not in ("s", "ms"):
            hint = (
                f"write {token.text}s, {token.text}m or {token.text}h" if token.kind == "number" else "write it as 5m"
            )
            raise ConditionError(f"{what} needs a duration", token.start, token.width, hint)
        self._next()
        seconds = float(token.value) / (1000 if token.unit == "ms" else 1)
        if seconds <= 0:
            raise ConditionError("this duration is zero", token.start, token.width, "write one like 5m")
        return seconds

    def _whole_number(self, example: str) -> int:
        token = self._next()
        if token.kind != "number" or token.unit is not None or token.value != int(token.value):
            raise ConditionError("a whole number is missing", token.start, token.width, f"write in {example}")
        return int(token.value)

    def _word(self, what: str, hint: str) -> Token:
        if self.token.kind != "word" or self.token.text in RESERVED:
            raise ConditionError(f"{what} is missing", self.token.start, self.token.width, hint)
        return self._next()

    def _not_expected(self) -> ConditionError:
        token = self.token
        if token.kind == "end":
            return ConditionError("the condition ends too early", max(0, token.start - 1), 1, "something is missing")
        hint = ""
        if token.text == "," and self.tokens[max(0, self.position - 1)].kind == "number":
            hint = "write large numbers without commas"
        elif token.kind == "word" and self.position and self.tokens[self.position - 1].kind == "number":
            hint = "known units are % ms s m h d w usd B kB MB GB KiB MiB GiB"
        elif token.kind == "word" and self.position and self.tokens[self.position - 1].kind == "word":
            hint = did_you_mean(token.text, (*RESERVED, "increase", "matches", "fails", "passes", "vs"))
        return ConditionError(f"{token.text!r} is not expected here", token.start, token.width, hint)

    def _next(self) -> Token:
        token = self.token
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def _at(self, *words: str) -> bool:
        return self.token.kind == "word" and self.token.text in words

    def _is(self, *operators: str) -> bool:
        return self.token.kind == "operator" and self.token.text in operators

    @contextmanager
    def _deeper(self, token: Token) -> Iterator[None]:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ConditionError(f"nested deeper than {DEEPEST}", token.start, token.width)
        yield
        self.depth -= 1
