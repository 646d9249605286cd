-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: one person who signs in in several ways, where OAuth2ASSubject makes one of them.

-- What each of these ways said last. A subject has rows here from the second way on; until then oas_subjects says it all. A
-- provider or login option has one row, whatever it calls the user; the built-in provider has one for each of its users
-- that this person has been, since each can be locked. updated_at: the last login is the latest.
CREATE TABLE oas_identities (
    sub        text NOT NULL REFERENCES oas_subjects ON DELETE CASCADE,
    provider   text NOT NULL,
    name       text NOT NULL,
    claims     jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (sub, provider, name)
);
CREATE INDEX oas_identities_builtin ON oas_identities (name) WHERE provider = 'oauth2as';
INSERT INTO oas_rights VALUES ('oas_identities', 'SELECT, INSERT, UPDATE, DELETE');

-- provider, name: of the last login. claims: what that said, over what the other ways said at theirs. builtin: among
-- these are users of the built-in provider; nobody else's have to be looked for.
ALTER TABLE oas_subjects ADD COLUMN builtin boolean NOT NULL DEFAULT false;

-- Whether all users of the built-in provider that a subject has been may still sign in.
CREATE FUNCTION oas_subject_free_1(p_sub text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT 1 FROM oas_identities AS i
        WHERE i.sub = p_sub AND i.provider = 'oauth2as'
            AND NOT EXISTS (SELECT 1 FROM oas_users AS u WHERE u.name = i.name AND NOT u.locked));
END $$;

-- Subjects, and whether tokens may still be issued to them.
CREATE VIEW oas_subject_states WITH (security_invoker = true) AS
    SELECT s.sub, s.provider, s.name, s.claims, CASE WHEN s.builtin THEN oas_subject_free_1(s.sub)
        ELSE s.provider <> 'oauth2as'
            OR EXISTS (SELECT 1 FROM oas_users AS u WHERE u.name = s.name AND NOT u.locked) END AS lives
    FROM oas_subjects AS s;
INSERT INTO oas_rights VALUES ('oas_subject_states', 'SELECT');

-- For oas_code_put_2 and what the module of version 3 calls.
CREATE OR REPLACE FUNCTION oas_subject_lives_1(p_sub text, p_recheck boolean) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1 FROM oas_subject_states AS s WHERE s.sub = p_sub AND s.lives
            AND CASE WHEN p_recheck THEN oas_subject_recheck(s.sub, s.provider, s.name) ELSE true END);
END $$;

-- The built-in user that a subject is; the one of the last login, where it has been several. NULL: none.
CREATE FUNCTION oas_subject_user_1(p_sub text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT i.name FROM oas_identities AS i WHERE i.sub = p_sub AND i.provider = 'oauth2as'
        ORDER BY i.updated_at DESC LIMIT 1);
END $$;

-- By which of its names a subject is asked about: the one of the provider that comes first in p_providers, a line each;
-- where none is there, the one of the last login.
CREATE FUNCTION oas_subject_asked_1(p_sub text, p_providers text, OUT provider text, OUT name text)
LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
    SELECT a.provider, a.name INTO provider, name FROM (
        SELECT i.provider, i.name, i.updated_at FROM oas_identities AS i WHERE i.sub = p_sub
        UNION ALL
        SELECT s.provider, s.name, 'infinity' FROM oas_subjects AS s WHERE s.sub = p_sub) AS a
    ORDER BY array_position(string_to_array(p_providers, E'\n'), a.provider), a.updated_at DESC LIMIT 1;
END $$;

-- Whether oas_subject_recheck says that a subject is one of ours.
CREATE FUNCTION oas_subject_ours_1(p_sub text, p_providers text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT oas_subject_recheck(p_sub, a.provider, a.name)
        FROM oas_subject_asked_1(p_sub, coalesce(p_providers, '')) AS a);
END $$;

-- Stores who signs in, and holds the subject's row; one that is up to date is left as it is. False: the login holds no
-- longer, or one of the built-in users that this person has been is locked. One that was deleted can neither sign in nor be
-- locked, and is forgotten when the same person signs in in another way.
CREATE FUNCTION oas_login_put_1(p_sub text, p_provider text, p_name text, p_claims jsonb, p_proof text)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_old   oas_subjects%ROWTYPE;
    v_users text[];
    v_alone boolean; -- this way is the only one so far
