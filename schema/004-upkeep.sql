-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4, behind the other files of this version in the same transaction: the end of rows, and who may do what.

-- Deletes up to p_batch rows of each table whose time is over; deleted NULL: another node is at it. Grants take their
-- tokens with them: of a long line a part at a time, and the grant itself when there are none any more. Nobody can use
-- a token of a grant whose time is over, so those are deleted without holding it.
CREATE OR REPLACE FUNCTION oas_purge_1(p_batch integer, OUT deleted integer, OUT more boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_tables CONSTANT text[] := ARRAY[['oas_sessions', 'session_id'],
        ['oas_consents', 'sub, client_id, resource'], ['oas_codes', 'grant_id'], ['oas_jtis', 'key'],
        ['oas_revoked_jtis', 'jti'], ['oas_throttle', 'key'], ['oas_logouts', 'logout_id']];
    v_now    CONSTANT timestamptz := clock_timestamp();
    v_table  text[];
    v_due    uuid[];
    v_count  integer;
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
        USING v_now, p_batch;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        deleted := deleted + v_count;
        more := more OR v_count >= p_batch;
    END LOOP;

    EXECUTE 'SELECT ARRAY(SELECT grant_id FROM oas_grants WHERE purge_after <= $1 ORDER BY purge_after LIMIT $2)'
    INTO v_due USING v_now, p_batch;
    EXECUTE 'WITH gone AS MATERIALIZED (SELECT t.grant_id, t.generation FROM unnest($1) AS d (id), LATERAL ('
        'SELECT grant_id, generation FROM oas_refresh_tokens WHERE grant_id = d.id ORDER BY generation LIMIT $2) AS t '
        'LIMIT $2) '
        'DELETE FROM oas_refresh_tokens WHERE (grant_id, generation) IN (SELECT * FROM gone)'
    USING v_due, p_batch;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    deleted := deleted + v_count;
    more := more OR v_count >= p_batch OR cardinality(v_due) >= p_batch;
    EXECUTE 'WITH gone AS MATERIALIZED (SELECT g.grant_id FROM oas_grants AS g WHERE g.grant_id = ANY ($1) '
        'AND NOT EXISTS (SELECT 1 FROM oas_refresh_tokens AS t WHERE t.grant_id = g.grant_id) '
        'FOR UPDATE SKIP LOCKED) '
        'DELETE FROM oas_grants WHERE grant_id IN (SELECT * FROM gone)'
    USING v_due;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    deleted := deleted + v_count;
END $$;

CREATE OR REPLACE FUNCTION oas_schema_grant(p_role name) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_right    oas_rights%ROWTYPE;
    v_function regprocedure;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), p_role);
    FOR v_right IN SELECT * FROM oas_rights WHERE privileges <> 'none' ORDER BY name LOOP
        EXECUTE format('GRANT %s ON %I TO %I', v_right.privileges, v_right.name, p_role);
    END LOOP;
    FOR v_function IN
        SELECT p.oid FROM pg_proc AS p
        WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'oas\_%'
            AND NOT EXISTS (SELECT 1 FROM oas_rights AS r WHERE r.name = p.proname)
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function, p_role);
    END LOOP;
END $$;

-- Comes last in each version. By default PostgreSQL lets everybody call a new function. Whoever could do all of the
-- version before can do all of this one, so that servers go on that still run the former module: the functions it
-- calls write to the new tables. On tables in partitions, functions that take a grant's id keep one plan for all of
-- them: it finds the partition when it runs, which costs much less than planning for it anew at each call.
CREATE FUNCTION oas_schema_settle() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_split    CONSTANT boolean := oas_schema_partitions() > 1;
    v_function regprocedure;
    v_role     name;
BEGIN
    FOR v_function IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'oas\_%'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
    END LOOP;
    FOR v_function IN
        SELECT p.oid FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
        WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'oas\_%'
            AND l.lanname = 'plpgsql' AND p.proargnames[1] = 'p_grant'
    LOOP
        EXECUTE format('ALTER FUNCTION %s %s plan_cache_mode %s', v_function,
            CASE WHEN v_split THEN 'SET' ELSE 'RESET' END, CASE WHEN v_split THEN '= force_generic_plan' END);
    END LOOP;
    FOR v_role IN
        SELECT DISTINCT r.rolname FROM pg_proc AS p, LATERAL aclexplode(p.proacl) AS a, pg_roles AS r
        WHERE p.pronamespace = current_schema()::regnamespace AND p.proname = 'oas_code_use_1'
            AND a.privilege_type = 'EXECUTE' AND r.oid = a.grantee AND a.grantee <> p.proowner
    LOOP
        PERFORM oas_schema_grant(v_role);
    END LOOP;
END $$;

SELECT oas_schema_settle();
