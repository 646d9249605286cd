-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: the transitions that run at every request, with fewer statements inside, each of which finds its one row by
-- the key alone, so that on tables in partitions it is planned for one of them.

-- Tokens end with their grant (oas_purge_1). So a rotation writes to one index, the one that keeps a token from being
-- there twice.
ALTER TABLE oas_refresh_tokens DROP COLUMN purge_after;

-- A hash of another length would match nothing; PostgreSQL reads and compiles such a rule anew at each statement, which
-- costs as much as the index.
ALTER TABLE oas_refresh_tokens DROP CONSTRAINT oas_refresh_tokens_token_hash_check;

-- What only modules of versions 1 and 2 call.
DROP FUNCTION oas_session_open_1, oas_session_open_2, oas_code_put_1, oas_code_redeem_1, oas_grant_live_1,
    oas_grant_for_1;

-- As it was, but STABLE as what it calls, or it could not be put in the place of its call.
CREATE OR REPLACE FUNCTION oas_epoch(p_time timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT floor(extract(epoch FROM p_time))::bigint $$;

-- Subjects, and whether tokens may still be issued to them.
CREATE VIEW oas_subject_states WITH (security_invoker = true) AS
    SELECT s.sub, s.provider, s.name, s.claims, s.provider <> 'oauth2as'
        OR EXISTS (SELECT 1 FROM oas_users AS u WHERE u.name = s.name AND NOT u.locked) AS lives
    FROM oas_subjects AS s;
INSERT INTO oas_rights VALUES ('oas_subject_states', 'SELECT');

CREATE OR REPLACE FUNCTION oas_subject_lives_1(p_sub text, p_recheck boolean) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM oas_subject_states AS s WHERE s.sub = p_sub AND s.lives
        AND CASE WHEN p_recheck THEN oas_subject_recheck(s.sub, s.provider, s.name) ELSE true END);
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

-- What oas_refresh_2 answers with. A named type, for PostgreSQL puts together the columns of any other one at each call.
-- The grant with its subject is there where there is something to issue. owner: whose the grant is, for the log, also
-- where there is not.
CREATE TYPE oas_refreshed_1 AS (outcome text, grant_id uuid, client_id text, sub text, session_id uuid, scope text,
    resource text, auth_time bigint, amr text, acr text, claims jsonb, now bigint, nonce text,
    refresh_expires bigint, claims_request jsonb, owner text, key integer, generation integer, age bigint, reason text);

-- The three of them are one expression each and call nothing that asks tables, so that they become part of the statement
-- they stand in.
CREATE FUNCTION oas_refreshed_grant_1(p_grant oas_grants, p_claims jsonb, p_outcome text, p_key integer,
    p_generation integer, p_age bigint, p_now timestamptz)
RETURNS oas_refreshed_1 LANGUAGE sql STABLE AS $$
    SELECT ROW(p_outcome, p_grant.grant_id, p_grant.client_id, p_grant.sub, p_grant.session_id, p_grant.scope,
        p_grant.resource, oas_epoch(p_grant.auth_time), p_grant.amr, p_grant.acr, p_claims, oas_epoch(p_now), NULL,
        oas_epoch(p_grant.refresh_expires_at), p_grant.claims_request, p_grant.sub, p_key, p_generation, p_age,
        NULL)::oas_refreshed_1
$$;

