"""`cosmos`: one query with bound parameters on a container of Azure Cosmos DB."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, seconds_left, unknown, without_value
from runbook.checks.libraries import not_here
from runbook.checks.stores.sql_question import MOST_ROWS, Worst
from runbook.system.secrets import VariableTrouble

if TYPE_CHECKING:
    from runbook.checks.stores.cosmos_asking import CosmosQuestion


class Cosmos(Kind, frozen=True, kw_only=True):
    """As in `sql`, the value is the first cell of the one row, or the worst of the last column. An object is a row of
    its values, in the order in which the query names them.

    Without a key the account is that of the machine or of whoever is logged in (azure-identity). Queries cannot change
    anything. With `insecure` whoever answers is believed, and the row says so.
    """

    KEY: ClassVar[str] = "cosmos"
    GIVES: ClassVar[tuple[str, ...] | None] = ()
    LOOKS_AT: ClassVar[str] = "a query on Azure Cosmos DB: its first cell, or the worst of its rows"
    EXAMPLE: ClassVar[str] = (
        '{check: Spend is low, cosmos: "${COSMOS_URL:-https://localhost:8081}", database: shop, container: spend, '
        'query: "select value sum(c.usd) from c where c.day = \'${today}\'", key: "${COSMOS_KEY}", expect: "< $40"}'
    )

    cosmos: str
    database: str
    container: str
    query: str
    key: str | None = None
    worst: Worst | None = None
    ca: str | None = None
    insecure: bool = False

    def asserts(self) -> bool:
        """A value alone says nothing: `expect` does."""
        return False

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        needed = {"cosmos": self.cosmos, "database": self.database, "container": self.container, "query": self.query}
        found = [f"{name} is empty" for name, text in needed.items() if not text.strip()]
        if self.ca is not None and self.insecure:
            found.append("ca names what is trusted, and insecure trusts everybody; leave one of them out")
        return found

    async def look(self, around: Surroundings) -> Finding:
        import asyncio

        from runbook.checks.stores.cells import judge_rows
        from runbook.system.daemon_threads import in_thread

        try:
            question = self._question(around)
        except VariableTrouble as trouble:
            return without_value(trouble)
        try:
            rows = await asyncio.wait_for(in_thread(lambda: _asked(question)), seconds_left(around))
            finding = judge_rows(rows, self.worst)
        except TimeoutError:
            return unknown("no answer in time: the query is too much for it, or it is not there", observed="timed out")
        except NotTaken as trouble:
            return unknown(trouble.message, trouble.reason)
        if not self.insecure:
            return finding
        return replace(finding, message="whoever answers is believed (insecure: true)")

    def _question(self, around: Surroundings) -> CosmosQuestion:
        """Raises VariableTrouble."""
        import time

        from runbook.checks.findings import proxied
        from runbook.checks.stores.cosmos_asking import CosmosQuestion
        from runbook.system.http_messages import Request

        url = around.variables.url(self.cosmos)
        around.masker.learn_url(url)
        key = None if self.key is None else around.variables.text(self.key)
        around.masker.learn(key or "")
        query, parameters = around.variables.sql(self.query)
        return CosmosQuestion(
            url=url,
            database=around.variables.text(self.database),
            container=around.variables.text(self.container),
            query=query,
            parameters=parameters,
            key=key,
            ca=None if self.ca is None else str(around.project / around.variables.file_name(self.ca)),
            insecure=self.insecure,
            proxy=proxied(Request(url=url), around).proxy,
            until=time.monotonic() + seconds_left(around),
            most=MOST_ROWS if self.worst else 1,
        )


def _asked(question: CosmosQuestion) -> list[list[object]]:
    """The rows. Blocks; raises NotTaken."""
    try:
        from runbook.checks.stores.cosmos_azure import ask_cosmos
    except ImportError:
        needed = ("azure-cosmos",) if question.key is not None else ("azure-cosmos", "azure-identity")
        raise NotTaken(not_here("azure-cosmos, by which it is asked,", *needed)) from None
    return ask_cosmos(question)
