"""The fold: one event after the other makes the present, and the kept state is always the one that events make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.store.base import Chain
from runbook.store.events import Event, Recorded, Who
from runbook.store.fold import fold, state_of
from runbook.store.sqlite import SqliteStore, open_sqlite
from runbook.store.state import State
from runbook.system.clock import MachineClock

CHAIN = Chain("checkout", "production")
ANA = Who(operator="ana", host="app-1")
BASE = 1_790_000_000
NAMES = ("op-1", "op-2", "op-3")


def event(at: float, kind: str, /, *, epoch: int = 1, late: bool = False, operation: str | None = None,
          rollout: int | None = None, **payload: Any) -> Event:  # fmt: skip
    return Event(
        kind=kind,
        at=round((BASE + at) * 1_000_000),
        who=ANA,
        payload=payload,
        epoch=epoch,
        late=late,
        operation=operation,
        rollout=rollout,
    )


def folded(*events: Event, redacted: frozenset[int] = frozenset()) -> State:
    return fold(
        State(),
        [Recorded(number=n, hash="", event=one, redacted=n in redacted) for n, one in enumerate(events, 1)],
    )


def entered(at: float, name: str, *, how: str = "ramp", epoch: int = 1, late: bool = False) -> Event:
    stage, _, percent = name.partition("@")
    told: dict[str, Any] = {"stage": stage, "percent": float(percent), "how": how, "flags": {"P": percent}, "boot": "b"}
    return event(at, "position.entered", epoch=epoch, late=late, boot_time=at, verified=True, **told)


def at_position(state: State) -> str:
    return state.position.name if state.position else ""


def test_an_operation_begins_and_ends() -> None:
    began = event(1, "operation.started", operation="op-1", kind="ramp", to="canary@5", epoch=4)
    state = folded(began)
    assert state.operation is not None
    assert (state.operation.id, state.operation.kind, state.operation.who) == ("op-1", "ramp", "ana")
    assert (state.operation.to, state.operation.epoch, state.operation.began) == ("canary@5", 4, BASE + 1)
    ended = event(2, "operation.ended", operation="op-1", outcome="done", message="it is done", steps=[1, 2])
    state = folded(began, ended)
    assert state.operation is None
    assert state.last_operation is not None
    assert (state.last_operation["id"], state.last_operation["outcome"]) == ("op-1", "done")
    assert "steps" not in state.last_operation


def test_a_half_done_operation_stays_open_and_the_end_of_another_does_not_close_it() -> None:
    began = event(1, "operation.started", operation="op-1", kind="ramp")
    half = event(2, "operation.ended", operation="op-1", outcome="half-done")
    other = event(3, "operation.ended", operation="op-2", outcome="done")
    state = folded(began, half, other)
    assert state.operation is not None
    assert state.operation.id == "op-1"
    assert folded(began, half, other, event(4, "operation.ended", operation="op-1", outcome="done")).operation is None


def test_positions_bakes_and_rollouts() -> None:
    state = folded(
        event(1, "rollout.started", number=7),
        entered(2, "canary@5"),
        event(3, "bake.passed", stage="canary", percent=5.0),
        entered(4, "canary@10"),
    )
    assert at_position(state) == "canary@10"
    assert (state.rollout, state.rollouts) == (7, 1)
    assert (state.passed, state.entered) == ([("canary", 5.0)], [("canary", 5.0), ("canary", 10.0)])
    assert state.position is not None
    assert (state.position.since, state.position.boot, state.position.boot_time) == (BASE + 4, "b", 4.0)
    assert (state.position.verified, state.position.flags) == (True, {"P": "10"})
    ended = fold(state, [Recorded(number=9, hash="", event=event(5, "rollout.ended"))])
    assert (ended.rollout, at_position(ended)) == (None, "canary@10")
    again = fold(ended, [Recorded(number=10, hash="", event=event(6, "rollout.started", number=8))])
    assert (again.rollout, again.passed, again.entered) == (8, [], [])


@pytest.mark.parametrize(("how", "count"), [("ramp", 0), ("adopt", 0), ("rollback", 1), ("emergency", 1)])
def test_ways_back_are_counted(how: str, count: int) -> None:
    assert folded(entered(1, "off@0", how=how)).rollbacks == count


def test_holds_stand_until_released_or_until_their_time() -> None:
    held = event(1, "hold.set", reason="legal", automatic=True, until=BASE + 60.0)
    state = folded(held)
    assert state.hold is not None
    assert (state.hold.by, state.hold.reason, state.hold.automatic) == ("ana", "legal", True)
    assert state.hold_at(BASE + 59.9) is state.hold
    assert state.hold_at(BASE + 60.0) is None
    assert folded(held, event(2, "hold.released")).hold is None


def test_the_newest_answer_to_an_item_counts() -> None:
    state = folded(
        event(1, "check.signed", check="ready/trained", yes=False),
        event(2, "check.signed", rollout=3, check="ready/trained", yes=True, evidence="link", valid_until=BASE + 9.0),
    )
    answer = state.answers["ready/trained"]
    assert (answer.yes, answer.who, answer.evidence, answer.rollout) == (True, "ana", "link", 3)
    assert (answer.at, answer.valid_until) == (BASE + 2, BASE + 9.0)


def test_the_life_of_an_incident() -> None:
    state = folded(
        event(1, "incident.opened", operation="op-1", id=1, title="slow", severity="P1", started=BASE - 5.0),
        event(2, "incident.opened", id=2, title="wrong", severity="P2"),
        event(3, "incident.joined", operation="op-2", id=1),
        event(4, "incident.severity", id=1, severity="P0"),
        event(5, "incident.resolved", id=2, text="mended"),
        event(6, "incident.severity", id=99, severity="P0"),
        event(7, "incident.resolved", id=99),
    )
    assert [incident.id for incident in state.open_incidents()] == [1]
    first, second = state.incidents[1], state.incidents[2]
    assert (first.severity, first.operations, first.started) == ("P0", ["op-1", "op-2"], BASE - 5.0)
    assert (second.resolved, second.resolution) == (BASE + 5, "mended")


def test_counters_count_since_a_time() -> None:
    state = folded(*(event(at, "noted", kind="complaint") for at in (1, 5, 9)))
    assert [state.counted("complaint", BASE + since) for since in (0, 5, 6, 10)] == [3, 2, 1, 0]
    assert state.counted("praise", 0) == 0


def test_the_robots_changes_are_remembered_the_last_ten() -> None:
    starts = [event(at, "operation.started", operation=f"op-{at}", automatic=at % 2 == 0) for at in range(40)]
    assert folded(*starts).automatic == [BASE + at for at in range(20, 40, 2)]


def test_a_late_event_changes_the_present_where_nothing_newer_came() -> None:
    state = folded(entered(1, "canary@5", epoch=3), entered(2, "off@0", how="emergency", epoch=4, late=True))
    assert at_position(state) == "off@0"


def test_a_late_event_of_a_lower_epoch_changes_only_the_past() -> None:
    state = folded(
        entered(10, "canary@5", epoch=5),
        entered(4, "off@0", how="emergency", epoch=4, late=True),
        event(4, "operation.started", operation="op-0", epoch=4, late=True),
        event(4, "incident.opened", epoch=4, late=True, id=1, title="slow", severity="P0"),
        event(4, "noted", epoch=0, late=True, kind="complaint"),
    )
    assert at_position(state) == "canary@5"
    assert state.operation is None
    assert (list(state.incidents), state.counted("complaint", 0)) == ([1], 1)
    assert (state.epoch, state.number) == (5, 5)


def test_a_late_word_of_a_person_counts_unless_a_later_word_is_there() -> None:
    held = event(4, "hold.set", epoch=0, late=True, reason="legal")
    assert folded(entered(1, "canary@5", epoch=9), held).hold is not None
    assert folded(event(6, "hold.released", epoch=0), held).hold is None
    assert folded(event(2, "hold.released", epoch=0), held).hold is not None


def test_what_was_erased_changes_nothing_but_keeps_its_place() -> None:
    state = folded(entered(1, "canary@5"), entered(2, "canary@10"), redacted=frozenset({2}))
    assert (at_position(state), state.number) == ("canary@5", 2)


def test_a_kind_of_a_later_version_is_passed_over() -> None:
    assert folded(entered(1, "canary@5"), event(2, "moon.phase", phase="full")).number == 2


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of every kind, in any order, some of them late."""
    made: list[Event] = []
    for _ in range(draw(st.integers(0, 25))):
        kind = draw(st.sampled_from(sorted(PAYLOADS)))
        made.append(
            event(
                draw(st.integers(0, 30)),
                kind,
                epoch=draw(st.integers(0, 6)),
                late=draw(st.booleans()),
                operation=draw(st.sampled_from([None, *NAMES])),
                **draw(PAYLOADS[kind]),
            )
        )
    return made


