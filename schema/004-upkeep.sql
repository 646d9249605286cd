-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4, behind the other files of this version in the same transaction: who may do what.

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
