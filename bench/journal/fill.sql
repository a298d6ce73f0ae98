-- Makes up :people people. One in :one_in is a minor; everybody else was grown up long ago.
CREATE TEMPORARY TABLE person AS
SELECT n, CAST(md5('person ' || n) AS uuid) AS user_id FROM generate_series(1, :people) AS n;
INSERT INTO journal.account (user_id, email, born, since)
SELECT
    user_id,
    'person' || n || '@example.org',
    CASE WHEN n % :one_in = 0 THEN DATE '2010-02-03' + n % 600 ELSE DATE '1950-02-03' + n % 12000 END,
    TIMESTAMPTZ '2025-01-01 12:00Z' + n % 300 * interval '1 day'
FROM person;
INSERT INTO journal.profile (user_id, name, town) SELECT user_id, 'Person ' || n, 'Town ' || n % 90 FROM person;
INSERT INTO journal.session (id, user_id, at)
SELECT n, user_id, TIMESTAMPTZ '2026-10-06Z' + n % 30 * interval '1 day' FROM person;
INSERT INTO journal.login (id, user_id, at)
SELECT n, user_id, TIMESTAMPTZ '2026-10-06Z' + n % 30 * interval '1 day' FROM person;
INSERT INTO journal.consent (id, user_id, given) SELECT n, user_id, true FROM person;
INSERT INTO journal.enrolment (id, user_id, course)
SELECT 2 * n + c, user_id, (n + c) % 40 FROM person, generate_series(0, 1) AS c;
INSERT INTO journal.progress (enrolment_id, module, minutes)
SELECT id, m, 10 FROM journal.enrolment, generate_series(1, 2) AS m;
-- One in eight answers the remark before it.
INSERT INTO journal.remark (id, user_id, parent_id, words)
SELECT n, user_id, CASE WHEN n % 8 = 1 AND n > 1 THEN n - 1 END, 'A thoughtful remark.' FROM person;
INSERT INTO journal.ticket (id, user_id, subject) SELECT n, user_id, 'A question' FROM person WHERE n / 100 % 2 = 0;
INSERT INTO journal.message (id, ticket_id, body) SELECT id, id, 'My copy has not come.' FROM journal.ticket;
INSERT INTO journal.event (id, user_id, at, page)
SELECT
    n * 20 + e,
    user_id,
    TIMESTAMPTZ '2026-10-05Z' + (e % 5 * 7 + n % 7) * interval '1 day' + e * interval '1 hour',
    (n + e) % 900
FROM person, generate_series(0, 19) AS e
ORDER BY user_id;
CREATE INDEX ON journal.session (user_id);
CREATE INDEX ON journal.login (user_id);
CREATE INDEX ON journal.consent (user_id);
CREATE INDEX ON journal.enrolment (user_id);
CREATE INDEX ON journal.remark (user_id);
CREATE INDEX ON journal.remark (parent_id);
CREATE INDEX ON journal.ticket (user_id);
CREATE INDEX ON journal.message (ticket_id);
CREATE INDEX ON journal.event (user_id);
ALTER TABLE journal.profile ADD FOREIGN KEY (user_id) REFERENCES journal.account;
ALTER TABLE journal.session ADD FOREIGN KEY (user_id) REFERENCES journal.account;
ALTER TABLE journal.login ADD FOREIGN KEY (user_id) REFERENCES journal.account;
ALTER TABLE journal.consent ADD FOREIGN KEY (user_id) REFERENCES journal.account;
ALTER TABLE journal.enrolment ADD FOREIGN KEY (user_id) REFERENCES journal.account;
ALTER TABLE journal.progress ADD FOREIGN KEY (enrolment_id) REFERENCES journal.enrolment;
ALTER TABLE journal.remark ADD FOREIGN KEY (user_id) REFERENCES journal.account;
ALTER TABLE journal.remark ADD FOREIGN KEY (parent_id) REFERENCES journal.remark;
ALTER TABLE journal.ticket ADD FOREIGN KEY (user_id) REFERENCES journal.account;
ALTER TABLE journal.message ADD FOREIGN KEY (ticket_id) REFERENCES journal.ticket;
ALTER TABLE journal.event ADD FOREIGN KEY (user_id) REFERENCES journal.account;
