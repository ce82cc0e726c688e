"""Asking a git repository on disk: nothing is fetched, nothing is written, and nothing that it configures is run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook.checks.base import Surroundings
from runbook.checks.findings import NotTaken
from runbook.checks.here.processes import run_for_check
from runbook.checks.platforms.programs import complaint_of
from runbook.system.processes import Finished

# No hooks, no watcher of the file system (older versions would run a program named `false`), no lock on the index,
# nobody asked, no way to another machine (a partial clone would fetch what it lacks), and the plain words of C.
_SETTINGS = ("core.fsmonitor=", "core.hooksPath=/dev/null", "core.alternateRefsCommand=", "gc.auto=0")
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_LARGE_FILES = re.compile(r"git-lfs (?:clean -- %f|filter-process)")
_NO_GIT = "install git (apt install git)"


@dataclass(frozen=True)
class Repository:
    """A repository at `path`, asked in the time that is left of a look."""

    path: str
    around: Surroundings

    async def ask(self, *words: str, also: Sequence[int] = ()) -> Finished:
        """What git says, when it ends with 0 or a status of `also`. Raises NotTaken for any other end."""
        finished = await self._run(["git", *self._words(*words)], words[0])
        if finished.cut:
            raise NotTaken(f"git {words[0]} said more than can be read")
        if finished.exit != 0 and finished.exit not in also:
            raise NotTaken(self._trouble(finished))
        return finished

    async def commit(self, name: str) -> str:
        """The id of the commit that a branch, tag or id names, of `origin` where it is not here. Raises NotTaken."""
        return next(iter((await self.commits(name)).values()))

    async def commits(self, name: str) -> Mapping[str, str]:
        """The ids of the commits that a branch, tag or id names here and at `origin`, by the name that has them there.

        There is one at least. Raises NotTaken.
        """
        found = {}
        for candidate in (name,) if name == "HEAD" else (name, f"origin/{name}"):
            finished = await self.ask("rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}", also=(1, 128))
            if finished.exit == 0:
                found[candidate] = finished.output.strip()
            elif "not a git repository" in finished.errors or "dubious ownership" in finished.errors:
                raise NotTaken(self._trouble(finished))
        if found:
            return found
        if name == "HEAD":
            raise NotTaken("nothing was committed in this repository yet")
        raise NotTaken(f"there is no {name} in this repository; git fetch --tags brings what others pushed")

    async def number(self, *words: str) -> int:
        """The number that git says. Raises NotTaken."""
        text = (await self.ask(*words)).output.strip()
        if not re.fullmatch(r"\d{1,12}", text):
            raise NotTaken(f"git {words[0]} gives no number")
        return int(text)

    async def is_shallow(self) -> bool:
        """Whether its history was cut off when it was cloned. Raises NotTaken."""
        return (await self.ask("rev-parse", "--is-shallow-repository")).output.strip() == "true"

    async def overlooked(self) -> list[str]:
        """The files that git was told not to look at (assume-unchanged, skip-worktree), so that `git status` says
        nothing of them. Those that a sparse checkout leaves out are not meant. Raises NotTaken.
        """
        words = ("config", "--type=bool", "--get", "core.sparseCheckout")
        sparse = (await self.ask(*words, also=(1,))).output.strip() == "true"
        letters = "a-z" if sparse else "a-zS"
        # What is listed is every file there is: of a large repository more than is read of a program.
        script = '{ git "$@" || echo "! "; } | LC_ALL=C grep "$0"'
        argv = ["sh", "-c", script, f"^[{letters}!] ", *self._words("ls-files", "-v", ":/")]
        finished = await self._run(argv, "ls-files")
        listed = finished.output.splitlines()
        if finished.exit not in (0, 1) or any(line.startswith("!") for line in listed):
            raise NotTaken(self._trouble(finished))
        return [line[2:] for line in listed]

    async def own_programs(self) -> list[str]:
        """The filters that its own configuration would have git run on its files; git-lfs is left out.

        Raises NotTaken.
        """
        pattern = r"^filter\..*\.(clean|process)$"
        words = ("config", "--null", "--show-scope", "--get-regexp", pattern)
        parts = (await self.ask(*words, also=(1,))).output.split("\0")
        found = []
        for scope, entry in zip(parts[::2], parts[1::2], strict=False):
            name, _, command = entry.partition("\n")
            if scope in ("local", "worktree") and command and not _LARGE_FILES.fullmatch(command.strip()):
                found.append(name)
        return found

    def _words(self, *words: str) -> list[str]:
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        return ["--no-pager", *settings, "-C", self.path, *words]

    async def _run(self, argv: Sequence[str], about: str) -> Finished:
        """Raises NotTaken where it did not come to its own end; `about` is what git does."""
        finished = await run_for_check(argv, self.around, additions=_ENVIRONMENT)
        if finished.not_started:
            raise NotTaken(f"{finished.how_it_ended}; {_NO_GIT}")
        if finished.timed_out or finished.interrupted or finished.exit is None or finished.exit < 0:
            raise NotTaken(f"git {about} {finished.how_it_ended}")
        return finished

    def _trouble(self, finished: Finished) -> str:
        said = finished.errors
        if "dubious ownership" in said:
            add = f"git config --global --add safe.directory {self.path}"
            return f"{self.path} belongs to somebody else, so git does not read it; trust it with: {add}"
        if "not a git repository" in said:
            return f"{self.path} is in no git repository"
        fatal = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))]
        return fatal[0][:200] if fatal else complaint_of(finished)
