-- Purpose: put exactly the linked accounts in question.
-- Parameters: subject_table. Grain: subject. Idempotency: needs an emptied table.
INSERT INTO subject_in_question (subject_kind, subject_table, subject_key)
SELECT DISTINCT
    'person',
    :subject_table,
    subject_key
FROM linked_subject
