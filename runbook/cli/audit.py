"""`runbook audit verify`: proof that nothing of what happened was changed or removed."""

from __future__ import annotations

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Shared
from runbook.cli.wiring import Bench, open_bench
from runbook.show.answer import Answer
from runbook.show.page import Page
from runbook.store.base import Chain, ChainInfo, StoreAway
from runbook.store.chain import Verification
from runbook.store.chain import verify as verify_chain
from runbook.store.heads import head_path, read_head
from runbook.system.refusals import Exit, Refusal

app = typer.Typer(no_args_is_help=True, help="Proof that nothing of what happened was changed or removed.")


@app.callback()
def audit() -> None:
    """Proof that nothing of what happened was changed or removed."""


@command(app)
def verify(shared: Shared) -> Answer:
    """Verify every chain of events of the project: hashes, numbers, payloads, and the head that is kept apart.

    Exit 0 when all hold, 1 when something was changed or cut, 3 when a chain cannot be read.

    Example: runbook audit verify
    """
    bench = open_bench(shared)
    if bench.store is None:
        raise Refusal(f"the store is away: {bench.store_trouble}", exit_=Exit.UNKNOWN, next_steps=["runbook doctor"])
    page, worst, details = Page(), Exit.GO, []
    try:
        chains = bench.store.chains()
        for info in chains:
            found = verify_chain(bench.store, info.chain, read_head(bench.state.path / "heads", info.chain))
            details.append(_chain(page, info.chain, found))
            worst = worst if found.ok else Exit.NO_GO
        for name in heads_without_chain(bench, chains):
            page.mark("NO", f"a chain is gone, its head is kept: {name}")
            worst = Exit.NO_GO
        damage = bench.store.damage()
    except StoreAway as away:
        raise Refusal(f"the store is away: {away.reason}", exit_=Exit.UNKNOWN, next_steps=["runbook doctor"]) from away
    if damage is not None:
        page.mark("NO", "the file as a whole", damage)
        worst = Exit.NO_GO
    message = "every chain holds" if worst is Exit.GO else "something was changed or removed"
    if not details:
        message = "nothing has happened yet, so there is nothing to verify"
    page.verdict("GO" if worst is Exit.GO else "NO-GO", message)
    if worst is not Exit.GO:
        page.next("keep the file as it is; compare the head with the one printed in the last report")
    return Answer(worst, message, page, lists={"details": {"chains": details}})


def _chain(page: Page, chain: Chain, found: Verification) -> dict[str, object]:
    """Show how one chain was found; the same for the document."""
    page.mark("ok" if found.ok else "NO", chain.name, f"{found.count} events", found.reason if not found.ok else "")
    page.under(f"head {found.head_hash}")
    return {
        "service": chain.service,
        "environment": chain.environment,
        "ok": found.ok,
        "events": found.count,
        "head": found.head_hash,
        "first_bad": found.first_bad,
        "reason": found.reason,
    }


def heads_without_chain(bench: Bench, chains: list[ChainInfo]) -> list[str]:
    """The heads kept apart whose chain the store does not have: it was taken away as a whole."""
    folder = bench.state.path / "heads"
    known = {head_path(folder, info.chain).name for info in chains}
    return sorted(path.stem for path in folder.glob("*.json") if path.name not in known)
