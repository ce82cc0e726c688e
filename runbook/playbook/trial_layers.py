"""Recorded answers laid over others: those of a test over those of the one that it is like, over those of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.checks.recorded_names import ANY_REQUEST, names_request, request_named, same_check

# The ways to answer, by the parts that each is made of. One replaces the other.
_OF_REQUESTS = {"json": "json", "text": "text", "down": "down", "timeout": "timeout"}
_OF_CHECKS = {
    **{name: name for name in ("is", "value", "values", "rows", "down", "timeout")},
    **dict.fromkeys(("exit", "output", "errors"), "ended"),
}
_NONE = ("down", "timeout")
_MERGED = ("json", "headers", "values")


@dataclass(frozen=True)
class Laid:
    """Answers one over the other. `said` is the number of the layer that spoke last of each."""

    answers: Mapping[str, Any]
    said: Mapping[str, int]


def laid(layers: Sequence[Mapping[str, Any]], url: str | None = None) -> Laid:
    """All layers in one, the last on top; `url` is the environment's."""
    answers: dict[str, Any] = {}
    said: dict[str, int] = {}
    for number, ours in enumerate(layers):
        before = answers
        answers = laid_over(before, ours, url)
        changed = {key for key, answer in answers.items() if key in ours or answer is not before.get(key)}
        said = {key: number if key in changed else said[key] for key in answers}
    return Laid(answers, said)


def laid_over(base: Mapping[str, Any], ours: Mapping[str, Any], url: str | None = None) -> dict[str, Any]:
    """The answers of `base` with ours on top, which win under whatever name they stand.

    `verify/up` and `up` are one check, `GET /health` and `/health` one request, and so is the whole URL where it is
    below `url`. Two answers of one thing become one: see `joined`. `*` of ours replaces every request of `base`.
    """
    found = dict(base)
    if ANY_REQUEST in ours:
        found = {key: answer for key, answer in found.items() if not names_request(key)}
    for key, answer in ours.items():
        same = [one for one in base if one in found and is_same(one, key, url)]
        narrower = [one for one in same if is_narrower(one, key, url)]
        if len(narrower) > 1 and isinstance(answer, dict) and key not in same:
            found |= {one: joined(one, base[one], answer) for one in narrower if one not in ours}
        for one in same:
            if one not in ours and (one not in narrower or len(narrower) == 1 or not isinstance(answer, dict)):
                if is_narrower(key, one, url) and not is_narrower(one, key, url):
                    continue  # what is wider goes on answering the rest
                found.pop(one, None)
        under = key if key in same else same[0] if same else None
        found[key] = answer if under is None else joined(key, base[under], answer)
    return found


def is_same(one: str, other: str, url: str | None) -> bool:
    """Whether two names are of the same check or of the same request; where one names no method, any is meant."""
    if names_request(one) != names_request(other):
        return False
    if not names_request(one):
        return same_check(one, other)
    first, second = request_named(one, url), request_named(other, url)
    return first.place == second.place and (first.method == second.method or None in (first.method, second.method))


def is_narrower(one: str, other: str, url: str | None) -> bool:
    """Of two names of the same: whether all that the first one means is meant by the other too."""
    if not names_request(one):
        return True
    return request_named(other, url).method in (None, request_named(one, url).method)


def joined(key: str, base: Any, ours: Any) -> Any:
    """One answer over another: where ours answers in another way, what the other one said falls away with its way.

    Only `json`, `headers` and `values` merge. Anything but a mapping replaces the whole.
    """
    if not isinstance(ours, dict):
        return ours
    request = names_request(key)
    under = base if isinstance(base, dict) else _whole(base, request)
    ways = _OF_REQUESTS if request else _OF_CHECKS
    new, old = _ways(ours, ways), _ways(under, ways)
    other = bool(new) and not (new & old)
    if any(name in new for name in _NONE) or (other and not request):
        return dict(ours)
    if request and ours.keys() & {"status", "json", "text", "headers"}:
        under = {name: part for name, part in under.items() if name not in _NONE}
    kept = {name: part for name, part in under.items() if not new or ways.get(name) is None or ways[name] in new}
    if other and isinstance(kept.get("headers"), dict):
        kept["headers"] = {name: one for name, one in kept["headers"].items() if str(name).lower() != "content-type"}
    return {**kept, **{name: _part(name, kept.get(name), part) for name, part in ours.items()}}


def _whole(answer: Any, request: bool) -> dict[str, Any]:
    """An answer that stands for the whole, written out."""
    if request:
        return {"status": answer}
    return {"is": answer} if answer in ("pass", "fail", "unknown") else {"value": answer}


def _ways(answer: Mapping[str, Any], ways: Mapping[str, str]) -> set[str]:
    return {ways[name] for name, part in answer.items() if name in ways and not (name in _NONE and part is False)}


def _part(name: str, base: Any, ours: Any) -> Any:
    if name not in _MERGED or not (isinstance(base, dict) and isinstance(ours, dict)):
        return ours
    if name == "headers":
        meant = {str(one).lower() for one in ours}
        return {**{one: part for one, part in base.items() if str(one).lower() not in meant}, **ours}
    return merged(base, ours)


def merged(base: Any, ours: Any) -> Any:
    """Mappings merge key by key; anything else is replaced."""
    if not (isinstance(base, dict) and isinstance(ours, dict)):
        return ours
    return {**base, **{key: merged(base[key], value) if key in base else value for key, value in ours.items()}}
