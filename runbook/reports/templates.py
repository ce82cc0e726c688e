"""Templates: found in the project or among the shipped ones, and filled in by Jinja with harmless text."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from jinja2.runtime import BlockReference, Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runbook.incidents.timeline import show_offset
from runbook.language.durations import show_duration
from runbook.language.places import Place, Problem, did_you_mean
from runbook.playbook.find import shipped_templates
from runbook.reports.parts import begin_marker, end_marker
from runbook.system.clock import utc
from runbook.system.files import MIB, FileTrouble, read_regular
from runbook.system.harmless import harmless, harmless_markdown
from runbook.system.refusals import Refusal

LARGEST_TEMPLATE = MIB
LARGEST_DOCUMENT = 4 * MIB
_NEEDLESS = re.compile(
    r"(?<=[A-Za-z0-9])\\_(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])\\@(?=[0-9]+(?![\w.@-]))|(?:(?<=\S )|(?<=\S -))&gt;(?= )"
)
SHIPPED = "shipped/"  # `{% extends "shipped/NAME" %}` in a project's template names the one it stands in front of


class Ready(str):
    """Text that is Markdown already and goes into a document as it is."""

    __slots__ = ()


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which what a block or macro made is not made harmless a second time."""

    def call(self, context: Context, called: Any, /, *given: Any, **named: Any) -> Any:
        made = super().call(context, called, *given, **named)
        return Ready(made) if isinstance(called, BlockReference | Macro) else made


