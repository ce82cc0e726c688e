"""`runbook notify`: send a notice of the playbook now."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from runbook.actions.channels import Delivery, Letter
from runbook.cli import completing
from runbook.cli.alarm import read_for_emergency
from runbook.cli.boundary import command
from runbook.cli.choosing import choose_environment, choose_playbook
from runbook.cli.options import Confirm, DryRun, Shared, Yes
from runbook.cli.talk import Consent, can_ask, show
from runbook.cli.wiring import known_names, open_bench, open_site, site_of
from runbook.language.places import did_you_mean
from runbook.playbook.model import Notice
from runbook.rollout.notice_texts import asked_in
from runbook.rollout.notices import letter_by_hand
from runbook.rollout.outbox import outcome_event, send_waiting
from runbook.rollout.site import Site
from runbook.show.answer import Answer
from runbook.show.documents import NoticeRow
from runbook.show.page import Page
from runbook.system.refusals import Exit, Refusal
from runbook.system.secrets import VariableTrouble

app = typer.Typer()

AT_MOST = 60  # seconds that the process which empties the outbox may live

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NOTICE", help="Which notice of the playbook.", show_default=False, autocompletion=completing.notices
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="The answer to ${ask:NAME} in the text.", show_default=False),
]
Outbox = Annotated[bool, typer.Option("--outbox", hidden=True, help="Send what lies in the outbox, and end.")]


@command(app)
def notify(
    shared: Shared,
    notice: Name = None,
    set_: Set = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm_name: Confirm = None,
    outbox: Outbox = False,
) -> Answer:
    """Send a notice now, and show what each of its channels answers. One attempt a channel.

    Example: runbook notify users-rolled-back --set eta="18:00 UTC" --dry-run
    """
    if outbox:
        return _empty_outbox(shared)
    site = open_site(shared, tolerant=True)
    name = _named(site, notice)
    meant = site.playbook.notices[name]
    answers = _answers(name, meant, set_ or [])
    missing = [question for question in asked_in(meant.text) if not answers.get(question, "").strip()]
    answers |= {question: f"[{question}]" if dry_run else _asked(name, question) for question in missing}
    try:
        letter = letter_by_hand(site, name, answers)
    except VariableTrouble as trouble:
        told = f"{name} cannot be written out: {trouble.message}"
        raise Refusal(told, next_steps=[trouble.hint or "runbook status  shows what is known here"]) from trouble
    if dry_run:
        return _dry(site, meant, letter)
    page = _letter_page(site, meant, letter)
    if not shared.quiet:
        show(shared, page)
    Consent(yes or not site.environment.protected, confirm_name).ask(
        shared, site.environment, f"Send {name} to {', '.join(meant.to)}?"
    )
    return _answer(site, letter, _send(site, meant, letter))


def _empty_outbox(shared: Shared) -> Answer:
    """What the process does that an operation leaves behind. It needs no readable playbook: the kit stands in."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(AT_MOST)
    bench = open_bench(shared, tolerant=True)
    chosen = choose_playbook(bench.project.root, bench.settings.get("playbook"), known=known_names(bench))
    playbook = read_for_emergency(bench, chosen).playbook
    environment = choose_environment(playbook, bench.settings.get("env"), shipped=chosen.shipped)
    site = site_of(bench, chosen, playbook, environment, tolerant=True)
    count = send_waiting(site)
    return Answer(Exit.GO, f"{count} sent", service=playbook.service, environment=environment.name)


def _named(site: Site, name: str | None) -> str:
    """The notice that is meant. Raises `Refusal` with what there is."""
    known = site.playbook.notices
    if name is not None and name in known:
        return name
    lines = [f"runbook notify {one}" for one in known] or ["add one to the playbook: notices: {NAME: {to, text}}"]
    if name is None:
        raise Refusal("which notice?" if known else "the playbook has no notices", next_steps=lines)
    meant = did_you_mean(name, known)
    raise Refusal(f"{site.playbook.service} has no notice {name!r}" + (f"; {meant}" if meant else ""), next_steps=lines)


