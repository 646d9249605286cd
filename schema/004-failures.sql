-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: what the server does when it could not be told what became of a statement. It answers 503 then, and the
-- client asks again: so nothing may have been done, or be done later.

-- Guards a statement that may not be carried out twice: a connection that hangs may deliver it long after it was given
-- up. p_until is in seconds of this database's clock.
CREATE FUNCTION oas_too_late_1() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'a statement came too late' USING ERRCODE = 'OA001';
END $$;

CREATE FUNCTION oas_timely_1(p_until float8) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN to_timestamp(p_until) > clock_timestamp() THEN true ELSE oas_too_late_1() END
$$;

-- Ends a grant because its code or a refresh token of it was presented once more. Whoever had to wait for its row condemns
-- nobody: who held it may have been given up, so that it will be undone, and by now this one may have been as well.
-- Nothing is done then, and the client is to come again. A busy server may take as long without any wait; that costs
-- another request and nothing else.
CREATE FUNCTION oas_grant_condemn_1(p_grant uuid, p_reason text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF clock_timestamp() > statement_timestamp() + interval '0.2 seconds' THEN
        RAISE EXCEPTION 'a grant was held by somebody else' USING ERRCODE = 'lock_not_available';
    END IF;
    PERFORM oas_grant_end_1(p_grant, p_reason);
END $$;

-- As it was in version 1, but who had to wait condemns nobody, and a grant that was active already (an access token came
-- along with the code) stays so since then.
CREATE OR REPLACE FUNCTION oas_code_use_1(p_grant uuid, p_hash bytea, p_client text, p_redirect_uri text,
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
        PERFORM oas_grant_condemn_1(p_grant, 'code replayed');
        RETURN 'replayed';
    ELSIF v_grant.grant_id IS NULL OR v_grant.revoked_at IS NOT NULL THEN
        RETURN 'revoked';
    ELSIF v_code.used_at IS NOT NULL THEN
        RETURN 'done';
    ELSIF v_code.expires_at <= v_now THEN
        RETURN 'expired';
    END IF;
    UPDATE oas_codes SET used_at = v_now, attempt = p_attempt WHERE grant_id = p_grant;
    UPDATE oas_grants SET activated_at = coalesce(activated_at, v_now) WHERE grant_id = p_grant;
    RETURN 'done';
END $$;

-- Whether a code or refresh token is used already, so that to present it once more could condemn its grant. Only of what an
-- undo could make good again, which somebody has who has had the token: no other row is held. Of a refresh token all is in
-- that row, as it was committed meanwhile; a code is looked at when the row is held, which who redeems or undoes it holds.
-- When that cannot be said in time, nobody may go on.
CREATE FUNCTION oas_attempt_spent_1(p_grant uuid, p_hash bytea, p_client text, p_window float8) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET lock_timeout = '100ms' AS $$
DECLARE
    v_refresh boolean;
    v_spent   boolean;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true); -- there is nothing to keep, but a lock of a row is a commit
    SELECT coalesce(p_hash IN (g.refresh_hash, g.refresh_parent_hash), false),
        coalesce(g.refresh_parent_hash = p_hash AND NOT CASE
            WHEN p_window IS NULL THEN g.refresh_used_at <= g.refresh_rotated_at
            ELSE clock_timestamp() < g.refresh_rotated_at + make_interval(secs => p_window) END, false)
    INTO v_refresh, v_spent
    FROM oas_grants AS g
    WHERE g.grant_id = p_grant AND g.client_id = p_client AND g.revoked_at IS NULL
        AND (p_hash IN (g.refresh_hash, g.refresh_parent_hash)
            OR EXISTS (SELECT 1 FROM oas_codes AS c WHERE c.grant_id = p_grant AND c.code_hash = p_hash
                AND c.expires_at > clock_timestamp()))
    FOR SHARE OF g;
    IF NOT v_refresh THEN
        SELECT used_at IS NOT NULL INTO v_spent FROM oas_codes WHERE grant_id = p_grant AND code_hash = p_hash;
    END IF;
    RETURN v_spent;
END $$;

-- Undoes the redemption of a code or the rotation of a refresh token, unless there was none or it has been followed by
-- another one. What was issued along with a code, before it was redeemed, goes on. p_window: the client's reuse window.
-- Where there is one, others may have been given the same child meanwhile, so it stays, and the window begins anew; where
-- there is none, nobody has it. False: there was nothing to do. The attempt may hang in its commit and hold the row: then
-- the undo comes again, and keeps nobody waiting meanwhile.
CREATE FUNCTION oas_attempt_undo_1(p_grant uuid, p_attempt uuid, p_window float8) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET lock_timeout = '100ms' AS $$
DECLARE
    v_grant oas_grants%ROWTYPE;
    v_made  timestamptz;
    v_used  timestamptz;
    v_now   timestamptz := clock_timestamp();
BEGIN
    SELECT * INTO v_grant FROM oas_grants WHERE grant_id = p_grant FOR UPDATE;
    SELECT used_at INTO v_used FROM oas_codes WHERE grant_id = p_grant AND attempt = p_attempt;
    IF FOUND THEN
        UPDATE oas_codes SET used_at = NULL, attempt = NULL WHERE grant_id = p_grant;
        DELETE FROM oas_refresh_tokens WHERE grant_id = p_grant;
        UPDATE oas_grants
        SET activated_at = nullif(activated_at, v_used), refresh_generation = NULL, refresh_hash = NULL,
            refresh_rotated_at = NULL, refresh_used_at = NULL, refresh_expires_at = NULL, cnf = NULL
        WHERE grant_id = p_grant;
        RETURN true;
    ELSIF v_grant.refresh_attempt IS DISTINCT FROM p_attempt THEN
        RETURN false;
    ELSIF p_window IS DISTINCT FROM 0 THEN
        UPDATE oas_grants SET refresh_rotated_at = v_now, refresh_used_at = v_now
        WHERE grant_id = p_grant;
        RETURN true;
    END IF;
    DELETE FROM oas_refresh_tokens WHERE grant_id = p_grant AND generation = v_grant.refresh_generation;
    SELECT created_at INTO v_made FROM oas_refresh_tokens
    WHERE grant_id = p_grant AND generation = v_grant.refresh_generation - 1;
    UPDATE oas_grants
    SET refresh_generation = refresh_generation - 1, refresh_hash = refresh_parent_hash,
        refresh_parent_hash = NULL, refresh_secret_id = NULL, refresh_rotated_at = v_made,
        refresh_attempt = gen_random_uuid() -- nobody's, for what it replaced is never good again
    WHERE grant_id = p_grant;
    RETURN true;
END $$;

-- Lets an assertion be used that nobody was told of. Only who would write the same row is made to wait for one whose commit
-- hangs; to look for it would find nothing.
CREATE FUNCTION oas_jti_undo_1(p_key bytea, p_attempt uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET lock_timeout = '100ms' AS $$
DECLARE
    v_made boolean;
BEGIN
    INSERT INTO oas_jtis (key, attempt, purge_after) VALUES (p_key, p_attempt, '-infinity')
    ON CONFLICT (key) DO NOTHING;
    v_made := FOUND;
    DELETE FROM oas_jtis WHERE key = p_key AND attempt = p_attempt;
    RETURN FOUND AND NOT v_made;
END $$;
