"""Small notes kept in the store beside the chain: what a look has to know of the look before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from runbook.rollout.site import Site
from runbook.store.base import StoreAway

Kept = TypeVar("Kept")


def kept_note(site: Site, name: str, shape: type[Kept]) -> Kept | None:
    """The note of that name; None where there is none, it cannot be read, or the store is away."""
    if site.store is None:
        return None
    try:
        body = site.store.get_note(site.chain, name)
    except StoreAway as away:
        site.lose_store(away)
        return None
    return _read(body, shape)


def _read(body: bytes | None, shape: type[Kept]) -> Kept | None:
    if body is None:
        return None
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.MsgspecError:
        return None


def change_note(site: Site, name: str, shape: type[Kept], change: Callable[[Kept | None], Any]) -> None:
    """Keep what `change` makes of the note (None: there is none, or it cannot be read). Without the store nothing.

    It is read and written in one transaction: of two commands that end together neither loses what the other kept.
    """
    if site.store is None:
        return
    try:
        site.store.change_note(site.chain, name, lambda body: msgspec.json.encode(change(_read(body, shape))))
    except StoreAway as away:
        site.lose_store(away)


def keep_note(site: Site, name: str, note: Any) -> None:
    """Keep a note, or with None take it away. Without the store nothing is kept."""
    if site.store is None:
        return
    try:
        site.store.put_note(site.chain, name, None if note is None else msgspec.json.encode(note))
    except StoreAway as away:
        site.lose_store(away)
