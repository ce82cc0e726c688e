"""Kinds of check that other packages bring, found by their entry points in the group `runbook.checks`.

Nothing is searched before a playbook names what no built-in kind is: the search costs more than a whole `status`. What
a package does wrong is told with its name; it never replaces a built-in kind and never keeps the tool from working.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from runbook import __version__
from runbook.checks.base import Kind
from runbook.checks.packages.parted_output import part_output
from runbook.checks.registry import BUILT_IN
from runbook.language.versions import VersionError, version_fits

if TYPE_CHECKING:
    from importlib.metadata import Distribution

GROUP = "runbook.checks"
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SHOWN = 200  # characters of what an import raised
# Words of every check or metric, so that none of them can name a kind.
COMMON_WORDS = frozenset(
    {"check", "do", "title", "id", "timeout", "attempts", "expect", "level", "advice", "only", "unless", "reads"}
    | {"unit", "target", "warning", "critical", "interval", "max_age", "min_samples", "covers", "n", "is"}
    | {"on_nodata", "on_error", "counter", "value", "each", "save", "append"}
    | {"deadline", "at_deadline", "attribution", "good", "total"}
)
# What may not be an option, since it is read for every kind.
_CHECK_WORDS = frozenset({"check", "id", "timeout", "attempts", "expect", "level", "advice", "only", "unless", "reads"})


@dataclass(frozen=True)
class Plugin:
    """A kind that a package offers: `kind` where it can be used, else `trouble`, which says why not.

    `package` is its name and version, `reference` where the class lies: `module:Class`.
    """

    key: str
    package: str
    reference: str
    kind: type[Kind] | None = None
    trouble: str = ""


class _Unfit(Exception):  # noqa: N818 - it is told, not a fault of ours
    """Why a class cannot be a kind."""


def plugin(key: str) -> Plugin | None:
    """What the installed packages offer under a key, loaded where it can be; None where there is nothing."""
    if key in BUILT_IN or key in COMMON_WORDS:
        return None
    offers = _offers().get(key)
    return _loaded(key) if offers else None


def plugin_keys() -> tuple[str, ...]:
    """The keys that packages offer, usable or not."""
    return tuple(_offers())


def plugins() -> list[Plugin]:
    """Every offer of every package, for the operator; those that are ignored too, with the reason."""
    found: list[Plugin] = []
    for key, offers in _offers().items():
        usable = plugin(key)
        if usable is None:
            why = f"'{key}' is built in or a word of every check: the package is ignored"
            found += [replace(each, trouble=f"{each.package}: {why}") for each in offers]
        elif len(offers) == 1:
            found.append(usable)
        else:
            found += [replace(each, trouble=usable.trouble) for each in offers]
    return found


@cache
def _offers() -> Mapping[str, Sequence[Plugin]]:
    """What is offered, by key, in the order of the packages' names; nothing is imported for it."""
    from importlib.metadata import distributions

    found: dict[tuple[str, str], Plugin] = {}
    for package in distributions(path=_trusted_path()):
        with contextlib.suppress(Exception):  # a broken package offers nothing; others do
            for each in _offers_of(package):
                found.setdefault((each.key, each.package.partition(" ")[0]), each)  # the first on the path is imported
    by_key: dict[str, list[Plugin]] = {}
    for each in sorted(found.values(), key=lambda offer: (offer.key, offer.package)):
        by_key.setdefault(each.key, []).append(each)
    return by_key


def _offers_of(package: Distribution) -> list[Plugin]:
    entries = package.entry_points.select(group=GROUP)
    if not entries:
        return []
    named = f"{package.metadata['Name']} {package.version}"
    return [Plugin(entry.name, named, entry.value) for entry in entries]


def _trusted_path() -> list[str]:
    """Where packages are looked for: not in the current folder, unless an installed package put it there.

    `python -m` and an empty part of PYTHONPATH put it before the standard library; what packages add stands behind.
    """
    library = str(Path(os.__file__).parent)
    installed = sys.path.index(library) if library in sys.path else 0
    here = os.path.realpath(os.curdir)
    return [
        place
        for number, place in enumerate(sys.path)
        if place and (number > installed or os.path.realpath(place) != here)
    ]


