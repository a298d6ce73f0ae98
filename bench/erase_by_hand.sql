-- What somebody would write who knows this one schema by heart: the same rows, deleted once, with no plan, gate or record.
-- Reads the temporary table victim(user_id, email).
CREATE TEMPORARY TABLE hand_order ON COMMIT DROP AS
SELECT o.order_id FROM commerce.order_header AS o INNER JOIN victim AS v ON o.user_id = v.user_id;
CREATE TEMPORARY TABLE hand_submission ON COMMIT DROP AS
SELECT s.id FROM submissions.submission AS s INNER JOIN victim AS v ON s.corresponding_user_id = v.user_id;
CREATE TEMPORARY TABLE hand_subscriber ON COMMIT DROP AS
SELECT s.subscriber_id FROM crm.email_subscriber AS s INNER JOIN victim AS v ON s.user_id = v.user_id
UNION
SELECT s.subscriber_id FROM crm.email_subscriber AS s INNER JOIN victim AS v
    ON s.user_id IS NULL AND LOWER(BTRIM(s.email)) = v.email;
CREATE TEMPORARY TABLE hand_ticket ON COMMIT DROP AS
SELECT t.id FROM support.ticket AS t INNER JOIN victim AS v ON t.user_id = v.user_id
UNION
SELECT t.id FROM support.ticket AS t INNER JOIN victim AS v
    ON t.user_id IS NULL AND LOWER(BTRIM(t.requester_email)) = v.email;
UPDATE commerce.subscription AS s SET user_id = NULL FROM victim AS v WHERE s.user_id = v.user_id;
UPDATE events.badge_scan AS b SET consent_event_id = NULL
FROM consent.consent_event AS c INNER JOIN victim AS v ON c.user_id = v.user_id WHERE b.consent_event_id = c.id;
UPDATE feedback.comment AS r SET parent_id = NULL
FROM feedback.comment AS c INNER JOIN victim AS v ON c.user_id = v.user_id WHERE r.parent_id = c.id;
UPDATE submissions.submission AS s SET corresponding_user_id = NULL FROM hand_submission AS h WHERE s.id = h.id;
UPDATE commerce.order_header AS o SET
    user_id = NULL, bill_name = NULL, bill_address = NULL, location_evidence_1 = NULL, location_evidence_2 = NULL,
    psp_reference = NULL
FROM hand_order AS h WHERE o.order_id = h.order_id;
DELETE FROM commerce.payment_ref AS p USING hand_order AS h WHERE p.order_id = h.order_id;
DELETE FROM consent.consent_event AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM consent.preference_current AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM core.credential AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM core.guardian_contact AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM core.identity_link AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM core.login_event AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM core.registration_event AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM core.registration_event AS t USING victim AS v
WHERE t.user_id IS NULL AND LOWER(BTRIM(t.email_norm)) = v.email;
DELETE FROM core.session AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM core.user_profile AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM core.user_profile_history AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM crm.campaign_send AS c USING hand_subscriber AS h WHERE c.subscriber_id = h.subscriber_id;
DELETE FROM crm.email_subscriber AS s USING hand_subscriber AS h WHERE s.subscriber_id = h.subscriber_id;
DELETE FROM events.badge_scan AS b USING events.attendee AS a INNER JOIN victim AS v ON a.user_id = v.user_id
WHERE b.badge_code = a.badge_code;
DELETE FROM events.attendee AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM feedback.comment AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM feedback.survey_response AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM learn.assessment_attempt AS t USING learn.enrolment AS e INNER JOIN victim AS v ON e.user_id = v.user_id
WHERE t.enrolment_id = e.id;
DELETE FROM learn.certificate AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM learn.course_feedback AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM learn.module_progress AS t USING learn.enrolment AS e INNER JOIN victim AS v ON e.user_id = v.user_id
WHERE t.enrolment_id = e.id;
DELETE FROM learn.enrolment AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM mobile.emailed_report AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM mobile.usage_event_account AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM submissions.submission_file AS f USING hand_submission AS h WHERE f.submission_id = h.id;
DELETE FROM support.ticket_message AS m USING hand_ticket AS h WHERE m.ticket_id = h.id;
DELETE FROM support.ticket AS t USING hand_ticket AS h WHERE t.id = h.id;
DELETE FROM web.page_view AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM web.search_query AS t USING victim AS v WHERE t.user_id = v.user_id;
DELETE FROM core.user_account AS t USING victim AS v WHERE t.user_id = v.user_id;
