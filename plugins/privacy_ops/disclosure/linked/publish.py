"""From a mask to what readers get: counts rounded, ratios as bands, one mark for everything withheld.

Rounding comes last, because a rounded table that is then thinned out can be solved. Rounded numbers need not add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from privacy_ops.disclosure.linked.cells import PublishedCell, share_of
from privacy_ops.disclosure.linked.frame import Entry, Key
from privacy_ops.disclosure.linked.protect import Mask
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.disclosure.linked.table import Table


def publish(table: Table, mask: Mask, rules: Rules) -> tuple[PublishedCell, ...]:
    """Every cell of the row set in order of key, whatever is in it."""
    return tuple(PublishedCell(key, _values(table, key, mask, rules)) for key in table.frame.keys)


def project(cells: Iterable[PublishedCell], keys: Iterable[Key], names: Iterable[str]) -> tuple[PublishedCell, ...]:
    """A recipient's file: some rows and columns of the master, nothing changed."""
    rows, columns = set(keys), list(names)
    return tuple(
        PublishedCell(cell.key, {name: cell.values[name] for name in columns}) for cell in cells if cell.key in rows
    )


def _values(table: Table, key: Key, mask: Mask, rules: Rules) -> Mapping[str, int | str | None]:
    facts = table.facts[key]
    values: dict[str, int | str | None] = {}
    for measure in table.frame.measures:
        count = facts.counts[measure.name]
        is_shown = Entry(key, measure.name) not in mask.withheld
        values[measure.name] = rules.rounded(count) if is_shown else None
        if measure.share and measure.within is not None:
            around = facts.counts[measure.within]
            values[share_of(measure.name)] = rules.share_bands.of(100 * count, around) if is_shown else None
    for amount in table.frame.amounts:
        is_shown = Entry(key, amount.name) not in mask.withheld
        people = rules.amount_unit * facts.counts[amount.of]
        values[amount.name] = rules.amount_bands.of(facts.amounts[amount.name].total, people) if is_shown else None
    return values
