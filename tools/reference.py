"""Writes docs/reference/ from the code: the language, the kinds of check and action, the commands."""

from __future__ import annotations

from pathlib import Path

from tools import checks_page, commands_page, playbook_page

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
PAGES = {"playbook.md": playbook_page.page, "checks.md": checks_page.page, "commands.md": commands_page.page}


def generated(name: str) -> str:
    """A page as the code says it now."""
    return PAGES[name]().rstrip("\n") + "\n"


def kept(name: str) -> str:
    """A page as it lies in docs/reference/; empty where there is none."""
    path = FOLDER / name
    return path.read_text("utf-8") if path.is_file() else ""


def main() -> None:
    """Write those that differ."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        text = generated(name)
        if text != kept(name):
            (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
