"""How old a sample of the past may be: as old as one of now, of which the metric's `max_age` is judged."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from runbook.checks.base import Past, Surroundings
from runbook.rollout.watch import look_once
from tests.rollout.remembering import HOUR, Remembered, remembering_house, tell


class Aged(Remembered, frozen=True, kw_only=True):
    """A source that is asked how old its samples may be, as `prometheus` is; it writes down the answer."""

    newer_than: str | None = None

    async def past(self, around: Surroundings, since: float, until: float, step: float) -> Past:
        (around.project / "newer_than.json").write_text(json.dumps(self.newer_than))
        return await super().past(around, since, until, step)


@pytest.mark.parametrize(
    ("own", "max_age", "meant"),
    [(None, 90.0, "90000ms"), (None, 0.25, "250ms"), ("5m", 90.0, "5m"), (None, None, None)],
)
def test_a_sample_of_the_past_may_be_as_old_as_one_of_now(
    tmp_path: Path, own: str | None, max_age: float | None, meant: str | None
) -> None:
    house = remembering_house(tmp_path)
    metric = house.site.playbook.metrics["error_rate"]
    assert metric.check is not None
    aged = Aged(remembered="history.json", newer_than=own)
    check = msgspec.structs.replace(metric.check, options=aged)
    changed = msgspec.structs.replace(metric, check=check, max_age=max_age)
    house.site.playbook = msgspec.structs.replace(house.site.playbook, metrics={"error_rate": changed})
    house.clock.pass_time(HOUR)
    tell(house, (0, HOUR, 0.01))
    look_once(house.site)
    assert json.loads(house.file("newer_than.json").read_text()) == meant
