"""Delivery of releases: what was put where, told to whom when, fetched, confirmed, recalled.

No address and no link stands here: a recipient's contact is a keyed hash, a link is made when its mail is sent.
"""

from alembic import op

revision = "0011_delivery"
down_revision = "0010_downstream"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE gov.recipient
    ADD COLUMN contact_key_id text,
    ADD COLUMN contact_hmac text CHECK (contact_hmac ~ '^[0-9a-f]{64}$'), -- of the address; it stands in the registry
    ADD CONSTRAINT recipient_contact CHECK ((contact_key_id IS NULL) = (contact_hmac IS NULL));

CREATE TABLE gov.delivery_mail (            -- what is to be told to which recipient
    mail_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    recipient_id text NOT NULL REFERENCES gov.recipient,
    kind text NOT NULL CHECK (kind IN ('LINK', 'RECALL')),
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed', 'needless')),
    attempts smallint NOT NULL DEFAULT 0,
    fault text CHECK (fault ~ '^[A-Z][A-Z0-9_]*$'), -- why it was not sent, a code
    queued_at timestamptz NOT NULL,
    queued_by text NOT NULL,                -- run, or the person who asked for it
    sent_at timestamptz,
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX delivery_mail_queued ON gov.delivery_mail (queued_at) WHERE state = 'queued';
CREATE INDEX delivery_mail_recipient ON gov.delivery_mail (recipient_id);
CREATE TABLE gov.delivery_mail_release (    -- which releases a mail is about
    mail_id uuid NOT NULL REFERENCES gov.delivery_mail,
    release_id text NOT NULL REFERENCES gov.release_register,
    PRIMARY KEY (mail_id, release_id)
);
CREATE INDEX delivery_mail_release_release ON gov.delivery_mail_release (release_id);

CREATE TABLE gov.release_delivery (         -- what happened to the delivery of a release, in order
    release_delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    release_id text NOT NULL REFERENCES gov.release_register,
    kind text NOT NULL CHECK (kind IN ('prepared', 'sent', 'blocked', 'receipt', 'downloaded', 'expired', 'recalled')),
    at timestamptz NOT NULL,                -- when it happened; a receipt or download is noted later
    run_id text NOT NULL,                   -- or who noted it by hand
    reason text NOT NULL DEFAULT '' CHECK (reason ~ '^[A-Z0-9_]*$'), -- a code: why it was blocked, what is wrong
    said_by text NOT NULL DEFAULT '',       -- receipt: who at the recipient confirmed it
    object_key text,                        -- prepared: the one object of the delivery, its bytes, its version
    sha256 text,
    bytes bigint,
    version_id text,
    mail_id uuid REFERENCES gov.delivery_mail, -- sent
    country text,                           -- sent: where to
    expires_at timestamptz,                 -- sent: until when the link works
    request_ref text,                       -- downloaded: hash of the store's number of the request
    CHECK ((kind = 'prepared') = (object_key IS NOT NULL)),
    CHECK ((kind = 'sent') = (mail_id IS NOT NULL AND expires_at IS NOT NULL)),
    CHECK ((kind = 'downloaded') = (request_ref IS NOT NULL)),
    CHECK (kind <> 'blocked' OR reason <> '')
);
CREATE INDEX release_delivery_release ON gov.release_delivery (release_id, release_delivery_id);
CREATE INDEX release_delivery_mail ON gov.release_delivery (mail_id) WHERE mail_id IS NOT NULL;
CREATE UNIQUE INDEX release_delivery_once ON gov.release_delivery (release_id, kind)
    WHERE kind IN ('prepared', 'recalled');
CREATE UNIQUE INDEX release_delivery_request ON gov.release_delivery (request_ref) WHERE request_ref IS NOT NULL;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.release_delivery
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();

CREATE TABLE gov.access_log_read (          -- files of the store's access log that were read
    object_key text PRIMARY KEY,
    read_at timestamptz NOT NULL,
    downloads integer NOT NULL
);
"""

DOWNGRADE = """
DROP TABLE gov.access_log_read, gov.release_delivery, gov.delivery_mail_release, gov.delivery_mail;
ALTER TABLE gov.recipient DROP COLUMN contact_key_id, DROP COLUMN contact_hmac;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
