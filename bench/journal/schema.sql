-- A publisher of eleven tables, 33 rows per person: the shape for which the limits of erasure were set. Events are
-- partitioned by week and clustered by person; every foreign key has an index.
CREATE SCHEMA journal;
CREATE TABLE journal.account (
    user_id uuid PRIMARY KEY,
    email text NOT NULL,
    born date NOT NULL,
    status text NOT NULL DEFAULT 'active',
    since timestamptz NOT NULL
);
CREATE TABLE journal.profile (user_id uuid PRIMARY KEY, name text NOT NULL, town text NOT NULL);
CREATE TABLE journal.session (id bigint PRIMARY KEY, user_id uuid NOT NULL, at timestamptz NOT NULL);
CREATE TABLE journal.login (id bigint PRIMARY KEY, user_id uuid NOT NULL, at timestamptz NOT NULL);
CREATE TABLE journal.consent (id bigint PRIMARY KEY, user_id uuid NOT NULL, given boolean NOT NULL);
CREATE TABLE journal.enrolment (id bigint PRIMARY KEY, user_id uuid NOT NULL, course integer NOT NULL);
CREATE TABLE journal.progress (
    enrolment_id bigint NOT NULL, module integer NOT NULL, minutes integer NOT NULL, PRIMARY KEY (enrolment_id, module)
);
CREATE TABLE journal.remark (id bigint PRIMARY KEY, user_id uuid, parent_id bigint, words text NOT NULL);
CREATE TABLE journal.ticket (id bigint PRIMARY KEY, user_id uuid, subject text NOT NULL);
CREATE TABLE journal.message (id bigint PRIMARY KEY, ticket_id bigint NOT NULL, body text NOT NULL);
CREATE TABLE journal.event (
    id bigint NOT NULL, user_id uuid NOT NULL, at timestamptz NOT NULL, page integer NOT NULL, PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE journal.event_1 PARTITION OF journal.event FOR VALUES FROM ('2026-10-05') TO ('2026-10-12');
CREATE TABLE journal.event_2 PARTITION OF journal.event FOR VALUES FROM ('2026-10-12') TO ('2026-10-19');
CREATE TABLE journal.event_3 PARTITION OF journal.event FOR VALUES FROM ('2026-10-19') TO ('2026-10-26');
CREATE TABLE journal.event_4 PARTITION OF journal.event FOR VALUES FROM ('2026-10-26') TO ('2026-11-02');
CREATE TABLE journal.event_5 PARTITION OF journal.event FOR VALUES FROM ('2026-11-02') TO ('2026-11-09');
