"""The volume breaker: many confirmed children in one night may be a bad feed. Erasing waits, restricting never does.

It counts every confirmed case of the rolling window and every older one that the plan would erase, canaries left out,
before anything is cut into batches: what nobody released last night is asked for again, not waved through.
"""

from __future__ import annotations

from dataclasses import dataclass

from privacy_ops.thresholds import Breaker


@dataclass(frozen=True)
class Figures:
    """confirmed: cases in the window or in the plan. subjects: all accounts. largest_feed: cases of the feed that
    brought most.
    median: confirmed cases per earlier run; history_runs: how many runs that median rests on."""

    confirmed: int
    subjects: int
    largest_feed: int
    history_runs: int
    median: float


@dataclass(frozen=True)
class Decision:
    """tripped: two people must release the plan. reasons: codes of the rules that spoke. baseline: enough history."""

    tripped: bool
    reasons: tuple[str, ...]
    baseline: bool


def decide(figures: Figures, limits: Breaker) -> Decision:
    """Trip at ``min_cases`` and one of: share of all accounts, multiple of the median, one feed behind most of it.

    Without ``min_history_runs`` earlier runs the median says nothing; the other two rules still do.
    """
    baseline = figures.history_runs >= limits.min_history_runs
    if figures.confirmed < limits.min_cases:
        return Decision(False, (), baseline)
    reasons = []
    if figures.confirmed > limits.max_share * figures.subjects:
        reasons.append("SHARE_OF_ACCOUNTS")
    if baseline and figures.confirmed > limits.median_factor * max(figures.median, 1.0):
        reasons.append("MULTIPLE_OF_MEDIAN")
    if figures.largest_feed > limits.single_source_share * figures.confirmed:
        reasons.append("SINGLE_SOURCE")
    return Decision(bool(reasons), tuple(reasons), baseline)
