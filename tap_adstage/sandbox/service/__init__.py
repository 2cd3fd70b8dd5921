"""What any API is served with: HTTP server, clock, tokens, faults, throttling, log.

Nothing here belongs to AdStage, and it imports nothing but itself and, in
`http_server`, the extra's werkzeug.
"""
