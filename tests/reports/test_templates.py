"""Templates: a project's own goes before the shipped one; a wrong one is refused with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.reports.templates import Templates
from runbook.system.refusals import Exit, Refusal
from tests.reports.making import OWNER, gone_wrong, make_site, rendered


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    return tmp_path / "templates"


def made(folder: Path, text: str, /, **given: object) -> str:
    (folder / "mine.md").write_text(text)
    return Templates(folder.parent).render("mine.md", OWNER, given)


def refused(folder: Path, text: str, **given: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        made(folder, text, **given)
    return caught.value


def test_a_projects_own_template_goes_before_the_shipped_one(folder: Path) -> None:
    site = make_site(folder.parent)
    gone_wrong(site)
    (folder / "incident_report.md").write_text("only {{ report.incident.id }} of {{ report.service }}\n")
    assert rendered(site) == "only 1 of menu\n"


def test_a_projects_template_may_change_one_block_of_the_shipped_one(folder: Path) -> None:
    site = make_site(folder.parent)
    gone_wrong(site)
    shipped = rendered(site)
    (folder / "incident_report.md").write_text(
        '{% extends "shipped/incident_report.md" %}{% block contact %}Call {{ "a|b" }}. {{ super() }}{% endblock %}'
    )
    own = rendered(site)
    assert "Call a\\|b. \n- ana on app-1" in own.replace(".  ", ". ").replace(". - ", ". \n- ")
    assert own.split("## Contact")[0] == shipped.split("## Contact")[0]
    assert own.count("<!-- runbook:begin contact of menu-local/1 -->") == 1


def test_the_ending_may_be_left_out(folder: Path) -> None:
    (folder / "mine.md").write_text("x")
    assert Templates(folder.parent).render("mine", OWNER, {}) == "x"


def test_every_value_is_made_harmless_and_macros_are_not_made_so_twice(folder: Path) -> None:
    text = '{% macro row(x) %}<b>{{ x }}</b>{% endmacro %}{{ row("a|b") }} {{ "<i>" ~ x }} {{ ["<", x]|join }}'
    assert made(folder, text, x="*") == "<b>a\\|b</b> &lt;i&gt;\\* &lt;\\*"


def test_what_is_not_there_is_shown_as_nothing_only_where_it_is_none(folder: Path) -> None:
    assert made(folder, "[{{ x }}]", x=None) == "[]"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a\n{{ report.nothing }}\n", 2, "nothing"),
        ("a\nb\n{% if %}\n", 3, "Expected"),
        ("{% for x in y %}\n", 1, "Unexpected end"),
        ("{{ 1 / 0 }}", 1, "ZeroDivisionError"),
        ("\n\n{{ x|nosuchfilter }}", 3, "nosuchfilter"),
        ("{{ x.__class__.__mro__ }}", 1, "unsafe"),
        ("{{ x.__init__.__globals__ }}", 1, "unsafe"),
        ("{{ 'a'.format.__self__ }}", 1, "no attribute"),
        ("{{ '{0.__class__}'.format(x) }}", 1, "unsafe"),
        ("{{ [].append(1) }}", 1, "unsafe"),
        ("{% set _ = x|code %}{{ x.upper(1, 2) }}", 1, "TypeError"),
    ],
)
def test_a_wrong_template_is_refused_with_file_and_line(folder: Path, text: str, line: int, says: str) -> None:
    refusal = refused(folder, text, x="x", report="")
    assert refusal.exit is Exit.USAGE
    assert refusal.message.startswith(f"templates/mine.md:{line}: the template is wrong")
    (problem,) = refusal.problems
    assert says in problem.message
    assert problem.place is not None and (problem.place.file, problem.place.line) == ("templates/mine.md", line)


def test_an_error_in_an_included_template_names_that_one(folder: Path) -> None:
    (folder / "part.md").write_text("ok\n{{ nothing }}\n")
    refusal = refused(folder, '{% include "part.md" %}')
    assert refusal.message.startswith("templates/part.md:2:")


def test_a_template_that_is_not_there_is_refused_with_those_that_are(folder: Path) -> None:
    with pytest.raises(Refusal) as caught:
        Templates(folder.parent).render("incident_reprot.md", OWNER, {})
    assert "did you mean incident_report.md?" in caught.value.message
    assert "post_mortem.md" in caught.value.next_steps[0]


@pytest.mark.parametrize("name", ["../secret.md", "/etc/hostname.md", "a/../../secret.md", "..\\secret.md", "./x.md"])
def test_a_template_lies_in_the_folder_and_not_beside_it(folder: Path, name: str) -> None:
    (folder.parent / "secret.md").write_text("secret")
    with pytest.raises(Refusal, match="there is no template"):
        Templates(folder.parent).render(name, OWNER, {})


@pytest.mark.parametrize(
    "text", ["{% include '../secret.md' %}", "{% extends '../secret.md' %}", "{% import '/x' as y %}"]
)
def test_nothing_beside_the_folder_is_included(folder: Path, text: str) -> None:
    (folder.parent / "secret.md").write_text("secret")
    assert "there is no template" in refused(folder, text).message


def test_html_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(Refusal, match="HTML is not supported yet"):
        Templates(folder.parent).render("report.html", OWNER, {})


def test_a_template_without_end_is_stopped(folder: Path) -> None:
    refusal = refused(
        folder, "{% for x in range(90000) %}{% for y in range(90000) %}xxxxxxxx{{ x }}{% endfor %}{% endfor %}"
    )
    assert "more than 4 MiB" in refusal.message


def test_a_template_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "mine.md").write_bytes(b"\xff\xfe")
    with pytest.raises(Refusal, match=r"templates/mine\.md is not UTF-8"):
        Templates(folder.parent).render("mine", OWNER, {})


def test_a_pipe_in_a_templates_place_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "mine.md")
    with pytest.raises(Refusal, match="is a named pipe"):
        Templates(folder.parent).render("mine", OWNER, {})


def test_a_huge_template_is_refused(folder: Path) -> None:
    (folder / "mine.md").write_bytes(b"x" * 2_000_000)
    with pytest.raises(Refusal, match="is too large"):
        Templates(folder.parent).render("mine", OWNER, {})


def test_a_folder_in_a_templates_place_is_refused(folder: Path) -> None:
    (folder / "mine.md").mkdir()
    with pytest.raises(Refusal, match="is a folder"):
        Templates(folder.parent).render("mine", OWNER, {})
