"""The direction of imports: a folder stands above all that it imports, nothing imports upwards, no circle."""

from __future__ import annotations

import pytest

from tests.house.source import Import, Source, none_of, sources

FLOORS = (
    "language", "judge", "system", "store", "flags", "checks", "actions", "playbook", "incidents", "rollout",
    "routines", "exports", "reports", "show", "web", "cli",
)  # fmt: skip
GARDEN = "sandbox"
# Kinds name the loader's types in their signatures; the loader imports the kinds. Only the type checker sees it.
TYPES_FROM_ABOVE = {"runbook/checks/base.py", "runbook/actions/base.py"}
ONLY_BELOW = {"language": set[str](), "judge": {"language"}}
REACHES_OUTSIDE = {
    "asyncio", "httpx", "io", "logging", "multiprocessing", "os", "pathlib", "random", "shutil", "signal", "socket",
    "sqlite3", "subprocess", "sys", "tempfile", "threading", "time",
}  # fmt: skip

OURS = sources("runbook")
NAMES = {source.module for source in OURS}


def room_of(imported: Import) -> str | None:
    """The room that an import leads into; empty for the package itself, None for what is not ours."""
    parts = imported.module.split(".")
    if parts[0] != "runbook":
        return None
    return parts[1] if len(parts) > 1 else ""


def from_rooms(source: Source) -> list[tuple[Import, str]]:
    """What a file imports from other rooms of the house."""
    found = [(imported, room_of(imported)) for imported in source.imports]
    return [(imported, room) for imported, room in found if room and room != source.room]


def test_every_room_has_a_floor() -> None:
    assert {source.room for source in OURS} <= {*FLOORS, GARDEN, ""}


def test_imports_point_downwards() -> None:
    none_of(
        f"{source.place}:{imported.line}: {imported.module}"
        for source in OURS
        if source.room in FLOORS
        for imported, room in from_rooms(source)
        if room != GARDEN
        and FLOORS.index(room) > FLOORS.index(source.room)
        and not (imported.typing_only and source.place in TYPES_FROM_ABOVE)
    )


def test_imports_name_the_whole_module() -> None:
    none_of(f"{one.place}:{each.line}" for one in OURS for each in one.imports if each.module.startswith("."))


@pytest.mark.parametrize("room", ONLY_BELOW)
def test_the_pure_rooms_know_nothing_of_the_world(room: str) -> None:
    strange = [
        f"{source.place}:{imported.line}: {imported.module}"
        for source in OURS
        if source.room == room
        for imported in source.imports
        if room_of(imported) not in {None, "", room, *ONLY_BELOW[room]}
        or imported.module.partition(".")[0] in REACHES_OUTSIDE
    ]
    none_of(strange)
    assert any(source.room == room for source in OURS)


@pytest.mark.parametrize("room", ONLY_BELOW)
def test_the_pure_rooms_open_nothing(room: str) -> None:
    opened = [
        f"{source.place}:{call.lineno}"
        for source in OURS
        if source.room == room
        for call in source.calls()
        if getattr(call.func, "id", "") in ("open", "input", "exec", "eval")
    ]
    none_of(opened)


def test_the_sandbox_imports_nothing_of_the_rest() -> None:
    none_of(
        f"{source.place}:{imported.line}: {imported.module}"
        for source in OURS
        if source.room == GARDEN
        for imported, _ in from_rooms(source)
    )


def test_the_sandbox_is_reached_from_the_command_line_alone() -> None:
    none_of(
        f"{source.place}:{imported.line}"
        for source in OURS
        if source.room != "cli"
        for imported, room in from_rooms(source)
        if room == GARDEN
    )


def test_no_circle() -> None:
    below = {
        source.module: {
            imported.module
            for imported in source.imports
            if not imported.typing_only and imported.module in NAMES and imported.module != source.module
        }
        for source in OURS
    }
    none_of(" -> ".join(circle) for circle in circles(below))


def circles(below: dict[str, set[str]]) -> list[list[str]]:
    """A walk round each circle that is found in depth-first order; each module is entered once."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> None:
        if name in way:
            found.append([*way[way.index(name) :], name])
        elif name not in done:
            for following in sorted(below[name]):
                walk(following, [*way, name])
            done.add(name)

    for name in sorted(below):
        walk(name, [])
    return found


def test_a_circle_would_be_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c", "b"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
