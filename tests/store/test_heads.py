"""The head kept beside the store, and the file names of chains."""

from __future__ import annotations

import stat
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.store.base import Chain, StoreAway
from runbook.store.heads import KeptHead, chain_slug, head_path, keep_head, read_head
from tests.store.making import BASE, CHAIN, filled

ODD = ["a", "A", "a-b", "b", "b-c", "a_b", "a/b", "..", "", "a~b", "ä", "a\0b", "\udc80", "x" * 300, "x" * 301, "con "]


def test_a_plain_chain_has_a_plain_name() -> None:
    assert chain_slug(Chain("model-routing", "production")) == "model-routing-production"


def test_no_two_chains_share_a_file_name() -> None:
    chains = [Chain(service, environment) for service in ODD for environment in ODD]
    names = [chain_slug(chain).lower() for chain in chains]
    assert len(set(names)) == len(chains) == len(ODD) ** 2


@given(st.text(), st.text(), st.text(), st.text())
def test_a_file_name_is_one_safe_file_name(service: str, environment: str, other: str, another: str) -> None:
    for one, two in combinations([Chain(service, environment), Chain(other, another)], 2):
        assert (chain_slug(one) == chain_slug(two)) == (one == two)
    name = chain_slug(Chain(service, environment))
    assert name.isascii() and name.isprintable() and 0 < len(name.encode()) < 150
    assert not set(name) & set("/\\ '\"$`;&|<>*?") and name[0] not in "-."


def test_the_head_follows_each_append_and_is_private(tmp_path: Path) -> None:
    store = filled(tmp_path / "state.db", 3)
    (last,) = store.events(CHAIN, last=1)
    heads = tmp_path / "heads"
    assert read_head(heads, CHAIN) == KeptHead(number=3, hash=last.hash, at=BASE + 3)
    assert stat.S_IMODE(head_path(heads, CHAIN).stat().st_mode) == 0o600
    assert read_head(heads, Chain("other", "staging")) is None
    store.close()


def test_an_older_head_never_replaces_a_newer_one(tmp_path: Path) -> None:
    newer, older = KeptHead(number=9, hash="n", at=9), KeptHead(number=8, hash="o", at=8)
    keep_head(tmp_path, CHAIN, newer, lambda number: None)
    keep_head(tmp_path, CHAIN, older, lambda number: "n")
    assert read_head(tmp_path, CHAIN) == newer


def test_a_head_that_the_chain_contradicts_stays_as_evidence(tmp_path: Path) -> None:
    kept, next_ = KeptHead(number=9, hash="n", at=9), KeptHead(number=12, hash="x", at=12)
    keep_head(tmp_path, CHAIN, kept, lambda number: None)
    for told in (None, "another"):
        keep_head(tmp_path, CHAIN, next_, lambda number, told=told: told)  # type: ignore[misc]
        assert read_head(tmp_path, CHAIN) == kept
    keep_head(tmp_path, CHAIN, next_, {9: "n"}.get)
    assert read_head(tmp_path, CHAIN) == next_


def test_every_change_to_a_head_file_is_seen(tmp_path: Path) -> None:
    head = KeptHead(number=123, hash="5e" * 32, at=BASE)
    keep_head(tmp_path, CHAIN, head, lambda number: None)
    path = head_path(tmp_path, CHAIN)
    good = path.read_bytes()
    length = len(good.rstrip())
    for place in range(length):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(StoreAway, match="cannot be read"):
            read_head(tmp_path, CHAIN)
    for size in range(1, length):
        path.write_bytes(good[:size])
        with pytest.raises(StoreAway):
            read_head(tmp_path, CHAIN)
        keep_head(tmp_path, CHAIN, KeptHead(number=200, hash="n", at=BASE), lambda number: None)
        assert path.read_bytes() == good[:size], "a spoilt head is for a person to look at"


def test_an_empty_head_file_is_none_and_is_written_to(tmp_path: Path) -> None:
    head_path(tmp_path, CHAIN).touch()
    assert read_head(tmp_path, CHAIN) is None
    head = KeptHead(number=1, hash="n", at=BASE)
    keep_head(tmp_path, CHAIN, head, lambda number: None)
    assert read_head(tmp_path, CHAIN) == head


def test_an_append_does_not_fail_for_want_of_a_head(tmp_path: Path) -> None:
    (tmp_path / "heads").write_text("a file where the folder should be")
    store = filled(tmp_path / "state.db", 2)
    assert len(store.events(CHAIN)) == 2
    store.close()
