"""Which cells to suppress besides those that are too small: complementary suppression.

An *alternative* is another table that fits everything published as well as the true one does. It is
held as moves: so much more here, so much less there, and no published equation notices. Where
alternatives raise and lower a suppressed number far enough, nobody can tell it. So the search
is for alternatives that touch few published cells, and what they touch is suppressed.

Each alternative is the answer of one linear program: the moves that bring the most numbers further
at the least cost. What may be paid for one number starts low and rises round by round, so that
cheap protection is found first and then helps others for nothing. Wide tables are searched from
the top: first the nation and its regions as if nothing lay below, then region by region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipelines.disclosure.linear_program import TINY, LinearProgram
from pipelines.disclosure.search_order import depths_of, groups_of, lot

FIRST_REWARD, REWARD_STEP = 4.0, 2.0  # step 4 took half the time and hid 11 per cent more
TRIES = 6  # linear programs with the same reward before it rises
DRY = 2  # programs in a row that help little, before the reward rises
WHOLE = 8_000  # variables searched at once; 6,000 took 0.1 to 0.5 s a program, 19,000 half a minute


@dataclass(frozen=True)
class Task:
    """One connected table. Arrays have one entry per variable or per row of ``remain``.

    ``hidden``: suppressed already. ``candidate``: may be suppressed, at ``cost``. All others are
    known to everybody. ``need_down``, ``need_up``: how far alternatives must move a number once it
    is suppressed; ``reach``: how far an alternative of many numbers may move one;
    ``whole``: only by whole numbers. ``difference``: the true
    value of each row of ``remain``, known numbers included; ``row_need_down``, ``row_need_up``: how
    far alternatives must move it, 0 where it is no secret. ``place``: number of the place;
    ``parents``: numbers of the places that sum up each place.
    """

    value: np.ndarray
    hidden: np.ndarray
    candidate: np.ndarray
    cost: np.ndarray
    need_down: np.ndarray
    need_up: np.ndarray
    reach: float
    whole: bool
    difference: np.ndarray
    row_need_down: np.ndarray
    row_need_up: np.ndarray
    equal: sparse.csr_matrix
    remain: sparse.csr_matrix
    place: np.ndarray
    part: np.ndarray
    parents: dict[int, tuple[int, ...]]


@dataclass(frozen=True)
class Outcome:
    """``hidden``: everything to suppress. ``open_cells``, ``open_rows``: what no pattern protects.

    ``programs``: linear programs solved.
    """

    hidden: np.ndarray
    open_cells: np.ndarray
    open_rows: np.ndarray
    programs: int


def suppress(task: Task) -> Outcome:
    """Complementary suppression of one table. The same task always has the same outcome."""
    search = _Search(task)
    search.run()
    search.drop_needless()
    return Outcome(
        hidden=search.hidden,
        open_cells=np.flatnonzero(search.open_up() | search.open_down()),
        open_rows=np.flatnonzero(search.row_open_up() | search.row_open_down()),
        programs=search.programs,
    )


class _Search:
    def __init__(self, task: Task):
        self.task = task
        self.value = task.value
        self.hidden = task.hidden.copy()
        self.equal = task.equal.tocsc().astype(float)
        self.remain = task.remain.tocsc().astype(float)
        self.difference = task.difference
        self.whole_of_row = _wholes(task.remain)
        self.alternatives: list[tuple[np.ndarray, np.ndarray]] = []
        self.programs = 0
        self.is_wide = len(self.value) > WHOLE
        self.allowed = task.candidate
        # As far as a number moves when it hides another: counts as far as they must themselves,
        # sums of days as far as those that are suppressed usually must. Were it a sum's own need,
        # the nation's, which must move by thousands, would be the cheapest way to move another.
        need = np.maximum(np.maximum(task.need_up, task.need_down), 1.0)
        asked = task.hidden & (np.maximum(task.need_up, task.need_down) > 0)
        usual = float(np.median(need[asked])) if asked.any() else 1.0
        self.step = need if task.whole else np.full(len(need), usual)
        self._forget()

    def _forget(self) -> None:
        count, rows = len(self.value), len(self.difference)
        self.up, self.down = np.zeros(count), np.zeros(count)
        self.row_up, self.row_down = np.zeros(rows), np.zeros(rows)
        self.alternatives = []

    # --- what is still open ---

    def open_up(self) -> np.ndarray:
        return self.hidden & (self.up < self.task.need_up - TINY)

    def open_down(self) -> np.ndarray:
        return self.hidden & (self.down < self.task.need_down - TINY)

    def row_open_up(self) -> np.ndarray:
        return self.row_up < self.task.row_need_up - TINY

    def row_open_down(self) -> np.ndarray:
        return self.row_down < self.task.row_need_down - TINY

    def left(self, columns: np.ndarray, rows: np.ndarray) -> int:
        """Directions not shown yet, among these variables and differences."""
        return int(
            self.open_up()[columns].sum()
            + self.open_down()[columns].sum()
            + self.row_open_up()[rows].sum()
            + self.row_open_down()[rows].sum()
        )

    # --- the search ---

    def run(self) -> None:
        everything = np.ones(len(self.value), dtype=bool)
        nothing = ~everything
        # Beyond WHOLE one program over the whole table takes half a minute: then in stages, from
        # the top.
        if not self.is_wide:
            self.sweep(everything, nothing, self.rewards())
        else:
            for movable, below in self.stages():
                self.sweep(movable, below, self.rewards())
                # What was found as if nothing lay below holds no longer once the parts below have
                # to follow.
                if below.any():
                    self._forget()
            # Without buying: what the stages hid at different places may protect more than they
            # knew.
            self.sweep(self.hidden, nothing, [0.0])
        self.finish()

    def rewards(self) -> list[float]:
        """What protecting one number may cost, round by round."""
        costs = self.task.cost[self.allowed]
        highest = 2 * costs.max(initial=1.0)
        # Doubling: the largest table took half the time, for about 1.6 per cent more suppressed
        # numbers.
        rewards = [FIRST_REWARD]
        while rewards[-1] < highest:
            rewards.append(rewards[-1] * REWARD_STEP)
        return rewards

    def stages(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Which variables move together, and which are left out as if nothing lay there."""
        depth = depths_of(set(self.task.place.tolist()), self.task.parents)
        depths = np.array([depth[place] for place in self.task.place.tolist()])
        stages = []
        for level in range(max(depth.values()) + 1):
            below = depths > level
            for group in groups_of(depth, self.task.parents, level):
                stages.append((np.isin(self.task.place, list(group)) & ~below, below))
        return stages

    def sweep(self, movable: np.ndarray, below: np.ndarray, rewards: Sequence[float]) -> None:
        """Alternatives within ``movable``; equations that reach ``below`` do not count."""
        part = _Part(self, movable, below)
        for reward in rewards:
            dry = 0
            for turn in range(TRIES if reward else 4 * TRIES):
                before = self.left(part.columns, part.rows)
                if not before:
                    return
                self.alternative(part, reward, turn)
                after = self.left(part.columns, part.rows)
                # What little is left is finished number by number.
                dry = dry + 1 if after > 0.97 * before else 0
                if dry >= DRY:
                    break

    def alternative(self, part: _Part, reward: float, turn: int) -> None:
        """One linear program: as many open numbers as possible into one direction each."""
        up = self.direction(turn) > 0
        gain = np.where(self.open_up() & up, 1.0, 0.0) - np.where(self.open_down() & ~up, 1.0, 0.0)
        wanted = np.maximum(self.task.need_up, self.task.need_down)
        gain /= np.maximum(wanted, 1.0)
        row_up = up[self.whole_of_row]
        row_gain = np.where(self.row_open_up() & row_up, 1.0, 0.0)
        row_gain -= np.where(self.row_open_down() & ~row_up, 1.0, 0.0)
        if not gain[part.columns].any() and not row_gain[part.rows].any():
            return
        moves = part.solve(gain, row_gain, reward)
        if moves is not None:
            self.take(part.columns, moves)

    def direction(self, turn: int) -> np.ndarray:
        """Up or down for each variable: by place, by part, or by both, as if by lot.

        Alike for all measures, so that a child moves with everything that counts it.
        """
        keys = (self.task.place, self.task.part, self.task.place * 1009 + self.task.part)
        sign = lot(keys[turn % 4 // 2 if turn % 4 < 3 else 2], turn // 2 + 1)
        return sign if turn % 2 == 0 else -sign

    def take(self, columns: np.ndarray, moves: np.ndarray) -> None:
        there = moves != 0
        columns, moves = columns[there], moves[there]
        if len(columns):
            self.hidden[columns] = True
            self.alternatives.append((columns, moves))
            self.add_secondary(columns, moves)

    def add_secondary(self, columns: np.ndarray, moves: np.ndarray) -> None:
        """Note how far an alternative brings every number; its reverse too, if that is one."""
        rows = self.remain[:, columns] @ moves
        self._note(columns, moves, rows)
        if (self.value[columns] >= moves - TINY).all() and (self.difference >= rows - TINY).all():
            # Moves backwards are an alternative too, unless a count would fall below zero.
            self._note(columns, -moves, -rows)

    def _note(self, columns: np.ndarray, moves: np.ndarray, rows: np.ndarray) -> None:
        self.up[columns] = np.maximum(self.up[columns], moves)
        self.down[columns] = np.maximum(self.down[columns], -moves)
        self.row_up = np.maximum(self.row_up, rows)
        self.row_down = np.maximum(self.row_down, -rows)

    # --- what is a difference ---

    def finish(self) -> None:
        """Each number that is still open by itself, whatever it costs: first where it lies."""
        nothing = np.zeros(len(self.value), dtype=bool)
        tried: set[tuple[str, int, int]] = set()
        parts: dict[int, list[_Part]] = {}
        while (target := self._next_open(tried)) is not None:
            tried.add(target)
            kind, number, _ = target
            place = int(self.task.place[number if kind == "cell" else self.whole_of_row[number]])
            if place not in parts:
                near = [_Part(self, self.around(place) | self.hidden, nothing)] * self.is_wide
                parts[place] = [*near, _Part(self, ~nothing, nothing)]
            for part in parts[place]:
                moves = part.reach_for(*target)
                if moves is not None:
                    self.take(part.columns, moves)
                    break

    def around(self, place: int) -> np.ndarray:
        """Variables of the places that are searched together with one place."""
        depth = depths_of(set(self.task.place.tolist()), self.task.parents)
        for group in groups_of(depth, self.task.parents, depth[place]):
            if place in group:
                return np.isin(self.task.place, list(group))
        return self.task.place == place

    def _next_open(self, tried: set) -> tuple[str, int, int] | None:
        for kind, sign, open_ones in (
            ("cell", 1, self.open_up()),
            ("cell", -1, self.open_down()),
            ("row", 1, self.row_open_up()),
            ("row", -1, self.row_open_down()),
        ):
            for number in np.flatnonzero(open_ones).tolist():
                if (kind, number, sign) not in tried:
                    return (kind, number, sign)
        return None

    # --- nothing in vain ---

    def drop_needless(self) -> None:
        """Publish again what no needed alternative touches."""
        kept = self._needed_alternatives()
        hidden = self.task.hidden.copy()
        for columns, _ in kept:
            hidden[columns] = True
        self.hidden = hidden
        self._forget()
        for columns, moves in kept:
            self.alternatives.append((columns, moves))
            self.add_secondary(columns, moves)

    def _needed_alternatives(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Alternatives, the dearest left out first, without those whose work others do as well."""
        alternatives = self.alternatives
        shown = [self._shown(*alternative) for alternative in alternatives]
        times = np.zeros(2 * (len(self.value) + len(self.difference)), dtype=int)
        for work in shown:
            times[work] += 1
        bought = [
            self.task.cost[columns[~self.task.hidden[columns]]].sum() for columns, _ in alternatives
        ]
        # The dearest first, ties by the order they were found in: the same task, the same outcome.
        # A release has to come out the same when it is made again.
        order = sorted(range(len(alternatives)), key=lambda n: (-bought[n], n))
        keep = np.ones(len(alternatives), dtype=bool)
        for n in order:
            # Every direction it shows is shown by another one as well.
            if (times[shown[n]] > 1).all():
                keep[n] = False
                times[shown[n]] -= 1
        return [alternative for n, alternative in enumerate(alternatives) if keep[n]]

    def _shown(self, columns: np.ndarray, moves: np.ndarray) -> np.ndarray:
        """Numbers of the (number, direction) pairs that an alternative alone suffices for."""
        count = len(self.value)
        up, down = np.zeros(count), np.zeros(count)
        row = self.remain[:, columns] @ moves
        up[columns], down[columns] = np.maximum(moves, 0), np.maximum(-moves, 0)
        row_up, row_down = np.maximum(row, 0), np.maximum(-row, 0)
        if (self.value[columns] >= moves - TINY).all() and (self.difference >= row - TINY).all():
            up, down = np.maximum(up, down), np.maximum(up, down)
            row_up = row_down = np.maximum(row_up, row_down)
        task = self.task
        return np.flatnonzero(
            np.concatenate(
                [
                    (up >= task.need_up - TINY) & (task.need_up > 0),
                    (down >= task.need_down - TINY) & (task.need_down > 0),
                    (row_up >= task.row_need_up - TINY) & (task.row_need_up > 0),
                    (row_down >= task.row_need_down - TINY) & (task.row_need_down > 0),
                ]
            )
        )


class _Part:
    """The linear programs over some variables, everything else standing still."""

    def __init__(self, search: _Search, movable: np.ndarray, below: np.ndarray):
        self.search = search
        task = search.task
        self.columns = np.flatnonzero(movable & (search.hidden | search.allowed))
        equal, remain = (
            search.equal[:, self.columns].tocsr(),
            search.remain[:, self.columns].tocsr(),
        )
        counts = np.diff(equal.indptr) > 0
        row_counts = np.diff(remain.indptr) > 0
        if below.any():
            counts &= ~_touches(task.equal, below)
            row_counts &= ~_touches(task.remain, below)
        self.rows = np.flatnonzero(row_counts)
        self.exact = int(counts.sum())
        self.matrix = sparse.vstack([equal[counts], remain[self.rows]], format="csc")

    def solve(self, gain: np.ndarray, row_gain: np.ndarray, reward: float) -> np.ndarray | None:
        """Moves of the part's variables; what is not hidden stands still without a reward."""
        search, columns = self.search, self.columns
        worth = gain[columns] + self.matrix[self.exact :].T @ row_gain[self.rows]
        need = np.maximum(search.task.need_up, search.task.need_down)[columns]
        reach = np.where(search.task.reach > 8, search.task.reach, np.maximum(need, 1.0))
        return self._program(worth * (reward or 1.0), reach, bool(reward))

    def reach_for(self, kind: str, number: int, sign: int) -> np.ndarray | None:
        """The cheapest moves that bring one number or difference as far as it must go."""
        search, task = self.search, self.search.task
        wide = 4 * max(task.need_up.max(initial=1), task.row_need_up.max(initial=1), 1)
        reach = np.full(len(self.columns), wide)
        goal = np.zeros(len(self.columns))
        if kind == "cell":
            goal[np.searchsorted(self.columns, number)] = 1
            need = task.need_up[number] if sign > 0 else task.need_down[number]
        else:
            goal = search.remain[number, self.columns].toarray().ravel()
            need = task.row_need_up[number] if sign > 0 else task.row_need_down[number]
        return self._program(np.zeros(len(self.columns)), reach, True, (goal, sign * need))

    def _program(
        self,
        worth: np.ndarray,
        reach: np.ndarray,
        may_buy: bool,
        goal: tuple[np.ndarray, float] | None = None,
    ) -> np.ndarray | None:
        search, task, columns = self.search, self.search.task, self.columns
        free = search.hidden[columns]
        kept = np.flatnonzero(free | may_buy)
        # The price is for moving at all, up or down. An absolute value is not linear, so what is
        # not suppressed yet has two columns, one for each direction, both of them priced.
        bought = np.flatnonzero(~free[kept])  # among the kept: a second column moves them down
        price = np.where(free, 0.0, task.cost[columns] / search.step[columns])[kept]
        lower = -np.minimum(search.value[columns], reach)[kept]
        # A difference may shrink to zero but, where it is a secret, need not grow without limit.
        limit = np.where(task.row_need_up[self.rows] > 0, reach.max(initial=1.0), np.inf)
        row_low = -np.minimum(search.difference[self.rows], limit)
        matrix = self.matrix[:, kept]
        matrix = sparse.hstack([matrix, -matrix[:, bought]], format="csc")
        low = np.concatenate([np.zeros(self.exact), row_low])
        high = np.concatenate([np.zeros(self.exact), limit])
        if goal is not None:
            wanted, by = goal
            extra = sparse.csr_matrix(np.concatenate([wanted[kept], -wanted[kept][bought]]))
            matrix = sparse.vstack([matrix, extra], format="csc")
            low = np.append(low, by if by > 0 else -np.inf)
            high = np.append(high, np.inf if by > 0 else by)
        worth = worth[kept]
        program = LinearProgram(
            cost=np.concatenate([price - worth, price[bought] + worth[bought]]),
            matrix=matrix,
            low=low,
            high=high,
            lower=np.concatenate([np.where(free[kept], lower, 0.0), np.zeros(len(bought))]),
            upper=np.concatenate([reach[kept], -lower[bought]]),
        )
        solution = program.solve(task.whole, must=goal is not None)
        search.programs += program.solved
        if solution is None:
            return None
        moves = np.zeros(len(columns))
        moves[kept] = solution[: len(kept)]
        moves[kept[bought]] -= solution[len(kept) :]
        return np.where(np.abs(moves) < TINY, 0.0, moves)


def _touches(matrix: sparse.csr_matrix, chosen: np.ndarray) -> np.ndarray:
    return abs(matrix) @ chosen.astype(float) > 0


def _wholes(remain: sparse.csr_matrix) -> np.ndarray:
    """The variable of which each row is a difference: the first that is added."""
    entries = remain.tocoo()
    plus = entries.data > 0
    wholes = np.zeros(remain.shape[0], dtype=np.int64)
    wholes[entries.row[plus][::-1]] = entries.col[plus][::-1]
    return wholes
