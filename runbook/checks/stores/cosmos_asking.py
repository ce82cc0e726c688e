"""A query on Azure Cosmos DB that is ready to be asked."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from runbook.system.sql_places import Bound

_VALUE = re.compile(r"(?<!:):(value_\d+)\b")


@dataclass(frozen=True)
class CosmosQuestion:
    """The account's endpoint, whose query on what, what is trusted, and until when (`time.monotonic()`).

    Without a `key` the account is found by azure-identity. At most `most` rows are wanted, and one more.
    """

    url: str
    database: str
    container: str
    query: str
    parameters: Mapping[str, Bound]
    until: float
    key: str | None = None
    ca: str | None = None
    insecure: bool = False
    proxy: str | None = None
    most: int = 1

    def seconds_left(self) -> float:
        """Until it has to be answered; never less than a millisecond."""
        return max(0.001, self.until - time.monotonic())

    @property
    def verify(self) -> bool | str:
        """What requests is told of certificates."""
        return False if self.insecure else self.ca or True

    def text(self) -> str:
        """The query with `@value_1` for its first parameter."""
        return _VALUE.sub(r"@\1", self.query)

    def bound(self) -> list[dict[str, object]]:
        """The parameters as Cosmos takes them."""
        return [{"name": f"@{name}", "value": value} for name, value in self.parameters.items()]
