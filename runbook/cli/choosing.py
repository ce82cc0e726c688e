"""Which playbook and which environment are meant."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook.cli.mistyped import Mistyped
from runbook.language.places import did_you_mean
from runbook.playbook.model import Environment, Playbook
from runbook.system.refusals import Refusal

LONG = {"-p": "--playbook", "-e": "--env"}


@dataclass(frozen=True)
class Chosen:
    """A playbook that is meant: its name, where it lies (None when only kits or chains know it), shipped or not."""

    name: str
    path: Path | None
    shipped: bool = False


def choose_playbook(root: Path, named: str | None, *, known: dict[str, str]) -> Chosen:
    """The playbook that is meant. `known` are names, paths and services of kits and chains, for those that are gone.

    Raises `Refusal` with what there is.
    """
    from runbook.playbook.find import find_playbooks, shipped_playbooks

    if named is not None and (found := _by_path(root, named)) is not None:
        return found
    candidates = find_playbooks(root)
    if named is None:
        if len(candidates) == 1:
            return Chosen(candidates[0].name, candidates[0].path)
        if not candidates and len(set(known.values())) == 1:
            return Chosen(next(iter(known.values())), None)
        names = [candidate.name for candidate in candidates]
        message = f"several playbooks: {', '.join(names)}" if names else f"no playbook in {root}/playbooks"
        shipped = ", ".join(path.stem for path in shipped_playbooks())
        raise Refusal(
            message, next_steps=[typed_with("-p", "NAME"), f"shipped, in their sandbox: {shipped}", "runbook playbooks"]
        )
    for candidate in candidates:
        if named in (candidate.name, candidate.service):
            return Chosen(candidate.name, candidate.path)
    if named in known:
        return Chosen(known[named], None)
    if (shipped_one := _shipped(named)) is not None:
        return shipped_one
    everything = [*(one.name for one in candidates), *known, *(path.stem for path in shipped_playbooks())]
    message = f"there is no playbook {named!r}; {did_you_mean(named, everything)}".rstrip("; ")
    raise Mistyped(message, "-p", "-e", next_steps=["runbook playbooks"])


def _shipped(name: str) -> Chosen | None:
    from runbook.playbook.find import shipped_playbooks

    return next((Chosen(path.stem, path, shipped=True) for path in shipped_playbooks() if path.stem == name), None)


def _by_path(root: Path, named: str) -> Chosen | None:
    if "/" not in named and not named.endswith((".yaml", ".yml")):
        return None
    for path in (Path(named).expanduser(), root / named):
        if path.is_file():
            return Chosen(path.stem, path.resolve())
    return None


def typed_with(option: str, value: str) -> str:
    """The command that was typed, with this option in place of what was given for it."""
    return shlex.join(["runbook", *_without(sys.argv[1:], option), option, value])


def _without(words: Sequence[str], option: str) -> Iterator[str]:
    """The words without an option, in each of the ways it is written."""
    long, skipped = LONG[option], False
    for word in words:
        if skipped or word in (option, long):
            skipped = not skipped
        elif not (word.startswith(f"{long}=") or (word.startswith(option) and not word.startswith("--"))):
            yield word


def choose_environment(playbook: Playbook, named: str | None, *, shipped: bool) -> Environment:
    """The environment that is meant. A protected one is never chosen silently. Raises `Refusal`."""
    environments = playbook.environments
    if shipped:
        return _of_shipped(playbook, named)
    if named is not None:
        if named in environments:
            return environments[named]
        meant = did_you_mean(named, environments)
        message = f"{playbook.service} has no environment {named!r}" + (f"; {meant}" if meant else "")
        raise Mistyped(message, "-e", next_steps=[typed_with("-e", name) for name in environments])
    if len(environments) == 1:
        only = next(iter(environments.values()))
        if not only.protected:
            return only
        message = f"{only.name} is protected and is never chosen silently"
        raise Refusal(message, next_steps=[typed_with("-e", only.name)])
    raise Refusal(
        f"{playbook.service} has several environments: {', '.join(environments)}" if environments else
        f"{playbook.service} has no environments",
        next_steps=[typed_with("-e", name) for name in environments],
    )  # fmt: skip


def _of_shipped(playbook: Playbook, named: str | None) -> Environment:
    sandboxes = [environment for environment in playbook.environments.values() if environment.sandbox]
    for environment in sandboxes:
        if named in (None, environment.name):
            return environment
    raise Refusal(
        f"{playbook.path} is shipped with the tool and runs in its sandbox only",
        next_steps=[typed_with("-e", one.name) for one in sandboxes]
        + ["copy it into your project's playbooks/ to use it elsewhere"],
    )
