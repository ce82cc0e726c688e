"""Asking a Docker Engine: where it listens, and what it tells of containers and images."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from runbook.checks.base import Finding, Surroundings
from runbook.checks.findings import NotTaken, answered, unknown, unreachable
from runbook.checks.platforms.typed_answers import read_as
from runbook.system.http_messages import Request, Response

SOCKET = "/var/run/docker.sock"
MOST = 50  # containers of one service that are looked at
_PORT = 2375
_SHOWN_OF_ID = 12  # characters of a container's id that docker ps shows
_LONGEST = 103  # bytes that the address of a Unix socket holds, on macOS; on Linux a few more
_COMPOSE = "com.docker.compose."


class Health(msgspec.Struct, frozen=True):
    """What a container's own health check says: none, starting, healthy, unhealthy."""

    status: str = msgspec.field(name="Status", default="")


class State(msgspec.Struct, frozen=True):
    """How a container is: created, running, paused, restarting, removing, exited or dead."""

    status: str = msgspec.field(name="Status")
    exit: int = msgspec.field(name="ExitCode", default=0)
    out_of_memory: bool = msgspec.field(name="OOMKilled", default=False)
    started: str | None = msgspec.field(name="StartedAt", default=None)
    error: str | None = msgspec.field(name="Error", default=None)
    health: Health | None = msgspec.field(name="Health", default=None)


class Config(msgspec.Struct, frozen=True):
    """What a container was made from; `image` is the name that was given then."""

    image: str = msgspec.field(name="Image", default="")


class Container(msgspec.Struct, frozen=True):
    """A container; `image` is the id of its image, `id` its own."""

    state: State = msgspec.field(name="State")
    config: Config = msgspec.field(name="Config", default_factory=Config)
    name: str = msgspec.field(name="Name", default="")
    image: str = msgspec.field(name="Image", default="")
    restarts: int = msgspec.field(name="RestartCount", default=0)
    id: str = msgspec.field(name="Id", default="")

    def is_called(self, name: str) -> bool:
        """Whether this is its name, or as much of its id as `docker ps` shows: the engine gives, for a name that no
        container has, the one whose id begins so.
        """
        return self.name.lstrip("/") == name or (len(name) >= _SHOWN_OF_ID and self.id.startswith(name))


class Entry(msgspec.Struct, frozen=True):
    """A container in a list."""

    id: str = msgspec.field(name="Id")
    labels: dict[str, str] | None = msgspec.field(name="Labels", default=None)


class Image(msgspec.Struct, frozen=True):
    """An image that is here."""

    id: str = msgspec.field(name="Id")


class Complaint(msgspec.Struct, frozen=True):
    """What comes with a status that is no success."""

    message: str = ""


@dataclass(frozen=True)
class Engine:
    """Where an engine listens: `socket` is the path of its Unix socket, else `url` names a host."""

    url: str
    socket: str | None = None

    @property
    def shown(self) -> str:
        return self.socket or self.url


