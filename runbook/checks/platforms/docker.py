"""`docker`: a container runs, or those of a compose service, healthy where they say so themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, failed, unknown, without_value
from runbook.checks.here.amounts import misfit
from runbook.checks.platforms.docker_engine import (
    MOST,
    Container,
    Engine,
    NoAnswer,
    container,
    containers_of,
    engine,
    image_id,
    same_image,
)
from runbook.checks.platforms.programs import misnamed, name_for
from runbook.checks.platforms.typed_answers import moment_of
from runbook.judge.verdicts import Status
from runbook.language.durations import show_duration
from runbook.system.secrets import VariableTrouble
from runbook.system.shell_words import shell_line

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,511}")
_BY_ID = "write its name, or 12 characters of its id"
_UNITS = {"restarts": "count", "age": "s", "containers": "count", "value": "count"}


@dataclass(frozen=True)
class _Asked:
    """What is asked for, with its values put in."""

    name: str
    project: str | None
    image: str | None


class Docker(Kind, frozen=True, kw_only=True):
    """A container that has a health check must be healthy; with `healthy: true` it must have one, with `healthy: false`
    it only has to run. With `compose` the name is that of a service, and all its containers are looked at.

    `expect` has `restarts`, those that Docker made by itself, `age`, the time since the start, and `containers`: of
    several the most and the shortest. A container that is down fails whatever `expect` says.
    """

    KEY: ClassVar[str] = "docker"
    GIVES: ClassVar[tuple[str, ...] | None] = ("restarts", "age", "containers")
    LOOKS_AT: ClassVar[str] = "a container, or a compose service: it runs, and is healthy where it has a health check"
    EXAMPLE: ClassVar[str] = "{check: The container runs, docker: enrichment-backend}"

    docker: str
    compose: str | None = None
    image: str | None = None
    healthy: bool | None = None
    socket: str | None = None

    def presence(self) -> bool:
        return True

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = misnamed("docker", self.docker, _NAME, "web or shop-web-1")
        if self.compose is not None:
            found += misnamed("compose", self.compose, _NAME, "shop, the name of the compose project")
        if self.image is not None:
            found += misnamed("image", self.image, _IMAGE, "nginx:1.27")
        return found + (["socket is empty: name the path of a Unix socket"] if self.socket == "" else [])

    def by_hand(self, url: str | None) -> str:
        where = ["docker", *(["--host", f"unix://{self.socket}"] if self.socket else [])]
        if self.compose is not None:
            return shell_line([*where, "compose", "--project-name", self.compose, "ps", "--all", self.docker])
        return shell_line([*where, "inspect", "--format", "{{json .State}}", self.docker])

    async def look(self, around: Surroundings) -> Finding:
        if (refused := misfit(around, _UNITS)) is not None:
            return refused
        try:
            asked = self._asked(around)
            return await self._look(asked, engine(self.socket, around), around)
        except VariableTrouble as trouble:
            return without_value(trouble)
        except NoAnswer as trouble:
            return trouble.finding
        except NotTaken as trouble:
            return unknown(f"this does not answer as Docker does: {trouble.message}")

    def _asked(self, around: Surroundings) -> _Asked:
        """Raises NoAnswer and VariableTrouble."""
        try:
            return _Asked(
                name_for(around, "docker", self.docker, _NAME),
                None if self.compose is None else name_for(around, "compose", self.compose, _NAME),
                None if self.image is None else name_for(around, "image", self.image, _IMAGE),
            )
        except NotTaken as trouble:
            raise NoAnswer(unknown(trouble.message)) from None

    async def _look(self, asked: _Asked, engine_: Engine, around: Surroundings) -> Finding:
        """Raises NoAnswer and NotTaken."""
        found = await _containers(asked, engine_, around)
        if isinstance(found, Finding):
            return found
        now = None if asked.image is None else await image_id(engine_, asked.image, around)
        wrong = [(each, why) for each in found if (why := self._why_not(each, asked.image, now))]
        if wrong:
            return _wrong(wrong, len(found))
        return _right(found, around)

    def _why_not(self, one: Container, image: str | None, image_now: str | None) -> str:
        """Why a container is not as it should be, empty where it is."""
        if one.state.status != "running":
            return _down(one)
        health = one.state.health.status if one.state.health is not None else ""
        if self.healthy and health in ("", "none"):
            return "runs and has no health check"
        if self.healthy is not False and health not in ("", "none", "healthy"):
            return f"runs and is {health}"
        if image is None:
            return ""
        if not (same_image(one.config.image, image) or one.image in (image, f"sha256:{image}")):
            return f"runs the image {one.config.image}, not {image}"
        if image_now is not None and one.image and _digest(one.image) != _digest(image_now):
            return f"runs an older {image} than the one that is here; create it anew"
        return ""


async def _containers(asked: _Asked, engine_: Engine, around: Surroundings) -> Sequence[Container] | Finding:
    """The containers meant; a finding where there is none. Raises NoAnswer and NotTaken."""
    import asyncio

    if asked.project is None:
        one = await container(engine_, asked.name, around)
        if one is not None and one.is_called(asked.name):
            return [one]
        missing = f"there is no container {asked.name} at {engine_.shown}; docker ps --all lists them"
        if one is not None and one.name:
            missing = f"there is no container {asked.name}; {one.name.lstrip('/')} has an id that begins so: {_BY_ID}"
        return failed(missing, "missing", "running")
    ids = await containers_of(engine_, asked.name, asked.project, around)
    if len(ids) > MOST:
        raise NoAnswer(unknown(f"the service {asked.name} has {len(ids)} containers; up to {MOST} are looked at"))
    several = await asyncio.gather(*(container(engine_, each, around) for each in ids))
    there = [each for each in several if each is not None]  # the others were removed meanwhile
    if not there:
        missing = f"the compose project {asked.project} has no container of the service {asked.name}"
        return failed(missing, "missing", "running")
    return there


def _wrong(wrong: Sequence[tuple[Container, str]], count: int) -> Finding:
    one, why = wrong[0]
    name = one.name.lstrip("/") or "the container"
    message = f"{name} {why}; docker {'inspect' if _is_well(one) else 'logs --tail 20'} {name} tells more"
    observed = _state(one) if count == 1 else f"{count - len(wrong)} of {count} as meant"
    listed = [f"{each.name.lstrip('/')} {reason}" for each, reason in wrong] if count > 1 else ()
    return failed(message, observed, "running", listed)


def _is_well(one: Container) -> bool:
    """Whether it runs and does not say itself that it is ill."""
    health = one.state.health.status if one.state.health is not None else ""
    return one.state.status == "running" and health in ("", "none", "healthy")


def _right(found: Sequence[Container], around: Surroundings) -> Finding:
    started = [moment for each in found if (moment := moment_of(each.state.started)) is not None]
    values: dict[str, Any] = {"restarts": max(each.restarts for each in found), "containers": len(found)}
    if started:
        values["age"] = max(0.0, around.now - max(started))
    observed = _state(found[0]) if len(found) == 1 else f"{len(found)} running"
    age = f"for {show_duration(values['age'])}" if "age" in values else ""
    units = {name: unit for name, unit in _UNITS.items() if name in values or name == "value"}
    return Finding(Status.PASS, observed, message=age, value=values["restarts"], values=values, units=units)


def _state(one: Container) -> str:
    """`running`, `running (healthy)`, `exited (137)`."""
    health = one.state.health.status if one.state.health is not None else ""
    if one.state.status == "running":
        return f"running ({health})" if health not in ("", "none") else "running"
    return f"{one.state.status} ({one.state.exit})" if one.state.status in ("exited", "dead") else one.state.status


def _down(one: Container) -> str:
    """How a container that does not run came to be so."""
    said = f"is {one.state.status or 'in no state'}"
    if one.state.status in ("exited", "dead", "restarting"):
        said += f", exit {one.state.exit}"
    if one.state.out_of_memory:
        said += ", out of memory"
    return f"{said}: {one.state.error[:120]}" if one.state.error else said


def _digest(identity: str) -> str:
    return identity.removeprefix("sha256:")
