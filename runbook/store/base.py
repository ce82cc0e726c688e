"""What every store offers, and how it refuses. A store keeps one chain of events per service and environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import msgspec

from runbook.store.events import Event, Recorded

LEASE_SECONDS = 20.0  # how long a lease lives when it is not renewed


@dataclass(frozen=True, order=True)
class Chain:
    """The name of a chain: one service in one environment."""

    service: str
    environment: str

    def __str__(self) -> str:
        return f"{self.service} in {self.environment}"

    @property
    def name(self) -> str:
        """`checkout · production`, as every screen says it."""
        return f"{self.service} · {self.environment}"


@dataclass(frozen=True)
class ChainInfo:
    """A chain as the store knows it: its playbook, the number of its last event (0: none) and that event's hash."""

    chain: Chain
    playbook_name: str
    playbook_path: str
    number: int
    hash: str


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The process that holds a lease.

    `started` is the process's start time as the machine tells it; together with `boot` (which boot) and `namespace`
    (which process name space) it tells a process from a later one with the same number. Empty where not known.
    """

    operator: str
    host: str
    pid: int
    started: str
    boot: str
    namespace: str

    def same_process(self, other: Holder) -> bool:
        """Whether both are one and the same process."""
        return self.place() == other.place()

    def place(self) -> tuple[str, int, str, str, str]:
        """Where it runs, without who runs it."""
        return self.host, self.pid, self.started, self.boot, self.namespace


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to change one service and environment.

    `epoch` grows by one each time the lease is taken; `since` is in seconds since the epoch of the wall clock;
    `doing` is what the holder was at when it last renewed.
    """

    chain: Chain
    epoch: int
    holder: Holder
    operation: str
    kind: str
    since: float
    doing: str = ""
    emergency: bool = False


@dataclass(frozen=True)
class LeaseView:
    """A lease and how it stands: `live`, `dead` (its process is gone) or `expired`; `expires_in` is in seconds."""

    lease: Lease
    state: str
    expires_in: float

    @property
    def live(self) -> bool:
        return self.state == "live"


class SampleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement. `t` is in seconds since the epoch.

    `value` is a number or `text` a text; neither and no `error` means that the source had no value. What is not a
    finite number is no value: it comes back as None.
    """

    metric: str
    t: float
    value: float | None = None
    text: str | None = None
    error: str = ""


class Stored(NamedTuple):
    """An event just as its bytes are kept, for `chain.verify`. `payload` is None where it was erased."""

    number: int
    at: int
    uuid: str
    operation: str | None
    head: bytes
    payload: bytes | None


Fold = Callable[[bytes | None, Sequence[Recorded]], bytes]
"""Makes the new folded state: from the kept one (None: none is kept, and the events begin at number 1) and all events
after it. A store calls it inside the transaction that appends, so that the state is never ahead of the events."""


Change = Callable[[bytes | None], bytes]
"""Makes the new small thing from the kept one (None: there is none), inside the transaction that writes."""


class StoreAway(Exception):  # noqa: N818 - a state of the world, no error of the program
    """The store cannot be opened, read or written. `reason` says what is true, `hint` what to do."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Busy(Exception):  # noqa: N818 - as above
    """A live other holder has the lease."""

    def __init__(self, lease: Lease) -> None:
        holder = lease.holder
        super().__init__(f"{lease.chain} is held by {holder.operator} on {holder.host} ({lease.kind})")
        self.lease = lease


class StaleEpoch(Exception):  # noqa: N818 - as above
    """The lease was taken over: `held` is the epoch of the one who asks, `current` the chain's."""

    def __init__(self, held: int, current: int) -> None:
        super().__init__(f"epoch {held} was taken over by epoch {current}")
        self.held = held
        self.current = current


