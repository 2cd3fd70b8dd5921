"""What a run knows of itself, whatever it reads.

`statistics` counts, `progress` and `summary` report the counts; `shutdown` ends a run
early; `redaction` and `logs` keep secrets out of what is written; `private_file` writes
files that hold some; `wording` has the words of error texts.

It may import `exceptions` alone.
"""
