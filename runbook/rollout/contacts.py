"""Who to call: the playbook's contacts with their values filled in, and what time it is where they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runbook.judge.zones import UnknownZoneError, zone_of
from runbook.playbook.model import Contact
from runbook.rollout.site import Site
from runbook.system.clock import utc
from runbook.system.secrets import VariableTrouble
from runbook.system.variables import MissingVariable


@dataclass(frozen=True)
class Reach:
    """One contact. A value whose `${NAME}` is not set stands as it is written, and `problem` says so.

    `there` is the time of day there, with the day where it is another one than here.
    """

    contact: Contact
    name: str
    phone: str
    mail: str
    chat: str
    note: str
    there: str
    problem: str = ""

    @property
    def role(self) -> str:
        return self.contact.role


def people_to_call(site: Site) -> list[Reach]:
    """The contacts, in the order of the playbook."""
    return [_reach(site, contact) for contact in site.playbook.contacts]


def _reach(site: Site, contact: Contact) -> Reach:
    problems: dict[str, None] = {}

    def filled(text: str) -> str:
        if "${" not in text:
            return text
        try:
            return site.masker.mask(site.variables({}).text(text))
        except MissingVariable as missing:
            problems[f"{missing.name} is not set"] = None
        except VariableTrouble as trouble:
            problems[str(trouble)] = None
        return text

    values = [filled(text) for text in (contact.name, contact.phone, contact.mail, contact.chat, contact.note)]
    name, phone, mail, chat, note = values
    there = time_there(contact.timezone, site.clock.wall())
    return Reach(contact, name, phone, mail, chat, note, there, ", ".join(problems))


def time_there(timezone: str | None, now: float) -> str:
    """The time of day in a zone: `21:12`, or `Mon 21:12` where it is another day; empty without a zone known here."""
    if timezone is None:
        return ""
    try:
        there = datetime.fromtimestamp(now, zone_of(timezone))
    except UnknownZoneError:
        return ""
    same_day = there.date() == utc(now).astimezone().date()
    return there.strftime("%H:%M" if same_day else "%a %H:%M")
