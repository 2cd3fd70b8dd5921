"""AdStage's API as its documentation has it: resources, lists, descriptors, reports.

`app` makes a WSGI application of it, with the extra's flask. May import `service` and
`world`.
"""
