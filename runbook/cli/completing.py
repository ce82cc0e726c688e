"""What the shell completes: playbooks, environments, stages, percentages, checks. It reads files only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def playbooks(incomplete: str) -> list[str]:
    """Names of the project's playbooks and of the shipped ones."""

    def names() -> Iterable[str]:
        from runbook.playbook.find import find_playbooks, shipped_playbooks

        root = _root()
        return [*(found.name for found in find_playbooks(root)), *(path.stem for path in shipped_playbooks())]

    return _beginning(incomplete, names)


def environments(incomplete: str) -> list[str]:
    """The environments of the playbooks at hand."""
    return _beginning(incomplete, lambda: [name for plain in _plains() for name in plain.get("environments", {})])


def positions(incomplete: str) -> list[str]:
    """Stages, percentages and `stage@percent`."""
    return _beginning(incomplete, lambda: [name for plain in _plains() for name in _positions(plain)])


def stages(incomplete: str) -> list[str]:
    """The stages alone."""
    return _beginning(
        incomplete, lambda: [str(stage.get("stage")) for plain in _plains() for stage in plain.get("stages", [])]
    )


def checks(incomplete: str) -> list[str]:
    """The ids of the checks, as `LIST/ID`."""

    def names() -> Iterable[str]:
        for playbook in _playbooks():
            for name, listed in playbook.checklists.items():
                yield from (f"{name}/{check.id}" for check in listed)

    return _beginning(incomplete, names)


def incidents(incomplete: str) -> list[str]:
    """The numbers of the project's incidents."""

    def numbers() -> Iterable[str]:
        from runbook.store.fold import state_of
        from runbook.store.opening import open_store
        from runbook.system.clock import MachineClock

        store = open_store(None, _root() / ".runbook", MachineClock())
        for info in store.chains():
            yield from (str(number) for number in sorted(state_of(store, info.chain).incidents))

    return _beginning(incomplete, numbers)


def _positions(plain: dict[str, Any]) -> Iterable[str]:
    for stage in plain.get("stages", []):
        steps = stage.get("percent")
        for step in steps if isinstance(steps, list) else [steps]:
            percent = step.get("to") if isinstance(step, dict) else step
            yield f"{stage.get('stage')}@{percent}"
            yield str(percent)
        yield str(stage.get("stage"))


def _root() -> Path:
    from runbook.system.project import find_project

    return find_project(os.environ).root


def _playbooks() -> list[Any]:
    from runbook.playbook.find import find_playbooks
    from runbook.playbook.load import load_playbook

    root = _root()
    loaded = [load_playbook(found.path, root).playbook for found in find_playbooks(root)]
    return [playbook for playbook in loaded if playbook is not None]


def _plains() -> list[dict[str, Any]]:
    return [playbook.plain for playbook in _playbooks()]


def _beginning(incomplete: str, names: Callable[[], Iterable[str]]) -> list[str]:
    """The names that begin so, each once; a completion never fails in somebody's prompt."""
    try:
        return [name for name in dict.fromkeys(names()) if name.startswith(incomplete)]
    except Exception:
        return []
