"""Documents that are fetched ahead: one takes as long, however many there are."""

from __future__ import annotations

import time

from tap_adstage.reports.fetch_ahead import FetchAhead
from tap_adstage.runtime.shutdown import Shutdown


def test_thousands_of_documents_take_no_longer_each() -> None:
    urls = [f"https://localhost/account_groups/{n}/list" for n in range(2000)]
    documents = FetchAhead(str, Shutdown(), 4)
    documents.schedule(urls)
    started = time.process_time()
    assert [documents.read(url) for url in urls] == urls
    assert time.process_time() - started < 10


def test_what_is_read_after_a_document_is_fetched_ahead_and_once() -> None:
    fetched: list[str] = []

    def fetch(name: str) -> str:
        fetched.append(name)
        return name

    def later(name: str, document: str) -> list[str]:
        assert document == name
        return [] if "." in name else [f"{name}.{part}" for part in range(20)]

    firsts = [f"list{number}" for number in range(10)]
    documents = FetchAhead(fetch, Shutdown(), 4, later=later)
    documents.schedule(firsts)
    for first in firsts:
        for name in (first, *later(first, first)):
            assert documents.read(name) == name
    assert len(fetched) == len({*fetched}) == 210
    assert fetched.index("list1") < fetched.index("list0.19")
