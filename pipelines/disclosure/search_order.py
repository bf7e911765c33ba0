"""Which places a search for alternatives takes together, and in which direction it looks first."""

from __future__ import annotations

import numpy as np

CHUNK = 6  # places of one parent searched together


def lot(keys: np.ndarray, turn: int) -> np.ndarray:
    """1 or -1 for each key, as if by lot but always the same, on any machine."""
    # SplitMix64 rather than numpy's generator, whose stream may change between versions: a release
    # made again years later has to suppress the same numbers.
    start = turn * 0x9E3779B97F4A7C15 % 2**64
    mixed = keys.astype(np.uint64) + np.uint64(start)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.where((mixed ^ (mixed >> np.uint64(31))) & np.uint64(1), 1.0, -1.0)


def depths_of(places: set[int], parents: dict[int, tuple[int, ...]]) -> dict[int, int]:
    """Levels from the top: 0 for a place that nothing sums up."""
    depths: dict[int, int] = {}

    def depth(place: int) -> int:
        if place not in depths:
            above = [parent for parent in parents.get(place, ()) if parent in places]
            depths[place] = 1 + max((depth(parent) for parent in above), default=-1)
        return depths[place]

    for place in sorted(places):
        depth(place)
    return depths


def groups_of(
    depth: dict[int, int], parents: dict[int, tuple[int, ...]], level: int
) -> list[set[int]]:
    """Places of one level in groups of one parent, each with everything above them."""
    by_parent: dict[tuple[int, ...], list[int]] = {}
    for place in sorted(depth):
        if depth[place] == level:
            above = tuple(sorted(p for p in parents.get(place, ()) if p in depth))
            by_parent.setdefault(above, []).append(place)
    groups = []
    for _, places in sorted(by_parent.items()):
        for start in range(0, len(places), CHUNK):
            # The last group reaches back to its full size: among few places little can be moved.
            group = set(places[max(0, min(start, len(places) - CHUNK)) : start + CHUNK])
            waiting = sorted(group)
            while waiting:
                for parent in parents.get(waiting.pop(), ()):
                    if parent in depth and parent not in group:
                        group.add(parent)
                        waiting.append(parent)
            groups.append(group)
    return groups
