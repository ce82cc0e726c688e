"""What `${...}` means in a text, a URL, a file name and a query."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from runbook.system.secret_sources import Secret, SecretTrouble, secrets_of
from runbook.system.secrets import Masker, VariableTrouble
from runbook.system.variables import MissingVariable, UnsafeValue, Variables

VARIABLES = Variables(
    declared={"A": "declared", "BASE": "https://rag.example.com", "FOLDER": "/var/backups"},
    from_file={"A": "file", "B": "file"},
    process={"A": "process", "B": "process", "C": "process", "EMPTY": "", "T": "${A}", "UP": "../../etc", "P": "x/y"},
    context={"percent": "10", "stage": "canary"},
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("${A} ${B} ${C}", "declared file process"),
        ("${percent} at ${stage}", "10 at canary"),
        ("${NOPE:-else}", "else"),
        ("${EMPTY:-else}", "else"),
        ("[${EMPTY}]", "[]"),
        ("${T}", "${A}"),
        ("$A $${A}", "$A ${A}"),
    ],
)
def test_text(template: str, text: str) -> None:
    assert VARIABLES.text(template) == text


def test_a_missing_name_is_told() -> None:
    with pytest.raises(MissingVariable) as raised:
        VARIABLES.text("${NOPE}")
    assert raised.value.name == "NOPE"
    assert "${NOPE} is not set" in raised.value.message
    assert "${NOPE:-default}" in raised.value.hint
    with pytest.raises(MissingVariable, match="not known here"):
        VARIABLES.text("${month}")


def test_a_broken_template_is_a_trouble_with_a_variable() -> None:
    with pytest.raises(VariableTrouble, match="never closed"):
        VARIABLES.text("${A")


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("a b", "http://h/x?q=a%20b"),
        ("a&b=c#d", "http://h/x?q=a%26b%3Dc%23d"),
        ("../../x", "http://h/x?q=..%2F..%2Fx"),
        ("\r\nHost: evil", "http://h/x?q=%0D%0AHost%3A%20evil"),
        ("@evil/", "http://h/x?q=%40evil%2F"),
        ("grün", "http://h/x?q=gr%C3%BCn"),
    ],
)
def test_url_values_are_percent_encoded(value: str, url: str) -> None:
    assert Variables(process={"V": value}).url("http://h/x?q=${V}") == url


def test_a_value_may_begin_a_url() -> None:
    assert VARIABLES.url("${BASE}/health") == "https://rag.example.com/health"
    assert not VARIABLES.host_from_outside("${BASE}/health")
    assert Variables(process={"BASE": "http://h"}).host_from_outside("${BASE}/health")
    assert Variables(process={"H": "h"}).host_from_outside("http://${H}/health")
    assert not Variables(process={"H": "h"}).host_from_outside("http://h/${H}")
    assert not Variables().host_from_outside("${BASE:-http://localhost:1}/x")
    assert Variables(process={"H": "h"}).host_from_outside("http://user@${H}")


@pytest.mark.parametrize(
    "value", ["file:///etc/passwd", "gopher://h", "javascript:alert(1)", "//evil", "evil", "http://a\r\nb"]
)
def test_another_beginning_of_a_url_is_refused(value: str) -> None:
    with pytest.raises(UnsafeValue):
        Variables(process={"V": value}).url("${V}/x")


@pytest.mark.parametrize("value", ["../x", "/etc/passwd", "a/b", "..", ".", "a\0b"])
def test_a_value_cannot_leave_the_folder(value: str) -> None:
    with pytest.raises(UnsafeValue):
        Variables(process={"V": value}).file_name("logs/${V}")


def test_two_values_cannot_join_to_leave_it() -> None:
    with pytest.raises(UnsafeValue):
        Variables(process={"V": "", "W": "x"}, context={"dot": "."}).file_name("logs/.${V}./${W}")
    with pytest.raises(UnsafeValue):
        VARIABLES.file_name("logs/${UP}")


def test_the_playbook_itself_may_name_a_folder() -> None:
    assert VARIABLES.file_name("${FOLDER}/x-${percent}.tar") == "/var/backups/x-10.tar"
    assert VARIABLES.file_name("../logs/${C}") == "../logs/process"


def test_a_value_in_a_pattern_matches_itself() -> None:
    assert Variables(process={"V": "a*[b]"}).file_name("x/${V}-*", pattern=True) == "x/a[*][[]b]-*"


@pytest.mark.parametrize(
    ("query", "text", "parameters"),
    [
        ("select * from t where a = ${V}", "select * from t where a = :value_1", {"value_1": "v'; --"}),
        ("select '${V}'", "select :value_1", {"value_1": "v'; --"}),
        ("select 'it''s ${V} x', '''' ", "select :value_1, '''' ", {"value_1": "it's v'; -- x"}),
        ("select ${percent} + 1", "select :value_1 + 1", {"value_1": 10}),
        ("select '${percent}'", "select :value_1", {"value_1": "10"}),
        ("select 'a -- b', ${V} -- end", "select 'a -- b', :value_1 -- end", {"value_1": "v'; --"}),
    ],
)
def test_sql_binds(query: str, text: str, parameters: dict[str, object]) -> None:
    variables = Variables(process={"V": "v'; --"}, context={"percent": "10"})
    assert variables.sql(query) == (text, parameters)


@pytest.mark.parametrize(
    "query",
    ['select "${V}"', "select [${V}]", "select 1 -- ${V}", "select /* ${V} */ 1", "select $$ ${V} $$", "select '${V}"],
)
def test_sql_refuses_what_cannot_be_bound(query: str) -> None:
    with pytest.raises(VariableTrouble):
        Variables(process={"V": "1"}).sql(query)


@pytest.mark.parametrize(
    "value", ["'; drop table t; --", "' or '1'='1", "%", "_", "\\", "é", "1;", "--", "x' union select 2 --"]
)
@pytest.mark.parametrize("query", ["select ${V}", "select '${V}'", "select 'a' || ${V} || ''"])
def test_sql_values_come_back_as_they_are(value: str, query: str) -> None:
    connection = sqlite3.connect(":memory:")
    text, parameters = Variables(process={"V": value}).sql(query)
    (row,) = connection.execute(text, parameters).fetchall()
    connection.close()
    assert str(row[0]).removeprefix("a") == value


def test_secrets_are_read_late_from_where_they_are_and_masked(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-the-file\n")
    masker = Masker()
    plain: dict[str, dict[str, object]] = {
        "S1": {"env": "REAL"},
        "S2": {"file": "token"},
        "S3": {"command": ["printf", "from-the-command"]},
        "S4": {"file": "gone"},
    }
    variables = Variables(
        process={"REAL": "from-the-env", "S1": "not this"}, secrets=secrets_of(plain, tmp_path), masker=masker
    )
    assert masker.mask("from-the-env") == "from-the-env"
    assert variables.text("${S1} ${S2} ${S3}") == "from-the-env from-the-file from-the-command"
    assert masker.mask("from-the-env from-the-file from-the-command") == "*** *** ***"
    assert variables.secret_names() >= {"REAL", "S1"}
    with pytest.raises(SecretTrouble, match="S4"):
        variables.text("${S4}")


def test_a_secret_names_exactly_one_place(tmp_path: Path) -> None:
    for wrong in ({}, {"env": "A", "file": "b"}, {"vault": "x"}, {"command": "pass show"}):
        with pytest.raises(SecretTrouble):
            secrets_of({"S": wrong}, tmp_path)
    assert secrets_of({"S": {"env": "A"}}, tmp_path) == {"S": Secret(env="A", project=tmp_path)}


def test_plain_data_is_filled_throughout() -> None:
    plain = {"a": ["${A}", 1, None, {"b": "${percent}"}]}
    assert VARIABLES.any(plain) == {"a": ["declared", 1, None, {"b": "10"}]}
