"""What any API is served with: HTTP server, clock, tokens, faults, throttling, log.

`local_api.LocalApi` is the server that each API's sandbox is. Nothing here belongs to
one API, and it imports nothing but itself and the extra's werkzeug and flask, in
`http_server` and `wsgi`.
"""
