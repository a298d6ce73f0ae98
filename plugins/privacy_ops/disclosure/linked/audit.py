"""The attacker: what can be worked out about withheld numbers from published ones and the public rules alone.

Independent of ``protect`` on purpose: it sees published cells, the public frame and the rules, never a true count, and
builds its equations itself. It may be given one file, or many together. Of what is withheld, or in no file he holds,
the attacker may assume only that it is not negative, since zeros carry the same mark; of a published number he knows
the rounding, the band, and that it passed the rules.

Intervals are over real numbers, as in the literature; that people come whole can be assumed as well, at a price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from privacy_ops.disclosure.linked.cells import Need, PublishedCell, share_of
from privacy_ops.disclosure.linked.frame import Amount, Entry, Frame, Key, Measure, rest_of
from privacy_ops.disclosure.linked.rules import Rules

SLACK = 1e-5  # of one person: the solver's arithmetic
LOOSE_ROUNDS = 40  # of two linear programs each, before a number is looked at alone
WORTHWHILE = 0.05  # of those left; with less, they are looked at one by one
# Steps of the simplex towards such a goal, as a part of the numbers: wherever it is stopped, all that is known holds,
# and the first steps go furthest.
LOOSE_STEPS = 1 / 8
LEAST_STEPS = 200
NO_LIMIT = highspy.kHighsIInf
STOPPED = highspy.HighsModelStatus.kIterationLimit


class Contradiction(ValueError):
    """Published numbers that cannot all be true, or one number shown in two ways."""


@dataclass(frozen=True)
class Interval:
    """What the attacker knows of one withheld number. ``high`` None: nothing limits it.

    ``is_met``: wide enough. ``is_exact`` False: the true interval is at least this wide, which was enough to know.
    """

    entry: Entry
    low: float
    high: float | None
    is_met: bool
    is_exact: bool


def audit(
    cells: Iterable[PublishedCell],
    frame: Frame,
    rules: Rules,
    needs: Mapping[Entry, Need] | None = None,
    *,
    exact: bool = False,
    whole: bool = False,
) -> tuple[Interval, ...]:
    """Intervals of the withheld numbers among ``cells``, in order of key.

    ``needs``: what was promised, from the register; then exactly these are judged, complements included, even where
    one of several files shows the number (so the needs of a master judge all its files together). Without, as a reader
    would who knows no more than the rules: every withheld number at least as wide as the threshold, an amount at least
    a fifth of what it may be. ``exact``: solve for both ends of each, not only until it is wide enough. ``whole``: the
    attacker also knows that people are whole numbers, which takes integer programs, so this is for small tables.

    Raises Contradiction for numbers that cannot all be true, ValueError for a cell outside the frame.
    """
    known = _combine(cells, frame)
    attacker = _Attacker(known, frame, rules)
    if whole:
        attacker.count_whole_people()
    if needs is None:
        judged = [entry for entry, value in known.items() if value is None and entry.measure in attacker.names]
    else:
        judged = [entry for entry in needs if entry in known or _is_complement_in(entry, known, frame)]
    return attacker.attack(sorted(judged), needs, exact)


def too_narrow(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Only the intervals that say too much."""
    return tuple(interval for interval in intervals if not interval.is_met)


def _combine(cells: Iterable[PublishedCell], frame: Frame) -> dict[Entry, int | str | None]:
    """Everything that is in any of the files; shown in one, it is shown."""
    rows = set(frame.keys)
    known: dict[Entry, int | str | None] = {}
    for cell in cells:
        if cell.key not in rows:
            raise ValueError("a cell is not in the public row set")
        for name, value in cell.values.items():
            entry = Entry(cell.key, name)
            before = known.get(entry)
            if before is not None and value is not None and before != value:
                raise Contradiction("one number is shown in two ways")
            known[entry] = before if value is None else value
    return known


def _is_complement_in(entry: Entry, known: Mapping[Entry, int | str | None], frame: Frame) -> bool:
    return any(
        entry.measure == rest_of(m.name) and Entry(entry.key, m.name) in known
        for m in frame.measures
        if m.within is not None
    )


