"""`runbook schema`: JSON Schema of the playbook language, or of the JSON documents."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.boundary import command
from runbook.cli.options import Shared
from runbook.show.answer import Answer
from runbook.system.refusals import Exit

app = typer.Typer()


@command(app)
def schema(
    shared: Shared,
    documents: Annotated[bool, typer.Option("--documents", help="Of what --format json prints instead.")] = False,
) -> Answer:
    """JSON Schema of the playbook language for editors; with --documents that of what --format json prints.

    Example: runbook schema > playbook.schema.json
    """
    import msgspec

    from runbook.playbook.schema import playbook_schema
    from runbook.show.documents import document_schema

    made = document_schema() if documents else playbook_schema()
    text = msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"
    return Answer(Exit.GO, "the schema", lists={"details": made}, text=text)
