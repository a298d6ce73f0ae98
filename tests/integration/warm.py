"""What the process holds that the killed ones are forks of: imported there alone, before the first of them.

Without it each of them would import Great Expectations and build its first gate and its first S3 client again: two
and a half seconds of processor, ten times what the work to be killed needs of its own.
"""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow.pandas_compat  # noqa: F401
import pyarrow.parquet  # noqa: F401
import pytest.__main__  # noqa: F401 - a child imports the program it is a part of
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Check, Suite
from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.objects import ObjectStore

from tests.integration import crash, delivery_crash  # noqa: F401

_SUITE = Suite(
    "warm",
    "One row, and a number in it",
    (
        Check("rows", "One row", "ExpectTableRowCountToEqual", {"value": 1}),
        Check("number", "Nothing", "ExpectColumnMaxToBeBetween", {"column": "n", "max_value": 0}),
    ),
)
_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

_verdict = runner.judge(
    _SUITE, pd.DataFrame({"n": [0]}), run_id="warm", subject_sha256="", judged_at=_NOON, valid_for=timedelta(hours=1)
)
if _verdict.verdict != "pass":
    raise RuntimeError("no process could be prepared: the first gate did not hold")
_ = ObjectStore(ObjectSettings("http://127.0.0.1:9", "test", "test-secret", "eu-west-2")).client
gc.freeze()  # a collection in a child would write to every page that it shares with this one
