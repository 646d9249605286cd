-- SPDX-License-Identifier: Apache-2.0
--
-- Version 2: families of refresh tokens, grants of the front channel and of passwords, lists of token ids,
-- the end of sessions and of rows. What a module of version 1 calls stays as it was.
--
-- Lock order: user (oas_user_hold_1), subject, session, consent, grant (several by grant_id), then what hangs on
-- the grant; throttle rows by key. The end of rows and the limit of families skip what others hold, so they wait for nobody.

-- The head of the grant's one family of refresh tokens; refresh_generation NULL: it has none. A rotation changes
-- no column that is in an index, so it stays heap-only.
ALTER TABLE oas_grants
    ADD COLUMN refresh_generation  integer,     -- of the token that is valid now, from 1
    ADD COLUMN refresh_hash        bytea,       -- of that token
    ADD COLUMN refresh_parent_hash bytea,       -- of the one it replaced
    ADD COLUMN refresh_secret_id   bytea,       -- the server's secret that it was derived with
    ADD COLUMN refresh_attempt     uuid,        -- the request that made it
    ADD COLUMN refresh_rotated_at  timestamptz, -- when it was made
    ADD COLUMN refresh_used_at     timestamptz, -- last use of the family; later than that: it was used itself
    ADD COLUMN refresh_expires_at  timestamptz, -- absolute end, fixed with the first token
    ADD COLUMN cnf                 text;        -- the sender's certificate, where tokens are bound to it
CREATE INDEX oas_grants_session ON oas_grants (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX oas_subjects_name ON oas_subjects (name, provider);

-- One row for each token that there ever was. No foreign key: partitioned by grant_id like its grant. token_hash
-- is in the index so that a stranger's token is looked for in the index alone.
CREATE TABLE oas_refresh_tokens (
    grant_id    uuid NOT NULL,
    generation  integer NOT NULL,
    parent      integer,
    token_hash  bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    created_at  timestamptz NOT NULL,
    purge_after timestamptz NOT NULL,
    PRIMARY KEY (grant_id, generation) INCLUDE (token_hash)
);
CREATE INDEX oas_refresh_tokens_purge ON oas_refresh_tokens (purge_after);
CREATE INDEX oas_refresh_tokens_first ON oas_refresh_tokens (created_at) WHERE generation = 1;

-- What may be used once only (assertions), and access tokens without a grant that were revoked.
CREATE TABLE oas_jtis (
    key         bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    attempt     uuid NOT NULL,
    purge_after timestamptz NOT NULL
);
CREATE INDEX oas_jtis_purge ON oas_jtis (purge_after);

CREATE TABLE oas_revoked_jtis (
    jti         text PRIMARY KEY,
    purge_after timestamptz NOT NULL
);
CREATE INDEX oas_revoked_jtis_purge ON oas_revoked_jtis (purge_after);

-- How far work has come that is done by one node for all.
CREATE TABLE oas_marks (
    name    text PRIMARY KEY,
    reached timestamptz NOT NULL
);
INSERT INTO oas_marks VALUES ('limit', clock_timestamp());

-- Is this user still one of ours? Asked at each refresh where OAuth2ASSubjectRecheck says sql. To be replaced by
-- the administrator; anything but true ends the family.
CREATE FUNCTION oas_subject_recheck(p_sub text, p_provider text, p_name text) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT true $$;

-- Whether tokens may still be issued to a subject.
CREATE FUNCTION oas_subject_lives_1(p_sub text, p_recheck boolean) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1 FROM oas_subjects AS s WHERE s.sub = p_sub
            AND (s.provider <> 'oauth2as'
                OR EXISTS (SELECT 1 FROM oas_users AS u WHERE u.name = s.name AND NOT u.locked))
            AND CASE WHEN p_recheck THEN oas_subject_recheck(s.sub, s.provider, s.name) ELSE true END);
END $$;

