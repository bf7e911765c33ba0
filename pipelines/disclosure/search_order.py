"""In which direction a search for alternatives looks first."""

from __future__ import annotations

import numpy as np


def lot(keys: np.ndarray, turn: int) -> np.ndarray:
    """1 or -1 for each key, as if by lot but always the same, on any machine."""
    # SplitMix64 rather than numpy's generator, whose stream may change between versions: a release
    # made again years later has to suppress the same numbers.
    start = turn * 0x9E3779B97F4A7C15 % 2**64
    mixed = keys.astype(np.uint64) + np.uint64(start)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.where((mixed ^ (mixed >> np.uint64(31))) & np.uint64(1), 1.0, -1.0)
