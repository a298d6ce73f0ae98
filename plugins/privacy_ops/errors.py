"""The exception tree. A message says what was wrong, where, and what to do, and never names a person."""

from __future__ import annotations


class PrivacyOpsError(Exception):
    """Root of everything this package raises on purpose."""


class UserError(PrivacyOpsError):
    """Something that the reader of the message can mend: configuration, input, an absent server.

    Retrying does not help; Airflow tasks fail at once on it.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        self.what, self.where, self.do = what, where, do
        parts = [
            what if what.endswith((".", "!", "?")) or not (where or do) else what + ".",
            f"Where: {where}." if where else "",
            f"What to do: {do}" if do else "",
        ]
        super().__init__(" ".join(part for part in parts if part))


class ConfigError(UserError):
    """A setting, threshold file or key is missing or wrong."""


class DataMapError(UserError):
    """The data map cannot be read, or does not agree with itself or with the live catalogue."""


class StoreUnavailable(PrivacyOpsError):
    """A database or object store could not be reached. Worth a retry."""


class StoreRefused(UserError):
    """A database or object store answered, and refused: wrong password, missing bucket, missing right."""


class GateBlocked(UserError):
    """A gate said block, or what is about to happen is not what the gate judged.

    ``gate_result_id`` names the verdict whose report explains it, when there is one.
    """

    gate_result_id: int | None = None


class LedgerBroken(UserError):
    """The erasure ledger does not verify. All erasure stops."""


class PlanChanged(UserError):
    """Facts moved between plan and erasure: the plan is void and a new one must be judged."""


class ReleaseRefused(UserError):
    """A release would restate, widen or replace something that was published."""
