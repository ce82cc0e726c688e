"""docs/reference/commands.md: every command with its arguments and options, from the application itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from runbook.cli.app import app
from runbook.cli.commands import COMMANDS
from runbook.cli.exit_codes import MEANING
from runbook.cli.options import PANEL, SHARED_OPTIONS
from tools.markdown import GENERATED, code, table

INTRODUCTION = """# Commands

`runbook COMMAND --help` says the same in the terminal. Options stand after the command.

Standard output is data, standard error is talk: `runbook gate -f json` prints one JSON document and nothing else on
standard output. A question is asked only on a terminal; without one, what would be asked is refused with exit status 2,
and the option to give is named. `--yes` confirms a plan, never a manual item; in a protected environment its name is
typed, or given as `--confirm NAME`.

Where a value comes from: the option, then `RUNBOOK_PLAYBOOK`, `RUNBOOK_ENV`, `RUNBOOK_STATE`, `RUNBOOK_OPERATOR` and
`RUNBOOK_PROJECT` in the environment, then the project's `.env` (only names that begin with `RUNBOOK_`), then
`runbook.toml`, then the default. `runbook doctor` prints each value with its source.
"""
OF_TYPER = ("install_completion", "show_completion", "help")  # options of typer's own, on every command


@dataclass(frozen=True)
class Spoken:
    """One command as it is typed, with typer's own object. `panel` is the panel of `--help` that it stands in."""

    name: str
    panel: str
    command: Any

    @property
    def sentences(self) -> list[str]:
        """The paragraphs of its help, its example left out."""
        paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(self.command.help or ""))
        return [" ".join(part.split()) for part in paragraphs if not part.startswith("Example:")]

    @property
    def example(self) -> str:
        """The command line after `Example:` in its help; empty where there is none."""
        found = re.search(r"^\s*Example:\s*(.+?)\s*$", self.command.help or "", re.MULTILINE)
        return found[1] if found else ""


def spoken() -> Iterator[Spoken]:
    """Every command, those below a noun included."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name="runbook")
    for name, entry in COMMANDS.items():
        command = group.get_command(context, name)
        below = getattr(command, "commands", None)
        if below is None:
            yield Spoken(name, entry.panel, command)
        else:
            yield from (Spoken(f"{name} {each}", entry.panel, one) for each, one in below.items())


def own_parameters(command: Any) -> list[Any]:
    """What a command takes beside what all commands take."""
    return [each for each in command.params if each.name not in (*SHARED_OPTIONS, *OF_TYPER)]


def page() -> str:
    """The whole page."""
    commands = list(spoken())
    parts = [GENERATED, INTRODUCTION, _overview(commands), _shared(commands[0].command), _exit_codes()]
    return "\n".join([*parts, *map(_section, commands)])


def _overview(commands: list[Spoken]) -> str:
    rows = [(each.panel, f"[{code(each.name)}](#{_anchor(each.name)})", each.sentences[0]) for each in commands]
    return table(("panel", "command", "does"), rows) + "\n"


def _anchor(name: str) -> str:
    return f"runbook-{name}".replace(" ", "-")


def _shared(command: Any) -> str:
    rows = [_option(each) for each in command.params if each.name in SHARED_OPTIONS]
    return f"## {PANEL}\n\nEvery command takes these.\n\n" + table(("option", "meaning"), rows) + "\n"


def _exit_codes() -> str:
    rows = [(str(int(exit_)), exit_.reason, meaning) for exit_, meaning in MEANING.items()]
    told = "What each means for scripts and for people: [reading the exit status](../how-to/read-the-exit-status.md).\n"
    return "## Exit status\n\n" + table(("code", "name", "meaning"), rows) + f"\n\n{told}"


def _section(each: Spoken) -> str:
    parts = [f"## runbook {each.name}\n", *(f"{sentence}\n" for sentence in each.sentences)]
    parts.append(f"```sh\n{each.example}\n```\n")
    own = own_parameters(each.command)
    if own:
        parts.append(table(("argument or option", "meaning"), [_option(one) for one in own]) + "\n")
    return "\n".join(parts)


def _option(parameter: Any) -> tuple[str, str]:
    """How it is typed, and what it means."""
    if parameter.param_type_name == "argument":
        word = (parameter.metavar or parameter.name.upper()).strip("[]{}")
        return code(word if parameter.required else f"[{word}]"), _meaning(parameter)
    takes = "" if parameter.is_flag else f" {parameter.metavar or _choices(parameter)}"
    return code(", ".join(parameter.opts) + takes), _meaning(parameter)


def _choices(parameter: Any) -> str:
    choices = getattr(parameter.type, "choices", None)
    return "|".join(map(str, choices)) if choices else str(parameter.type.name).upper()


def _meaning(parameter: Any) -> str:
    words = (parameter.help or "").strip()
    default = parameter.default
    told = isinstance(default, (str, int)) and not isinstance(default, bool) and default not in ("",)
    return words + (f" (default: {getattr(default, 'value', default)})" if told else "")
