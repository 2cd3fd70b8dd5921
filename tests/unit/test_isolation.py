"""Unit tests are kept from what makes tests slow."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSED = "move it to tests/wire"


@pytest.mark.parametrize(
    "act",
    [
        lambda: socket.create_server(("127.0.0.1", 0)),
        lambda: urllib.request.urlopen("http://127.0.0.1:9"),
        lambda: subprocess.run(["true"], check=True),  # noqa: S607
        lambda: os.system("true"),  # noqa: S605, S607
        lambda: multiprocessing.get_context("fork").Process().start(),
    ],
)
def test_a_unit_test_can_open_no_socket_and_start_no_process(
    act: Callable[[], object],
) -> None:
    with pytest.raises(AssertionError, match=REFUSED):
        act()
