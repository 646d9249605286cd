-- SPDX-License-Identifier: Apache-2.0
--
-- Version 1: clients, subjects, sessions, consents, grants with their codes, users, login throttle.
--
-- Applied by `oauth2asctl schema apply`, which wraps the file in a transaction. Names are unqualified:
-- everything goes to the first schema of search_path, and the functions find it there again, so that
-- several issuers can share one database.
--
-- Times are the database's alone. Functions use clock_timestamp(): now() is the start of the transaction,
-- which may lie seconds back when a lock was waited for.
--
-- purge_after: from then on a row means nothing any more and may be deleted. Columns that hot updates
-- change are in no index, and fillfactor leaves room in the page, so those updates stay heap-only.
--
-- Lock order: subject, session, consent, grant, then what hangs on the grant; throttle rows by key. Functions are
-- VOLATILE, so each of their statements sees what was committed while it waited, and SECURITY INVOKER.
-- A function that changes gets a new number, and the old one stays for one version, so that two versions
-- of the module can work on one schema while servers are upgraded one by one.

CREATE TABLE oas_schema (
    version    integer PRIMARY KEY,
    issuer     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- seen_at: when a node last had a configured client in its configuration, which each node notes once a minute. One
-- that none has had for 3 minutes was removed everywhere and counts no more.
CREATE TABLE oas_clients (
    client_id   text PRIMARY KEY,
    source      text NOT NULL CHECK (source IN ('configuration', 'database')),
    config_hash text NOT NULL,
    metadata    jsonb NOT NULL,
    disabled    boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE oas_subjects (
    sub        text PRIMARY KEY,
    provider   text NOT NULL,
    name       text NOT NULL,
    claims     jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE oas_sessions (
    session_id  uuid PRIMARY KEY,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    sub         text NOT NULL,
    auth_time   timestamptz NOT NULL,
    amr         text NOT NULL,
    acr         text,
    created_at  timestamptz NOT NULL,
    last_used   timestamptz NOT NULL,
    idle_until  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    address     text,
    user_agent  text,
    purge_after timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX oas_sessions_purge ON oas_sessions (purge_after);
CREATE INDEX oas_sessions_sub ON oas_sessions (sub);

-- withdrawn_at stays when a consent is given again: it is what an older form is measured against.
CREATE TABLE oas_consents (
    sub          text NOT NULL,
    client_id    text NOT NULL,
    resource     text NOT NULL, -- '' for none
    scopes       text[] NOT NULL,
    live         boolean NOT NULL,
    granted_at   timestamptz NOT NULL,
    withdrawn_at timestamptz,
    purge_after  timestamptz, -- NULL while live
    PRIMARY KEY (sub, client_id, resource)
) WITH (fillfactor = 80);
CREATE INDEX oas_consents_purge ON oas_consents (purge_after) WHERE purge_after IS NOT NULL;

CREATE TABLE oas_grants (
    grant_id       uuid PRIMARY KEY,
    client_id      text NOT NULL,
    sub            text NOT NULL,
    session_id     uuid,
    scope          text NOT NULL,
    resource       text,
    auth_time      timestamptz NOT NULL,
    amr            text NOT NULL,
    acr            text,
    created_at     timestamptz NOT NULL,
    activated_at   timestamptz,
    revoked_at     timestamptz,
    revoked_reason text,
    purge_after    timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX oas_grants_purge ON oas_grants (purge_after);
CREATE INDEX oas_grants_owner ON oas_grants (sub, client_id);

-- Keyed like its grant and without a foreign key, so that both can be partitioned by grant_id.
CREATE TABLE oas_codes (
    grant_id              uuid PRIMARY KEY,
    code_hash             bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    redirect_uri          text NOT NULL,
    redirect_uri_required boolean NOT NULL,
    code_challenge        text,
    nonce                 text,
    expires_at            timestamptz NOT NULL,
    used_at               timestamptz,
    attempt               uuid,
    purge_after           timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX oas_codes_purge ON oas_codes (purge_after);

CREATE TABLE oas_users (
    name             text PRIMARY KEY CHECK (name <> ''),
    password_hash    text NOT NULL,
    locked           boolean NOT NULL DEFAULT false,
    claims           jsonb NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    password_changed timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE oas_throttle (
    key           bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    failures      integer NOT NULL,
    last_failure  timestamptz NOT NULL,
    waiting_until timestamptz,
    purge_after   timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX oas_throttle_purge ON oas_throttle (purge_after);

-- Seconds since 1970, rounded down: a cast alone would round up.
CREATE FUNCTION oas_epoch(p_time timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT floor(extract(epoch FROM p_time))::bigint $$;

-- Counts an attempt as failed in each counter and returns 0, or, when one of them is waiting, counts
-- nothing and returns the seconds left. DO UPDATE WHERE false only locks; INSERT takes the rows in the
-- order of their keys, so that two attempts never wait for each other.
CREATE FUNCTION oas_throttle_attempt_1(p_keys bytea[], p_limits integer[], p_max float8)
RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now  timestamptz;
    v_wait integer;
BEGIN
    INSERT INTO oas_throttle AS t (key, failures, last_failure, purge_after)
    SELECT DISTINCT k, 0, clock_timestamp(), clock_timestamp()
    FROM unnest(p_keys) AS k ORDER BY k
    ON CONFLICT (key) DO UPDATE SET failures = t.failures WHERE false;

    v_now := clock_timestamp();
    SELECT ceil(extract(epoch FROM max(waiting_until) - v_now))::integer INTO v_wait
    FROM oas_throttle WHERE key = ANY (p_keys) AND waiting_until > v_now;
    IF v_wait IS NOT NULL THEN
        RETURN greatest(v_wait, 1);
    END IF;

    UPDATE oas_throttle AS t
    SET failures = n.failures,
        last_failure = v_now,
        waiting_until = CASE WHEN n.failures > n.allowed THEN v_now + make_interval(
            secs => least(p_max, power(2, least(n.failures - n.allowed, 30)))) END,
        -- by whole hours, so that most failures leave the index alone
        purge_after = date_trunc('hour', v_now + make_interval(secs => greatest(900, p_max)))
            + interval '1 hour'
    FROM (SELECT o.key, min(i.allowed) AS allowed,
                 CASE WHEN o.last_failure + make_interval(secs => greatest(900, p_max)) <= v_now
                      THEN 1 ELSE least(o.failures, 1000000) + 1 END AS failures
          FROM oas_throttle AS o JOIN unnest(p_keys, p_limits) AS i (key, allowed) USING (key)
          GROUP BY o.key) AS n
    WHERE t.key = n.key;

    -- More rows than an attempt can add, so that strangers cannot make the table grow for ever. Comes last
    -- and skips what others hold: nothing is waited for.
    DELETE FROM oas_throttle WHERE key IN (
        SELECT key FROM oas_throttle WHERE purge_after <= v_now LIMIT 8 FOR UPDATE SKIP LOCKED);
    RETURN 0;
END $$;

-- Takes one counted failure back in each counter. Whoever was let in was not waiting, so nobody waits
-- because of it either.
CREATE FUNCTION oas_throttle_forgive_1(p_keys bytea[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM 1 FROM oas_throttle WHERE key = ANY (p_keys) ORDER BY key FOR UPDATE;
    UPDATE oas_throttle SET failures = greatest(failures - 1, 0), waiting_until = NULL
    WHERE key = ANY (p_keys);
END $$;

-- Stores who logged in and opens or continues a session. A repetition finds its own secret and returns
-- the session as it stands.
CREATE FUNCTION oas_session_open_1(
    p_id uuid, p_secret bytea, p_sub text, p_provider text, p_name text, p_claims jsonb, p_amr text,
    p_acr text, p_lifetime float8, p_idle float8, p_address text, p_user_agent text, p_old_id uuid,
    p_old_secret bytea, p_forget bytea, p_forgive bytea[])
RETURNS TABLE (session_id uuid, auth_time bigint, now bigint, amr text, acr text)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
    v_old oas_sessions%ROWTYPE;
    v_id  uuid := p_id;
    v_new boolean := false;
BEGIN
    INSERT INTO oas_subjects AS s (sub, provider, name, claims)
    VALUES (p_sub, p_provider, p_name, p_claims)
    ON CONFLICT (sub) DO UPDATE
    SET provider = p_provider, name = p_name, claims = p_claims, updated_at = v_now
    WHERE (s.provider, s.name, s.claims) IS DISTINCT FROM (p_provider, p_name, p_claims);

    SELECT * INTO v_old FROM oas_sessions AS o WHERE o.session_id = p_old_id FOR UPDATE;
    v_now := clock_timestamp();
    IF v_old.sub = p_sub AND v_old.secret_hash = p_secret THEN
        v_id := p_old_id; -- done before
    ELSIF v_old.secret_hash = p_old_secret AND v_old.ended_at IS NULL
        AND v_old.idle_until > v_now AND v_old.expires_at > v_now THEN
        IF v_old.sub = p_sub THEN
            v_id := p_old_id;
            UPDATE oas_sessions AS o
            SET secret_hash = p_secret, auth_time = v_now, amr = p_amr, acr = p_acr, last_used = v_now,
                expires_at = v_now + make_interval(secs => p_lifetime),
                idle_until = v_now + make_interval(secs => least(p_idle, p_lifetime)),
                purge_after = v_now + make_interval(secs => p_lifetime) + interval '1 day',
                address = p_address, user_agent = p_user_agent
            WHERE o.session_id = p_old_id;
            v_new := true;
        ELSE
            UPDATE oas_sessions AS o SET ended_at = v_now WHERE o.session_id = p_old_id;
        END IF;
    END IF;

    IF v_id = p_id THEN
        INSERT INTO oas_sessions (session_id, secret_hash, sub, auth_time, amr, acr, created_at,
            last_used, idle_until, expires_at, address, user_agent, purge_after)
        VALUES (p_id, p_secret, p_sub, v_now, p_amr, p_acr, v_now, v_now,
            v_now + make_interval(secs => least(p_idle, p_lifetime)),
            v_now + make_interval(secs => p_lifetime), p_address, p_user_agent,
            v_now + make_interval(secs => p_lifetime) + interval '1 day')
        ON CONFLICT (session_id) DO NOTHING;
        v_new := FOUND;
    END IF;
    IF v_new THEN -- a repetition forgives nothing more
        PERFORM 1 FROM oas_throttle WHERE key = ANY (array_append(p_forgive, p_forget))
        ORDER BY key FOR UPDATE;
        DELETE FROM oas_throttle WHERE key = p_forget;
        PERFORM oas_throttle_forgive_1(p_forgive);
    END IF;

    RETURN QUERY SELECT s.session_id, oas_epoch(s.auth_time), oas_epoch(clock_timestamp()), s.amr, s.acr
    FROM oas_sessions AS s
    WHERE s.session_id = v_id AND s.secret_hash = p_secret AND s.sub = p_sub AND s.ended_at IS NULL;
    IF NOT FOUND THEN
        RAISE unique_violation USING MESSAGE = 'session_id is taken';
    END IF;
END $$;

-- Makes a grant with its code, and writes or checks the consent. A repetition with the same grant and code
-- is 'put' again, whatever has become of the grant since.
CREATE FUNCTION oas_code_put_1(
    p_grant uuid, p_hash bytea, p_session uuid, p_client text, p_scope text, p_resource text,
    p_redirect_uri text, p_redirect_uri_required boolean, p_challenge text, p_nonce text,
    p_code_lifetime float8, p_access_lifetime float8, p_consent text, p_form_started bigint)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now     timestamptz;
    v_session oas_sessions%ROWTYPE;
    v_scopes  text[] := string_to_array(p_scope, ' ');
    v_purge   timestamptz;
BEGIN
    IF EXISTS (SELECT 1 FROM oas_codes WHERE grant_id = p_grant AND code_hash = p_hash) THEN
        RETURN 'put';
    END IF;

    SELECT * INTO v_session FROM oas_sessions WHERE session_id = p_session FOR SHARE;
    v_now := clock_timestamp();
    IF v_session.session_id IS NULL OR v_session.ended_at IS NOT NULL
        OR v_session.idle_until <= v_now OR v_session.expires_at <= v_now THEN
        RETURN 'session_gone';
    END IF;

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
    v_purge := v_now + make_interval(secs => p_code_lifetime + p_access_lifetime) + interval '1 day';
    INSERT INTO oas_grants (grant_id, client_id, sub, session_id, scope, resource, auth_time, amr, acr,
        created_at, purge_after)
    VALUES (p_grant, p_client, v_session.sub, p_session, p_scope, p_resource, v_session.auth_time,
        v_session.amr, v_session.acr, v_now, v_purge)
    ON CONFLICT (grant_id) DO NOTHING;
    IF NOT FOUND THEN
        PERFORM 1 FROM oas_codes WHERE grant_id = p_grant AND code_hash = p_hash;
        IF NOT FOUND THEN
            RAISE unique_violation USING MESSAGE = 'grant_id is taken';
        END IF;
        RETURN 'put';
    END IF;
    INSERT INTO oas_codes (grant_id, code_hash, redirect_uri, redirect_uri_required, code_challenge,
        nonce, expires_at, purge_after)
    VALUES (p_grant, p_hash, p_redirect_uri, p_redirect_uri_required, p_challenge, p_nonce,
        v_now + make_interval(secs => p_code_lifetime), v_purge);
    RETURN 'put';
END $$;

-- Decides what becomes of a code. What never changes is compared first and without a lock, so an attempt by somebody else
-- neither changes nor delays anything; then the grant's row decides who wins.
CREATE FUNCTION oas_code_use_1(p_grant uuid, p_hash bytea, p_client text, p_redirect_uri text,
    p_challenge text, p_resource text, p_attempt uuid)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now   timestamptz;
    v_grant oas_grants%ROWTYPE;
    v_code  oas_codes%ROWTYPE;
BEGIN
    SELECT * INTO v_code FROM oas_codes WHERE grant_id = p_grant AND code_hash = p_hash;
    SELECT * INTO v_grant FROM oas_grants WHERE grant_id = v_code.grant_id;
    IF v_grant.grant_id IS NULL THEN
        RETURN 'unknown';
    ELSIF v_grant.client_id <> p_client THEN
        RETURN 'foreign';
    ELSIF p_redirect_uri <> v_code.redirect_uri THEN
        RETURN 'redirect_uri';
    ELSIF p_redirect_uri IS NULL AND v_code.redirect_uri_required AND v_code.code_challenge IS NULL THEN
        RETURN 'redirect_uri_missing';
    ELSIF p_challenge IS NULL AND v_code.code_challenge IS NOT NULL THEN
        RETURN 'verifier_missing';
    ELSIF p_challenge IS DISTINCT FROM v_code.code_challenge THEN
        RETURN 'verifier';
    ELSIF p_resource IS NOT NULL AND p_resource IS DISTINCT FROM v_grant.resource THEN
        RETURN 'resource';
    END IF;

    SELECT * INTO v_grant FROM oas_grants WHERE grant_id = p_grant FOR UPDATE;
    SELECT * INTO v_code FROM oas_codes WHERE grant_id = p_grant;
    v_now := clock_timestamp();
    IF v_code.used_at IS NOT NULL AND v_code.attempt <> p_attempt THEN
        UPDATE oas_grants SET revoked_at = v_now, revoked_reason = 'code replayed'
        WHERE grant_id = p_grant AND revoked_at IS NULL;
        RETURN 'replayed';
    ELSIF v_grant.grant_id IS NULL OR v_grant.revoked_at IS NOT NULL THEN
        RETURN 'revoked';
    ELSIF v_code.used_at IS NOT NULL THEN
        RETURN 'done';
    ELSIF v_code.expires_at <= v_now THEN
        RETURN 'expired';
    END IF;
    UPDATE oas_codes SET used_at = v_now, attempt = p_attempt WHERE grant_id = p_grant;
    UPDATE oas_grants SET activated_at = v_now WHERE grant_id = p_grant;
    RETURN 'done';
END $$;

-- A grant as the token endpoint and userinfo need it; no row when it does not live or its subject is gone.
CREATE FUNCTION oas_grant_live_1(p_grant uuid)
RETURNS TABLE (grant_id uuid, client_id text, sub text, session_id uuid, scope text, resource text,
    auth_time bigint, amr text, acr text, claims jsonb, now bigint)
LANGUAGE sql STABLE AS $$
    SELECT g.grant_id, g.client_id, g.sub, g.session_id, g.scope, g.resource, oas_epoch(g.auth_time),
        g.amr, g.acr, s.claims, oas_epoch(clock_timestamp())
    FROM oas_grants AS g JOIN oas_subjects AS s ON s.sub = g.sub
    WHERE g.grant_id = p_grant AND g.activated_at IS NOT NULL AND g.revoked_at IS NULL
        AND g.purge_after > clock_timestamp()
$$;

-- Redeems a code: the outcome and, when it is 'done', the grant and the code's nonce.
CREATE FUNCTION oas_code_redeem_1(p_grant uuid, p_hash bytea, p_client text, p_redirect_uri text,
    p_challenge text, p_resource text, p_attempt uuid)
RETURNS TABLE (outcome text, grant_id uuid, client_id text, sub text, session_id uuid, scope text,
    resource text, auth_time bigint, amr text, acr text, claims jsonb, now bigint, nonce text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_outcome text := oas_code_use_1(p_grant, p_hash, p_client, p_redirect_uri, p_challenge,
        p_resource, p_attempt);
BEGIN
    IF v_outcome = 'done' THEN
        RETURN QUERY SELECT v_outcome, l.*, c.nonce
        FROM oas_grant_live_1(p_grant) AS l JOIN oas_codes AS c ON c.grant_id = l.grant_id;
        IF FOUND THEN
            RETURN;
        END IF;
        v_outcome := 'revoked'; -- its subject is gone
    END IF;
    outcome := v_outcome;
    RETURN NEXT;
END $$;

-- Withdraws a consent and revokes the client's grants of that subject; false when there was none.
CREATE FUNCTION oas_consent_withdraw_1(p_sub text, p_client text, p_resource text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now timestamptz;
BEGIN
    PERFORM 1 FROM oas_consents
    WHERE sub = p_sub AND client_id = p_client AND resource = p_resource AND live FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    v_now := clock_timestamp();
    UPDATE oas_consents
    SET live = false, scopes = '{}', withdrawn_at = v_now, purge_after = v_now + interval '30 days'
    WHERE sub = p_sub AND client_id = p_client AND resource = p_resource;
    PERFORM 1 FROM oas_grants
    WHERE sub = p_sub AND client_id = p_client AND revoked_at IS NULL ORDER BY grant_id FOR UPDATE;
    UPDATE oas_grants SET revoked_at = v_now, revoked_reason = 'consent withdrawn'
    WHERE sub = p_sub AND client_id = p_client AND revoked_at IS NULL;
    RETURN true;
END $$;

-- What the role that httpd connects as needs, and no more. To be called by the owner of the schema
-- (`oauth2asctl schema apply --grant-to ROLE`); may be repeated. Users are written by the owner only.
CREATE FUNCTION oas_schema_grant(p_role name) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_function regprocedure;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), p_role);
    EXECUTE format('GRANT SELECT ON oas_schema, oas_users TO %I', p_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON oas_clients, oas_subjects, oas_sessions, '
        'oas_consents, oas_grants, oas_codes, oas_throttle TO %I', p_role);
    EXECUTE format('GRANT DELETE ON oas_throttle TO %I', p_role);
    FOR v_function IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'oas\_%'
            AND proname <> 'oas_schema_grant'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function, p_role);
    END LOOP;
END $$;

-- By default PostgreSQL lets everybody call a new function.
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'oas\_%'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
    END LOOP;
END $$;
