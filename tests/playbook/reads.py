"""Reading texts as playbooks in tests."""

from __future__ import annotations

from pathlib import Path

from runbook.playbook.load import Loaded, load_playbook
from runbook.playbook.model import Playbook
from runbook.playbook.nodes import Node
from runbook.playbook.reading import Broken, Reading
from runbook.playbook.source import text_of
from runbook.playbook.yaml_tree import read_tree

SMALL = """\
runbook: 1
service: soup
flags: {percent: SOUP_PERCENT, safe: {SOUP_PERCENT: 0, SOUP_MODEL: none}}
environments:
  local: {url: "http://127.0.0.1:1", flags_in: {env: soup.env}, redeploy: {command: [sh, restart.sh]}}
verify: [{check: Up, http: /health}]
"""


def tree_of(data: bytes | str) -> tuple[Node | None, Reading]:
    """The tree of a text, and what was noted while it was read."""
    reading = Reading("soup.yaml")
    try:
        text = text_of(data.encode() if isinstance(data, str) else data, reading)
        return read_tree(text, reading), reading
    except Broken:
        return None, reading


def load_text(folder: Path, text: str, name: str = "soup.yaml") -> Loaded:
    """Load a text that stands in the folder's `playbooks/`."""
    path = folder / "playbooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return load_playbook(path, folder)


def read_well(folder: Path, text: str) -> Playbook:
    """The playbook of a text that is right."""
    loaded = load_text(folder, text)
    assert loaded.playbook is not None, "\n".join(map(str, loaded.problems))
    return loaded.playbook


def told(loaded: Loaded) -> list[str]:
    """The errors as `LINE:COLUMN message`."""
    return [f"{p.place.line}:{p.place.column} {p.message}" if p.place else p.message for p in loaded.errors]
