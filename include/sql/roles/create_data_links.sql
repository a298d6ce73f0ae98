-- Purpose: makes the function by which the inventory sees replicas, idle replication slots, publications, foreign
--   servers and subscriptions of this server: names and hosts. It runs with its owner's rights, since only an
--   administrator may read where they lead; passwords are cut off here, inside the database.
-- Parameters: none.
-- Grain: one function.
-- Idempotency: dropped and made anew whenever the roles are applied.
CREATE FUNCTION gov.data_links()
RETURNS TABLE (kind text, name text, host text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    subscription record;
    found text[];
    part text;
BEGIN
    -- Without this right the view shows rows without addresses, which would look like this very machine.
    IF pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') THEN
        RETURN QUERY SELECT 'replica', coalesce(nullif(r.application_name, ''), 'walsender'),
            coalesce(r.client_hostname, host(r.client_addr), 'localhost')
        FROM pg_stat_replication AS r;
    ELSE
        RETURN QUERY SELECT 'unseen', 'pg_stat_replication', NULL::text;
    END IF;
    RETURN QUERY SELECT 'idle_slot', r.slot_name::text, NULL::text
    FROM pg_replication_slots AS r WHERE NOT r.active AND NOT r.temporary;
    -- A publication does not say who reads it: only a reader that is connected now is a replica above.
    RETURN QUERY SELECT 'publication', p.pubname::text, NULL::text FROM pg_publication AS p;
    RETURN QUERY SELECT 'foreign_server', s.srvname::text, coalesce(
        (
            SELECT string_agg(o.option_value, ',') FROM pg_options_to_table(s.srvoptions) AS o
            WHERE lower(o.option_name) IN ('host', 'hostaddr', 'server', 'servername', 'dbserver', 'address', 'url',
                'uri', 'endpoint')
        ),
        CASE WHEN w.fdwname IN ('postgres_fdw', 'dblink_fdw', 'file_fdw') THEN 'localhost' END
    )
    FROM pg_foreign_server AS s INNER JOIN pg_foreign_data_wrapper AS w ON s.srvfdw = w.oid;
    FOR subscription IN SELECT s.subname::text AS subname, s.subconninfo FROM pg_subscription AS s LOOP
        found := NULL;
        IF subscription.subconninfo ~* '^postgres(ql)?://' THEN
            -- As libpq reads it: user and password end at the @, whatever else stands in them but a slash.
            part := substring(subscription.subconninfo from '^[A-Za-z]+://(?:[^/]*@)?([^/?]*)');
            IF part = '' THEN
                part := substring(subscription.subconninfo from '[?&]host=([^&]*)');
            END IF;
            found := ARRAY[coalesce(nullif(part, ''), 'localhost')];
        ELSE
            SELECT array_agg(trim(both '''' from m.pair[2])) INTO found
            FROM regexp_matches(
                subscription.subconninfo,
                '([a-zA-Z_]+)\s*=\s*(''(?:[^''\\]|\\.)*''|(?:[^\s''\\]|\\.)(?:[^\s\\]|\\.)*|)', 'g'
            ) AS m (pair)
            WHERE lower(m.pair[1]) IN ('host', 'hostaddr') AND m.pair[2] <> '';
            found := coalesce(found, ARRAY['localhost']);
        END IF;
        RETURN QUERY SELECT 'subscription', subscription.subname, array_to_string(found, ',');
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN QUERY SELECT 'unseen', 'pg_subscription', NULL::text;
END
$function$;

REVOKE ALL ON FUNCTION gov.data_links() FROM public;

GRANT EXECUTE ON FUNCTION gov.data_links() TO privacy_inventory;
