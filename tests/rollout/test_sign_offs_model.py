"""Sign-offs against a model: whatever happens in whatever order, a role stands as the rules say."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.rollout.roles import Person, sign_role
from runbook.rollout.sign_rows import sign_rows
from runbook.store.events import Who
from tests.rollout.site import House, make_house
from tests.rollout.test_sign_offs import PROTECTED, TEXT

RULES = {"verified_by": None, "reviewed_by": "deployed_by", "approved_by": "reviewed_by"}
PEOPLE = st.sampled_from(
    [
        Person("ana", "os-user"),
        Person("Ana", "sudo"),
        Person("ben", "os-user"),
        Person("ben", "claimed"),
        Person("eva", "claimed"),
    ]
)
STEP = st.one_of(
    st.tuples(st.just("sign"), PEOPLE, st.sampled_from(sorted(RULES)), st.sampled_from([True, True, False])),
    st.tuples(st.just("enter"), PEOPLE),
    st.tuples(st.just("build")),
    st.tuples(st.just("text"), st.sampled_from(["one", "two"])),
    st.tuples(st.just("rollout")),
)


@dataclass
class Model:
    """What a person would write on paper: who signed what, and what was true then."""

    protected: bool
    deployer: Person = field(default_factory=lambda: Person("ana", "os-user"))
    here: tuple[int, int] = (0, 0)  # how often it was entered, and how many builds came since
    rollout: int = 1
    text: str = "one"
    signed: dict[str, tuple[Person, bool, tuple[tuple[int, int], int, str]]] = field(default_factory=dict)

    @property
    def now(self) -> tuple[tuple[int, int], int, str]:
        return self.here, self.rollout, self.text

    def counts(self, role: str) -> bool:
        if role not in self.signed:
            return False
        person, _, then = self.signed[role]
        return then == self.now and not (self.protected and person.known == "claimed")

    def status(self, role: str) -> str:
        kept_out = RULES[role]
        if not self.counts(role):
            return "unknown"
        if kept_out == "deployed_by" and self.protected and self.deployer.known == "claimed":
            return "unknown"
        person, yes, _ = self.signed[role]
        if not yes:
            return "fail"
        if kept_out == "deployed_by":
            other = self.deployer.name
        else:
            other = self.signed[kept_out][0].name if kept_out and self.counts(kept_out) else ""
        return "fail" if other.casefold() == person.name.casefold() else "pass"


def become(house: House, person: Person) -> None:
    house.site.who = Who(operator=person.name, host="app-1", known=person.known)


def do(house: House, model: Model, step: tuple[object, ...]) -> None:
    """One thing that happens, to the service and in the model."""
    house.clock.pass_time(10)
    match step:
        case ("sign", Person() as person, str(role), bool(yes)):
            become(house, person)
            sign_role(house.site, house.standing(), role, yes=yes)
            model.signed[role] = (person, yes, model.now)
        case ("enter", Person() as person):
            become(house, person)
            told = {"stage": "canary", "percent": 10.0, "flags": dict(house.flags())}
            house.site.record(house.site.event("position.entered", told))
            model.deployer, model.here = person, (model.here[0] + 1, 0)
        case ("build",):
            house.site.record(house.site.event("bake.restarted", {"version": "x"}))
            model.here = (model.here[0], model.here[1] + 1)
        case ("text", str(text)):
            house.site.playbook = msgspec.structs.replace(house.site.playbook, digest=text)
            model.text = text
        case ("rollout",):
            model.rollout += 1
            house.site.record(house.site.event("rollout.started", {"number": model.rollout}))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(protected=st.booleans(), steps=st.lists(STEP, max_size=12))
def test_roles_stand_as_the_model_says(protected: bool, steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house, model = make_house(Path(folder), PROTECTED if protected else TEXT), Model(protected)
        house.site.playbook = msgspec.structs.replace(house.site.playbook, digest="one")
        house.stand_at("canary@10")
        for step in steps:
            do(house, model, step)
        rows = {row.id: row.status.value for row in sign_rows(house.site, house.standing())}
        assert rows == {role: model.status(role) for role in RULES}
