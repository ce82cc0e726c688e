"""The text of a notice: what `${...}` in it stands for, and that no secret and no control character leaves with it."""

from __future__ import annotations

from collections.abc import Mapping

from runbook.actions.journal import Header
from runbook.language.substitution import parse_template
from runbook.rollout.site import Site
from runbook.system.clock import utc
from runbook.system.harmless import harmless
from runbook.system.secrets import VariableTrouble, looks_secret

Text = str
ASK = "ask:"
NO_REASON = "no reason was given"
LONGEST, LONGEST_VALUE = 4000, 500  # characters


def asked_in(text: str) -> tuple[str, ...]:
    """The questions that a text asks a person, by name: `eta` of `${ask:eta}`."""
    found = (each.name for each in parse_template(text).references)
    return tuple(dict.fromkeys(name.removeprefix(ASK) for name in found if name.startswith(ASK)))


def context_of(site: Site, told: Mapping[str, str]) -> dict[str, str]:
    """What the lower-case names of a text mean now; what is `told` wins. Values are one harmless line each."""
    state = site.state()
    context = {
        "service": site.playbook.service,
        "environment": site.environment.name,
        "title": site.playbook.title,
        "who": site.who.operator,
        "time": clock_of(site),
    }
    if state.position is not None:
        context |= {"stage": state.position.stage, "percent": f"{state.position.percent:g}"}
    if still_open := state.open_incidents():
        context |= {"incident": str(still_open[-1].id), "severity": still_open[-1].severity}
    return {name: harmless(value, limit=LONGEST_VALUE) for name, value in {**context, **told}.items()}


def clock_of(site: Site) -> str:
    """`14:10 CET`: the time of now in the calendar's zone, else in UTC."""
    moment = utc(site.clock.wall())
    if site.playbook.calendar is not None and site.playbook.calendar.timezone != "UTC":
        from zoneinfo import ZoneInfo

        moment = moment.astimezone(ZoneInfo(site.playbook.calendar.timezone))
    return f"{moment:%H:%M %Z}"


def facts_of_header(site: Site, header: Header, outcome: str) -> dict[str, str]:
    """What an operation gives to a text. Where it is not done, stage and percentage are those where we stand."""
    told = {
        "from": header.came_from or "before the first stage",
        "to": header.to,
        "who": f"runbook, run by {header.who.operator}" if header.automatic else header.who.operator,
        "why": header.reason or NO_REASON,
        "outcome": outcome,
    }
    if outcome in ("done", "under way") or site.state().position is None:
        told |= {"stage": header.stage, "percent": f"{header.percent:g}"}
    return told


def written(site: Site, template: str, context: Mapping[str, str]) -> Text:
    """The text with its values in it. A value is put in once and never read for `${...}` again.

    Raises VariableTrouble: it names the value that is not known, or the secret that a notice does not carry.
    """
    variables = site.variables(dict(context))
    for each in parse_template(template).references:
        if not each.is_context and (each.name in variables.secrets or looks_secret(each.name)):
            raise VariableTrouble(f"${{{each.name}}} is a secret, and a notice carries none", "take it out of the text")
    return harmless(site.masker.mask(variables.text(template)), lines=True, limit=LONGEST).strip()
