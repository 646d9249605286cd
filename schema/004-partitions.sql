-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: the tables that are keyed by the grant can be split by the hash of grant_id, and be made whole again
-- (`oauth2asctl schema apply --partitions N`). Only the owner does that.

INSERT INTO oas_rights VALUES
    ('oas_schema_partitions', 'none'),
    ('oas_schema_partition', 'none'),
    ('oas_table_partition', 'none');

-- How many partitions there are; 1: the tables are whole.
CREATE FUNCTION oas_schema_partitions() RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT greatest(1, count(*)::integer) FROM pg_inherits WHERE inhparent = 'oas_grants'::regclass
$$;

-- Makes a table anew in that many partitions, with its rows, keys, indexes, settings and rights, and the functions that
-- take one of its rows. What else hangs on it (a view, a trigger, a foreign key of the administrator's...) is an error.
CREATE FUNCTION oas_table_partition(p_table name, p_count integer) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_old       CONSTANT regclass := p_table::regclass;
    v_new       CONSTANT name := p_table || '_new';
    v_whole     CONSTANT boolean := p_count = 1;
    v_settings  text;
    v_indexes   text[];
    v_rights    text[];
    v_functions text[];
    v_command   text;
    v_more      text;
BEGIN
    -- DROP TABLE refuses for views and foreign keys by itself; these would go with it
    SELECT more INTO v_more FROM (
        SELECT 'a trigger' FROM pg_trigger WHERE tgrelid = v_old AND NOT tgisinternal
        UNION ALL SELECT 'a privilege of a column' FROM pg_attribute WHERE attrelid = v_old AND attacl IS NOT NULL
        UNION ALL SELECT 'a policy' FROM pg_policy WHERE polrelid = v_old
        UNION ALL SELECT 'row level security' FROM pg_class WHERE oid = v_old AND relrowsecurity
        UNION ALL SELECT 'a publication' FROM pg_publication_rel WHERE prrelid = v_old
        UNION ALL SELECT 'extended statistics' FROM pg_statistic_ext WHERE stxrelid = v_old
        UNION ALL SELECT 'a rule' FROM pg_rewrite WHERE ev_class = v_old) AS t (more) LIMIT 1;
    IF v_more IS NOT NULL THEN
        RAISE feature_not_supported USING MESSAGE = format('%s has %s', v_old, v_more);
    END IF;
    SELECT format('WITH (%s)', array_to_string(reloptions, ', ')) INTO v_settings FROM pg_class
    WHERE oid = coalesce((SELECT min(inhrelid::bigint)::oid FROM pg_inherits WHERE inhparent = v_old), v_old)
        AND reloptions IS NOT NULL;
    v_indexes := ARRAY(
        SELECT CASE WHEN c.oid IS NULL THEN replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', v_old, c.conname, pg_get_constraintdef(c.oid)) END
        FROM pg_index AS i LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.conrelid = v_old
        WHERE i.indrelid = v_old ORDER BY i.indisprimary DESC, i.indexrelid);
    v_rights := ARRAY(
        SELECT format('GRANT %s ON %s TO %s%s', a.privilege_type, v_old,
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
            CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)
        FROM pg_class AS c, LATERAL aclexplode(c.relacl) AS a WHERE c.oid = v_old AND a.grantee <> c.relowner);
    v_functions := ARRAY(
        SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p, pg_class AS c
        WHERE c.oid = v_old AND c.reltype = ANY (p.proargtypes) ORDER BY p.oid);

    EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING ALL EXCLUDING INDEXES) %s', v_new, v_old,
        CASE WHEN v_whole THEN v_settings ELSE 'PARTITION BY HASH (grant_id)' END);
    FOR i IN 0 .. p_count - 1 LOOP
        EXIT WHEN v_whole;
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s) %s',
            v_new || '_' || i, v_new, p_count, i, v_settings);
    END LOOP;
    EXECUTE format('INSERT INTO %I SELECT * FROM %s', v_new, v_old);

    FOR v_command IN
        SELECT format('DROP FUNCTION %s', p.oid::regprocedure) FROM pg_proc AS p, pg_class AS c
        WHERE c.oid = v_old AND c.reltype = ANY (p.proargtypes)
    LOOP
        EXECUTE v_command;
    END LOOP;
    EXECUTE format('DROP TABLE %s', v_old);
    FOR i IN 0 .. p_count - 1 LOOP
        EXIT WHEN v_whole;
        EXECUTE format('ALTER TABLE %I RENAME TO %I', v_new || '_' || i, p_table || '_' || i);
    END LOOP;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', v_new, p_table);
    FOREACH v_command IN ARRAY v_indexes || v_rights || v_functions LOOP
        EXECUTE v_command;
    END LOOP;
END $$;

-- Nobody else reads or writes the tables meanwhile.
CREATE FUNCTION oas_schema_partition(p_count integer) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_table name;
BEGIN
    IF p_count NOT BETWEEN 1 AND 256 THEN
        RAISE invalid_parameter_value USING MESSAGE = 'there can be 1 to 256 partitions';
    END IF;
    LOCK TABLE oas_grants, oas_codes, oas_refresh_tokens IN ACCESS EXCLUSIVE MODE;
    IF p_count = oas_schema_partitions() THEN
        RETURN;
    END IF;
    FOREACH v_table IN ARRAY ARRAY['oas_grants', 'oas_codes', 'oas_refresh_tokens'] LOOP
        PERFORM oas_table_partition(v_table, p_count);
    END LOOP;
    PERFORM oas_schema_settle();
END $$;
