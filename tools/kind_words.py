"""What the reference says of each kind beyond what its class says: its options in words, and what it was tried against.

A kind or an option without words here is an error of the generator, so that none can be added without its docs.
"""

from __future__ import annotations

from tools.words import here, monitoring, network, platforms, stores
from tools.words.tried import Tried

ROOMS = (network, monitoring, stores, platforms, here)

CHECK_OPTIONS: dict[str, dict[str, str]] = {kind: words for room in ROOMS for kind, words in room.OPTIONS.items()}
CHECKS_TRIED: dict[str, Tried] = {kind: tried for room in ROOMS for kind, tried in room.TRIED.items()}

ACTION_OPTIONS: dict[str, dict[str, str]] = {
    "command": {"command": "the program and its arguments"},
    "run": {"run": "the shell line"},
    "http": {
        "http": "the URL; a relative one starts at the environment's `url`",
        "method": "how it is asked (POST)",
        "json": "what is sent, as JSON",
        "text": "what is sent, as it is",
        "headers": "headers by name",
        "status": "the status that counts as done: a number or a list of them (2xx)",
    },
    "systemd": {"systemd": "the unit"},
    "wait": {"wait": "how long; a sandbox's `bake_scale` shortens it"},
    "notify": {"notify": "the name of a notice"},
}
