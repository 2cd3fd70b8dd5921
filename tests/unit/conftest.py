"""What a test of this folder must not do: it would be slow, or depend on others."""

from __future__ import annotations

import os
import socket
import subprocess
from typing import NoReturn

import pytest
from hypothesis import settings

# No test depends on the clock, and a machine may be busy.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def no_sockets_and_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise an error if a test opens a socket or starts a process."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError(
            "A unit test opens no socket and starts no process: move it to tests/wire"
        )

    monkeypatch.setattr(socket.socket, "__init__", refuse)
    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system"):
        monkeypatch.setattr(os, name, refuse)
