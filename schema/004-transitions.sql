-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: the transitions that run at every request, with fewer statements inside, each of which finds its one row by
-- the key alone, so that on tables in partitions it is planned for one of them.

-- Tokens end with their grant (oas_purge_1). So a rotation writes to one index, the one that keeps a token from being
-- there twice. The column itself stays for those who are in the middle of the function that version 3 had, where they
-- wait for this transaction. A hash of another length would match nothing, and PostgreSQL reads and compiles such a rule
-- anew at each statement, which costs as much as that index.
ALTER TABLE oas_refresh_tokens ALTER COLUMN purge_after DROP NOT NULL, DROP CONSTRAINT oas_refresh_tokens_token_hash_check;
DROP INDEX oas_refresh_tokens_purge;
ALTER TABLE oas_codes DROP CONSTRAINT oas_codes_code_hash_check;

-- What only modules of versions 1 and 2 call.
DROP FUNCTION oas_session_open_1, oas_session_open_2, oas_code_put_1, oas_code_redeem_1, oas_grant_live_1,
    oas_grant_for_1;

-- As it was, but STABLE as what it calls, or it could not be put in the place of its call.
CREATE OR REPLACE FUNCTION oas_epoch(p_time timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT floor(extract(epoch FROM p_time))::bigint $$;

-- What a transition answers with: the grant with its subject where there is something to issue. owner: whose the grant is,
-- for the log, also where there is not. The last four are about refresh tokens. A named type, because PostgreSQL puts together
-- the columns of any other one at each call.
CREATE TYPE oas_answer_1 AS (outcome text, grant_id uuid, client_id text, sub text, session_id uuid, scope text,
    resource text, auth_time bigint, amr text, acr text, claims jsonb, now bigint, nonce text,
    refresh_expires bigint, claims_request jsonb, owner text, key integer, generation integer, age bigint, reason text);

CREATE FUNCTION oas_answer_1(p_outcome text, p_grant oas_grants, p_claims jsonb, p_now timestamptz, p_nonce text,
    p_key integer, p_generation integer, p_age bigint)
RETURNS oas_answer_1 LANGUAGE sql STABLE AS $$
    SELECT ROW(p_outcome, p_grant.grant_id, p_grant.client_id, p_grant.sub, p_grant.session_id, p_grant.scope,
        p_grant.resource, oas_epoch(p_grant.auth_time), p_grant.amr, p_grant.acr, p_claims, oas_epoch(p_now), p_nonce,
        oas_epoch(p_grant.refresh_expires_at), p_grant.claims_request, p_grant.sub, p_key, p_generation, p_age,
        NULL)::oas_answer_1
$$;

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

-- The first token of a family, in a grant that the caller holds; returns its end. A grant stays a day longer than anything
-- issued from it lives.
CREATE FUNCTION oas_family_start_2(p_grant uuid, p_hash bytea, p_lifetime float8, p_access_lifetime float8,
    p_cnf text)
RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
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
    RETURN v_end;
END $$;

-- For oas_password_grant_1, and for the module of version 3.
CREATE OR REPLACE FUNCTION oas_family_start_1(p_grant uuid, p_hash bytea, p_lifetime float8,
    p_access_lifetime float8, p_cnf text)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM oas_family_start_2(p_grant, p_hash, p_lifetime, p_access_lifetime, p_cnf);
END $$;

-- As it was, but STABLE, as oas_epoch.
CREATE OR REPLACE FUNCTION oas_scope_online_1(p_scope text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT array_to_string(array_remove(string_to_array(p_scope, ' '), 'offline_access'), ' ')
$$;

-- As oas_code_put_3 was, with oas_grant_for_2 in one: makes a grant, with a code unless p_hash is NULL, and writes or checks the
-- consent. p_permissions is what the consent has to cover or is widened by: the scope, and words for claims beyond it,
-- which the grant's scope does not keep. With p_track the client wants to hear of the end of the session, whose row is held
-- until all is there; with p_queue too it is told from the queue. A repetition with the same grant and code is 'put' again,
-- whatever has become of the grant since.
CREATE FUNCTION oas_code_put_4(p_grant uuid, p_hash bytea, p_session uuid, p_client text, p_scope text, p_resource text,
    p_redirect_uri text, p_redirect_uri_required boolean, p_challenge text, p_nonce text,
    p_code_lifetime float8, p_access_lifetime float8, p_consent text, p_form_started bigint,
    p_activate boolean, p_claims_request jsonb, p_track boolean, p_queue boolean, p_permissions text)
RETURNS oas_answer_1 LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz;
    v_purge   timestamptz;
    v_session record;
    v_scopes  text[] := string_to_array(coalesce(p_permissions, p_scope), ' ');
    v_result  oas_answer_1;
BEGIN
    SELECT s.sub, s.auth_time, s.amr, s.acr, p.claims, c.queued INTO v_session
    FROM oas_sessions AS s JOIN oas_subject_states AS p ON p.sub = s.sub
        LEFT JOIN oas_session_clients AS c ON c.session_id = s.session_id AND c.client_id = p_client
    WHERE s.session_id = p_session AND oas_session_lives_1(s) AND p.lives
    FOR SHARE OF s;
    IF NOT FOUND THEN
        v_result.outcome := 'session_gone';
    END IF;
    v_now := clock_timestamp();

    -- The consent's row is held until the grant is there, so a withdrawal sees this grant or stops it.
    IF v_result.outcome IS NOT NULL THEN
        NULL;
    ELSIF p_consent = 'require' THEN
        PERFORM 1 FROM oas_consents
        WHERE sub = v_session.sub AND client_id = p_client AND resource = coalesce(p_resource, '')
            AND live AND scopes @> v_scopes
        FOR SHARE;
        IF NOT FOUND THEN
            v_result.outcome := 'consent_gone';
        END IF;
    ELSIF p_consent = 'allow' THEN
        -- the form was dated by this clock too, in whole seconds rounded down
        INSERT INTO oas_consents AS c (sub, client_id, resource, scopes, live, granted_at)
        VALUES (v_session.sub, p_client, coalesce(p_resource, ''), v_scopes, true, v_now)
        ON CONFLICT (sub, client_id, resource) DO UPDATE
        SET scopes = ARRAY(SELECT DISTINCT unnest(c.scopes || v_scopes) ORDER BY 1),
            live = true, granted_at = v_now, purge_after = NULL
        WHERE (c.withdrawn_at IS NULL OR to_timestamp(p_form_started) > c.withdrawn_at)
            AND NOT EXISTS (SELECT 1 FROM oas_grants AS g WHERE g.grant_id = p_grant); -- a repetition gives none
        IF NOT FOUND THEN
            v_result.outcome := 'consent_gone';
        END IF;
    ELSIF p_consent <> 'skip' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'unknown consent mode';
    END IF;

    IF v_result.outcome IS NULL THEN
        -- kept a day longer than anything issued from it lives, so that a replay is still seen
        v_now := clock_timestamp();
        v_purge := v_now + make_interval(secs => p_access_lifetime) + interval '1 day'
            + CASE WHEN p_hash IS NULL THEN interval '0' ELSE make_interval(secs => p_code_lifetime) END;
        INSERT INTO oas_grants AS g (grant_id, client_id, sub, session_id, scope, resource, auth_time, amr, acr,
            created_at, activated_at, purge_after, claims_request)
        VALUES (p_grant, p_client, v_session.sub, p_session, p_scope, p_resource, v_session.auth_time,
            v_session.amr, v_session.acr, v_now, CASE WHEN p_activate THEN v_now END, v_purge, p_claims_request)
        ON CONFLICT (grant_id) DO NOTHING
        RETURNING (oas_answer_1('put', g, v_session.claims, v_now, NULL, NULL, NULL, NULL)).* INTO v_result;
    END IF;
    IF v_result.outcome IS DISTINCT FROM 'put' THEN
        IF oas_grant_is_1(p_grant, p_hash, p_session, p_client) THEN
            SELECT (oas_answer_1('put', g, p.claims, clock_timestamp(), NULL, NULL, NULL, NULL)).* INTO v_result
            FROM oas_grants AS g JOIN oas_subjects AS p ON p.sub = g.sub WHERE g.grant_id = p_grant;
            v_result.outcome := coalesce(v_result.outcome, 'gone');
        ELSIF v_result.outcome IS NULL THEN
            RAISE unique_violation USING MESSAGE = 'grant_id is taken';
        END IF;
        RETURN v_result;
    END IF;
    IF p_hash IS NOT NULL THEN
        INSERT INTO oas_codes (grant_id, code_hash, redirect_uri, redirect_uri_required, code_challenge,
            nonce, expires_at, purge_after)
        VALUES (p_grant, p_hash, p_redirect_uri, p_redirect_uri_required, p_challenge, p_nonce,
            v_now + make_interval(secs => p_code_lifetime), v_purge);
    END IF;
    IF p_track AND (v_session.queued IS NULL OR p_queue AND NOT v_session.queued) THEN
        -- or it has a URI for it since
        INSERT INTO oas_session_clients AS c (session_id, client_id, queued) VALUES (p_session, p_client, p_queue)
        ON CONFLICT (session_id, client_id) DO UPDATE SET queued = true WHERE p_queue AND NOT c.queued;
    END IF;
    RETURN v_result;
END $$;

-- Why somebody may not redeem the code whatever becomes of it. None of this ever changes.
CREATE FUNCTION oas_code_barred_1(p_grant oas_grants, p_code oas_codes, p_client text, p_redirect_uri text,
    p_challenge text, p_resource text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_grant.client_id <> p_client THEN 'foreign'
        WHEN p_redirect_uri <> p_code.redirect_uri THEN 'redirect_uri'
        WHEN p_redirect_uri IS NULL AND p_code.redirect_uri_required AND p_code.code_challenge IS NULL
            THEN 'redirect_uri_missing'
        WHEN p_challenge IS NULL AND p_code.code_challenge IS NOT NULL THEN 'verifier_missing'
        WHEN p_challenge IS DISTINCT FROM p_code.code_challenge THEN 'verifier'
        WHEN p_resource IS NOT NULL AND p_resource IS DISTINCT FROM p_grant.resource THEN 'resource'
    END
$$;

-- Why there is nothing to issue; NULL: there is, or this attempt has redeemed the code already.
CREATE FUNCTION oas_code_refused_1(p_grant oas_grants, p_code oas_codes, p_lives boolean, p_attempt uuid,
    p_now timestamptz)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_code.used_at IS NOT NULL AND p_code.attempt <> p_attempt THEN 'replayed'
        WHEN p_grant.grant_id IS NULL OR p_grant.revoked_at IS NOT NULL THEN 'revoked'
        WHEN p_code.used_at IS NULL AND p_code.expires_at <= p_now THEN 'expired'
        WHEN p_lives IS NOT TRUE THEN 'blocked'
    END
$$;

-- As oas_code_redeem_2 was, with oas_grant_for_2 in one. p_refresh is the family's first token; NULL: there will be none.
-- The grant is active, at the latest, since the moment at which its code was used: by that an undo tells what it has to
-- take back.
-- The grant's row decides who wins. Most codes are redeemed once, by whom they were made for: that is tried first, by one
-- UPDATE which finds the grant only as long as nothing was issued from it; until then nobody has used the code, for both
-- are noted in one transaction, so who waited for the row need not look at the code again. Everything else is
-- decided under the lock of the row, for which what never changes is compared beforehand, so an attempt by somebody else
-- neither changes nor delays anything; a code that is good then (something was issued along with it) is redeemed while
-- the row is held.
CREATE FUNCTION oas_code_redeem_3(p_grant uuid, p_hash bytea, p_client text, p_redirect_uri text,
    p_challenge text, p_resource text, p_attempt uuid, p_refresh bytea, p_refresh_lifetime float8,
    p_access_lifetime float8, p_cnf text)
RETURNS oas_answer_1 LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz := clock_timestamp();
    v_held    boolean := false;
    v_result  oas_answer_1;
    v_grant   oas_grants%ROWTYPE;
    v_code    oas_codes%ROWTYPE;
    v_subject oas_subject_states%ROWTYPE;
BEGIN
    LOOP
        UPDATE oas_grants AS g
        SET activated_at = coalesce(g.activated_at, v_now),
            scope = CASE WHEN p_refresh IS NULL THEN oas_scope_online_1(g.scope) ELSE g.scope END
        FROM oas_codes AS c, oas_subject_states AS s
        WHERE g.grant_id = p_grant AND c.grant_id = p_grant AND c.code_hash = p_hash AND s.sub = g.sub
            AND (v_held OR g.activated_at IS NULL)
            AND oas_code_barred_1(g, c, p_client, p_redirect_uri, p_challenge, p_resource) IS NULL
            AND oas_code_refused_1(g, c, s.lives, p_attempt, v_now) IS NULL
        RETURNING (oas_answer_1('done', g, s.claims, v_now, c.nonce, NULL, NULL, NULL)).* INTO v_result;
        IF FOUND THEN
            UPDATE oas_codes SET used_at = v_now, attempt = p_attempt WHERE grant_id = p_grant;
            IF p_refresh IS NOT NULL AND 'offline_access' = ANY (string_to_array(v_result.scope, ' ')) THEN
                v_result.refresh_expires := oas_epoch(oas_family_start_2(p_grant, p_refresh, p_refresh_lifetime,
                    p_access_lifetime, p_cnf));
            END IF;
            RETURN v_result;
        END IF;

        SELECT * INTO v_code FROM oas_codes WHERE grant_id = p_grant AND code_hash = p_hash;
        SELECT * INTO v_grant FROM oas_grants WHERE grant_id = v_code.grant_id;
        v_result.owner := v_grant.sub;
        v_result.outcome := CASE WHEN v_grant.grant_id IS NULL THEN 'unknown'
            ELSE oas_code_barred_1(v_grant, v_code, p_client, p_redirect_uri, p_challenge, p_resource) END;
        IF v_result.outcome IS NOT NULL THEN
            RETURN v_result;
        END IF;
        SELECT * INTO v_grant FROM oas_grants WHERE grant_id = p_grant FOR UPDATE;
        SELECT * INTO v_code FROM oas_codes WHERE grant_id = p_grant;
        SELECT * INTO v_subject FROM oas_subject_states WHERE sub = v_grant.sub;
        v_now := clock_timestamp();
        v_held := true;
        v_result.outcome := oas_code_refused_1(v_grant, v_code, v_subject.lives, p_attempt, v_now);
        EXIT WHEN v_result.outcome IS NOT NULL;
        IF v_code.used_at IS NOT NULL THEN
            RETURN oas_answer_1('done', v_grant, v_subject.claims, v_now, v_code.nonce, NULL, NULL, NULL);
        END IF;
    END LOOP;
    IF v_result.outcome = 'replayed' THEN
        PERFORM oas_grant_condemn_1(p_grant, 'code replayed');
    ELSIF v_result.outcome = 'blocked' THEN
        PERFORM oas_grant_end_1(p_grant, 'subject is locked or gone');
        v_result.outcome := 'revoked';
    END IF;
    RETURN v_result;
END $$;

-- Why somebody may not use the family's tokens whatever becomes of it. None of this ever changes.
CREATE FUNCTION oas_refresh_barred_1(p_grant oas_grants, p_client text, p_cnf text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_grant.client_id <> p_client THEN 'foreign'
        WHEN p_grant.cnf IS NOT NULL AND p_grant.cnf IS DISTINCT FROM p_cnf THEN 'sender'
    END
$$;

-- Why there is nothing to issue; NULL: there is. p_replayed: the token was replaced, and does not count any more.
CREATE FUNCTION oas_refresh_refused_1(p_grant oas_grants, p_lives boolean, p_now timestamptz, p_replayed boolean,
    p_scope text, p_resource text, p_allowed jsonb, p_idle float8, p_recheck boolean, p_providers text)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN (p_grant.purge_after > p_now) IS NOT TRUE THEN 'unknown' -- its end came
        WHEN p_grant.revoked_at IS NOT NULL THEN CASE
            WHEN p_grant.revoked_reason IN ('user locked', 'subject is locked or gone') THEN 'blocked'
            ELSE 'revoked' END
        WHEN p_grant.refresh_expires_at <= p_now THEN 'expired'
        WHEN p_replayed THEN 'reused'
        WHEN p_grant.refresh_used_at + p_idle * interval '1 second' <= p_now THEN 'idle'
        WHEN (p_lives AND CASE WHEN p_recheck THEN oas_subject_ours_1(p_grant.sub, p_providers) ELSE true END)
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
    p_window float8, p_idle float8, p_recheck boolean, p_attempt uuid, p_providers text)
RETURNS oas_answer_1 LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz := clock_timestamp();
    v_result  oas_answer_1;
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
                AND oas_refresh_refused_1(g, s.lives, v_now, false, p_scope, p_resource, p_allowed, p_idle, p_recheck,
                    p_providers) IS NULL
            RETURNING (oas_answer_1('rotated', g, s.claims, v_now, NULL, 1, g.refresh_generation - 1, NULL)).*
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
            oas_refresh_refused_1(v_grant, v_subject.lives, v_now, v_behind > 0 AND NOT v_again, p_scope, p_resource,
                p_allowed, p_idle, p_recheck, p_providers),
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
        RETURN oas_answer_1(v_result.outcome, v_grant, v_subject.claims, v_now, NULL, v_result.key,
            v_result.generation, v_result.age);
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
        p_rotate, p_window, p_idle, p_recheck, p_attempt, NULL) AS r;
END $$;
