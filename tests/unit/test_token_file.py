"""The file that keeps the newest refresh tokens."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from tap_adstage.exceptions import AuthenticationError
from tap_adstage.http.token_file import TokenFile

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


def test_the_newest_token_is_read_again(path: Path) -> None:
    file = TokenFile(path, "r0")
    assert file.newest() is None
    file.keep("r1")
    file.keep("r2")
    assert TokenFile(path, "r0").newest() == "r2"


def test_a_new_grant_in_the_settings_goes_before_the_kept_token(path: Path) -> None:
    TokenFile(path, "r0").keep("r7")
    assert TokenFile(path, "granted anew").newest() is None


def test_taps_of_several_grants_may_share_a_file(path: Path) -> None:
    one, other = TokenFile(path, "r0"), TokenFile(path, "q0")
    one.keep("r1")
    other.keep("q1")
    one.keep("r2")
    assert (one.newest(), other.newest()) == ("r2", "q1")


def test_file_and_lock_are_the_user_s_alone_and_nothing_else_is_left(
    path: Path,
) -> None:
    file = TokenFile(path, "r0")
    with file.locked(1):
        file.keep("r1")
    modes = {
        file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()
    }
    assert modes == {"token.json": 0o600, "token.json.lock": 0o600}
    assert "r0" not in path.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "r7",
        "[]",
        '{"refresh_token": "r7"}',
        '{"refresh_tokens": ["r7"]}',
        b"\xff",
    ],
)
def test_a_file_of_another_kind_is_an_error_that_names_it_and_is_left_as_it_is(
    path: Path,
    text: str | bytes,
) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(content)
    file = TokenFile(path, "r0")
    with pytest.raises(
        AuthenticationError, match=r"oauth_token_file.*token\.json.*remove"
    ):
        file.newest()
    with pytest.raises(AuthenticationError, match="oauth_token_file"):
        file.keep("r8")
    assert path.read_bytes() == content


def test_a_file_that_can_t_be_read_is_not_said_to_be_in_vain(path: Path) -> None:
    path.mkdir()
    with pytest.raises(AuthenticationError) as error:
        TokenFile(path, "r0").newest()
    assert str(error.value) == (
        f"oauth_token_file: {path} can't be read (Is a directory)"
    )


def test_a_file_that_can_t_be_replaced_is_left_whole(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = TokenFile(path, "r0")
    file.keep("r1")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(AuthenticationError, match="No space left on device"):
        file.keep("r2")
    assert json.loads(path.read_text())
    assert file.newest() == "r1"
    assert [file.name for file in path.parent.iterdir()] == ["token.json"]
