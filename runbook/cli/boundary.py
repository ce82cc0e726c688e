"""The one boundary: expected ends, interruptions and bugs, each with its exit status; and the one place that prints."""

from __future__ import annotations

import functools
import inspect
import io
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NoReturn

import typer

from runbook.cli.options import JUDGED, SCREENS, SHARED_OPTIONS, Format, Formats, Shared, refuse_format
from runbook.flags.changes import FlagTrouble
from runbook.language.durations import DurationError
from runbook.show.answer import Answer
from runbook.show.formats.status import nagios_status
from runbook.store.base import StoreAway
from runbook.system.files import FileTrouble
from runbook.system.refusals import Exit, Refusal
from runbook.system.secrets import VariableTrouble
from runbook.system.signals import Termination

Command = Callable[..., Answer]
TERMINATION = Termination()
EXPECTED = (FileTrouble, FlagTrouble, StoreAway, VariableTrouble, DurationError)


def command(
    app: typer.Typer, name: str | None = None, *, formats: Formats = SCREENS, **settings: Any
) -> Callable[[Command], Command]:
    """Register a command whose first parameter is `shared`; the shared options are added to what it takes.

    The command returns an `Answer`; it is printed in the wanted format, and its exit status is the command's value.
    A format that is not one of `formats` is refused before anything is done.
    """

    def register(function: Command) -> Command:
        @functools.wraps(function)
        def run(**given: Any) -> int:
            shared = Shared(**{field.name: given.pop(field.name) for field in fields(Shared)})
            called = _spoken(name or function.__name__)
            if shared.format not in formats:
                return _misfit(shared, called, formats)
            if shared.output is not None and formats is JUDGED and (refusal := _unwritable(shared.output)):
                return answer_with(_talk(shared), called, functools.partial(_raise, refusal))
            return answer_with(shared, called, lambda: function(shared, **given))

        own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name != "shared"]
        common = [
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=SHARED_OPTIONS[field.name]
            )
            for field in fields(Shared)
        ]
        own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
        run.__signature__ = inspect.Signature([*own, *common])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*own, *common]}
        app.command(name, **settings)(run)
        return function

    return register


def _spoken(name: str) -> str:
    return name.replace("_", "-")


def _misfit(shared: Shared, called: str, formats: Formats) -> int:
    """Refuse a format that the command does not print: nothing is done, and nothing stands where data would be."""
    talk = shared if shared.format is Format.NAGIOS else replace(shared, format=Format.TABLE, output=None)
    return answer_with(talk, called, functools.partial(refuse_format, shared, _full_name(called), formats))


def _talk(shared: Shared) -> Shared:
    """How a refusal is told where there is no place for data: in words, but for readers that know only their format."""
    known = shared.format in (Format.JSON, Format.NAGIOS)
    return replace(shared, output=None, format=shared.format if known else Format.TABLE)


def _unwritable(path: Path) -> Refusal | None:
    """Why nothing can be written there. Asked before a look; a way back does not stop for it."""
    from runbook.cli.output_file import refuse_unwritable

    try:
        refuse_unwritable(path)
    except Refusal as refusal:
        return refusal
    return None


def answer_with(shared: Shared, name: str, work: Callable[[], Answer]) -> int:
    """Do the work, turn every way it can end into an answer, print it, and give the exit status."""
    from runbook.cli import speech

    started, began = time.time(), time.monotonic()
    try:
        answer = work()
    except Refusal as refusal:
        answer = speech.of_refusal(refusal)
    except EXPECTED as trouble:
        answer = speech.of_refusal(as_refusal(trouble))
    except KeyboardInterrupt:
        exit_ = Exit.TERMINATED if TERMINATION.heard else Exit.INTERRUPTED
        answer = Answer(exit_, "interrupted", refused=True)
        answer.page.line("interrupted; nothing was under way")
    except Exception as error:
        answer = of_bug(error)
    return speech.deliver(answer, shared, _full_name(name), started, time.monotonic() - began)


def as_refusal(trouble: Exception) -> Refusal:
    """What the world did, where no command had a better sentence for it."""
    hint = getattr(trouble, "hint", "")
    if isinstance(trouble, DurationError):
        return Refusal(str(trouble), next_steps=["a duration is a number with its unit: 30s, 5m, 2h"])
    if isinstance(trouble, StoreAway):
        return Refusal(
            f"the store is away: {trouble.reason}", exit_=Exit.FAILED, next_steps=[hint] if hint else ["runbook doctor"]
        )
    return Refusal(str(trouble), exit_=Exit.FAILED, next_steps=[hint] if hint else ["runbook doctor"])


