"""How long the pages of the console take with 100,000 rows behind each, written to bench/CONSOLE.md.

python -m bench.console [--rows 100000]

The pages are asked through the same application that Airflow serves, on a PostgreSQL that is started for it. What
counts is the processor time of application and database together: it is what a page takes on a machine that has nothing
else to do. The best of several times by the clock stands beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer, free_port
from sandbox.state import PROJECT

REPORT = Path(__file__).with_name("CONSOLE.md")
ROWS = 100_000
LIMIT_MS = 300
REPEATS = 15
PAGES_OF = ("console", "evidence")  # duties by which the pages read

# Made up, of the size that the real ones have: a dozen checks per verdict, eleven files per release.
CHECKS = [
    {
        "id": f"G-{n:02}",
        "title": "Nothing is left",
        "do": "look",
        "severity": "critical",
        "success": True,
        "observed": n,
    }
    for n in range(12)
]
LEVELS = {
    f"M{n}": {
        "metric": f"M{n}", "title": "Seen to done", "unit": "hours", "note": "", "measured": 100, "open": 3, "over": 0,
        "breached": 0, "median": 1.5, "worst": 9.0, "target": 4, "limit": 24,
    }
    for n in range(1, 9)
}  # fmt: skip
FACTS = {
    "place": "bucket:x", "nature": "STORAGE", "country": "US", "regimes": ["UK", "EU"],
    "importer": {"entity_id": "aws", "name": "Aws", "relationship": "PROCESSOR", "role": "processor"},
}  # fmt: skip
FILES = [{"name": f"f{n}.csv", "sha256": "0" * 64, "bytes": 1000, "version_id": "v"} for n in range(11)]
UTILITY = {"tables": {"course": {"values": 6, "published": 4}}, "withheld_by": {"few": 3, "complement": 1}}
ADVERSE = [{"step": "adequacy", "text": "no instrument and no mechanism", "cites": "adequacy_instruments.csv:US"}]

FILL = (
    "INSERT INTO gov.run (run_id, dag_id, as_of, run_type, dry_run, code_version, thresholds_sha256, map_sha256,"
    " tzdata_version, state, closed_at, facts) SELECT d || '/scheduled__' || n, d, now() - n * interval '1 hour',"
    " 'scheduled', false, '1', 't', 'm', 't', 'done', now() - n * interval '1 hour',"
    " jsonb_build_object('plan', jsonb_build_object('cases', n)) || CASE WHEN d = 'minor_data_deletion'"
    " THEN jsonb_build_object('service_levels', CAST(:levels AS jsonb)) ELSE '{}' END"
    " FROM unnest(ARRAY['minor_data_deletion', 'erasure_verification', 'course_usage_export',"
    " 'transfer_inventory_check']) AS d, generate_series(1, :rows / 4) AS n",
    "INSERT INTO gov.gate_result (run_id, gate, verdict, subject_sha256, checks, judged_at, expires_at, report_html)"
    " SELECT 'minor_data_deletion/scheduled__' || (:rows - n) / 35, 'gate.' || n % 35,"
    " CASE n % 997 WHEN 0 THEN 'block' WHEN 1 THEN 'warn' ELSE 'pass' END, md5(n::text), CAST(:checks AS jsonb),"
    " now() - (:rows - n) * interval '1 minute', now(), repeat('x', 6000) FROM generate_series(1, :rows) AS n",
    "INSERT INTO gov.minor_case (case_id, subject_kind, subject_table, subject_key, subject_ref, ref_key_id, class,"
    " state, discovered_at, restricted_at, opened_by_run, judged_by_run) SELECT gen_random_uuid(), 'person', 't',"
    " ARRAY[n::text], md5(n::text), 'k', CASE n % 3 WHEN 0 THEN 'SUSPECTED_MINOR' ELSE 'CONFIRMED_MINOR' END,"
    " (ARRAY['CLOSED', 'RESTRICTED', 'OPEN', 'ON_HOLD'])[1 + n % 4], now() - n * interval '10 minutes', now(), 'x', 'x'"
    " FROM generate_series(1, :rows) AS n",
    "INSERT INTO gov.erasure_plan (plan_id, run_id, frozen_at, as_of, state) VALUES ('00000000-0000-0000-0000-"
    "000000000001', 'r', now(), now(), 'certified')",
    "INSERT INTO gov.certificate (case_id, plan_id, bucket, object_key, sha256, issued_at) SELECT case_id,"
    " '00000000-0000-0000-0000-000000000001', 'b', 'certificates/' || case_id || '.json', md5(case_id::text),"
    " discovered_at FROM gov.minor_case",
    "INSERT INTO gov.certificate_supplement (case_id, number, bucket, object_key, sha256, told_sha256, issued_at)"
    " SELECT case_id, 1, bucket, object_key, sha256, '', issued_at FROM gov.certificate",
    "INSERT INTO gov.downstream_instruction (instruction_id, plan_id, case_id, party, state, created_at)"
    " SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000001', case_id, 'party ' || row_number() OVER () % 12,"
    " 'acknowledged', discovered_at FROM gov.minor_case",
    "INSERT INTO gov.erasure_ledger (seq, at, kind, case_id, payload, prev_hash, hash) SELECT n, now(), 'erased', NULL,"
    " '{}', md5((n - 1)::text), md5(n::text) FROM generate_series(1, :rows) AS n",
    "INSERT INTO gov.ledger_copy (seq, hash, suppression_sha256, bucket, object_key, copied_at) SELECT n, md5(n::text),"
    " '', 'b', n::text, now() FROM generate_series(1, :rows, 50) AS n",
    "INSERT INTO gov.suppression_entry (hmac, id_type, key_id, reason, block, valid_until, case_id, created_at)"
    " SELECT md5(n::text), 'email', 'k', 'MINOR', 'IMPORT_RESTORE', current_date, gen_random_uuid(), now()"
    " FROM generate_series(1, :rows) AS n",
    "INSERT INTO gov.canary (subject_ref, ref_key_id, planted_at) SELECT md5(n::text), 'k',"
    " now() - n * interval '1 day' FROM generate_series(1, 1000) AS n",
    "INSERT INTO gov.return_finding (case_id, run_id, found_at, asset, found_by, verdict, rows, settled_at)"
    " SELECT gen_random_uuid(), 'r', now(), 't', 'email', 'new_record', 1, now() FROM generate_series(1, :rows) AS n",
    "INSERT INTO gov.redaction (redaction_id, case_id, table_name, column_name, row_key, firsts, lasts, text_sha256,"
    " proposed_by, proposed_at, state, ended_at) SELECT gen_random_uuid(), case_id, 'feedback.comment', 'text',"
    " ARRAY['1'], '{1,40}', '{9,48}', 's', 'account:emil', discovered_at, CASE n % 1000 WHEN 0 THEN 'proposed'"
    " ELSE 'verified' END, CASE n % 1000 WHEN 0 THEN NULL ELSE discovered_at END"
    " FROM (SELECT *, row_number() OVER () AS n FROM gov.minor_case) AS c",
    "INSERT INTO gov.redaction_answer (redaction_id, way, person, answer, at) SELECT redaction_id, 'login', p, a,"
    " proposed_at FROM gov.redaction, unnest(ARRAY['rosa', 'ravi']) AS p, unnest(ARRAY['viewed', 'confirmed']) AS a",
    "INSERT INTO gov.recipient (recipient_id, kind, legal_name, country, status) SELECT 'recipient-' || n, 'author',"
    " 'Press ' || n, 'GB', 'active' FROM generate_series(1, 200) AS n",
    "INSERT INTO gov.release_register (release_id, product, recipient_id, iso_week, window_start, window_end,"
    " spec_version, as_of, released_at, run_id, code_version, thresholds_sha256, map_sha256, object_prefix, files,"
    " pack_sha256, n_rows, n_withheld, entitlement, gate_result_id, approvers, period_key, utility)"
    " SELECT 'r' || lpad(to_hex(n), 15, '0'), 'EXP-AUTHOR', 'recipient-' || 1 + n % 200, '2026-W10', now(), now(),"
    " 's' || n, now(), now() - n * interval '1 minute', 'r', '1', 't', 'm', 'p/', CAST(:files AS jsonb), md5(n::text),"
    " 30, 4, jsonb_build_array(jsonb_build_object('course_id', (n % 60)::text, 'modules', '[]'::jsonb, 'agreements',"
    " '[\"AG\"]'::jsonb)), 1, '{}', '2026-W' || 10 + n % 40, CAST(:utility AS jsonb)"
    " FROM generate_series(1, :rows) AS n",
    "INSERT INTO gov.release_event (release_id, kind, run_id, at) SELECT release_id, 'published', 'r', released_at"
    " FROM gov.release_register",
    "INSERT INTO gov.release_delivery (release_id, kind, at, run_id) SELECT release_id, 'receipt', released_at, 'r'"
    " FROM gov.release_register",
    "INSERT INTO gov.inventory_snapshot (run_id, basis, taken_at, judged_on, known_on, reference_version,"
    " reference_sha256, reference_reviewed_on, registry_sha256, map_sha256, observers, inventory_sha256, published_at)"
    " VALUES ('r', 'observed', now(), now(), now(), '1', 's', now(), 's', 's', '[]', 's', now())",
    "INSERT INTO gov.inventory_flow (snapshot_id, flow_key, place, nature, country, importer, personal,"
    " special_category, seen_by, detail, destination, facts) SELECT s.snapshot_id, md5(n::text), 'bucket:' || n,"
    " 'STORAGE', (ARRAY['GB', 'US', 'IE', 'IN'])[1 + n % 4], 'aws', true, false, '{buckets}', 'd', 'bucket:' || n,"
    " CAST(:facts AS jsonb) FROM gov.inventory_snapshot AS s, generate_series(1, :rows) AS n",
    "INSERT INTO gov.flow_verdict (snapshot_id, flow_key, regime, verdict, instrument, flags, by_state, reasons)"
    " SELECT snapshot_id, flow_key, r, CASE WHEN country = 'IN' THEN 'UNCOVERED' ELSE 'COVERED' END, 'i', '{}', '{}',"
    " CAST(:reasons AS jsonb) FROM gov.inventory_flow, unnest(ARRAY['UK', 'EU']) AS r",
    "INSERT INTO gov.finding (fingerprint, process, rule, severity, asset, title, what_to_do, owner, observers, status,"
    " first_seen, last_seen, due_on, last_run_id) SELECT md5(n::text), 'p', 'rule ' || n % 8,"
    " (ARRAY['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO'])[1 + n % 5], 'bucket:' || n, 'not covered', 'do', 'o', '{}',"
    " CASE n % 2 WHEN 0 THEN 'open' ELSE 'closed' END, now(), now(), CASE n % 5 WHEN 4 THEN NULL"
    " ELSE current_date + n % 60 END, 'r' FROM generate_series(1, :rows) AS n",
    "INSERT INTO gov.blocked_destination (destination, fingerprint, reason, blocked_at, lifted_at) SELECT asset,"
    " fingerprint, 'r', now(), CASE WHEN right(fingerprint, 1) = '0' THEN NULL ELSE now() END FROM gov.finding",
    "INSERT INTO gov.approval (run_id, what, subject_sha256, approver, decision, decided_at)"
    " SELECT 'minor_data_deletion/scheduled__' || n, 'breaker', 's', 'p', 'approve', now()"
    " FROM generate_series(1, :rows) AS n",
    "INSERT INTO gov.console_action (action, target, person_id, person_name, at) SELECT 'pack', release_id, 'p', 'P',"
    " now() FROM gov.release_register",
)


@dataclass(frozen=True)
class Timed:
    """One page: how it was asked, the best time by the clock, mean processor time of both sides, its size, and the
    time of the first request, which also compiles templates and fills caches.
    """

    page: str
    clock_ms: float
    application_ms: float
    database_ms: float
    kilobytes: float
    first_ms: float

    @property
    def processor_ms(self) -> float:
        return self.application_ms + self.database_ms


@contextmanager
def database(rows: int) -> Iterator[tuple[dict[str, str], PostgresServer]]:
    """A gov with so many rows of everything; gives the addresses of the duties of the pages, and the server."""
    from privacy_ops.settings import DUTIES
    from privacy_ops.stores import migrations, roles

    passwords = {duty: secrets.token_hex(12) for duty in DUTIES}
    with tempfile.TemporaryDirectory(prefix="privacy-ops-bench-console-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder) / "postgres", free_port(), secrets.token_hex(12))
        server.start()
        try:
            admin = create_engine(server.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
            with admin.connect() as connection:
                connection.execute(text("CREATE DATABASE console"))
            migrations.upgrade(server.dsn("console"))
            roles.apply(server.dsn("console"), passwords, closed_databases=())
            if rows:
                _fill(server.dsn("console"), rows)
            url = make_url(server.dsn("console"))
            duties = {duty: url.set(username=f"privacy_{duty}", password=passwords[duty]) for duty in PAGES_OF}
            yield {duty: own.render_as_string(hide_password=False) for duty, own in duties.items()}, server
        finally:
            server.stop()


def _fill(dsn: str, rows: int) -> None:
    values = {
        "rows": rows,
        "levels": json.dumps(LEVELS),
        "checks": json.dumps(CHECKS),
        "files": json.dumps(FILES),
        "utility": json.dumps(UTILITY),
        "facts": json.dumps(FACTS),
        "reasons": json.dumps(ADVERSE),
    }
    engine = create_engine(dsn, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for statement in FILL:
            print(f"filling {statement.split()[2]}", file=sys.stderr)
            connection.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})
        connection.execute(text("VACUUM ANALYZE"))


def _connection(dsn: str) -> str:
    parts = make_url(dsn)
    return json.dumps({
        "conn_type": "postgres", "host": parts.host, "port": parts.port, "login": parts.username,
        "password": parts.password, "schema": parts.database,
    })  # fmt: skip


def signed_in(dsns: Mapping[str, str], folder: str) -> Any:
    """The console as Airflow serves it, with a lead signed in."""
    os.environ |= {
        "AIRFLOW_HOME": folder,
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__API_AUTH__JWT_SECRET": "made-up-" * 8,
        "PRIVACY_OPS_PRIVACY_LEADS": "lena",
    } | {f"AIRFLOW_CONN_PRIVACY_OPS_{duty.upper()}": _connection(dsn) for duty, dsn in dsns.items()}
    import privacy_console
    from airflow.api_fastapi.app import init_auth_manager
    from airflow.models.revoked_token import RevokedToken
    from fastapi import FastAPI
    from privacy_ops.console import airflow_state

    from tests.console_pages import browser

    # Airflow's own database is not what is measured.
    RevokedToken.is_revoked = staticmethod(lambda _jti: False)
    airflow_state.read = lambda _dags: airflow_state.AirflowState()
    whole = FastAPI()
    init_auth_manager(whole)
    for part in privacy_console.PrivacyConsole.fastapi_apps:
        whole.mount(part["url_prefix"], part["app"])
    return browser(whole, "admin", "lena")


def _pages(dsn: str) -> list[str]:
    """Every page, and the lists also in their middle and with their filters."""
    from privacy_ops.console import paging

    def cursor(*key: object) -> str:
        class Row:
            pass

        made = paging.page([Row()] * (paging.PAGE + 1), lambda _row: key, cursor="")
        return made.older

    engine = create_engine(dsn, poolclass=NullPool)
    with engine.connect() as connection:
        case, issued = connection.execute(
            text("SELECT case_id, issued_at FROM gov.certificate ORDER BY issued_at OFFSET 40000 LIMIT 1")
        ).one()
        release, released = connection.execute(
            text("SELECT release_id, released_at FROM gov.release_register ORDER BY released_at OFFSET 40000 LIMIT 1")
        ).one()
        mention = connection.execute(text("SELECT redaction_id FROM gov.redaction WHERE ended_at IS NULL LIMIT 1"))
        proposal = mention.scalar_one()
        verdict = connection.execute(text("SELECT max(gate_result_id) / 2 FROM gov.gate_result")).scalar_one()
    return [
        "/",
        "/erasures",
        "/erasures/certificates",
        f"/erasures/certificates?{cursor(issued, case)}",
        f"/erasures/certificates/{case}",
        f"/cases/{case}",
        "/redactions",
        f"/redactions/{proposal}",
        "/releases",
        f"/releases?{cursor(released, release)}",
        "/releases?recipient=recipient-7",
        "/releases?course=13&period=2026-W23",
        f"/releases/{release}",
        "/transfers",
        "/transfers/findings",
        "/transfers/findings?severity=CRITICAL",
        f"/transfers/findings?{cursor(datetime.now(UTC).date(), '8')}",
        "/transfers/flows",
        f"/transfers/flows?{cursor('8')}",
        "/transfers/flows?verdict=UNCOVERED",
        "/transfers/what-if",
        "/transfers/what-if?country=IE",
        "/gates",
        f"/gates?{cursor(verdict)}",
        "/gates?gate=gate.7&verdict=block",
        "/gates/trends/gate.7",
        "/dags/minor_data_deletion",
        "/dags/minor_data_deletion/runs/scheduled__7",
    ]


def measure(rows: int) -> list[Timed]:
    """Fill, and ask every page. Raises RuntimeError for one that does not answer with 200."""
    with database(rows) as (dsns, server), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        lena = signed_in(dsns, folder)
        timed = []
        postmaster = psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))
        for path in _pages(server.dsn("console")):
            began = time.perf_counter()
            answer = lena.get(f"/privacy{path}")  # compiles templates and statements
            first = (time.perf_counter() - began) * 1000
            clocks = []
            before, spent = _of_ended_sessions(postmaster), time.process_time()
            for _ in range(REPEATS):
                began = time.perf_counter()
                answer = lena.get(f"/privacy{path}")
                clocks.append(time.perf_counter() - began)
            application = (time.process_time() - spent) / REPEATS
            server_side = (_of_ended_sessions(postmaster) - before) / REPEATS
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answers {answer.status_code}")
            shown = path if len(path) < 60 and "after=" not in path else f"{path[: path.index('?') + 7]}…"
            size = len(answer.content) / 1024
            timed.append(Timed(shown, min(clocks) * 1000, application * 1000, server_side * 1000, size, first))
            print(f"{timed[-1].processor_ms:6.0f} ms  {path[:80]}", file=sys.stderr)
    return timed


def _of_ended_sessions(postmaster: psutil.Process) -> float:
    """Seconds of processor that sessions of the database have used; each request has one, and it ends with it."""
    time.sleep(0.5)
    used = postmaster.cpu_times()
    return float(used.children_user + used.children_system)


def render(timed: Sequence[Timed], rows: int, at: datetime, about: str) -> str:
    """The report."""
    late = [one for one in timed if one.processor_ms > LIMIT_MS]
    waited = [one for one in timed if one.clock_ms > LIMIT_MS]
    verdict = f"{len(late)} of {len(timed)} pages are slower" if late else "No page is slower"
    lines = [
        "# Page times of the console",
        "",
        f"Written by `python -m bench.console` on {at:%Y-%m-%d}:",
        f"{about}.",
        "",
        f"{rows:,} rows stand behind each page (runs,",
        "verdicts, cases, certificates, instructions, ledger and suppression entries, releases with events and",
        "deliveries, flows, findings; redactions with answers, of which one in a thousand waits).",
        f"{REPEATS} requests, one after another, each with sign-in, a new",
        "database connection and rendering; without what Airflow's own database says of next runs and questions.",
        "",
        f"**{verdict} than {LIMIT_MS} ms in processor time of application and database together; the slowest takes"
        f" {max(one.processor_ms for one in timed):.0f} ms.** By the clock, where the machine's other work counts too,"
        f" {f'{len(waited)} of {len(timed)} pages took longer' if waited else 'no page took longer'} in the best"
        f" of {REPEATS} requests; the slowest {max(one.clock_ms for one in timed):.0f} ms.",
        "",
        "Drawings of service levels, and the counts of an inventory once it is published, are kept by the process that",
        "serves them: the first request for a new night or a new inventory takes longer, by the column on the right.",
        "",
        "| page | processor, ms | of the application | of the database | best by the clock, ms | KiB"
        " | the first ever, by the clock, ms |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| `{one.page}` | {one.processor_ms:.0f} | {one.application_ms:.0f} | {one.database_ms:.0f}"
            f" | {one.clock_ms:.0f} | {one.kilobytes:.0f} | {one.first_ms:.0f} |"
            for one in timed
        ),
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    from bench.measure import machine

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--output", type=Path, default=REPORT)
    options = parser.parse_args(arguments)
    timed = measure(options.rows)
    options.output.write_text(render(timed, options.rows, datetime.now(UTC), machine()), encoding="utf-8")
    return int(any(one.processor_ms > LIMIT_MS for one in timed))


if __name__ == "__main__":
    raise SystemExit(main())
