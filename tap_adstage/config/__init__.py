"""All that the user hands in: typed, or what is wrong with it, all at once.

`settings`, `report_defaults` and `reports` declare each setting once, in the words of
`adstage` and the forms of `texts`; `declarations` makes all else of that. `parsing` is
the way in: it checks (`setting_checks`, `report_checks`) and types.
`environment` and `inputs` check what comes besides the config: variables, `--state`,
`--catalog`.

Imports from the tap: `runtime`, `date_ranges` and `exceptions`.
"""
