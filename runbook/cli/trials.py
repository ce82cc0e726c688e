"""`runbook test`: the playbook's own tests, recorded answers and the verdicts that they must give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from runbook.cli.boundary import command
from runbook.cli.choosing import choose_playbook
from runbook.cli.options import JUDGED, Deadline, Shared, deadline_of
from runbook.cli.wiring import open_site, settings_of
from runbook.language.places import Place, did_you_mean
from runbook.playbook.find import find_playbooks
from runbook.playbook.load import load_playbook
from runbook.playbook.model import Playbook
from runbook.playbook.reading import Reading
from runbook.playbook.trial import Trial
from runbook.rollout.trial_outcomes import Outcome, outcome_of
from runbook.rollout.trials import play
from runbook.show.answer import Answer
from runbook.show.page import Page
from runbook.show.trials import trial_lines, trial_rows
from runbook.system.refusals import Exit, Refusal

app = typer.Typer()

EXAMPLE = """\
tests:
  - test: too many errors are no go
    at: {at}
    answers: {{"*": {{down: true}}}}
    expect: {{gate: no-go}}"""

Record = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="Look at the service now and keep what is answered, for `answers:`."),
]


@command(app, "test", formats=JUDGED)
def test(
    shared: Shared,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAMES]", help="Only tests whose title contains one of these.")
    ] = None,
    record: Record = None,
    deadline: Deadline = "30s",
) -> Answer:
    """Run the tests of the playbook: recorded answers, judged by the rules that judge the service.

    Nothing of the world is asked or changed. Exit 0 when all come out as expected, 1 when one does not, 2 when there
    is none.

    Example: runbook test "goes back"
    """
    if record is not None:
        if names:
            raise Refusal(
                f"--record looks at everything, and {names[0]!r} names a test",
                next_steps=[f"runbook test --record {record}", f"runbook test {names[0]!r}"],
            )
        return _recorded(shared, record, deadline_of(deadline))
    project, settings = settings_of(shared)
    named = settings.get("playbook")
    paths = [one.path for one in find_playbooks(project.root)] if named is None else []
    if not paths:
        chosen = choose_playbook(project.root, named, known={})
        paths = [chosen.path] if chosen.path is not None else []
    playbooks = [_read(path, project.root) for path in paths]
    asked = [(playbook, trial) for playbook in playbooks for trial in _meant(playbook, names, shared.env)]
    if not asked:
        raise _nothing(playbooks, names)
    outcomes = [outcome_of(playbook, play(playbook, trial, project.root)) for playbook, trial in asked]
    return _answer(shared, playbooks, outcomes, _places(asked, project.root))


def _read(path: Path, root: Path) -> Playbook:
    """The playbook, checked as a whole. Raises `Refusal` with every mistake."""
    loaded = load_playbook(path.absolute(), root)
    if loaded.playbook is not None:
        return loaded.playbook
    count = len(loaded.errors)
    raise Refusal(
        f"{path.name}: the playbook has {count} error{'' if count == 1 else 's'}; nothing was tried",
        problems=loaded.errors,
        next_steps=["runbook lint"],
    )


def _meant(playbook: Playbook, names: Sequence[str] | None, environment: str | None) -> list[Trial]:
    """The tests that are meant; one that names no environment takes place in the one that was typed."""
    if environment is not None and environment not in playbook.environments:
        meant = did_you_mean(environment, playbook.environments)
        raise Refusal(
            f"{playbook.service} has no environment {environment!r}" + (f"; {meant}" if meant else ""),
            next_steps=[f"runbook test -e {name}" for name in playbook.environments],
        )
    trials = [
        trial
        for trial in playbook.tests
        if not names or any(name.casefold() in trial.name.casefold() for name in names)
    ]
    if environment is None:
        return trials
    return [msgspec.structs.replace(one, environment=one.environment or environment) for one in trials]


def _nothing(playbooks: Sequence[Playbook], names: Sequence[str] | None) -> Refusal:
    """The refusal where there is nothing to try: that must not look like a success."""
    titles = [trial.name for playbook in playbooks for trial in playbook.tests]
    if titles and names:
        meant = did_you_mean(names[0], titles)
        return Refusal(
            f"no test is called {', '.join(names)}" + (f"; {meant}" if meant else ""),
            next_steps=[f"runbook test {title!r}" for title in titles[:3]],
        )
    stages = [stage for playbook in playbooks for stage in playbook.stages]
    at = f"{stages[-1].name}@{stages[-1].rungs[-1].percent:g}" if stages else "STAGE@PERCENT"
    where = ", ".join(playbook.path for playbook in playbooks)
    return Refusal(
        f"{where}: the playbook has no tests, so nothing was tried",
        next_steps=["write a section like this one:", *EXAMPLE.format(at=at).splitlines(), "runbook test"],
    )


def _places(asked: Sequence[tuple[Playbook, Trial]], root: Path) -> list[Place | None]:
    """Where each test stands."""
    from runbook.playbook.extends import Sources, read_extended
    from runbook.playbook.nodes import ListNode, MapNode, ScalarNode

    found: dict[tuple[str, str], Place] = {}
    for path in dict.fromkeys(playbook.path for playbook, _ in asked):
        sources = Sources(root, {})
        top = read_extended((root / path).absolute(), sources, Reading(path))
        section = top.get("tests") if isinstance(top, MapNode) else None
        for node in section.items if isinstance(section, ListNode) else ():
            title = node.get("test") if isinstance(node, MapNode) else None
            if isinstance(title, ScalarNode):
                found[path, title.text] = title.place
    return [found.get((playbook.path, trial.name)) for playbook, trial in asked]


def _answer(
    shared: Shared, playbooks: Sequence[Playbook], outcomes: Sequence[Outcome], places: Sequence[Place | None]
) -> Answer:
    held = [outcome for outcome in outcomes if outcome.holds]
    wrong = [outcome for outcome in outcomes if not outcome.holds]
    seconds = sum(outcome.played.seconds for outcome in outcomes)
    services = [playbook.service for playbook in playbooks]
    page = Page()
    word = "NO-GO" if wrong else "GO"
    count = f"{len(outcomes)} test{'' if len(outcomes) == 1 else 's'}"
    page.verdict(word, f"{' · '.join(services)} · {count}", f"{seconds:.1f} s")
    trial_lines(page, [*held, *wrong], verbose=shared.verbose)
    told = f"{len(held)} ok · {len(wrong)} no" if wrong else f"{len(held)} ok"
    page.line(f"{told}. Nothing of the world was touched.")
    untested = [playbook.path for playbook in playbooks if not playbook.tests]
    if untested:
        page.line(f"without a test: {', '.join(untested)}")
    page.next(*([f"runbook test {wrong[0].played.trial.name!r} -v"] if wrong else ["runbook lint --prove"]))
    message = (
        "; ".join(f"{one.played.trial.name}: {one.troubles[0]}" for one in wrong) or f"{count} came out as expected"
    )
    return Answer(
        Exit.NO_GO if wrong else Exit.GO,
        message,
        page,
        services[0] if len(services) == 1 else None,
        lists={"tests": trial_rows(outcomes, places)},
        judged=True,
    )


def _recorded(shared: Shared, path: Path, seconds: float) -> Answer:
    """Look, and write what was answered. The answers of a person's own service are for that person's eyes."""
    from runbook.rollout.recording import LARGEST_BODY, record, written
    from runbook.rollout.recording_places import ensure_place
    from runbook.system.files import write_private

    site = open_site(shared)
    where = path if path.is_absolute() else site.project / path
    ensure_place(where, site)
    document = record(site, seconds)
    data = written(document, site)
    replaced = ensure_place(where, site)  # the look took its time
    write_private(where, data)
    count = f"{len(document['answers'])} answer{'' if len(document['answers']) == 1 else 's'}"
    page = Page()
    over = ", in place of those recorded there before" if replaced else ""
    page.line(f"{count} of {site.name} kept in {path}{over}; secrets are masked, read it before you share it")
    for name in document.get("cut", ()):
        page.line(f"{name} is longer than {LARGEST_BODY >> 10} KiB: only its beginning is kept, as text")
    page.next(f"write into a test:  answers: {path}", "runbook test")
    return Answer(
        Exit.GO, f"{count} kept in {path}{over}", page, site.playbook.service, site.environment.name,
        lists={"path": str(where)},
    )  # fmt: skip
