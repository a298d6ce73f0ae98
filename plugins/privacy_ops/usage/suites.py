"""The checks of the export's three gates: on its input, on its staged files, on what was published."""

from __future__ import annotations

from privacy_ops.gates.suite import Check, Severity, Suite
from privacy_ops.thresholds import Thresholds
from privacy_ops.usage.release_spec import ReleaseSpec

INPUT, FILES, PUBLISHED = "export_input", "export_files", "export_published"
_RUNBOOK = "docs/runbooks/course_usage_export.md"
BASELINE_WEEKS = 8

_ONE_ROW = Check("E-00", "The metrics are there", "ExpectTableRowCountToEqual", {"value": 1})


def _number(
    ident: str,
    title: str,
    column: str,
    *,
    low: float | None = None,
    high: float | None = None,
    severity: Severity = "critical",
    do: str = "",
) -> Check:
    limits = {"min_value": low, "max_value": high}
    kwargs = {"column": column, **{name: value for name, value in limits.items() if value is not None}}
    return Check(ident, title, "ExpectColumnMaxToBeBetween", kwargs, severity, do)


def input_suite(thresholds: Thresholds) -> Suite:
    """May this week's input be counted? Codes E-… are the export's gate codes."""
    export = thresholds.export
    return Suite(
        INPUT,
        "May this week be counted?",
        (
            _ONE_ROW,
            _number(
                "E-01",
                f"Detection of minors ended less than {thresholds.detection_max_age_hours} hours ago",
                "detection_hours",
                low=0,
                high=thresholds.detection_max_age_hours,
                do="run minor_data_deletion to its end (not as a rehearsal), then clear this gate",
            ),
            _number(
                "E-01-minors",
                "Nobody with an open minor case is in the input",
                "minors_left",
                high=0,
                do="clear this gate: a case was opened while the input was read",
            ),
            _number(
                "E-02",
                "Somebody is entitled to something",
                "entitled_courses",
                low=1,
                do="look at include/registry/recipients.yaml: agreements must cover the period and the release day",
            ),
            _number(
                "E-02-courses",
                "Every entitled course exists",
                "unknown_courses",
                high=0,
                do="correct the course ids in the registry of recipients and load it again",
            ),
            _number(
                "E-03",
                "No staff, bot, objector or restricted person is in the input",
                "excluded_left",
                high=0,
                do="clear this gate: somebody objected or was restricted while the input was read",
            ),
            _number(
                "E-04",
                f"The week has been closed for {export.grace_hours} hours",
                "hours_closed",
                low=export.grace_hours,
                do="wait: late events must have come in, and a released week is never restated",
            ),
            _number(
                "E-04-hours",
                "The week is a London week of 167, 168 or 169 hours",
                "window_hours",
                low=167,
                high=169,
                do="look at the time-zone data of this machine",
            ),
            _number(
                "E-05",
                "There are events in the week that closes",
                "events",
                low=1,
                do="look at the load of page views and progress: an empty week is not believed",
            ),
            _number(
                "E-05-days",
                "Every day of what closes has events",
                "missing_days",
                high=0,
                severity="warning",
                do="look for a day that was not loaded",
            ),
            _number(
                "E-05-weeks",
                "Every week of the block, quarter or year that closes has events",
                "empty_weeks",
                high=0,
                severity="warning",
                do="look for a week that was not loaded; a person decides whether the publisher was closed then",
            ),
            _number(
                "E-05-baseline",
                f"There is a baseline of {BASELINE_WEEKS} weeks before each week that is counted",
                "baseline_weeks",
                low=BASELINE_WEEKS,
                severity="warning",
                do="no baseline yet: volumes cannot be compared",
            ),
            _number(
                "E-05-volume",
                f"Events of each week within ±{export.source_band:.0%} of the median of {BASELINE_WEEKS} before it",
                "source_ratio",
                low=1 - export.source_band,
                high=1 + export.source_band,
                severity="warning",
                do="look for a load that is incomplete or doubled, or note what happened",
            ),
        ),
        _RUNBOOK,
    )


