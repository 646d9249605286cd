-- SPDX-License-Identifier: Apache-2.0
--
-- Version 3, behind 003-login.sql in the same transaction: the end of rows, and who may do what.

-- Deletes up to p_batch rows of each table whose time is over; deleted NULL: another node is at it.
CREATE OR REPLACE FUNCTION oas_purge_1(p_batch integer, OUT deleted integer, OUT more boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_tables CONSTANT text[] := ARRAY[['oas_sessions', 'session_id'],
        ['oas_consents', 'sub, client_id, resource'], ['oas_grants', 'grant_id'], ['oas_codes', 'grant_id'],
        ['oas_refresh_tokens', 'grant_id, generation'], ['oas_jtis', 'key'], ['oas_revoked_jtis', 'jti'],
        ['oas_throttle', 'key'], ['oas_logouts', 'logout_id']];
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

-- As version 2, with what is new.
CREATE OR REPLACE FUNCTION oas_schema_grant(p_role name) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_function regprocedure;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), p_role);
    EXECUTE format('GRANT SELECT ON oas_schema, oas_users, oas_secrets TO %I', p_role);
    EXECUTE format('GRANT UPDATE (password_hash, password_changed, rehashed) ON oas_users TO %I', p_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON oas_session_clients TO %I', p_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON oas_clients, oas_subjects TO %I', p_role);
    EXECUTE format('GRANT SELECT, UPDATE ON oas_marks TO %I', p_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON oas_sessions, oas_consents, oas_grants, '
        'oas_codes, oas_refresh_tokens, oas_jtis, oas_revoked_jtis, oas_throttle, oas_logouts TO %I', p_role);
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

-- Whoever could do all of a former version can do all of this one, so that servers go on that still run the former
-- module: the functions it calls write to the new tables.
DO $$
DECLARE
    v_role name;
BEGIN
    FOR v_role IN
        SELECT r.rolname FROM pg_proc AS p, LATERAL aclexplode(p.proacl) AS a, pg_roles AS r
        WHERE p.pronamespace = current_schema()::regnamespace AND p.proname = 'oas_session_open_1'
            AND a.privilege_type = 'EXECUTE' AND r.oid = a.grantee AND a.grantee <> p.proowner
    LOOP
        PERFORM oas_schema_grant(v_role);
    END LOOP;
END $$;
