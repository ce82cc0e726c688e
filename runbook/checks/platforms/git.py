"""`git`: a repository on disk is as it should be: clean, on a branch, at a tag, pushed, with a branch merged."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from runbook.checks.base import Finding, Kind, Surroundings
from runbook.checks.findings import NotTaken, failed, unknown, without_value
from runbook.checks.platforms.git_repository import Repository
from runbook.checks.platforms.programs import counted, misnamed, name_for
from runbook.judge.verdicts import Status
from runbook.system.secrets import VariableTrouble
from runbook.system.shell_words import shell_line

# What git takes for the name of a branch or tag (git-check-ref-format), narrowed to what no shell and no syntax of
# revisions reads anything into; an id of a commit is such a name as well.
_NAME = re.compile(r"(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|\Z)))[A-Za-z0-9_][A-Za-z0-9_./@+#=%,-]{0,249}(?<![./])")
_SHOWN = 20
_LOOK_AGAIN = "git update-index --no-assume-unchanged FILE, or --no-skip-worktree FILE, has it look again"
_DETACHED = "a commit, on no branch"


@dataclass(frozen=True)
class _Answer:
    """One question answered: empty `wrong` is a yes. `listed` are what is in the way, by name."""

    right: str = ""
    wrong: str = ""
    listed: tuple[str, ...] = ()


_Question = Callable[[Repository], Awaitable[_Answer]]


class Git(Kind, frozen=True, kw_only=True):
    """Everything that is named has to hold. Nothing is fetched: what is not here yet is not known, and said so.

    `merged` is true of commits that are in `into` themselves: a branch that was squashed or rebased leaves other ones.
    A branch that is here and at `origin` has to be merged as it is in both places. A file that git was told not to look
    at (assume-unchanged, skip-worktree) is not `clean`.
    Of submodules it counts which commit is checked out, not what was changed within.
    """

    KEY: ClassVar[str] = "git"
    LOOKS_AT: ClassVar[str] = "a git repository on disk: it is clean, on a branch or tag, pushed, or a branch is merged"
    EXAMPLE: ClassVar[str] = "{check: What is deployed is committed, git: ., clean: true, pushed: true}"

    git: str
    clean: bool = False
    branch: str | None = None
    at: str | None = None
    pushed: bool = False
    merged: str | None = None
    into: str | None = None

    def takes_value(self) -> bool:
        return False

    def asserts(self) -> bool:
        return bool(self.clean or self.branch or self.at or self.pushed or self.merged)

    def problems(self) -> list[str]:
        """What is wrong with the options beyond their types."""
        found = [] if self.git.strip() else ["git is empty: name a folder, . is the project's"]
        if not self.asserts():
            found.append("git asserts nothing: say clean: true, pushed: true, branch: main, at: v1.2 or merged: NAME")
        if self.into is not None and self.merged is None:
            found.append("into belongs to merged: merged: feature-x, into: main")
        for option in ("branch", "at", "merged", "into"):
            if (written := getattr(self, option)) is not None:
                found += misnamed(option, written, _NAME, "main, v2.4.0 or the id of a commit")
        return found

    def by_hand(self, url: str | None) -> str:
        lines = []
        if self.clean or self.branch or self.pushed:
            lines.append(["status", "--short", "--branch"])
        if self.at is not None:
            lines.append(["log", "-1", "--oneline", "--decorate"])
        if self.merged is not None:
            lines.append(["log", "--oneline", f"{self.into or 'HEAD'}..{self.merged}"])
        return "; ".join(shell_line(["git", "-C", self.git, *line]) for line in lines)

    async def look(self, around: Surroundings) -> Finding:
        try:
            repository = Repository(around.variables.file_name(self.git), around)
            questions = self._questions(around)
        except VariableTrouble as trouble:
            return without_value(trouble)
        except NotTaken as trouble:
            return unknown(trouble.message)
        answers, troubles = [], []
        for question in questions:
            try:
                answers.append(await question(repository))
            except NotTaken as trouble:
                troubles.append(trouble)
        return _finding(answers, troubles)

    def _questions(self, around: Surroundings) -> list[_Question]:
        """What is asked, in the order in which it is told. Raises NotTaken and VariableTrouble."""

        def named(option: str) -> str | None:
            written = getattr(self, option)
            return None if written is None else name_for(around, option, written, _NAME)

        branch, at, merged, into = named("branch"), named("at"), named("merged"), named("into")
        asked: list[_Question] = []
        if branch is not None:
            asked.append(lambda repository: _is_on(repository, branch))
        if at is not None:
            asked.append(lambda repository: _is_at(repository, at))
        if self.clean:
            asked.append(_is_clean)
        if self.pushed:
            asked.append(_is_pushed)
        if merged is not None:
            asked.append(lambda repository: _is_merged(repository, merged, into or "HEAD"))
        return asked


def _finding(answers: list[_Answer], troubles: list[NotTaken]) -> Finding:
    """One no is a no; else what could not be told makes it unknown."""
    wrong = [answer for answer in answers if answer.wrong]
    if wrong:
        listed = [entry for answer in wrong for entry in answer.listed]
        if len(wrong) > 1:
            listed = [answer.wrong for answer in wrong] + listed
        return failed(wrong[0].wrong, wrong[0].wrong.partition(";")[0], listed=listed)
    if troubles:
        return unknown(troubles[0].message, troubles[0].reason)
    return Finding(Status.PASS, observed=", ".join(answer.right for answer in answers))


async def _is_on(repository: Repository, branch: str) -> _Answer:
    """Whether this branch is checked out. Raises NotTaken."""
    finished = await repository.ask("symbolic-ref", "--quiet", "--short", "HEAD", also=(1,))
    here = finished.output.strip() if finished.exit == 0 else _DETACHED
    return _Answer(f"on {branch}") if here == branch else _Answer(wrong=f"on {here}, not on {branch}")


async def _is_at(repository: Repository, name: str) -> _Answer:
    """Whether the commit that is checked out is the one of this tag, branch or id. Raises NotTaken."""
    wanted, here = await repository.commit(name), await repository.commit("HEAD")
    return _Answer(f"at {name}") if wanted == here else _Answer(wrong=f"at {here[:10]}, {name} is {wanted[:10]}")


async def _is_clean(repository: Repository) -> _Answer:
    """Whether nothing is changed, staged or untracked. Raises NotTaken."""
    if programs := await repository.own_programs():
        what = "would have git run a program of its own on its files"
        raise NotTaken(f"the repository {what} ({programs[0]}), which a check does not; look by hand: git status")
    words = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal", "--ignore-submodules=dirty")
    changed = [entry for entry in (await repository.ask(*words)).output.split("\0") if entry]
    overlooked = await repository.overlooked()
    if not changed and not overlooked:
        return _Answer("clean")
    wrong = [f"{counted(len(changed), 'file')} changed and not committed"] if changed else []
    if overlooked:
        wrong.append(f"{counted(len(overlooked), 'file')} that git was told not to look at; {_LOOK_AGAIN}")
    listed = (*changed[:_SHOWN], *overlooked[:_SHOWN])
    return _Answer(wrong=", and ".join(wrong), listed=tuple(entry[:200] for entry in listed))


async def _is_pushed(repository: Repository) -> _Answer:
    """Whether the upstream has every commit of HEAD; where there is none, or one that is a branch of this repository
    itself, whether any remote branch has. Raises NotTaken.
    """
    words = ("rev-parse", "--symbolic-full-name", "HEAD@{upstream}")
    upstream = (await repository.ask(*words, also=(1, 128))).output.strip()
    is_remote = upstream.startswith("refs/remotes/")
    against = [f"^{upstream}"] if is_remote else ["--not", "--remotes"]
    ahead = await repository.number("rev-list", "--count", "HEAD", *against)
    if not ahead:
        return _Answer("pushed")
    why = (
        "it has no upstream" if not upstream.startswith("refs/") else f"its upstream, {upstream}, is of this repository"
    )
    remedy = "git push" if is_remote else f"{why}: git push --set-upstream origin HEAD"
    return _Answer(wrong=f"{counted(ahead, 'commit')} not pushed; {remedy}")


async def _is_merged(repository: Repository, name: str, into: str) -> _Answer:
    """Whether all commits of a branch are in another, those here and those that `origin` has of it. Raises NotTaken,
    also where the history here is cut off.
    """
    branches, target = await repository.commits(name), await repository.commit(into)
    for branch, commit in branches.items():
        finished = await repository.ask("merge-base", "--is-ancestor", commit, target, also=(1,))
        if finished.exit == 0:
            continue
        if await repository.is_shallow():
            missing = f"whether {name} is in {into} cannot be told"
            raise NotTaken(f"this clone is shallow, so {missing}; git fetch --unshallow")
        missing = counted(await repository.number("rev-list", "--count", f"{target}..{commit}"), "commit")
        return _Answer(wrong=f"{missing} of {branch if len(branches) > 1 else name} not in {into}")
    return _Answer(f"{name} is in {into}")
