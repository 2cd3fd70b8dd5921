"""Deterministic pseudo-random numbers from integers, the same on every machine."""

from __future__ import annotations

_MASK = (1 << 64) - 1


def mix(first: int, second: int) -> int:
    """Return 64 evenly distributed bits that depend on both numbers alone."""
    bits = (first + second * 0x9E3779B97F4A7C15) & _MASK
    bits = ((bits ^ (bits >> 29)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 32)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 29)


def between(first: int, second: int, low: int, high: int) -> int:
    """Return a number from `low` to `high`, both inclusive."""
    return low + mix(first, second) % (high - low + 1)


def pick(first: int, second: int, choices: tuple[str, ...]) -> str:
    """Return one of the choices."""
    return choices[mix(first, second) % len(choices)]
