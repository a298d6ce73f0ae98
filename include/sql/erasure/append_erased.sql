-- Purpose: append to the ledger, case by case, that the rows of a plan went: what its steps found of each, table by
-- table, and what holds kept. Built here and not in Python: the rows of the publisher stay locked meanwhile.
-- Parameters: plan_id, at. Grain: one row, the last entry (seq, hash); one entry per case, in the order of case_id.
-- Idempotency: none; it belongs into the transaction that erases.
-- The payload is canonical JSON, as signing.canonical_json writes it: keys in order, no blanks.
WITH label AS (
    SELECT
        step_no,
        table_name || ' ' || action AS asset,
        min(step_no) OVER (PARTITION BY table_name, action) AS first_no
    FROM gov.erasure_step
    WHERE plan_id = :plan_id
),

of_step AS (  -- first of all: the plan's rows are many, its steps are few
    SELECT
        case_id,
        step_no,
        count(*) AS done
    FROM gov.erasure_row
    WHERE plan_id = :plan_id
    GROUP BY case_id, step_no
),

of_table AS (
    SELECT
        s.case_id,
        l.first_no,
        sum(s.done) AS done
    FROM of_step AS s
    INNER JOIN label AS l ON s.step_no = l.step_no
    GROUP BY s.case_id, l.first_no
),

of_asset AS (
    SELECT
        t.case_id,
        l.asset,
        t.done
    FROM of_table AS t
    INNER JOIN label AS l ON t.first_no = l.step_no
    UNION ALL
    SELECT
        case_id,
        asset || ' ' || method,
        done
    FROM gov.erasure_asset
    WHERE plan_id = :plan_id
),

of_case AS (
    SELECT
        case_id,
        string_agg(cast(to_json(asset) AS text) || ':' || done, ',' ORDER BY asset COLLATE "C") AS found
    FROM of_asset
    GROUP BY case_id
),

entry AS (
    SELECT
        array_agg(c.case_id ORDER BY c.case_id) AS cases,
        array_agg(
            '{"plan_sha256":' || to_json(e.sha256) || ',"ref_key_id":' || to_json(c.ref_key_id)
            || ',"rows":{' || coalesce(o.found, '') || '},"subject_ref":' || to_json(c.subject_ref) || '}'
            ORDER BY c.case_id
        ) AS payloads
    FROM gov.erasure_plan AS e
    INNER JOIN gov.erasure_plan_case AS p ON e.plan_id = p.plan_id
    INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
    LEFT JOIN of_case AS o ON p.case_id = o.case_id
    WHERE e.plan_id = :plan_id
)

SELECT
    appended.seq,
    appended.hash
FROM
    entry,
    gov.append_to_ledger(
        array_fill(cast(:at AS timestamptz), ARRAY[cardinality(entry.cases)]),
        array_fill(cast('erased' AS text), ARRAY[cardinality(entry.cases)]),
        entry.cases,
        entry.payloads
    ) AS appended
WHERE cardinality(entry.cases) > 0
