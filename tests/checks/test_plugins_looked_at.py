"""A package's look that blocks, raises, prints or gives back rubbish is its own row, and nothing else changes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from runbook.checks.api import (
    Finding,
    Kind,
    Past,
    Reason,
    Request,
    Status,
    Surroundings,
    VariableTrouble,
    answered,
    seconds_left,
    unknown,
)
from runbook.checks.base import Check, CheckResult
from runbook.checks.packages.apart import kept_apart
from runbook.checks.runner import look_now, measure_now
from runbook.checks.trying import look_at
from tests.checks.looking import a_check, surroundings
from tests.servers import answer, scripted

Looking = Callable[[Surroundings], Awaitable[Any]]
LOOKS: dict[str, Looking] = {}


class Odd(Kind, frozen=True, kw_only=True):
    """Looks as the test of that name does."""

    KEY: ClassVar[str] = "odd"
    LOOKS_AT: ClassVar[str] = "what a test tells it"
    EXAMPLE: ClassVar[str] = "{check: Odd, odd: x}"

    odd: str
    there: bool = False
    says: str = ""

    def presence(self) -> bool:
        return self.there

    def by_hand(self, url: str | None) -> str:
        if self.says == "raises":
            raise RuntimeError("no hand")
        return 5 if self.says == "number" else ""  # type: ignore[return-value]

    def alone(self) -> bool:
        return None if self.says == "nothing" else False  # type: ignore[return-value]

    async def look(self, around: Surroundings) -> Finding:
        found: Finding = await LOOKS[self.odd](around)
        return found

    async def past(self, around: Surroundings, since: float, until: float, step: float) -> Past:
        found: Past = await LOOKS[self.odd](around)
        return found


def looked(look: Looking, **more: Any) -> CheckResult:
    LOOKS["now"] = look
    return look_at(Odd, {"odd": "now", **more})


async def raises(around: Surroundings) -> None:
    raise ZeroDivisionError("all of it")


async def ends_the_process(around: Surroundings) -> None:
    sys.exit(9)


async def interrupts(around: Surroundings) -> None:
    raise KeyboardInterrupt


async def cancels(around: Surroundings) -> None:
    raise asyncio.CancelledError


async def stops(around: Surroundings) -> None:
    raise StopAsyncIteration


async def times_out_by_itself(around: Surroundings) -> None:
    raise TimeoutError("the peer said nothing")


async def lacks_a_variable(around: Surroundings) -> None:
    raise VariableTrouble("there is no NAME", "set it")


async def asks_for_what_is_not_there(around: Surroundings) -> Finding:
    return Finding(Status.PASS, observed=around.variables.text("${GONE}"))


BROKEN = [
    (raises, "broke: ZeroDivisionError: all of it"),
    (ends_the_process, "broke: SystemExit: 9"),
    (interrupts, "broke: KeyboardInterrupt"),
    (cancels, "broke: CancelledError"),
    (stops, "broke: "),
    (times_out_by_itself, "broke: TimeoutError: the peer said nothing"),
    (lacks_a_variable, "there is no NAME (set it)"),
    (asks_for_what_is_not_there, "GONE"),
]


@pytest.mark.parametrize(("look", "message"), BROKEN, ids=[look.__name__ for look, _ in BROKEN])
def test_what_it_raises_is_an_unknown_row(look: Looking, message: str) -> None:
    row = looked(look)
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert message in row.message
    assert "fault of the tool" not in row.message


RUBBISH: list[Any] = [
    None,
    "pass",
    {"status": "pass"},
    (Status.PASS,),
    Finding("pass"),  # type: ignore[arg-type]
    Finding(None),  # type: ignore[arg-type]
    Finding(Status.PASS, value=object()),
    Finding(Status.PASS, value={"a": 1}),
    Finding(Status.PASS, value=["x"] * 100_000),
    Finding(Status.PASS, value=[[1]]),
    Finding(Status.PASS, values=5),  # type: ignore[arg-type]
    Finding(Status.PASS, listed=7),  # type: ignore[arg-type]
    Finding(Status.PASS, at="soon"),  # type: ignore[arg-type]
    Finding(Status.PASS, units=[1]),  # type: ignore[arg-type]
    Finding(Status.PASS, phases={"wait": "long"}),  # type: ignore[dict-item]
]


@pytest.mark.parametrize("rubbish", RUBBISH, ids=lambda one: repr(one)[:60])
def test_rubbish_is_never_a_pass(rubbish: Any) -> None:
    async def look(around: Surroundings) -> Any:
        return rubbish

    row = looked(look)
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert " gave " in row.message


def test_texts_are_made_fit_and_a_missing_reason_is_an_error() -> None:
    async def look(around: Surroundings) -> Finding:
        return Finding(Status.UNKNOWN, observed=5, message="\x1b[2J" + "x" * 5000, listed=[1, None])  # type: ignore

    row = looked(look)
    assert (row.observed, row.reason, row.listed) == ("5", Reason.ERROR, ("1", "None"))
    assert "\x1b" not in row.message and len(row.message) < 400


@pytest.mark.parametrize("there", [False, True])
def test_one_that_blocks_its_thread_holds_nobody_up(there: bool) -> None:
    ending = threading.Event()

    async def blocks(around: Surroundings) -> Finding:
        ending.wait(20)
        return Finding(Status.PASS)

    LOOKS["blocks"] = blocks
    options = kept_apart(Odd, "runbook-odd 1.0")(odd="blocks", there=there)
    odd = Check(title="Odd", id="odd", kind="odd", options=options, timeout=0.3)
    with scripted({"/health": answer("ok")}) as server:
        began = time.monotonic()
        late, ours = look_now([odd, a_check({"http": "/health"})], surroundings(url=server.url, seconds=5))
        took = time.monotonic() - began
    ending.set()
    assert took < 3
    assert ours.status is Status.PASS
    assert late.status is (Status.FAIL if there else Status.UNKNOWN)
    assert late.message.startswith("runbook-odd 1.0 did not end within 3")


def test_one_that_waits_is_cancelled_when_its_time_is_over() -> None:
    ended = threading.Event()

    async def waits(around: Surroundings) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    LOOKS["waits"] = waits
    row = look_at(Odd, {"odd": "waits"}, seconds=0.2)
    assert row.status is Status.UNKNOWN
    assert ended.wait(10)


def test_equal_requests_of_packages_and_of_ours_are_asked_once() -> None:
    async def asks(around: Surroundings) -> Finding:
        answer = await answered(Request(url=f"{around.url}/numbers"), around)
        return answer if isinstance(answer, Finding) else Finding(Status.PASS, value=len(answer.body))

    LOOKS["asks"] = asks
    options = kept_apart(Odd, "runbook-odd 1.0")(odd="asks")
    odd = Check(title="Odd", id="odd", kind="odd", options=options)
    with scripted({"/numbers": answer('{"a": 1}')}) as server:
        around = surroundings(url=server.url)
        rows = look_now([odd, odd, a_check({"http": "/numbers", "jq": ".a", "expect": "== 1"})], around)
        assert [row.status for row in rows] == [Status.PASS] * 3
        assert len(server.asked) == 1


def test_a_late_request_finds_that_the_look_is_over() -> None:
    held: list[Surroundings] = []

    async def keeps(around: Surroundings) -> Finding:
        held.append(around)
        return Finding(Status.PASS)

    assert looked(keeps).status is Status.PASS
    with pytest.raises(TimeoutError):
        asyncio.run(held[0].asker.ask(Request(url="http://127.0.0.1:9/"), 1.0))


def test_a_metric_takes_its_value_and_secrets_stay_hidden() -> None:
    async def learns(around: Surroundings) -> Finding:
        around.masker.learn("hunter2-hunter2")
        assert 0 < seconds_left(around) <= 10
        return Finding(Status.PASS, observed="hunter2-hunter2", value=4.5)

    LOOKS["learns"] = learns
    options = kept_apart(Odd, "runbook-odd 1.0")(odd="learns")
    odd = Check(title="Odd", id="odd", kind="odd", options=options)
    row = measure_now({"odd": odd}, surroundings())["odd"]
    assert (row.status, row.value, row.observed) == (Status.PASS, 4.5, "***")


def test_what_it_prints_does_not_reach_standard_output() -> None:
    code = """
