"""Conditions checked before anything runs: names that exist, units that go together, text that has no order."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from runbook.language.algebra import BARE, TEXT, TRUTH, UnitError, product_unit, shared_unit
from runbook.language.conditions import Condition
from runbook.language.places import did_you_mean
from runbook.language.syntax import (
    Arithmetic,
    Comparison,
    ConditionError,
    Increase,
    Matches,
    Name,
    Negative,
    Node,
    Number,
    Outcome,
    Text,
    Treated,
    TruthValue,
    Window,
    walk,
)
from runbook.language.units import UNITS, dimension_of, show_value

# What every playbook has, with its unit. `percent` is 10 at 10 %, `stage_age` counts seconds.
BUILTINS: Mapping[str, str | None] = {
    "percent": "percent",
    "fraction": "ratio",
    "stage": TEXT,
    "stage_age": "s",
    "incidents": "count",
    "incidents_p0": "count",
    "rollbacks": "count",
}
_DOING = {"+": "add {} and {}", "-": "take {1} from {0}", "*": "multiply {} by {}", "/": "divide {} by {}"}


def condition_problems(
    condition: Condition,
    names: Mapping[str, str | None],
    *,
    checks: Collection[str] | None = None,
    references: Collection[str] | None = None,
) -> list[ConditionError]:
    """Everything that is wrong with a condition, in the order of its text.

    `names` gives the unit of each metric, counter and constant; None is an unknown unit, of which nothing is asked.
    What is built in need not be among them. `checks` and `references` are looked at only where they are given.
    """
    checking = _Checking(condition, names)
    checking.look()
    for node in walk(condition.root):
        if isinstance(node, Outcome) and checks is not None and node.name not in checks:
            checking.unknown("check", node.name, node.start, checks)
        if isinstance(node, Name) and node.reference is not None and references is not None:
            start = node.start + node.width - len(node.reference)
            if node.reference not in references:
                checking.unknown("reference", node.reference, start, references)
        if isinstance(node, Increase) and references is not None and node.versus not in {"baseline", *references}:
            checking.unknown("reference", node.versus, node.versus_start, references)
    return sorted(checking.problems, key=lambda problem: problem.start)


class _Checking:
    def __init__(self, condition: Condition, names: Mapping[str, str | None]) -> None:
        self.condition = condition
        self.names: Mapping[str, str | None] = {**BUILTINS, **names}
        self.metrics = names
        self.problems: list[ConditionError] = []

    def look(self) -> None:
        for node in walk(self.condition.root):
            match node:
                case Comparison():
                    self.comparison(node)
                case Increase():
                    self.increase(node)
                case Matches():
                    self.matches(node)

    def wrong(self, node: Node, message: str, hint: str = "") -> None:
        self.problems.append(ConditionError(message, node.start, node.width, hint))

    def unknown(self, kind: str, name: str, start: int, known: Collection[str]) -> None:
        hint = did_you_mean(name, known)
        if not hint and "-" in name:
            hint = "to subtract, write the minus sign with spaces around it"
        self.problems.append(ConditionError(f"unknown {kind} '{name}'", start, len(name), hint))

    # -- clauses -----------------------------------------------------------------------------------

    def comparison(self, node: Comparison) -> None:
        before = len(self.problems)
        left, right = self.unit(node.left), self.unit(node.right)
        if len(self.problems) > before:
            return
        if not any(isinstance(part, Name) for part in walk(node)):
            self.wrong(node, "nothing is measured here", "one side has to name a metric")
        elif TRUTH in (left, right):
            self.truth(node, left, right)
        elif TEXT in (left, right):
            self.text(node, left, right)
        else:
            self.numbers(node, left, right)

    def truth(self, node: Comparison, left: str | None, right: str | None) -> None:
        other, unit = (node.right, right) if left == TRUTH else (node.left, left)
        if node.operator not in ("==", "!="):
            self.wrong(node, "true and false have no order", "use == or !=")
        elif unit not in (None, TRUTH, TEXT):
            self.wrong(other, f"{self.named(other, unit)} is a number, neither true nor false", self.example(unit))

    def text(self, node: Comparison, left: str | None, right: str | None) -> None:
        if node.operator not in ("==", "!="):
            shown = node.left if left == TEXT else node.right
            what = f"'{shown.value}'" if isinstance(shown, Text) else self.text_of(shown)
            self.wrong(shown, f"{what} is text, and text has no order", "use == or !=")
            return
        other = right if left == TEXT else left
        if other in (None, TEXT):
            return
        if isinstance(node.right, Name) and node.right.may_be_text:
            hint = did_you_mean(node.right.name, self.names) or self.example(left)
        else:
            hint = self.example(other) if right == TEXT else 'write a text: "canary"'
        self.wrong(
            node.right, f"cannot compare {self.named(node.left, left)} with {self.named(node.right, right)}", hint
        )

    def numbers(self, node: Comparison, left: str | None, right: str | None) -> None:
        if self.breakdown(node.left, left) or self.breakdown(node.right, right):
            return
        if left is None or right is None:
            return
        try:
            shared_unit(left, right)
        except UnitError:
            message = f"cannot compare {self.named(node.left, left)} with {self.named(node.right, right)}"
            self.wrong(node.right, message, self.example(left))
            return
        if isinstance(node.right, Number) and dimension_of(left) == "share":
            self.share(node.left, left, node.right)

    def share(self, left: Node, unit: str | None, limit: Number) -> None:
        """A limit above 100 % is a slip of the unit: it holds always, or never."""
        if unit not in UNITS or self.text_of(left) == "":
            return
        counted = UNITS[limit.unit if limit.unit in UNITS else unit]
        if limit.value * counted.factor > 1:
            shown = show_value(limit.value, counted.name)
            self.wrong(limit, f"{self.named(left, unit)} never exceeds 100 %, and this is {shown}", "write it like 2%")

    def increase(self, node: Increase) -> None:
        before = len(self.problems)
        of, limit = self.unit(node.of), self.unit(node.limit)
        if len(self.problems) > before:
            return
        if of in (TEXT, TRUTH):
            self.wrong(node.of, f"{self.named(node.of, of)} is no number, and cannot increase")
        elif limit not in (None, BARE) and dimension_of(limit) != "share":
            self.wrong(node.limit, "an increase is a share, not an amount", "write it like 30%")
        elif isinstance(node.limit, Number) and node.limit.unit is None and node.limit.value > 5:
            self.wrong(node.limit, f"an increase of {node.limit.text} is {node.limit.text}00 %", "write it like 30%")

    def matches(self, node: Matches) -> None:
        of = self.unit(node.of)
        if of is not None and dimension_of(of) != "share":
            self.wrong(node.of, f"{self.named(node.of, of)} is no share, and cannot match the percentage")

    def breakdown(self, node: Node, unit: str | None) -> bool:
        if dimension_of(unit) == "breakdown":
            self.wrong(node, f"{self.text_of(node)} is a breakdown into shares, and cannot be compared")
            return True
        return False

    # -- values ------------------------------------------------------------------------------------

    def unit(self, node: Node) -> str | None:
        """The unit of a value, None where it cannot be known; notes what is wrong below it."""
        match node:
            case Number():
                return node.unit or BARE
            case Text():
                return TEXT
            case TruthValue():
                return TRUTH
            case Name():
                return self.name(node)
            case Window():
                return self.window(node)
            case Treated() | Negative():
                return self.number(node.of)
            case Arithmetic():
                return self.arithmetic(node)
        return None

    def name(self, node: Name) -> str | None:
        if node.name in self.names:
            if node.reference is not None and node.name in BUILTINS and node.name not in self.metrics:
                self.wrong(node, f"{node.name} is built in and has no {node.reference}")
            return self.names[node.name]
        if node.may_be_text:
            return TEXT
        if self.condition.subject != node.name:
            self.unknown("metric", node.name, node.start, self.names)
        return None

    def window(self, node: Window) -> str | None:
        unit = self.number(node.metric)
        if node.metric.name in BUILTINS and node.metric.name not in self.metrics:
            self.wrong(node.metric, f"{node.metric.name} is built in and has no samples", "compare it as it is")
        return "count" if node.function == "count" else unit

    def number(self, node: Node) -> str | None:
        unit = self.unit(node)
        if unit in (TEXT, TRUTH):
            self.wrong(node, f"{self.named(node, unit)} is no number")
            return None
        return unit

    def arithmetic(self, node: Arithmetic) -> str | None:
        before = len(self.problems)
        left, right = self.number(node.left), self.number(node.right)
        if left is None or right is None or len(self.problems) > before:
            return None
        try:
            if node.operator in "+-":
                return shared_unit(left, right)
            return product_unit(node.operator, left, right)
        except UnitError:
            doing = _DOING[node.operator].format(self.named(node.left, left), self.named(node.right, right))
            self.wrong(node, f"cannot {doing}")
            return None

    # -- words -------------------------------------------------------------------------------------

    def text_of(self, node: Node) -> str:
        if isinstance(node, Name):
            return node.name
        return self.condition.text[node.start : node.start + node.width]

    def named(self, node: Node, unit: str | None) -> str:
        """A part of the condition as a message names it: `p95 (ms)`, `3 %`, `the text 'canary'`."""
        if isinstance(node, Number):
            return node.text if node.unit == "version" else show_value(node.value, node.unit)
        if isinstance(node, Text) or (isinstance(node, Name) and node.name not in self.names):
            return f"the text '{node.value if isinstance(node, Text) else node.name}'"
        text = self.text_of(node)
        return f"{text} ({unit})" if unit in UNITS else text

    def example(self, unit: str | None) -> str:
        return f"write {UNITS[unit].example}" if unit in UNITS and UNITS[unit].example else ""
