"""The kit of a site: written before the first change of each ramp, so that the way back needs nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from runbook import __version__
from runbook.actions.base import Action
from runbook.playbook.kit import Kit, script_of, sections_of, write_kit
from runbook.rollout.planning import safe_values
from runbook.rollout.site import Site
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
    redeploy = site.environment.redeploy
    rollback = site.playbook.rollback
    script = script_of(
        kit,
        site.project,
        by_hand=[line for file in site.flag_files() for line in sed_lines(file.shown, safe_values(site.playbook))],
        redeploy=redeploy.action.options.by_hand() if redeploy else None,
        steps=[
            item.options.by_hand(site.environment.url)
            for item in (rollback.steps if rollback else ())
            if isinstance(item, Action) and item.kind != "notify"  # without the tool nobody can send it
        ],
        verify=verify_lines(site),
    )
    write_kit(site.state_folder, site.slug, kit, script)


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
