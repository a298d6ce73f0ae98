"""The attacker who kept every earlier file: what releases tell together that none of them tells alone.

Windows nest (a week in a block in a quarter) and packs of one course go to several readers. The comparison may hold a
release; it never changes a mask, which depends on window, specification and counts alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


def compare_revisions(
    newest: Sequence[PublishedCell],
    older: Iterable[PublishedCell],
    frame: Frame,
    rules: Rules,
    needs: Mapping[Entry, Need],
) -> tuple[Interval, ...]:
    """Attack the newest revisions with what older ones told of numbers that are withheld now; what is left too little
    room, in order of key.

    Not all that was true then is true now. An older number that contradicts the newest ones is of no use to the
    attacker, and only that number: he keeps every other. Older ones that contradict each other are tried in turns, so
    that each that may still be true is used at least once; the newest are attacked even when none is.
    Raises Contradiction when the newest contradict each other, ValueError for a cell outside the frame.
    """
    if not needs:
        return ()
    shown = {entry for entry, value in _several(newest) if value is not None}
    left = sorted({(e, v) for e, v in _several(older) if v is not None and e not in shown}, key=str)
    told = {one.entry: one for one in too_narrow(audit(newest, frame, rules, needs))}
    some = dict([next(iter(needs.items()))])  # one question shows whether numbers fit together
    tried: list[_Number] = []
    while left:
        used = _fitting(newest, [*left, *tried], frame, rules, some)
        if not (fresh := set(left) & set(used)):
            break
        told |= {one.entry: one for one in too_narrow(audit([*newest, *map(_cell, used)], frame, rules, needs))}
        tried += [one for one in left if one in fresh]
        left = [one for one in left if one not in fresh]
    return tuple(told[entry] for entry in sorted(told))


_Number = tuple[Entry, int | str]


def _fitting(
    cells: Sequence[PublishedCell],
    more: Sequence[_Number],
    frame: Frame,
    rules: Rules,
    needs: Mapping[Entry, Need],
) -> list[_Number]:
    """As many of ``more`` as can be true beside ``cells``, the first before the last."""
    try:
        audit([*cells, *map(_cell, more)], frame, rules, needs)
    except Contradiction:
        if len(more) == 1:
            return []
    else:
        return list(more)
    half = len(more) // 2
    first = _fitting(cells, more[:half], frame, rules, needs)
    return first + _fitting([*cells, *map(_cell, first)], more[half:], frame, rules, needs)


def _cell(number: _Number) -> PublishedCell:
    entry, value = number
    return PublishedCell(entry.key, {entry.measure: value})


def _several(cells: Iterable[PublishedCell]) -> Iterator[tuple[Entry, int | str | None]]:
    for cell in cells:
        for name, value in cell.values.items():
            yield Entry(cell.key, name), value


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
    return dict(_several(cells))
