"""Local APIs over generated data, to try the tap and to test pipelines.

`server.Sandbox` is AdStage's, `spotify_ads.server.SpotifyAdsSandbox` Spotify's;
`python -m tap_adstage.sandbox` is the command. Imports run down: `cli` → `server` →
`adstage` → `service`, `world`, and `cli` → `spotify_ads` → `service`, `world`. Of the
rest of the tap only `date_ranges` and `config.entity_ids` may be imported, so that a
mistake in the tap's client can't be repeated here. The extra `tap-adstage[sandbox]` is
needed for the servers and below, which the command and the tap import once they serve.
"""