class _Attacker:
    """His equations in one linear program: a column per number, a row per public fact.

    Complements stand after the numbers and have no column: each is the slack of the row that holds it to its two.
    """

    def __init__(self, known: Mapping[Entry, int | str | None], frame: Frame, rules: Rules) -> None:
        self.known, self.frame, self.rules = known, frame, rules
        counted = [m.name for m in frame.measures]
        self.names = {*counted, *(a.name for a in frame.amounts)}
        numbers = [Entry(key, name) for key in frame.keys for name in (*counted, *(a.name for a in frame.amounts))]
        parted = [(key, m.name, m.within) for key in frame.keys for m in frame.measures if m.within is not None]
        entries = [*numbers, *(Entry(key, rest_of(name)) for key, name, _ in parted)]
        self.column = {entry: place for place, entry in enumerate(entries)}
        self.columns = len(numbers)
        self.every = np.arange(self.columns, dtype=np.int32)
        self.around = np.array([self.column[Entry(key, within)] for key, _, within in parted], dtype=np.int32)
        self.inside = np.array([self.column[Entry(key, name)] for key, name, _ in parted], dtype=np.int32)
        # Amounts are measured in what one person may add at most, so that all numbers are of one size.
        size = {amount.name: float(amount.most) for amount in frame.amounts}
        self.unit = np.array([size.get(entry.measure, 1.0) for entry in entries])
        self.low = np.zeros(len(entries))
        self.high = np.full(len(entries), highspy.kHighsInf)
        self.rows: list[tuple[float, float, list[tuple[int, float]]]] = []
        for key in frame.keys:
            for measure in frame.measures:
                self._read_count(Entry(key, measure.name), measure)
            for amount in frame.amounts:
                self._read_amount(Entry(key, amount.name), amount)
        self._relate()
        self.solver = self._start()
        self.steps = max(LEAST_STEPS, int(LOOSE_STEPS * self.columns))
        self.alike = self._alike()
        self.seen_low = np.full(len(entries), np.inf)
        self.seen_high = np.full(len(entries), -np.inf)

    def _alike(self) -> NDArray[np.int64]:
        """A number for each entry; the same for those of cells of which nothing is known and that are part of the same
        cells: whatever he can tell of one, he can tell of each, for they could change places."""
        first: dict[object, Key] = {}
        found = np.arange(len(self.unit))
        names = [*self.names, *(rest_of(m.name) for m in self.frame.measures if m.within is not None)]
        shares = [share_of(m.name) for m in self.frame.measures]
        for key, relations in self.frame.siblings.items():
            if any(self.known.get(Entry(key, name)) is not None for name in (*names, *shares)):
                continue
            twin = first.setdefault(tuple(map(id, relations)), key)
            for name in names:
                found[self.column[Entry(key, name)]] = self.column[Entry(twin, name)]
        return found

    def _row(self, low: float, high: float, *terms: tuple[Entry, float]) -> None:
        self.rows.append((low, high, [(self.column[entry], factor) for entry, factor in terms]))

    def _read_count(self, entry: Entry, measure: Measure) -> None:
        value = self.known.get(entry)
        place = self.column[entry]
        if isinstance(value, int):
            self.low[place] = max(value - self.rules.half, self.rules.min_people)
            self.high[place] = value + self.rules.half
        if measure.within is None:
            return
        around, rest = Entry(entry.key, measure.within), Entry(entry.key, rest_of(measure.name))
        # With fewer others, it would have been withheld.
        least = 0 if value is None else self.rules.min_people
        self.low[self.column[rest]] = least
        self._row(least, highspy.kHighsInf, (around, 1.0), (entry, -1.0))
        band = self.known.get(Entry(entry.key, share_of(measure.name)))
        if isinstance(band, str):
            least, most = self.rules.share_bands.limits(band)
            self._row(0, highspy.kHighsInf, (entry, 100.0), (around, -float(least)))
            if most is not None:
                self._row(-highspy.kHighsInf, 0, (entry, 100.0), (around, -float(most)))

    def _read_amount(self, entry: Entry, amount: Amount) -> None:
        people = Entry(entry.key, amount.of)
        self._row(-highspy.kHighsInf, 0, (entry, 1.0), (people, -1.0))
        band = self.known.get(entry)
        if isinstance(band, str):
            least, most = self.rules.amount_bands.limits(band)
            unit = self.rules.amount_unit / amount.most
            self._row(0, highspy.kHighsInf, (entry, 1.0), (people, -float(least * unit)))
            if most is not None:
                self._row(-highspy.kHighsInf, 0, (entry, 1.0), (people, -float(most * unit)))

    def _relate(self) -> None:
        for relation in self.frame.relations:
            for amount in self.frame.amounts:
                parts = [Entry(child, amount.name) for child in relation.children]
                self._add_up(Entry(relation.parent, amount.name), parts, relation.complete)
            for measure in self.frame.measures:
                whole = Entry(relation.parent, measure.name)
                parts = [Entry(child, measure.name) for child in relation.children]
                if relation.dimension in measure.unrelated:
                    continue
                if relation.dimension not in measure.unions:
                    self._add_up(whole, parts, relation.complete)
                    continue
                for part in parts:
                    self._row(0, highspy.kHighsInf, (whole, 1.0), (part, -1.0))
                if relation.complete:
                    self._row(0, highspy.kHighsInf, *((part, 1.0) for part in parts), (whole, -1.0))

    def _add_up(self, whole: Entry, parts: list[Entry], complete: bool) -> None:
        self._row(0, 0 if complete else highspy.kHighsInf, (whole, 1.0), *((part, -1.0) for part in parts))

    def _start(self) -> highspy.Highs:
        """The program, with an end put to what nothing limits: beyond it, a number counts as unlimited."""
        shown = self.high[np.isfinite(self.high)]
        self.far = 100.0 * (float(shown.max(initial=0)) + self.rules.min_people)
        self.ends = np.where(np.isfinite(self.high), self.high, self.far)
        lengths = np.array([len(row[2]) for row in self.rows], dtype=np.int64)
        rows = np.repeat(np.arange(len(self.rows)), lengths)
        columns = np.array([place for row in self.rows for place, _ in row[2]], dtype=np.int32)
        factors = np.array([factor for row in self.rows for _, factor in row[2]], dtype=np.float64)
        low = np.array([row[0] for row in self.rows], dtype=np.float64)
        high = np.array([row[1] for row in self.rows], dtype=np.float64)
        # What the limits of the numbers say already needs no row: most modules are far below their course.
        ends = np.stack([factors * self.low[columns], factors * self.ends[columns]])
        least = np.bincount(rows, ends.min(axis=0), minlength=len(low))
        most = np.bincount(rows, ends.max(axis=0), minlength=len(low))
        kept = (least < low) | (most > high)
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = self.columns, int(kept.sum())
        program.col_cost_ = np.zeros(self.columns)
        program.col_lower_, program.col_upper_ = self.low[: self.columns], self.ends[: self.columns]
        program.row_lower_, program.row_upper_ = low[kept], high[kept]
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int32)
        program.a_matrix_.index_ = columns[kept[rows]]
        program.a_matrix_.value_ = factors[kept[rows]]
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        settings: dict[str, bool | int | float | str] = {
            "output_flag": False,
            "threads": 1,
            "random_seed": 0,
            "presolve": "off",
            "solver": "simplex",
            "simplex_strategy": 4,  # primal: only the goal changes from one question to the next
            "primal_simplex_bound_perturbation_multiplier": 0.0,  # where it is stopped, the bounds are the true ones
        }
        for name, value in settings.items():
            solver.setOptionValue(name, value)
        solver.passModel(program)
        return solver

    def count_whole_people(self) -> None:
        """Let the solver take counts as whole numbers; amounts stay what they are."""
        counts = np.flatnonzero(self.unit[: self.columns] == 1.0).astype(np.int32)
        self.solver.changeColsIntegrality(len(counts), counts, np.array([highspy.HighsVarType.kInteger] * len(counts)))
        for name, value in {"presolve": "choose", "solver": "choose"}.items():
            self.solver.setOptionValue(name, value)
        self.steps = NO_LIMIT  # an integer program has nothing to show before its end

    def attack(self, targets: list[Entry], needs: Mapping[Entry, Need] | None, exact: bool) -> tuple[Interval, ...]:
        if not targets:
            return ()
        places = np.array([self.column[entry] for entry in targets], dtype=np.int32)
        wanted = [None if needs is None else needs[entry] for entry in targets]
        self._look_around(places, wanted)
        found = []
        for entry, place, need in zip(targets, places, wanted, strict=True):
            is_exact = exact or not self._is_enough(int(place), need)
            if is_exact:
                for sign in (1.0, -1.0):
                    self._ask(place.reshape(1), np.array([sign]))
            low, high = self._seen(int(place))
            is_limited = bool(np.isfinite(self.high[place])) or self.seen_high[place] < self.ends[place] - SLACK
            is_met = self._is_enough(int(place), need)
            found.append(Interval(entry, round(low, 6), round(high, 6) if is_limited else None, is_met, is_exact))
        return tuple(found)

    def _look_around(self, places: NDArray[np.int32], needs: list[Need | None]) -> None:
        """Push many numbers at once as long as that settles some: where one must still be seen, else up or down."""
        draw = np.random.default_rng(0)
        left = list(zip(places.tolist(), needs, strict=True))
        for _ in range(LOOSE_ROUNDS):
            before = len(left)
            for way in (-1.0, 1.0):
                weights = draw.uniform(0.5, 1.5, len(left))
                thrown = way * draw.choice((-1.0, 1.0), len(left))
                pulls = np.array([self._missing(*one) for one in left])
                self._ask(
                    np.array([place for place, _ in left], dtype=np.int32),
                    weights * np.where(pulls, pulls, thrown),
                    self.steps,
                )
                left = [one for one in left if not self._is_enough(*one)]
                if not left:
                    return
            if before - len(left) < WORTHWHILE * before:
                return

    def _missing(self, place: int, need: Need | None) -> float:
        """Where a number is still to be seen: above (−1, since goals are minimised), below (1), or either (0)."""
        if need is None or need.down_to is None or need.up_to is None:
            return 0.0
        low, high = self._seen(place)
        return (low > need.down_to + SLACK) * 1.0 - (high < need.up_to - SLACK) * 1.0

    def _ask(self, places: NDArray[np.int32], weights: NDArray[np.float64], steps: int = NO_LIMIT) -> None:
        """Solve for one goal, or come nearer to it by so many steps, and remember where every number was seen."""
        self._aim(places, weights)
        self.solver.setOptionValue("simplex_iteration_limit", steps)
        status = self._run()
        if status not in {highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible, STOPPED}:
            self.solver.clearSolver()
            status = self._run()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Contradiction("the published numbers contradict each other")
        if status not in {highspy.HighsModelStatus.kOptimal, STOPPED}:
            raise RuntimeError(f"the linear program ended as {status}")
        numbers = np.array(self.solver.getSolution().col_value)
        seen = np.concatenate([numbers, numbers[self.around] - numbers[self.inside]])
        np.minimum.at(self.seen_low, self.alike, seen)
        np.maximum.at(self.seen_high, self.alike, seen)
        self.seen_low, self.seen_high = self.seen_low[self.alike], self.seen_high[self.alike]

    def _run(self) -> highspy.HighsModelStatus:
        """How it ended. It is not stopped before it has found numbers that agree with all that is known."""
        self.solver.run()
        while (status := self.solver.getModelStatus()) == STOPPED:
            if self.solver.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
                break
            self.solver.run()
        return status

    def _aim(self, places: NDArray[np.int32], weights: NDArray[np.float64]) -> None:
        """The goal: a complement is what is around it without what is inside."""
        goal = np.bincount(places, weights, minlength=len(self.unit))
        rests = goal[self.columns :]
        goal = goal[: self.columns]
        goal += np.bincount(self.around, rests, minlength=self.columns)
        goal -= np.bincount(self.inside, rests, minlength=self.columns)
        self.solver.changeColsCost(self.columns, self.every, goal)

    def _seen(self, place: int) -> tuple[float, float]:
        return float(self.seen_low[place] * self.unit[place]), float(self.seen_high[place] * self.unit[place])

    def _is_enough(self, place: int, need: Need | None) -> bool:
        low, high = self._seen(place)
        if need is not None:
            return need.met_by(low, high, SLACK * float(self.unit[place]))
        if self.unit[place] != 1.0:
            return 5 * (high - low) >= high - SLACK * float(self.unit[place])
        return high - low >= self.rules.min_people - SLACK
