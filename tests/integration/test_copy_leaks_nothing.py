"""Evidence passes through a temporary table on its way to a hash: a COPY that fails quotes none of it anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from privacy_ops.stores.database import Database, DatabaseFault, copy_rows
from privacy_ops.stores.sql import statement
from sqlalchemy import text
from sqlalchemy.engine import make_url

from sandbox.postgres import PostgresServer
from tests.integration.press import Press

PLANTED = "born on the 7th, PLANTED-7731"
COLUMNS = ("subject_table", "subject_key", "source_table", "source_column", "row_key", "signal", "strength", "usable",
           "flags", "value")  # fmt: skip


def write(database: Database, usable: Any, *, verbose: bool = False) -> None:
    """One row with the planted value, as detection writes it."""
    row = ["press.account", ["7"], "press.profile", "dob_raw", ["7"], "SIG-01", "S", usable, [], PLANTED]
    with database.transaction() as connection:
        if verbose:
            connection.execute(text("SET log_error_verbosity = verbose"))
        connection.execute(statement("minors", "create_judged_signal_table"))
        copy_rows(connection, "judged_signal", COLUMNS, [row])


@pytest.mark.parametrize("usable", [None, "perhaps"])  # no value where one must stand; no boolean
def test_a_copy_that_fails_says_nothing_of_its_rows(press: Press, cluster: PostgresServer, usable: Any) -> None:
    duty = Database(press.workspace.settings.dsn("detect"), duty="detect")
    name = make_url(press.workspace.settings.dsn("detect")).database
    press.execute(f'ALTER DATABASE "{name}" SET log_error_verbosity = verbose')  # the role's own setting outranks it
    before = cluster.log.stat().st_size
    with pytest.raises(DatabaseFault) as caught:
        write(duty, usable)
    logged = cluster.log.read_bytes()[before:].decode()
    assert "judged_signal" in logged or "boolean" in logged, "the refusal itself is logged"
    assert PLANTED not in logged
    said: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        said.append(repr(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert PLANTED not in " ".join(said)


def test_the_log_would_show_it_without_the_setting_of_the_role(press: Press, cluster: PostgresServer) -> None:
    """That the test above can fail."""
    before = cluster.log.stat().st_size
    with pytest.raises(DatabaseFault):
        write(press.superuser, None, verbose=True)
    assert PLANTED in cluster.log.read_bytes()[before:].decode()
