"""A site: one service in one environment, with everything that is needed to look at it, change it and remember it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.actions.base import Hands
from runbook.checks.base import Check
from runbook.flags.changes import FlagTrouble
from runbook.flags.target import FlagFile
from runbook.playbook.model import Environment, Playbook
from runbook.store.base import Chain, Store, StoreAway
from runbook.store.events import Event, Who
from runbook.store.fold import state_of
from runbook.store.heads import chain_slug
from runbook.store.spool import Spool
from runbook.store.state import State
from runbook.system.clock import Clock, microseconds
from runbook.system.files import FileTrouble
from runbook.system.secrets import Masker
from runbook.system.signals import Interruptions
from runbook.system.variables import Variables


@dataclass
class Site:
    """One service in one environment, at hand. `store` is None when it is away; `store_trouble` says why.

    With `insist` (the emergency) what cannot even be kept in the spool is only said: `unkept` tells why.
    """

    project: Path
    state_folder: Path
    playbook: Playbook
    playbook_name: str
    environment: Environment
    who: Who
    clock: Clock
    masker: Masker
    variables: Callable[[dict[str, str]], Variables]
    store: Store | None
    store_trouble: str = ""
    interruptions: Interruptions = field(default_factory=Interruptions)
    insist: bool = False
    unkept: str = ""
    _state: State | None = None

    @property
    def name(self) -> str:
        """`checkout · production`, as every screen says it."""
        return self.chain.name

    @property
    def verify(self) -> tuple[Check, ...]:
        """What is verified in this environment: `only` and `unless` may leave nothing of the list."""
        return tuple(check for check in self.playbook.verify if check.counts_in(self.environment.name))

    @property
    def chain(self) -> Chain:
        return Chain(self.playbook.service, self.environment.name)

    @property
    def slug(self) -> str:
        return chain_slug(self.chain)

    @property
    def journals(self) -> Path:
        return self.state_folder / "journal"

    @property
    def lock_file(self) -> Path:
        """Held by whoever changes something from this machine."""
        return self.state_folder / "locks" / f"{self.slug}.lock"

    def state(self) -> State:
        """Where the service stands by its events; an empty state when the store is away."""
        if self._state is None:
            try:
                self._state = state_of(self.store, self.chain) if self.store else State()
            except StoreAway as away:
                self.lose_store(away)
                self._state = State()
        return self._state

    def forget_state(self) -> None:
        """Fold again at the next `state()`: somebody may have written."""
        self._state = None

    def lose_store(self, away: StoreAway) -> None:
        """Go on without the store; what happens from here on goes to the spool."""
        self.store, self.store_trouble = None, away.reason

    def event(
        self,
        kind: str,
        payload: dict[str, Any],
        *,
        operation: str | None = None,
        epoch: int = 0,
        at: float | None = None,
    ) -> Event:
        """An event of this site, now. Payload text is masked, so that no secret reaches the chain."""
        return Event(
            kind=kind,
            at=microseconds(self.clock.wall() if at is None else at),
            who=self.who,
            payload=masked(payload, self.masker),
            rollout=self.state().rollout,
            operation=operation,
            epoch=epoch,
            uuid=uuid.uuid4().hex,
        )

    def record(self, *events: Event) -> None:
        """Write events to the store; to the spool when the store is away. Raises `FileTrouble` unless `insist`."""
        if self.store is not None:
            try:
                self.store.register(self.chain, self.playbook_name, self.playbook.path)
                self.store.append(self.chain, events)
                self.forget_state()
                return
            except StoreAway as away:
                self.lose_store(away)
        try:
            for event in events:
                Spool(self.state_folder / "spool").add(self.chain, event)
        except FileTrouble as trouble:
            if not self.insist:
                raise
            self.unkept = f"{trouble.path}: {trouble.reason}"

    def flag_files(self) -> list[FlagFile]:
        """The files where this environment's flags live."""
        return [
            FlagFile(self.project, place.path, place.in_place, self.state_folder) for place in self.environment.flags_in
        ]

    def shown_flags(self) -> dict[str, str | None]:
        """The declared keys as the first flag file shows them.

        Raises:
            FlagTrouble: the file cannot be read.
        """
        flags = self.playbook.flags
        files = self.flag_files()
        if flags is None or not files:
            return {}
        keys = flags.keys()
        values = [file.read(keys).values for file in files]
        shown = dict(values[0])
        for other in values[1:]:
            for key, value in other.items():
                if shown.get(key) is None:
                    shown[key] = value
        return shown

    def flags_or_trouble(self) -> tuple[dict[str, str | None], FlagTrouble | None]:
        """As `shown_flags`, for those who only look."""
        try:
            return self.shown_flags(), None
        except FlagTrouble as trouble:
            return {}, trouble

    def hands(self, operation: str, output: Callable[[str], None], context: dict[str, str]) -> Hands:
        """What an action of this site may use. `context` are the lower-case names of `${...}`."""
        return Hands(
            project=self.project,
            url=self.environment.url,
            variables=self.variables(context),
            masker=self.masker,
            operation=operation,
            started=lambda pid: None,
            output=output,
            stopping=lambda: self.interruptions.stopping,
            scale=self.environment.bake_scale,
        )


def masked(value: Any, masker: Masker) -> Any:
    """A payload with every secret masked, whatever its shape."""
    if isinstance(value, str):
        return masker.mask(value)
    if isinstance(value, dict):
        return {str(key): masked(inner, masker) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(inner, masker) for inner in value]
    return value
