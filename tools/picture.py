"""Makes docs/images/demo.svg: the middle of `runbook demo`, as a wide terminal showed it, colours and all.

python -m tools.picture      runs the tour in tmux and writes the picture again
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

IMAGE = Path(__file__).resolve().parent.parent / "docs" / "images" / "demo.svg"
COMMAND = Path(sys.executable).with_name("runbook")
COLUMNS = 112
FIRST, LAST = "$ runbook ramp 10 --yes --watch", "Next: runbook incident report"
PATIENCE = 180.0  # seconds that the tour may take
THEME = TerminalTheme(
    (22, 24, 29),
    (208, 210, 214),
    [(60, 64, 72), (224, 96, 96), (120, 190, 110), (214, 176, 90),
     (104, 150, 220), (180, 130, 200), (100, 184, 190), (208, 210, 214)],
    [(120, 124, 132), (240, 120, 120), (150, 215, 140), (235, 200, 120),
     (135, 178, 240), (205, 160, 225), (130, 210, 215), (240, 241, 243)],
)  # fmt: skip
# As rich draws a terminal, without the fonts that it would fetch from the network.
DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title></title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>{lines}</defs>
<rect fill="#16181d" x="1" y="1" width="{width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""


def recorded() -> str:
    """What a terminal showed of the tour, with its colours. Raises TimeoutError when the tour does not end."""
    with tempfile.TemporaryDirectory(prefix="runbook-picture-") as made:
        socket, done = f"{made}/tmux", Path(made) / "done"
        line = f"{shlex.quote(str(COMMAND))} demo {made}/demo; echo $? > {done}; sleep 600"
        tmux = ["tmux", "-S", socket, "-f", "/dev/null"]
        start = ["new-session", "-d", "-x", str(COLUMNS), "-y", "24", line]
        subprocess.run([*tmux, "set-option", "-g", "history-limit", "5000", ";", *start], check=True)
        try:
            _wait_for(done)
            capture = [*tmux, "capture-pane", "-e", "-p", "-J", "-S", "-"]
            return subprocess.run(capture, capture_output=True, text=True, check=True).stdout
        finally:
            subprocess.run([*tmux, "kill-server"], check=False)


def _wait_for(path: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not path.is_file():
        if time.monotonic() > until:
            raise TimeoutError("the tour did not end")
        time.sleep(0.2)


def chosen(screen: str) -> list[Text]:
    """The lines from the step up to the end of its rollback. Raises ValueError when the tour was another one."""
    lines = list(Text.from_ansi(screen).split("\n"))
    plain = [line.plain.rstrip() for line in lines]
    first = next((number for number, line in enumerate(plain) if line.startswith(FIRST)), None)
    last = next((number for number, line in enumerate(plain) if first is not None and line == LAST), None)
    if first is None or last is None:
        raise ValueError("the tour did not show the rollback")
    return lines[first : last + 1]


def drawn(lines: list[Text]) -> str:
    """The lines as an SVG."""
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
        for line in lines:
            console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
        svg = console.export_svg(title="", theme=THEME, code_format=DRAWING, unique_id="demo")
    return svg.replace("<title></title>", "<title>runbook ramp: a trigger fires and the service is rolled back</title>")


def main() -> None:
    """Write the picture."""
    IMAGE.parent.mkdir(parents=True, exist_ok=True)
    IMAGE.write_text(drawn(chosen(recorded())), "utf-8")


if __name__ == "__main__":
    main()
