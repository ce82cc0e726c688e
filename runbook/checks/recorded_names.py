"""How recorded answers are named: a request by its method and its URL or path, anything else by the id of its check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from runbook.system.http_messages import Request

METHODS = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"
ANY_REQUEST = "*"
_REQUEST = re.compile(rf"(?:(?:{METHODS}) )?(?:/|https?://)\S*|\*", re.IGNORECASE)


@dataclass(frozen=True)
class NamedRequest:
    """A request by its name: `method` is None where any is meant, `place` a path below the environment's URL, a URL,
    or `*`.
    """

    method: str | None
    place: str


def names_request(key: str) -> bool:
    """Whether the name of an answer is that of a request: `GET /health`, `/health`, a URL, or `*` for any."""
    return _REQUEST.fullmatch(key) is not None


def request_named(key: str, base: str | None = None) -> NamedRequest:
    """The request that a name means, where the environment's URL is `base`."""
    method, _, place = key.rpartition(" ")
    return NamedRequest(method.upper() or None, place_of(place, base))


def place_of(url: str, base: str | None) -> str:
    """The path and query of a URL below `base` (the environment's URL), from there on; any other as it is written."""
    start = (base or "").rstrip("/")
    below = start and url.casefold().startswith(start.casefold()) and url[len(start) : len(start) + 1] in ("", "/", "?")
    if not below:
        return url
    rest = url[len(start) :]
    return rest if rest.startswith("/") else f"/{rest}"


def path_of(url: str) -> str:
    """The path and query of a URL."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a host in brackets that are not closed
        return url
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def closeness(named: NamedRequest, method: str, url: str, base: str | None) -> int | None:
    """How closely a name means a request, the larger the closer; None where it does not mean it.

    A path means what is below the environment's URL, and the same path of another place.
    """
    if named.place == ANY_REQUEST:
        return 0
    if named.method not in (None, method):
        return None
    place = place_of(url, base)
    places = [place, place.partition("?")[0]]
    if not place.startswith("/"):
        elsewhere = path_of(url)
        places += [elsewhere, elsewhere.partition("?")[0]]
    if named.place not in places:
        return None
    return (10 if named.method else 1) + len(places) - places.index(named.place)


def same_check(one: str, other: str) -> bool:
    """Whether two ids mean the same check: `ready/x` and `x` do, `ready/x` and `steady/x` do not."""
    if one == other:
        return True
    short, long = sorted((one, other), key=lambda key: "/" in key)
    return "/" not in short and long.rpartition("/")[2] == short


def keys_of(request: Request, base: str | None = None) -> list[str]:
    """The names under which the answer of a request may be recorded, the closest first; a path also below `base`."""
    places = [
        request.url,
        *(part for one in (place_of(request.url, base), path_of(request.url)) for part in _with_path(one)),
    ]
    places = list(dict.fromkeys(places))
    return [*(f"{request.method} {place}" for place in places), *places, ANY_REQUEST]


def _with_path(place: str) -> tuple[str, str]:
    return place, place.partition("?")[0]
