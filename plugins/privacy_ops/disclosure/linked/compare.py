"""The attacker who kept every earlier file: what releases tell together that none of them tells alone.

Windows nest (a week in a block in a quarter) and packs of one course go to several readers. The comparison may hold a
release; it never changes a mask, which depends on window, specification and counts alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from privacy_ops.disclosure.linked.audit import Contradiction, Interval, audit, too_narrow
from privacy_ops.disclosure.linked.cells import Need, PublishedCell
from privacy_ops.disclosure.linked.frame import Entry, Frame
from privacy_ops.disclosure.linked.rules import Rules

LEAST_CORRECTION = 15  # below it, the difference of two revisions is about a handful of people


@dataclass(frozen=True)
class Comparison:
    """Why a release must wait. ``narrowed``: numbers that this release, with all before it, leaves too little room.

    ``before``: those that the earlier ones did not protect as it is; this release is not to blame, but is held too.
    ``contradiction``: the releases cannot all be true, e.g. a number is shown in two ways.
    """

    narrowed: tuple[Interval, ...] = ()
    before: tuple[Interval, ...] = ()
    contradiction: str | None = None

    @property
    def holds(self) -> bool:
        return bool(self.narrowed or self.before or self.contradiction)


def compare(
    earlier: Iterable[Sequence[PublishedCell]],
    release: Sequence[PublishedCell],
    frame: Frame,
    rules: Rules,
    needs: Mapping[Entry, Need],
) -> Comparison:
    """Attack all releases together.

    ``frame`` spans every window and reader (time is a dimension); ``needs`` are those that the masters of all releases
    recorded. A number that a stricter reader's file withholds and the master shows has no need, so it is not judged.
    Raises ValueError for a cell outside the frame.
    """
    kept = [cell for cells in earlier for cell in cells]
    try:
        known = {interval.entry for interval in too_narrow(audit(kept, frame, rules, needs))}
        together = too_narrow(audit([*kept, *release], frame, rules, needs))
    except Contradiction as error:
        return Comparison(contradiction=str(error))
    return Comparison(
        narrowed=tuple(interval for interval in together if interval.entry not in known),
        before=tuple(interval for interval in together if interval.entry in known),
    )


def refused_corrections(before: Iterable[PublishedCell], after: Iterable[PublishedCell]) -> tuple[Entry, ...]:
    """Numbers that a new revision of a release may not restate so, in order of key.

    A published count may stay, change by ``LEAST_CORRECTION`` or more, or become withheld; a band may stay or become
    withheld; nothing that was withheld may appear, and the rows stay the rows.
    """
    old, new = _numbers(before), _numbers(after)
    stays = old.keys() & new.keys()
    moved = {entry for entry in stays if not may_follow(old[entry], new[entry])}
    return tuple(sorted(moved | (old.keys() ^ new.keys())))


def may_follow(was: int | str | None, becomes: int | str | None) -> bool:
    """Whether a correction may put one value in the place of another."""
    if becomes is None or becomes == was:
        return True
    return isinstance(was, int) and isinstance(becomes, int) and abs(becomes - was) >= LEAST_CORRECTION


def _numbers(cells: Iterable[PublishedCell]) -> dict[Entry, int | str | None]:
    return {Entry(cell.key, name): value for cell in cells for name, value in cell.values.items()}
