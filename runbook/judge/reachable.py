"""Which outcomes a condition can have at all: searched with values on both sides of every limit that it names.

A gate that can never be false lets everything through, and a trigger that can never be true guards nothing. The search
finds outcomes, it proves no absence: what it has not found in the values that a unit allows is worth a warning.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from runbook.judge.evaluate import Evaluation
from runbook.judge.facts import Facts, Reference, Sample, Series, Value
from runbook.judge.verdicts import Truth
from runbook.language.algebra import brought
from runbook.language.conditions import Condition
from runbook.language.syntax import (
    Clause,
    Held,
    Increase,
    Joined,
    Matches,
    Name,
    Not,
    Number,
    Outcome,
    Points,
    Text,
    Treated,
    TruthValue,
    Window,
    walk,
)
from runbook.language.units import dimension_of

BOTH = frozenset({Truth.TRUE, Truth.FALSE})
MOST_TRIED = 4000
_GRID = tuple(10.0**power for power in range(-6, 16, 3))
_SHARES = (0.0, 0.0001, 0.001, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0)
_NEVER_BELOW_ZERO = ("time", "money", "bytes")
_GROWING = ("count", "rate")  # functions of how many samples there are and how they grow, which is not searched
_REQUESTS = 10_000  # behind each value, so that agreement with a percentage can be judged
_CAPTURED = {"share": 0.01}
_CAPTURED_ELSE = 100.0


@dataclass(frozen=True)
class Domain:
    """What a name can be. `fixed` are the only values that it has; `measured` tells that it comes as samples.

    `least` and `most` bound it beyond what its unit does.
    """

    unit: str | None = None
    fixed: tuple[Value, ...] | None = None
    measured: bool = False
    covers: str = "all"
    least: float | None = None
    most: float | None = None


def reached(
    condition: Condition, domains: Mapping[str, Domain], percents: Sequence[float] = (50.0,)
) -> frozenset[Truth]:
    """The outcomes, true and false, that were found. Empty where the condition cannot be searched so.

    `for` and M of N are left out: they ask for the same condition again. References are given a number of their own.
    """
    root = _bare(condition.root)
    nodes = list(walk(root))
    if any(isinstance(node, Window) and node.function in _GROWING for node in nodes):
        return frozenset()
    bare = Condition(condition.text, root, condition.subject)
    names = list(dict.fromkeys(_named(nodes, domains)))
    outcomes = [node.name for node in nodes if isinstance(node, Outcome)]
    found: set[Truth] = set()
    for percent in _percents(nodes, percents):
        values = [_candidates(nodes, domains[name], percent) for name in names]
        for combination in itertools.islice(_combined(values), MOST_TRIED):
            for said in itertools.product((Truth.TRUE, Truth.FALSE), repeat=len(set(outcomes))):
                checks = dict(zip(dict.fromkeys(outcomes), said, strict=True))
                facts = _facts(dict(zip(names, combination, strict=True)), domains, nodes, percent, checks)
                found.add(Evaluation(bare, facts, minimum=1).judge().truth)
            if found >= BOTH:
                return BOTH
    return frozenset(found & BOTH)


def _bare(clause: Clause) -> Clause:
    """The clause without what only asks for it again and again."""
    match clause:
        case Held() | Points():
            return _bare(clause.of)
        case Not():
            return msgspec.structs.replace(clause, of=_bare(clause.of))
        case Joined():
            return msgspec.structs.replace(clause, parts=tuple(_bare(part) for part in clause.parts))
    return clause


def _named(nodes: Iterable[object], domains: Mapping[str, Domain]) -> list[str]:
    names = [node.name for node in nodes if isinstance(node, Name) and node.reference is None]
    return [name for name in names if name in domains]


def _percents(nodes: Iterable[object], percents: Sequence[float]) -> Sequence[float]:
    """Only what looks at the percentage is searched at more than one."""
    matters = any(isinstance(node, Matches | Treated) for node in nodes)
    return [one for one in percents if one > 0] or [50.0] if matters else [50.0]


def _combined(values: Sequence[Sequence[Value]]) -> Iterable[tuple[Value, ...]]:
    """Every combination; where there are too many, all names move together first, then a part of them."""
    total = 1
    for each in values:
        total *= len(each)
    if total <= MOST_TRIED:
        return itertools.product(*values)
    few = [[each[0], each[len(each) // 2], each[-1]] for each in values]
    return itertools.chain(zip(*(itertools.cycle(each) for each in values), strict=False), itertools.product(*few))


def _candidates(nodes: Sequence[object], domain: Domain, percent: float) -> list[Value]:
    """Values on both sides of every limit, the smallest and largest there are, and some between."""
    if domain.fixed is not None:
        return list(domain.fixed)
    if any(isinstance(node, TruthValue) for node in nodes):
        return [True, False]
    texts = [node.value for node in nodes if isinstance(node, Text)]
    texts += [node.name for node in nodes if isinstance(node, Name) and node.may_be_text]
    if texts and domain.unit in (None, "version"):
        return [*texts, "something else"]
    written = [node for node in nodes if isinstance(node, Number)]
    if domain.unit == "version" or any(node.unit == "version" for node in written):
        return ["0.0.1", *(node.text for node in written), "9999.0"]
    limits = {float(brought(node.value, node.unit, domain.unit)) for node in written}
    captured = _captured(domain.unit)
    limits |= {captured, captured / 2, captured * 2, captured * 20, *(captured * (1 + limit) for limit in limits)}
    limits.add(percent / 100 if domain.unit == "ratio" else percent)
    some = set(_grid(domain)) | limits | {limit + step for limit in limits for step in (-1, 1)}
    some |= {limit * share for limit in limits for share in (1 - 1e-6, 1 + 1e-6)}
    possible: list[Value] = []
    possible += sorted(value for value in some if _is_possible(value, domain))
    return possible


def _grid(domain: Domain) -> list[float]:
    if dimension_of(domain.unit) == "share":
        return [share * (1 if domain.unit == "ratio" else 100) for share in _SHARES]
    return [0.0, *_GRID, *(-value for value in _GRID)]


def _is_possible(value: float, domain: Domain) -> bool:
    least, most = domain.least, domain.most
    dimension = dimension_of(domain.unit)
    if dimension == "share":
        least, most = 0.0, 1.0 if domain.unit == "ratio" else 100.0
    elif dimension in _NEVER_BELOW_ZERO or domain.unit == "count":
        least = 0.0 if least is None else least
    return (least is None or value >= least) and (most is None or value <= most)


def _captured(unit: str | None) -> float:
    """What a reference is taken to be, in the unit of its metric."""
    of_one = _CAPTURED.get(dimension_of(unit) or "", _CAPTURED_ELSE)
    return of_one * 100 if unit == "percent" else of_one


def _facts(
    given: Mapping[str, Value],
    domains: Mapping[str, Domain],
    nodes: Sequence[object],
    percent: float,
    checks: Mapping[str, Truth],
) -> Facts:
    measured = {name: value for name, value in given.items() if domains[name].measured}
    versus = {node.reference for node in nodes if isinstance(node, Name) and node.reference is not None}
    versus |= {node.versus for node in nodes if isinstance(node, Increase)} | {"baseline"}
    held = {name: Reference(_captured(one.unit), 100) for name, one in domains.items() if one.measured}
    return Facts(
        now=0.0,
        series={
            name: Series(domains[name].unit, (Sample(0.0, value, n=_REQUESTS),), covers=domains[name].covers)
            for name, value in measured.items()
        },
        values={name: value for name, value in given.items() if name not in measured},
        units={name: domain.unit for name, domain in domains.items()},
        references=dict.fromkeys(versus, held),
        checks={name: [(0.0, truth)] for name, truth in checks.items()},
        percent=percent,
    )