class NoAnswer(Exception):  # noqa: N818 - it is told, not a fault of ours
    """The engine could not be asked, or gave no answer that could be used; `finding` says so."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def engine(written: str | None, around: Surroundings) -> Engine:
    """The engine at the Unix socket `written`, else the one that DOCKER_HOST names, else the machine's own.

    Raises NoAnswer, and VariableTrouble.
    """
    if written is not None:
        return _at_socket(str(around.project / around.variables.file_name(written)))
    host = around.variables.text("${DOCKER_HOST:-}")
    if not host:
        return _at_socket(_usual_socket(around.variables.process))
    parts = urlsplit(host)
    if parts.scheme == "unix":
        return _at_socket(parts.path)
    if parts.scheme not in ("tcp", "http") or not parts.hostname:
        raise NoAnswer(
            unknown(f"DOCKER_HOST is {parts.scheme or 'no URL'}; only unix:// and tcp:// are asked from here")
        )
    if around.variables.text("${DOCKER_TLS_VERIFY:-}"):
        raise NoAnswer(unknown("DOCKER_TLS_VERIFY asks for a client's certificate; the check docker looks at sockets"))
    shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Engine(f"http://{shown}:{parts.port or _PORT}")


async def container(engine_: Engine, name: str, around: Surroundings) -> Container | None:
    """A container by its name or id; None if there is none. Raises NoAnswer and NotTaken."""
    answer = await _asked(engine_, f"/containers/{quote(name, safe='')}/json", around)
    return None if answer is None else read_as(answer.body, Container)


async def containers_of(engine_: Engine, service: str, project: str, around: Surroundings) -> Sequence[str]:
    """The ids of a compose service's containers, stopped ones too. Raises NoAnswer and NotTaken.

    Those of `docker compose run` are none of the service's.
    """
    labels = [f"{_COMPOSE}project={project}", f"{_COMPOSE}service={service}"]
    query = urlencode({"all": "true", "filters": msgspec.json.encode({"label": labels}).decode()})
    answer = await _asked(engine_, f"/containers/json?{query}", around)
    entries = [] if answer is None else read_as(answer.body, list[Entry])
    return [entry.id for entry in entries if (entry.labels or {}).get(f"{_COMPOSE}oneoff") != "True"]


async def image_id(engine_: Engine, name: str, around: Surroundings) -> str | None:
    """The id of the image that has this name now; None where no image has. Raises NoAnswer and NotTaken."""
    answer = await _asked(engine_, f"/images/{quote(name, safe='/:@')}/json", around)
    return None if answer is None else read_as(answer.body, Image).id


async def _asked(engine_: Engine, path: str, around: Surroundings) -> Response | None:
    """The answer, None where the engine says that there is no such thing. Raises NoAnswer."""
    answer = await answered(Request(url=f"{engine_.url}{path}", socket=engine_.socket), around)
    if isinstance(answer, Finding):
        raise NoAnswer(answer)
    if answer.status == 404:
        return None
    if answer.status != 200:
        said = _complaint(answer)
        message = f"Docker answers with status {answer.status}{f': {said}' if said else ''}"
        raise NoAnswer(unreachable(message, observed=str(answer.status)))
    return answer


def _complaint(answer: Response) -> str:
    try:
        return read_as(answer.body, Complaint).message[:200]
    except NotTaken:
        return ""


def _at_socket(path: str) -> Engine:
    """The engine behind a Unix socket. Raises NoAnswer where nobody listens, or we may not ask."""
    if "\0" in path or len(os.fsencode(path)) > _LONGEST:
        raise NoAnswer(unknown(f"{path!r} is no place of a socket: NUL in it, or more than {_LONGEST} bytes"))
    try:
        is_there = Path(path).exists()
    except (OSError, ValueError):
        is_there = True
    if not is_there:
        remedy = "systemctl start docker; DOCKER_HOST or the option socket names another place"
        raise NoAnswer(unreachable(f"no Docker Engine listens at {path}; {remedy}", observed="not running"))
    if not os.access(path, os.R_OK | os.W_OK):
        remedy = "sudo usermod -aG docker $USER, then log in anew"
        raise NoAnswer(unknown(f"this user may not ask Docker at {path}; {remedy}"))
    return Engine("http://docker", path)


def _usual_socket(process: Mapping[str, str]) -> str:
    """The machine's socket, or where that is absent the one of this user's own engine."""
    candidates = [SOCKET]
    if runtime := process.get("XDG_RUNTIME_DIR"):
        candidates.append(f"{runtime}/docker.sock")
    if home := process.get("HOME"):
        candidates.append(f"{home}/.docker/run/docker.sock")
    return next((path for path in candidates if os.path.exists(path)), SOCKET)  # noqa: PTH110 - it never raises


def same_image(one: str, other: str) -> bool:
    """Whether two names mean one image: `nginx` is `docker.io/library/nginx:latest`."""
    return _full_name(one) == _full_name(other)


def _full_name(name: str) -> str:
    plain = re.sub(r"\A(?:index\.)?docker\.io/", "", name)
    plain = plain.removeprefix("library/")
    last = plain.rpartition("/")[2]
    return plain if ":" in last or "@" in last else f"{plain}:latest"
