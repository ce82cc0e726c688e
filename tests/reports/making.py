"""A site with a real store in a folder of its own, and a rollout in it that went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from runbook.playbook.model import Environment, Metric, Playbook, Severity
from runbook.reports.incident import IncidentReport, gather
from runbook.reports.sentences import minute_of, next_steps
from runbook.reports.templates import Templates
from runbook.rollout.site import Site
from runbook.store.base import SampleRow
from runbook.store.events import Who
from runbook.store.opening import open_store
from runbook.system.secrets import Masker
from runbook.system.variables import Variables
from tests.clocks import SetClock

BASE = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
OWNER = "menu-local/1"
METRICS = {
    "error_rate": Metric(name="error_rate", unit="ratio", critical="> 5%"),
    "total_requests": Metric(name="total_requests", unit="count", is_="counter"),
}


def make_site(folder: Path, metrics: dict[str, Metric] | None = None, service: str = "menu") -> Site:
    """A site at 400 s after the base; its store and state lie in the folder."""
    clock = SetClock(BASE + 400)
    masker = Masker()
    return Site(
        project=folder,
        state_folder=folder / ".runbook",
        playbook=Playbook(
            service=service,
            path="playbooks/menu.yaml",
            title="Menu translation",
            metrics=METRICS if metrics is None else metrics,
            severities={"P0": Severity(respond=60.0), "P1": Severity(respond=900.0)},
        ),
        playbook_name="menu",
        environment=Environment(name="local"),
        who=Who(operator="ana", host="app-1"),
        clock=clock,
        masker=masker,
        variables=lambda context: Variables(declared={}, process={}, context=context, secrets={}, masker=masker),
        store=open_store(None, folder / ".runbook", clock),
    )


def tell(site: Site, seconds: float, kind: str, operation: str | None = None, /, **payload: Any) -> None:
    """Record an event at so many seconds after the base."""
    site.record(site.event(kind, payload, operation=operation, at=BASE + seconds))


def change(key: str, old: str | None, new: str) -> dict[str, Any]:
    return {"key": key, "old": old, "new": new}


def gone_wrong(site: Site, **texts: str) -> None:
    """A ramp to 10 %, 8 % errors, a trigger, the way back, an incident. `texts` put somebody's words into it."""
    came = texts.get("to", "tasters@10")
    ramp = {"kind": "ramp", "from": "dark@0", "to": came, "reason": texts.get("reason", "")}
    flags = change(texts.get("key", "MENU_PERCENT"), "0", "10"), change("MENU_MODEL", None, texts.get("value", "small"))
    ramp_steps = [set_step(texts.get("step", "flags"), texts.get("place", ".env"), *flags)]
    trigger = {"rule": "r", "when": "error_rate > 5%", "then": "rollback", "observed": texts.get("observed", "8 %")}
    back = {"kind": "emergency", "from": came, "to": "safe", "rule": "error_rate > 5%", "automatic": True}
    back_steps = [set_step("flags", ".env", change("MENU_PERCENT", "10", "0")), {"title": "verify", "detail": "Up"}]
    told = [
        {"title": "flags", "ok": True, "message": "1 value", "seconds": 0.1},
        {"title": "verify", "ok": True, "message": texts.get("message", "Up 200"), "seconds": 1.0},
    ]
    title = texts.get("title", "Emergency rollback of menu")
    opened = {"id": 1, "title": title, "severity": "P0", "started": BASE + 101}
    held = {"reason": texts.get("hold", "after the way back"), "automatic": True}
    here = {"stage": "dark", "percent": 0.0, "how": "emergency", "verified": True}
    done = {"outcome": "done", "message": "menu is at safe"}
    events: list[tuple[float, str, str | None, dict[str, Any]]] = [
        (0, "operation.started", "op-1", {**ramp, "header": {"steps": ramp_steps}}),
        (2, "position.entered", "op-1", {"stage": "tasters", "percent": 10.0, "verified": True}),
        (2, "operation.ended", "op-1", {**ramp, **done, "seconds": 2.0}),
        (100, "trigger.fired", None, trigger),
        (101, "operation.started", "op-2", {**back, "header": {"steps": back_steps}}),
        (109, "position.entered", "op-2", here),
        (109, "incident.opened", "op-2", opened),
        (109, "hold.set", "op-2", held),
        (109, "operation.ended", "op-2", {**back, **done, "seconds": 8.0, "steps": told}),
        (130, "incident.noted", None, {"id": 1, "text": texts.get("note", "the model was at fault")}),
    ]
    site.record(*(site.event(kind, told, operation=op, at=BASE + at) for at, kind, op, told in events))
    measure(site)


def set_step(title: str, place: str, *changes: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "set", "title": title, "detail": "values", "place": place, "changes": list(changes)}


def measure(site: Site) -> None:
    """Keep what was measured: critical from 90 s on, and how many requests there were."""
    rates = ((30, 0.01), (60, 0.012), (90, 0.06), (100, 0.08), (200, 0.01))
    counts = ((60, 1_000), (90, 1_500), (100, 2_500), (108, 3_500))
    rows = [SampleRow(metric="error_rate", t=BASE + t, value=value) for t, value in rates]
    rows += [SampleRow(metric="total_requests", t=BASE + t, value=value) for t, value in counts]
    assert site.store is not None
    site.store.keep_samples(site.chain, rows)


def report_of(site: Site, number: int = 1) -> IncidentReport:
    return gather(site, site.state().incidents[number])


def given_of(report: IncidentReport) -> dict[str, Any]:
    """What a template is given."""
    return {"report": report, "minute": minute_of(report), "next_steps": next_steps(report)}


def rendered(site: Site, name: str = "incident_report.md", number: int = 1) -> str:
    """The document that the shipped or overriding template makes."""
    return Templates(site.project).render(name, OWNER, given_of(report_of(site, number)))


def parser() -> MarkdownIt:
    """Markdown as it is shown on the web: CommonMark with tables and strikethrough."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def headings(text: str, level: int = 2) -> list[str]:
    tokens = parser().parse(text)
    return [
        tokens[n + 1].content
        for n, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == f"h{level}"
    ]


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a document, as rows of cells in plain text."""
    found: list[list[list[str]]] = []
    for token in parser().parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.children is not None and token.map and token.level > 3:
            found[-1][-1].append("".join(child.content for child in token.children))
    return found
