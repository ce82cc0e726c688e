"""`runbook doctor`: settings with their sources, the store, versions, what is found where."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import typer

from runbook import __version__
from runbook.checks.libraries import LIBRARIES, PROGRAMS, Program, installing
from runbook.checks.packages.plugins import Plugin, plugins
from runbook.cli.boundary import command
from runbook.cli.options import Shared
from runbook.cli.wiring import Bench, open_bench
from runbook.playbook.find import find_playbooks
from runbook.playbook.kit import list_kits
from runbook.show.answer import Answer
from runbook.show.page import Page
from runbook.store.base import StoreAway
from runbook.system.clock import rfc3339
from runbook.system.refusals import Exit
from runbook.system.secrets import Masker

app = typer.Typer()


@dataclass(frozen=True)
class Need:
    """A library or a program that one kind of check needs. `found` is its version or its place; empty: not here."""

    name: str
    kind: str
    asks: str
    found: str
    remedy: str


@command(app)
def doctor(shared: Shared) -> Answer:
    """Settings and their sources, the store, kits, journals, what packages bring, libraries and programs, versions.

    Exit 0 when everything that was looked at works, 1 when not. A library or a program that only some kinds need
    counts for nothing where it is missing.

    Example: runbook doctor
    """
    bench = open_bench(shared)
    page, well = Page(), True
    page.line(f"runbook {__version__} on Python {platform.python_version()}, {platform.system()} {platform.release()}")
    page.line(f"command  {sys.argv[0]}")
    page.line(f"project  {bench.project.root}  ({bench.project.source})")
    page.line(f"state    {bench.state.path}" + (f"  ({bench.state.note})" if bench.state.note else ""))
    page.line(f"you      {bench.who.operator} on {bench.who.host}  ({bench.who.known})")
    page.blank()
    masker = Masker()
    settings = [
        (one.name, masker.mask(one.value) if one.value else "-", one.told) for one in bench.settings.values.values()
    ]
    page.table(("setting", "value", "source"), settings)
    page.blank()
    well &= _store(page, bench)
    well &= _playbooks(page, bench)
    brought = plugins()
    well &= _packages(page, brought)
    _left(page, bench)
    needs = _needs()
    _needed(page, needs)
    answer = Answer(Exit.GO if well else Exit.NO_GO, "everything works" if well else "something does not work", page)
    answer.lists["details"] = _details(bench, settings, brought, needs)
    return answer


def _details(
    bench: Bench, settings: Sequence[tuple[str, str, str]], brought: Sequence[Plugin], needs: Sequence[Need]
) -> dict[str, Any]:
    """The same for other programs."""
    keys = ("name", "value", "source")
    return {
        "version": __version__, "project": str(bench.project.root), "state": str(bench.state.path),
        "operator": bench.who.operator, "settings": [dict(zip(keys, row, strict=True)) for row in settings],
        "store": bench.store_trouble or "ok",
        "plugins": [
            {"kind": each.key, "package": each.package, "class": each.reference, "trouble": each.trouble}
            for each in brought
        ],
        "needs": [
            {"name": each.name, "kind": each.kind, "asks": each.asks, "found": each.found or None} for each in needs
        ],
    }  # fmt: skip


def _store(page: Page, bench: Bench) -> bool:
    if bench.store is None:
        page.mark("NO", "store", bench.store_trouble)
        page.under("a way back works all the same: runbook rollback --emergency")
        return False
    try:
        damage = bench.store.damage()
        chains = bench.store.chains()
    except StoreAway as away:
        page.mark("NO", "store", away.reason)
        return False
    page.mark("NO" if damage else "ok", "store", damage or f"{len(chains)} chains")
    return damage is None


def _playbooks(page: Page, bench: Bench) -> bool:
    well = True
    for candidate in find_playbooks(bench.project.root):
        page.mark(
            "NO" if candidate.problem else "ok", f"playbook {candidate.name}", str(candidate.problem or candidate.path)
        )
        well &= candidate.problem is None
    return well


def _packages(page: Page, brought: Sequence[Plugin]) -> bool:
    """The kinds of check that packages bring, and why one cannot be used."""
    for each in brought:
        page.mark(
            "NO" if each.trouble else "ok", f"kind {each.key}", each.trouble or f"{each.package}, {each.reference}"
        )
    return not any(each.trouble for each in brought)


def _left(page: Page, bench: Bench) -> None:
    """Kits, and journals that are still there."""
    for kit in list_kits(bench.state.path):
        page.mark(
            "ok", f"kit {kit.service} · {kit.environment}", f"written {rfc3339(kit.written_at)} at {kit.position}"
        )
    left = sorted((bench.state.path / "journal").glob("*/*.jsonl"))
    for path in left:
        page.mark(
            "??", f"journal {path.parent.name}/{path.stem}", "an operation that runs or was cut off: runbook status"
        )


def _needs() -> list[Need]:
    """What only some kinds need, found or not."""
    libraries = [
        Need(each.package.partition("[")[0], each.kind, each.asks, each.version or "", installing(each.package))
        for each in LIBRARIES
    ]
    return libraries + [_program(each) for each in PROGRAMS]


def _program(program: Program) -> Need:
    return Need(program.name, program.kind, program.asks, shutil.which(program.name) or "", "")


def _needed(page: Page, needs: Sequence[Need]) -> None:
    """The rows of it; none of them is a failure."""
    width = max(len(each.name) for each in needs)
    for each in needs:
        what = f"only for the kind {each.kind}: {each.asks}"
        page.mark("ok" if each.found else "--", each.name, each.found or "not found", what, width=width)
        if not each.found and each.remedy:
            page.under(each.remedy)