-- Stores who logged in; a row that is up to date is left alone.
CREATE FUNCTION oas_subject_put_1(p_sub text, p_provider text, p_name text, p_claims jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO oas_subjects AS s (sub, provider, name, claims)
    VALUES (p_sub, p_provider, p_name, p_claims)
    ON CONFLICT (sub) DO UPDATE
    SET provider = p_provider, name = p_name, claims = p_claims, updated_at = clock_timestamp()
    WHERE (s.provider, s.name, s.claims) IS DISTINCT FROM (p_provider, p_name, p_claims);
END $$;

-- Logins of a user of the built-in provider hold the name together until they have written what they write; what
-- ends them holds it alone. It is a lock of the name because a new user has no subject yet, and because the
-- role of httpd can lock no row of oas_users.
CREATE FUNCTION oas_user_hold_1(p_name text, p_alone boolean) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_key CONSTANT bigint := hashtextextended(p_name, 'oas_schema'::regclass::oid::bigint);
BEGIN
    IF p_alone THEN
        PERFORM pg_advisory_xact_lock(v_key);
    ELSE
        PERFORM pg_advisory_xact_lock_shared(v_key);
    END IF;
END $$;

-- Whether what a provider found still holds when the login is written: a password takes long to check, and
-- meanwhile it may be changed, or its user locked. p_proof: hex SHA-256 of the password hash that it was
-- checked against; only the built-in provider has one.
CREATE FUNCTION oas_login_holds_1(p_provider text, p_name text, p_proof text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF p_provider <> 'oauth2as' THEN
        RETURN true;
    END IF;
    PERFORM oas_user_hold_1(p_name, false);
    RETURN EXISTS (SELECT 1 FROM oas_users WHERE name = p_name AND NOT locked
        AND encode(sha256(convert_to(password_hash, 'UTF8')), 'hex') = p_proof);
END $$;

-- A login succeeded: one counter is forgotten, the others get back what the attempt counted.
CREATE FUNCTION oas_throttle_clear_1(p_forget bytea, p_forgive bytea[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM 1 FROM oas_throttle WHERE key = ANY (array_append(p_forgive, p_forget))
    ORDER BY key FOR UPDATE;
    DELETE FROM oas_throttle WHERE key = p_forget;
    PERFORM oas_throttle_forgive_1(p_forgive);
END $$;

-- Revokes a grant, and with it its family; false when it was revoked before.
CREATE FUNCTION oas_grant_end_1(p_grant uuid, p_reason text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE oas_grants SET revoked_at = clock_timestamp(), revoked_reason = p_reason
    WHERE grant_id = p_grant AND revoked_at IS NULL;
    RETURN FOUND;
END $$;

-- Ends a session and revokes what lives no longer than it: its grants without a family. Whoever makes a
-- grant holds the session's row until it is there, so none is missed.
CREATE FUNCTION oas_session_close_1(p_id uuid, p_reason text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE oas_sessions SET ended_at = clock_timestamp() WHERE session_id = p_id AND ended_at IS NULL;
    PERFORM 1 FROM oas_grants
    WHERE session_id = p_id AND revoked_at IS NULL AND refresh_generation IS NULL
    ORDER BY grant_id FOR UPDATE;
    UPDATE oas_grants SET revoked_at = clock_timestamp(), revoked_reason = p_reason
    WHERE session_id = p_id AND revoked_at IS NULL AND refresh_generation IS NULL;
END $$;

CREATE FUNCTION oas_session_lives_1(p_session oas_sessions) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
    SELECT p_session.session_id IS NOT NULL AND p_session.ended_at IS NULL
        AND least(p_session.idle_until, p_session.expires_at) > clock_timestamp()
$$;

-- Ends a live session; false when it was none.
CREATE FUNCTION oas_session_end_1(p_id uuid, p_secret bytea) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_session oas_sessions%ROWTYPE;
BEGIN
    SELECT * INTO v_session FROM oas_sessions
    WHERE session_id = p_id AND secret_hash = p_secret FOR UPDATE;
    IF oas_session_lives_1(v_session) THEN
        PERFORM oas_session_close_1(p_id, 'session ended');
        RETURN true;
    END IF;
    RETURN false;
END $$;

-- As version 1, but the session of another subject takes its grants with it, and there is no row when the
-- login holds no longer.
CREATE FUNCTION oas_session_open_2(
    p_id uuid, p_secret bytea, p_sub text, p_provider text, p_name text, p_claims jsonb, p_amr text,
    p_acr text, p_lifetime float8, p_idle float8, p_address text, p_user_agent text, p_old_id uuid,
    p_old_secret bytea, p_forget bytea, p_forgive bytea[], p_proof text)
RETURNS TABLE (session_id uuid, auth_time bigint, now bigint, amr text, acr text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_old oas_sessions%ROWTYPE;
BEGIN
    IF NOT oas_login_holds_1(p_provider, p_name, p_proof) THEN
        RETURN;
    END IF;
    PERFORM oas_subject_put_1(p_sub, p_provider, p_name, p_claims);
    SELECT * INTO v_old FROM oas_sessions AS o
    WHERE o.session_id = p_old_id AND o.secret_hash = p_old_secret AND o.sub <> p_sub FOR UPDATE;
    IF oas_session_lives_1(v_old) THEN
        PERFORM oas_session_close_1(p_old_id, 'session ended');
    END IF;
    RETURN QUERY SELECT * FROM oas_session_open_1(p_id, p_secret, p_sub, p_provider, p_name, p_claims,
        p_amr, p_acr, p_lifetime, p_idle, p_address, p_user_agent, p_old_id, p_old_secret, p_forget,
        p_forgive);
END $$;

-- Ends every session and every grant of a user of the built-in provider. Whoever calls it has written to
-- oas_users why, in the same transaction: a login waits for that, or is there to be ended.
CREATE FUNCTION oas_user_end_1(p_name text, p_reason text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_subs text[];
BEGIN
    PERFORM oas_user_hold_1(p_name, true);
    v_subs := ARRAY(SELECT sub FROM oas_subjects WHERE name = p_name AND provider = 'oauth2as');
    PERFORM 1 FROM oas_sessions WHERE sub = ANY (v_subs) AND ended_at IS NULL
    ORDER BY session_id FOR UPDATE;
    UPDATE oas_sessions SET ended_at = clock_timestamp() WHERE sub = ANY (v_subs) AND ended_at IS NULL;
    PERFORM 1 FROM oas_grants WHERE sub = ANY (v_subs) AND revoked_at IS NULL
    ORDER BY grant_id FOR UPDATE;
    UPDATE oas_grants SET revoked_at = clock_timestamp(), revoked_reason = p_reason
    WHERE sub = ANY (v_subs) AND revoked_at IS NULL;
END $$;

-- Both return false when there is no such user.
CREATE FUNCTION oas_user_passwd_1(p_name text, p_hash text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE oas_users SET password_hash = p_hash, password_changed = clock_timestamp()
    WHERE name = p_name;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM oas_user_end_1(p_name, 'password changed');
    RETURN true;
END $$;

CREATE FUNCTION oas_user_lock_1(p_name text, p_locked boolean) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE oas_users SET locked = p_locked WHERE name = p_name;
    IF NOT FOUND THEN
        RETURN false;
    ELSIF p_locked THEN
        PERFORM oas_user_end_1(p_name, 'user locked');
    END IF;
    RETURN true;
END $$;

-- What a verb answers with: the outcome of the function that stands as its second argument (carried out
-- before) and, where there is something to issue, the grant with its subject. 'gone': but there is none any more.
CREATE FUNCTION oas_grant_for_1(p_grant uuid, p_outcome text)
RETURNS TABLE (outcome text, grant_id uuid, client_id text, sub text, session_id uuid, scope text,
    resource text, auth_time bigint, amr text, acr text, claims jsonb, now bigint, nonce text,
    refresh_expires bigint, provider text, name text)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    outcome := p_outcome;
    IF p_outcome IN ('put', 'done', 'live', 'rotated', 'repeated', 'kept') THEN
        RETURN QUERY SELECT p_outcome, g.grant_id, g.client_id, g.sub, g.session_id, g.scope, g.resource,
            oas_epoch(g.auth_time), g.amr, g.acr, s.claims, oas_epoch(clock_timestamp()), c.nonce,
            oas_epoch(g.refresh_expires_at), s.provider, s.name
        FROM oas_grants AS g JOIN oas_subjects AS s ON s.sub = g.sub
            LEFT JOIN oas_codes AS c ON c.grant_id = g.grant_id AND p_outcome = 'done'
        WHERE g.grant_id = p_grant AND (p_outcome = 'put' OR g.activated_at IS NOT NULL
            AND g.revoked_at IS NULL AND g.purge_after > clock_timestamp());
        IF FOUND THEN
            RETURN;
        END IF;
        outcome := 'gone';
    END IF;
    RETURN NEXT;
END $$;

-- The first token of a family, in a grant that the caller holds. Lineage and grant stay a day longer than
-- anything issued from them lives.
CREATE FUNCTION oas_family_start_1(p_grant uuid, p_hash bytea, p_lifetime float8, p_access_lifetime float8,
    p_cnf text)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now   timestamptz := clock_timestamp();
    v_end   timestamptz := v_now + make_interval(secs => p_lifetime);
    v_purge timestamptz := v_end + make_interval(secs => p_access_lifetime) + interval '1 day';
BEGIN
    UPDATE oas_grants
    SET refresh_generation = 1, refresh_hash = p_hash, refresh_rotated_at = v_now, refresh_used_at = v_now,
        refresh_expires_at = v_end, cnf = p_cnf, purge_after = greatest(purge_after, v_purge)
    WHERE grant_id = p_grant
    RETURNING purge_after INTO v_purge;
    INSERT INTO oas_refresh_tokens (grant_id, generation, token_hash, created_at, purge_after)
    VALUES (p_grant, 1, p_hash, v_now, v_purge);
END $$;

CREATE FUNCTION oas_scope_online_1(p_scope text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT array_to_string(array_remove(string_to_array(p_scope, ' '), 'offline_access'), ' ')
$$;

-- Whether a grant is there that was made by the same request: how a repetition knows its own commit.
CREATE FUNCTION oas_grant_is_1(p_grant uuid, p_hash bytea, p_session uuid, p_client text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1 FROM oas_grants AS g LEFT JOIN oas_codes AS c USING (grant_id)
        WHERE g.grant_id = p_grant AND g.client_id = p_client
            AND g.session_id IS NOT DISTINCT FROM p_session
            AND c.code_hash IS NOT DISTINCT FROM p_hash);
END $$;

-- Makes a grant, with a code unless p_hash is NULL, and writes or checks the consent. A repetition with the same grant
-- and code is 'put' again, whatever has become of the grant since.
CREATE FUNCTION oas_code_put_2(
    p_grant uuid, p_hash bytea, p_session uuid, p_client text, p_scope text, p_resource text,
    p_redirect_uri text, p_redirect_uri_required boolean, p_challenge text, p_nonce text,
    p_code_lifetime float8, p_access_lifetime float8, p_consent text, p_form_started bigint,
    p_activate boolean)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz;
    v_session oas_sessions%ROWTYPE;
    v_scopes  text[] := string_to_array(p_scope, ' ');
    v_purge   timestamptz;
BEGIN
    IF oas_grant_is_1(p_grant, p_hash, p_session, p_client) THEN
        RETURN 'put';
    END IF;

    SELECT * INTO v_session FROM oas_sessions WHERE session_id = p_session FOR SHARE;
    IF NOT oas_session_lives_1(v_session) OR NOT oas_subject_lives_1(v_session.sub, false) THEN
        RETURN 'session_gone';
    END IF;
    v_now := clock_timestamp();

    -- The consent's row is held until the grant is there, so a withdrawal sees this grant or stops it.
    IF p_consent = 'require' THEN
        PERFORM 1 FROM oas_consents
        WHERE sub = v_session.sub AND client_id = p_client AND resource = coalesce(p_resource, '')
            AND live AND scopes @> v_scopes
        FOR SHARE;
        IF NOT FOUND THEN
            RETURN 'consent_gone';
        END IF;
    ELSIF p_consent = 'allow' THEN
        -- the form was dated by this clock too, in whole seconds rounded down
        INSERT INTO oas_consents AS c (sub, client_id, resource, scopes, live, granted_at)
        VALUES (v_session.sub, p_client, coalesce(p_resource, ''), v_scopes, true, v_now)
        ON CONFLICT (sub, client_id, resource) DO UPDATE
        SET scopes = ARRAY(SELECT DISTINCT unnest(c.scopes || v_scopes) ORDER BY 1),
            live = true, granted_at = v_now, purge_after = NULL
        WHERE c.withdrawn_at IS NULL
            OR to_timestamp(p_form_started) > c.withdrawn_at;
        IF NOT FOUND THEN
            RETURN 'consent_gone';
        END IF;
    ELSIF p_consent <> 'skip' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'unknown consent mode';
    END IF;

    -- kept a day longer than anything issued from it lives, so that a replay is still seen
    v_now := clock_timestamp();
    v_purge := v_now + make_interval(secs => p_access_lifetime) + interval '1 day'
        + CASE WHEN p_hash IS NULL THEN interval '0' ELSE make_interval(secs => p_code_lifetime) END;
    INSERT INTO oas_grants (grant_id, client_id, sub, session_id, scope, resource, auth_time, amr, acr,
        created_at, activated_at, purge_after)
    VALUES (p_grant, p_client, v_session.sub, p_session, p_scope, p_resource, v_session.auth_time,
        v_session.amr, v_session.acr, v_now, CASE WHEN p_activate THEN v_now END, v_purge)
    ON CONFLICT (grant_id) DO NOTHING;
    IF NOT FOUND THEN
        IF NOT oas_grant_is_1(p_grant, p_hash, p_session, p_client) THEN
            RAISE unique_violation USING MESSAGE = 'grant_id is taken';
        END IF;
    ELSIF p_hash IS NOT NULL THEN
        INSERT INTO oas_codes (grant_id, code_hash, redirect_uri, redirect_uri_required, code_challenge,
            nonce, expires_at, purge_after)
        VALUES (p_grant, p_hash, p_redirect_uri, p_redirect_uri_required, p_challenge, p_nonce,
            v_now + make_interval(secs => p_code_lifetime), v_purge);
    END IF;
    RETURN 'put';
END $$;

-- Redeems a code. p_refresh is the family's first token; NULL: there will be none. oas_code_use_1 holds the
-- grant's row from then on.
CREATE FUNCTION oas_code_redeem_2(p_grant uuid, p_hash bytea, p_client text, p_redirect_uri text,
    p_challenge text, p_resource text, p_attempt uuid, p_refresh bytea, p_refresh_lifetime float8,
    p_access_lifetime float8, p_cnf text)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_outcome text := oas_code_use_1(p_grant, p_hash, p_client, p_redirect_uri, p_challenge,
        p_resource, p_attempt);
    v_grant   oas_grants%ROWTYPE;
BEGIN
    IF v_outcome <> 'done' THEN
        RETURN v_outcome;
    END IF;
    SELECT * INTO v_grant FROM oas_grants WHERE grant_id = p_grant;
    IF NOT oas_subject_lives_1(v_grant.sub, false) THEN
        PERFORM oas_grant_end_1(p_grant, 'subject is locked or gone');
        RETURN 'revoked';
    ELSIF v_grant.refresh_generation IS NULL
        AND 'offline_access' = ANY (string_to_array(v_grant.scope, ' ')) THEN
        IF p_refresh IS NULL THEN
            UPDATE oas_grants SET scope = oas_scope_online_1(scope) WHERE grant_id = p_grant;
        ELSE
            PERFORM oas_family_start_1(p_grant, p_refresh, p_refresh_lifetime, p_access_lifetime, p_cnf);
        END IF;
    END IF;
    RETURN 'done';
END $$;

-- Somebody's password was right: makes a live grant without a session. A repetition finds its own grant.
-- 'wrong': it is right no longer.
CREATE FUNCTION oas_password_grant_1(p_grant uuid, p_client text, p_scope text, p_resource text,
    p_sub text, p_provider text, p_name text, p_claims jsonb, p_amr text, p_refresh bytea,
    p_refresh_lifetime float8, p_access_lifetime float8, p_cnf text, p_forget bytea, p_forgive bytea[],
    p_proof text)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz;
    v_offline boolean := 'offline_access' = ANY (string_to_array(p_scope, ' '));
BEGIN
    IF NOT oas_login_holds_1(p_provider, p_name, p_proof) THEN
        RETURN 'wrong';
    END IF;
    PERFORM oas_subject_put_1(p_sub, p_provider, p_name, p_claims);
    v_now := clock_timestamp();
    INSERT INTO oas_grants (grant_id, client_id, sub, scope, resource, auth_time, amr, created_at,
        activated_at, purge_after)
    VALUES (p_grant, p_client, p_sub,
        CASE WHEN p_refresh IS NULL THEN oas_scope_online_1(p_scope) ELSE p_scope END, p_resource,
        v_now, p_amr, v_now, v_now,
        v_now + make_interval(secs => p_access_lifetime) + interval '1 day')
    ON CONFLICT (grant_id) DO NOTHING;
    IF FOUND THEN
        IF v_offline AND p_refresh IS NOT NULL THEN
            PERFORM oas_family_start_1(p_grant, p_refresh, p_refresh_lifetime, p_access_lifetime, p_cnf);
        END IF;
        PERFORM oas_throttle_clear_1(p_forget, p_forgive);
    ELSIF NOT oas_grant_is_1(p_grant, NULL, NULL, p_client) THEN
        RAISE unique_violation USING MESSAGE = 'grant_id is taken';
    END IF;
    RETURN 'put';
END $$;

-- Which token of the grant's family that is; NULL: none. The two that are asked for most are on the grant's row.
CREATE FUNCTION oas_refresh_generation_1(p_grant oas_grants, p_hash bytea) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN CASE p_hash
        WHEN p_grant.refresh_hash THEN p_grant.refresh_generation
        WHEN p_grant.refresh_parent_hash THEN p_grant.refresh_generation - 1
        ELSE (SELECT generation FROM oas_refresh_tokens
              WHERE grant_id = p_grant.grant_id AND token_hash = p_hash)
    END;
END $$;

-- Decides what becomes of a refresh token and does it. What never changes is compared first and without a lock, so
-- whoever knows no token of the family, or may not use it, neither changes nor delays anything; then the
-- grant's row decides. p_window NULL: until the head was used. p_secret_ids and p_hashes: what the token
-- becomes under each of the server's secrets, of which the first one counts. p_allowed: what the client may have
-- by now, an array of scopes by resource, those of all under ''. Nothing changes when that leaves nothing to hand
-- out: a node that knows more, or the same one later, still takes the token.
CREATE FUNCTION oas_refresh_1(p_grant uuid, p_hash bytea, p_client text, p_secret_ids bytea[],
    p_hashes bytea[], p_scope text, p_resource text, p_allowed jsonb, p_cnf text, p_rotate boolean,
    p_window float8, p_idle float8, p_recheck boolean, p_attempt uuid,
    OUT outcome text, OUT sub text, OUT key integer, OUT generation integer, OUT age bigint, OUT reason text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now    timestamptz;
    v_grant  oas_grants%ROWTYPE;
    v_scopes jsonb;   -- that the client may have of the grant's resource; NULL: it may not use it
    v_behind integer; -- 0: the head, 1: the one it replaced
    v_again  boolean := false;
BEGIN
    SELECT * INTO v_grant FROM oas_grants AS g WHERE g.grant_id = p_grant;
    sub := v_grant.sub;
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
    v_now := clock_timestamp();
    v_scopes := (p_allowed -> '') || (p_allowed -> coalesce(v_grant.resource, ''));
    v_behind := v_grant.refresh_generation - generation;
    IF v_behind = 1 THEN
        key := array_position(p_secret_ids, v_grant.refresh_secret_id);
        v_again := v_grant.refresh_attempt = p_attempt OR CASE WHEN p_window IS NULL
            THEN v_grant.refresh_used_at <= v_grant.refresh_rotated_at
            ELSE v_now < v_grant.refresh_rotated_at + make_interval(secs => p_window) END;
    END IF;
    outcome := CASE
        WHEN v_grant.grant_id IS NULL THEN 'unknown' -- its end came while we waited
        WHEN v_grant.revoked_reason IN ('user locked', 'subject is locked or gone') THEN 'blocked'
        WHEN v_grant.revoked_at IS NOT NULL THEN 'revoked'
        WHEN v_grant.refresh_expires_at <= v_now THEN 'expired'
        WHEN v_behind > 0 AND NOT v_again THEN 'reused'
        WHEN v_grant.refresh_used_at + make_interval(secs => p_idle) <= v_now THEN 'idle'
        WHEN NOT oas_subject_lives_1(v_grant.sub, p_recheck) THEN 'blocked'
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
    reason := v_grant.revoked_reason;
    IF outcome = 'rotated' THEN
        key := 1;
        INSERT INTO oas_refresh_tokens (grant_id, generation, parent, token_hash, created_at, purge_after)
        VALUES (p_grant, generation + 1, generation, p_hashes[1], v_now, v_grant.purge_after);
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
            WHERE t.grant_id = p_grant AND t.generation = oas_refresh_1.generation + 1)));
    END IF;
END $$;

-- Revokes the family of a token that was ever part of it; false when there is none that lives. With p_consent
-- the consent goes first, and with it every grant that rests on it.
CREATE FUNCTION oas_refresh_revoke_1(p_grant uuid, p_hash bytea, p_client text, p_consent boolean)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_grant oas_grants%ROWTYPE;
    v_done  boolean := false;
BEGIN
    SELECT * INTO v_grant FROM oas_grants WHERE grant_id = p_grant;
    IF v_grant.client_id = p_client AND v_grant.revoked_at IS NULL
        AND oas_refresh_generation_1(v_grant, p_hash) IS NOT NULL THEN
        IF p_consent THEN
            v_done := oas_consent_withdraw_1(v_grant.sub, p_client, coalesce(v_grant.resource, ''));
        END IF;
        v_done := oas_grant_end_1(p_grant, 'refresh token revoked') OR v_done;
    END IF;
    RETURN v_done;
END $$;
