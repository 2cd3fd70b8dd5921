"""All that the user hands in: typed, or what is wrong with it, all at once.

`settings`, `report_defaults` and `reports` declare each setting that every source has,
in the forms of `texts`. `adstage_settings` and `spotify_ads_settings` add what only
one source has, in the words of `adstage` and `spotify_ads`, and give bounds and
defaults that depend on the source. `declarations` makes all else of that, and
`source_settings` one schema. `parsing` is the way in: it checks (`setting_checks`,
`report_checks`, `adstage_checks`, `spotify_ads_checks`) and types.
`environment` and `inputs` check what comes besides the config: variables, `--state`,
`--catalog`.

Imports from the tap: `runtime`, `date_ranges` and `exceptions`.
"""
