"""Which cells to suppress besides those that are too small: complementary suppression.

An *alternative* is another table that fits everything published as well as the true one does. It is
held as moves: so much more here, so much less there, and no published equation notices. Where
alternatives raise and lower a suppressed number far enough, nobody can tell it. So the search
is for alternatives that touch few published cells, and what they touch is suppressed.

Each alternative is the answer of one linear program: the moves that bring the most numbers further
at the least cost. What may be paid for one number starts low and rises round by round, so that
cheap protection is found first and then helps others for nothing. An *attacker* who sends returns
knows its own numbers, so against it only alternatives count that leave them as they are. At the
end each cell that was suppressed for others is shown again if the others stay protected without it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipelines.disclosure.linear_program import TINY, LinearProgram
from pipelines.disclosure.search_order import lot

FIRST_REWARD, REWARD_STEP = 4.0, 2.0  # step 4 took half the time and hid 11 per cent more
TRIES = 6  # linear programs with the same reward before it rises
DRY = 2  # programs in a row that help little, before the reward rises
GIVE = 300  # programs for giving back: 2,100 gave 14 cells of 589 back, and took 19 s
NEAR = 250  # variables around a number, moved for it alone; all of 2,700 took 20 times as long


@dataclass(frozen=True)
class Task:
    """One connected table. Arrays have one entry per variable or per row of ``remain``.

    ``hidden``: suppressed already. ``candidate``: may be suppressed, at ``cost``. All others are
    known to everybody. ``need_down``, ``need_up``: how far alternatives must move a number once it
    is suppressed; ``reach``: how far an alternative of many numbers may move one;
    ``whole``: only by whole numbers. ``difference``: the true
    value of each row of ``remain``, known numbers included; ``row_need_down``, ``row_need_up``: how
    far alternatives must move it, 0 where it is no secret. ``place``: number of the place.
    ``attackers``: places whose numbers somebody knows, one array for each who does; strangers, who
    know none, are always reckoned with.
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
    attackers: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """``hidden``: everything to suppress. ``open_cells``, ``open_rows``: what no pattern protects.

    ``given_back``: cells shown again at the end. ``programs``: linear programs solved.
    """

    hidden: np.ndarray
    open_cells: np.ndarray
    open_rows: np.ndarray
    given_back: int
    programs: int


def suppress(task: Task) -> Outcome:
    """Complementary suppression of one table. The same task always has the same outcome."""
    search = _Search(task)
    search.run()
    search.drop_needless()
    given_back = search.give_back()
    cells, rows = search.open_numbers()
    return Outcome(search.hidden, cells, rows, given_back, search.programs)


@dataclass(frozen=True, eq=False)
class _Alternative:
    """``moves`` of ``columns``; ``shows``: positions of what it alone suffices to show."""

    columns: np.ndarray
    moves: np.ndarray
    shows: np.ndarray


@dataclass(frozen=True)
class _Target:
    """One number (``cell``) or difference (``row``) to be moved, up or down, before an attacker."""

    attacker: int
    kind: str
    number: int
    sign: int


