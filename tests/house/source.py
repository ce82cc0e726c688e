"""The project's own Python files, read as text and as syntax trees: what the tests of the structure look at."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.places import PROJECT

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One imported module: its full name, the line, and whether only the type checker follows it."""

    module: str
    line: int
    typing_only: bool


@dataclass(frozen=True)
class Source:
    """One Python file. `module` is its dotted name, `place` its path from the project's folder."""

    path: Path

    @property
    def place(self) -> str:
        return self.path.relative_to(PROJECT).as_posix()

    @property
    def module(self) -> str:
        return ".".join(self.path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")

    @property
    def room(self) -> str:
        """The folder under runbook/ that it stands in; empty for the package's own two files."""
        parts = self.path.relative_to(PROJECT).parts
        return parts[1] if len(parts) > 2 else ""

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    def functions(self) -> Iterator[Function]:
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node

    def calls(self) -> Iterator[ast.Call]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import of the file wherever it stands, and modules of ours that are imported by a written name."""
        return tuple(_imports(self.tree, typing_only=False))


def sources(folder: str) -> list[Source]:
    """Every Python file below a folder of the project, in a fixed order."""
    return [Source(path) for path in sorted((PROJECT / folder).rglob("*.py"))]


def none_of(found: Iterable[str]) -> None:
    """Fails with every place that was found, one a line."""
    places = list(found)
    assert not places, "\n" + "\n".join(places)


def _imports(node: ast.AST, *, typing_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, typing_only) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            origin = "." * child.level + (child.module or "")
            yield from (Import(_imported(origin, alias.name), child.lineno, typing_only) for alias in child.names)
        elif isinstance(child, ast.Call) and (named := _named_module(child)):
            yield Import(named, child.lineno, typing_only)
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for inner in child.body:
                yield from _imports(ast.Module([inner], []), typing_only=True)
            for inner in child.orelse:
                yield from _imports(ast.Module([inner], []), typing_only=typing_only)
        else:
            yield from _imports(child, typing_only=typing_only)


def _imported(origin: str, name: str) -> str:
    """`from runbook.cli import options` imports the module runbook.cli.options, not only its package."""
    below = PROJECT.joinpath(*origin.split("."), name)
    return f"{origin}.{name}" if below.is_dir() or below.with_suffix(".py").is_file() else origin


def _named_module(call: ast.Call) -> str | None:
    """The module (or the part that is written out) of `import_module("runbook...")`."""
    if ast.unparse(call.func) not in ("import_module", "importlib.import_module", "__import__") or not call.args:
        return None
    written = call.args[0]
    if isinstance(written, ast.JoinedStr):
        written = written.values[0]
    if isinstance(written, ast.Constant) and isinstance(written.value, str):
        return written.value.rstrip(".")
    return None
