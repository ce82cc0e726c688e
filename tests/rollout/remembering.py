"""A source that has its own history, as Prometheus has: what it answers stands in a file of the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from runbook.checks.base import Finding, Kind, Past, Surroundings
from runbook.checks.findings import unknown
from runbook.judge.verdicts import Reason, Status
from tests.rollout.site import PLAYBOOK, House, make_house

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
STAGES = """\
metrics:
  error_rate: {file: numbers.json, jq: .error_rate, unit: ratio, interval: 60s}
stages:
  - {stage: off, percent: 0}
  - stage: canary
    percent: [5, 10]
    set: {NEW_CART: true, LIMIT: 3}
    bake: {for: 48h, sampled: 80%}
    gates: [GATES]
    triggers: [TRIGGERS]
  - {stage: full, percent: [50, 100], set: {LIMIT: 9}}
rollback: {set: safe, objective: 5m, incident: P0}
"""
Stretch = tuple[float, float, float]
"""From when to when the source has which value."""


class Remembered(Kind, frozen=True, kw_only=True):
    """Reads `now` and `at` of the file, and the value of each stretch at every step; writes down what was asked."""

    KEY: ClassVar[str] = "remembered"
    remembered: str

    def takes_value(self) -> bool:
        return True

    def keeps_history(self) -> bool:
        return True

    async def look(self, around: Surroundings) -> Finding:
        told = self._told(around)
        if told["now"] is None:
            return unknown("nothing there", Reason.NODATA)
        return Finding(Status.PASS, value=told["now"], sampled=told["at"])

    async def past(self, around: Surroundings, since: float, until: float, step: float) -> Past:
        told = self._told(around)
        with (around.project / "asked.jsonl").open("a") as asked:
            asked.write(json.dumps([since, until, step]) + "\n")
        if told["breaks"]:
            raise RuntimeError("a \x1b[2Jfault")
        await asyncio.sleep(told["takes"])
        count = int((until - since) / step + 1e-9) + 1
        times = [since + number * step for number in range(count)]
        points = [(t, value) for t in times for begin, end, value in told["stretches"] if begin <= t <= end]
        return Past(points=[*points, *map(tuple, told["more"])], trouble=told["trouble"])

    def _told(self, around: Surroundings) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((around.project / self.remembered).read_text())
        return told


def tell(house: House, *stretches: Stretch, now: float | None = 0.001, at: float | None = None, **more: Any) -> None:
    """What the source says from now on; times are seconds after the rung was entered, as are those of the test."""
    began = entered(house)
    usual: dict[str, Any] = {"breaks": False, "takes": 0.0, "more": [], "trouble": "", **more}
    usual["more"] = [(began + t, value) for t, value in usual["more"]]
    moved = [(began + begin, began + end, value) for begin, end, value in stretches]
    when = None if at is None else began + at
    house.file("history.json").write_text(json.dumps({"now": now, "at": when, "stretches": moved, **usual}))


def entered(house: House) -> float:
    position = house.site.state().position
    assert position is not None
    return position.baking_since


def asked(house: House) -> list[tuple[float, float, float]]:
    """What was asked of the history so far: from when to when after the entry, and every how many seconds."""
    path = house.file("asked.jsonl")
    lines = path.read_text().splitlines() if path.exists() else []
    began = entered(house)
    return [(round(since - began, 1), round(until - began, 1), step) for since, until, step in map(json.loads, lines)]


def remembering_house(folder: Path, *, gates: Sequence[str] = ("error_rate < 2%",), triggers: str = "") -> House:
    """At canary@10, whose error rate is told by a source with a history; nobody has looked yet."""
    written = ", ".join(f'"{gate}"' for gate in gates)
    house = make_house(folder, PLAYBOOK + STAGES.replace("GATES", written).replace("TRIGGERS", triggers))
    remember(house)
    house.stand_at("canary@10")
    tell(house)
    return house


def remember(house: House) -> None:
    """Put the source with a history in the place of the file that the playbook names."""
    playbook = house.site.playbook
    metric = playbook.metrics["error_rate"]
    assert metric.check is not None
    check = msgspec.structs.replace(metric.check, kind="remembered", options=Remembered(remembered="history.json"))
    changed = msgspec.structs.replace(metric, check=check)
    house.site.playbook = msgspec.structs.replace(playbook, metrics={**playbook.metrics, "error_rate": changed})
