"""A second, small judge to hold the first against: conditions as nested tuples, numbers as fractions, no shared code.

A condition is ("<", metric, limit), ("avg<", metric, seconds, limit), ("points", M, N, metric, limit), ("not", c),
("and", c, c) or ("or", c, c). Samples are (t, value), value None for no data and "error" for an error. Answers are
True, False, "nodata" and "error".
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

INTERVAL = 60
Samples = dict[str, list[tuple[int, Any]]]


def written(condition: Any) -> str:
    """The same condition in the language."""
    match condition:
        case ("<", metric, limit):
            return f"{metric} < {limit}%"
        case ("avg<", metric, seconds, limit):
            return f"avg({metric}, {seconds}s) < {limit}%"
        case ("points", m, n, metric, limit):
            return f"({metric} < {limit}% in {m} of {n})"
        case ("not", inner):
            return f"not ({written(inner)})"
    return f"(({written(condition[1])}) {condition[0]} ({written(condition[2])}))"


def judged(condition: Any, samples: Samples, now: int) -> Any:
    match condition:
        case ("<", metric, limit):
            return below([row for row in samples[metric] if row[0] <= now][-1:], limit, now)
        case ("avg<", metric, seconds, limit):
            return average_below([row for row in samples[metric] if now - seconds < row[0] <= now], limit, now)
        case ("points", m, n, metric, limit):
            return enough([below([row], limit, row[0]) for row in samples[metric] if row[0] <= now], m, n)
        case ("not", inner):
            answer = judged(inner, samples, now)
            return answer if isinstance(answer, str) else not answer
    answers = [judged(part, samples, now) for part in condition[1:]]
    decisive = condition[0] == "or"
    if any(answer is decisive for answer in answers):
        return decisive
    return next((word for word in ("error", "nodata") if word in answers), not decisive)


def below(rows: list[tuple[int, Any]], limit: int, now: int) -> Any:
    if not rows or rows[0][1] is None:
        return "nodata"
    t, value = rows[0]
    if value == "error" or not 0 <= Fraction(str(value)) <= 1:
        return "error"
    return "nodata" if now - t > 3 * INTERVAL else Fraction(str(value)) < Fraction(limit, 100)


def average_below(rows: list[tuple[int, Any]], limit: int, now: int) -> Any:
    good = [(t, Fraction(str(v))) for t, v in rows if v not in (None, "error") and 0 <= Fraction(str(v)) <= 1]
    if not good:
        return "error" if rows and rows[-1][1] not in (None,) else "nodata"
    if now - good[-1][0] > 3 * INTERVAL:
        return "nodata"
    return sum(v for _, v in good) / len(good) < Fraction(limit, 100)


def enough(answers: list[Any], m: int, n: int) -> Any:
    """M of N with `notBreaching`: what is missing counts as false, but an error leaves open what it could decide."""
    looked = answers[-(n + 2) :]
    there = [answer for answer in looked if not isinstance(answer, str)][-n:]
    true = there.count(True)
    if true >= m or true + n - len(there) < m:
        return true >= m
    return "error" if "error" in looked else False


def firing(answers: list[Any], hold: int, keep: int, two: bool) -> list[bool]:
    """Whether a rule fires after each of its evaluations, which are INTERVAL apart and all looked at."""
    fires: list[bool] = []
    for index, answer in enumerate(answers):
        before = bool(fires and fires[-1])
        if isinstance(answer, str):
            fires.append(before)
            continue
        run = run_until(answers, fires, index, keep)
        if answer:
            long_enough = (run[-1] - run[0]) * INTERVAL >= hold if run else False
            in_a_row = trues_until(answers, fires, index)
            fires.append(long_enough and in_a_row >= (2 if two else 1))
        else:
            first = next(
                i
                for i in range(index + 1)
                if all(a is not True for a in answers[i : index + 1]) and answers[i] is False
            )
            fires.append(before and (index - first) * INTERVAL < keep)
    return fires


def run_until(answers: list[Any], fires: list[bool], index: int, keep: int) -> list[int]:
    """The evaluations that count towards a hold at `index`: back to the last false one that nothing kept, or a hole.

    A hole is seen at the true evaluation behind it; a false one that `keep` bridges, bridges the hole as well.
    """
    run: list[int] = []
    last_known = index
    for i in range(index, -1, -1):
        if answers[i] is False and not (i < len(fires) and fires[i]):
            break
        if last_known - i > 2 and answers[last_known] is True and not isinstance(answers[i], str):
            break
        if not isinstance(answers[i], str):
            last_known = i
            run.insert(0, i)
    while run and answers[run[0]] is False:
        run.pop(0)
    return run


def trues_until(answers: list[Any], fires: list[bool], index: int) -> int:
    """How many evaluations in a row were true, leaving out unknown ones and false ones that `keep` bridged."""
    count = 0
    for i in range(index, -1, -1):
        if answers[i] is False and not (i < len(fires) and fires[i]):
            break
        count += answers[i] is True
    return count
