"""The kit of a site: written before the first change of each ramp, so that the way back needs nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace

from runbook import __version__
from runbook.actions.base import Action
from runbook.playbook.kit import Kit, ScriptLines, script_of, sections_of, write_kit
from runbook.rollout.planning import safe_values, values_of
from runbook.rollout.refuge import refuge_of
from runbook.rollout.site import Site
from runbook.rollout.standing import Standing, standing_of
from runbook.rollout.ways_down import Way
from runbook.store.state import Position
from runbook.system.harmless import harmless


def leave_kit(site: Site, position: str) -> None:
    """Write the kit and its script: the way back, before the first change."""
    sections = sections_of(site.playbook, site.environment)
    kit = Kit(
        written_at=site.clock.wall(),
        tool=__version__,
        service=site.playbook.service,
        environment=site.environment.name,
        playbook=(site.playbook_name, site.playbook.path),
        position=position,
        sections=sections,
    )
    write_kit(site.state_folder, site.slug, kit, script_of(kit, site.project, way_of_script(site)))


def way_of_script(site: Site) -> ScriptLines:
    """What the emergency would do at the step that is gone to now, as lines for a machine without the tool."""
    shown, _ = site.flags_or_trouble()
    here = standing_of(site.playbook, site.state(), shown)
    there = _arrived(here)
    way = refuge_of(there)
    values = values_of(site.playbook, there, way, shown)
    flags = _flag_lines(site, values) if values else ["# they stay as they are"]
    if not way.safe and refuge_of(here).safe:
        flags += _where_it_never_got_there(site, there)
    redeploy = site.environment.redeploy
    typed = redeploy.action.options.by_hand() if redeploy else None
    return ScriptLines(
        to=way.message,
        flags=flags,
        redeploy=typed if values else "# not asked for, since the flags stay",
        steps=[action.options.by_hand(site.environment.url) for action in _actions_of(site, way)],
        verify=verify_lines(site),
    )


def _arrived(here: Standing) -> Standing:
    """Where we stand when the step up is made."""
    to = here.next
    if to is None:
        return here
    position = Position(stage=to.stage.name, percent=to.percent, since=0.0)
    return replace(here, position=position)


def _where_it_never_got_there(site: Site, there: Standing) -> list[str]:
    """For a ramp that was undone: below the one-way stage the safe flags are still the way back. As comments."""
    stage = there.position.stage if there.position else ""
    lines = _flag_lines(site, safe_values(site.playbook))
    return [
        f"# If it never got into {stage}, take these lines instead:",
        *(line if line.startswith("#") else f"# {line}" for line in lines),
    ]


def _flag_lines(site: Site, values: Mapping[str, str]) -> list[str]:
    return [line for file in site.flag_files() for line in sed_lines(file.shown, values)]


def _actions_of(site: Site, way: Way) -> list[Action]:
    """The stage's own action, else the steps of the rollback; no notices, which nobody can send without the tool."""
    if way.action is not None:
        return [way.action]
    rollback = site.playbook.rollback
    return [item for item in (rollback.steps if rollback else ()) if isinstance(item, Action) and item.kind != "notify"]


def sed_lines(path: str, values: Mapping[str, str]) -> list[str]:
    """One `sed` a file, for a machine where the tool is not: it sets every live line of each key, and keeps a copy."""
    told = [f"#    {key}={harmless(value)}" for key, value in values.items()]
    programs = [f"-e {shlex.quote(_sed_program(key, value))}" for key, value in values.items()]
    return [*told, " ".join(["sed -i.before", *programs, shlex.quote(path)])] if programs else []


def _sed_program(key: str, value: str) -> str:
    safe = value.replace("\\", "\\\\").replace("|", "\\|").replace("&", "\\&")
    head = rf"[[:space:]]*\(export[[:space:]]\{{1,\}}\)\{{0,1\}}{key}[[:space:]]*="
    return rf"s|^\({head}\).*|\1{safe}|"


def verify_lines(site: Site) -> list[str]:
    """Each check of verify as a shell line where it has one, else as a comment with what has to hold."""
    lines = []
    for check in site.playbook.verify:
        title = harmless(f"{check.title}{f': {check.expect}' if check.expect else ''}")
        line = check.options.by_hand(site.environment.url)
        jq = getattr(check.options, "jq", None)
        at = f", at {harmless(jq)}" if jq else ""
        lines.append(f"{line}    # {title}{at}" if line else f"# look yourself ({check.kind}): {title}")
    return lines
