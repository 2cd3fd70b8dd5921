"""Singer streams: the only place that knows the SDK's `Stream`, and overrides it.

`report_stream` and `resource_stream` make streams of what a source gives, over `base`;
`failed_stream` makes one of a report that the source refused.
`page_stream` writes a page at a time, with `record_encoder`; `message_writer` writes
whole lines to stdout, `batch_files` the files that BATCH messages name. `names` and
`unread` check a run before its first message.

Imports from the tap: `source`, `reports`, `http`, `date_ranges`, `runtime`,
`exceptions`. No source by name.
"""