def files_suite(spec: ReleaseSpec) -> Suite:
    """May exactly these staged files be published?"""
    limits = spec.thresholds
    restage = "clear the staging task; if it comes back, release nothing and find out what makes such files"
    unsafe = "release nothing: the masters of this period are not safe; withholding more needs a new spec version"
    return Suite(
        FILES,
        "May these files be published?",
        (
            _ONE_ROW,
            _number("E-12-plan", "The staged packs are the planned ones", "packs_off_plan", high=0, do=restage),
            _number("E-12-files", "Files, sums and signature of each pack agree", "wrong_files", high=0, do=restage),
            _number("E-12-metadata", "The metadata describes the files", "wrong_metadata", high=0, do=restage),
            _number(
                "E-02-files",
                "Each course in each pack is covered by an agreement in force",
                "uncovered",
                high=0,
                do="look at the registry of recipients; an agreement ended while the run waited",
            ),
            _number("E-06", f"No count from 1 to {limits.min_people - 1}", "small_counts", high=0, do=restage),
            _number(
                "E-06-round", f"Every count is a multiple of {limits.round_to}", "unrounded_counts", high=0, do=restage
            ),
            _number("E-06-flags", "Flags tell exactly where values are", "wrong_flags", high=0, do=restage),
            _number(
                "E-07",
                "Every master met its promises when it was protected, institutions among them",
                "exposed_masters",
                high=0,
                do=unsafe,
            ),
            _number("E-08", "No withheld number can be worked out from one pack", "exposed_cells", high=0, do=unsafe),
            _number("E-08-same", "A number is the same in every pack", "contradictions", high=0, do=restage),
            _number(
                "E-09",
                "Neither from all packs together, with all periods and revisions before",
                "narrowed_cells",
                high=0,
                do="hold the release: a part of the quarter or year says too much beside it; the mask does not change."
                " A correction: an older revision gives back what this one withholds; withdraw the release instead",
            ),
            _number("E-10", "Only columns of the dictionary, in their order", "wrong_columns", high=0, do=restage),
            _number(
                "E-10-grain", "Each row is there once, in order of its dimensions", "wrong_grain", high=0, do=restage
            ),
            _number(
                "E-10-rows",
                "The rows are those of the public lists, whoever is in them",
                "wrong_rows",
                high=0,
                do="release nothing: a row that is left out tells that nobody was there; find out where it was lost",
            ),
            _number("E-10-values", "The values are those of the protected masters", "wrong_values", high=0, do=restage),
            _number(
                "E-11",
                "Only bands and texts of the dictionary: no share outside its bands",
                "unknown_values",
                high=0,
                do=restage,
            ),
            _number("E-12-hidden", "Nothing is in a file but its rows", "hidden_data", high=0, do=restage),
            _number("E-12-formulas", "No spreadsheet takes a text for a formula", "formulas", high=0, do=restage),
            _number(
                "E-13",
                "Nothing looks like an address, a telephone number or an id of a person",
                "identifiers",
                high=0,
                do="look at course and module titles",
            ),
            _number(
                "E-15-correction",
                "A correction changes a value by nothing, by 15 or more, or withholds it",
                "refused_corrections",
                high=0,
                do="refused: smaller differences between two revisions tell of few; withdraw the release instead",
            ),
            _number(
                "E-15",
                "No released period is restated",
                "restated",
                high=0,
                do="this period was released under other rules: keep it; corrections are releases of their own",
            ),
            _number(
                "E-17",
                "Noisy counts come from one kept draw that the year's privacy budget covers",
                "overspent",
                high=0,
                do="release no noisy count of this year any more; find out what made a draw beyond the budget",
            ),
        ),
        _RUNBOOK,
    )


def published_suite() -> Suite:
    """Is what stands in the bucket what was judged and registered?"""
    incident = "treat it as an incident: somebody changed published objects"
    return Suite(
        PUBLISHED,
        "Is what was published what was judged?",
        (
            _ONE_ROW,
            _number("E-12-registered", "Each planned pack is in the register", "unregistered", high=0, do=incident),
            _number(
                "E-14",
                "A person approved what is new, what a gate warned of, and each correction",
                "unapproved",
                high=0,
                do="treat it as an incident: something left the house past its lock; withdraw it until it was read",
            ),
            _number("E-12-bytes", "Published bytes are the registered ones", "wrong_bytes", high=0, do=incident),
        ),
        _RUNBOOK,
    )