class _Search:
    """The search. What has to be shown is a row of flags for each attacker, strangers first:
    each number up, each number down, each difference up, each difference down."""

    def __init__(self, task: Task):
        self.task = task
        self.value = task.value
        self.hidden = task.hidden.copy()
        self.equal = task.equal.tocsc().astype(float)
        self.remain = task.remain.tocsc().astype(float)
        self.links = abs(sparse.vstack([task.equal, task.remain], format="csr")).astype(float)
        self.links_by_column = self.links.tocsc()
        self.difference = task.difference
        self.whole_of_row = _wholes(task.remain)
        self.programs = 0
        self.allowed = task.candidate
        # As far as a number moves when it hides another: counts as far as they must themselves,
        # sums of days as far as those that are suppressed usually must. Were it a sum's own need,
        # the nation's, which must move by thousands, would be the cheapest way to move another.
        need = np.maximum(np.maximum(task.need_up, task.need_down), 1.0)
        asked = task.hidden & (np.maximum(task.need_up, task.need_down) > 0)
        usual = float(np.median(need[asked])) if asked.any() else 1.0
        self.step = need if task.whole else np.full(len(need), usual)
        self.alternatives: list[_Alternative] = []
        # Attackers who know nothing in this table are strangers here.
        knows = [np.zeros(len(self.value), dtype=bool)]
        for places in task.attackers:
            own = np.isin(task.place, places)
            if own.any():
                knows.append(own)
        self.knows = np.array(knows)
        row_known = (
            self.knows[:, self.whole_of_row]
            if len(self.difference)
            else np.zeros((len(knows), 0), dtype=bool)
        )
        needs = np.concatenate([task.need_up, task.need_down, task.row_need_up, task.row_need_down])
        self.need = needs
        # Nobody has to be kept from what is their own.
        known = np.hstack([self.knows, self.knows, row_known, row_known])
        self.asked = (needs > 0) & ~known
        self.times = np.zeros(self.asked.shape, dtype=int)

    # --- what is still open ---

    def open(self) -> np.ndarray:
        """What no alternative shows yet, among what is suppressed."""
        always = np.ones(2 * len(self.difference), dtype=bool)
        return self.asked & (self.times == 0) & np.concatenate([self.hidden, self.hidden, always])

    def open_numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers, and differences, that somebody can still tell."""
        left, count = np.asarray(self.open().any(axis=0)), len(self.value)
        rows = left[2 * count :]
        half = len(self.difference)
        return (
            np.flatnonzero(left[:count] | left[count : 2 * count]),
            np.flatnonzero(rows[:half] | rows[half:]),
        )

    def _targets(self, is_open: np.ndarray) -> list[_Target]:
        count, rows = len(self.value), len(self.difference)
        found = []
        for attacker, position in zip(*np.nonzero(is_open), strict=True):
            kind, number = ("cell", position) if position < 2 * count else ("row", position)
            number = int(number) - (2 * count if kind == "row" else 0)
            size = count if kind == "cell" else rows
            found.append(_Target(int(attacker), kind, number % size, 1 if number < size else -1))
        return found

    def position(self, target: _Target) -> tuple[int, int]:
        """Where a target stands among the flags."""
        count, rows = len(self.value), len(self.difference)
        start, size = (0, count) if target.kind == "cell" else (2 * count, rows)
        return target.attacker, start + (0 if target.sign > 0 else size) + target.number

    # --- the search ---

    def run(self) -> None:
        """Alternatives of many numbers first, against strangers; then one by one what is left."""
        part = _Part(self, np.ones(len(self.value), dtype=bool))
        for reward in self.rewards():
            dry = 0
            for turn in range(TRIES):
                before = int(self.open()[0].sum())
                if not before:
                    break
                self.alternative(part, reward, turn)
                # What little is left is finished number by number.
                dry = dry + 1 if self.open()[0].sum() > 0.97 * before else 0
                if dry >= DRY:
                    break
        self.finish(part)

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

    def alternative(self, part: _Part, reward: float, turn: int) -> None:
        """One linear program: as many open numbers as possible into one direction each."""
        up = self.direction(turn) > 0
        count, rows = len(self.value), len(self.difference)
        is_open = self.open()[0].astype(float)
        gain = np.where(up, is_open[:count], -is_open[count : 2 * count])
        gain /= np.maximum(np.maximum(self.task.need_up, self.task.need_down), 1.0)
        row_gain = np.where(
            up[self.whole_of_row],
            is_open[2 * count : 2 * count + rows],
            -is_open[2 * count + rows :],
        )
        if not gain[part.columns].any() and not row_gain.any():
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
        """Suppress what an alternative touches, and note what it shows.

        Moves that share no equation are alternatives of their own: each touches fewer numbers, so
        it counts before more attackers.
        """
        there = moves != 0
        columns, moves = columns[there], moves[there]
        if not len(columns):
            return
        self.hidden[columns] = True
        links = self.links_by_column[:, columns]
        count, of = sparse.csgraph.connected_components(links.T @ links, directed=False)
        for number in range(count):
            mine = of == number
            shown = self._shown(columns[mine], moves[mine])
            self._note(_Alternative(columns[mine], moves[mine], shown))

    def _note(self, alternative: _Alternative) -> None:
        self.alternatives.append(alternative)
        self.times.ravel()[alternative.shows] += 1

    def _forget(self, alternative: _Alternative) -> None:
        self.alternatives.remove(alternative)
        self.times.ravel()[alternative.shows] -= 1

    def _shown(self, columns: np.ndarray, moves: np.ndarray) -> np.ndarray:
        """Positions of what an alternative shows, before everybody whose numbers it leaves alone;
        its reverse too, unless a count would fall below zero."""
        count = len(self.value)
        moved = np.zeros(count)
        moved[columns] = moves
        row = self.remain[:, columns] @ moves
        ways = np.concatenate([moved, -moved, row, -row])
        if (self.value[columns] >= moves - TINY).all() and (self.difference >= row - TINY).all():
            ways = np.abs(ways)
        blind = ~np.asarray(self.knows[:, columns].any(axis=1))
        enough = (ways >= self.need - TINY) & self.asked & blind[:, None]
        return np.flatnonzero(enough.ravel())

    def finish(self, everywhere: _Part) -> None:
        """Each number that is still open by itself, whatever it costs."""
        tried: set[_Target] = set()
        # What is suppressed on the way has to be uncertain as well.
        while left := [target for target in self._targets(self.open()) if target not in tried]:
            for target in left:
                tried.add(target)
                if not self.times[self.position(target)]:
                    self._reach(target, True, everywhere)

    def _reach(self, target: _Target, may_buy: bool, everywhere: _Part | None) -> bool:
        """Find an alternative that shows one target, near it or else ``everywhere``."""
        parts = [_Part(self, self._near(target))]
        if everywhere is not None and len(everywhere.columns) > len(parts[0].columns):
            parts.append(everywhere)
        for part in parts:
            moves = part.reach_for(target, may_buy)
            if moves is not None:
                self.take(part.columns, moves)
                return True
        return False

    def _near(self, target: _Target) -> np.ndarray:
        """The variables around a target, as far as equations reach in a few steps."""
        near = np.zeros(len(self.value))
        if target.kind == "cell":
            near[target.number] = 1.0
        else:
            near[self.remain[[target.number]].indices] = 1.0
        movable = (self.hidden | self.allowed).astype(float)
        while True:
            wider = (self.links.T @ (self.links @ near > 0) > 0) * movable
            wider = np.maximum(wider, near)
            if wider.sum() > NEAR or wider.sum() == near.sum():
                return near > 0
            near = wider

    # --- nothing in vain ---

    def drop_needless(self) -> None:
        """Show again what no needed alternative touches: the dearest are left out first."""
        bought = [
            self.task.cost[each.columns[~self.task.hidden[each.columns]]].sum()
            for each in self.alternatives
        ]
        # Ties by the order they were found in: a release has to come out the same when it is made
        # again.
        order = sorted(range(len(self.alternatives)), key=lambda n: (-bought[n], n))
        times = self.times.ravel()
        keep = np.ones(len(self.alternatives), dtype=bool)
        for n in order:
            shows = self.alternatives[n].shows
            # Everything it shows is shown by another one as well.
            if (times[shows] > 1).all():
                keep[n] = False
                times[shows] -= 1
        self.alternatives = [each for n, each in enumerate(self.alternatives) if keep[n]]
        self._hide_what_is_needed()

    def _hide_what_is_needed(self) -> None:
        self.hidden = self.task.hidden.copy()
        for each in self.alternatives:
            self.hidden[each.columns] = True

    def give_back(self) -> int:
        """Cell by cell, the dearest first: shown again if everything stays protected without."""
        secondary = np.flatnonzero(self.hidden & ~self.task.hidden)
        order = sorted(secondary.tolist(), key=lambda n: (-self.task.cost[n], n))
        could_not = self.open()
        given, last = 0, self.programs + GIVE
        for cell in order:
            if self.programs > last:
                break
            if self.hidden[cell] and self._without(cell, could_not):
                given += 1
        return given

    def _without(self, cell: int, could_not: np.ndarray) -> bool:
        gone = [each for each in self.alternatives if cell in each.columns]
        before = self.alternatives.copy(), self.times.copy()
        self.hidden[cell] = False
        for each in gone:
            self._forget(each)
        for target in self._targets(self.open() & ~could_not):
            if not self.times[self.position(target)] and not self._reach(target, False, None):
                self.alternatives, self.times = before
                self.hidden[cell] = True
                return False
        return True


class _Part:
    """The linear programs over the variables that may move, everything else standing still."""

    def __init__(self, search: _Search, movable: np.ndarray):
        self.search = search
        self.columns = np.flatnonzero(movable & (search.hidden | search.allowed))
        equal, remain = (
            search.equal[:, self.columns].tocsr(),
            search.remain[:, self.columns].tocsr(),
        )
        # Equations in which nothing moves hold already.
        self.rows = np.flatnonzero(np.diff(remain.indptr))
        equal = equal[np.flatnonzero(np.diff(equal.indptr))]
        self.exact = equal.shape[0]
        self.matrix = sparse.vstack([equal, remain[self.rows]], format="csc")

    def solve(self, gain: np.ndarray, row_gain: np.ndarray, reward: float) -> np.ndarray | None:
        """Moves of the variables that bring most of what is gained, less what they cost."""
        search, columns = self.search, self.columns
        worth = gain[columns] + self.matrix[self.exact :].T @ row_gain[self.rows]
        need = np.maximum(search.task.need_up, search.task.need_down)[columns]
        reach = np.where(search.task.reach > 8, search.task.reach, np.maximum(need, 1.0))
        return self._program(worth * reward, reach, may_buy=True)

    def reach_for(self, target: _Target, may_buy: bool) -> np.ndarray | None:
        """The cheapest moves that bring one number or difference as far as it must go, while what
        the attacker knows stands still."""
        search, task = self.search, self.search.task
        number, sign = target.number, target.sign
        wide = 4 * max(task.need_up.max(initial=1), task.row_need_up.max(initial=1), 1)
        known = search.knows[target.attacker, self.columns]
        reach = np.where(known, 0.0, wide)
        if target.kind == "cell":
            goal = (self.columns == number).astype(float)
            need = task.need_up[number] if sign > 0 else task.need_down[number]
        else:
            goal = search.remain[number, self.columns].toarray().ravel()
            need = task.row_need_up[number] if sign > 0 else task.row_need_down[number]
        return self._program(np.zeros(len(self.columns)), reach, may_buy, (goal, sign * need))

    def _program(
        self,
        worth: np.ndarray,
        reach: np.ndarray,
        may_buy: bool,
        goal: tuple[np.ndarray, float] | None = None,
    ) -> np.ndarray | None:
        search, task, columns = self.search, self.search.task, self.columns
        free = search.hidden[columns]
        kept = np.flatnonzero((free | may_buy) & (reach > 0))
        if not len(kept):
            return None
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


def _wholes(remain: sparse.csr_matrix) -> np.ndarray:
    """The variable of which each row is a difference: the first that is added."""
    entries = remain.tocoo()
    plus = entries.data > 0
    wholes = np.zeros(remain.shape[0], dtype=np.int64)
    wholes[entries.row[plus][::-1]] = entries.col[plus][::-1]
    return wholes
