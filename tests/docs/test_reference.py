"""The reference is what the code says, and nothing of the code is missing in it."""

from __future__ import annotations

import pytest

from runbook.actions import registry as actions
from runbook.checks import registry as checks
from runbook.playbook.schema import options_schema
from runbook.playbook.sections import SECTIONS
from runbook.system.refusals import Exit
from tests.docs.markdown import Page
from tests.places import PROJECT
from tools.commands_page import Spoken, own_parameters, spoken
from tools.kind_words import CHECKS_TRIED
from tools.reference import PAGES, generated, kept

COMMANDS = list(spoken())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert kept(name) == generated(name), "next: python -m tools.reference"


@pytest.mark.parametrize("kind", checks.KINDS)
def test_every_kind_of_check_has_its_row(kind: str) -> None:
    text = kept("checks.md")
    row = next(line for line in text.splitlines() if line.startswith(f"| [`{kind}`](#check-{kind}) |"))
    tried = CHECKS_TRIED[kind]
    assert checks.KINDS[kind].LOOKS_AT in row
    assert tried.peer in row
    assert f"\n- {checks.KINDS[kind].EXAMPLE}\n" in text
    assert f'"{kind}"' in (PROJECT / tried.tests).read_text("utf-8") or f"{kind}:" in (PROJECT / tried.tests).read_text(
        "utf-8"
    ), f"{tried.tests} does not try the kind {kind}"


@pytest.mark.parametrize("kind", checks.KINDS)
def test_every_option_of_a_check_is_told(kind: str) -> None:
    section = kept("checks.md").partition(f"### check: {kind}\n")[2].partition("\n### ")[0]
    missing = [name for name in options_schema(checks.KINDS[kind])["properties"] if f"\n| `{name}` |" not in section]
    assert missing == []


@pytest.mark.parametrize("kind", actions.KINDS)
def test_every_kind_of_action_has_its_row(kind: str) -> None:
    assert f"| [`{kind}`](#action-{kind}) | {actions.KINDS[kind].DOES}" in kept("checks.md")


@pytest.mark.parametrize("kind", sorted(actions.NOT_YET))
def test_what_is_not_built_is_named(kind: str) -> None:
    lines = [line for line in kept("checks.md").splitlines() if line.startswith("Not built yet")]
    assert any(f"`{kind}`" in line for line in lines)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_told(section: str) -> None:
    assert f"\n| `{section}` |" in kept("playbook.md")


@pytest.mark.parametrize("each", COMMANDS, ids=lambda each: each.name)
def test_every_command_is_told(each: Spoken) -> None:
    text = kept("commands.md")
    section = text.partition(f"\n## runbook {each.name}\n")[2].partition("\n## ")[0]
    assert f"[`{each.name}`]" in text
    assert each.sentences[0] in section
    for parameter in own_parameters(each.command):
        word = parameter.opts[0] if parameter.param_type_name == "option" else (parameter.metavar or "").strip("[]{}")
        assert word.upper() in section.replace("\\|", "|").upper(), f"{word} is not told"


@pytest.mark.parametrize("each", COMMANDS, ids=lambda each: each.name)
def test_every_command_has_help_and_an_example(each: Spoken) -> None:
    assert each.example.startswith(f"runbook {each.name}"), "its help needs a line Example: runbook ..."
    unexplained = [parameter.name for parameter in own_parameters(each.command) if not (parameter.help or "").strip()]
    assert unexplained == []


@pytest.mark.parametrize("exit_", list(Exit), ids=lambda exit_: str(int(exit_)))
def test_every_exit_status_is_told(exit_: Exit) -> None:
    row = f"| {int(exit_)} | {exit_.reason} |"
    assert row in kept("commands.md")
    assert row in Page(PROJECT / "docs" / "how-to" / "read-the-exit-status.md").text