@cache
def _loaded(key: str) -> Plugin:
    offers = _offers()[key]
    first = offers[0]
    if len(offers) > 1:
        packages = " and ".join(each.package for each in offers)
        return replace(first, trouble=f"two packages offer it: {packages}; uninstall one of them")
    try:
        kind = _imported(first.reference)
        _refuse_unfit(kind, key)
    except _Unfit as unfit:
        return replace(first, trouble=f"{first.package}: {unfit}")
    except (Exception, SystemExit) as trouble:  # whatever the module of somebody else does when it is imported
        said = " ".join(str(trouble).split())[:_SHOWN]
        return replace(first, trouble=f"{first.package} cannot be imported: {type(trouble).__name__}: {said}")
    from runbook.checks.packages.apart import kept_apart

    return replace(first, kind=kept_apart(kind, first.package))


def _imported(reference: str) -> Any:
    from importlib import import_module

    module, _, name = reference.partition(":")
    if not name:
        raise _Unfit(f"its entry point is '{reference}', not 'module:Class'")
    part_output()
    with _only_trusted(), contextlib.redirect_stdout(sys.stderr):
        found: Any = import_module(module.strip())
    for part in name.strip().split("."):
        if not hasattr(found, part):
            raise _Unfit(f"there is no {name.strip()} in its module {module.strip()}")
        found = getattr(found, part)
    return found


@contextlib.contextmanager
def _only_trusted() -> Iterator[None]:
    before = sys.path[:]
    sys.path[:] = _trusted_path()
    try:
        yield
    finally:
        sys.path[:] = before


def _refuse_unfit(kind: Any, key: str) -> None:
    """Raises _Unfit, with the reason, for what cannot be the kind of this key."""
    if not (isinstance(kind, type) and issubclass(kind, Kind) and kind is not Kind):
        raise _Unfit(f"{getattr(kind, '__name__', repr(kind))} is no subclass of runbook.checks.api.Kind")
    _refuse_other_version(getattr(kind, "NEEDS", ""))
    if not _KEY.fullmatch(key):
        raise _Unfit(f"'{key}' is no key: small letters, digits and '_', beginning with a letter")
    for name in ("KEY", "LOOKS_AT", "EXAMPLE"):
        text = getattr(kind, name, None)
        if not isinstance(text, str) or not text.strip():
            raise _Unfit(f"its class {kind.__name__} has no {name}: a text, as a ClassVar")
    if key != kind.KEY:
        raise _Unfit(f"its entry point is called '{key}' and the KEY of its class is '{kind.KEY}'")
    if not isinstance(kind.TIMEOUT, int | float) or not kind.TIMEOUT > 0:
        raise _Unfit(f"the TIMEOUT of its class is {kind.TIMEOUT!r}, not a number of seconds")
    if kind.look is Kind.look or not inspect.iscoroutinefunction(kind.look):
        raise _Unfit(f"its class {kind.__name__} has no method 'async def look'")
    _refuse_options(kind, {field.encode_name for field in msgspec.structs.fields(kind)})


def _refuse_options(kind: type[Kind], options: Iterable[str]) -> None:
    if kind.KEY not in options:
        raise _Unfit(f"its class {kind.__name__} has no field '{kind.KEY}' for the value that stands behind the key")
    if taken := sorted(set(options) & _CHECK_WORDS):
        raise _Unfit(f"its option '{taken[0]}' is a word of every check")
    msgspec.json.schema(kind)  # raises for a type that no playbook can hold


def _refuse_other_version(needs: Any) -> None:
    try:
        fits = not needs or version_fits(__version__, str(needs))
    except VersionError as error:
        raise _Unfit(f"its NEEDS names no version: '{error}'; write it like '>= 0.1'") from None
    if not fits:
        raise _Unfit(f"it needs runbook {needs}, and this is {__version__}")
