"""The oracle of complementary suppression: the fewest numbers to withhold, by a mixed-integer program. Small tables.

For each need there is a table that differs from the true one only where something is withheld (Fischetti and Salazar's
formulation with one copy of the table per need). It asks of primaries what the spec asks, and nothing of the others.
"""

from __future__ import annotations

import highspy
import numpy as np
from privacy_ops.disclosure.linked.frame import Entry
from privacy_ops.disclosure.linked.primary import primaries
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.disclosure.linked.table import Table

from tests.linked_tables import numbers


def random_table(seed: int) -> Table:
    """Up to 8 × 6 with margins, most of it small."""
    draw = np.random.default_rng(seed)
    rows, columns = int(draw.integers(2, 9)), int(draw.integers(2, 7))
    scale = draw.choice((8, 20, 60))
    return numbers(*np.floor(draw.exponential(scale, (rows, columns))).astype(int).tolist())


def fewest_withheld(table: Table, rules: Rules) -> int:
    """Numbers withheld in the best mask of a table of one measure whose relations are all sums."""
    (measure,) = table.frame.measures
    entries = [Entry(key, measure.name) for key in table.frame.keys]
    place = {entry.key: number for number, entry in enumerate(entries)}
    true = [table.value(entry) for entry in entries]
    needs = primaries(table, rules).needs
    solver = highspy.Highs()
    for name, value in {"output_flag": False, "threads": 1, "random_seed": 0}.items():
        solver.setOptionValue(name, value)
    for entry in entries:
        solver.addVar(1.0 if entry in needs else 0.0, 1.0)
    count = len(entries)
    solver.changeColsCost(count, np.arange(count, dtype=np.int32), np.ones(count))
    solver.changeColsIntegrality(
        count, np.arange(count, dtype=np.int32), np.array([highspy.HighsVarType.kInteger] * count)
    )
    for entry, need in sorted(needs.items()):
        target = place[entry.key]
        for goal in (need.up_to, need.down_to):
            if goal is None or goal == true[target]:
                continue
            far = abs(goal - true[target])  # in a table with margins no other number has to move further
            first = solver.getNumCol()
            for number in range(count):
                low, high = -min(far, true[number]), far
                fixed = number == target
                solver.addVar(goal - true[number] if fixed else low, goal - true[number] if fixed else high)
                moved = first + number
                solver.addRow(
                    -highspy.kHighsInf, 0, 2, np.array([moved, number], dtype=np.int32), np.array([1.0, -high])
                )
                solver.addRow(0, highspy.kHighsInf, 2, np.array([moved, number], dtype=np.int32), np.array([1.0, -low]))
            for relation in table.frame.relations:
                terms = [first + place[relation.parent], *(first + place[child] for child in relation.children)]
                solver.addRow(
                    0, 0, len(terms), np.array(terms, dtype=np.int32), np.array([1.0] + [-1.0] * (len(terms) - 1))
                )
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError("the mixed-integer program found no optimum")
    return round(solver.getInfo().objective_function_value)
