-- Purpose: append to the ledger, case by case, that the rows of a plan went: what its steps found of each, table by
-- table, and what holds kept. Built here and not in Python: the rows of the publisher stay locked meanwhile.
-- Parameters: plan_id, at. Grain: one row, the last entry (seq, hash); one entry per case, in the order of case_id.
-- Idempotency: none; it belongs into the transaction that erases.
-- The payload is canonical JSON, as signing.canonical_json writes it: keys in order, no blanks.
WITH of_asset AS (  -- every row that was planned went, or this statement is not reached
    SELECT
        p.case_id,
        r.asset,
        r.done
    FROM gov.erasure_plan_case AS p
    CROSS JOIN LATERAL jsonb_each_text(p.planned) AS r (asset, done)
    WHERE p.plan_id = :plan_id
    UNION ALL
    SELECT
        case_id,
        asset || ' ' || method,
        cast(done AS text)
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
