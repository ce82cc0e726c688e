"""`runbook lint --prove`: every check held against answers that should make it fail, every rule against its values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook.language.places import Place, Problem
from runbook.playbook.model import Playbook
from runbook.playbook.reading import Reading
from runbook.playbook.with_places import load_with_places
from runbook.rollout.proving import BY_KIND, PROVED, SUSPECT, Proof, prove
from runbook.rollout.proving_conditions import doubt_about

NOT_RUN = ("run", "command")


@dataclass(frozen=True)
class Proven:
    """What came of a playbook: a warning for each check and rule that decides nothing, and what was tried in words."""

    problems: Sequence[Problem]
    told: Sequence[str]


def prove_file(path: Path, root: Path) -> Proven:
    """Prove a playbook. One that has errors is not tried."""
    loaded, reading = load_with_places(path, root)
    if loaded.playbook is None:
        return Proven((), (f"{reading.file} has errors, so nothing of it was proved",))
    proofs = prove(loaded.playbook, root)
    doubts, count = _doubts(loaded.playbook, reading)
    found = dict.fromkeys([*_suspects(proofs, reading), *doubts])
    problems = sorted(found, key=lambda one: one.place or Place("", 0, 0))
    return Proven(problems, (_in_words(reading.file, proofs, count, len(doubts)), *_on_trust(proofs)))


def _suspects(proofs: Sequence[Proof], reading: Reading) -> list[Problem]:
    places: dict[str, Place] = {}
    for named in reading.checks:
        places.setdefault(named.full_id, named.place)
    start = Place(reading.file, 1, 1)
    return [
        Problem(_said(one), places.get(one.check.full_id, start), one.hint, "warning")
        for one in proofs
        if one.how == SUSPECT
    ]


def _said(proof: Proof) -> str:
    if proof.check.checklist == "metrics":
        return f"this metric has a number where none is: {proof.why.replace('it passes', 'it gives one')}"
    return f"this check cannot go red: {proof.why}"


def _doubts(playbook: Playbook, reading: Reading) -> tuple[list[Problem], int]:
    """The conditions that are always, or never, true; and how many were searched."""
    searched = [one for one in reading.conditions if one.purpose != "expect"]
    found = [(one, doubt) for one in searched if (doubt := doubt_about(one, playbook)) is not None]
    problems = [Problem(doubt.why, one.node.part(0, len(one.text)), doubt.hint, "warning") for one, doubt in found]
    return list(dict.fromkeys(problems)), len(searched)


def _in_words(file: str, proofs: Sequence[Proof], conditions: int, doubtful: int) -> str:
    proved = sum(one.how == PROVED for one in proofs)
    suspects = sum(one.how == SUSPECT for one in proofs)
    told = f"{file}: {proved} of {len(proofs)} checks and metrics were made to fail, {suspects} are suspicious"
    return f"{told}; {conditions - doubtful} of {conditions} conditions can be both true and false."


def _on_trust(proofs: Sequence[Proof]) -> list[str]:
    """Which kinds were not tried, and why."""
    kinds = Counter(one.check.kind for one in proofs if one.how == BY_KIND)
    ran = [f"{kinds[kind]} {kind}" for kind in sorted(kinds) if kind in NOT_RUN]
    others = [f"{kinds[kind]} {kind}" for kind in sorted(kinds) if kind not in NOT_RUN]
    told = [f"{', '.join(ran)} (nothing is run)"] if ran else []
    told += [f"{', '.join(others)} (what they look at cannot be made up)"] if others else []
    return [f"not tried, trusted to their kind: {'; '.join(told)}."] if told else []
