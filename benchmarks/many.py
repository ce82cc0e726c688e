"""Many endpoints asked in one `runbook preflight`, beside curl asking the same list; whole processes on both sides."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.answering import HOSTS, counted
from benchmarks.figures import Figure, figure
from benchmarks.scene import RUNBOOK, SAFE, clean_environment
from benchmarks.timing import Subject, in_turns, process

PLAYBOOK = """\
runbook: 1
service: kitchen
flags: {{percent: KITCHEN_PERCENT, safe: {{KITCHEN_PERCENT: 0, KITCHEN_MODEL: none}}}}
environments:
  local: {{url: "http://127.0.0.1:{port}", flags_in: {{env: kitchen.env}}{at_once}}}
{sections}
stages:
  - {{stage: dark, percent: 0}}
  - {{stage: some, percent: 10, requires: [many]}}
"""
AT_ONCE = 64
MEMORY = 150 * 2**20  # bytes that 5,000 checks may take
METRICS, SOURCES = 50, 5


@dataclass(frozen=True)
class Load:
    """So many checks of one kind of path, and how many times curl's time they may take (None: no target)."""

    checks: int
    path: str
    target: float | None
    rounds: int = 5

    @property
    def told(self) -> str:
        return f"{self.checks:,} checks at {'50' if self.path == 'slow' else '0'} ms"


ON_ONE_HOST = (
    Load(20, "slow", 2.0), Load(200, "slow", 1.5), Load(1000, "slow", 1.2), Load(5000, "slow", 1.1, rounds=3),
    Load(20, "fast", None), Load(200, "fast", None), Load(1000, "fast", 8.0), Load(5000, "fast", None, rounds=3),
)  # fmt: skip


@dataclass(frozen=True)
class Kitchen:
    """A project whose next stage requires all these checks."""

    folder: Path

    @property
    def runbook(self) -> list[str | Path]:
        return [RUNBOOK, "preflight", "--deadline", "2m"]

    @property
    def env(self) -> dict[str, str]:
        return clean_environment(self.folder)


def one_host(folder: Path, port: int) -> list[Figure]:
    """Ever more checks at one host, 64 at a time on both sides."""
    if shutil.which("curl") is None or shutil.which("jq") is None:
        return []
    found = []
    for load in ON_ONE_HOST:
        urls = [f"http://127.0.0.1:{port}/{load.path}/{number}" for number in range(load.checks)]
        kitchen = _kitchen(folder / f"{load.path}-{load.checks}", port, urls, f", at_once: {AT_ONCE}")
        name = f"runbook preflight, {load.told}"
        found.append(_beside_curl(name, kitchen, urls, load.target, load.rounds))
        if load.checks == 5000 and load.path == "slow":
            found.append(_memory(name, kitchen))
    return found


def many_hosts(folder: Path, port: int) -> list[Figure]:
    """A thousand checks over fifty hosts, with what each side does when nobody says how many at a time."""
    if shutil.which("curl") is None or shutil.which("jq") is None:
        return []
    urls = [f"http://127.0.0.{number % HOSTS + 1}:{port}/slow/{number}" for number in range(1000)]
    kitchen = _kitchen(folder, port, urls, "")
    return [_beside_curl(f"runbook preflight, 1,000 checks at 50 ms over {HOSTS} hosts", kitchen, urls, 0.5, 5, "")]


def few_sources(folder: Path, port: int) -> list[Figure]:
    """Requests of one look over fifty metrics that come from five URLs."""
    lines = [
        f"  m{number}: {{http: /fast/source-{number % SOURCES}, jq: .m{number % 10}}}" for number in range(METRICS)
    ]
    rows = [f"    - {{check: Whole {number}, http: /fast/source-{number}}}" for number in range(SOURCES)]
    sections = "\n".join(["metrics:", *lines, "checklists:", "  many:", *rows])
    kitchen = _write(folder, port, sections, "")
    before = counted(port)
    done = subprocess.run(
        [RUNBOOK, "health-check", "--format", "json"], cwd=folder, env=kitchen.env, capture_output=True, check=False
    )
    measured = len(json.loads(done.stdout)["metrics"])
    if measured != METRICS:
        raise RuntimeError(f"{measured} metrics were looked at, not {METRICS}")
    asked = counted(port) - before
    what = f"runbook health-check, {METRICS} metrics from {SOURCES} URLs: requests"
    return [Figure(what, f"{SOURCES} requests", asked / SOURCES, 0.0, 1.0, f"{asked}")]


def _beside_curl(
    name: str,
    kitchen: Kitchen,
    urls: list[str],
    target: float | None,
    rounds: int,
    limit: str = f"--parallel-max {AT_ONCE}",
) -> Figure:
    (kitchen.folder / "urls").write_text("".join(f'url = "{url}"\n' for url in urls), "utf-8")
    shell = f"curl --silent --parallel {limit} --config urls | jq --slurp 'map(.m1) | length'"
    plain = f"curl --parallel {limit} and jq".replace("  ", " ")
    times = in_turns(
        [
            Subject(plain, process(["sh", "-c", shell], kitchen.folder, kitchen.env)),
            Subject(name, process(kitchen.runbook, kitchen.folder, kitchen.env)),
        ],
        rounds,
    )
    return figure(name, times[name], plain, times[plain], target)


def _memory(name: str, kitchen: Kitchen) -> Figure:
    """The most memory that the process ever held."""
    with subprocess.Popen(
        kitchen.runbook, cwd=kitchen.folder, env=kitchen.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    held = used.ru_maxrss * 1024
    return Figure(f"{name}: peak memory", "150 MiB", held / MEMORY, 0.0, 1.0, f"{held / 2**20:.0f} MiB")


def _kitchen(folder: Path, port: int, urls: list[str], at_once: str) -> Kitchen:
    rows = [
        f'    - {{check: Answer {number}, http: "{url}", jq: .m1, expect: "== 1"}}' for number, url in enumerate(urls)
    ]
    return _write(folder, port, "\n".join(["checklists:", "  many:", *rows]), at_once)


def _write(folder: Path, port: int, sections: str, at_once: str) -> Kitchen:
    (folder / "playbooks").mkdir(parents=True)
    text = PLAYBOOK.format(port=port, at_once=at_once, sections=sections)
    (folder / "playbooks/kitchen.yaml").write_text(text, "utf-8")
    (folder / "kitchen.env").write_text(SAFE, "utf-8")
    return Kitchen(folder)
