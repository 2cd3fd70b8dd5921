"""AdStage, a source: all that only AdStage has.

`source` is the way in: what `tap_adstage.source` asks of a source. `client` sends,
`hal` and `pagination` follow links, `directory` looks up what belongs to the user, and
`accounts` the accounts that a report reads. `resources` are the resource streams.
A report is `report`: `report_columns` and `fields` decide its columns,
`report_query`, `v1` and `v2` what is requested and read; `report_reader` and
`window_pages` fetch it. `import_status` and `import_policy` decide what follows from
unfinished imports, `lookups` which names in the settings AdStage lacks, `set_up` what
`--test` tries.

Imports from the tap: `source`, `listing`, `reports`, `http`, `config`, `date_ranges`,
`runtime`, `exceptions`; and the sandbox, if it is switched on.
"""
