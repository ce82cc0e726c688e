"""Samples: measurements for windows and charts, never part of the chain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from runbook.store.base import Chain, SampleRow
from runbook.store.chain import storable
from runbook.store.table import Table


class _SeriesRow(NamedTuple):
    id: int
    metric: str


class _SampleRow(NamedTuple):
    t: float
    value: float | None
    text: str | None
    error: str


class SampleTable(Table):
    """The samples of each chain, in the order of metric and time."""

    def keep_samples(self, chain: Chain, rows: Sequence[SampleRow]) -> None:
        with self.database.writing():
            row = self.ensure_chain(chain)
            series = {metric: self._ensure_series(row.id, metric) for metric in {storable(one.metric) for one in rows}}
            self.database.write_many(
                "INSERT INTO samples (series, t, value, text, error) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [
                    (
                        series[storable(one.metric)],
                        float(one.t),
                        one.value if one.value is not None and math.isfinite(one.value) else None,
                        None if one.text is None else storable(one.text),
                        storable(one.error),
                    )
                    for one in rows
                ],
            )

    def samples(self, chain: Chain, metric: str, since: float, until: float | None = None) -> list[SampleRow]:
        row = self.find_chain(chain)
        series = None if row is None else self._find_series(row.id, storable(metric))
        if series is None:
            return []
        rows = self.database.read(
            _SampleRow,
            "SELECT t, value, text, error FROM samples WHERE series = ? AND t >= ? AND t <= ? ORDER BY t",
            series,
            since,
            math.inf if until is None else until,
        )
        return [SampleRow(metric=metric, t=one.t, value=one.value, text=one.text, error=one.error) for one in rows]

    def prune_samples(self, chain: Chain, before: float) -> int:
        with self.database.writing():
            row = self.ensure_chain(chain)
            return self.database.write(
                "DELETE FROM samples WHERE t < ? AND series IN (SELECT id FROM series WHERE chain = ?)", before, row.id
            )

    def _find_series(self, chain: int, metric: str) -> int | None:
        found = self.database.read(
            _SeriesRow, "SELECT id, metric FROM series WHERE chain = ? AND metric = ?", chain, metric
        )
        return found[0].id if found else None

    def _ensure_series(self, chain: int, metric: str) -> int:
        series = self._find_series(chain, metric)
        if series is None:
            self.database.write("INSERT INTO series (chain, metric) VALUES (?, ?)", chain, metric)
            return self.database.added()
        return series