def _full_name(name: str) -> str:
    """`incident open` where the command belongs to a noun."""
    noun = next((word for word in sys.argv[1:2] if not word.startswith("-")), name)
    return name if noun in (name, "health") else f"{noun} {name}"


def of_bug(error: BaseException) -> Answer:
    """An unexpected error: one line, and the path of a report to send; never a bare traceback."""
    from runbook import __version__
    from runbook.system.secrets import Masker

    masker = Masker()
    masker.learn_environment(dict(os.environ))
    lines = [f"runbook {__version__}, Python {sys.version.split()[0]}", f"command: {sys.argv[1:]}", ""]
    report = masker.mask("\n".join(lines) + "".join(traceback.format_exception(error)))
    path = _keep_report(report)
    where = f"; the report to send is {path}" if path else ""
    answer = Answer(Exit.BUG, masker.mask(f"a bug of this tool: {type(error).__name__}: {error}{where}"))
    answer.refused = True
    answer.page.line(answer.message)
    answer.page.next("runbook rollback --emergency  is another way than the one that failed")
    return answer


def _keep_report(report: str) -> Path | None:
    from platformdirs import user_state_dir

    from runbook.system.files import FileTrouble, write_private

    path = Path(user_state_dir("runbook")) / "crashes" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    try:
        write_private(path, report.encode("utf-8", "backslashreplace"))
    except (FileTrouble, OSError):
        return None
    return path


def run() -> NoReturn:
    """The entry point of the installed command: parse, call, exit."""
    open_closed_streams()
    TERMINATION.heed()
    from runbook.cli.app import app

    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a character gets its escape, not silence
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # typer carries its own copy of click, whose name is not ours to import.
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    try:
        code = app(standalone_mode=False)
    except usage_error as error:
        code = answer_with(_shared_from_argv(), "", functools.partial(_usage, error))
    except typer.Abort:
        code = nagios_status(Exit.INTERRUPTED) if _shared_from_argv().format is Format.NAGIOS else Exit.INTERRUPTED
    except typer.Exit as ended:
        code = ended.exit_code
    except Exception as error:  # what breaks before a command begins
        code = answer_with(_shared_from_argv(), "", functools.partial(_raise, error))
    leave(int(code or 0))


def open_closed_streams() -> None:
    """Give what was closed before we began (`>&-`) a place to go, so that no file of ours gets its number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "w", closefd=False))


def leave(code: int) -> NoReturn:
    """End the process, whatever state its output is in and whatever threads still wait for a dead disk."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    os._exit(code)


def _usage(error: Any) -> Answer:
    if error.__class__.__name__ == "NoArgsIsHelpError":
        # typer showed the help when the error was made
        return Answer(Exit.USAGE, "a command is needed", refused=True)
    message = error.format_message()
    meant = _meant_command() if message.startswith("No such command") else ""
    raise Refusal(f"{message} {meant}".strip(), next_steps=[f"runbook {_noun()} --help".replace("  ", " ")]) from error


def _meant_command() -> str:
    """What was probably meant by the first word that is no command."""
    from runbook.cli.commands import COMMANDS
    from runbook.language.places import did_you_mean

    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    return did_you_mean(words[0], COMMANDS) if words and words[0] not in COMMANDS else ""


def _noun() -> str:
    from runbook.cli.commands import COMMANDS

    return next((word for word in sys.argv[1:2] if word in COMMANDS), "")


def _raise(error: Exception) -> Answer:
    raise error


def _shared_from_argv() -> Shared:
    """The format, and the file to write, as far as they can be told from arguments that could not be parsed."""
    words = sys.argv[1:]
    wanted = _value_of(words, "-f", "--format")
    output = _value_of(words, "-o", "--output")
    known = Format(wanted) if wanted in Format.__members__.values() else Format.TABLE
    return Shared(format=known, output=Path(output) if output else None)


def _value_of(words: Sequence[str], short: str, long: str) -> str:
    """What was given for an option, the last one counting; empty where it was not."""
    found = ""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        if word in (short, long):
            found = following
        elif word.startswith(f"{long}="):
            found = word.partition("=")[2]
        elif word.startswith(short) and not word.startswith("--") and len(word) > len(short):
            found = word[len(short) :].removeprefix("=")
    return found