@dataclass(frozen=True)
class Templates:
    """Where templates are looked for: the project's own folder, then the shipped ones."""

    project: Path

    def render(self, name: str, owner: str, given: Mapping[str, Any]) -> str:
        """The document that the template makes of what is given; every value in it is made harmless for Markdown.

        Raises `Refusal` with file and line for a template that is missing, cannot be read, or goes wrong.
        """
        environment = self._environment(owner)
        try:
            return _bounded(environment.get_template(_named(name)), given)
        except jinja2.TemplateNotFound as missing:
            raise self._not_found(str(missing.name or name)) from missing
        except jinja2.TemplateSyntaxError as error:
            where = self._shown(error.filename or error.name or name)
            raise _broken(where, error.lineno, error.message or "it cannot be read") from error
        except (Refusal, MemoryError):
            raise
        except Exception as error:  # a template can raise anything
            file, line = _line_in_template(error, self._folders())
            raise _broken(self._shown(file or name), line, f"{_kind(error)}{error}") from error

    def _environment(self, owner: str) -> jinja2.Environment:
        environment = _Environment(
            loader=jinja2.FunctionLoader(self._load),
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # the text is Markdown, and `finalize` makes every value harmless for that
            finalize=_harmless,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters.update(_FILTERS)
        environment.globals["begin"] = lambda name: Ready(begin_marker(_plain(name), owner))
        environment.globals["end"] = lambda name: Ready(end_marker(_plain(name)))
        return environment

    def _folders(self) -> tuple[Path, ...]:
        return self.project / "templates", shipped_templates()

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        folders = self._folders()
        if name.startswith(SHIPPED):
            name, folders = name.removeprefix(SHIPPED), folders[1:]
        if any(part in ("", ".", "..") for part in name.split("/")) or "\\" in name:
            return None  # a template lies in the folder, not beside it
        for folder in folders:
            path = folder / name
            if not path.exists():
                continue
            try:
                return read_regular(path, LARGEST_TEMPLATE).decode("utf-8"), str(path), lambda: True
            except FileTrouble as trouble:
                raise Refusal(f"{self._shown(path)} {trouble.reason}", next_steps=[trouble.hint]) from trouble
            except UnicodeDecodeError as error:
                raise Refusal(f"{self._shown(path)} is not UTF-8: {error.reason} at byte {error.start}") from error
        return None

    def _not_found(self, name: str) -> Refusal:
        known = sorted({path.name for folder in self._folders() for path in folder.glob("*.md")})
        meant = did_you_mean(name, known)
        return Refusal(
            f"there is no template {name!r}" + (f"; {meant}" if meant else ""),
            next_steps=[f"templates are {', '.join(known)}; your own stand in {self._shown(self._folders()[0])}/"],
        )

    def _shown(self, path: Path | str) -> str:
        """A path as people name it: from the project's folder where it lies inside."""
        try:
            return str(Path(path).relative_to(self.project))
        except ValueError:
            return str(path)


def _named(name: str) -> str:
    """The file's name; the ending may be left out. Raises `Refusal` for what is no Markdown."""
    ending = Path(name).suffix
    if ending == ".md":
        return name
    if ending in (".html", ".htm"):
        raise Refusal(f"{name}: HTML is not supported yet", next_steps=["templates are Markdown: NAME.md"])
    return f"{name}.md"


def _bounded(template: jinja2.Template, given: Mapping[str, Any]) -> str:
    """The text that a template makes, piece by piece, so that an endless one is stopped. Raises `Refusal`."""
    pieces: list[str] = []
    size = 0
    for piece in template.generate(**given):
        size += len(piece)
        if size > LARGEST_DOCUMENT:
            raise Refusal(f"the template makes more than {LARGEST_DOCUMENT // MIB} MiB of text; it was stopped")
        pieces.append(piece)
    return "".join(pieces)


def _line_in_template(error: BaseException, folders: tuple[Path, ...]) -> tuple[str | None, int | None]:
    """Where in a template an error happened: the innermost frame that belongs to one."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if any(Path(frame.filename).is_relative_to(folder) for folder in folders):
            return frame.filename, frame.lineno
    return None, None


def _kind(error: Exception) -> str:
    return "" if isinstance(error, jinja2.TemplateError) else f"{type(error).__name__}: "


def _broken(where: str, line: int | None, message: str) -> Refusal:
    place = Place(where, line, 1) if line else None
    return Refusal(
        f"{where}{f':{line}' if line else ''}: the template is wrong; nothing was written",
        problems=[Problem(harmless(message), place)],
        next_steps=["correct it, or move it away: then the shipped one is used"],
    )


def _plain(name: object) -> str:
    return "".join(letter for letter in str(name) if letter.isalnum() or letter in "_-") or "part"


def readable(text: str) -> str:
    """`text` harmless for Markdown, without the escapes that nothing needs where they stand: `error_rate > 5%`.

    An underscore between letters emphasises nothing, a sign after other text quotes nothing, and a name at a whole
    number (`canary@10`) is no address, since that has a dot in it (CommonMark 0.31, 2.4 and 6.2; GFM, 6.9).
    """
    return _NEEDLESS.sub(lambda found: ">" if found.group() == "&gt;" else found.group()[1:], harmless_markdown(text))


def _harmless(value: object) -> str:
    """What becomes of every value that a template shows."""
    if isinstance(value, Ready):
        return value
    return readable("" if value is None else str(value))


def _code(value: object) -> Ready:
    """A value as code. Where it holds what code cannot show in a table or span, it is shown as plain text."""
    text = harmless("" if value is None else str(value)).strip()
    return Ready(f"`{text}`" if text and not set(text) & {"`", "|"} else readable(text))


_FILTERS: dict[str, Callable[..., str]] = {
    "code": _code,
    "duration": lambda seconds, unknown="not known": unknown if seconds is None else show_duration(seconds),
    "offset": show_offset,
    "utc": lambda seconds: f"{utc(seconds):%Y-%m-%d %H:%M:%S}",
    "local": lambda seconds: f"{utc(seconds).astimezone():%Y-%m-%d %H:%M:%S %Z}",
    "clock": lambda seconds: f"{utc(seconds):%H:%M:%S}",
    "local_clock": lambda seconds: f"{utc(seconds).astimezone():%H:%M:%S}",
    "zone": lambda seconds: f"{utc(seconds).astimezone():%Z}",
}
