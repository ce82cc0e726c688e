"""The action `notify`: it hands a notice on, and knows the line that does the same by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from runbook.actions.base import Done
from runbook.actions.notify import Notify
from runbook.actions.registry import KINDS, NOT_YET, REDEPLOYS
from tests.actions.making import hands


def test_it_is_a_kind_and_brings_no_service_to_read_its_flags() -> None:
    assert KINDS["notify"] is Notify
    assert "notify" not in NOT_YET | REDEPLOYS


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [("users-rolled-back", "runbook notify users-rolled-back"), ("x; rm -rf /", "runbook notify 'x; rm -rf /'")],
)
def test_it_says_what_it_would_do_and_how_by_hand(name: str, by_hand: str) -> None:
    made = msgspec.convert({"notify": name}, Notify)
    assert made.preview() == f"notify {name}"
    assert made.by_hand("https://shop.example.com") == by_hand


def test_it_hands_the_notice_on_and_tells_what_became_of_it(tmp_path: Path) -> None:
    told: list[str] = []

    def tell(name: str) -> Done:
        told.append(name)
        return Done(True, "queued for users")

    assert Notify(notify="rolled-back").act(replace(hands(tmp_path), tell=tell), 1.0) == Done(True, "queued for users")
    assert told == ["rolled-back"]


def test_where_nobody_can_be_told_it_fails_and_says_so(tmp_path: Path) -> None:
    done = Notify(notify="rolled-back").act(hands(tmp_path), 1.0)
    assert not done.ok
    assert "rolled-back" in done.message
