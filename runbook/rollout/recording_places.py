"""Under which name a recorded answer is found again by a test, and where a file of answers may be written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.checks.recorded_names import path_of, place_of
from runbook.playbook.find import find_playbooks, yaml_files
from runbook.rollout.recording_masks import Masks
from runbook.rollout.site import Site
from runbook.system.files import MIB, FileTrouble, read_regular
from runbook.system.http_requests import absolute
from runbook.system.refusals import Refusal

LARGEST_FILE = 256 * MIB
_PARTS = ("service", "environment", "at", "answers")
_PLAYBOOKS = (".yaml", ".yml")


@dataclass(frozen=True)
class Kept:
    """An answer as it is kept; `cut` where that is only its beginning."""

    told: dict[str, Any]
    cut: bool = False


@dataclass(frozen=True)
class Origin:
    """Where the service is (`base`), and for each URL that was filled in how a test fills it in."""

    base: str
    urls: Mapping[str, str]

    def names(self, asked: str) -> list[str]:
        """The names under which a test finds a request (`GET https://...`), the closest first."""
        method, _, url = asked.partition(" ")
        plain = self._of_tests(url)
        whole = place_of(plain.partition("#")[0], self.base)
        path = path_of(plain)
        places = [whole, whole.partition("?")[0]] + ([] if whole.startswith("/") else [path, path.partition("?")[0]])
        return [f"{method} {place}" for place in dict.fromkeys(places)]

    def _of_tests(self, url: str) -> str:
        """The URL as a test asks it; of one that a kind made longer its beginning."""
        begun = [(absolute(real, self.base or None) or real, own) for real, own in self.urls.items()]
        found = [(real, own) for real, own in begun if url.startswith(real)]
        if not found:
            return url
        real, own = max(found, key=lambda pair: len(pair[0]))
        return (absolute(own, self.base or None) or own) + url[len(real) :]


def placed(answered: Mapping[str, Kept], origin: Origin, masks: Masks) -> tuple[dict[str, Any], list[str]]:
    """The answers by the names under which a test finds them, and the names of those that were cut.

    A name in which a secret stands gives way to a wider one (without the query, without the host) as long as that is
    not taken by another answer.
    """
    named = {asked: origin.names(asked) for asked in answered}
    clean = {asked: [name for name in names if masks.text(name) == name] for asked, names in named.items()}
    in_order = sorted(answered, key=lambda asked: named[asked][0] not in clean[asked])
    answers: dict[str, Any] = {}
    cut: list[str] = []
    for asked in in_order:
        kept = answered[asked]
        free = [name for name in clean[asked] if name not in answers or answers[name] == kept.told]
        name = free[0] if free else masks.text(named[asked][0])
        answers[name] = kept.told
        if kept.cut:
            cut.append(name)
    return answers, cut


def ensure_place(path: Path, site: Site) -> bool:
    """Whether a file of answers stands there already, which may be written anew; False where nothing is.

    Raises `Refusal` for everything else: what is written is lost, and a file of answers is worth no other file.
    """
    real = path.parent.resolve() / path.name
    if (why := _why_never(real, site)) is not None:
        raise _refused(path, why)
    if real.is_symlink():
        raise _refused(path, "is a link, and what it points to is not looked for")
    if not real.exists():
        return False
    if not real.is_file():
        raise _refused(path, "is no regular file")
    if not _holds_answers(real):
        raise _refused(path, "is there already and holds no recorded answers")
    return True


def _why_never(real: Path, site: Site) -> str | None:
    """Why answers are kept there in no case."""
    if ".runbook" in real.parts or real.is_relative_to(site.state_folder.resolve()):
        return "lies in .runbook/, where this tool keeps what happened"
    places = [place.path for one in site.playbook.environments.values() for place in one.flags_in]
    places += [place.path for place in site.environment.flags_in]
    if any(_is_same(real, site.project / place) for place in places):
        return "is a flag file"
    playbooks = [one.path for one in find_playbooks(site.project)] + [site.project / site.playbook.path]
    playbooks += yaml_files(site.project / "playbooks")
    beside = real.suffix in _PLAYBOOKS and real.parent == (site.project / "playbooks").resolve()
    if beside or any(_is_same(real, one) for one in playbooks):
        return "is a playbook, or stands where playbooks are looked for"
    return None


def _is_same(real: Path, other: Path) -> bool:
    try:
        return real == other.resolve() or real == other.parent.resolve() / other.name or real.samefile(other)
    except (OSError, RuntimeError):
        return False


def _holds_answers(path: Path) -> bool:
    try:
        document = json.loads(read_regular(path, LARGEST_FILE))
    except (FileTrouble, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and all(part in document for part in _PARTS)


def _refused(path: Path, why: str) -> Refusal:
    return Refusal(
        f"{path} {why}; nothing was written",
        next_steps=["name a new file:", "runbook test --record answers.json"],
    )
