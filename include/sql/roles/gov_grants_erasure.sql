-- Rights on the tables of erasure; see gov_grants_minors.sql.

GRANT SELECT, INSERT ON gov.erasure_change TO privacy_erase;

GRANT SELECT, INSERT, UPDATE, DELETE ON gov.erasure_rewrite TO privacy_erase;

GRANT SELECT, INSERT, UPDATE, DELETE ON gov.erasure_rewrite_case TO privacy_erase;

-- Entries written ahead of an erasure that did not happen are taken back.
GRANT DELETE ON gov.suppression_entry TO privacy_erase;
