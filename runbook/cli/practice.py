"""What a sandbox lends to a playbook's sandbox environment."""

from __future__ import annotations

from pathlib import Path

import msgspec

from runbook.actions.base import Action
from runbook.actions.command import Command
from runbook.playbook.model import Environment, FlagPlace, Playbook, Redeploy
from runbook.store.base import Chain
from runbook.store.heads import chain_slug
from runbook.system.refusals import Exit, Refusal


def definition_of(root: Path, service: str) -> Path:
    """How the practice service behaves: the project's own description, else the shipped one."""
    from runbook.playbook.find import shipped_sandboxes

    own = root / "playbooks" / "sandbox" / f"{service}.yaml"
    return own if own.is_file() else shipped_sandboxes() / f"{service}.yaml"


def folder_of(state: Path, service: str, environment: str) -> Path:
    """Where the practice service lives."""
    return state / "sandbox" / chain_slug(Chain(service, environment))


def env_file_of(root: Path, folder: Path, environment: Environment) -> Path:
    """Its flag file: the one the playbook names, else one in its own folder."""
    return root / environment.flags_in[0].path if environment.flags_in else folder / "service.env"


def lent(root: Path, state: Path, playbook: Playbook, environment: Environment, *, tolerant: bool) -> Environment:
    """The environment with URL, flag file, redeploy and variables of the sandbox; what the playbook says wins.

    Raises `Refusal` when the sandbox is not up, unless that is tolerated.
    """
    from runbook.sandbox.control import environment as lend
    from runbook.sandbox.trouble import SandboxTrouble

    folder = folder_of(state, playbook.service, environment.name)
    try:
        given = lend(definition_of(root, playbook.service), folder, project=root)
    except SandboxTrouble as trouble:
        if tolerant or environment.url:
            return environment
        name = Path(playbook.path).stem
        raise Refusal(
            f"{playbook.service} · {environment.name}: {trouble.reason}",
            exit_=Exit.FAILED,
            next_steps=[f"runbook sandbox up -p {name}"],
        ) from trouble
    redeploy = Redeploy(
        action=Action(
            title="restart the practice service",
            kind="command",
            options=Command(command=tuple(given.restart_argv)),
            timeout=20.0,
        ),
        verify_within=10.0,
    )
    path = given.env_file
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return msgspec.structs.replace(
        environment,
        url=environment.url or given.url,
        flags_in=environment.flags_in or (FlagPlace(kind="env", path=str(shown)),),
        redeploy=environment.redeploy or redeploy,
        variables={**given.variables, **environment.variables},
    )