class Store(Protocol):
    """A store. Every method raises `StoreAway` when the store cannot be read or written."""

    def close(self) -> None: ...

    def register(self, chain: Chain, playbook_name: str, playbook_path: str) -> None:
        """Makes the chain known, and which playbook it belongs to."""
        ...

    def chains(self) -> list[ChainInfo]:
        """All chains, in the order of their names."""
        ...

    def append(
        self, chain: Chain, events: Sequence[Event], *, lease: Lease | None = None, state: Fold | None = None
    ) -> list[Recorded]:
        """Appends in one transaction and returns what is new: an event whose `uuid` the chain has is skipped.

        Raises `StaleEpoch` and writes nothing when `lease` was taken over.
        """
        ...

    def events(
        self,
        chain: Chain,
        *,
        after: int = 0,
        last: int | None = None,
        since: int | None = None,
        operation: str | None = None,
    ) -> list[Recorded]:
        """Events in the order of their numbers: those after number `after`, at or after `since` (microseconds since
        the epoch, as `Event.at`), of one operation; of these the `last` so many."""
        ...

    def stored(self, chain: Chain, *, after: int = 0) -> Iterator[Sequence[Stored]]:
        """The bytes of all events after number `after`, in pages, so that a long chain needs no more memory."""
        ...

    def redact(self, chain: Chain, number: int, event: Event) -> Recorded:
        """Erases the payload of one event and appends `event` in the same transaction; see `chain.redact`.

        Raises `LookupError` when there is no such event or it must not be erased.
        """
        ...

    def damage(self) -> str | None:
        """What is wrong with the file or database as a whole, by its own examination; None when it is sound."""
        ...

    def load_state(self, chain: Chain) -> tuple[int, bytes] | None:
        """The folded state and the number of the last event in it; None when there is none or it was damaged."""
        ...

    def save_state(self, chain: Chain, number: int, body: bytes) -> None: ...

    def take_lease(
        self,
        chain: Chain,
        holder: Holder,
        operation: str,
        kind: str,
        *,
        seconds: float = LEASE_SECONDS,
        takeover: bool = False,
        emergency: bool = False,
    ) -> Lease:
        """Takes the lease; its epoch is one higher than any before.

        Free at once are the lease of a process that is gone, an expired one, one from before a reboot and the
        holder's own. Raises `Busy` when another one lives: a takeover takes it all the same, an emergency unless it
        is an emergency too.
        """
        ...

    def renew(self, lease: Lease, doing: str, seconds: float = LEASE_SECONDS) -> Lease:
        """Keeps the lease for `seconds` from now. Raises `StaleEpoch` when it was taken over or released."""
        ...

    def release(self, lease: Lease) -> None:
        """Gives the lease back; nothing happens when it was taken over."""
        ...

    def lease_of(self, chain: Chain) -> LeaseView | None: ...

    def epoch_of(self, chain: Chain) -> int:
        """The highest epoch that the chain has seen; 0 when it was never held."""
        ...

    def raise_epoch(self, chain: Chain, epoch: int) -> None:
        """Lifts the chain's epoch to `epoch` where it is lower: for what happened while the store was away."""
        ...

    def keep_samples(self, chain: Chain, rows: Sequence[SampleRow]) -> None:
        """Keeps measurements; the first of the same metric and time stays."""
        ...

    def samples(self, chain: Chain, metric: str, since: float, until: float | None = None) -> list[SampleRow]:
        """Measurements with `since <= t <= until`, oldest first."""
        ...

    def prune_samples(self, chain: Chain, before: float) -> int:
        """Forgets measurements older than `before` and returns how many."""
        ...

    def get_note(self, chain: Chain, key: str) -> bytes | None: ...

    def put_note(self, chain: Chain, key: str, body: bytes | None) -> None:
        """Keeps a small thing under a name; None forgets it."""
        ...

    def change_note(self, chain: Chain, key: str, change: Change) -> None:
        """Keeps what `change` makes of a small thing, read and written in one transaction: of two processes that
        change it at once, each sees what the other made. What `change` raises is raised, and nothing is written."""
        ...