def _answers(name: str, notice: Notice, given: Sequence[str]) -> dict[str, str]:
    """The answers of `--set` to what the text asks. Raises `Refusal` for what it does not ask."""
    questions = asked_in(notice.text)
    answers = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or key not in questions:
            asks = f"{name} asks for {', '.join(questions)}" if questions else f"{name} asks for nothing"
            hint = did_you_mean(key, questions)
            message = f"--set {text} answers no question of the notice: {asks}" + (f"; {hint}" if hint else "")
            raise Refusal(message, next_steps=[f"--set {question}=..." for question in questions])
        answers[key] = value
    return answers


def _asked(name: str, question: str) -> str:
    """The answer of a person. Raises `Refusal` where nobody can be asked, or nothing is answered."""
    if not can_ask():
        raise Refusal(f"{name} asks for {question} and there is no terminal", next_steps=[f"give --set {question}=..."])
    import questionary

    answer = questionary.text(f"{question}:").unsafe_ask()
    if answer is None or not answer.strip():
        raise Refusal("not answered; nothing was sent", exit_=Exit.NO_GO)
    return str(answer)


def _letter_page(site: Site, notice: Notice, letter: Letter) -> Page:
    """The text, and where it goes."""
    page = Page()
    page.verdict("NOTICE", letter.notice, site.name)
    for line in letter.text.splitlines():
        page.line(f"  | {line}", indent=4)
    for name in notice.to:
        channel = site.playbook.channels.get(name)
        where = site.masker.mask(channel.url) if channel else "the playbook has no such channel"
        page.line(f"  to  {name}  {channel.kind if channel else ''}  {where}", indent=6)
    return page


def _dry(site: Site, notice: Notice, letter: Letter) -> Answer:
    page = _letter_page(site, notice, letter)
    page.line("Dry run: nothing was sent.")
    rows = [_row(site, letter, name, None) for name in notice.to]
    return Answer(
        Exit.GO, "dry run: nothing was sent", page, site.playbook.service, site.environment.name, {"notices": rows}
    )


def _send(site: Site, notice: Notice, letter: Letter) -> dict[str, Delivery]:
    """One attempt a channel, all at once, each recorded."""
    import asyncio

    from runbook.actions.channels import deliver

    async def one(name: str) -> Delivery:
        channel = site.playbook.channels.get(name)
        if channel is None:
            return Delivery(False, f"the playbook has no channel {name}")
        return await deliver(channel, letter, site.variables({}), site.masker)

    async def everywhere() -> dict[str, Delivery]:
        names = list(dict.fromkeys(notice.to))
        return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))

    ended = asyncio.run(everywhere())
    site.record(*(outcome_event(site, letter, name, "" if one.ok else one.said) for name, one in ended.items()))
    return ended


def _answer(site: Site, letter: Letter, ended: Mapping[str, Delivery]) -> Answer:
    page = Page()
    failed = [name for name, one in ended.items() if not one.ok]
    message = f"{letter.notice} was sent to {', '.join(ended)}"
    if failed:
        message = f"{letter.notice} did not reach {', '.join(failed)}"
    page.verdict("FAILED" if failed else "SENT", message)
    for name, one in ended.items():
        page.mark("ok" if one.ok else "NO", name, one.said)
    page.next(f"runbook notify {letter.notice} --dry-run  shows the text" if failed else "runbook history --last 5")
    return Answer(
        Exit.FAILED if failed else Exit.GO, message, page, site.playbook.service, site.environment.name,
        {"notices": [_row(site, letter, name, one) for name, one in ended.items()]},
    )  # fmt: skip


def _row(site: Site, letter: Letter, name: str, ended: Delivery | None) -> NoticeRow:
    channel = site.playbook.channels.get(name)
    return NoticeRow(
        notice=letter.notice,
        channel=name,
        kind=channel.kind if channel else None,
        text=letter.text,
        sent=None if ended is None else ended.ok,
        message="" if ended is None else ended.said,
    )
