-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: the transitions that run at every request, with fewer statements inside, each of which finds its one row by
-- the key alone, so that on tables in partitions it is planned for one of them.

-- Tokens end with their grant (oas_purge_1). So a rotation writes to one index, the one that keeps a token from being
-- there twice.
ALTER TABLE oas_refresh_tokens DROP COLUMN purge_after;

-- What only modules of versions 1 and 2 call.
DROP FUNCTION oas_session_open_1, oas_session_open_2, oas_code_put_1, oas_code_redeem_1, oas_grant_live_1,
    oas_grant_for_1;

-- As it was, but STABLE as what it calls, or it could not be put in the place of its call.
CREATE OR REPLACE FUNCTION oas_epoch(p_time timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT floor(extract(epoch FROM p_time))::bigint $$;

-- A subject, and whether tokens may still be issued to it. STABLE, so that it becomes part of the statement it stands
-- in: what it sees is as fresh as that.
CREATE FUNCTION oas_subject_load_1(p_sub text, p_recheck boolean)
RETURNS TABLE (provider text, name text, claims jsonb, lives boolean)
LANGUAGE sql STABLE AS $$
    SELECT s.provider, s.name, s.claims,
        (s.provider <> 'oauth2as'
            OR EXISTS (SELECT 1 FROM oas_users AS u WHERE u.name = s.name AND NOT u.locked))
        AND CASE WHEN p_recheck THEN oas_subject_recheck(s.sub, s.provider, s.name) ELSE true END
    FROM oas_subjects AS s WHERE s.sub = p_sub
$$;

CREATE OR REPLACE FUNCTION oas_subject_lives_1(p_sub text, p_recheck boolean) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM oas_subject_load_1(p_sub, p_recheck) AS s WHERE s.lives);
END $$;

CREATE OR REPLACE FUNCTION oas_grant_for_2(p_grant uuid, p_outcome text)
RETURNS TABLE (outcome text, grant_id uuid, client_id text, sub text, session_id uuid, scope text,
    resource text, auth_time bigint, amr text, acr text, claims jsonb, now bigint, nonce text,
    refresh_expires bigint, provider text, name text, claims_request jsonb)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    outcome := p_outcome;
    IF p_outcome IN ('put', 'done', 'live', 'rotated', 'repeated', 'kept') THEN
        RETURN QUERY SELECT p_outcome, g.grant_id, g.client_id, g.sub, g.session_id, g.scope, g.resource,
            oas_epoch(g.auth_time), g.amr, g.acr, s.claims, oas_epoch(clock_timestamp()),
            CASE p_outcome WHEN 'done' THEN (SELECT c.nonce FROM oas_codes AS c WHERE c.grant_id = p_grant) END,
            oas_epoch(g.refresh_expires_at), s.provider, s.name, g.claims_request
        FROM oas_grants AS g JOIN oas_subjects AS s ON s.sub = g.sub
        WHERE g.grant_id = p_grant AND (p_outcome = 'put' OR g.activated_at IS NOT NULL
            AND g.revoked_at IS NULL AND g.purge_after > clock_timestamp());
        IF FOUND THEN
            RETURN;
        END IF;
        outcome := 'gone';
    END IF;
    RETURN NEXT;
END $$;

-- The first token of a family, in a grant that the caller holds. A grant stays a day longer than anything issued from it
-- lives.
CREATE OR REPLACE FUNCTION oas_family_start_1(p_grant uuid, p_hash bytea, p_lifetime float8,
    p_access_lifetime float8, p_cnf text)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_end timestamptz := v_now + make_interval(secs => p_lifetime);
BEGIN
    UPDATE oas_grants
    SET refresh_generation = 1, refresh_hash = p_hash, refresh_rotated_at = v_now, refresh_used_at = v_now,
        refresh_expires_at = v_end, cnf = p_cnf, purge_after = greatest(purge_after,
            v_end + make_interval(secs => p_access_lifetime) + interval '1 day')
    WHERE grant_id = p_grant;
    INSERT INTO oas_refresh_tokens (grant_id, generation, token_hash, created_at)
    VALUES (p_grant, 1, p_hash, v_now);
