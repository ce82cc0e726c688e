"""What every store promises, whatever it is kept in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from runbook.store.base import Busy, Chain, Fold, SampleRow, StaleEpoch, Store, StoreAway
from runbook.store.chain import redact, verify
from runbook.store.events import Event, Recorded
from runbook.store.sqlite import open_sqlite
from runbook.system.clock import Clock
from tests.clocks import SetClock
from tests.store.making import ANA, BASE, CHAIN, ODD_TEXTS, event, myself, somebody_else

Opener = Callable[[Clock], Store]
OTHER = Chain("checkout", "staging")


def sqlite_opener(folder: Path) -> Opener:
    return lambda clock: open_sqlite(folder / "state.db", clock=clock)


@pytest.fixture(params=[sqlite_opener], ids=["sqlite"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return request.param(tmp_path)  # type: ignore[no-any-return]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def store(opener: Opener, clock: SetClock) -> Iterator[Store]:
    opened = opener(clock)
    yield opened
    opened.close()


def last_step(body: bytes | None, new: list[Recorded]) -> bytes:
    """A fold for the tests: all numbers that were ever seen, so that one left out or taken twice shows."""
    return (body or b"") + b"".join(b"%d," % one.number for one in new)


FOLD: Fold = last_step  # type: ignore[assignment]


def test_events_come_back_as_they_were_in_their_order(store: Store) -> None:
    given = [event(1), event(2, operation=None), event(3, kind="note", late=[1, {"a": None}])]
    recorded = store.append(CHAIN, given)
    assert [one.number for one in recorded] == [1, 2, 3]
    assert store.events(CHAIN) == recorded
    assert [one.event for one in recorded] == given
    assert len({one.hash for one in recorded}) == 3


def test_all_fields_of_an_event_are_kept(store: Store) -> None:
    full = Event(
        kind="k", at=BASE, who=ANA, payload={"deep": {"b": 1, "a": 2.5}}, rollout=4, operation="o", epoch=9, late=True
    )
    store.append(CHAIN, [full])
    assert store.events(CHAIN)[0].event == full


def test_an_event_is_stored_once_however_often_it_is_sent(store: Store) -> None:
    one, two = event(1), event(2)
    assert len(store.append(CHAIN, [one, one])) == 1
    assert [new.number for new in store.append(CHAIN, [one, two])] == [2]
    assert store.append(CHAIN, [two]) == []
    assert len(store.append(OTHER, [one])) == 1, "another chain has its own"
    assert len(store.events(CHAIN)) == 2


def test_events_are_chosen_by_number_time_operation_and_count(store: Store) -> None:
    store.append(CHAIN, [event(number, operation=f"op-{number % 2}") for number in range(1, 11)])

    def numbers(**wanted: object) -> list[int]:
        return [one.number for one in store.events(CHAIN, **wanted)]  # type: ignore[arg-type]

    assert numbers(after=7) == [8, 9, 10]
    assert numbers(last=2) == [9, 10]
    assert numbers(last=0) == []
    assert numbers(last=99) == list(range(1, 11))
    assert numbers(since=BASE + 9) == [9, 10]
    assert numbers(operation="op-1") == [1, 3, 5, 7, 9]
    assert numbers(operation="op-%") == []
    assert numbers(operation="op-0", since=BASE + 3, after=4, last=2) == [8, 10]


def test_an_unknown_chain_is_empty(store: Store) -> None:
    assert store.events(CHAIN) == []
    assert store.chains() == []
    assert store.load_state(CHAIN) is None
    assert store.get_note(CHAIN, "rules/x") is None
    assert store.samples(CHAIN, "m", 0) == []
    assert store.lease_of(CHAIN) is None
    assert store.epoch_of(CHAIN) == 0
    assert verify(store, CHAIN, None).ok


def test_chains_are_listed_with_their_playbooks_and_last_events(store: Store) -> None:
    store.register(OTHER, "checkout", "playbooks/checkout.yaml")
    recorded = store.append(CHAIN, [event(1), event(2)])
    store.register(CHAIN, "old", "old.yaml")
    store.register(CHAIN, "checkout", "playbooks/checkout.yaml")
    first, second = store.chains()
    assert (first.chain, first.playbook_name, first.number, first.hash) == (CHAIN, "checkout", 2, recorded[-1].hash)
    assert (second.chain, second.playbook_path, second.number, second.hash) == (OTHER, "playbooks/checkout.yaml", 0, "")


def test_what_was_written_is_there_for_the_next_process(opener: Opener, store: Store, clock: SetClock) -> None:
    store.append(CHAIN, [event(1)])
    again = opener(clock)
    assert again.events(CHAIN) == store.events(CHAIN)
    again.append(CHAIN, [event(2)])
    assert [one.number for one in store.events(CHAIN)] == [1, 2]
    again.close()


@pytest.mark.parametrize("text", ODD_TEXTS, ids=lambda text: ascii(text[:12]))
def test_odd_texts_are_data_everywhere(store: Store, text: str) -> None:
    chain, storable = Chain(f"s{text}", f"e{text}"), text.encode("utf-8", "backslashreplace").decode()
    given = Event(
        kind=f"k{text}", at=BASE, who=ANA, payload={f"key{text}": [text]}, operation=f"o{text}", uuid=f"u{text}"
    )
    store.append(chain, [event(1, operation=None), given])
    store.append(chain, [given])
    (found,) = store.events(chain, operation=f"o{text}")
    assert found.number == 2
    assert found.event.payload == {f"key{storable}": [storable]}
    store.put_note(chain, f"n{text}", b"body")
    assert store.get_note(chain, f"n{text}") == b"body"
    store.keep_samples(chain, [SampleRow(metric=f"m{text}", t=1, text=text, error=text)])
    assert store.samples(chain, f"m{text}", 0)[0].text == storable
    lease = store.take_lease(chain, msgspec.structs.replace(myself(), operator=text), text, text)
    store.renew(lease, text)
    view = store.lease_of(chain)
    assert view is not None and view.lease.doing == storable
    redact(store, chain, 2, who=ANA, reason=text, at=BASE)
    assert verify(store, chain, None).ok
    assert len(store.chains()) == 1


def test_the_state_is_folded_with_the_append_and_rebuilt_when_it_is_missing_or_behind(store: Store) -> None:
    store.append(CHAIN, [event(1)])
    store.append(CHAIN, [event(2)], state=FOLD)
    assert store.load_state(CHAIN) == (2, b"1,2,"), "none was kept: folded from the first event on"
    store.append(CHAIN, [event(3), event(4)], state=FOLD)
    assert store.load_state(CHAIN) == (4, b"1,2,3,4,")
    store.append(CHAIN, [event(5)])
    store.append(CHAIN, [event(6)], state=FOLD)
    assert store.load_state(CHAIN) == (6, b"1,2,3,4,5,6,"), "it was behind"
    store.append(CHAIN, [store.events(CHAIN)[0].event], state=FOLD)
    assert store.load_state(CHAIN) == (6, b"1,2,3,4,5,6,"), "nothing new"
    store.save_state(CHAIN, 99, b"from the future")
    assert store.load_state(CHAIN) is None


def test_an_append_that_fails_while_folding_leaves_nothing(store: Store) -> None:
    def fails(body: bytes | None, new: object) -> bytes:
        raise RuntimeError("no")

    store.append(CHAIN, [event(1)])
    with pytest.raises(RuntimeError):
        store.append(CHAIN, [event(2)], state=fails)
    assert [one.number for one in store.events(CHAIN)] == [1]
    assert [one.number for one in store.append(CHAIN, [event(2)])] == [2]


def test_a_payload_is_erased_and_the_chain_still_verifies(store: Store) -> None:
    store.append(CHAIN, [event(1), event(2, secret="hunter2"), event(3)], state=FOLD)
    recorded = redact(store, CHAIN, 2, who=ANA, reason="a password was pasted", at=BASE + 9)
    assert recorded.number == 4 and recorded.event.payload == {"number": 2, "reason": "a password was pasted"}
    found = store.events(CHAIN)
    assert [one.redacted for one in found] == [False, True, False, False]
    assert found[1].event.payload == {} and found[1].event.kind == "step.done"
    assert store.load_state(CHAIN) is None, "what was folded from it is gone too"
    assert verify(store, CHAIN, None).ok


def test_only_a_payload_that_is_there_can_be_erased(store: Store) -> None:
    store.append(CHAIN, [event(1)])
    redact(store, CHAIN, 1, who=ANA, reason="r", at=BASE)
    for number in (0, 1, 2, 3, -1):
        with pytest.raises(LookupError):
            redact(store, CHAIN, number, who=ANA, reason="r", at=BASE)
    assert len(store.events(CHAIN)) == 2


def test_a_payload_that_json_cannot_say_is_refused_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(TypeError):
        store.append(CHAIN, [event(1), event(2, odd=object())])
    assert store.events(CHAIN) == []


def test_notes_are_kept_replaced_and_forgotten(store: Store) -> None:
    store.put_note(CHAIN, "rules/down", b"1")
    store.put_note(CHAIN, "rules/down", b"\x00\xff2")
    assert store.get_note(CHAIN, "rules/down") == b"\x00\xff2"
    assert store.get_note(OTHER, "rules/down") is None
    store.put_note(CHAIN, "rules/down", None)
    assert store.get_note(CHAIN, "rules/down") is None
    store.put_note(CHAIN, "state", b"not the folded state")
    assert store.load_state(CHAIN) is None


def test_a_note_is_changed_as_one(store: Store) -> None:
    store.change_note(CHAIN, "n", lambda kept: b"none" if kept is None else b"some")
    store.change_note(CHAIN, "n", lambda kept: (kept or b"") + b" and more")
    assert store.get_note(CHAIN, "n") == b"none and more"
    with pytest.raises(ZeroDivisionError):
        store.change_note(CHAIN, "n", lambda kept: bytes(1 // 0))
    assert store.get_note(CHAIN, "n") == b"none and more"


def test_samples_come_back_by_metric_and_time(store: Store) -> None:
    rows = [SampleRow(metric="errors", t=float(t), value=t / 10) for t in range(10)]
    store.keep_samples(CHAIN, [*rows, SampleRow(metric="version", t=3.5, text="2.1")])
    store.keep_samples(CHAIN, [SampleRow(metric="errors", t=3.0, value=99.0), *rows])
    assert store.samples(CHAIN, "errors", 3.0, 5.0) == rows[3:6]
    assert store.samples(CHAIN, "errors", 8.5) == rows[9:]
    assert store.samples(CHAIN, "version", 0) == [SampleRow(metric="version", t=3.5, text="2.1")]
    assert store.samples(OTHER, "errors", 0) == []
    store.keep_samples(OTHER, rows[:2])
    assert store.prune_samples(CHAIN, 5.0) == 6
    assert store.samples(CHAIN, "errors", 0) == rows[5:]
    assert store.samples(OTHER, "errors", 0) == rows[:2]
    store.keep_samples(CHAIN, [])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_what_is_not_a_number_is_no_value(store: Store, value: float | None) -> None:
    store.keep_samples(
        CHAIN, [SampleRow(metric="m", t=1.0, value=value), SampleRow(metric="m", t=2.0, error="refused")]
    )
    first, second = store.samples(CHAIN, "m", 0)
    assert (first.value, first.error) == (None, "")
    assert (second.value, second.error) == (None, "refused")


def test_an_append_under_a_lease_that_was_taken_over_writes_nothing(store: Store) -> None:
    mine = store.take_lease(CHAIN, myself(), "op-1", "ramp")
    store.append(CHAIN, [event(1)], lease=mine)
    store.take_lease(CHAIN, somebody_else(), "op-2", "rollback", takeover=True)
    with pytest.raises(StaleEpoch) as refused:
        store.append(CHAIN, [event(2)], lease=mine)
    assert (refused.value.held, refused.value.current) == (1, 2)
    assert len(store.events(CHAIN)) == 1


def test_busy_names_the_holder(store: Store) -> None:
    store.take_lease(CHAIN, somebody_else("ben"), "op-2", "ramp")
    with pytest.raises(Busy) as refused:
        store.take_lease(CHAIN, myself(), "op-1", "ramp")
    assert refused.value.lease.holder.operator == "ben"
    assert store.take_lease(OTHER, myself(), "op-1", "ramp").epoch == 1, "another environment is free"


def test_nothing_can_be_used_after_it_was_closed(opener: Opener, clock: SetClock) -> None:
    store = opener(clock)
    store.close()
    with pytest.raises(StoreAway, match="not open"):
        store.events(CHAIN)


def test_an_entry_that_is_too_large_is_refused_and_the_next_one_goes_through(store: Store) -> None:
    with pytest.raises(StoreAway, match="too large"):
        store.put_note(CHAIN, "n", bytes(65 * 1024 * 1024))
    store.put_note(CHAIN, "n", bytes(8 * 1024 * 1024))
    assert store.get_note(CHAIN, "n") == bytes(8 * 1024 * 1024)
