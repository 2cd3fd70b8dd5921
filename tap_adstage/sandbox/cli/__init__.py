"""The command `tap-adstage-sandbox`: its options, the demo, a throw-away Postgres.

May import everything in the sandbox; what needs an extra is imported once it is used.
"""
