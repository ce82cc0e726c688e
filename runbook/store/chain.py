"""The chain: how an event's head becomes bytes, what its hash covers, and the proof that nothing was changed."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from runbook.store.base import Chain, Store, Stored
from runbook.store.events import Event, Recorded, Who
from runbook.store.heads import KeptHead

REDACTED = "redacted"
_REDACTED_MARK = b'"kind":"redacted"'  # cannot stand inside a JSON text: its quotes would be escaped


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What the hash of an event covers. `previous` is the hash before, `payload` the digest of the payload's bytes.

    The fields are encoded in this order; a stored head is never encoded again, only hashed and decoded.
    """

    previous: str
    payload: str
    number: int
    at: int
    uuid: str
    kind: str
    who: Who
    rollout: int | None
    epoch: int
    late: bool
    operation: str | None


@dataclass(frozen=True)
class Sealed:
    """An event ready to be stored: the bytes of head and payload, and the hexadecimal SHA-256 of the head."""

    recorded: Recorded
    head: bytes
    payload: bytes


@dataclass(frozen=True)
class Verification:
    """Whether a chain is what was once written.

    `count` events were looked at, the last of them has the hash `head_hash`. `first_bad` is the number of the first
    event that is not sound and `reason` says what is wrong with it. `anchored` tells that a head kept apart was
    compared: without one, a tail cut off together with the store's own count cannot be seen.
    """

    ok: bool
    count: int
    first_bad: int | None = None
    reason: str = ""
    head_hash: str = ""
    anchored: bool = False


