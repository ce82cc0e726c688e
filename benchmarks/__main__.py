"""`python -m benchmarks`: times everything and writes docs/performance.md."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.answering import answering
from benchmarks.commands import (
    commands_that_ask_nobody,
    emergency,
    history_of_a_long_chain,
    in_mid_bake,
    preflight_beside_curl,
)
from benchmarks.figures import Figure
from benchmarks.many import few_sources, many_hosts, one_host
from benchmarks.page import write_page
from benchmarks.rooms import chain_proof, event_append, flag_edit
from benchmarks.scene import make_project, slow_service

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


def main() -> None:
    """Run the series one after the other, telling each figure as it comes."""
    figures: list[Figure] = []

    def series(run: Callable[[], list[Figure]]) -> None:
        for one in run():
            figures.append(one)
            print(f"{one.ratio:7.2f}x {one.beside:40} {one.measure:>8}  {one.what}", flush=True)

    with tempfile.TemporaryDirectory(prefix="runbook-bench-") as made, slow_service() as url, answering() as port:
        folder = Path(made)
        project = in_mid_bake(folder / "kitchen", url)
        series(lambda: commands_that_ask_nobody(project))
        series(lambda: history_of_a_long_chain(folder / "history", url))
        series(lambda: preflight_beside_curl(make_project(folder / "fresh", url)))
        series(lambda: one_host(folder / "one-host", port))
        series(lambda: many_hosts(folder / "many-hosts", port))
        series(lambda: few_sources(folder / "few-sources", port))
        series(lambda: emergency(project))
        series(lambda: flag_edit(folder / "twenty", 20, 1.5))
        series(lambda: flag_edit(folder / "ten-thousand", 10_000, 3.0))
        series(lambda: event_append(folder / "append"))
        series(lambda: chain_proof(folder / "proof"))
    write_page(PAGE, figures)


if __name__ == "__main__":
    main()
