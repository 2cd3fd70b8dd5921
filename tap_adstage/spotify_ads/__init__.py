"""Spotify Ads, a source: all that only Spotify has.

`source` is the way in: what `tap_adstage.source` asks of a source. `client` sends, and
reads lists page by page. `accounts` finds the ad accounts, `entities` what is in them;
`resources` are the resource streams. `set_up` is what `--test` tries.

`report` is a report, and `report_columns` decides its columns. `report_reader` reads a
window, an account and a batch of `batches` after the other. `aggregates` and `insights`
are the two kinds of requests; `report_page` and `metrics` read their pages.

Imports from the tap: `source`, `listing`, `reports`, `http`, `config`, `date_ranges`,
`runtime`, `exceptions`; and the sandbox, if it is switched on.
"""
