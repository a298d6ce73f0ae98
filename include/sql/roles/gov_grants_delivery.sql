-- Purpose: what each duty may do in the tables of the delivery of releases.
-- Parameters: none.
-- Grain: grants only.
-- Idempotency: the same grants however often it runs.
-- The duty that releases also delivers. It cannot change whom it writes to: gov.recipient belongs to the owner of gov.

GRANT SELECT, INSERT ON
gov.release_delivery, gov.delivery_mail, gov.delivery_mail_release, gov.access_log_read
TO privacy_export;

GRANT UPDATE (state, attempts, fault, sent_at) ON gov.delivery_mail TO privacy_export;

-- Whether a key may be dropped is asked of everything that lives under one.
GRANT SELECT (contact_key_id) ON gov.recipient TO privacy_erase;

GRANT SELECT ON gov.release_delivery, gov.delivery_mail, gov.delivery_mail_release
TO privacy_console, privacy_inventory;
