"""Holds over parts of a case, spans taken out of other people's texts, canaries that are withdrawn."""

from alembic import op

revision = "0021_parts_held"
down_revision = "0020_operations"
branch_labels = None
depends_on = None

UPGRADE = """
-- Empty: the whole case. Else tables and columns (schema.table or schema.table.column): only these cells are kept.
ALTER TABLE gov.legal_hold ADD COLUMN scope text[] NOT NULL DEFAULT '{}';

CREATE TABLE gov.erasure_hold (             -- what a plan keeps because of a hold over parts of a case
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    case_id uuid NOT NULL REFERENCES gov.minor_case,
    hold_id bigint NOT NULL REFERENCES gov.legal_hold,
    step_no integer NOT NULL,
    table_name text NOT NULL,
    columns text[] NOT NULL,
    planned bigint NOT NULL,                -- rows
    kept bigint,                            -- rows whose cells were copied before they went
    PRIMARY KEY (plan_id, case_id, hold_id, step_no)
);

-- The cells under a hold, apart from everything else: no duty may read them. Staff who need them for the claim are
-- granted them by name, outside of these jobs.
CREATE TABLE gov.held_record (
    record_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hold_id bigint NOT NULL REFERENCES gov.legal_hold,
    case_id uuid NOT NULL,
    source text NOT NULL,                   -- table of the data map
    cells jsonb NOT NULL,
    kept_at timestamptz NOT NULL
);
CREATE INDEX held_record_of_hold ON gov.held_record (hold_id);

-- Cells of holds that ended. The ledger knows holds that ended before a restored backup forgot it.
CREATE FUNCTION gov.delete_held()
RETURNS TABLE (ended_hold bigint, held_case uuid, records bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
        DELETE FROM gov.held_record AS r USING gov.legal_hold AS h
        WHERE h.hold_id = r.hold_id AND (
            h.released_at IS NOT NULL OR h.hold_id IN (
                SELECT CAST(CAST(l.payload AS jsonb) ->> 'hold' AS bigint) FROM gov.erasure_ledger AS l
                WHERE l.kind = 'held_erased'
            )
        )
        RETURNING r.hold_id, r.case_id
    )
    SELECT hold_id, case_id, count(*) FROM gone GROUP BY hold_id, case_id ORDER BY hold_id, case_id
$$;
REVOKE ALL ON FUNCTION gov.delete_held() FROM PUBLIC;

-- Characters that are taken out of somebody else's text; never a word of it.
CREATE TABLE gov.redaction (
    redaction_id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES gov.minor_case,    -- about whom
    table_name text NOT NULL,
    column_name text NOT NULL,
    row_key text[],                         -- whose text; emptied when it is over
    firsts integer[] NOT NULL,              -- half-open places, in order
    lasts integer[] NOT NULL,
    text_sha256 text NOT NULL,              -- salted by the id: the text that people read
    proposed_by text NOT NULL CHECK (proposed_by <> ''),
    proposed_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN
        ('proposed', 'rejected', 'confirmed', 'intended', 'redacted', 'verified', 'refused')),
    reason text NOT NULL DEFAULT '',
    intent_at timestamptz,
    redacted_at timestamptz,
    result_sha256 text,
    ended_at timestamptz,
    CHECK (cardinality(firsts) = cardinality(lasts) AND cardinality(firsts) > 0)
);
CREATE INDEX redaction_case ON gov.redaction (case_id);
CREATE INDEX redaction_state ON gov.redaction (state);
CREATE TABLE gov.redaction_answer (
    redaction_id uuid NOT NULL REFERENCES gov.redaction,
    person text NOT NULL CHECK (person <> ''),
    answer text NOT NULL CHECK (answer IN ('viewed', 'confirmed', 'rejected')),
    at timestamptz NOT NULL,
    PRIMARY KEY (redaction_id, person, answer)
);

ALTER TABLE gov.canary
    ADD COLUMN withdrawn_at timestamptz,
    ADD COLUMN withdrawn_by text,
    ADD CONSTRAINT canary_withdrawn CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND withdrawn_by <> '');
CREATE OR REPLACE VIEW gov.canary_state AS
SELECT k.planted_at, k.expect, c.class, c.state, c.discovered_at, c.closed_at
FROM gov.canary AS k
LEFT JOIN LATERAL (
    SELECT m.class, m.state, m.discovered_at, m.closed_at FROM gov.minor_case AS m
    WHERE m.subject_ref = k.subject_ref ORDER BY m.discovered_at DESC LIMIT 1
) AS c ON true
WHERE k.withdrawn_at IS NULL;
"""

DOWNGRADE = """
CREATE OR REPLACE VIEW gov.canary_state AS
SELECT k.planted_at, k.expect, c.class, c.state, c.discovered_at, c.closed_at
FROM gov.canary AS k
LEFT JOIN LATERAL (
    SELECT m.class, m.state, m.discovered_at, m.closed_at FROM gov.minor_case AS m
    WHERE m.subject_ref = k.subject_ref ORDER BY m.discovered_at DESC LIMIT 1
) AS c ON true;
ALTER TABLE gov.canary DROP CONSTRAINT canary_withdrawn, DROP COLUMN withdrawn_at, DROP COLUMN withdrawn_by;
DROP TABLE gov.redaction_answer, gov.redaction;
DROP FUNCTION gov.delete_held();
DROP TABLE gov.held_record, gov.erasure_hold;
ALTER TABLE gov.legal_hold DROP COLUMN scope;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
