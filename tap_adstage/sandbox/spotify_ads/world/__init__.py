"""The generated data: businesses, ad accounts, campaigns, ad sets, ads, their metrics.

The same seed gives the same data on every machine. Pure: nothing here knows HTTP, and
it imports nothing but itself and the sandbox's `world.prng`.
"""
