"""The application: commands registered by name, each module imported when its command is chosen."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from runbook import __version__
from runbook.cli.commands import COMMANDS

EPILOG = "Exit status: 0 go, 1 no-go, 2 usage, 3 unknown, 4 failed, 5 busy, 70 bug, 130/143 interrupted."


class LazyGroup(TyperGroup):
    """A group that imports a command's module only when that command is chosen."""

    _only_names = False

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        # While the names of commands are completed none of them is needed; behind one its arguments are.
        typed = [*ctx.args, *getattr(ctx, "_protected_args", ())]
        if self._only_names or (ctx.resilient_parsing and cmd_name not in typed and not ctx.args):
            return TyperCommand(name=cmd_name, help=entry.help, short_help=entry.help, rich_help_panel=entry.panel)
        command = typer.main.get_command(import_module(f"runbook.cli.{entry.module}").app)
        command.name = cmd_name
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._only_names = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._only_names = False


app = typer.Typer(
    cls=LazyGroup,
    name="runbook",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"runbook {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="The version."),
) -> None:
    """The runbook of a service, turned into commands.

    3 a.m.?  runbook now, then  runbook rollback --emergency
    """
