"""The protector's equations: how far the true numbers could all be moved together without breaking a public relation.

Columns are deviations from the true table, one per entry, so that "no deviation" is always a solution. Whatever is
published does not deviate: protection is shown against a reader who knows published numbers exactly, and rounding
only widens what he is left with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import highspy
import numpy as np
from numpy.typing import NDArray

from privacy_ops.disclosure.linked.frame import Amount, Entry, Measure, rest_of
from privacy_ops.disclosure.linked.table import Table

INF = highspy.kHighsInf
Vector = NDArray[np.float64]
Terms = list[tuple[Entry, float]]


class SolverFailed(RuntimeError):
    """The solver gave no optimum where there must be one."""


class System:
    """Rows over the deviations of some measures of a table, ready for HiGHS.

    ``names``: the measures and amounts it speaks of. ``rests``: complements that need a column of their own; the
    others are the slack of a row.
    """

    def __init__(self, table: Table, names: Iterable[str], rests: Iterable[Entry]) -> None:
        self.table = table
        chosen = set(names)
        self.measures = [m for m in table.frame.measures if m.name in chosen]
        self.amounts = [a for a in table.frame.amounts if a.name in chosen]
        listed = [*(m.name for m in self.measures), *(a.name for a in self.amounts)]
        self.rests = sorted(rests)
        self.entries = [Entry(key, name) for name in listed for key in table.frame.keys] + self.rests
        self.index = {entry: place for place, entry in enumerate(self.entries)}
        # Amounts are measured in what one person may add at most, so that all numbers are of one size.
        size = {amount.name: float(amount.most) for amount in self.amounts}
        self.unit: Vector = np.array([size.get(entry.measure, 1.0) for entry in self.entries])
        self.true: Vector = np.array([table.value(entry) for entry in self.entries], dtype=np.float64) / self.unit
        # How far a number may deviate at all: it is not below zero, and see ``settle``.
        self.floor: Vector = -self.true
        self.ceiling: Vector = np.full(len(self.entries), INF)
        self._collect()

    def _collect(self) -> None:
        starts, columns, values, low, high = [0], [], [], [], []
        for terms, least, most in self._rows():
            now = 0.0
            for entry, factor in terms:
                place = self.index[entry]
                columns.append(place)
                values.append(factor)
                now += factor * self.true[place]
            starts.append(len(columns))
            low.append(least - now)
            high.append(most - now)
        self.starts = np.array(starts, dtype=np.int32)
        self.columns = np.array(columns, dtype=np.int32)
        self.values: Vector = np.array(values, dtype=np.float64)
        self.low: Vector = np.array(low, dtype=np.float64)
        self.high: Vector = np.array(high, dtype=np.float64)

    def _rows(self) -> Iterator[tuple[Terms, float, float]]:
        yield from self._along_dimensions()
        own = set(self.rests)
        for key in self.table.frame.keys:
            for measure in self.measures:
                if measure.within is None:
                    continue
                terms: Terms = [(Entry(key, measure.within), 1.0), (Entry(key, measure.name), -1.0)]
                if (rest := Entry(key, rest_of(measure.name))) in own:
                    yield [*terms, (rest, -1.0)], 0.0, 0.0
                else:
                    yield terms, 0.0, INF
            for amount in self.amounts:
                yield [(Entry(key, amount.of), 1.0), (Entry(key, amount.name), -1.0)], 0.0, INF

    def _along_dimensions(self) -> Iterator[tuple[Terms, float, float]]:
        every: list[Measure | Amount] = [*self.measures, *self.amounts]
        for relation in self.table.frame.relations:
            for named in every:
                whole = (Entry(relation.parent, named.name), 1.0)
                parts = [Entry(child, named.name) for child in relation.children]
                left = [whole, *((part, -1.0) for part in parts)]
                if isinstance(named, Measure) and relation.dimension in named.unrelated:
                    continue
                if isinstance(named, Measure) and relation.dimension in named.unions:
                    for part in parts:
                        yield [whole, (part, -1.0)], 0.0, INF
                    if relation.complete:
                        yield left, -INF, 0.0
                else:
                    yield left, 0.0, 0.0 if relation.complete else INF

    def settle(self, moving: NDArray[np.bool_]) -> None:
        """Drop what cannot move: all but the ``moving`` columns stay at no deviation.

        Rows without a moving column go; a row with one becomes its floor or ceiling.
        """
        rows = np.repeat(np.arange(len(self.low)), np.diff(self.starts))
        live = moving[self.columns]
        rows, columns, values = rows[live], self.columns[live], self.values[live]
        left = np.bincount(rows, minlength=len(self.low))
        alone = left[rows] == 1
        ends = np.stack([self.low[rows[alone]] / values[alone], self.high[rows[alone]] / values[alone]])
        np.maximum.at(self.floor, columns[alone], ends.min(axis=0))
        np.minimum.at(self.ceiling, columns[alone], ends.max(axis=0))
        kept = left > 1
        self.columns, self.values = columns[kept[rows]], values[kept[rows]]
        self.starts = np.concatenate([[0], np.cumsum(left[kept])]).astype(np.int32)
        self.low, self.high = self.low[kept], self.high[kept]

    def solver(self, low: Vector, high: Vector, extra: NDArray[np.int32], costs: Vector) -> Solver:
        """A linear program over all columns, bounded as given, and a dear way up and down for each ``extra`` column.

        Columns after the entries: the ways up in order of ``extra``, then the ways down.
        """
        return Solver(self, low, high, extra, costs)


class Solver:
    """One HiGHS instance, kept warm: one thread, a fixed seed, so that the same questions get the same answers."""

    def __init__(self, system: System, low: Vector, high: Vector, extra: NDArray[np.int32], costs: Vector) -> None:
        count = len(system.entries)
        self._all = np.arange(count, dtype=np.int32)
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        settings: dict[str, bool | int | str] = {
            "output_flag": False,
            "threads": 1,
            "random_seed": 0,
            "presolve": "off",
            "solver": "simplex",
        }
        for name, value in settings.items():
            self._highs.setOptionValue(name, value)
        place = np.full(count, -1, dtype=np.int32)
        place[extra] = np.arange(len(extra), dtype=np.int32)
        # Each entry with a dear way stands three times in its rows: itself, up, down.
        rows = np.repeat(np.arange(len(system.low)), np.diff(system.starts))
        dear = place[system.columns] >= 0
        ways = place[system.columns[dear]] + count
        rows = np.concatenate([rows, rows[dear], rows[dear]])
        order = np.argsort(rows, kind="stable")
        program = highspy.HighsLp()
        program.num_col_ = count + 2 * len(extra)
        program.num_row_ = len(system.low)
        program.col_cost_ = np.concatenate([np.zeros(count), costs, costs])
        program.col_lower_ = np.concatenate([low, np.zeros(2 * len(extra))])
        program.col_upper_ = np.concatenate([
            high,
            system.ceiling[extra] - high[extra],
            low[extra] - system.floor[extra],
        ])
        program.row_lower_ = system.low
        program.row_upper_ = system.high
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.searchsorted(rows[order], np.arange(len(system.low) + 1)).astype(np.int32)
        program.a_matrix_.index_ = np.concatenate([system.columns, ways, ways + len(extra)])[order].astype(np.int32)
        program.a_matrix_.value_ = np.concatenate([system.values, system.values[dear], -system.values[dear]])[order]
        self._highs.passModel(program)
        self._count, self._extra, self._place = count, len(extra), place

    def by_primal_simplex(self) -> Solver:
        """For questions that change the goal and keep the bounds."""
        self._highs.setOptionValue("simplex_strategy", 4)
        return self

    def bound(self, column: int, low: float, high: float) -> None:
        self._highs.changeColBounds(int(column), float(low), float(high))

    def bound_all(self, low: Vector, high: Vector) -> None:
        self._highs.changeColsBounds(self._count, self._all, low, high)

    def aim(self, costs: Vector) -> None:
        """Minimise this over the entries' own columns."""
        self._highs.changeColsCost(self._count, self._all, costs)

    def close_ways(self, column: int) -> None:
        """The column may now move freely: it needs no dear way any more."""
        if (place := int(self._place[column])) >= 0:
            for way in (self._count + place, self._count + self._extra + place):
                self._highs.changeColBounds(way, 0.0, 0.0)

    def solve(self) -> Vector | None:
        """Deviations at the optimum; None when nothing fits. Raises SolverFailed for anything else."""
        self._highs.run()
        status = self._highs.getModelStatus()
        if status not in {highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible}:
            # A warm start may lead astray, and the primal simplex in tables of few people: from nothing, by the dual
            # simplex, the answer is found.
            strategy = self._highs.getOptionValue("simplex_strategy")[1]
            self._highs.clearSolver()
            self._highs.setOptionValue("simplex_strategy", 1)
            self._highs.run()
            status = self._highs.getModelStatus()
            self._highs.setOptionValue("simplex_strategy", strategy)
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise SolverFailed(f"the linear program ended as {status}")
        found = np.array(self._highs.getSolution().col_value)
        moved: Vector = found[: self._count]
        dear = self._place >= 0
        ways = self._place[dear]
        moved[dear] += found[self._count + ways] - found[self._count + self._extra + ways]
        return moved
