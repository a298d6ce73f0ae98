"""The attacker who kept every earlier file: what releases tell together that none of them tells alone (SPEC 4.3, 9).

Windows nest (a week in a block in a quarter) and packs of one course go to several readers. The comparison may hold a
release; it never changes a mask, which depends on window, specification and counts alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from privacy_ops.disclosure.linked.audit import Contradiction, Interval, audit, too_narrow
from privacy_ops.disclosure.linked.frame import Entry, Frame
from privacy_ops.disclosure.linked.primary import Need
from privacy_ops.disclosure.linked.publish import PublishedCell
from privacy_ops.disclosure.linked.rules import Rules


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