import subprocess, sys
from tests.checks.test_plugins_looked_at import LOOKS, Odd, look_at, Finding, Status

async def prints(around):
    print("by print")
    sys.stdout.write("by write\\n")
    subprocess.run(["echo", "by a child"])
    return Finding(Status.PASS, value=1)

LOOKS["prints"] = prints
row = look_at(Odd, {"odd": "prints"})
print("ours:", row.status, row.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "ours: pass \n"
    assert {"by print", "by write", "by a child"} <= set(done.stderr.splitlines())


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        ("raises", "its by_hand() broke: RuntimeError: no hand"),
        ("number", "its by_hand() gives no text"),
        ("nothing", "its alone() gives neither True nor False"),
    ],
)
def test_what_it_says_of_itself_is_tried_when_it_is_read(says: str, problem: str) -> None:
    options: Any = kept_apart(Odd, "runbook-odd 1.0")(odd="x", says=says)
    assert options.problems() == [f"runbook-odd 1.0: {problem}"]


def test_its_history_is_read_apart_too() -> None:
    async def past(around: Surroundings) -> Past:
        return Past([(1, 2), (3.0, 4.0)])

    async def rubbish(around: Surroundings) -> Any:
        return unknown("no")

    asked = []
    for look in (past, raises, rubbish):
        LOOKS["past"] = look
        options = kept_apart(Odd, "runbook-odd 1.0")(odd="past")
        asked.append(asyncio.run(options.past(surroundings(), 0.0, 9.0, 1.0)))
    assert list(asked[0].points) == [(1.0, 2.0), (3.0, 4.0)]
    assert asked[1].points == () and "runbook-odd 1.0 broke" in asked[1].trouble
    assert asked[2].points == () and asked[2].trouble


def test_what_look_at_is_given_is_what_the_look_sees(tmp_path: Path) -> None:
    async def tells(around: Surroundings) -> Finding:
        return Finding(Status.PASS, observed=f"{around.project} {around.url} {around.variables.text('${WHERE}')}")

    LOOKS["tells"] = tells
    row = look_at(Odd, {"odd": "tells"}, folder=tmp_path, url="http://x.test", variables={"WHERE": "here"})
    assert row.observed == f"{tmp_path} http://x.test here"
