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
