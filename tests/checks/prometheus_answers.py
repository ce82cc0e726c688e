"""Answers as Prometheus gives them, sound ones and others, and a server on loopback that gives them."""

from __future__ import annotations

import socket
import time

from tests.servers import Script, answer


def served(value: str, proof: str | None = None, status: str = "200 OK") -> dict[str, Script]:
    """A server that answers the query with `value` and the question after the samples' time with `proof`.

    NOW is the time, OLD is two minutes ago.
    """

    def script(connection: socket.socket, request: str) -> None:
        text = good("NOW") if proof is None else proof
        text = text if "timestamp" in request.partition("\r\n")[0] else value
        now = time.time()
        times = {
            "NOW": f"{now:.3f}",
            "OLD": f"{now - 120:.3f}",
            "AHEAD": f"{now + 120:.3f}",
            "MILLIS": f"{now * 1000:.0f}",
        }
        for word, at in times.items():
            text = text.replace(word, at)
        answer(text, status=status)(connection, request)

    return {"/api/v1/query": script, "/api/v1/query_range": script}


def vector(*series: str, more: str = "") -> str:
    return f'{{"status": "success"{more}, "data": {{"resultType": "vector", "result": [{", ".join(series)}]}}}}'


def good(number: str, at: str = "NOW", labels: str = "{}") -> str:
    return vector(one(number, at, labels))


def one(number: str, at: str = "NOW", labels: str = "{}") -> str:
    return f'{{"metric": {labels}, "value": [{at}, "{number}"]}}'


def typed(kind: str, result: str) -> str:
    return f'{{"status": "success", "data": {{"resultType": "{kind}", "result": {result}}}}}'
