-- Purpose: releases that a run entered into the register without anybody's approval though one was needed: of a
-- correction, after a gate's warning, or with a column that its product never had before. Asked apart from the lock.
-- Parameters: run_id, gates (text array, those whose warning asks for a person).
-- Grain: one row.
-- Idempotency: reads only.
WITH released AS (
    -- The order is that of the first event: it is written under the lock of publishing, clocks may differ.
    SELECT
        r.release_id,
        r.product,
        r.run_id,
        r.released_at,
        r.columns,
        r.revision,
        r.approvers,
        r.gate_result_id,
        MIN(v.release_event_id) AS turn
    FROM gov.release_register AS r
    INNER JOIN gov.release_event AS v ON r.release_id = v.release_id
    GROUP BY r.release_id
),

warned AS (
    SELECT DISTINCT r.release_id
    FROM released AS r
    INNER JOIN gov.gate_result AS g
        ON r.run_id = g.run_id AND r.gate_result_id >= g.gate_result_id
    WHERE
        g.gate = ANY(:gates) AND g.verdict = 'warn'
        AND NOT EXISTS (
            SELECT 1 FROM gov.gate_result AS n
            WHERE
                n.run_id = g.run_id AND n.gate = g.gate
                AND n.gate_result_id > g.gate_result_id AND n.gate_result_id <= r.gate_result_id
        )
),

new AS (
    SELECT DISTINCT r.release_id
    FROM released AS r
    CROSS JOIN LATERAL UNNEST(r.columns) AS c (shown)
    WHERE NOT EXISTS (
        SELECT 1 FROM released AS e
        WHERE
            e.product = r.product AND c.shown = ANY(e.columns) AND e.turn < r.turn
            AND (e.run_id <> r.run_id OR e.released_at < r.released_at)
    )
)

SELECT COUNT(*) AS releases
FROM released AS r
WHERE
    r.run_id = :run_id AND CARDINALITY(r.approvers) = 0
    AND (
        r.revision > 0
        OR r.release_id IN (SELECT w.release_id FROM warned AS w)
        OR r.release_id IN (SELECT n.release_id FROM new AS n)
    )
