"""What an answer ends with can be pasted: its commands carry the playbook and environment that were typed."""

from __future__ import annotations

import pytest

from runbook.cli.options import Shared
from runbook.cli.speech import of_refusal, with_choices
from runbook.show.answer import Answer
from runbook.show.page import Page
from runbook.show.printing import as_plain
from runbook.system.refusals import Exit, Refusal

TYPED = Shared(playbook="two words", env="production")


@pytest.mark.parametrize(
    ("step", "pasted"),
    [
        ("runbook gate", "runbook gate -p 'two words' -e production"),
        ("runbook release  lets it go on", "runbook release -p 'two words' -e production  # lets it go on"),
        ("to wait: runbook watch, then look", "to wait: runbook watch -p 'two words' -e production, then look"),
        ("runbook status -e staging", "runbook status -e staging"),
        ("runbook sandbox up -p kitchen", "runbook sandbox up -p kitchen -e production"),
        ("ask the team", "ask the team"),
    ],
)
def test_what_to_type_next_names_what_was_typed(step: str, pasted: str) -> None:
    answer = of_refusal(Refusal("no", next_steps=["first look", step]))
    with_choices(answer, TYPED)
    assert as_plain(answer.page).splitlines()[1:] == ["Next: first look", f"      {pasted}"]
    assert answer.lists["next"] == ["first look", pasted]


def test_remedies_are_typed_and_what_is_told_is_not() -> None:
    page = Page()
    page.line("     runbook ramp 10 was told of")
    page.under("runbook ramp 10 too")
    page.remedy("runbook release")
    answer = Answer(Exit.GO, "", page)
    with_choices(answer, Shared(env="production"))
    told = as_plain(page)
    assert "runbook ramp 10 was told of\n" in told
    assert "runbook ramp 10 too\n" in told
    assert "do: runbook release -e production\n" in told


def test_nothing_typed_nothing_added() -> None:
    answer = of_refusal(Refusal("no", next_steps=["runbook gate"]))
    with_choices(answer, Shared())
    assert answer.lists["next"] == ["runbook gate"]
