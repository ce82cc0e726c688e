"""What is kept of an answer: nothing that is a secret, under a name by which a test finds it."""

from __future__ import annotations

import json

import pytest

from runbook.rollout.recording_masks import Masks, names_secret
from runbook.rollout.recording_places import Kept, Origin, placed
from runbook.system.secrets import MASK, Masker

KNOWN = "s3cret-s3cret-Xy"
MASKS = Masks(Masker([KNOWN]), {"api-token"})
HIDDEN = [
    '{"x": "s3cret-s3cret-\\u0058y"}',
    '{"s3cret-s3cret-\\u0058y": 1}',
    '[[{"a": ["s3cret\\u002ds3cret-Xy"]}]]',
]


@pytest.mark.parametrize("body", HIDDEN)
def test_a_known_secret_is_masked_however_json_writes_it(body: str) -> None:
    assert "Xy" not in json.dumps(MASKS.tree(json.loads(body)))
    assert MASK in json.dumps(MASKS.tree(json.loads(body)))
    assert "\\u0058y" not in MASKS.page(body + " and no JSON").replace("\\u002d", "-")


@pytest.mark.parametrize(
    "text", ["&#115;3cret-s3cret-Xy", "s3cret%2Ds3cret%2DXy", f"a {KNOWN} b", "s3cret\\u002ds3cret-Xy"]
)
def test_a_known_secret_is_masked_however_a_text_writes_it(text: str) -> None:
    assert "3cret" not in MASKS.page(text)


@pytest.mark.parametrize(
    "name",
    ["access_token", "Authorization", "password", "api_key", "apiKey", "X-Api-Key", "refreshToken", "DB_PASSWORD",
     "client_secret", "Set-Cookie", "credentials", "id_token", "sessionId", "private-key", "tokens"],
)  # fmt: skip
def test_what_stands_under_the_name_of_a_secret_is_masked(name: str) -> None:
    assert names_secret(name)
    assert MASKS.tree({"a": [{name: "hunter two"}]}) == {"a": [{name: MASK}]}
    assert MASKS.tree({name: {"a": ["b", None]}}) == {name: {"a": [MASK, None]}}


@pytest.mark.parametrize("name", ["status", "max_tokens_used", "tokenizer", "keys", "keyboard", "secretary", "passed"])
def test_other_names_hide_nothing(name: str) -> None:
    assert MASKS.tree({name: "plain words"}) == {name: "plain words"}


def test_numbers_and_truths_stay_what_they_are() -> None:
    plain = {"max_tokens": 4096, "password_set": True, "token": None, "key": "share", "errors": 0.02}
    assert MASKS.tree(plain) == plain
    assert MASKS.tree({"password": 12345678}) == {"password": MASK}
    assert Masks(Masker(["12345678"])).tree({"n": 12345678}) == {"n": MASK}
    assert MASKS.tree([float("inf"), "\ud800"]) == [None, "?"]


def test_a_pair_of_name_and_value_is_told_by_its_name() -> None:
    assert MASKS.tree({"name": "API_TOKEN", "value": "abc"}) == {"name": "API_TOKEN", "value": MASK}
    assert MASKS.tree({"name": "SHARE", "value": "abc"}) == {"name": "SHARE", "value": "abc"}
    assert MASKS.tree({"key": "abcdef0123456789"}) == {"key": MASK}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://a/cb?token=abc&x=1", f"https://a/cb?token={MASK}&x=1"),
        ("/cb#access_token=abc", f"/cb#access_token={MASK}"),
        ("/login?next=%2Fcb%3Ftoken%3Dabc", f"/login?next={MASK}"),
        ("/cb?access%5Ftoken=abc", f"/cb?access%5Ftoken={MASK}"),
        ("https://u:pw@a/b", f"https://{MASK}@a/b"),
        ("Bearer abcdefghijkl", f"Bearer {MASK}"),
        ("/a?page=2&state=open", "/a?page=2&state=open"),
        ("/a?token=api-token", "/a?token=api-token"),
    ],
)
def test_the_query_of_a_url_tells_no_secret(text: str, kept: str) -> None:
    assert MASKS.text(text) == kept


def test_what_is_assigned_in_a_page_is_masked() -> None:
    assert MASKS.page('PASSWORD=abc\nuser: me\napi_key: "a b"\n') == f"PASSWORD={MASK}\nuser: me\napi_key: {MASK}\n"


@pytest.mark.parametrize(
    ("base", "url", "name"),
    [
        ("http://a:80", "http://a:8080/x", "GET http://a:8080/x"),
        ("http://a", "http://a.example/x", "GET http://a.example/x"),
        ("http://a:80", "http://a:80/x?y=1", "GET /x?y=1"),
        ("http://a/api", "http://a/api/x", "GET /x"),
        ("http://a/api", "http://a/apiary", "GET http://a/apiary"),
        ("http://A/", "http://a", "GET /"),
        ("https://a", "http://a/x", "GET http://a/x"),
        ("", "http://a/x", "GET http://a/x"),
    ],
)
def test_only_the_same_host_and_port_is_the_service(base: str, url: str, name: str) -> None:
    assert Origin(base, {}).names(f"GET {url}")[0] == name


def test_a_name_is_that_by_which_a_test_asks() -> None:
    urls = {f"/x?token={KNOWN}": "/x?token=api-token", "http://real/v1": "http://api-url.invalid/v1"}
    origin = Origin("http://a", urls)
    answered = {
        f"GET http://a/x?token={KNOWN}": Kept({"status": 200}),
        "GET http://real/v1/models": Kept({"down": True}),
    }
    assert placed(answered, origin, MASKS) == (
        {"GET /x?token=api-token": {"status": 200}, "GET http://api-url.invalid/v1/models": {"down": True}},
        [],
    )


def test_a_secret_in_a_name_gives_way_to_a_wider_name_that_is_free() -> None:
    answered = {
        "GET http://a/x?password=one": Kept({"status": 200}, cut=True),
        "GET http://a/x?password=two": Kept({"status": 500}),
        "GET http://u:pw@b/y": Kept({"status": 201}),
    }
    answers, cut = placed(answered, Origin("http://a", {}), MASKS)
    assert answers == {
        "GET /x": {"status": 200},
        f"GET /x?password={MASK}": {"status": 500},
        "GET /y": {"status": 201},
    }
    assert cut == ["GET /x"]