-- Why somebody may not use the family's tokens whatever becomes of it. None of this ever changes.
CREATE FUNCTION oas_refresh_barred_1(p_grant oas_grants, p_client text, p_cnf text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_grant.client_id <> p_client THEN 'foreign'
        WHEN p_grant.cnf IS NOT NULL AND p_grant.cnf IS DISTINCT FROM p_cnf THEN 'sender'
    END
$$;

-- Why there is nothing to issue; NULL: there is. p_replayed: the token was replaced, and does not count any more.
CREATE FUNCTION oas_refresh_refused_1(p_grant oas_grants, p_lives boolean, p_provider text, p_name text,
    p_now timestamptz, p_replayed boolean, p_scope text, p_resource text, p_allowed jsonb, p_idle float8,
    p_recheck boolean)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN (p_grant.purge_after > p_now) IS NOT TRUE THEN 'unknown' -- its end came
        WHEN p_grant.revoked_at IS NOT NULL THEN CASE
            WHEN p_grant.revoked_reason IN ('user locked', 'subject is locked or gone') THEN 'blocked'
            ELSE 'revoked' END
        WHEN p_grant.refresh_expires_at <= p_now THEN 'expired'
        WHEN p_replayed THEN 'reused'
        WHEN p_grant.refresh_used_at + p_idle * interval '1 second' <= p_now THEN 'idle'
        WHEN (p_lives AND CASE WHEN p_recheck THEN oas_subject_recheck(p_grant.sub, p_provider, p_name) ELSE true END)
            IS NOT TRUE THEN 'blocked'
        -- what the request asks for comes last, or a thief could choose not to be noticed
        WHEN p_resource <> coalesce(p_grant.resource, '') THEN 'resource'
        WHEN NOT string_to_array(p_scope, ' ') <@ string_to_array(p_grant.scope, ' ') THEN 'scope'
        ELSE CASE ((p_allowed -> '') || (p_allowed -> coalesce(p_grant.resource, '')))
                ?| string_to_array(coalesce(p_scope, p_grant.scope), ' ')
            WHEN true THEN NULL
            WHEN false THEN 'scope_gone'
            ELSE 'resource_gone' END -- the client may not use it
    END
$$;

-- As oas_refresh_1 was, with oas_grant_for_2 in one: decides what becomes of a refresh token, does it, and returns the grant
-- with its subject where there is something to issue.
--
-- Most tokens are the head and are rotated. That is tried first, by one UPDATE which finds the row only by the hash of the
-- head and only where nothing is against it. Whoever writes to that row at the same time decides what becomes of it: who
-- waited for them looks at the row they left, by the same conditions, so of two rotations one finds no head any more,
-- and none finds a grant that was revoked. The subject and the time are as of its beginning. That is enough: whatever
-- ends what a subject has revokes the grant too, and so writes to its row.
--
-- Everything else is decided under the lock of the grant's row, which a token of the family alone can take: what never
-- changes is compared without it, so whoever knows none, or may not use it, neither changes nor delays anything. When the
-- token turns out to be the head after all (somebody else's rotation was taken back), it is tried again.
CREATE FUNCTION oas_refresh_2(p_grant uuid, p_hash bytea, p_client text, p_secret_ids bytea[],
    p_hashes bytea[], p_scope text, p_resource text, p_allowed jsonb, p_cnf text, p_rotate boolean,
    p_window float8, p_idle float8, p_recheck boolean, p_attempt uuid)
RETURNS oas_refreshed_1 LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz := clock_timestamp();
    v_result  oas_refreshed_1;
    v_grant   oas_grants%ROWTYPE;
    v_subject oas_subject_states%ROWTYPE;
    v_behind  integer; -- 0: the head, 1: the one it replaced
    v_again   boolean := false;
BEGIN
    LOOP
        IF p_rotate THEN
            UPDATE oas_grants AS g
            SET refresh_generation = g.refresh_generation + 1, refresh_hash = p_hashes[1],
                refresh_parent_hash = p_hash, refresh_secret_id = p_secret_ids[1], refresh_attempt = p_attempt,
                refresh_rotated_at = v_now, refresh_used_at = v_now
            FROM oas_subject_states AS s
            WHERE g.grant_id = p_grant AND g.refresh_hash = p_hash AND s.sub = g.sub
                AND oas_refresh_barred_1(g, p_client, p_cnf) IS NULL
                AND oas_refresh_refused_1(g, s.lives, s.provider, s.name, v_now, false, p_scope, p_resource,
                    p_allowed, p_idle, p_recheck) IS NULL
            RETURNING (oas_refreshed_grant_1(g, s.claims, 'rotated', 1, g.refresh_generation - 1, NULL, v_now)).*
            INTO v_result;
            IF FOUND THEN
                INSERT INTO oas_refresh_tokens (grant_id, generation, parent, token_hash, created_at)
                VALUES (p_grant, v_result.generation + 1, v_result.generation, p_hashes[1], v_now);
                RETURN v_result;
            END IF;
        END IF;

        SELECT * INTO v_grant FROM oas_grants AS g
        WHERE g.grant_id = p_grant AND g.refresh_hash = p_hash
            AND oas_refresh_barred_1(g, p_client, p_cnf) IS NULL
        FOR UPDATE;
        IF FOUND THEN
            v_result.generation := v_grant.refresh_generation;
        ELSE
            SELECT * INTO v_grant FROM oas_grants AS g WHERE g.grant_id = p_grant;
            v_result.owner := v_grant.sub;
            v_result.generation := oas_refresh_generation_1(v_grant, p_hash);
            v_result.outcome := CASE WHEN v_result.generation IS NULL THEN 'unknown'
                ELSE oas_refresh_barred_1(v_grant, p_client, p_cnf) END;
            IF v_result.outcome IS NOT NULL THEN
                RETURN v_result;
            END IF;
            SELECT * INTO v_grant FROM oas_grants AS g WHERE g.grant_id = p_grant FOR UPDATE;
        END IF;
        SELECT * INTO v_subject FROM oas_subject_states AS s WHERE s.sub = v_grant.sub;
        v_now := clock_timestamp();
        v_behind := v_grant.refresh_generation - v_result.generation;
        IF v_behind = 1 THEN
            v_result.key := array_position(p_secret_ids, v_grant.refresh_secret_id);
            v_again := v_grant.refresh_attempt = p_attempt OR CASE WHEN p_window IS NULL
                THEN v_grant.refresh_used_at <= v_grant.refresh_rotated_at
                ELSE v_now < v_grant.refresh_rotated_at + make_interval(secs => p_window) END;
        END IF;
        v_result.outcome := coalesce(
            oas_refresh_refused_1(v_grant, v_subject.lives, v_subject.provider, v_subject.name, v_now,
                v_behind > 0 AND NOT v_again, p_scope, p_resource, p_allowed, p_idle, p_recheck),
            CASE
                WHEN v_behind = 0 AND p_rotate THEN 'rotated'
                WHEN v_behind = 0 THEN 'kept'
                WHEN p_hashes[v_result.key] = v_grant.refresh_hash THEN 'repeated'
                ELSE 'elsewhere'
            END);
        EXIT WHEN v_result.outcome <> 'rotated';
    END LOOP;

    v_result.owner := v_grant.sub;
    v_result.reason := v_grant.revoked_reason;
    IF v_behind > 0 THEN
        v_result.age := floor(extract(epoch FROM v_now - (SELECT t.created_at FROM oas_refresh_tokens AS t
            WHERE t.grant_id = p_grant AND t.generation = v_result.generation + 1)));
    END IF;
    IF v_result.outcome = 'kept' THEN
        -- seldom, so that a busy client writes little; but its first use counts at once
        UPDATE oas_grants AS g SET refresh_used_at = v_now
        WHERE g.grant_id = p_grant AND (g.refresh_used_at = g.refresh_rotated_at
            OR g.refresh_used_at + make_interval(secs => least(60, p_idle / 4)) <= v_now);
    ELSIF v_result.outcome = 'reused' THEN
        PERFORM oas_grant_condemn_1(p_grant, 'refresh token reused');
    ELSIF v_result.outcome = 'blocked' THEN
        PERFORM oas_grant_end_1(p_grant, 'subject is locked or gone');
    END IF;
    IF v_result.outcome IN ('repeated', 'kept') THEN
        RETURN oas_refreshed_grant_1(v_grant, v_subject.claims, v_result.outcome, v_result.key, v_result.generation,
            v_result.age, v_now);
    END IF;
    RETURN v_result;
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
