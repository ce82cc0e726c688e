"""The commands by name: the module that is imported when one is chosen, and what `--help` says until then."""

from __future__ import annotations

from dataclasses import dataclass

TONIGHT, ROLL_OUT, EVERY_DAY, WRITE = "Tonight", "Roll out", "Every day", "Write"


@dataclass(frozen=True)
class Entry:
    """One command (or noun with commands below it): where it lives, in which panel, and what it does."""

    module: str
    panel: str
    help: str


COMMANDS: dict[str, Entry] = {
    "now": Entry("now", TONIGHT, "The 3 a.m. card: what is bad, the one next command, who to call."),
    "rollback": Entry("rollback", TONIGHT, "One step back; --emergency brings everything back to the safe flags."),
    "hold": Entry("hold", TONIGHT, "Stop every ramp and every automatic action."),
    "release": Entry("release", TONIGHT, "Release a hold."),
    "status": Entry("status", TONIGHT, "Where the service stands, on one screen; asks nobody."),
    "resume": Entry("resume", TONIGHT, "Finish or undo an operation that was cut off."),
    "incident": Entry("incident", TONIGHT, "Open, note, resolve; incident_report.md and post_mortem.md."),
    "preflight": Entry("preflight", ROLL_OUT, "Check the boxes of the next stage against the live service."),
    "ramp": Entry("ramp", ROLL_OUT, "One step up the ladder: edit flags, redeploy, verify, bake."),
    "gate": Entry("gate", ROLL_OUT, "May the next step up be made? Every rule with its value."),
    "explain": Entry("explain", ROLL_OUT, "The last decision, or why the next step is not allowed."),
    "watch": Entry("watch", ROLL_OUT, "Live view of the bake; --act arms the triggers."),
    "sign": Entry("sign", ROLL_OUT, "A sign-off of the stage, or the answer to a manual item."),
    "waive": Entry("waive", ROLL_OUT, "An exception from a check, which ends by itself."),
    "baseline": Entry("baseline", ROLL_OUT, "baseline capture, show: what numbers after a change are held against."),
    "adopt": Entry("adopt", ROLL_OUT, "Take what is there as the start; --restore puts it back."),
    "declare": Entry("declare", ROLL_OUT, "declare stable: the end of a rollout, after the last stage held."),
    "note": Entry("note", ROLL_OUT, "Feed a counter (note complaint), or the timeline."),
    "notify": Entry("notify", ROLL_OUT, "Send a notice of the playbook; --dry-run shows it."),
    "health-check": Entry("health", EVERY_DAY, "Metrics and endpoints now, against their limits."),
    "health": Entry("health", EVERY_DAY, "The same as health-check."),
    "history": Entry("history", EVERY_DAY, "The event log."),
    "contacts": Entry("contacts", EVERY_DAY, "Who to call, and what time it is there."),
    "audit": Entry("audit", EVERY_DAY, "audit verify: proof that nothing was changed or removed."),
    "lint": Entry("lint", WRITE, "Every error of a playbook with its place; also what is suspicious."),
    "test": Entry("trials", WRITE, "The playbook's own tests: recorded answers and the verdicts they must give."),
    "schema": Entry("schema", WRITE, "JSON Schema of the language, for editors."),
    "playbooks": Entry("playbooks", WRITE, "Which playbooks are found where."),
    "doctor": Entry("doctor", WRITE, "Settings with their sources, the store, versions."),
    "sandbox": Entry("sandbox", WRITE, "A practice service: up, fault, down, status."),
    "demo": Entry("demo", WRITE, "The tour: a whole rollout against the sandbox, in under a minute."),
    "exit-codes": Entry("exit_codes", WRITE, "The exit statuses and what they mean."),
}