PLACES = st.fixed_dictionaries({"stage": st.sampled_from(["off", "canary"]), "percent": st.sampled_from([0.0, 5.0])})
IDS = st.integers(1, 3)
PAYLOADS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "operation.started": st.fixed_dictionaries({"kind": st.just("ramp"), "automatic": st.booleans()}),
    "operation.ended": st.fixed_dictionaries({"outcome": st.sampled_from(["done", "half-done", "undone"])}),
    "position.entered": PLACES,
    "bake.passed": PLACES,
    "rollout.started": st.fixed_dictionaries({"number": IDS}),
    "rollout.ended": st.just({}),
    "hold.set": st.fixed_dictionaries({"reason": st.text(max_size=5), "until": st.none() | st.floats(0, 1e10)}),
    "hold.released": st.just({}),
    "check.signed": st.fixed_dictionaries({"check": st.sampled_from(["a/b", "c"]), "yes": st.booleans()}),
    "incident.opened": st.fixed_dictionaries({"id": IDS, "title": st.text(max_size=3), "severity": st.just("P1")}),
    "incident.joined": st.fixed_dictionaries({"id": IDS}),
    "incident.severity": st.fixed_dictionaries({"id": IDS, "severity": st.just("P0")}),
    "incident.resolved": st.fixed_dictionaries({"id": IDS}),
    "noted": st.fixed_dictionaries({"kind": st.sampled_from(["complaint", "praise"])}),
    "something.else": st.just({"x": 1}),
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    store = open_sqlite(tmp_path_factory.mktemp("fold") / "state.db", clock=MachineClock())
    yield store
    store.close()


