"""Timing in turns: every subject of a series runs once a round, so that the machine's mood meets them all alike."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Work = Callable[[], float | None]
"""Does the thing once; gives its own measure in seconds, or None to be timed from outside."""


@dataclass(frozen=True)
class Subject:
    """One thing to time. `prepare` runs before each turn and is not timed."""

    name: str
    work: Work
    prepare: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Times:
    """The turns of one subject, in seconds."""

    turns: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.turns)


def in_turns(subjects: Sequence[Subject], rounds: int) -> dict[str, Times]:
    """Runs every subject once a round, after one round that is not counted."""
    turns: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for number in range(rounds + 1):
        for subject in subjects:
            subject.prepare()
            began = time.perf_counter()
            own = subject.work()
            taken = time.perf_counter() - began if own is None else own
            if number:
                turns[subject.name].append(taken)
    return {name: Times(tuple(taken)) for name, taken in turns.items()}


def process(
    argv: Sequence[str | Path], folder: Path, env: Mapping[str, str], *, ends_with: tuple[int, ...] = (0,)
) -> Work:
    """A whole process, from its start to its end. Raises `RuntimeError` when it ends with another status."""

    def run() -> None:
        done = subprocess.run(
            argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120
        )
        if done.returncode not in ends_with:
            told = (done.stdout + done.stderr).decode("utf-8", "replace")
            raise RuntimeError(f"{argv} ended with {done.returncode}:\n{told}")

    return run
