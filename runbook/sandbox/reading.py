"""From the plain data of a practice service's YAML to a checked definition, with every problem at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from runbook.sandbox.definition import Definition, Effect, Endpoint, Flag, Metric, PracticeFile
from runbook.sandbox.replies import reference_problems
from runbook.sandbox.trouble import SandboxTrouble

Part = TypeVar("Part")
TYPES = {"truth": bool, "integer": int, "number": (int, float), "text": str}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def checked_definition(plain: Any) -> tuple[Definition | None, list[str]]:
    """The definition, or None and what is wrong."""
    problems: list[str] = []
    if not isinstance(plain, dict) or plain.get("sandbox") != 1:
        return None, ["the top level must be a mapping with 'sandbox: 1'"]
    top = _Keys(plain, "", problems)
    percent = plain.get("percent")
    named = percent if isinstance(percent, dict) else {"name": percent}
    flags = _each(top.mapping("flags"), _flag, "flags", problems)
    metrics = _each(top.mapping("metrics"), _metric, "metrics", problems)
    definition = Definition(
        service=top.take("service", str, ""),
        version=top.take("version", str, "1.0.0"),
        seed=top.take("seed", int, 1),
        env_file=top.take("env_file", str, ""),
        percent=named.get("name"),
        fraction=named.get("as") == "fraction",
        flags=flags,
        metrics=metrics,
        endpoints=tuple(_each(top.mapping("endpoints"), _endpoint, "endpoints", problems).values()),
        files=tuple(_each(top.mapping("files"), _file, "files", problems).values()),
        variables={name: str(value) for name, value in top.mapping("variables").items()},
    )
    top.done({"sandbox", "percent"})
    problems += _cross_problems(definition)
    return (None if problems else definition), problems


class _Keys:
    """The keys of one mapping: taken one by one with their type; what is left over at the end is unknown."""

    def __init__(self, plain: Mapping[str, Any], where: str, problems: list[str]) -> None:
        self.plain, self.where, self.problems = plain, where, problems
        self.known: set[str] = set()

    def take(self, key: str, kind: Any, default: Any) -> Any:
        self.known.add(key)
        value = self.plain.get(key, default)
        if value is default or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
            return value
        self.problems.append(f"{self.where}{key}: {value!r} is not {_kind_name(kind)}")
        return default

    def mapping(self, key: str) -> dict[str, Any]:
        taken: dict[str, Any] = self.take(key, dict, {})
        return taken

    def done(self, also: Iterable[str] = ()) -> None:
        known = self.known | set(also)
        for key in self.plain:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1)
                near = f", did you mean {close[0]}?" if close else ""
                self.problems.append(f"{self.where}unknown key {key!r}{near}")


def _each(
    plain: Mapping[str, Any], read: Callable[[str, _Keys], Part], section: str, problems: list[str]
) -> dict[str, Part]:
    parts = {}
    for name, options in plain.items():
        if not isinstance(options, dict):
            problems.append(f"{section}.{name}: must be a mapping")
            continue
        keys = _Keys(options, f"{section}.{name}.", problems)
        parts[str(name)] = read(str(name), keys)
        keys.done()
    return parts


def _flag(name: str, keys: _Keys) -> Flag:
    kind = keys.take("type", str, "text")
    if kind not in TYPES:
        keys.problems.append(f"{keys.where}type: {kind!r} is none of {', '.join(TYPES)}")
        kind = "text"
    return Flag(name, kind, keys.take("default", TYPES[kind], {"truth": False, "text": ""}.get(kind, 0)))


def _metric(name: str, keys: _Keys) -> Metric:
    number = (int, float)
    lowest, highest = [*keys.take("between", list, []), None, None][:2]
    return Metric(
        name,
        unit=keys.take("unit", str, ""),
        base=keys.take("base", number, 0.0),
        jitter=keys.take("jitter", number, 0.0),
        lowest=lowest,
        highest=highest,
        digits=keys.take("digits", int, None),
        effects=tuple(_effect(plain, keys) for plain in keys.take("effects", list, [])),
    )


def _effect(plain: Any, around: _Keys) -> Effect:
    if not isinstance(plain, dict) or "add" not in plain:
        around.problems.append(f"{around.where}effects: each is a mapping with 'add'")
        return Effect(0.0)
    keys = _Keys(plain, f"{around.where}effects.", around.problems)
    effect = Effect(
        add=keys.take("add", (int, float), 0.0),
        flag=keys.take("flag", str, None),
        is_=plain.get("is"),
        metric=keys.take("metric", str, None),
        fault=keys.take("fault", str, None),
        percent=keys.take("percent", bool, False),
        second=keys.take("second", bool, False),
        treated=keys.take("treated", bool, False),
    )
    keys.done({"is"})
    return effect


def _endpoint(name: str, keys: _Keys) -> Endpoint:
    method, _, path = name.partition(" ")
    if method not in METHODS or not path.startswith("/") or path.startswith("/_sandbox"):
        keys.problems.append(f"endpoints.{name}: write METHOD /path, METHOD one of {', '.join(METHODS)}")
    keys.known.add("reply")
    return Endpoint(
        method,
        path,
        reply=keys.plain.get("reply", {}),
        status=keys.take("status", int, 200),
        needs=tuple(map(str, keys.take("needs", list, []))),
        fails=keys.take("fails", str, None),
        prompt=keys.take("prompt", bool, False),
    )


def _file(name: str, keys: _Keys) -> PracticeFile:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        keys.problems.append(f"files.{name}: must stay inside the sandbox's folder")
    return PracticeFile(
        name,
        sqlite=keys.take("sqlite", str, None),
        text=keys.take("text", str, None),
        size=keys.take("size", int, 0),
        renewed=keys.take("renewed", bool, False),
    )


def _cross_problems(definition: Definition) -> list[str]:
    """What is wrong between the sections: names that nothing declares."""
    problems = [] if definition.service else ["service: is missing"]
    if definition.percent is not None and definition.percent not in definition.flags:
        problems.append(f"percent: {definition.percent!r} is not one of the flags")
    earlier: set[str] = set()
    for metric in definition.metrics.values():
        for effect in metric.effects:
            if effect.flag is not None and effect.flag not in definition.flags:
                problems.append(f"metrics.{metric.name}: unknown flag {effect.flag!r}")
            if effect.metric is not None and effect.metric not in earlier:
                problems.append(f"metrics.{metric.name}: {effect.metric!r} is not a metric that stands above it")
            if effect.fault not in (None, "latency"):
                problems.append(f"metrics.{metric.name}: unknown fault {effect.fault!r}, only latency has a number")
        earlier.add(metric.name)
    for endpoint in definition.endpoints:
        if endpoint.fails is not None and endpoint.fails not in definition.metrics:
            problems.append(f"endpoints.{endpoint.path}: fails names no metric: {endpoint.fails!r}")
        problems += [f"endpoints.{endpoint.path}: {text}" for text in reference_problems(endpoint.reply, definition)]
    return problems


def _kind_name(kind: Any) -> str:
    names = {bool: "true or false", int: "a whole number", str: "a text", list: "a list", dict: "a mapping"}
    return names.get(kind, "a number")


def read_definition(path: Path) -> Definition:
    """The definition in `path`. Raises SandboxTrouble with everything that is wrong with it, one line each."""
    import yaml

    try:
        plain = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both safe
    except OSError as trouble:
        raise SandboxTrouble(f"the practice service {path} cannot be read: {trouble.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as trouble:
        raise SandboxTrouble(f"{path} is not YAML: {trouble}") from None
    definition, problems = checked_definition(plain)
    if definition is None:
        raise SandboxTrouble("\n".join(f"{path}: {problem}" for problem in problems), "mend the file, then try again")
    return definition
