"""A Docker Engine in miniature: answers on a Unix socket as the Engine API does, or as a test has it answer."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers import Script, answer

IMAGES = {"nginx:1.27": "sha256:aaa", "shop/api:v2": "sha256:bbb"}
STARTED = "2026-01-02T03:04:05.123456789Z"
NEVER = "0001-01-01T00:00:00Z"


def id_of(name: str) -> str:
    """The id that the container of this name has here."""
    return hashlib.sha256(name.encode()).hexdigest()


def container(name: str, status: str = "running", **more: Any) -> dict[str, Any]:
    """What `GET /containers/NAME/json` tells of a container, in the parts that matter, as the Engine writes them."""
    health = more.pop("health", None)
    state = {
        "Status": status,
        "Running": status in ("running", "paused", "restarting"),
        "Paused": status == "paused",
        "Restarting": status == "restarting",
        "OOMKilled": more.pop("oom", False),
        "Dead": status == "dead",
        "Pid": 4711 if status == "running" else 0,
        "ExitCode": more.pop("exit", 0),
        "Error": more.pop("error", ""),
        "StartedAt": more.pop("started", NEVER if status == "created" else STARTED),
        "FinishedAt": NEVER,
    }
    if health is not None:
        state["Health"] = {"Status": health, "FailingStreak": 0, "Log": []}
    image = more.pop("image", "nginx:1.27")
    return {
        "Id": id_of(name),
        "Name": f"/{name}",
        "Created": STARTED,
        "State": state,
        "Image": more.pop("image_id", IMAGES.get(image, "sha256:ccc")),
        "RestartCount": more.pop("restarts", 0),
        "Config": {"Hostname": "x", "Image": image, "Labels": more.pop("labels", {})},
        "HostConfig": {"NetworkMode": "bridge"},
        "Mounts": [],
        **more,
    }


def of_service(service: str, project: str, *, oneoff: bool = False) -> dict[str, str]:
    """The labels that compose gives to the containers of a service."""
    prefix = "com.docker.compose."
    return {f"{prefix}service": service, f"{prefix}project": project, f"{prefix}oneoff": str(oneoff)}


@dataclass
class DockerSocket:
    """A running engine. `scripts` answer in its place for a path; `asked` are the request lines so far."""

    path: Path
    containers: list[dict[str, Any]] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=lambda: dict(IMAGES))
    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(20)
            head = b""
            while b"\r\n\r\n" not in head:
                data = connection.recv(65536)
                if not data:
                    return
                head += data
            line = head.decode("latin-1").partition("\r\n")[0]
            self.asked.append(line)
            target = urlsplit(line.split(" ")[1])
            script = self.scripts.get(target.path) or self.script(unquote(target.path), target.query)
            script(connection, line)

    def script(self, path: str, query: str) -> Script:
        if path == "/containers/json":
            return _json([_entry(each) for each in self.containers if _matches(each, query)])
        if path.startswith("/containers/") and path.endswith("/json"):
            return self.container(path.removeprefix("/containers/").removesuffix("/json"))
        if path.startswith("/images/") and path.endswith("/json"):
            name = path.removeprefix("/images/").removesuffix("/json")
            known = self.images.get(name)
            return _json({"Id": known, "RepoTags": [name]}) if known else _missing(f"No such image: {name}")
        return _missing("page not found")

    def container(self, name: str) -> Script:
        """As the Engine finds one: by its whole id, else by its name, else by the beginning of an id."""
        found = [each for each in self.containers if name in (each["Id"], each["Name"][1:])]
        found = found or [each for each in self.containers if each["Id"].startswith(name)]
        if len(found) > 1:
            return _complaint(f"multiple IDs found with provided prefix: {name}", "500 Internal Server Error")
        return _json(found[0]) if found else _missing(f"No such container: {name}")


def _json(plain: Any) -> Script:
    return answer(json.dumps(plain), headers="Content-Type: application/json\r\nApi-Version: 1.47\r\n")


def _missing(message: str) -> Script:
    return _complaint(message, "404 Not Found")


def _complaint(message: str, status: str) -> Script:
    return answer(json.dumps({"message": message}), status=status)


def _entry(whole: dict[str, Any]) -> dict[str, Any]:
    """A container as a list has it: its state is a word there."""
    return {
        "Id": whole["Id"],
        "Names": [whole["Name"]],
        "Image": whole["Config"]["Image"],
        "State": whole["State"]["Status"],
        "Status": "Up 3 hours",
        "Labels": whole["Config"]["Labels"],
    }


def _matches(whole: dict[str, Any], query: str) -> bool:
    asked = parse_qs(query)
    wanted = json.loads(asked["filters"][0])["label"]
    labels = [f"{name}={value}" for name, value in whole["Config"]["Labels"].items()]
    everything = asked.get("all") == ["true"]
    return all(each in labels for each in wanted) and (everything or whole["State"]["Status"] == "running")


@contextlib.contextmanager
def docker_socket(folder: Path, *containers: dict[str, Any]) -> Iterator[DockerSocket]:
    """An engine that has these containers; it ends with the block."""
    engine = DockerSocket(folder / "docker.sock", list(containers))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(engine.path))
        listener.listen(64)
        listener.settimeout(0.05)
        threads: list[threading.Thread] = []

        def accept() -> None:
            while not engine.ending.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = listener.accept()
                    threads.append(threading.Thread(target=engine.serve, args=(connection,), daemon=True))
                    threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield engine
        finally:
            engine.ending.set()
            accepting.join()
            for thread in threads:
                thread.join(timeout=5)
            engine.path.unlink(missing_ok=True)
