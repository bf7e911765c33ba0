"""Chance that gives the same answers on every machine and every Python.

Only ``random.Random.random()`` with a text seed is promised to stay the same between versions of
Python, so everything here is built on that one call, and only with + − × ÷.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """A stream of draws named by ``key``; the same key always gives the same stream."""

    def __init__(self, *key: object) -> None:
        # A stream for each key, so that one draw more in one authority changes no other's children.
        self._next = random.Random("adoption sample 1|" + "|".join(map(str, key))).random

    def share(self) -> float:
        """0 ≤ x < 1."""
        return self._next()

    def between(self, lowest: int, highest: int) -> int:
        """A whole number, both ends included; ``lowest`` where the range is empty."""
        return lowest + int(self._next() * max(1, highest - lowest + 1))

    def happens(self, percent: float) -> bool:
        return self._next() * 100 < percent

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._next() * len(options))]

    def weighted(self, options: Sequence[tuple[T, float]]) -> T:
        mark = self._next() * sum(weight for _, weight in options)
        for option, weight in options:
            mark -= weight
            if mark < 0:
                return option
        return options[-1][0]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        mixed = list(items)
        for place in range(len(mixed) - 1, 0, -1):
            other = self.between(0, place)
            mixed[place], mixed[other] = mixed[other], mixed[place]
        return mixed

    def day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.between(0, (last - first).days))


def spread(total: int, weights: dict[str, float], fixed: dict[str, int]) -> dict[str, int]:
    """``total`` shared out by largest remainder; ``fixed`` shares are taken out first.

    Returns whole numbers that sum to ``total``, by the keys of ``weights``.
    """
    shares = {key: fixed[key] for key in weights if key in fixed}
    rest = total - sum(shares.values())
    if rest < 0:
        raise ValueError(f"fixed shares exceed the total of {total}")
    open_weights = {key: weight for key, weight in weights.items() if key not in shares}
    whole = sum(open_weights.values())
    if not open_weights:
        if rest:
            raise ValueError(f"fixed shares leave {rest} of {total} unplaced")
        return shares
    exact = {key: rest * weight / whole for key, weight in open_weights.items()}
    shares |= {key: int(value) for key, value in exact.items()}
    left = total - sum(shares.values())
    # The key breaks ties, else the order of a dictionary would decide where a child lives.
    by_remainder = sorted(exact, key=lambda key: (int(exact[key]) - exact[key], key))
    for key in by_remainder[:left]:
        shares[key] += 1
    return {key: shares[key] for key in weights}
