"""The generated data: accounts and all that is in them, with metrics for every day.

The same seed gives the same data on every machine. Pure: nothing here knows HTTP, JSON
or the wording of any API, and it imports nothing but itself.
"""
