"""`docker`: containers on a scripted engine, an engine that is not there or not ours, and one that answers rubbish."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.base import CheckResult
from runbook.checks.platforms.docker import Docker
from runbook.checks.platforms.docker_engine import same_image
from runbook.judge.verdicts import Reason, Status
from runbook.system.variables import Variables
from tests.checks.looking import a_check, looked, looked_all, surroundings
from tests.hostile import BODIES, BROKEN
from tests.places import PROJECT
from tests.real.docker_socket import DockerSocket, container, docker_socket, id_of, of_service
from tests.servers import answer, closed_port, scripted

HERE = [
    container("web", health="healthy", restarts=2),
    container("plain"),
    container("none", health="none"),
    container("ill", health="unhealthy"),
    container("young", health="starting"),
    container("ended", "exited"),
    container("crashed", "exited", exit=137, oom=True),
    container("refused", "created", exit=127, error="exec: no such file"),
    container("looping", "restarting", exit=1, restarts=9),
    container("paused", "paused"),
    container("dead", "dead", exit=255),
    container("leaving", "removing"),
    container("nowhere", ""),
    container("old", image="shop/api:v2", image_id="sha256:before"),
    container("by-id", image="sha256:aaa", image_id="sha256:aaa"),
    container("shop-api-1", labels=of_service("api", "shop"), image="shop/api:v2"),
    container("shop-api-2", labels=of_service("api", "shop"), image="shop/api:v2", restarts=1),
    container("shop-api-run", "exited", labels=of_service("api", "shop", oneoff=True)),
    container("shop-db-1", labels=of_service("db", "shop")),
    container("shop-db-2", "exited", exit=1, labels=of_service("db", "shop")),
    container("other-api-1", "exited", labels=of_service("api", "other")),
]


def seen(engine: DockerSocket, plain: dict[str, Any], **more: Any) -> CheckResult:
    return looked({"socket": str(engine.path), **plain}, **more)


@pytest.mark.parametrize(
    ("plain", "status", "observed", "says"),
    [
        ({"docker": "web"}, Status.PASS, "running (healthy)", "for "),
        ({"docker": id_of("web")}, Status.PASS, "running (healthy)", ""),
        ({"docker": id_of("web")[:12]}, Status.PASS, "running (healthy)", ""),
        (
            {"docker": id_of("web")[:11]},
            Status.FAIL,
            "missing",
            "; web has an id that begins so: write its name, or 12",
        ),
        ({"docker": id_of("plain")[:4]}, Status.FAIL, "missing", "; plain has an id that begins so"),
        ({"docker": id_of("plain")[:4], "image": "nginx:1.27"}, Status.FAIL, "missing", ""),
        ({"docker": id_of("plain")[:4], "expect": "restarts < 3"}, Status.FAIL, "missing", ""),
        ({"docker": "web", "healthy": True}, Status.PASS, "running (healthy)", ""),
        ({"docker": "plain"}, Status.PASS, "running", ""),
        ({"docker": "plain", "healthy": True}, Status.FAIL, "running", "plain runs and has no health check"),
        ({"docker": "none", "healthy": True}, Status.FAIL, "running", "has no health check"),
        ({"docker": "ill"}, Status.FAIL, "running (unhealthy)", "ill runs and is unhealthy; docker logs --tail 20 ill"),
        ({"docker": "ill", "healthy": False}, Status.PASS, "running (unhealthy)", ""),
        ({"docker": "young"}, Status.FAIL, "running (starting)", "young runs and is starting"),
        ({"docker": "ended"}, Status.FAIL, "exited (0)", "ended is exited, exit 0; docker logs"),
        ({"docker": "ended", "healthy": False}, Status.FAIL, "exited (0)", ""),
        ({"docker": "crashed"}, Status.FAIL, "exited (137)", "exit 137, out of memory"),
        ({"docker": "refused"}, Status.FAIL, "created", "refused is created: exec: no such file"),
        ({"docker": "looping"}, Status.FAIL, "restarting", "looping is restarting, exit 1"),
        ({"docker": "paused"}, Status.FAIL, "paused", "paused is paused"),
        ({"docker": "dead"}, Status.FAIL, "dead (255)", ""),
        ({"docker": "leaving"}, Status.FAIL, "removing", ""),
        ({"docker": "nowhere"}, Status.FAIL, "", "in no state"),
        ({"docker": "absent"}, Status.FAIL, "missing", "there is no container absent at"),
        ({"docker": "web", "image": "nginx:1.27"}, Status.PASS, "running (healthy)", ""),
        ({"docker": "web", "image": "docker.io/library/nginx:1.27"}, Status.PASS, "running (healthy)", ""),
        ({"docker": "web", "image": "nginx:1.28"}, Status.FAIL, "running (healthy)", "nginx:1.27, not nginx:1.28"),
        ({"docker": "web", "image": "nginx"}, Status.FAIL, "running (healthy)", "docker inspect web tells more"),
        ({"docker": "old", "image": "shop/api:v2"}, Status.FAIL, "running", "an older shop/api:v2 than the one"),
        ({"docker": "by-id", "image": "sha256:aaa"}, Status.PASS, "running", ""),
        ({"docker": "api", "compose": "shop"}, Status.PASS, "2 running", "for "),
        ({"docker": "api", "compose": "shop", "image": "shop/api:v2"}, Status.PASS, "2 running", ""),
        ({"docker": "db", "compose": "shop"}, Status.FAIL, "1 of 2 as meant", "shop-db-2 is exited, exit 1"),
        ({"docker": "api", "compose": "other"}, Status.FAIL, "exited (0)", "other-api-1 is exited"),
        ({"docker": "web", "compose": "shop"}, Status.FAIL, "missing", "shop has no container of the service web"),
        ({"docker": "web", "expect": "restarts < 3"}, Status.PASS, "2", ""),
        ({"docker": "web", "expect": "restarts == 0"}, Status.FAIL, "2", ""),
        ({"docker": "api", "compose": "shop", "expect": "containers >= 2"}, Status.PASS, "2", ""),
        ({"docker": "web", "expect": "age > 1d"}, Status.PASS, "", ""),
        ({"docker": "looping", "expect": "restarts < 100"}, Status.FAIL, "restarting", ""),
        ({"docker": "absent", "expect": "restarts < 100"}, Status.FAIL, "missing", ""),
    ],
)
def test_containers(tmp_path: Path, plain: dict[str, Any], status: Status, observed: str, says: str) -> None:
    with docker_socket(tmp_path, *HERE) as engine:
        row = seen(engine, plain)
    assert row.status is status, row
    assert row.observed == observed or ("expect" in plain and row.observed.startswith(observed))
    assert says in row.message


def test_a_name_with_which_several_ids_begin(tmp_path: Path) -> None:
    """The engine says so of a name that no container has, and does not choose."""
    twins = [{**container(name), "Id": f"abc{number}" + "0" * 60} for number, name in enumerate(("one", "two"))]
    with docker_socket(tmp_path, *twins) as engine:
        row = seen(engine, {"docker": "abc"})
        assert (row.status, "multiple IDs found" in row.message) == (Status.FAIL, True)
        named = {**container("abc"), "Id": "f" * 64}
        engine.containers.append(named)
        assert seen(engine, {"docker": "abc"}).status is Status.PASS


def test_several_are_named(tmp_path: Path) -> None:
    down = container("shop-db-3", "paused", labels=of_service("db", "shop"))
    with docker_socket(tmp_path, *HERE, down) as engine:
        row = seen(engine, {"docker": "db", "compose": "shop"})
    assert list(row.listed) == ["shop-db-2 is exited, exit 1", "shop-db-3 is paused"]


def test_more_containers_than_are_looked_at(tmp_path: Path) -> None:
    many = [container(f"c{number}", labels=of_service("api", "big")) for number in range(51)]
    with docker_socket(tmp_path, *many) as engine:
        row = seen(engine, {"docker": "api", "compose": "big"})
        assert len(engine.asked) == 1
    assert (row.status, row.message) == (
        Status.UNKNOWN,
        "the service api has 51 containers; up to 50 are looked at",
    )


def test_where_the_engine_is(tmp_path: Path) -> None:
    with docker_socket(tmp_path, *HERE) as engine:
        by_variable = Variables(process={"DOCKER_HOST": f"unix://{engine.path}"})
        assert looked({"docker": "plain"}, variables=by_variable).status is Status.PASS
        own = Variables(process={"XDG_RUNTIME_DIR": str(tmp_path)})
        row = looked({"docker": "plain"}, variables=own)
        assert row.status is Status.PASS or Path("/var/run/docker.sock").exists()
        assert looked({"docker": "plain", "socket": "docker.sock"}, project=tmp_path).status is Status.PASS
    with scripted({"/containers/web/json": answer('{"Name": "/web", "State": {"Status": "running"}}')}) as server:
        host = Variables(process={"DOCKER_HOST": server.url.replace("http", "tcp")})
        assert looked({"docker": "web"}, variables=host).status is Status.PASS
        secured = Variables(process={**host.process, "DOCKER_TLS_VERIFY": "1"})
        assert looked({"docker": "web"}, variables=secured).status is Status.UNKNOWN
    for odd in ("ssh://me@host", "npipe:////./pipe", "nonsense", "tcp://"):
        row = looked({"docker": "web"}, variables=Variables(process={"DOCKER_HOST": odd}))
        assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)


def test_no_engine(tmp_path: Path) -> None:
    row = looked({"docker": "web", "socket": "docker.sock"}, project=tmp_path)
    assert (row.status, row.observed) == (Status.FAIL, "not running")
    assert "no Docker Engine listens at" in row.message
    with socket.socket(socket.AF_UNIX) as left:  # one that ended and left its socket
        left.bind(str(tmp_path / "left.sock"))
    assert looked({"docker": "web", "socket": "left.sock"}, project=tmp_path).status is Status.FAIL
    for odd in ("long/" * 30 + "docker.sock", "a\0b"):
        assert looked({"docker": "web", "socket": odd}, project=tmp_path).status is Status.UNKNOWN
    (tmp_path / "plain.sock").touch()
    assert looked({"docker": "web", "socket": "plain.sock"}, project=tmp_path).status is not Status.PASS
    with closed_port() as port:
        host = Variables(process={"DOCKER_HOST": f"tcp://127.0.0.1:{port}"})
        assert looked({"docker": "web"}, variables=host).status is Status.FAIL
    expecting = looked({"docker": "web", "socket": "docker.sock", "expect": "== 0"}, project=tmp_path)
    assert expecting.status is Status.UNKNOWN


def test_an_engine_that_this_user_may_not_ask(tmp_path: Path) -> None:
    """Where the tests run as root, who may ask anything, the looking process becomes nobody."""
    code = """
