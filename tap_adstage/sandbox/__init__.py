"""A local AdStage API over generated data, to try the tap and to test pipelines.

`server.Sandbox` is the API; `python -m tap_adstage.sandbox` is the command. Imports run
down: `cli` → `server` → `adstage` → `service`, `world`. Of the rest of the tap only
`date_ranges` and `config.entity_ids` may be imported, so that a mistake in the tap's
client can't be repeated here. The extra `tap-adstage[sandbox]` is needed for
`server` and below, which the command and the tap import once they serve.
"""