def digest(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return sha256(data).hexdigest()


def first_previous(chain: Chain) -> str:
    """What stands as the hash before the first event: it names the chain, so one cannot pass for another."""
    return digest(msgspec.json.encode(["runbook chain 1", storable(chain.service), storable(chain.environment)]))


def storable(text: str) -> str:
    """The text with what UTF-8 cannot hold (half surrogates from odd file names) written out as `\\udc80`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def storable_values(value: Any) -> Any:
    """The same for all texts in a plain value."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable_values(key): storable_values(inner) for key, inner in value.items()}
    return [storable_values(inner) for inner in value] if isinstance(value, list | tuple) else value


def seal(event: Event, number: int, previous: str) -> Sealed:
    """Gives an event its place in the chain. Raises `TypeError` for a payload that JSON cannot say."""
    try:
        return _seal(event, number, previous)
    except UnicodeEncodeError:
        return _seal(_storable_event(event), number, previous)


def _seal(event: Event, number: int, previous: str) -> Sealed:
    payload = msgspec.json.encode(event.payload, order="deterministic")
    head = msgspec.json.encode(
        Head(
            previous=previous,
            payload=digest(payload),
            number=number,
            at=event.at,
            uuid=event.uuid,
            kind=event.kind,
            who=event.who,
            rollout=event.rollout,
            epoch=event.epoch,
            late=event.late,
            operation=event.operation,
        )
    )
    return Sealed(Recorded(number=number, hash=digest(head), event=event), head, payload)


def _storable_event(event: Event) -> Event:
    return msgspec.convert(storable_values(msgspec.to_builtins(event)), type=Event)


_PAYLOAD = slice(90, 154)  # where the digest of the payload stands in the bytes of a head


def _payload_digest(head: bytes) -> str:
    return head[_PAYLOAD].decode("ascii", "replace")


_DECODE_HEAD = msgspec.json.Decoder(Head).decode
_DECODE_PAYLOAD = msgspec.json.Decoder(dict[str, Any]).decode


def unseal(head: bytes, payload: bytes | None) -> Recorded:
    """The event again. Raises `msgspec.MsgspecError` or `UnicodeError` for damaged bytes."""
    kept = _DECODE_HEAD(head)
    event = Event(
        kind=kept.kind,
        at=kept.at,
        who=kept.who,
        payload={} if payload is None else _DECODE_PAYLOAD(payload),
        rollout=kept.rollout,
        operation=kept.operation,
        epoch=kept.epoch,
        late=kept.late,
        uuid=kept.uuid,
    )
    return Recorded(number=kept.number, hash=digest(head), event=event, redacted=payload is None)


def verify(store: Store, chain: Chain, kept_head: KeptHead | None) -> Verification:
    """Looks at every stored byte of a chain once, in constant memory, and names the first event that is not sound.

    `kept_head` is the head kept beside the store (`heads.read_head`). A chain that is longer than it is sound, since
    the head is written after the commit; one that is shorter has lost its tail. Raises `StoreAway`.
    """
    walk = _Walk(chain, kept_head)
    for page in store.stored(chain):
        for row in page:
            reason = walk.step(row)
            if reason:
                return walk.bad(min(row.number, walk.number + 1), reason)
    return walk.end(_own_head(store, chain))


def _own_head(store: Store, chain: Chain) -> tuple[int, str]:
    wanted = Chain(storable(chain.service), storable(chain.environment))
    for info in store.chains():
        if info.chain == wanted:
            return info.number, info.hash
    return 0, ""


class _Walk:
    """Goes along a chain; `missing` are erased payloads whose redaction has not come by yet."""

    def __init__(self, chain: Chain, kept: KeptHead | None) -> None:
        self.kept = kept
        self.number = 0
        self.hash = first_previous(chain)
        self.missing: set[int] = set()

    def step(self, row: Stored) -> str:
        """What is wrong with the next event; empty when it is sound."""
        number, at, uuid, operation, head, payload = row
        if number != self.number + 1:
            return "it is missing" if number > self.number else "its number is not one that an event can have"
        payload_digest = sha256(payload).hexdigest() if payload is not None else _payload_digest(head)
        # Two comparisons of bytes stand for reading JSON; only where a text had to be escaped is the head decoded.
        beginning = (
            f'{{"previous":"{self.hash}","payload":"{payload_digest}",'
            f'"number":{number},"at":{at},"uuid":"{uuid}","kind":"'
        )
        ending = ',"operation":null}' if operation is None else f',"operation":"{operation}"}}'
        if not (head.startswith(beginning.encode()) and head.endswith(ending.encode())):
            reason = self._compare(row, payload_digest)
            if reason:
                return reason
        if payload is None:
            self.missing.add(number)
        elif _REDACTED_MARK in head:
            self._redaction(payload)
        self.number, self.hash = number, sha256(head).hexdigest()
        if self.kept is not None and self.kept.number == number and self.kept.hash != self.hash:
            self.number -= 1
            return "it is not the event whose hash is in the head kept beside the store"
        return ""

    def _redaction(self, payload: bytes) -> None:
        try:
            self.missing.discard(_DECODE_PAYLOAD(payload).get("number", 0))
        except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError):
            return  # it names nothing, so what it was to explain stays unexplained

    def _compare(self, row: Stored, payload_digest: str) -> str:
        try:
            head = _DECODE_HEAD(row.head)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return "its head cannot be read"
        if head.previous != self.hash:
            return "its head does not follow from the event before it, or that one was changed"
        if head.payload != payload_digest:
            return "its payload is not the one that was recorded"
        if (head.number, head.at, head.uuid, head.operation) != (row.number, row.at, row.uuid, row.operation):
            return "its columns differ from its head"
        return ""

    def bad(self, number: int, reason: str) -> Verification:
        return Verification(False, self.number, number, reason, self.hash, self.kept is not None)

    def end(self, own: tuple[int, str]) -> Verification:
        """The verdict on the whole, given what the store itself says is the chain's head."""
        if self.missing:
            return self.bad(min(self.missing), "its payload is missing, and no redaction names it")
        if self.kept is not None and self.number < self.kept.number:
            return self.bad(self.number + 1, f"the tail is cut off: {self.kept.number} events were kept")
        if own[0] != self.number:
            reason = "it is missing" if own[0] > self.number else "the store never counted it"
            return self.bad(min(own[0], self.number) + 1, f"{reason}: the store's own count says {own[0]} events")
        if self.number and own[1] != self.hash:
            return self.bad(self.number, "the store's own last hash is another one")
        return Verification(True, self.number, None, "", self.hash if self.number else "", self.kept is not None)


def redact(store: Store, chain: Chain, number: int, *, who: Who, reason: str, at: int) -> Recorded:
    """Erases the payload of one event for good and records who did it, when (`at`, microseconds) and why.

    The chain verifies as before, since only the payload's digest is part of it. Raises `LookupError` when there is
    no such event, or when it is itself a redaction.
    """
    event = Event(kind=REDACTED, at=at, who=who, payload={"number": number, "reason": reason})
    return store.redact(chain, number, event)
