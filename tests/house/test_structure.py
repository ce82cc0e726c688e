"""The size of files and functions, complete types, and the few things that stand in one place only."""

from __future__ import annotations

import ast
import re

from tests.house.source import Function, Source, none_of, sources

LONGEST_FILE, LONGEST_FUNCTION = 299, 40
OURS = sources("runbook")
TOOLS = [*sources("benchmarks"), *sources("tools")]
EVERYTHING = [*OURS, *TOOLS, *sources("tests")]

# A module named so says nothing about what it does.
EMPTY_NAMES = re.compile(r"(^|_)(manager|helper|util|handler|misc|common|stuff)s?(_|$)")
PRINTING_ROOMS = {"show", "cli"}
# The command ends in one place; the practice service's programs are programs of their own.
MAY_END_THE_PROCESS = {"runbook/cli/boundary.py", "runbook/sandbox/engine.py", "runbook/sandbox/control.py"}
ENDINGS = {"sys.exit", "os._exit", "os.abort", "exit", "quit", "SystemExit"}


def test_a_file_is_read_in_one_sitting() -> None:
    none_of(f"{one.place}: {one.lines}" for one in EVERYTHING if one.lines > LONGEST_FILE)


def test_a_function_fits_a_screen() -> None:
    none_of(
        f"{source.place}:{one.lineno}: {one.name}, {length(one)} lines"
        for source in [*OURS, *TOOLS]
        for one in source.functions()
        if length(one) > LONGEST_FUNCTION
    )


def length(function: Function) -> int:
    """Lines from `def` to the last one, docstring and comments counted."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_every_function_has_complete_types() -> None:
    none_of(
        f"{source.place}:{one.lineno}: {one.name}"
        for source in EVERYTHING
        for one in source.functions()
        if not typed(one)
    )


def typed(function: Function) -> bool:
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return function.returns is not None and all(
        one.annotation is not None for one in given if one is not None and one.arg not in ("self", "cls")
    )


def test_every_module_says_what_it_is() -> None:
    none_of(source.place for source in [*OURS, *TOOLS] if not ast.get_docstring(source.tree))


def test_names_mean_something() -> None:
    none_of(source.place for source in EVERYTHING if EMPTY_NAMES.search(source.path.stem))


def test_only_the_printing_rooms_print() -> None:
    none_of(calls({"print"}, [one for one in OURS if one.room not in PRINTING_ROOMS]))


def test_the_process_ends_in_one_place() -> None:
    none_of(calls(ENDINGS, [one for one in OURS if one.place not in MAY_END_THE_PROCESS]))


def calls(names: set[str], among: list[Source]) -> list[str]:
    return [f"{one.place}:{call.lineno}" for one in among for call in one.calls() if ast.unparse(call.func) in names]


def test_http_goes_through_one_module() -> None:
    none_of(imports_of("httpx", [one for one in OURS if one.place != "runbook/system/http.py"]))


def test_click_is_never_imported() -> None:
    none_of(imports_of("click", EVERYTHING))


def imports_of(package: str, among: list[Source]) -> list[str]:
    return [
        f"{source.place}:{imported.line}"
        for source in among
        for imported in source.imports
        if imported.module.partition(".")[0] == package
    ]


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b")
    none_of(
        f"{source.place}:{number}"
        for source in EVERYTHING
        for number, line in enumerate(source.text.splitlines(), 1)
        if words.search(line)
    )


def test_what_is_looked_for_would_be_found() -> None:
    tree = ast.parse("def f(a, *, b: int) -> None:\n    pass\ndef g(a: int, **c: int) -> None:\n    pass")
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert [typed(one) for one in functions] == [False, True]
    assert [length(one) for one in functions] == [2, 2]
    assert calls({"re.compile"}, [one for one in EVERYTHING if one.place == "tests/house/test_structure.py"])
    assert imports_of("httpx", OURS)
