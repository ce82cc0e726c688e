"""Words of the kinds that ask a platform or a service of somebody else's."""

from __future__ import annotations

from tools.words.tried import Tried

OPTIONS: dict[str, dict[str, str]] = {
    "ollama": {
        "ollama": "the server's URL; a relative one starts at the environment's `url`",
        "models": "the models that must be there, with a tag (`llama3:8b`) or under any (`llama3`)",
    },
}

TRIED: dict[str, Tried] = {
    "ollama": Tried(
        "tests/checks/test_ollama.py", "HTTP servers on loopback that answer as Ollama does, and hostile ones"
    ),
}
