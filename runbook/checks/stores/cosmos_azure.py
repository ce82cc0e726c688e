"""`cosmos` by azure-cosmos: only queries, one connection, bounded in time and memory whatever the library retries."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import re
import time
from collections.abc import Iterable, Mapping
from http.client import HTTPException, RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport
from azure.cosmos import CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError
from requests.adapters import HTTPAdapter

from runbook.checks.answers import refuse_many
from runbook.checks.findings import NotTaken
from runbook.checks.libraries import not_here
from runbook.checks.stores.cells import take_rows
from runbook.checks.stores.cosmos_asking import CosmosQuestion
from runbook.checks.stores.sql_question import PATIENCE
from runbook.system.http_proxy import proxy_for
from runbook.system.http_wire import in_words

_PIECE = 64 << 10  # bytes read at once
_LARGEST = 8 << 20  # bytes of all answers together; a page has at most four
_LATE = "no answer in time"
_FINAL = (401, 403, 429)  # answers that the library would wait and ask again for
_OF_THE_BODY = ("content-encoding", "content-length", "transfer-encoding")  # headers that told how it was sent
_REMEDIES: Mapping[int, str] = {
    401: "check the key, and that the clock of this machine is right",
    403: "the account or the firewall of Cosmos DB does not let this one in",
    404: "check the names of database and container",
    408: "the query took too long there",
    429: "its request units are used up: ask less, or raise the throughput",
}

logging.getLogger("azure").addHandler(logging.NullHandler())  # what goes wrong is told in the row


def ask_cosmos(question: CosmosQuestion) -> list[list[Any]]:
    """The rows, each a list of cells. Blocks; raises NotTaken."""
    parts = urlsplit(question.url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise NotTaken("the endpoint of an account is written https://NAME.documents.azure.com")
    if question.key is not None and not _is_key(question.key):
        raise NotTaken("the key is none of Cosmos DB: it is base64, as the portal shows it")
    try:
        if question.insecure:  # the row says so
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        with _client(question) as client:
            container = client.get_database_client(question.database).get_container_client(question.container)
            return [list(row) for row in take_rows(_rows(container, question), question.most)]
    except ClientAuthenticationError as trouble:
        said = _first_line(trouble.message)
        raise NotTaken(f"no account is known here: {said}; name a key, or log in: az login") from None
    except CosmosHttpResponseError as trouble:
        raise NotTaken(_told(trouble.status_code or 0, trouble.message or "")) from None
    except (AzureError, ValueError, TypeError, KeyError, AttributeError, IndexError) as trouble:
        kind = type(trouble).__name__
        raise NotTaken(f"what answers there does not speak as Cosmos DB does ({kind})") from None


@contextlib.contextmanager
def _client(question: CosmosQuestion) -> Any:
    credential = question.key if question.key is not None else _found_account(question)
    session = requests.Session()
    session.trust_env = False  # no proxy, no .netrc and no certificates but those that the playbook names
    parts = urlsplit(question.url)
    proxy = proxy_for(question.proxy, parts.scheme, parts.hostname or "", parts.port or 443)
    session.proxies = {"http": proxy, "https": proxy} if proxy else {}
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Bounded(question))
    client = CosmosClient(
        question.url,
        credential,
        transport=RequestsTransport(session=session, session_owner=False, use_env_settings=False),
        enable_endpoint_discovery=False,  # an answer names no other host that is asked then
        retry_total=0,
        retry_connect=0,
        retry_read=0,
        retry_status=0,
    )
    try:
        with client:
            yield client
    finally:
        session.close()


def _found_account(question: CosmosQuestion) -> TokenCredential:
    """Whoever azure-identity finds. Raises NotTaken where it is missing, which only a check without a key needs."""
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        said = "there is no key, and azure-identity, which looks for an account of this machine,"
        raise NotTaken(not_here(said, "azure-identity")) from None
    from_environment = question.proxy == "environment"
    return DefaultAzureCredential(
        exclude_interactive_browser_credential=True,
        process_timeout=max(1, int(question.seconds_left())),
        use_env_settings=from_environment,
    )


def _rows(container: Any, question: CosmosQuestion) -> Iterable[list[Any]]:
    """The rows as they come, page by page."""
    items = container.query_items(
        question.text(),
        parameters=question.bound() or None,
        enable_cross_partition_query=True,
        max_item_count=min(question.most + 1, 1000),
    )
    width: int | None = None
    for item in items:
        row = list(item.values()) if isinstance(item, dict) else [item]
        if isinstance(item, dict) and "_rid" in item:
            raise NotTaken("the query gives whole documents; name the field that is meant: select c.FIELD from c")
        if width not in (None, len(row)):
            raise NotTaken("some rows lack a field that others have; add: where is_defined(c.FIELD)")
        width = len(row)
        yield row or [None]


class _Bounded(HTTPAdapter):
    """Sends each request within what is left of the time, and reads no more of an answer than may be kept.

    Certificates are looked at as the playbook says: the library passes its own word, which is never to look where the
    host is this machine.
    """

    def __init__(self, question: CosmosQuestion) -> None:
        self._question = question
        self._read = 0
        self._knows_account = False
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """The answer, with its body. Raises NotTaken, which ends whatever the library would try next."""
        left = self._question.until - time.monotonic()
        if left <= 0:
            raise NotTaken(_LATE)
        of_account = self._may_be_asked(request.url or "")
        where: dict[str, Any] = {"verify": self._question.verify, "proxies": options.get("proxies")}
        try:
            answer = super().send(request, stream=True, timeout=(min(PATIENCE, left), left), **where)
            with contextlib.closing(answer):
                body = b"".join(self._pieces(answer.raw))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as trouble:
            raise NotTaken(f"no answer: {_in_words(trouble)}") from None
        if answer.status_code in _FINAL or answer.status_code >= (400 if of_account else 500):
            raise NotTaken(_told(answer.status_code, body.decode("utf-8", "replace")))
        refuse_many(body.decode("latin-1"))  # the library makes a tree of it, whatever it holds
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_THE_BODY}
        whole = urllib3.HTTPResponse(io.BytesIO(body), headers, status=answer.status_code, preload_content=False)
        return self.build_response(request, whole)

    def _may_be_asked(self, url: str) -> bool:
        """Whether this asks about the account itself. Raises NotTaken for another host, which only an answer can have
        named, and for asking about the account again, which the library does on its own to see how its hosts are.
        """
        meant, asked = urlsplit(self._question.url), urlsplit(url)
        if (asked.scheme, asked.hostname, asked.port) != (meant.scheme, meant.hostname, meant.port):
            raise NotTaken("the answer names another host, which is not asked")
        of_account = asked.path in ("", "/")
        if of_account and self._knows_account:
            raise NotTaken("the account is known already")
        self._knows_account = self._knows_account or of_account
        return of_account

    def _pieces(self, raw: Any) -> Iterable[bytes]:
        while piece := raw.read1(_PIECE, decode_content=True):
            if time.monotonic() > self._question.until:
                raise NotTaken(_LATE)
            self._read += len(piece)
            if self._read > _LARGEST:
                raise NotTaken(f"the answer is larger than {_LARGEST >> 20} MiB; ask for a count, or for less of each")
            yield piece


def _in_words(trouble: BaseException) -> str:
    """What happened, from the innermost cause."""
    cause = trouble
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    if isinstance(cause, TimeoutError) or isinstance(trouble, requests.Timeout):
        return "the host is off, or takes longer than the time there is"
    if isinstance(cause, HTTPException) and not isinstance(cause, RemoteDisconnected):
        return f"what answers there does not speak HTTP as it should ({type(cause).__name__})"
    return _first_line(in_words(trouble if isinstance(cause, OSError) and cause.strerror else cause, "wait"))


def _told(code: int, text: str) -> str:
    """What is said of an answer that is an error; its text may be JSON with a `message`."""
    with contextlib.suppress(ValueError, RecursionError):
        document = json.loads(text)
        text = str(document.get("message") or "") if isinstance(document, dict) else ""
    text = re.sub(r"\A\(\w+\) |\AMessage: ", "", text)
    remedy = _REMEDIES.get(code)
    said = f"{_first_line(text)} ({code})" if text.strip() and text.lstrip()[:1] != "<" else f"status {code}"
    return f"the query failed: {said}; {remedy}" if remedy else f"the query failed: {said}"


def _is_key(key: str) -> bool:
    try:
        return bool(base64.b64decode(key, validate=True))
    except ValueError:
        return False


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:300] if lines else "it does not say why"
