"""What the pages tell a reader to type and to write is right: commands, options, playbooks, links."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from runbook.playbook.load import load_playbook
from tests.docs.markdown import Page, pages
from tests.places import PROJECT
from tools.commands_page import Spoken, spoken

COMMANDS: dict[str, Spoken] = {each.name: each for each in spoken()}
NOUNS = {name.split()[0] for name in COMMANDS if " " in name}
PAGES = pages()
IDS = [page.name for page in PAGES]


def mistake(words: str) -> str:
    """What is wrong with a command line after `runbook`; empty when it can be typed."""
    typed = shlex.split(words)
    if typed[0].startswith("-"):
        return "" if typed[0] in ("--help", "-h", "--version", "--install-completion", "--show-completion") else words
    name = " ".join(typed[: 2 if typed[0] in NOUNS else 1])
    if name in NOUNS:
        return ""  # the noun itself, spoken of
    if name not in COMMANDS:
        return f"there is no command {name}"
    command: Any = COMMANDS[name].command
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    try:
        _, extra, _ = command.make_parser(typer.Context(command, info_name=name)).parse_args(typed[len(name.split()) :])
    except usage_error as error:
        return f"{name}: {error}"
    places = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    return f"{name}: {extra} is too much" if len(extra) > len(places) else ""


def test_a_wrong_line_is_found() -> None:
    assert mistake("ramp 10 --dry-run") == ""
    assert "no command" in mistake("rampp 10")
    assert "--dryrun" in mistake("ramp 10 --dryrun")
    assert "no command" in mistake("incident shout")


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_line_can_be_typed(page: Page) -> None:
    wrong = {words: found for words in page.command_lines() if (found := mistake(words))}
    assert wrong == {}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_in_help_can_be_typed(name: str) -> None:
    assert mistake(COMMANDS[name].example.partition(" > ")[0].removeprefix("runbook ")) == ""


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_whole_playbook_is_right(page: Page, tmp_path: Path) -> None:
    told = [text for text in page.fences("yaml") if re.search(r"^runbook: 1$", text, re.MULTILINE)]
    for number, text in enumerate(told):
        path = tmp_path / "playbooks" / f"{number}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        assert [str(problem) for problem in load_playbook(path, tmp_path).problems] == []


def test_the_readme_has_a_whole_playbook() -> None:
    (text,) = Page(PROJECT / "README.md").fences("yaml", "complete")
    assert text.startswith("runbook: 1\n")
    assert len(text.splitlines()) <= 25


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_link_leads_to_a_place(page: Page) -> None:
    dead = []
    for to in page.links():
        name, _, anchor = to.partition("#")
        path = (page.path.parent / name).resolve() if name else page.path
        if not path.exists() or (anchor and anchor not in Page(path).anchors()):
            dead.append(to)
    assert dead == []


@pytest.mark.parametrize("name", ["docs/images/demo.svg"])
def test_a_picture_fetches_nothing(name: str) -> None:
    text = (PROJECT / name).read_text("utf-8")
    addresses = set(re.findall(r"https?://[^\s\"')]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert "runbook&#160;ramp&#160;10" in text


INSTALLS = re.compile(r"(?:pip|pipx|uv|uvx)\b[^\n`]*? (?P<rest>(?:install|inject|--from)\b[^\n`]*)")


def strangers(text: str) -> list[str]:
    """The lines that have a package index's `runbook` installed, which is another project's."""
    found = []
    for line in INSTALLS.finditer(text):
        words = shlex.split(line["rest"], comments=True)
        named = words[2:] if words[0] == "inject" else words[1:2] if words[0] == "--from" else words[1:]
        if any(re.fullmatch(r"runbook(\[.*|[<>=!~].*)?", word) for word in named):
            found.append(line[0])
    return found


def test_a_line_that_fetches_a_stranger_is_found() -> None:
    for line in ("pip install runbook", "python -m pip install 'runbook[sql]'", "pipx install runbook==1",
                 "pipx inject other runbook", "uvx --from runbook runbook"):  # fmt: skip
        assert len(strangers(line)) == 1
    for line in ("pip install .", "pipx inject runbook .", "uvx --from . runbook", "pip install ~/checkouts/runbook"):
        assert strangers(line) == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_no_page_has_a_stranger_installed(page: Page) -> None:
    assert strangers(page.text) == []
    for text in page.fences("toml"):
        assert "runbook" not in tomllib.loads(text).get("project", {}).get("dependencies", [])


def test_the_page_of_a_check_begins_with_the_tool_itself() -> None:
    first = next(iter(Page(PROJECT / "docs/how-to/write-a-check.md").fences("sh")))
    assert re.search(r"^python -m pip install \S*/runbook\b", first, re.MULTILINE)