END $$;

-- As oas_refresh_1 was, with oas_grant_for_2 in one: decides what becomes of a refresh token, does it, and returns the grant
-- with its subject where there is something to issue. owner: whose the grant is, for the log, also where there is not.
-- What never changes is compared without a lock, so whoever knows no token of the family, or may not use it, neither
-- changes nor delays anything; the head's own row is found by it and held at once. Then the grant's row decides.
CREATE FUNCTION oas_refresh_2(p_grant uuid, p_hash bytea, p_client text, p_secret_ids bytea[],
    p_hashes bytea[], p_scope text, p_resource text, p_allowed jsonb, p_cnf text, p_rotate boolean,
    p_window float8, p_idle float8, p_recheck boolean, p_attempt uuid,
    OUT outcome text, OUT grant_id uuid, OUT client_id text, OUT sub text, OUT session_id uuid, OUT scope text,
    OUT resource text, OUT auth_time bigint, OUT amr text, OUT acr text, OUT claims jsonb, OUT now bigint,
    OUT nonce text, OUT refresh_expires bigint, OUT claims_request jsonb,
    OUT owner text, OUT key integer, OUT generation integer, OUT age bigint, OUT reason text)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_now     timestamptz;
    v_grant   oas_grants%ROWTYPE;
    v_subject record;
    v_scopes  jsonb;   -- that the client may have of the grant's resource; NULL: it may not use it
    v_behind  integer; -- 0: the head, 1: the one it replaced
    v_again   boolean := false;
