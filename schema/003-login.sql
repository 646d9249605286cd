-- SPDX-License-Identifier: Apache-2.0
--
-- Version 3: sessions know how somebody signed in and which applications took part, so that these hear of the end;
-- what people see and end on their account page; passwords changed by their owners; pairwise subjects.
-- What a module of version 2 calls stays as it was.
--
-- Lock order: as version 2; a session's clients hang on the session. Queued logouts: the advisory lock of claims, then
-- rows that nobody holds.

-- rehashed: "OLD NEW", when the same password was hashed again. OLD is still good for the logins that checked
-- against it, as long as NEW is what is there: both are as p_proof of oas_login_holds_1.
ALTER TABLE oas_users ADD COLUMN rehashed text;

ALTER TABLE oas_sessions
    ADD COLUMN option     text,                           -- the login option that was used last
    ADD COLUMN persistent boolean NOT NULL DEFAULT false; -- its cookie outlives the browser

-- The claims parameter of the request (OpenID Connect Core 5.5), kept for what is issued later.
ALTER TABLE oas_grants ADD COLUMN claims_request jsonb;

-- The applications of a session that want to hear of its end. queued: from us; if not, the browser tells them.
CREATE TABLE oas_session_clients (
    session_id uuid NOT NULL REFERENCES oas_sessions ON DELETE CASCADE,
    client_id  text NOT NULL,
    queued     boolean NOT NULL,
    PRIMARY KEY (session_id, client_id)
);

-- What is still to be told to an application: this session has ended. leased_until: somebody is at it until then.
CREATE TABLE oas_logouts (
    logout_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- the jti, however often it is sent
    client_id    text NOT NULL,
    session_id   uuid NOT NULL,
    sub          text NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL, -- not before leased_until
    leased_until timestamptz,
    purge_after  timestamptz NOT NULL
);
CREATE INDEX oas_logouts_due ON oas_logouts (client_id, due_at);
CREATE INDEX oas_logouts_tried ON oas_logouts (client_id) WHERE attempts > 0;
CREATE INDEX oas_logouts_leased ON oas_logouts (client_id, leased_until) WHERE leased_until IS NOT NULL;
CREATE INDEX oas_logouts_purge ON oas_logouts (purge_after);

