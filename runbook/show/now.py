"""The card of `now`: at most 24 lines of 80 columns, read at three in the morning and without colour."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.language.durations import show_duration
from runbook.rollout.contacts import Reach
from runbook.rollout.danger import Breach, Danger
from runbook.rollout.glance import Glance
from runbook.rollout.recovery import awaited
from runbook.rollout.site import Site
from runbook.rollout.underway import said_of_steps
from runbook.rollout.versions import build_told
from runbook.show.card import Card
from runbook.show.document_rows import MetricRow
from runbook.show.documents import ContactRow
from runbook.show.page import STYLES, Page, Span, cells, in_columns, shortened
from runbook.system.clock import local_day_and_clock, rfc3339, utc

LINES = 22  # of a screen of 24: one is left for what is said on standard error, one for the prompt


def now_page(site: Site, glance: Glance, people: Sequence[Reach], *, others: Sequence[str] = ()) -> Page:
    """The card: the state, what is bad, what changed, who has it, the one next command, and who to call.

    `others` are lines of the environments that stand better.
    """
    card, now = Card(LINES), site.clock.wall()
    for number, other in enumerate(others):
        card.line(shortened(other, 79), spare=min(number, 10))
    card.line(*_head(site, glance), indent=2)
    _bad(card, glance, now)
    _open(card, glance, now)
    _quiet(card, site, glance, now)
    _next(card, glance)
    _call(card, people)
    page = Page()
    card.onto(page)
    return page


def state_words(danger: Danger, now: float) -> str:
    """The state and for how long: `UNSAFE for 11 m`."""
    if danger.since is None or danger.since > now:
        return danger.word
    return f"{danger.word} for {lasted(now - danger.since)}"


def lasted(seconds: float) -> str:
    """A time that is read at a glance: whole minutes from two on, whole seconds below."""
    whole = max(0, round(seconds))
    return show_duration(whole // 60 * 60 if whole >= 120 else whole)


def one_line(site: Site, glance: Glance) -> str:
    """An environment in one line, for a list."""
    where = glance.standing.position.name if glance.standing.position else "not begun"
    return in_columns(f"{site.name}  {where}", state_words(glance.danger, site.clock.wall()))


def prompt_line(site: Site, glance: Glance) -> str:
    """For a prompt: `enrichment·production half@50 UNSAFE 11m`."""
    danger, now = glance.danger, site.clock.wall()
    where = glance.standing.position.name if glance.standing.position else "-"
    since = ""
    if danger.since is not None and danger.since <= now:
        since = " " + lasted(now - danger.since).replace(" ", "")
    return f"{site.chain.service}·{site.chain.environment} {where} {danger.word}{since}"


def _head(site: Site, glance: Glance) -> tuple[str | Span, ...]:
    moment = utc(site.clock.wall()).astimezone()
    position = glance.standing.position
    left = f"{moment:%H:%M %a}  {site.name} · {position.name if position else 'before the first stage'}"
    words = state_words(glance.danger, site.clock.wall())
    space = in_columns(left, words)[len(left) : -len(words)]
    return left, space, Span(words, STYLES.get(glance.danger.word, "bold"))


def _bad(card: Card, glance: Glance, now: float) -> None:
    breaches = glance.danger.breaches
    for number, one in enumerate(breaches[:5]):
        observed = Span(shortened(one.observed or "bad", 24), "bold red")
        card.add(shortened(one.name, 40), observed, _told(one, now), spare=0 if number < 2 else 7)
    if len(breaches) > 5:
        card.add("", f"and {len(breaches) - 5} more: runbook health-check", spare=7)
    for blind in glance.danger.blind[:3]:
        since = f"not read since {local_day_and_clock(blind.since, now)}" if blind.since else "could not be read"
        card.add(blind.name, Span("??", "yellow"), f"  {since}: {shortened(blind.why, 60)}", spare=6)
    asleep = glance.danger.stale and glance.danger.word not in ("SAFE", "STABLE", "QUIET")
    if asleep or (breaches and glance.danger.seen and now - glance.danger.seen > 120):
        ago = f"nobody has looked for {lasted(now - glance.danger.seen)}" if glance.danger.seen else "nobody has looked"
        card.add("seen", Span(ago, "yellow"), ": runbook gate looks", spare=2)


def _told(breach: Breach, now: float) -> str:
    parts = [f"limit {shortened(breach.allowed.lstrip('<>= '), 40)}"] if breach.allowed else []
    parts.append(f"since {local_day_and_clock(breach.since, now)}")
    if breach.before:
        parts.append(f"before that {shortened(breach.before, 24)}")
    return f"  ({', '.join(parts)})"


def _open(card: Card, glance: Glance, now: float) -> None:
    """What is open: an operation, what changed, the incident, the matrix, the hold."""
    found = glance.found
    if found is not None:
        word = "at work" if found.alive else "cut off"
        card.add(word, Span(shortened(found.what, 100), "bold" if found.alive else "bold red"))
        card.add("", shortened(said_of_steps(found), 130), spare=4)
    if glance.change is not None:
        by = f" by {shortened(glance.change.by, 24)}" if glance.change.by else ""
        card.add("changed", f"{local_day_and_clock(glance.change.at, now)} {shortened(glance.change.text, 90)}{by}")
    position = glance.standing.position
    if position is not None and position.rebaked is not None:
        card.add("new build", shortened(build_told(position, now), 100), spare=1)
    for number, (incident, response) in enumerate(reversed(glance.responses)):
        owner = f"opened {local_day_and_clock(incident.opened, now)} by {shortened(incident.by, 24)}"
        told = f" {shortened(incident.title, 40)} · {owner} · {response.words()}".removesuffix(" · ")
        card.add("incident", Span(f"{incident.id} {incident.severity}", "bold red"), told, spare=8 if number else 0)
    for number, row in enumerate(glance.countdowns):
        lead = f"{row.severity} " if row.severity else ""
        card.add("matrix", shortened(f"{lead}{row.when}: {row.then} {row.told(now)}", 100), spare=8 if number else 1)
    hold = glance.state.hold_at(now)
    if hold is not None:
        until = f" until {local_day_and_clock(hold.until, now)}" if hold.until else ""
        who = "by a rule" if hold.automatic else f"by {shortened(hold.by, 24)}"
        card.add("held", Span(f"{who}{until}", "bold yellow"), f" {shortened(hold.reason, 60)}")


def _quiet(card: Card, site: Site, glance: Glance, now: float) -> None:
    """What is not bad by itself: drift, what is waited for, who watches, and what cannot be read."""
    drift = glance.standing.drift if glance.found is None else ()
    if drift:
        more = f", and {len(drift) - 1} more" if len(drift) > 1 else ""
        card.add("drift", Span(shortened(str(drift[0]), 90), "red"), more, spare=1)
    bake = glance.bake
    if bake is not None and not bake.over and glance.danger.word in ("BAKING", "STALE", "HELD"):
        card.add("bake", f"opens {local_day_and_clock(bake.ends_at, now)}, {show_duration(bake.left)} left", spare=3)
    if site.store is not None and (condition := awaited(site)):
        card.add("recovery", f"not yet seen: {shortened(condition, 90)}", spare=4)
    watcher = glance.watcher
    if watcher is not None:
        armed = "" if watcher.armed else ", triggers are not armed"
        looked = lasted(max(0.0, now - watcher.looked))
        card.add(
            "watching",
            f"{shortened(watcher.who, 24)} on {shortened(watcher.host, 24)}, looked {looked} ago{armed}",
            spare=4,
        )
    elif glance.standing.entered and glance.danger.word not in ("SAFE", "STABLE"):
        card.add("watching", "nobody", spare=4)
    if site.store is None:
        kit = f"; the kit is {show_duration(now - glance.kit.written_at)} old" if glance.kit else ""
        told = f"away: {shortened(site.store_trouble, 80)}; this is by the flag file{kit}"
        card.add("store", Span(told, "red"))
    if glance.flags_trouble:
        card.add("flags", Span(shortened(glance.flags_trouble, 100), "red"))


def _next(card: Card, glance: Glance) -> None:
    step = glance.step
    told = f"  # {shortened(step.why, 100)}" if step.why else ""
    card.add("->", Span(step.command, "bold"), told, typed=True)
    if step.undo:
        card.add("  undo", step.undo, typed=True, spare=1)
    for more in step.more[:1]:
        card.add("  or", more, typed=True, spare=2)


def _readable(one: Reach) -> bool:
    """Whether anything is known of somebody: a name, or a way to reach them."""
    return any(value and "${" not in value for value in (one.name, one.phone, one.chat, one.mail))


def _call(card: Card, people: Sequence[Reach]) -> None:
    rows = []
    unset = [one for one in people if one.problem and not _readable(one)]
    reachable = [one for one in people if one not in unset]
    for one in reachable[:6]:
        reached = next((value for value in (one.phone, one.chat, one.mail) if value), "")
        rows.append((shortened(one.role, 20), shortened(one.name, 20), shortened(reached, 40), one))
    role_width = max((cells(role) for role, _, _, _ in rows), default=0)
    name_width = max((cells(name) for _, name, _, _ in rows), default=0)
    for number, (role, name, reached, one) in enumerate(rows):
        there = f"  it is {one.there} there" if one.there else ""
        problem = f"  ({shortened(one.problem, 40)})" if one.problem else ""
        columns = (role + " " * (role_width - cells(role)), name + " " * (name_width - cells(name)), reached)
        told = "  ".join(column for column in columns if column)
        card.add("call" if number == 0 else "", f"{told}{problem}{there}", spare=3 if number < 2 else 9)
    if unset:
        roles, why = ", ".join(one.role for one in unset), ", ".join(dict.fromkeys(one.problem for one in unset))
        card.add("" if rows else "call", shortened(f"nobody can be named for {roles}: {why}", 150), spare=9)


def metric_rows(site: Site, glance: Glance) -> list[MetricRow]:
    """What is bad, and what could not be read."""
    metrics, danger = site.playbook.metrics, glance.danger
    bad = [
        MetricRow(
            name=one.name,
            level="critical",
            status="fail",
            value=one.value,
            unit=metrics[one.name].unit if one.name in metrics else None,
            observed=one.observed,
            critical=one.limit.condition.text,
            since=rfc3339(one.since),
            before=one.before,
        )
        for one in danger.breaches
    ]
    unread = [
        MetricRow(name=one.name, level="unknown", status="unknown", reason="error", message=one.why)
        for one in danger.blind
    ]
    return [*bad, *unread]


def contact_rows(people: Sequence[Reach]) -> list[ContactRow]:
    return [
        ContactRow(
            role=one.role, name=one.name, phone=one.phone, mail=one.mail, chat=one.chat,
            timezone=one.contact.timezone, there=one.there, note=one.note, problem=one.problem,
        )
        for one in people
    ]  # fmt: skip
