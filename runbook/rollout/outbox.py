"""The outbox: notices that wait to be sent, one file each, and the process of its own that sends them.

Whoever has something to tell leaves a file and goes on; nothing waits for a channel. A file holds the text and the
names of channels, never what a secret resolves to. A sender claims a file by renaming it; a claim whose process is gone
is taken over. What could not be sent within an hour is told as failed: late news is wrong news.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from runbook.actions.channels import Letter
from runbook.rollout.site import Site
from runbook.store.events import Event
from runbook.system.files import FileTrouble, read_regular, write_private
from runbook.system.processes import MARKER, process_identity

if TYPE_CHECKING:
    import subprocess

SENDING = 50.0  # seconds that a sender has for everything it found
AT_ONCE = 20  # letters on their way at a time
CLAIM_LASTS = 120.0  # seconds; no sender lives that long
TOO_OLD = 3600.0  # seconds
_CLAIMED = re.compile(r"(?P<name>.+\.json)\.sending-(?P<pid>\d+)-(?P<start>\d+)-(?P<namespace>\d+)")


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A letter, and the names of the channels that it has still to go to."""

    letter: Letter
    to: tuple[str, ...]


@dataclass
class Claimed:
    """A file of the outbox that this process sends."""

    path: Path
    letter: Letter
    to: list[str]

    def done_with(self, channel: str) -> None:
        """One channel fewer: killed from here on, we do not send there twice. With the last one the file goes."""
        self.to.remove(channel)
        if self.to:
            with contextlib.suppress(FileTrouble):
                write_private(self.path, msgspec.json.encode(Waiting(letter=self.letter, to=tuple(self.to))))
        else:
            self.path.unlink(missing_ok=True)


def folder_of(site: Site) -> Path:
    return site.state_folder / "outbox"


def put(site: Site, letter: Letter, to: Sequence[str]) -> None:
    """Leave a letter for the sender, durably and for the owner alone. Raises `FileTrouble`."""
    path = folder_of(site) / f"{site.slug}.{letter.id}.json"
    write_private(path, msgspec.json.encode(Waiting(letter=letter, to=tuple(dict.fromkeys(to)))))


def waiting(site: Site) -> list[Waiting]:
    """What this service and environment has in the outbox, also what is being sent just now."""
    return [kept for _, kept in _files(site)]


def _files(site: Site) -> Iterator[tuple[Path, Waiting]]:
    try:
        paths = sorted(path for path in folder_of(site).iterdir() if path.name.startswith(f"{site.slug}."))
    except OSError:
        return
    for path in paths:
        with contextlib.suppress(FileTrouble, msgspec.MsgspecError):  # it was sent while we looked, or is none
            kept = msgspec.json.decode(read_regular(path), type=Waiting)
            if (kept.letter.service, kept.letter.environment) == (site.playbook.service, site.environment.name):
                yield path, kept


def to_send(site: Site) -> bool:
    """Whether something lies there that nobody is sending."""
    return any(_free(path) for path, _ in _files(site))


def claim(site: Site) -> list[Claimed]:
    """Take everything that nobody is sending; what another process takes first is left to it."""
    _sweep(site)
    taken = []
    for path, kept in list(_files(site)):
        found = _CLAIMED.fullmatch(path.name)
        target = path.with_name(f"{found['name'] if found else path.name}.sending-{_ourselves()}")
        if not _free(path):
            continue
        with contextlib.suppress(OSError):
            path.rename(target)
            os.utime(target)
            taken.append(Claimed(target, kept.letter, list(kept.to)))
    return taken


