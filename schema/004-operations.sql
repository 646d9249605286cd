-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: what administrators list and end (oauth2asctl). Nothing of it is asked while requests are served.

-- The newest grants of a client, and all of them in turn. It is made while grants cannot be written: where there are
-- millions, make it beforehand with CREATE INDEX CONCURRENTLY.
CREATE INDEX IF NOT EXISTS oas_grants_client ON oas_grants (client_id, created_at);

INSERT INTO oas_rights VALUES
    ('oas_grants_list_1', 'none'),
    ('oas_grants_revoke_1', 'none'),
    ('oas_grants_end_1', 'none'),
    ('oas_grants_end_before_1', 'none'),
    ('oas_sessions_end_before_1', 'none');

-- When the end of rows was last complete; -infinity: not yet.
INSERT INTO oas_marks VALUES ('purge', '-infinity');

-- pending: nothing was issued yet, and its code is still good. How long a family may be idle is known to httpd only, so an idle one is live.
CREATE FUNCTION oas_grant_state_1(p_grant oas_grants) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT CASE
        WHEN p_grant.revoked_at IS NOT NULL THEN 'revoked'
        WHEN p_grant.activated_at IS NULL AND EXISTS (SELECT 1 FROM oas_codes AS c
            WHERE c.grant_id = p_grant.grant_id AND c.expires_at > clock_timestamp()) THEN 'pending'
        WHEN p_grant.activated_at IS NULL THEN 'expired'
        WHEN coalesce(p_grant.refresh_expires_at, p_grant.purge_after - interval '1 day')
            > clock_timestamp() THEN 'live'
        ELSE 'expired'
    END
$$;

-- The newest grants of a subject, of a client, or of both, or one by its id; p_all: dead ones too.
CREATE FUNCTION oas_grants_list_1(p_grant uuid, p_sub text, p_client text, p_all boolean, p_limit integer)
RETURNS TABLE (grant_id uuid, client_id text, sub text, scope text, resource text, session_id uuid,
    created bigint, activated bigint, last_used bigint, expires bigint, generation integer, state text,
    reason text, revoked bigint)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF p_grant IS NULL AND p_sub IS NULL AND p_client IS NULL THEN
        RAISE invalid_parameter_value USING MESSAGE = 'whose grants?';
    END IF;
    -- planned for what is asked for, so that the index of that is used
    RETURN QUERY EXECUTE format(
        'SELECT g.grant_id, g.client_id, g.sub, g.scope, g.resource, g.session_id, '
        'oas_epoch(g.created_at), oas_epoch(g.activated_at), '
        'oas_epoch(greatest(g.activated_at, g.refresh_used_at)), '
        'oas_epoch(coalesce(g.refresh_expires_at, g.purge_after - interval ''1 day'')), '
        'g.refresh_generation, s.state, g.revoked_reason, oas_epoch(g.revoked_at) '
        'FROM oas_grants AS g, LATERAL (SELECT oas_grant_state_1(g) AS state) AS s '
        'WHERE %s AND ($4 OR g.revoked_at IS NULL AND s.state IN (''live'', ''pending'')) '
        'ORDER BY g.created_at DESC, g.grant_id LIMIT $5',
        concat_ws(' AND ', CASE WHEN p_grant IS NOT NULL THEN 'g.grant_id = $1' END,
            CASE WHEN p_sub IS NOT NULL THEN 'g.sub = $2' END,
            CASE WHEN p_client IS NOT NULL THEN 'g.client_id = $3' END))
    USING p_grant, p_sub, p_client, p_all, p_limit;
END $$;

-- Revokes grants by their ids, in the order in which everybody locks them.
CREATE FUNCTION oas_grants_revoke_1(p_grants uuid[], p_reason text) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_count integer;
BEGIN
    PERFORM 1 FROM oas_grants WHERE grant_id = ANY (p_grants) AND revoked_at IS NULL
    ORDER BY grant_id FOR UPDATE;
    UPDATE oas_grants SET revoked_at = clock_timestamp(), revoked_reason = p_reason
    WHERE grant_id = ANY (p_grants) AND revoked_at IS NULL;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- Revokes what of a subject, a client or both is not revoked yet, p_batch rows from one point on; reached NULL: there
-- are no more. Each call is short, however many there are, and what was looked at is not looked at again.
CREATE FUNCTION oas_grants_end_1(p_sub text, p_client text, p_reason text, p_batch integer,
    p_since timestamptz, p_after uuid, OUT ended integer, OUT reached timestamptz, OUT last uuid)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_ids   uuid[];
    v_times timestamptz[];