BEGIN
    IF NOT oas_login_holds_1(p_provider, p_name, p_proof) THEN
        RETURN false;
    END IF;
    INSERT INTO oas_subjects AS s (sub, provider, name, claims) VALUES (p_sub, p_provider, p_name, p_claims)
    ON CONFLICT (sub) DO UPDATE SET provider = s.provider WHERE false;
    IF FOUND THEN
        RETURN true;
    END IF;
    SELECT * INTO v_old FROM oas_subjects WHERE sub = p_sub;
    v_users := ARRAY(SELECT name FROM oas_identities WHERE sub = p_sub AND provider = 'oauth2as'
        UNION ALL SELECT v_old.name WHERE v_old.provider = 'oauth2as');
    IF EXISTS (SELECT 1 FROM oas_users WHERE name = ANY (v_users) AND locked) THEN
        RETURN false;
    END IF;

    v_alone := NOT EXISTS (SELECT 1 FROM oas_identities WHERE sub = p_sub);
    IF v_alone AND p_provider = v_old.provider AND (p_name = v_old.name OR p_provider <> 'oauth2as') THEN
        UPDATE oas_subjects SET name = p_name, claims = p_claims, updated_at = clock_timestamp()
        WHERE sub = p_sub AND (name, claims) IS DISTINCT FROM (p_name, p_claims);
        RETURN true;
    ELSIF v_alone THEN
        INSERT INTO oas_identities (sub, provider, name, claims, updated_at)
        VALUES (p_sub, v_old.provider, v_old.name, v_old.claims, v_old.updated_at);
    END IF;
    DELETE FROM oas_identities AS i WHERE i.sub = p_sub AND CASE i.provider
        WHEN 'oauth2as' THEN NOT EXISTS (SELECT 1 FROM oas_users AS u WHERE u.name = i.name)
        ELSE i.provider = p_provider AND i.name <> p_name END;
    INSERT INTO oas_identities AS i (sub, provider, name, claims) VALUES (p_sub, p_provider, p_name, p_claims)
    ON CONFLICT (sub, provider, name) DO UPDATE SET claims = p_claims, updated_at = clock_timestamp()
    WHERE i.claims <> p_claims
        OR i.updated_at < (SELECT max(o.updated_at) FROM oas_identities AS o WHERE o.sub = p_sub);
    UPDATE oas_subjects AS s
    SET provider = p_provider, name = p_name, claims = a.claims, builtin = a.builtin, updated_at = clock_timestamp()
    FROM (SELECT bool_or(i.provider = 'oauth2as') AS builtin, coalesce(
            jsonb_object_agg(c.key, c.value ORDER BY i.updated_at) FILTER (WHERE c.key IS NOT NULL), '{}') AS claims
        FROM oas_identities AS i LEFT JOIN LATERAL jsonb_each(i.claims) AS c ON true
        WHERE i.sub = p_sub) AS a
    WHERE s.sub = p_sub
        AND (s.provider, s.name, s.claims, s.builtin) IS DISTINCT FROM (p_provider, p_name, a.claims, a.builtin);
    RETURN true;
END $$;

-- As version 3, by oas_login_put_1. What it called before, oas_subject_put_1, stays for those in the middle of it.
CREATE OR REPLACE FUNCTION oas_session_open_3(
    p_id uuid, p_secret bytea, p_sub text, p_provider text, p_name text, p_claims jsonb, p_amr text,
    p_acr text, p_auth_time bigint, p_option text, p_persistent boolean, p_lifetime float8,
    p_idle float8, p_address text, p_user_agent text, p_old_id uuid, p_old_secret bytea, p_forget bytea,
    p_forgive bytea[], p_proof text, p_once boolean)
RETURNS TABLE (session_id uuid, auth_time bigint, now bigint, amr text, acr text)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_now  timestamptz;
    v_auth timestamptz;
    v_end  timestamptz;
    v_idle timestamptz;
    v_old  oas_sessions%ROWTYPE;
    v_id   uuid := p_id;
    v_new  boolean := false;
