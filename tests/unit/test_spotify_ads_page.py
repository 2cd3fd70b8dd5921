"""Where a page of Spotify's leads, before its rows are read."""

from __future__ import annotations

import pytest

from tap_adstage.spotify_ads.report_page import next_token


@pytest.mark.parametrize(
    ("page", "token"),
    [
        ('{"rows": [{"n": 1e400}], "continuation_token": "a="}', "a="),
        ('{"continuation_token": "", "rows": []}', None),
        ('{"continuation_token": null}', None),
        ("{}", None),
        ('\ufeff{"continuation_token": "Erdő"}', "Erdő"),
        (r'{"name": "\ud83d", "continuation_token": "a"}', "a"),
    ],
)
def test_a_page_leads_to_the_one_of_its_token(page: str, token: str | None) -> None:
    assert next_token(page.encode()) == token


@pytest.mark.parametrize("page", ["[]", "5", '{"continuation_token": 5}'])
def test_what_is_not_such_a_page_leads_nowhere(page: str) -> None:
    assert next_token(page.encode()) is None


@pytest.mark.parametrize("page", [b"", b'{"rows": [', b'{"a": "\xff"}', b"<html>"])
def test_what_is_not_json_may_pass(page: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        next_token(page)
