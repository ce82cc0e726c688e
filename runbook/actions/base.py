"""What every kind of action shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

if TYPE_CHECKING:
    from runbook.system.secrets import Masker
    from runbook.system.variables import Variables


class ActionKind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The options of one kind of action; a subclass in a file of its own and a row in `actions.registry.KINDS`."""

    KEY: ClassVar[str]
    DOES: ClassVar[str]  # one sentence for the reference
    EXAMPLE: ClassVar[str]  # one playbook line for the reference

    def preview(self) -> str:
        """One line that a plan shows: what would run, `${...}` unexpanded."""
        raise NotImplementedError

    def by_hand(self, url: str | None = None) -> str:
        """The shell line that does the same by hand; a relative URL in it starts at `url`."""
        return self.preview()

    def act(self, hands: Hands, timeout: float) -> Done:
        """Do it, within `timeout` seconds. What the world does wrong is told in `Done`, not raised."""
        raise NotImplementedError


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One action of a playbook. `timeout` in seconds; `critical: false` lets the list go on when it fails."""

    title: str
    kind: str
    options: Any  # an instance of registry.KINDS[kind]
    timeout: float = 60.0
    attempts: int = 1
    critical: bool = True
    when: str | None = None
    undo: Action | None = None


@dataclass(frozen=True)
class Done:
    """How an action ended. `interrupted` tells that the operator's signal ended it; `duration` in seconds."""

    ok: bool
    message: str = ""
    duration: float = 0.0
    interrupted: bool = False


def nobody_is_told(notice: str) -> Done:
    """Where there are no channels."""
    return Done(False, f"nobody can be told of {notice} here")


@dataclass
class Hands:
    """What an action may use.

    `operation` marks the processes it starts, so that a later command can end what is left of them.
    `started(pid)` is called as soon as a process group exists; `output` gets each line, already masked and harmless;
    `stopping()` turns true when the operator asked to stop; `tell(notice)` queues a notice and waits for nobody.
    """

    project: Path
    url: str | None
    variables: Variables
    masker: Masker
    operation: str
    started: Callable[[int], None]
    output: Callable[[str], None]
    stopping: Callable[[], bool]
    scale: float = 1.0  # a sandbox's bake_scale; only `wait` is shortened by it
    tell: Callable[[str], Done] = nobody_is_told