import os, sys
from tests.checks.looking import looked
looked({"docker": "web", "socket": "nowhere"})  # what has to be loaded can be read now
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
row = looked({"docker": "web", "socket": sys.argv[1]})
print(row.status, row.reason, row.message)
"""
    with docker_socket(tmp_path, *HERE) as engine:
        engine.path.chmod(0o000)
        argv = [sys.executable, "-c", code, str(engine.path)]
        done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("unknown error this user may not ask Docker")
    assert "usermod -aG docker" in done.stdout


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers(tmp_path: Path, name: str) -> None:
    with docker_socket(tmp_path) as engine:
        engine.scripts["/containers/web/json"] = engine.scripts["/containers/json"] = BROKEN[name]
        began = time.monotonic()
        socket_ = str(engine.path)
        checks = [{"docker": "web", "socket": socket_}, {"docker": "web", "compose": "shop", "socket": socket_}]
        rows = looked_all(checks, surroundings(seconds=0.5))
        assert time.monotonic() - began < 3
    for row in rows:
        assert row.status is Status.FAIL, row
        assert row.message


@pytest.mark.parametrize("name", BODIES)
def test_broken_bodies(tmp_path: Path, name: str) -> None:
    with docker_socket(tmp_path) as engine:
        engine.scripts["/containers/web/json"] = engine.scripts["/containers/json"] = answer(BODIES[name])
        socket_ = str(engine.path)
        row, several = looked_all(
            [{"docker": "web", "socket": socket_}, {"docker": "web", "compose": "shop", "socket": socket_}]
        )
    assert (row.status, row.reason) == (Status.UNKNOWN, Reason.ERROR)
    assert row.message.startswith("this does not answer as Docker does")
    assert several.status is (Status.FAIL if name == "empty list" else Status.UNKNOWN)


@pytest.mark.parametrize(
    "body",
    [
        '{"State": "running"}',
        '{"State": {"Running": true}}',
        '{"State": {"Status": true}}',
        '{"State": {"Status": "running", "Health": "healthy"}}',
        '{"State": {"Status": "running", "ExitCode": "0"}}',
        '{"State": {"Status": "running"}, "RestartCount": 1e999}',
        '{"State": null}',
        '{"State": {"Status": "running"}, "Name": "/web", "Id": 7}',
    ],
)
def test_containers_that_are_none(tmp_path: Path, body: str) -> None:
    with docker_socket(tmp_path) as engine:
        engine.scripts["/containers/web/json"] = answer(body)
        assert seen(engine, {"docker": "web"}).status is Status.UNKNOWN


def test_what_an_engine_complains_of(tmp_path: Path) -> None:
    with docker_socket(tmp_path) as engine:
        body = '{"message": "the daemon is \\u001b[2J shutting down"}'
        engine.scripts["/containers/web/json"] = answer(body, status="500 Internal Server Error")
        row = seen(engine, {"docker": "web"})
    assert (row.status, row.observed) == (Status.FAIL, "500")
    assert row.message == "Docker answers with status 500: the daemon is \\x1b[2J shutting down"


def test_names_that_are_none_and_what_is_wrong_before() -> None:
    for name in ("a b", "-x", "../../info", "", "a/b", "web*", "\x1b"):
        assert a_check({"docker": name}).options.problems(), name
        row = looked({"docker": "${NAME}"}, variables=Variables(process={"NAME": name}))
        assert row.status is Status.UNKNOWN
    assert len(a_check({"docker": "a", "compose": "b c", "image": "-i", "socket": ""}).options.problems()) == 3
    assert a_check({"docker": "${A}-1", "compose": "${B}", "image": "shop/api:${C}"}).options.problems() == []


def test_by_hand_and_equal_images() -> None:
    options = a_check({"docker": "web"}).options
    assert isinstance(options, Docker)
    assert options.by_hand(None) == "docker inspect --format '{{json .State}}' web"
    several = a_check({"docker": "api", "compose": "shop", "socket": "/run/d.sock"}).options
    assert several.by_hand(None) == "docker --host unix:///run/d.sock compose --project-name shop ps --all api"
    assert same_image("nginx", "docker.io/library/nginx:latest")
    assert same_image("hub.test:5000/a", "hub.test:5000/a:latest")
    assert not same_image("nginx:1", "nginx")
    assert not same_image("a/nginx", "nginx")