BEGIN
    SELECT * INTO v_grant FROM oas_grants AS g
    WHERE g.grant_id = p_grant AND g.refresh_hash = p_hash AND g.client_id = p_client
        AND (g.cnf IS NULL OR g.cnf = p_cnf)
    FOR UPDATE;
    IF FOUND THEN
        generation := v_grant.refresh_generation;
    ELSE
        SELECT * INTO v_grant FROM oas_grants AS g WHERE g.grant_id = p_grant;
        owner := v_grant.sub;
        generation := oas_refresh_generation_1(v_grant, p_hash);
        outcome := CASE
            WHEN generation IS NULL THEN 'unknown'
            WHEN v_grant.client_id <> p_client THEN 'foreign'
            WHEN v_grant.cnf IS NOT NULL AND v_grant.cnf IS DISTINCT FROM p_cnf THEN 'sender'
        END;
        IF outcome IS NOT NULL THEN
            RETURN;
        END IF;
        SELECT * INTO v_grant FROM oas_grants AS g WHERE g.grant_id = p_grant FOR UPDATE;
    END IF;
    v_now := clock_timestamp();
    owner := v_grant.sub;
    reason := v_grant.revoked_reason;
    v_behind := v_grant.refresh_generation - generation;
    IF v_behind = 1 THEN
        key := array_position(p_secret_ids, v_grant.refresh_secret_id);
        v_again := v_grant.refresh_attempt = p_attempt OR CASE WHEN p_window IS NULL
            THEN v_grant.refresh_used_at <= v_grant.refresh_rotated_at
            ELSE v_now < v_grant.refresh_rotated_at + make_interval(secs => p_window) END;
    END IF;
    outcome := CASE
        WHEN v_grant.grant_id IS NULL OR v_grant.purge_after <= v_now THEN 'unknown' -- its end came
        WHEN v_grant.revoked_reason IN ('user locked', 'subject is locked or gone') THEN 'blocked'
        WHEN v_grant.revoked_at IS NOT NULL THEN 'revoked'
        WHEN v_grant.refresh_expires_at <= v_now THEN 'expired'
        WHEN v_behind > 0 AND NOT v_again THEN 'reused'
        WHEN v_grant.refresh_used_at + make_interval(secs => p_idle) <= v_now THEN 'idle'
    END;
    IF outcome IS NULL THEN
        SELECT s.* INTO v_subject FROM oas_subject_load_1(v_grant.sub, p_recheck) AS s;
        v_scopes := (p_allowed -> '') || (p_allowed -> coalesce(v_grant.resource, ''));
        outcome := CASE
            WHEN v_subject.lives IS NOT TRUE THEN 'blocked'
            -- what the request asks for comes last, or a thief could choose not to be noticed
            WHEN p_resource <> coalesce(v_grant.resource, '') THEN 'resource'
            WHEN NOT string_to_array(p_scope, ' ') <@ string_to_array(v_grant.scope, ' ') THEN 'scope'
            WHEN v_scopes IS NULL THEN 'resource_gone'
            WHEN NOT v_scopes ?| string_to_array(coalesce(p_scope, v_grant.scope), ' ') THEN 'scope_gone'
            WHEN v_behind = 0 AND p_rotate THEN 'rotated'
            WHEN v_behind = 0 THEN 'kept'
            WHEN p_hashes[key] = v_grant.refresh_hash THEN 'repeated'
            ELSE 'elsewhere'
        END;
    END IF;

    IF outcome = 'rotated' THEN
        key := 1;
        INSERT INTO oas_refresh_tokens (grant_id, generation, parent, token_hash, created_at)
        VALUES (p_grant, v_grant.refresh_generation + 1, v_grant.refresh_generation, p_hashes[1], v_now);
        UPDATE oas_grants AS g
        SET refresh_generation = v_grant.refresh_generation + 1, refresh_hash = p_hashes[1],
            refresh_parent_hash = p_hash, refresh_secret_id = p_secret_ids[1], refresh_attempt = p_attempt,
            refresh_rotated_at = v_now, refresh_used_at = v_now
        WHERE g.grant_id = p_grant;
    ELSIF outcome = 'kept' THEN
        -- seldom, so that a busy client writes little; but its first use counts at once
        UPDATE oas_grants AS g SET refresh_used_at = v_now
        WHERE g.grant_id = p_grant AND (g.refresh_used_at = g.refresh_rotated_at
            OR g.refresh_used_at + make_interval(secs => least(60, p_idle / 4)) <= v_now);
    ELSIF outcome = 'reused' THEN
        PERFORM oas_grant_end_1(p_grant, 'refresh token reused');
    ELSIF outcome = 'blocked' THEN
        PERFORM oas_grant_end_1(p_grant, 'subject is locked or gone');
    END IF;
    IF v_behind > 0 THEN
        age := floor(extract(epoch FROM v_now - (SELECT t.created_at FROM oas_refresh_tokens AS t
            WHERE t.grant_id = p_grant AND t.generation = v_grant.refresh_generation - v_behind + 1)));
    END IF;
    IF outcome IN ('rotated', 'repeated', 'kept') THEN
        grant_id := p_grant;
        client_id := v_grant.client_id;
        sub := v_grant.sub;
        session_id := v_grant.session_id;
        scope := v_grant.scope;
        resource := v_grant.resource;
        auth_time := oas_epoch(v_grant.auth_time);
        amr := v_grant.amr;
        acr := v_grant.acr;
        claims := v_subject.claims;
        now := oas_epoch(v_now);
        refresh_expires := oas_epoch(v_grant.refresh_expires_at);
        claims_request := v_grant.claims_request;
    END IF;
END $$;

-- For the module of version 3: what becomes of the token, without the grant.
CREATE OR REPLACE FUNCTION oas_refresh_1(p_grant uuid, p_hash bytea, p_client text, p_secret_ids bytea[],
    p_hashes bytea[], p_scope text, p_resource text, p_allowed jsonb, p_cnf text, p_rotate boolean,
    p_window float8, p_idle float8, p_recheck boolean, p_attempt uuid,
    OUT outcome text, OUT sub text, OUT key integer, OUT generation integer, OUT age bigint, OUT reason text)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT r.outcome, r.owner, r.key, r.generation, r.age, r.reason
    INTO outcome, sub, key, generation, age, reason
    FROM oas_refresh_2(p_grant, p_hash, p_client, p_secret_ids, p_hashes, p_scope, p_resource, p_allowed, p_cnf,
        p_rotate, p_window, p_idle, p_recheck, p_attempt) AS r;
END $$;
