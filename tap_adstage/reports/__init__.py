"""Reports of any source: which days, in which order, each row once.

`windows` decides the days of a run, `window_queue` splits what is too large, and
`prefetch` fetches ahead. `report_run` reads them: a source gives `rows` and `columns`,
`duplicates` drops repeated rows, `control_totals` and `reconcile` compare. `bookmark`
is where the next run resumes; `run_plan` and `catch_up` decide what it reads.

Imports from the tap: `config`, `date_ranges`, `runtime`, `exceptions`. No SDK, no HTTP,
no source by name.
"""
