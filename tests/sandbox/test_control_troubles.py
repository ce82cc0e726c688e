"""What cannot be done with a sandbox, and what is said then."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from runbook.sandbox import control
from runbook.sandbox.trouble import SandboxTrouble
from tests.sandbox.conftest import SHIPPED, Practice, wait_for_end


def test_a_wanted_port_is_used_and_a_taken_one_is_told(tmp_path: Path) -> None:
    practice = Practice(tmp_path / "box")
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(SandboxTrouble, match=f"port {port} is taken") as trouble:
            practice.up(port=port)
        assert trouble.value.hint
    try:
        practice.up(port=port)
        assert practice.port() == port
    finally:
        practice.end()


def test_a_kept_port_that_was_taken_meanwhile_is_given_up_by_up_and_not_by_restart(practice: Practice) -> None:
    port = practice.port()
    practice.kill()
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(SandboxTrouble, match="is taken"):
            control.restart(practice.folder)
        practice.up()
    assert practice.port() != port
    assert practice.ask("/health").status == 200


@pytest.mark.parametrize(
    ("written", "told"),
    [("MAX_HOPS=many\n", "MAX_HOPS is 'many'"), ("ENABLE_MULTI_HOP=maybe\n", "neither true nor false")],
)
def test_a_flag_that_the_service_cannot_read_keeps_it_down(practice: Practice, written: str, told: str) -> None:
    kept = practice.env_file.read_text()
    practice.env_file.write_text(written)
    with pytest.raises(SandboxTrouble, match=told):
        control.restart(practice.folder)
    state = control.status(practice.folder)
    assert state is not None
    assert not state.alive
    practice.env_file.write_text(kept)
    control.restart(practice.folder)
    assert practice.ask("/health").status == 200


def test_a_missing_env_file_and_definition_are_told(practice: Practice, tmp_path: Path) -> None:
    with pytest.raises(SandboxTrouble, match="there is no practice service"):
        control.up(tmp_path / "nothing.yaml", tmp_path / "box", tmp_path / ".env")
    practice.env_file.unlink()
    with pytest.raises(SandboxTrouble, match="there is no env file"):
        control.restart(practice.folder)


def test_what_never_was_up_is_no_state(tmp_path: Path) -> None:
    assert control.status(tmp_path / "box") is None
    assert control.down(tmp_path / "box") is False
    for ask in (
        lambda: control.restart(tmp_path / "box"),
        lambda: control.set_fault(tmp_path / "box", "down"),
        lambda: control.environment(SHIPPED, tmp_path / "box"),
    ):
        with pytest.raises(SandboxTrouble, match="no sandbox is up"):
            ask()


def test_a_damaged_record_is_told(practice: Practice) -> None:
    pid = practice.state()["pid"]
    record = practice.folder / "running.json"
    kept = record.read_text()
    for damage in ("{", "[]", '{"pid": 1}', "\x00"):
        record.write_text(damage)
        with pytest.raises(SandboxTrouble, match="cannot be read"):
            control.status(practice.folder)
    record.write_text(kept)
    os.kill(pid, signal.SIGKILL)
    wait_for_end(practice.folder)
