"""The card of `now`: at most 24 lines of 80 columns whatever happened, readable without colour, and harmless."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from runbook.language.conditions import parse_condition
from runbook.playbook.model import Contact
from runbook.rollout.contacts import people_to_call, time_there
from runbook.rollout.danger import Blind, Breach, Limit
from runbook.rollout.glance import glance_at
from runbook.rollout.holds import hold
from runbook.rollout.watch import look_once
from runbook.show.card import Card
from runbook.show.now import now_page, one_line, prompt_line
from runbook.show.page import Line, Page, cells, in_columns, shortened
from runbook.show.printing import as_markdown, as_plain
from tests.clocks import START
from tests.rollout.site import PLAYBOOK, STAGES, House, make_house, open_house
from tests.show.test_page import HOSTILE, drawn, obeyed, uncoloured

CONTACTS = """\
contacts:
  On-call: {name: Mira, phone: "${ONCALL}", timezone: Asia/Tokyo, note: first}
  Manager: {name: Jo, phone: "+1 555 0100", timezone: America/New_York}
"""
TEXT = PLAYBOOK + CONTACTS + STAGES.replace("interval: 60s", 'interval: 60s, critical: "> 5%"')


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path, TEXT)


def unsafe(house: House) -> None:
    house.ramp_to("canary@5")
    house.clock.pass_time(60)
    look_once(house.site)
    house.numbers(error_rate=0.072)
    for _ in range(3):
        house.clock.pass_time(60)
        house.site.forget_state()
        look_once(house.site)
    house.site.forget_state()


def card(house: House) -> Page:
    house.site.forget_state()
    return now_page(house.site, glance_at(house.site), people_to_call(house.site))


def test_the_card_says_what_is_bad_and_what_to_type(house: House) -> None:
    unsafe(house)
    lines = as_plain(card(house)).splitlines()
    assert lines[0].endswith("UNSAFE for 2 m") and "checkout · production · canary@5" in lines[0]
    assert len(lines[0]) == 78
    assert lines[1].startswith("  error_rate 7.2 %  (limit 5 %, since ") and "before that 0.1 %" in lines[1]
    assert any(line.startswith("  changed    ") and "ramp off@0 -> canary@5 by ana" in line for line in lines)
    assert "  ->         runbook rollback --emergency  # to the safe flags" in lines
    assert "    undo     runbook preflight, then  runbook ramp 5" in lines
    assert "ONCALL is not set" in lines[-2] and "${ONCALL}" in lines[-2]


def test_who_to_call_and_what_time_it_is_there(house: House) -> None:
    [mira, jo] = people_to_call(house.site)
    assert (mira.role, mira.there, mira.problem) == ("On-call", time_there("Asia/Tokyo", START), "ONCALL is not set")
    assert (jo.phone, jo.problem) == ("+1 555 0100", "")
    assert time_there("Asia/Tokyo", 1_790_000_000.0).endswith("23:13")
    assert time_there(None, START) == time_there("Mars/Olympus", START) == ""


def test_a_contact_of_a_secret_is_masked(house: House) -> None:
    house.site.masker.learn("sesame-sesame")
    playbook = msgspec.structs.replace(house.site.playbook, contacts=(Contact(role="On-call", phone="${PATH:-x}"),))
    house.site.playbook = playbook
    house.site.masker.learn("/usr/bin:/bin")
    assert "/usr/bin" not in people_to_call(house.site)[0].phone


def test_another_day_there_is_named(house: House) -> None:
    late = 1_790_000_000.0 + 10 * 3600
    assert any(time_there(zone, late)[:3].isalpha() for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"))


def crowded(house: House, text: str) -> Page:
    """A card on which everything is bad at once, and every name is `text`."""
    unsafe(house)
    hold(house.site, reason=text, until=house.clock.now + 600)
    for number in range(1, 8):
        house.site.record(house.site.event("incident.opened", {"id": number, "title": text, "severity": "P0"}))
    fired = {"when": "error_rate > 5%", "then": "rollback", "severity": "P0", "due": house.clock.now + 60}
    house.site.record(*(house.site.event("matrix.fired", {**fired, "when": f"error_rate > {n}%"}) for n in range(1, 9)))
    contacts = tuple(Contact(role=text, name=text, phone=text, timezone="Asia/Tokyo") for _ in range(12))
    house.site.playbook = msgspec.structs.replace(house.site.playbook, contacts=contacts)
    house.site.forget_state()
    glance = glance_at(house.site)
    limit = Limit(parse_condition("error_rate > 5%"), "critical")
    breaches = tuple(Breach(limit, f"metric_{n}", text, text, START, text) for n in range(20))
    blind = tuple(Blind(f"blind_{n}", text, START) for n in range(20))
    danger = replace(glance.danger, breaches=breaches, blind=blind, stale=True)
    glance = replace(glance, danger=danger, flags_trouble=text)
    return now_page(house.site, glance, people_to_call(house.site), others=[text] * 20)


@pytest.mark.parametrize(
    "text", ["short", "many words " * 12, "語" * 60, "x" * 300], ids=["short", "long", "wide", "one"]
)
def test_the_card_never_needs_more_than_24_lines(house: House, text: str) -> None:
    page = crowded(house, text)
    for width in (80, 200):
        shown = uncoloured(drawn(page, width=width)).splitlines()
        assert len(shown) <= 24, "\n".join(shown)
        assert all(cells(line) <= width for line in shown)
        assert any("runbook rollback --emergency" in line for line in shown)
        assert "UNSAFE" in "\n".join(shown)


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=lambda text: repr(text[:20]))
def test_hostile_names_are_shown_and_not_obeyed(house: House, text: str) -> None:
    page = crowded(house, text)
    for printed in (as_plain(page), uncoloured(drawn(page)), as_markdown(page)):
        assert obeyed(printed) == set()
    glance = glance_at(house.site)
    assert obeyed(prompt_line(house.site, glance) + one_line(house.site, glance)) == set()


def test_without_the_store_the_card_says_so(house: House) -> None:
    house.ramp_to("canary@5")
    away = open_house(house.folder, house.clock, store=False)
    told = as_plain(now_page(away.site, glance_at(away.site), []))
    assert "UNKNOWN" in told.splitlines()[0]
    assert "store      away: the store is away for this test; this is by the flag file; the kit is " in told
    assert "runbook rollback --emergency  needs no store" in told


def test_nobody_has_looked_is_said(house: House) -> None:
    house.ramp_to("canary@5")
    look_once(house.site)
    house.clock.pass_time(3 * 3600)
    told = as_plain(card(house))
    assert told.splitlines()[0].endswith("STALE for 3 h")
    assert "nobody has looked for 3 h" in told


def test_a_line_for_a_prompt(house: House) -> None:
    unsafe(house)
    assert prompt_line(house.site, glance_at(house.site)) == "checkout·production canary@5 UNSAFE 2m"


def test_the_height_of_a_line_is_that_of_a_terminal() -> None:
    for text in ("a", "word " * 40, "x" * 250, "語 " * 60, "two  spaces " * 13, ""):
        for indent in (0, 13):
            page = Page()
            page.line(text, indent=indent)
            [line] = page.blocks
            assert isinstance(line, Line)
            assert line.height(80) == max(1, len(uncoloured(drawn(page)).splitlines())), (text[:20], indent)


def test_what_is_spare_goes_first() -> None:
    page, three = Page(), Card(3)
    for number in range(5):
        three.add(f"row{number}", "text", spare=number)
    three.onto(page)
    assert [block.text.split()[0] for block in page.blocks if isinstance(block, Line)] == ["row0", "row1", "row2"]
    page, full = Page(), Card(1)
    full.add("a", "x")
    full.add("b", "x")
    full.onto(page)
    assert len(page.blocks) == 2  # what is needed is never left out


def test_texts_in_columns() -> None:
    assert in_columns("left", "right", 20) == "left           right"
    assert in_columns("l" * 30, "right", 20) == "l" * 30 + "  right"
    assert shortened("語" * 10, 9) == "語" * 4 + "…"
    assert (cells("abc"), cells("語"), cells("e\u0301")) == (3, 2, 1)
