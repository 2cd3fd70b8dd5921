"""A local AdStage API over generated data, to try the tap and to test pipelines.

`tap_adstage.sandbox.server.Sandbox` is the API. Its libraries come with the extra
`tap-adstage[sandbox]`, so this package imports none of them before they are needed.
"""
