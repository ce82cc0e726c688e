"""Advice is for what fails, and a command only where it can be typed."""

from __future__ import annotations

import pytest

from runbook.show.advice import advice_on, can_be_typed


@pytest.mark.parametrize(
    "message",
    [
        "no answer yet: runbook sign trained",
        "psycopg is not installed here: pip install 'runbook[postgres]'",
        "${TOKEN} is not set (set the variable TOKEN)",
        "x.env is not there: run it where the flag file lies, or put x.env there",
    ],
)
def test_a_row_that_says_what_is_missing_needs_no_advice(message: str) -> None:
    assert advice_on("unknown", "make it", message) == ""
    assert advice_on("fail", "make it", message) == "make it"


def test_a_row_that_says_nothing_of_it_keeps_the_advice() -> None:
    assert advice_on("unknown", "make it", "there is no value in the answer") == "make it"
    assert advice_on("fail", None, "") == ""


@pytest.mark.parametrize("advice", ["make words", "./fix.sh", "runbook status", "A=1 make it", "look at restart.sh"])
def test_commands(advice: str) -> None:
    assert can_be_typed(advice)


@pytest.mark.parametrize("advice", ["https://wiki.example/x", "slack://channel", "Ask the team", "Restart", " "])
def test_what_is_read_and_not_typed(advice: str) -> None:
    assert not can_be_typed(advice)
