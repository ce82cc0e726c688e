"""Those that want to be alone: after everything else of the look, one after the other, also where they are nested."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from runbook.checks.all_of import All
from runbook.checks.base import Check, Finding, Kind, Surroundings, Waiver
from runbook.checks.runner import look_and_measure_now, look_now
from runbook.checks.turns import Turns
from runbook.judge.verdicts import Status
from tests.checks.looking import a_check, looked_all, surroundings
from tests.checks.test_runner import Kept
from tests.hostile import hang
from tests.servers import Script, answer, scripted

LOAD: dict[str, Any] = {"requests": 6, "concurrency": 3, "expect": "errors == 0%"}


@dataclass
class Served:
    """When each path was served: from when to when, on the monotonic clock."""

    spans: list[tuple[str, float, float]] = field(default_factory=list)

    def script(self, path: str, wait: float = 0.0, status: str = "200 OK") -> Script:
        def serve(connection: Any, request: str) -> None:
            began = time.monotonic()
            threading.Event().wait(wait)
            self.spans.append((path, began, time.monotonic()))
            answer("ok", status=status)(connection, request)

        return serve

    def span(self, *paths: str) -> tuple[float, float]:
        chosen = [span for span in self.spans if span[0] in paths]
        return min(span[1] for span in chosen), max(span[2] for span in chosen)

    def order(self) -> list[str]:
        """The paths as they were begun, each once for all its requests in a row."""
        paths = [path for path, _, _ in sorted(self.spans, key=lambda span: span[1])]
        return [path for number, path in enumerate(paths) if number == 0 or paths[number - 1] != path]


def test_after_the_slowest_and_never_beside_each_other() -> None:
    served = Served()
    waits = {"/slow": 0.3, "/nested": 0.4, "/metric": 0.5, "/one": 0.02, "/two": 0.02, "/deep": 0.02}
    scripts = {path: served.script(path, wait) for path, wait in waits.items()}
    checks: list[dict[str, Any]] = [
        {"load": "/one", **LOAD},
        {"http": "/slow"},
        {"all": [{"http": "/nested"}, {"all": [{"load": "/deep", **LOAD}]}]},
        {"load": "/two", **LOAD},
        {"run": "true", "reads": True},
    ]
    with scripted(scripts) as server:
        metrics = {"metric": a_check({"http": "/metric"})}
        rows, found = look_and_measure_now([a_check(one) for one in checks], metrics, surroundings(url=server.url))
    assert {row.status for row in rows} == {Status.PASS}
    assert found["metric"].status is Status.PASS
    ordinary_ended = served.span("/slow", "/nested", "/metric")[1]
    assert served.span("/one", "/two", "/deep")[0] >= ordinary_ended
    loads = sorted(served.span(path) for path in ("/one", "/two", "/deep"))
    assert loads[0][1] <= loads[1][0]
    assert loads[1][1] <= loads[2][0]
    assert served.span("/one") < served.span("/two")
    assert rows[0].checked_at > rows[1].checked_at
    assert rows[3].duration < 0.5


def test_nothing_is_beside_it_between_two_attempts() -> None:
    """A list that is tried again has not ended, so that what wants to be alone waits for its last attempt."""
    served = Served()
    bad = served.script("/bad", 0.0, "500 Oops")
    with scripted({"/bad": bad, "/load": served.script("/load")}) as server:
        checks = [{"all": [{"http": "/bad"}], "attempts": 2}, {"load": "/load", **LOAD}]
        rows = looked_all(checks, url=server.url)
    assert [row.status for row in rows] == [Status.FAIL, Status.PASS]
    assert [path for path, _, _ in served.spans] == ["/bad"] * 2 + ["/load"] * 6


def test_attempts_of_a_list_with_one_in_it() -> None:
    served = Served()
    scripts = {path: served.script(path, 0.01) for path in ("/in", "/out")}
    with scripted({**scripts, "/bad": served.script("/bad", 0.01, "500 Oops")}) as server:
        nested = [{"http": "/bad"}, {"load": "/in", **LOAD}]
        rows = looked_all([{"all": nested, "attempts": 2}, {"load": "/out", **LOAD}], url=server.url)
    assert [row.status for row in rows] == [Status.FAIL, Status.PASS]
    order = served.order()
    assert order[0] == "/bad"
    assert (order.count("/bad"), order.count("/in"), order.count("/out")) == (2, 2, 1)
    ordered = sorted(served.spans, key=lambda span: span[1])
    for before, after in pairwise(ordered):
        assert before[0] == after[0] or before[2] <= after[1]


def test_those_that_are_passed_over_hold_nobody_up() -> None:
    load = {"load": "/load", **LOAD}
    kept = Kept(waivers={"waived": Waiver("jo", time.time() + 3600, "no traffic")})
    checks: list[dict[str, Any]] = [
        {"all": [{"http": "/"}, load], "only": ("production",)},
        {**load, "only": ("production",)},
        {**load, "id": "waived"},
        {"all": [{**load, "unless": ("staging",)}]},
        {**load, "id": "sent"},
    ]
    with scripted({"/load": answer("ok")}) as server:
        rows = looked_all(checks, url=server.url, answers=kept)
        assert len(server.asked) == LOAD["requests"]
    wanted = [Status.SKIPPED, Status.SKIPPED, Status.WAIVED, Status.SKIPPED, Status.PASS]
    assert [row.status for row in rows] == wanted


def test_alone_in_a_look_and_in_one_with_nothing_to_measure() -> None:
    with scripted({"/load": answer("ok")}) as server:
        around = surroundings(url=server.url)
        rows, _ = look_and_measure_now([a_check({"load": "/load", **LOAD})], {}, around)
        assert rows[0].status is Status.PASS
        load = a_check({"load": "/load", "requests": 2})
        _, found = look_and_measure_now([], {"load": load}, surroundings(url=server.url))
        assert found["load"].status is Status.PASS
        assert len(server.asked) == LOAD["requests"] + 2


@pytest.mark.parametrize("slow", [{"http": "/hang"}, {"all": [{"http": "/hang"}]}, {"run": "sleep 30"}])
def test_one_whose_turn_does_not_come_says_so_and_sends_nothing(slow: dict[str, Any]) -> None:
    with scripted({"/hang": hang, "/load": answer("ok")}) as server:
        checks = [slow, {"load": "/load", **LOAD}, {"all": [{"load": "/load", **LOAD}]}]
        began = time.monotonic()
        rows = looked_all(checks, surroundings(url=server.url, seconds=0.4))
        assert time.monotonic() - began < 1.5
        assert not any("/load" in request for request in server.asked)
    assert (rows[1].status, rows[1].observed) == (Status.UNKNOWN, "not begun")
    assert rows[1].message.startswith("the other checks took all 400 ms of this look; ")
    assert rows[1].message.endswith("give more time: runbook preflight --deadline 2m")
    assert rows[2].status is Status.UNKNOWN


def test_a_load_that_is_cut_leaves_the_next_its_own_words() -> None:
    with scripted({"/hang": hang}) as server:
        load = {"load": "/hang", **LOAD}
        rows = looked_all([load, load], surroundings(url=server.url, seconds=0.4))
        assert len(server.asked) == 3
    assert rows[0].message.startswith("stopped at the deadline of 400 ms after 3 of 6 requests")
    assert rows[1].observed == "not begun"


class Noted(Kind, frozen=True, kw_only=True):
    """Notes when it begins and ends, and takes so many turns of the event loop."""

    by_itself: bool
    steps: int
    notes: list[str]

    def alone(self) -> bool:
        return self.by_itself

    async def look(self, around: Surroundings) -> Finding:
        self.notes.append("alone" if self.by_itself else "beside")
        for _ in range(self.steps):
            await asyncio.sleep(0)
        self.notes.append("end of alone" if self.by_itself else "end")
        return Finding(Status.PASS)


LEAVES = some.tuples(some.booleans(), some.integers(0, 6))
TREES = some.lists(some.recursive(LEAVES, lambda inner: some.lists(inner, min_size=1, max_size=4)), max_size=6)


def tree(part: Any, notes: list[str]) -> Check:
    if isinstance(part, tuple):
        options: Kind = Noted(by_itself=part[0], steps=part[1], notes=notes)
        return Check(title="Noted", id="noted", kind="noted", options=options)
    nested = tuple(tree(inner, notes) for inner in part)
    return Check(title="All", id="all", kind="all", options=All(), checks=nested)


def leaves(part: Any) -> Sequence[Any]:
    return [part] if isinstance(part, tuple) else [leaf for inner in part for leaf in leaves(inner)]


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_in_every_tree_all_others_end_before_the_first_alone_begins(parts: list[Any]) -> None:
    notes: list[str] = []
    rows = look_now([tree(part, notes) for part in parts], surroundings(seconds=20))
    assert {row.status for row in rows} <= {Status.PASS}
    alone = sum(by_itself for by_itself, _ in leaves(parts))
    assert len(notes) == 2 * len(leaves(parts))
    assert set(notes[: len(notes) - 2 * alone]) <= {"beside", "end"}
    assert notes[len(notes) - 2 * alone :] == ["alone", "end of alone"] * alone


def test_one_that_is_given_up_while_it_waits_lets_the_next_one_in() -> None:
    async def whole() -> None:
        turns = Turns(1)
        first, second = asyncio.create_task(turns.alone()), asyncio.create_task(turns.alone())
        await asyncio.sleep(0)
        first.cancel()
        turns.leave()
        await asyncio.wait_for(second, 5)
        third = asyncio.create_task(turns.alone())
        await asyncio.sleep(0)
        turns.leave()
        third.cancel()  # in the very moment in which its turn comes
        await asyncio.wait_for(turns.alone(), 5)

    asyncio.run(whole())