BEGIN
    IF p_sub IS NULL AND p_client IS NULL THEN
        RAISE invalid_parameter_value USING MESSAGE = 'whose grants?';
    END IF;
    EXECUTE format('SELECT array_agg(n.grant_id ORDER BY n.created_at, n.grant_id), '
        'array_agg(n.created_at ORDER BY n.created_at, n.grant_id) FROM ('
        'SELECT grant_id, created_at FROM oas_grants WHERE %s AND (created_at, grant_id) > ($3, $4) '
        'ORDER BY created_at, grant_id LIMIT $5) AS n',
        concat_ws(' AND ', CASE WHEN p_sub IS NOT NULL THEN 'sub = $1' END,
            CASE WHEN p_client IS NOT NULL THEN 'client_id = $2' END))
    INTO v_ids, v_times
    USING p_sub, p_client, coalesce(p_since, '-infinity'),
        coalesce(p_after, '00000000-0000-0000-0000-000000000000'), p_batch;
    ended := oas_grants_revoke_1(v_ids, p_reason);
    IF cardinality(v_ids) = p_batch THEN
        reached := v_times[p_batch];
        last := v_ids[p_batch];
    END IF;
END $$;

-- After a backup was restored: revokes what was made up to p_time and is not revoked, p_batch rows of the table from
-- one id on; reached NULL: there are no more.
CREATE FUNCTION oas_grants_end_before_1(p_time timestamptz, p_reason text, p_batch integer, p_after uuid,
    OUT ended integer, OUT reached uuid)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_ids uuid[] := ARRAY(SELECT grant_id FROM oas_grants
        WHERE grant_id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
        ORDER BY grant_id LIMIT p_batch);
BEGIN
    ended := oas_grants_revoke_1(
        ARRAY(SELECT grant_id FROM oas_grants WHERE grant_id = ANY (v_ids) AND created_at <= p_time), p_reason);
    IF cardinality(v_ids) = p_batch THEN
        reached := v_ids[p_batch];
    END IF;
END $$;

-- The same for sessions: somebody may have signed out since. Their applications are told.
CREATE FUNCTION oas_sessions_end_before_1(p_time timestamptz, p_reason text, p_batch integer, p_after uuid,
    OUT ended integer, OUT reached uuid)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_ids     uuid[] := ARRAY(SELECT session_id FROM oas_sessions
        WHERE session_id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
        ORDER BY session_id LIMIT p_batch);
    v_session oas_sessions%ROWTYPE;
BEGIN
    ended := 0;
    PERFORM 1 FROM oas_sessions
    WHERE session_id = ANY (v_ids) AND created_at <= p_time AND ended_at IS NULL
    ORDER BY session_id FOR UPDATE;
    -- the grants of all of them by grant_id, not session by session, or this and a withdrawal could block each other
    PERFORM 1 FROM oas_grants AS g JOIN oas_sessions AS s USING (session_id)
    WHERE s.session_id = ANY (v_ids) AND s.created_at <= p_time AND s.ended_at IS NULL
        AND g.revoked_at IS NULL AND g.refresh_generation IS NULL
    ORDER BY g.grant_id FOR UPDATE OF g;
    FOR v_session IN
        SELECT * FROM oas_sessions
        WHERE session_id = ANY (v_ids) AND created_at <= p_time AND ended_at IS NULL ORDER BY session_id
    LOOP
        ended := ended + oas_session_lives_1(v_session)::integer;
        PERFORM oas_session_close_1(v_session.session_id, p_reason);
    END LOOP;
    IF cardinality(v_ids) = p_batch THEN
        reached := v_ids[p_batch];
    END IF;
END $$;

-- As oas_purge_1, and remembers when all was done.
CREATE FUNCTION oas_purge_2(p_batch integer, OUT deleted integer, OUT more boolean)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT p.deleted, p.more INTO deleted, more FROM oas_purge_1(p_batch) AS p;
    IF NOT more THEN
        UPDATE oas_marks SET reached = clock_timestamp() WHERE name = 'purge';
    END IF;
END $$;

-- What of each table is due to be deleted: how many rows, up to p_max, and since when the first one is. With it when
-- all was done last; NULL: never yet.
CREATE FUNCTION oas_purge_status_1(p_max integer)
RETURNS TABLE (name text, due bigint, oldest bigint, done bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_done bigint := (SELECT oas_epoch(nullif(m.reached, '-infinity')) FROM oas_marks AS m
        WHERE m.name = 'purge');
    v_name text;
BEGIN
    FOR v_name IN
        SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = (SELECT s.relnamespace FROM pg_class AS s WHERE s.oid = 'oas_schema'::regclass)
            AND c.relname LIKE 'oas\_%' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND a.attname = 'purge_after' AND c.relname <> 'oas_refresh_tokens'
        ORDER BY c.relname
    LOOP
        RETURN QUERY EXECUTE format('SELECT %1$L, count(*), oas_epoch(min(t.purge_after)), $3 FROM ('
            'SELECT purge_after FROM %1$I WHERE purge_after <= $1 ORDER BY purge_after LIMIT $2) AS t', v_name)
        USING v_now, p_max, v_done;
    END LOOP;
END $$;
