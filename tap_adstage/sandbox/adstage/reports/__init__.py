"""The report endpoints of API V1 and V2: requests, their rows, and the answers.

Each version has a `request` (what is accepted, and what is refused and why) and a
`report` (the answer's JSON); all between is shared. Knows nothing of flask. May import
`world`, and of `adstage` the plain modules `hal`, `page_tokens` and `refusals`.
"""
