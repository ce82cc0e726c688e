"""A real server of Cosmos DB's protocol on loopback: the emulator that npm installs, empty at its start."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.certificates import Authority
from tests.real.program import answers, free_port, started

# The key of every emulator, which its maker has published; it opens nothing else.
KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
_WITH_CERTIFICATE = """
const fs = require("fs"), [module, key, cert, port] = process.argv.slice(1);
const server = require(module).default({key: fs.readFileSync(key), cert: fs.readFileSync(cert)});
server.listen(Number(port), "127.0.0.1");
"""


@dataclass(frozen=True)
class CosmosServer:
    """The server. Its certificate is long out of date, unless an authority of ours made it another."""

    port: int

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def fill(self, database: str, container: str, items: Sequence[Mapping[str, Any]]) -> None:
        """Put documents into a new container, whose partitions are those of `who`. No key is asked for here."""
        import httpx

        with httpx.Client(base_url=self.url, verify=False, headers={"x-ms-date": "now"}) as client:
            partitions = {"paths": ["/who"], "kind": "Hash"}
            client.post("/dbs", json={"id": database}).raise_for_status()
            client.post(f"/dbs/{database}/colls", json={"id": container, "partitionKey": partitions}).raise_for_status()
            for number, item in enumerate(items):
                document = {"id": str(number), **item}
                headers = {"x-ms-documentdb-partitionkey": json.dumps([document["who"]])}
                made = client.post(f"/dbs/{database}/colls/{container}/docs", json=document, headers=headers)
                made.raise_for_status()


@contextlib.contextmanager
def cosmos(authority: Authority | None = None) -> Iterator[CosmosServer]:
    """A running server."""
    folder = Path(tempfile.mkdtemp(prefix="runbook-cosmos-"))
    port = free_port()
    program = shutil.which("cosmosdb-server")
    assert program is not None
    argv = [program, "-p", str(port), "--host", "127.0.0.1"]
    if authority is not None:
        pair = authority.pair("cosmos")
        module = os.path.realpath(program).rpartition("/lib/")[0]
        argv = ["node", "-e", _WITH_CERTIFICATE, module, str(pair.key), str(pair.certificate), str(port)]
    try:
        with started(argv, folder, lambda: answers(port)):
            yield CosmosServer(port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