-- Made here once and for all: whoever changes 'pairwise' gives every user of such a client a new subject.
CREATE TABLE oas_secrets (
    name  text PRIMARY KEY,
    value bytea NOT NULL
);
INSERT INTO oas_secrets VALUES ('pairwise',
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- However a session ends, a statement by hand included, its applications are told. Whoever adds one holds the
-- session's row until it is there, so none is missed.
CREATE FUNCTION oas_session_ended_1() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    EXECUTE format('INSERT INTO %1$I.oas_logouts (client_id, session_id, sub, due_at, purge_after) '
        'SELECT client_id, $1, $2, $3, $3 + interval ''2 hours'' '
        'FROM %1$I.oas_session_clients WHERE session_id = $1 AND queued', TG_TABLE_SCHEMA)
    USING NEW.session_id, NEW.sub, clock_timestamp();
    RETURN NULL;
END $$;

CREATE TRIGGER oas_session_ended AFTER UPDATE OF ended_at ON oas_sessions FOR EACH ROW
WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION oas_session_ended_1();

-- As oas_throttle_attempt_1, but whoever is waiting anyway adds no row: a flood that is refused leaves nothing.
CREATE FUNCTION oas_throttle_attempt_2(p_keys bytea[], p_limits integer[], p_max float8)
RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_wait integer;
BEGIN
    SELECT ceil(extract(epoch FROM max(waiting_until) - clock_timestamp()))::integer INTO v_wait
    FROM oas_throttle WHERE key = ANY (p_keys) AND waiting_until > clock_timestamp();
    IF v_wait IS NOT NULL THEN
        RETURN greatest(v_wait, 1);
    END IF;
    RETURN oas_throttle_attempt_1(p_keys, p_limits, p_max);
END $$;

-- Whether a password that was checked against a hash is still the user's. p_proof: hex SHA-256 of that hash.
CREATE FUNCTION oas_proof_fits_1(p_hash text, p_rehashed text, p_proof text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_proof = encode(sha256(convert_to(p_hash, 'UTF8')), 'hex')
        OR p_proof || ' ' || encode(sha256(convert_to(p_hash, 'UTF8')), 'hex') = p_rehashed
$$;

-- As version 2, but a password that was only hashed again still holds.
CREATE OR REPLACE FUNCTION oas_login_holds_1(p_provider text, p_name text, p_proof text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF p_provider <> 'oauth2as' THEN
        RETURN true;
    END IF;
    PERFORM oas_user_hold_1(p_name, false);
    RETURN EXISTS (SELECT 1 FROM oas_users AS u WHERE u.name = p_name AND NOT u.locked
        AND oas_proof_fits_1(u.password_hash, u.rehashed, p_proof));
END $$;

-- Stores who logged in and opens or continues a session; the session of another subject ends. A repetition finds its
-- own secret and returns the session as it stands. p_auth_time: seconds since 1970; -1: now. No row: the
-- login holds no longer. p_once: p_id was chosen when the login began, and opens a session once; where it continues
-- another one, an ended row remembers it.
CREATE FUNCTION oas_session_open_3(
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
    IF NOT oas_login_holds_1(p_provider, p_name, p_proof) THEN
        RETURN;
    END IF;
    PERFORM oas_subject_put_1(p_sub, p_provider, p_name, p_claims);
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

-- As oas_session_end_1, and one row for each application that is to hear of it, one at least. They are named
-- again when the session had been ended before.
CREATE FUNCTION oas_session_logout_1(p_id uuid, p_secret bytea)
RETURNS TABLE (ended boolean, client_id text) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_ended boolean := oas_session_end_1(p_id, p_secret);
BEGIN
    RETURN QUERY SELECT v_ended, c.client_id FROM (VALUES (true)) AS one
        LEFT JOIN oas_sessions AS s
            ON s.session_id = p_id AND s.secret_hash = p_secret AND s.ended_at IS NOT NULL
        LEFT JOIN oas_session_clients AS c ON c.session_id = s.session_id;
END $$;

-- Ends one live session of a subject (p_sub NULL: of anybody); false when it is none.
CREATE FUNCTION oas_session_end_own_1(p_sub text, p_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_session oas_sessions%ROWTYPE;
BEGIN
    SELECT * INTO v_session FROM oas_sessions
    WHERE session_id = p_id AND sub = coalesce(p_sub, sub) FOR UPDATE;
    IF oas_session_lives_1(v_session) THEN
        PERFORM oas_session_close_1(p_id, 'session ended');
        RETURN true;
    END IF;
    RETURN false;
END $$;

-- Ends the sessions of a subject but one (p_keep NULL: all) and says how many lived. Logins hold the subject's row
-- until they have written what they write: each is there to be ended, or comes later.
CREATE FUNCTION oas_sessions_end_others_1(p_sub text, p_keep uuid) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_session oas_sessions%ROWTYPE;
    v_count   integer := 0;
BEGIN
    PERFORM 1 FROM oas_subjects WHERE sub = p_sub FOR UPDATE;
    PERFORM 1 FROM oas_sessions
    WHERE sub = p_sub AND ended_at IS NULL AND session_id IS DISTINCT FROM p_keep
    ORDER BY session_id FOR UPDATE;
    -- the grants of all of them by grant_id, not session by session, or this and a withdrawal could block each other
    PERFORM 1 FROM oas_grants AS g JOIN oas_sessions AS s USING (session_id)
    WHERE s.sub = p_sub AND s.ended_at IS NULL AND s.session_id IS DISTINCT FROM p_keep
        AND g.revoked_at IS NULL AND g.refresh_generation IS NULL
    ORDER BY g.grant_id FOR UPDATE OF g;
    FOR v_session IN
        SELECT * FROM oas_sessions
        WHERE sub = p_sub AND ended_at IS NULL AND session_id IS DISTINCT FROM p_keep ORDER BY session_id
    LOOP
        v_count := v_count + oas_session_lives_1(v_session)::integer;
        PERFORM oas_session_close_1(v_session.session_id, 'session ended');
    END LOOP;
    RETURN v_count;
END $$;

-- As version 2, and remembers the claims parameter and, with p_track, that the client wants to hear of the end
-- of the session, whose row is still held; with p_queue too it is told from the queue. p_permissions is what the consent has to cover or is widened by: the
-- scope, and words for claims beyond it, which the grant's scope does not keep.
CREATE FUNCTION oas_code_put_3(
    p_grant uuid, p_hash bytea, p_session uuid, p_client text, p_scope text, p_resource text,
    p_redirect_uri text, p_redirect_uri_required boolean, p_challenge text, p_nonce text,
    p_code_lifetime float8, p_access_lifetime float8, p_consent text, p_form_started bigint,
    p_activate boolean, p_claims_request jsonb, p_track boolean, p_queue boolean,
    p_permissions text)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_outcome text := oas_code_put_2(p_grant, p_hash, p_session, p_client,
        coalesce(p_permissions, p_scope), p_resource, p_redirect_uri, p_redirect_uri_required, p_challenge,
        p_nonce, p_code_lifetime, p_access_lifetime, p_consent, p_form_started, p_activate);
BEGIN
    IF v_outcome = 'put' AND p_claims_request IS NOT NULL THEN
        UPDATE oas_grants SET claims_request = p_claims_request, scope = p_scope
        WHERE grant_id = p_grant AND claims_request IS NULL;
    END IF;
    IF v_outcome = 'put' AND p_track THEN
        INSERT INTO oas_session_clients (session_id, client_id, queued)
        VALUES (p_session, p_client, p_queue) ON CONFLICT DO NOTHING;
        IF NOT FOUND AND p_queue THEN -- it has a URI for it since
            UPDATE oas_session_clients SET queued = true
            WHERE session_id = p_session AND client_id = p_client AND NOT queued;
        END IF;
    END IF;
    RETURN v_outcome;
END $$;

-- What a verb answers with: the outcome of the function that stands as its second argument (carried out
-- before) and, where there is something to issue, the grant with its subject. 'gone': but there is none any more.
CREATE FUNCTION oas_grant_for_2(p_grant uuid, p_outcome text)
RETURNS TABLE (outcome text, grant_id uuid, client_id text, sub text, session_id uuid, scope text,
    resource text, auth_time bigint, amr text, acr text, claims jsonb, now bigint, nonce text,
    refresh_expires bigint, provider text, name text, claims_request jsonb)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    outcome := p_outcome;
    IF p_outcome IN ('put', 'done', 'live', 'rotated', 'repeated', 'kept') THEN
        RETURN QUERY SELECT p_outcome, g.grant_id, g.client_id, g.sub, g.session_id, g.scope, g.resource,
            oas_epoch(g.auth_time), g.amr, g.acr, s.claims, oas_epoch(clock_timestamp()), c.nonce,
            oas_epoch(g.refresh_expires_at), s.provider, s.name, g.claims_request
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

CREATE OR REPLACE FUNCTION oas_grant_for_1(p_grant uuid, p_outcome text)
RETURNS TABLE (outcome text, grant_id uuid, client_id text, sub text, session_id uuid, scope text,
    resource text, auth_time bigint, amr text, acr text, claims jsonb, now bigint, nonce text,
    refresh_expires bigint, provider text, name text)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN QUERY SELECT a.outcome, a.grant_id, a.client_id, a.sub, a.session_id, a.scope, a.resource,
        a.auth_time, a.amr, a.acr, a.claims, a.now, a.nonce, a.refresh_expires, a.provider, a.name
    FROM oas_grant_for_2(p_grant, p_outcome) AS a;
END $$;

-- Ends what a user of the built-in provider has: every grant, and every session but p_keep (NULL: every one). Whoever
-- calls it has written to oas_users why, in the same transaction: a login waits for that, or is there to be ended.
CREATE FUNCTION oas_user_end_2(p_name text, p_reason text, p_keep uuid) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_subs text[];
BEGIN
    PERFORM oas_user_hold_1(p_name, true);
    v_subs := ARRAY(SELECT sub FROM oas_subjects WHERE name = p_name AND provider = 'oauth2as');
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

CREATE OR REPLACE FUNCTION oas_user_end_1(p_name text, p_reason text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM oas_user_end_2(p_name, p_reason, NULL);
END $$;

-- A user's own change of password: false when p_proof is not that of the password that is there, or the user is
-- locked. A repetition finds its own hash.
CREATE FUNCTION oas_user_change_1(p_name text, p_proof text, p_hash text, p_keep uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE oas_users SET password_hash = p_hash, password_changed = clock_timestamp()
    WHERE name = p_name AND NOT locked AND oas_proof_fits_1(password_hash, rehashed, p_proof);
    IF FOUND THEN
        PERFORM oas_user_end_2(p_name, 'password changed', p_keep);
        RETURN true;
    END IF;
    RETURN EXISTS (SELECT 1 FROM oas_users
        WHERE name = p_name AND NOT locked AND password_hash = p_hash);
END $$;

-- The same password at a higher cost: ends nothing. Logins that are under way with the hash before still hold.
CREATE FUNCTION oas_user_rehash_1(p_name text, p_proof text, p_hash text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE oas_users
    SET password_hash = p_hash,
        rehashed = p_proof || ' ' || encode(sha256(convert_to(p_hash, 'UTF8')), 'hex')
    WHERE name = p_name AND NOT locked AND oas_proof_fits_1(password_hash, NULL, p_proof);
    RETURN FOUND;
END $$;

-- Withdraws all that a subject has allowed a client and revokes its grants; false when there was neither.
CREATE FUNCTION oas_access_withdraw_1(p_sub text, p_client text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now  timestamptz;
    v_done boolean;
BEGIN
    PERFORM 1 FROM oas_consents WHERE sub = p_sub AND client_id = p_client AND live
    ORDER BY resource FOR UPDATE;
    v_now := clock_timestamp();
    UPDATE oas_consents
    SET live = false, scopes = '{}', withdrawn_at = v_now, purge_after = v_now + interval '30 days'
    WHERE sub = p_sub AND client_id = p_client AND live;
    v_done := FOUND;
    PERFORM 1 FROM oas_grants
    WHERE sub = p_sub AND client_id = p_client AND revoked_at IS NULL ORDER BY grant_id FOR UPDATE;
    UPDATE oas_grants SET revoked_at = v_now, revoked_reason = 'consent withdrawn'
    WHERE sub = p_sub AND client_id = p_client AND revoked_at IS NULL;
    RETURN v_done OR FOUND;
END $$;

-- What applications may do in a subject's name: consents, and what lives without one. A grant lives as long as its
-- family, or what was issued from it.
CREATE FUNCTION oas_access_list_1(p_sub text)
RETURNS TABLE (client_id text, resource text, scopes text[], since bigint, last_used bigint,
    offline boolean)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    WITH living AS (
        SELECT g.client_id, coalesce(g.resource, '') AS resource, g.scope, g.activated_at,
            greatest(g.activated_at, g.refresh_used_at) AS used, g.refresh_generation IS NOT NULL AS family
        FROM oas_grants AS g
        WHERE g.sub = p_sub AND g.activated_at IS NOT NULL AND g.revoked_at IS NULL
            AND coalesce(g.refresh_expires_at, g.purge_after - interval '1 day') > v_now
    ), grants AS (
        SELECT l.client_id, l.resource, min(l.activated_at) AS since, max(l.used) AS used,
            bool_or(l.family) AS family,
            coalesce(array_agg(DISTINCT w) FILTER (WHERE w IS NOT NULL), '{}') AS scopes
        FROM living AS l LEFT JOIN LATERAL unnest(string_to_array(l.scope, ' ')) AS w ON true
        GROUP BY l.client_id, l.resource
    ), consents AS (
        SELECT c.client_id, c.resource, c.scopes, c.granted_at
        FROM oas_consents AS c WHERE c.sub = p_sub AND c.live
    )
    SELECT client_id, nullif(resource, ''), coalesce(c.scopes, g.scopes),
        oas_epoch(coalesce(c.granted_at, g.since)), oas_epoch(g.used), coalesce(g.family, false)
    FROM consents AS c FULL JOIN grants AS g USING (client_id, resource)
    ORDER BY client_id, resource LIMIT 200;
END $$;

-- Hands out queued logouts that are due, at most p_max, and of each client no more than make p_per_client in flight on
-- all nodes together. The first in flight of a client takes precedence; further ones are extra, and so is every one of a
-- client that has failed at any that is still queued, which gets one at a time. Of extra ones at most p_extra are
-- handed out: whoever keeps room for others holds up nobody by clients that hang, however many they are. Until
-- the lease ends nobody else gets them. One claim after the other, so that what is in flight is counted right. Each
-- client's first rows are found in the index, however many there are, also by a plan that was made while the table
-- was empty.
CREATE FUNCTION oas_logouts_claim_1(p_max integer, p_extra integer, p_per_client integer, p_lease float8)
RETURNS TABLE (logout_id uuid, client_id text, session_id uuid, sub text, attempts integer, now bigint,
    expires bigint, extra boolean)
LANGUAGE plpgsql VOLATILE SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_now   timestamptz;
    v_until timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(724183068, 'oas_schema'::regclass::oid::bigint::bit(32)::integer);
    v_now := clock_timestamp();
    v_until := v_now + make_interval(secs => p_lease);
    RETURN QUERY
    WITH RECURSIVE clients AS (
        (SELECT l.client_id FROM oas_logouts AS l ORDER BY l.client_id LIMIT 1)
        UNION ALL
        SELECT (SELECT l.client_id FROM oas_logouts AS l WHERE l.client_id > c.client_id
                ORDER BY l.client_id LIMIT 1)
        FROM clients AS c WHERE c.client_id IS NOT NULL
    ), states AS MATERIALIZED (
        SELECT c.client_id,
            (SELECT count(*) FROM oas_logouts AS f
                WHERE f.client_id = c.client_id AND f.leased_until > v_now) AS in_flight,
            EXISTS (SELECT 1 FROM oas_logouts AS f
                WHERE f.client_id = c.client_id AND f.attempts > 0 AND f.purge_after > v_now
                    AND (f.attempts = 1 AND f.leased_until > v_now) IS NOT TRUE) AS failed
        FROM clients AS c WHERE c.client_id IS NOT NULL
    ), due AS MATERIALIZED (
        SELECT d.logout_id, d.due_at, s.* FROM states AS s, LATERAL (
            SELECT l.logout_id, l.due_at FROM oas_logouts AS l
            WHERE l.client_id = s.client_id AND l.due_at <= v_now AND l.purge_after > v_now
            ORDER BY l.due_at
            LIMIT greatest(0, CASE WHEN s.failed THEN least(1, p_per_client) ELSE p_per_client END - s.in_flight)
            FOR UPDATE SKIP LOCKED) AS d
    ), ranked AS (
        SELECT d.logout_id, d.due_at, d.failed OR
            d.in_flight + row_number() OVER (PARTITION BY d.client_id ORDER BY d.due_at) > 1 AS extra
        FROM due AS d
    ), numbered AS (
        SELECT r.*, row_number() OVER (PARTITION BY r.extra ORDER BY r.due_at) AS place FROM ranked AS r
    ), taken AS MATERIALIZED (
        SELECT n.logout_id, n.extra FROM numbered AS n WHERE NOT n.extra OR n.place <= p_extra
        ORDER BY n.extra, n.due_at LIMIT p_max
    )
    UPDATE oas_logouts AS l
    SET attempts = l.attempts + 1, leased_until = v_until, due_at = v_until
    FROM taken AS t WHERE l.logout_id = t.logout_id
    RETURNING l.logout_id, l.client_id, l.session_id, l.sub, l.attempts, oas_epoch(v_now),
        oas_epoch(l.purge_after), t.extra;
END $$;
