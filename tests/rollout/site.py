"""A whole service in a temporary folder: its playbook, flag file, redeploy and numbers, a real store, and a set clock.

The redeploy is a shell script that copies the flag file to `live.env`, as a service reads its flags only when it is
restarted; `verify` compares the two. Files make it misbehave: `deploy.sh` is the service's own to overwrite.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runbook.actions.listener import Listener
from runbook.actions.steps import StepRecord
from runbook.playbook.load import load_playbook
from runbook.playbook.model import Playbook
from runbook.rollout.ladder import flags_at, ladder, rung_at
from runbook.rollout.operation import Ended
from runbook.rollout.ramp import Proposal, carry_out, propose
from runbook.rollout.rollback import carry_back, propose_back
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_of
from runbook.store.base import Store
from runbook.store.events import Who
from runbook.store.sqlite import open_sqlite
from runbook.system.secrets import Masker
from runbook.system.variables import Variables
from tests.clocks import SetClock

PLAYBOOK = """\
runbook: 1
service: checkout
flags:
  percent: PERCENT
  safe: {NEW_CART: false, LIMIT: 0, PERCENT: 0}
environments:
  production:
    flags_in: {env: .env}
    redeploy: {command: [sh, deploy.sh], timeout: 20s, verify_within: 5s}
verify:
  - {check: The service runs with the file, command: [cmp, -s, .env, live.env], reads: true}
"""

STAGES = """\
metrics:
  error_rate: {file: numbers.json, jq: .error_rate, unit: ratio, interval: 60s}
stages:
  - {stage: off, percent: 0}
  - stage: canary
    percent: [5, 10]
    set: {NEW_CART: true, LIMIT: 3}
    bake: 1h
    gates: ["error_rate < 2%"]
    triggers: [{when: "error_rate > 5% for 2m", then: rollback}]
  - {stage: full, percent: [50, 100], set: {LIMIT: 9}, bake: 24h, gates: ["error_rate < 1%"]}
rollback: {set: safe, objective: 5m, incident: P0}
"""

ENV = """\
# what the service reads
PORT=8080
export NEW_CART="false"   # the new cart
LIMIT=0
PERCENT=0
#PERCENT=99
NAME='not ours'
"""

DEPLOY = """\
echo deployed >> deploys.log
cp .env live.env
"""


@dataclass
class Heard(Listener):
    """Remembers what an operation told while it worked."""

    steps: list[tuple[str, str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def line(self, text: str) -> None:
        self.lines.append(text)

    def ended(self, record: StepRecord, mark: str, message: str, seconds: float) -> None:
        self.steps.append((record.title, mark, message))

    def say(self, text: str) -> None:
        self.said.append(text)


@dataclass
class House:
    """The folder of a service, and the site over it."""

    folder: Path
    clock: SetClock
    site: Site
    heard: Heard = field(default_factory=Heard)

    @property
    def store(self) -> Store:
        store = self.site.store
        assert store is not None
        return store

    def file(self, name: str) -> Path:
        return self.folder / name

    def flags(self) -> dict[str, str | None]:
        return self.site.shown_flags()

    def env(self) -> str:
        return self.file(".env").read_text()

    def deploys(self) -> int:
        log = self.file("deploys.log")
        return len(log.read_text().splitlines()) if log.exists() else 0

    def standing(self) -> Standing:
        self.site.forget_state()
        return standing_of(self.site.playbook, self.site.state(), self.flags())

    def at(self) -> str:
        """The position by the events alone."""
        self.site.forget_state()
        position = self.site.state().position
        return position.name if position else ""

    def kinds(self) -> list[str]:
        return [record.event.kind for record in self.store.events(self.site.chain)]

    def numbers(self, **numbers: float | str | None) -> None:
        self.file("numbers.json").write_text(json.dumps(numbers))

    def propose(self, target: str | None = None) -> Proposal:
        self.site.forget_state()
        return propose(self.site, target, deadline=10.0, dry_run=False)

    def ramp(self, target: str | None = None) -> Ended:
        """One step up, whatever the decision says."""
        return carry_out(self.site, self.propose(target), self.heard)

    def ramp_to(self, name: str) -> None:
        """Step by step, until the position has this name."""
        while self.at() != name:
            ended = self.ramp()
            assert ended.outcome == "done", ended.message

    def stand_at(self, name: str) -> None:
        """The service as an earlier ramp left it: the events, the flag file, and what runs."""
        stage, _, percent = name.partition("@")
        rung = rung_at(ladder(self.site.playbook), stage, float(percent))
        assert rung is not None, name
        flags = flags_at(self.site.playbook, rung)
        [file] = self.site.flag_files()
        file.apply(file.prepare(flags))
        self.file("live.env").write_bytes(self.file(".env").read_bytes())
        told = {"stage": stage, "percent": float(percent), "flags": flags, "boot": self.clock.boot_id()}
        events = [self.site.event("position.entered", {**told, "boot_time": self.clock.boot_time()}, epoch=1)]
        if rung.index:
            events.insert(0, self.site.event("rollout.started", {"number": 1}, epoch=1))
        self.site.record(*events)
        self.site.forget_state()

    def rollback(self, target: str | None = None) -> Ended:
        self.site.forget_state()
        return carry_back(self.site, propose_back(self.site, target), self.heard)

    def journals(self) -> list[Path]:
        return sorted((self.site.journals / self.site.slug).glob("*.jsonl"))

    def again(self) -> House:
        """The same folder, opened by a later command of another person."""
        return open_house(self.folder, self.clock, operator="ben")


def playbook_in(folder: Path, text: str) -> Playbook:
    """The playbook of a text, which has to be without a mistake."""
    path = folder / "playbooks" / "checkout.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    loaded = load_playbook(path, folder)
    assert loaded.playbook is not None, [str(problem) for problem in loaded.problems]
    return loaded.playbook


def make_house(
    folder: Path, text: str = PLAYBOOK + STAGES, *, env: str = ENV, files: Mapping[str, str] | None = None
) -> House:
    """A service that stands at its safe flags and runs with them; nothing has happened to it yet."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = {".env": env, "live.env": env, "deploy.sh": DEPLOY, "numbers.json": '{"error_rate": 0.001}'}
    for name, content in {**everything, **(files or {})}.items():
        (folder / name).write_text(content, newline="")
    playbook_in(folder, text)
    return open_house(folder, SetClock())


def open_house(folder: Path, clock: SetClock, *, operator: str = "ana", store: bool = True) -> House:
    """The service in a folder as a command of `operator` finds it; without `store` its store is away."""
    playbook = playbook_in(folder, (folder / "playbooks" / "checkout.yaml").read_text())
    masker = Masker()

    def variables(context: dict[str, str]) -> Variables:
        return Variables(process={"PATH": "/usr/bin:/bin"}, context=context, masker=masker)

    state = folder / ".runbook"
    site = Site(
        project=folder,
        state_folder=state,
        playbook=playbook,
        playbook_name="checkout",
        environment=playbook.environments["production"],
        who=Who(operator=operator, host="app-1"),
        clock=clock,
        masker=masker,
        variables=variables,
        store=open_sqlite(state / "state.db", clock=clock, heads=state / "heads") if store else None,
        store_trouble="" if store else "the store is away for this test",
    )
    return House(folder, clock, site)
