"""What the shell completes. The values stand in `cli.live_values`, which is imported when one is asked for: options are
known to all commands, and what completes them is built from the same pieces as the commands.

A completion never fails in somebody's prompt: a broken playbook gives nothing. A value may come with a help text.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

Offer = str | tuple[str, str]
LIVE = "live_values"  # by its name, as the application knows the commands: it stands above the options


def playbooks(incomplete: str) -> list[Offer]:
    """Names of the project's playbooks and of the shipped ones."""
    return _offered("playbooks", None, incomplete)


def environments(ctx: Any, incomplete: str) -> list[Offer]:
    """The environments of the playbooks that may be meant."""
    return _offered("environments", ctx, incomplete)


def stages(ctx: Any, incomplete: str) -> list[Offer]:
    """The stages; the one we are in is told."""
    return _offered("stages", ctx, incomplete)


def positions(ctx: Any, incomplete: str) -> list[Offer]:
    """Percentages, stages and `stage@percent`; the next step first."""
    return _offered("positions", ctx, incomplete)


def lower_positions(ctx: Any, incomplete: str) -> list[Offer]:
    """Where `rollback --to` may lead: only what stands below, the next step down first."""
    return _offered("lower_positions", ctx, incomplete)


def checks(ctx: Any, incomplete: str) -> list[Offer]:
    """The ids of the checks, as `LIST/ID`."""
    return _offered("checks", ctx, incomplete)


def waivable(ctx: Any, incomplete: str) -> list[Offer]:
    """The checks that can be waived, nested ones too; of those that are waived until when."""
    return _offered("waivable", ctx, incomplete)


def roles_and_items(ctx: Any, incomplete: str) -> list[Offer]:
    """What can be signed: what is due first - roles of our stage, manual items, items of open incidents."""
    return _offered("roles_and_items", ctx, incomplete)


def notices(ctx: Any, incomplete: str) -> list[Offer]:
    """The notices of the playbook, each with where it goes."""
    return _offered("notices", ctx, incomplete)


def operations(ctx: Any, incomplete: str) -> list[Offer]:
    """The last operations by their ids, newest first."""
    return _offered("operations", ctx, incomplete)


def incidents(ctx: Any, incomplete: str) -> list[Offer]:
    """The numbers of the incidents, open ones first."""
    return _offered("incidents", ctx, incomplete)


def _offered(what: str, ctx: Any, incomplete: str) -> list[Offer]:
    """What begins so, each once, the first with its help."""
    from runbook.system.harmless import harmless

    found: dict[str, str] = {}
    try:
        for one in getattr(import_module(f"runbook.cli.{LIVE}"), what)(ctx):
            name, told = (one, "") if isinstance(one, str) else one
            if name.startswith(incomplete) and name == harmless(name):
                found[name] = found.get(name) or harmless(told, limit=70)
    except Exception:
        return []
    return [(name, told) if told else name for name, told in found.items()]