@settings(max_examples=60)
@given(histories(), st.lists(st.integers(0, 25), max_size=4), st.integers(0, 10**9))
def test_the_kept_state_is_the_one_that_events_make(
    stores: SqliteStore, history: list[Event], cuts: list[int], name: int
) -> None:
    """Appended in pieces with a look after each; then the kept state is thrown away, or one of another shape."""
    chain = Chain("checkout", f"e{name}-{stores.chains().__len__()}")
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(history)], strict=True):
        stores.append(chain, history[start:end])
        state_of(stores, chain)
    kept = state_of(stores, chain)
    whole = fold(State(), stores.events(chain))
    assert msgspec.msgpack.encode(kept) == msgspec.msgpack.encode(whole)
    assert kept.number == len(history)
    stores.save_state(chain, 0, msgspec.msgpack.encode({"position": 5}))
    assert state_of(stores, chain) == whole


@given(histories())
def test_the_state_knows_of_no_more_than_it_was_given(history: list[Event]) -> None:
    """Not of more events, and of no epoch that none of them has."""
    state = folded(*history)
    assert state.number == len(history)
    assert state.epoch == max((one.epoch for one in history), default=0)


def test_a_state_on_disk_is_read_as_it_was_written(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "state.db", clock=MachineClock())
    store.append(CHAIN, [entered(1, "canary@5"), event(2, "hold.set", reason="legal")])
    first = state_of(store, CHAIN)
    store.close()
    again = open_sqlite(tmp_path / "state.db", clock=MachineClock())
    assert again.load_state(CHAIN) is not None
    assert state_of(again, CHAIN) == first
    again.close()
