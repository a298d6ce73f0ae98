-- What somebody would write who knows this one schema by heart. Reads the temporary table victim(user_id).
UPDATE journal.remark AS r SET parent_id = NULL
FROM journal.remark AS m INNER JOIN victim AS v ON m.user_id = v.user_id WHERE r.parent_id = m.id;
DELETE FROM journal.event AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM journal.message AS m USING journal.ticket AS t INNER JOIN victim AS v ON t.user_id = v.user_id
WHERE m.ticket_id = t.id;
DELETE FROM journal.ticket AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM journal.remark AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM journal.progress AS p USING journal.enrolment AS e INNER JOIN victim AS v ON e.user_id = v.user_id
WHERE p.enrolment_id = e.id;
DELETE FROM journal.enrolment AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM journal.consent AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM journal.login AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM journal.session AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM journal.profile AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM journal.account AS t USING victim AS v WHERE t.user_id = v.user_id;