def _sweep(site: Site) -> None:
    """Remove what a process that was killed in the middle of a write has left."""
    for path in folder_of(site).glob(".*.runbook-*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > TOO_OLD:
                path.unlink()


def _ourselves() -> str:
    start, _, namespace = process_identity(os.getpid()) or (0, "", "")
    return f"{os.getpid()}-{start}-{_digits(namespace)}"


def _digits(namespace: str) -> str:
    return re.sub(r"\D", "", namespace) or "0"


def _free(path: Path) -> bool:
    """Whether a file is claimed by nobody, or by a process that is gone or has had its time."""
    found = _CLAIMED.fullmatch(path.name)
    if found is None:
        return path.suffix == ".json"
    with contextlib.suppress(OSError):
        if abs(time.time() - path.stat().st_mtime) > CLAIM_LASTS:
            return True
    ours = process_identity(os.getpid())
    if ours is None or _digits(ours[2]) != found["namespace"]:
        return False  # nobody can tell whether that process lives
    theirs = process_identity(int(found["pid"]))
    return theirs is None or str(theirs[0]) != found["start"]


_STARTED: dict[Path, list[subprocess.Popen[bytes]]] = {}  # by outbox; kept so that what ended leaves no zombie


def start_sender(site: Site) -> None:
    """Start the process that sends what lies there, and let it go: it outlives us and ends by itself."""
    import subprocess

    playbook = site.project / site.playbook.path
    options = [f"--playbook={playbook if playbook.is_file() else site.playbook_name}", f"--env={site.environment.name}"]
    environment = {name: value for name, value in os.environ.items() if name != MARKER}
    sender_at_work(site)
    with contextlib.suppress(OSError):  # what lies there is sent with the next notice
        _STARTED.setdefault(folder_of(site), []).append(
            subprocess.Popen(
                [sys.executable, "-P", "-m", "runbook", "notify", "--outbox", *options],
                env={**environment, "RUNBOOK_PROJECT": str(site.project)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )


def sender_at_work(site: Site) -> bool:
    """Whether a sender that this process started for this outbox is still alive; those that ended are forgotten."""
    started = _STARTED.get(folder_of(site), [])
    started[:] = [one for one in started if one.poll() is None]
    return bool(started)


def send_waiting(site: Site, seconds: float = SENDING) -> int:
    """Send what lies in the outbox, within so many seconds, and record how each came out; how many were sent.

    Channels are asked side by side, so that one that hangs does not keep the others waiting; the newest first.
    """
    import asyncio

    site.insist = True  # what cannot be recorded keeps no notice from going out
    claimed, oldest = claim(site), site.clock.wall() - TOO_OLD
    _give_up(site, [one for one in claimed if one.letter.at < oldest])
    fresh = [one for one in claimed if one.letter.at >= oldest]
    return asyncio.run(_send_all(site, fresh, seconds)) if fresh else 0


def _give_up(site: Site, claimed: Sequence[Claimed]) -> None:
    """Record what lay there for too long, all of it at once."""
    reason = "it lay in the outbox for more than an hour"
    if events := [outcome_event(site, one.letter, channel, reason) for one in claimed for channel in one.to]:
        site.record(*events)
    for one in claimed:
        one.path.unlink(missing_ok=True)


async def _send_all(site: Site, claimed: Sequence[Claimed], seconds: float) -> int:
    import asyncio

    until, turns = time.monotonic() + seconds, asyncio.Semaphore(AT_ONCE)

    async def in_turn(one: Claimed, channel: str) -> bool:
        async with turns:
            left = until - time.monotonic()
            return left > 0 and await _send(site, one, channel, left)  # what is left over stays for the next sender

    newest = sorted(claimed, key=lambda one: one.letter.at, reverse=True)
    return sum(await asyncio.gather(*(in_turn(one, channel) for one in newest for channel in tuple(one.to))))


async def _send(site: Site, claimed: Claimed, name: str, seconds: float) -> bool:
    from runbook.actions.channels import deliver_patiently

    channel, letter = site.playbook.channels.get(name), claimed.letter
    if channel is None:
        reason = f"the playbook has no channel {name}"
    else:
        ended = await deliver_patiently(channel, letter, site.variables({}), site.masker, seconds=seconds)
        reason = "" if ended.ok else f"{ended.said} ({ended.attempts} attempts)" if ended.attempts > 1 else ended.said
    site.record(outcome_event(site, letter, name, reason))
    claimed.done_with(name)
    return not reason


def outcome_event(site: Site, letter: Letter, channel: str, reason: str) -> Event:
    """The event that tells how a letter came out on one channel: sent where there is no `reason`."""
    told = {"notice": letter.notice, "channel": channel, "occasion": letter.occasion, "id": letter.id}
    if reason:
        return site.event("notice.failed", {**told, "reason": reason}, operation=letter.operation)
    return site.event("notice.sent", told, operation=letter.operation)
