"""HTTP for any API: requests are authorized, sent and retried, and answers decoded.

`transport` sends, `retries` decides what is tried again; `credentials`, `oauth` and
`token_file` authorize; `json_decoding` and `json_values` read what comes back.

It may import `runtime`, `exceptions`, and types of `config`. It knows no API by name.
"""
