"""Spotify's Ads API v3 as its OpenAPI file has it: entity lists, reports, insights.

`server.SpotifyAdsSandbox` is the API. May import `service` and the shared `world.prng`;
its own data is in `spotify_ads.world`.
"""
