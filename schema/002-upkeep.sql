-- SPDX-License-Identifier: Apache-2.0
--
-- Version 2, behind 002-refresh.sql in the same transaction: what one node does for all, and who may do what.

-- One node at a time does what is done for all; the others get false.
CREATE FUNCTION oas_alone_1(p_work integer) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT pg_try_advisory_xact_lock(724183065 + p_work, 'oas_schema'::regclass::oid::bigint::bit(32)::integer)
$$;

-- Deletes up to p_batch rows of each table whose time is over; deleted NULL: another node is at it.
CREATE FUNCTION oas_purge_1(p_batch integer, OUT deleted integer, OUT more boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_tables CONSTANT text[] := ARRAY[['oas_sessions', 'session_id'],
        ['oas_consents', 'sub, client_id, resource'], ['oas_grants', 'grant_id'], ['oas_codes', 'grant_id'],
        ['oas_refresh_tokens', 'grant_id, generation'], ['oas_jtis', 'key'], ['oas_revoked_jtis', 'jti'],
        ['oas_throttle', 'key']];
    v_table text[];
    v_count integer;
BEGIN
    IF NOT oas_alone_1(1) THEN
        RETURN;
    END IF;
    deleted := 0;
    more := false;
    FOREACH v_table SLICE 1 IN ARRAY v_tables LOOP
        EXECUTE format('WITH gone AS MATERIALIZED (SELECT %2$s FROM %1$I WHERE purge_after <= $1 '
            'ORDER BY purge_after LIMIT $2 FOR UPDATE SKIP LOCKED) '
            'DELETE FROM %1$I WHERE (%2$s) IN (SELECT * FROM gone)', v_table[1], v_table[2])
        USING clock_timestamp(), p_batch;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        deleted := deleted + v_count;
        more := more OR v_count >= p_batch;
    END LOOP;
END $$;

-- Revokes the oldest families of owners that have more than p_limit, p_batch at most. Looks at p_batch families that
-- are new since the last time, a minute of them again for what was committed late. ended NULL: as above.
CREATE FUNCTION oas_limit_families_1(p_limit integer, p_batch integer, OUT ended integer, OUT more boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz := clock_timestamp();
    v_since   timestamptz;
    v_count   integer;
    v_reached timestamptz;
BEGIN
    IF NOT oas_alone_1(2) THEN
        RETURN;
    END IF;
    SELECT reached INTO v_since FROM oas_marks WHERE name = 'limit';
    SELECT count(*), max(n.created_at) INTO v_count, v_reached FROM (
        SELECT created_at FROM oas_refresh_tokens
        WHERE generation = 1 AND created_at >= v_since ORDER BY created_at LIMIT p_batch) AS n;
    more := v_count >= p_batch AND v_reached > v_since;
    WITH owners AS (
        SELECT DISTINCT g.sub, g.client_id
        FROM oas_refresh_tokens AS t JOIN oas_grants AS g USING (grant_id)
        WHERE t.generation = 1 AND t.created_at BETWEEN v_since AND v_reached
    ), families AS (
        SELECT g.grant_id, row_number() OVER (PARTITION BY g.sub, g.client_id
            ORDER BY g.activated_at DESC, g.grant_id) AS place
        FROM owners JOIN oas_grants AS g USING (sub, client_id)
        WHERE g.refresh_expires_at > v_now AND g.revoked_at IS NULL
    ), doomed AS MATERIALIZED (
        SELECT grant_id FROM oas_grants
        WHERE grant_id IN (SELECT grant_id FROM families WHERE place > p_limit) AND revoked_at IS NULL
        LIMIT p_batch FOR UPDATE SKIP LOCKED
    )
    UPDATE oas_grants AS g SET revoked_at = v_now, revoked_reason = 'limit'
    FROM doomed AS d WHERE g.grant_id = d.grant_id;
    GET DIAGNOSTICS ended = ROW_COUNT;
    UPDATE oas_marks SET reached = greatest(reached, CASE WHEN ended >= p_batch THEN reached
        WHEN more THEN v_reached ELSE v_now - interval '1 minute' END) WHERE name = 'limit';
    more := more OR ended >= p_batch;
END $$;

-- As version 1, with what is new.
CREATE OR REPLACE FUNCTION oas_schema_grant(p_role name) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_function regprocedure;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), p_role);
    EXECUTE format('GRANT SELECT ON oas_schema, oas_users TO %I', p_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON oas_clients, oas_subjects TO %I', p_role);
    EXECUTE format('GRANT SELECT, UPDATE ON oas_marks TO %I', p_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON oas_sessions, oas_consents, oas_grants, '
        'oas_codes, oas_refresh_tokens, oas_jtis, oas_revoked_jtis, oas_throttle TO %I', p_role);
    FOR v_function IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'oas\_%'
            AND proname <> 'oas_schema_grant'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function, p_role);
    END LOOP;
END $$;

DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'oas\_%'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
    END LOOP;
END $$;
