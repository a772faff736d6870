"""Where constructs go on a grid of half steps: many annealing chains side by side, on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats32 = NDArray[np.float32]
#: Chains side by side and steps of each. More chains or steps did not lower the best cost of the test models.
CHAINS, STEPS = 160, 420
HOT, COLD = 9.0, 0.25
#: Two edges that leave a construct at a smaller angle than this (24 degrees, as cosine) merge for the eye.
NARROW = 0.9135
KEEP_EVERY = 12
RIM_TRIALS = 1500


@dataclass(frozen=True, slots=True)
class GridProblem:
    """What the grid search needs to know.

    Parameters
    ----------
    count : int
        Number of constructs.
    source, target : array of int, shape (m,)
        Ties between constructs.
    arc : array of bool, shape (m,)
        Whether a tie is a covariance.
    measuring : array of bool, shape (m,)
        Whether a tie is a loading of a second-order construct, which has to stand to the left of what measures it.
    half_column, half_row : float
        Points that half a grid step stands for.
    half : tuple of float
        Half sizes of a construct in points.
    items : array of int, shape (count,)
        Number of indicators of each construct.
    exogenous, outcome : array of bool, shape (count,)
        Who should stand left and who right.
    columns, rows : int
        Half steps available.
    pinned : array of int, shape (count, 2)
        Column and row in half steps, or -1 where free.
    """

    count: int
    source: Ints
    target: Ints
    arc: NDArray[np.bool_]
    measuring: NDArray[np.bool_]
    half_column: float
    half_row: float
    half: tuple[float, float]
    items: Ints
    exogenous: NDArray[np.bool_]
    outcome: NDArray[np.bool_]
    columns: int
    rows: int
    pinned: Ints


class GridCost:
    """The cost of grids, on arrays of shape (constructs, chains); holds the index lists of one problem."""

    def __init__(self, problem: GridProblem) -> None:
        self.problem = problem
        s, t = problem.source, problem.target
        m = len(s)
        i, j = np.triu_indices(m, 1)
        ends = np.stack([s, t], axis=1)
        shared = (ends[i][:, :, None] == ends[j][:, None, :]).any(axis=(1, 2)) if m else np.zeros(0, bool)
        self.first, self.second = i[~shared], j[~shared]
        self.crossing_weight = np.where(problem.arc[self.first] | problem.arc[self.second], 4.0, 7.0).astype(np.float32)
        through = [(e, v) for e in range(m) for v in range(problem.count) if v not in (s[e], t[e])]
        self.through_edge, self.through_node = np.array(through or np.zeros((0, 2)), dtype=np.int64).T
        forks = []
        for a, b in zip(i[shared], j[shared], strict=True):
            for hub in (s[a], t[a]):
                if hub in (s[b], t[b]):
                    forks.append((hub, s[a] + t[a] - hub, s[b] + t[b] - hub))
        self.fork = np.array([fork for fork in forks if fork[1] != fork[2]] or np.zeros((0, 3)), dtype=np.int64).T
        nodes = np.arange(problem.count)[:, None]
        self.starts, self.ends = (nodes == s).astype(np.float32), (nodes == t).astype(np.float32)
        self.pairs = np.triu_indices(problem.count, 1)
        self.lower, self.upper = ((nodes == side).astype(np.float32) for side in self.pairs)
        self.bits = np.array(
            [value.bit_count() for value in range(1 << max(problem.columns, problem.rows))], np.float32
        )
        # Boxes above or below take width, boxes beside take height: few indicators go anywhere, many go beside.
        self.across = np.maximum(0.0, problem.items - 3).astype(np.float32) * np.float32(0.75)
        self.beside = np.zeros(problem.count, np.float32)
        self.has_items = (problem.items > 0).astype(np.float32)

    def __call__(self, columns: Ints, rows: Ints) -> Floats32:
        """Return the cost of each chain, shape (chains,), for grids of shape (constructs, chains)."""
        p = self.problem
        x = columns.astype(np.float32) * np.float32(p.half_column)
        y = rows.astype(np.float32) * np.float32(p.half_row)
        run_x, run_y = x[p.target] - x[p.source], y[p.target] - y[p.source]
        length = np.sqrt(run_x * run_x + run_y * run_y) + np.float32(1e-6)
        dx, dy = columns[self.pairs[1]] - columns[self.pairs[0]], rows[self.pairs[1]] - rows[self.pairs[0]]
        cost = np.float32(80.0) * ((np.abs(dx) < 2) & (np.abs(dy) < 2)).sum(axis=0, dtype=np.float32)
        cost += self._extent(columns, rows)
        cost += self.crossing_weight @ self._crossed(x, y, run_x, run_y).astype(np.float32)
        cost += self._through(x, y, run_x, run_y)
        cost += self._forks(x, y)
        cost += self._directions(columns, rows, length)
        cost += self._room(dx, dy, run_x / length, run_y / length)
        return np.asarray(cost, np.float32)

    def _crossed(self, x: Floats32, y: Floats32, run_x: Floats32, run_y: Floats32) -> NDArray[np.bool_]:
        i, j = self.first, self.second
        s, t = self.problem.source, self.problem.target
        ax, ay, cx, cy = run_x[i], run_y[i], run_x[j], run_y[j]
        gap_x, gap_y = x[s[j]] - x[s[i]], y[s[j]] - y[s[i]]
        far_x, far_y = x[t[j]] - x[s[i]], y[t[j]] - y[s[i]]
        one = (ax * gap_y - ay * gap_x) * (ax * far_y - ay * far_x) < 0
        other_x, other_y = x[t[i]] - x[s[j]], y[t[i]] - y[s[j]]
        return np.asarray(one & ((cy * gap_x - cx * gap_y) * (cx * other_y - cy * other_x) < 0))

    def _extent(self, columns: Ints, rows: Ints) -> Floats32:
        left, right, top = columns.min(0), columns.max(0), rows.min(0)
        p = self.problem
        one = np.int64(1)
        cost = 0.55 * (right - left) + 0.45 * (rows.max(0) - top)
        cost = cost + 0.55 * np.bitwise_count(np.bitwise_or.reduce(one << (columns - left), axis=0))
        cost = cost + 0.55 * np.bitwise_count(np.bitwise_or.reduce(one << (rows - top), axis=0))
        cost = cost + 0.8 * (columns - left)[p.exogenous].sum(0)
        cost = cost + 0.6 * (right - columns)[p.outcome].sum(0)
        return np.asarray(cost, np.float32)

    def _through(self, x: Floats32, y: Floats32, run_x: Floats32, run_y: Floats32) -> Floats32:
        wide = np.float32(1.0 / (self.problem.half[0] + 7.0))
        high = np.float32(1.0 / (self.problem.half[1] + 7.0))
        e, v = self.through_edge, self.through_node
        start = self.problem.source[e]
        along_x, along_y = (run_x * wide)[e], (run_y * high)[e]
        to_x, to_y = (x[v] - x[start]) * wide, (y[v] - y[start]) * high
        u = (to_x * along_x + to_y * along_y) / (along_x * along_x + along_y * along_y + np.float32(1e-6))
        u = np.minimum(np.maximum(u, np.float32(0.0)), np.float32(1.0))
        to_x -= u * along_x
        to_y -= u * along_y
        clear = np.float32(1.0) - (to_x * to_x + to_y * to_y)
        return np.asarray(5.0 * (np.maximum(clear, 0.0) + (clear > 0)).sum(0), np.float32)

    def _forks(self, x: Floats32, y: Floats32) -> Floats32:
        hub, left, right = self.fork
        ax, ay, bx, by = x[left] - x[hub], y[left] - y[hub], x[right] - x[hub], y[right] - y[hub]
        norm = np.sqrt((ax * ax + ay * ay) * (bx * bx + by * by)) + np.float32(1e-6)
        narrow = np.maximum((ax * bx + ay * by) / norm - np.float32(NARROW), 0.0) * np.float32(4.0 / (1.0 - NARROW))
        return np.asarray((narrow + (narrow > 0)).sum(0), np.float32)

    def _directions(self, columns: Ints, rows: Ints, length: Floats32) -> Floats32:
        p = self.problem
        forward = columns[p.target] - columns[p.source]
        rise = np.abs(rows[p.target] - rows[p.source])
        directed = (forward < 0) * (2.5 - 0.6 * forward) + (forward == 0) * (
            1.15 + 0.15 * (rows[p.target] < rows[p.source])
        )
        directed = directed + 3.0 * (p.measuring[:, None] & (forward < 2))
        directed = directed + 0.35 * ((forward != 0) & (rise != 0)) + length * (0.4 / p.half_column)
        arcs = 2.0 * np.abs(forward) + 0.5 * rise
        return np.asarray(np.where(p.arc[:, None], arcs, directed).sum(0), np.float32)

    def _room(self, dx: Ints, dy: Ints, unit_x: Floats32, unit_y: Floats32) -> Floats32:
        """Price of the freest side of each construct for its indicators.

        All prices are multiples of 1/8, so that the matrix products are exact in whatever order they are summed.
        """
        steep = np.float32(0.7)
        level, plumb = np.abs(dy) < 3, np.abs(dx) < 3
        cheapest: Floats32 | None = None
        # West is east seen from the other construct of a pair, and north is south.
        for unit, aligned, gap, reach, size in (
            (unit_x, level, dx, 5, self.beside),
            (unit_y, plumb, dy, 4, self.across),
        ):
            ahead, behind = aligned & (gap > 0), aligned & (gap < 0)
            near = np.abs(gap) < reach
            price_ahead = np.where(ahead, np.where(near, np.float32(1.25), np.float32(0.375)), np.float32(0.0))
            price_behind = np.where(behind, np.where(near, np.float32(1.25), np.float32(0.375)), np.float32(0.0))
            out, back = (unit > steep).astype(np.float32), (unit < -steep).astype(np.float32)
            after = self.starts @ out + self.ends @ back
            before = self.starts @ back + self.ends @ out
            after = 4.0 * after + self.lower @ price_ahead + self.upper @ price_behind + size[:, None]
            before = 4.0 * before + self.lower @ price_behind + self.upper @ price_ahead + size[:, None]
            best = np.minimum(after, before)
            cheapest = best if cheapest is None else np.minimum(cheapest, best)
        assert cheapest is not None
        return np.asarray(self.has_items @ np.minimum(cheapest, np.float32(9.0)), np.float32)


def search(problem: GridProblem, seed: int, keep: int) -> list[tuple[float, Ints]]:
    """Return the cheapest grids found.

    Parameters
    ----------
    problem : GridProblem
        Constructs, ties and limits.
    seed : int
        Of the random moves; the same seed gives the same grids.
    keep : int
        How many different grids to return at most.

    Returns
    -------
    list of (float, array of shape (count, 2))
        Cost and (column, row) in half steps, cheapest first; without pins, moved to start at 0.
    """
    cost_of = GridCost(problem)
    rng = np.random.default_rng(seed)
    n, chains = problem.count, CHAINS
    free = np.flatnonzero((problem.pinned < 0).any(axis=1))
    columns = rng.integers(0, problem.columns, (n, chains))
    rows = rng.integers(0, problem.rows, (n, chains))
    held = np.flatnonzero((problem.pinned >= 0).all(axis=1))
    columns[held] = problem.pinned[held, :1]
    rows[held] = problem.pinned[held, 1:]
    cost = cost_of(columns, rows)
    archive: list[tuple[Floats32, Ints]] = [(cost.copy(), np.stack([columns.T, rows.T], -1))]
    steps = STEPS if len(free) else 0
    index = np.arange(chains)
    for step in range(steps):
        heat = HOT * (COLD / HOT) ** (step / steps)
        node = free[rng.integers(0, len(free), chains)]
        other = free[rng.integers(0, len(free), chains)]
        kind = rng.random(chains)
        new_columns, new_rows = columns.copy(), rows.copy()
        anywhere = kind < 0.35
        nudge = rng.integers(-2, 3, (chains, 2))
        column = np.where(anywhere, rng.integers(0, problem.columns, chains), columns[node, index] + nudge[:, 0])
        row = np.where(anywhere, rng.integers(0, problem.rows, chains), rows[node, index] + nudge[:, 1])
        new_columns[node, index] = np.clip(column, 0, problem.columns - 1)
        new_rows[node, index] = np.clip(row, 0, problem.rows - 1)
        swap = kind > 0.8
        for new, old in ((new_columns, columns), (new_rows, rows)):
            new[node[swap], index[swap]] = old[other[swap], index[swap]]
            new[other[swap], index[swap]] = old[node[swap], index[swap]]
        new_cost = cost_of(new_columns, new_rows)
        accept = (new_cost <= cost) | (rng.random(chains) < np.exp(np.minimum(0.0, (cost - new_cost) / heat)))
        columns, rows = np.where(accept, new_columns, columns), np.where(accept, new_rows, rows)
        cost = np.where(accept, new_cost, cost)
        if step == steps // 2:
            # Half way, the worst half of the chains continues from the better half.
            order = np.argsort(cost, kind="stable")
            worse, better = order[chains // 2 :], order[: chains - chains // 2]
            columns[:, worse], rows[:, worse], cost[worse] = columns[:, better], rows[:, better], cost[better]
        if step > steps // 3 and step % KEEP_EVERY == 0:
            archive.append((cost.copy(), np.stack([columns.T, rows.T], -1)))
    archive.append((cost.copy(), np.stack([columns.T, rows.T], -1)))
    return _distinct(archive, keep, bool(len(held)))


def rim(problem: GridProblem, seed: int, keep: int) -> list[tuple[float, Ints]]:
    """Return the cheapest grids, among random ones, that have every construct on a rim, open to the outside.

    In a dense model no indicators can stand inside without lines across them. Parameters and results are those of
    `search`; pins are not looked at.
    """
    n = problem.count
    spots = []
    for first, size, inwards in ((0, n - n // 2, 1), (10, n // 2, -1)):
        for turn in range(size):
            depth = round(3.0 * abs(turn - (size - 1) / 2) / max(size - 1, 1))
            spots.append((first + inwards * depth, 3 * turn))
    rng = np.random.default_rng(seed)
    order = np.argsort(rng.random((RIM_TRIALS, n)), axis=1)
    grids = np.array(spots, dtype=np.int64)[order]
    cost = GridCost(problem)(grids[:, :, 0].T, grids[:, :, 1].T)
    return _distinct([(cost, grids)], keep, pinned=False)


def _distinct(archive: list[tuple[Floats32, Ints]], keep: int, pinned: bool) -> list[tuple[float, Ints]]:
    costs = np.concatenate([cost for cost, _ in archive])
    grids = np.concatenate([grid for _, grid in archive])
    if not pinned:
        grids = grids - grids.min(axis=1, keepdims=True)
    found: dict[bytes, tuple[float, Ints]] = {}
    for index in np.argsort(costs, kind="stable"):
        found.setdefault(grids[index].tobytes(), (float(costs[index]), grids[index]))
        if len(found) == keep:
            break
    return list(found.values())
