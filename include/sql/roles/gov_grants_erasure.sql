-- Rights on the tables of erasure; see gov_grants_minors.sql.

GRANT SELECT, INSERT ON gov.erasure_change TO privacy_erase;