BEGIN
    IF NOT oas_login_put_1(p_sub, p_provider, p_name, p_claims, p_proof) THEN
        RETURN;
    END IF;
    SELECT * INTO v_old FROM oas_sessions AS o WHERE o.session_id = p_old_id FOR UPDATE;
    v_now := clock_timestamp();
    v_auth := CASE WHEN p_auth_time < 0 THEN v_now ELSE least(to_timestamp(p_auth_time), v_now) END;
    v_end := v_now + make_interval(secs => p_lifetime);
    v_idle := v_now + make_interval(secs => least(p_idle, p_lifetime));

    IF v_old.sub = p_sub AND v_old.secret_hash = p_secret THEN
        v_id := p_old_id; -- done before
    ELSIF v_old.secret_hash = p_old_secret AND oas_session_lives_1(v_old) THEN
        IF v_old.sub = p_sub THEN
            v_id := p_old_id;
            v_new := true;
            UPDATE oas_sessions AS o
            SET secret_hash = p_secret, auth_time = v_auth, amr = p_amr, acr = p_acr, option = p_option,
                persistent = p_persistent, last_used = v_now, expires_at = v_end, idle_until = v_idle,
                purge_after = v_end + interval '1 day', address = p_address, user_agent = p_user_agent
            WHERE o.session_id = p_old_id;
            IF p_once THEN
                INSERT INTO oas_sessions (session_id, secret_hash, sub, auth_time, amr, acr, created_at, last_used,
                    idle_until, expires_at, ended_at, purge_after)
                VALUES (p_id, p_secret, p_sub, v_auth, p_amr, p_acr, v_now, v_now, v_now, v_now, v_now,
                    v_now + interval '1 day');
            END IF;
        ELSE
            PERFORM oas_session_close_1(p_old_id, 'session ended');
        END IF;
    END IF;
    IF v_id = p_id THEN
        INSERT INTO oas_sessions (session_id, secret_hash, sub, auth_time, amr, acr, option, persistent,
            created_at, last_used, idle_until, expires_at, address, user_agent, purge_after)
        VALUES (p_id, p_secret, p_sub, v_auth, p_amr, p_acr, p_option, p_persistent, v_now, v_now, v_idle,
            v_end, p_address, p_user_agent, v_end + interval '1 day')
        ON CONFLICT (session_id) DO NOTHING;
        v_new := FOUND;
    END IF;
    IF v_new THEN -- a repetition forgives nothing more
        PERFORM oas_throttle_clear_1(p_forget, p_forgive);
    END IF;

    RETURN QUERY SELECT s.session_id, oas_epoch(s.auth_time), oas_epoch(clock_timestamp()), s.amr, s.acr
    FROM oas_sessions AS s
    WHERE s.session_id = v_id AND s.secret_hash = p_secret AND s.sub = p_sub AND s.ended_at IS NULL;
    IF NOT FOUND THEN
        RAISE unique_violation USING MESSAGE = 'session_id is taken';
    END IF;
END $$;

-- As version 2, by oas_login_put_1.
CREATE OR REPLACE FUNCTION oas_password_grant_1(p_grant uuid, p_client text, p_scope text, p_resource text,
    p_sub text, p_provider text, p_name text, p_claims jsonb, p_amr text, p_refresh bytea,
    p_refresh_lifetime float8, p_access_lifetime float8, p_cnf text, p_forget bytea, p_forgive bytea[],
    p_proof text)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz;
    v_offline boolean := 'offline_access' = ANY (string_to_array(p_scope, ' '));
BEGIN
    IF NOT oas_login_put_1(p_sub, p_provider, p_name, p_claims, p_proof) THEN
        RETURN 'wrong';
    END IF;
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

-- As version 3, but what a person has who was ever this user, in whatever way they signed in. Logins in another way do not
-- hold the name, but the subject's row.
CREATE OR REPLACE FUNCTION oas_user_end_2(p_name text, p_reason text, p_keep uuid) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_subs text[];
BEGIN
    PERFORM oas_user_hold_1(p_name, true);
    v_subs := ARRAY(SELECT sub FROM oas_subjects WHERE name = p_name AND provider = 'oauth2as'
        UNION SELECT sub FROM oas_identities WHERE name = p_name AND provider = 'oauth2as');
    PERFORM 1 FROM oas_subjects WHERE sub = ANY (v_subs) ORDER BY sub FOR UPDATE;
    PERFORM 1 FROM oas_sessions
    WHERE sub = ANY (v_subs) AND ended_at IS NULL AND session_id IS DISTINCT FROM p_keep
    ORDER BY session_id FOR UPDATE;
    UPDATE oas_sessions SET ended_at = clock_timestamp()
    WHERE sub = ANY (v_subs) AND ended_at IS NULL AND session_id IS DISTINCT FROM p_keep;
    PERFORM 1 FROM oas_grants WHERE sub = ANY (v_subs) AND revoked_at IS NULL
    ORDER BY grant_id FOR UPDATE;
    UPDATE oas_grants SET revoked_at = clock_timestamp(), revoked_reason = p_reason
    WHERE sub = ANY (v_subs) AND revoked_at IS NULL;
END $$;
