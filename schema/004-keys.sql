-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: the keyring: signing keys that all nodes follow without a restart. A private key rests here sealed under a
-- secret that the database does not have (lib/base/box.h), for one issuer, kid and algorithm: who knows the database
-- alone cannot sign, and who can write to it cannot slip in a key of his own. State and times are not sealed: a writer can
-- remove a key, and bring back one that was here before under a secret that still opens it.
-- One key of an algorithm is next, one is active, any number is retired, by two unique indexes.
--
-- Lock order: keys by kid, and nothing after them; who changes clients has those already.

-- published_at: when the first node was told of a next key. usable_at: it is in every cache of the key set by then; NULL: no
-- node has told yet how long that takes. lifetime: seconds that the longest token lives
-- which was, or could be, signed with it, as far as the clients table as it is now does not say so; it never shrinks. ends_at: a retired key is published until then. version goes up with each change.
CREATE TABLE oas_keys (
    kid          text PRIMARY KEY CHECK (kid ~ '^[A-Za-z0-9_-]+$'),
    alg          text NOT NULL,
    state        text NOT NULL CHECK (state IN ('next', 'active', 'retired')),
    version      bigint NOT NULL DEFAULT 1,
    sealed       bytea NOT NULL,
    lifetime     bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL,
    published_at timestamptz,
    usable_at    timestamptz,
    activated_at timestamptz CHECK (activated_at IS NOT NULL OR state = 'next'),
    retired_at   timestamptz,
    ends_at      timestamptz CHECK (ends_at IS NOT NULL OR state <> 'retired')
);
CREATE UNIQUE INDEX oas_keys_active ON oas_keys (alg) WHERE state = 'active';
CREATE UNIQUE INDEX oas_keys_next ON oas_keys (alg) WHERE state = 'next';

INSERT INTO oas_rights VALUES ('oas_keys', 'SELECT, INSERT, UPDATE, DELETE');

-- The state of the whole keyring in a word: it changes with every row, also where somebody has changed one by hand.
CREATE FUNCTION oas_keys_version_1() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(coalesce(string_agg(concat_ws(' ', k.kid, k.version, k.state, md5(k.sealed)), ',' ORDER BY k.kid), '')) FROM oas_keys AS k
$$;

-- Whether there are as many keys as a node reads, less those that administrators may need at once.
CREATE FUNCTION oas_keys_full_1() RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT count(*) >= 24 FROM oas_keys $$;

-- Puts a new key: active where its algorithm has none, else next, to sign p_lead seconds from now at the earliest (NULL:
-- nodes know). -- p_only: it is wanted in that state only. Returns its state; 'known': it is here already; 'taken': there is one in
-- that state; 'full': no more keys than a node reads.
CREATE FUNCTION oas_key_put_1(p_kid text, p_alg text, p_sealed bytea, p_lead float8, p_only text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now   timestamptz := clock_timestamp();
    v_first boolean := NOT EXISTS (SELECT 1 FROM oas_keys WHERE alg = p_alg AND state = 'active');
BEGIN
    IF p_only <> (CASE WHEN v_first THEN 'active' ELSE 'next' END) THEN
        RETURN 'taken';
    ELSIF oas_keys_full_1() THEN
        RETURN 'full';
    END IF;
    INSERT INTO oas_keys (kid, alg, state, sealed, created_at, usable_at, activated_at)
    VALUES (p_kid, p_alg, CASE WHEN v_first THEN 'active' ELSE 'next' END, p_sealed, v_now,
        CASE WHEN v_first THEN v_now ELSE v_now + make_interval(secs => p_lead) END,
        CASE WHEN v_first THEN v_now END)
    ON CONFLICT DO NOTHING;
    RETURN CASE WHEN FOUND AND v_first THEN 'active' WHEN FOUND THEN 'next'
        WHEN EXISTS (SELECT 1 FROM oas_keys WHERE kid = p_kid) THEN 'known' ELSE 'taken' END;
END $$;

-- Seconds that the longest token of a client lives which has a lifetime of its own for one; NULL: it has none. Nobody
-- signs for a client with one beyond a hundred years.
CREATE FUNCTION oas_client_token_1(p_metadata jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ceil(max(CASE WHEN l.ms <= 3153600000000 THEN l.ms END) / 1000)::bigint
    FROM (SELECT CASE jsonb_typeof(t) WHEN 'number' THEN t::numeric END AS ms
        FROM unnest(ARRAY[p_metadata #> '{lifetimes_ms,access-token}', p_metadata #> '{lifetimes_ms,id-token}']) AS t) AS l
$$;

-- A client's lifetimes are changed, or it is deleted, also by hand: keys that may have signed for it remember what it had.
-- That counts for the next one as well, which may sign before the last process has heard of the change.
CREATE FUNCTION oas_client_had_1() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    -- all of them are locked, in order, for the sake of who changes several clients in one statement
    EXECUTE format('WITH signing AS MATERIALIZED (SELECT k.kid, c.token '
        'FROM %1$I.oas_keys AS k, (SELECT %1$I.oas_client_token_1($1) AS token) AS c '
        'WHERE k.state <> ''retired'' AND c.token IS NOT NULL ORDER BY k.kid FOR UPDATE OF k) '
        'UPDATE %1$I.oas_keys AS k SET lifetime = s.token, version = k.version + 1 '
        'FROM signing AS s WHERE k.kid = s.kid AND k.lifetime < s.token', TG_TABLE_SCHEMA)
    USING OLD.metadata;
    RETURN NULL;
END $$;

CREATE TRIGGER oas_client_changed AFTER UPDATE ON oas_clients FOR EACH ROW
WHEN (OLD.metadata -> 'lifetimes_ms' IS DISTINCT FROM NEW.metadata -> 'lifetimes_ms')
EXECUTE FUNCTION oas_client_had_1();
CREATE TRIGGER oas_client_deleted AFTER DELETE ON oas_clients FOR EACH ROW
WHEN (OLD.metadata -> 'lifetimes_ms' IS NOT NULL) EXECUTE FUNCTION oas_client_had_1();

-- The active key of an algorithm signs no more. It stays published until its last token has ended, those of clients
-- included that have a lifetime of their own, and a minute: the last node hears of it some seconds later.
CREATE FUNCTION oas_key_relieve_1(p_alg text, p_now timestamptz) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_clients bigint;
BEGIN
    SELECT max(oas_client_token_1(metadata)) INTO v_clients FROM oas_clients;
    UPDATE oas_keys
    SET state = 'retired', retired_at = p_now, version = version + 1, lifetime = greatest(lifetime, v_clients),
        ends_at = p_now + make_interval(secs => greatest(lifetime, v_clients)) + interval '1 minute'
    WHERE alg = p_alg AND state = 'active';
END $$;

-- Lets a key sign: one that is next, or one that has retired and is still published. The one that signed retires.
-- Returns 'activated', 'unknown', 'active' (it signs already) or 'early': not everybody knows it yet; p_early: all the
-- same. One of several callers gets 'activated'.
CREATE FUNCTION oas_key_activate_1(p_kid text, p_early boolean) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_key oas_keys%ROWTYPE;
    v_now timestamptz;
BEGIN
    PERFORM 1 FROM oas_keys WHERE alg = (SELECT alg FROM oas_keys WHERE kid = p_kid) ORDER BY kid FOR UPDATE;
    SELECT * INTO v_key FROM oas_keys WHERE kid = p_kid;
    v_now := clock_timestamp();
    IF v_key.kid IS NULL OR v_key.ends_at <= v_now THEN
        RETURN 'unknown';
    ELSIF v_key.state = 'active' THEN
        RETURN 'active';
    ELSIF v_key.state = 'next' AND (v_key.published_at IS NULL OR v_key.usable_at > v_now) AND NOT p_early THEN
        RETURN 'early';
    END IF;
    PERFORM oas_key_relieve_1(v_key.alg, v_now);
    UPDATE oas_keys
    SET state = 'active', activated_at = v_now, retired_at = NULL, ends_at = NULL, version = version + 1
    WHERE kid = p_kid;
    RETURN 'activated';
END $$;

-- Ends a key's time. Next: it is withdrawn. Active: the next one takes over. Returns 'withdrawn', 'retired' or, where
-- nothing is changed, 'unknown', 'needed' (there is no next one) or 'early' (the next one may not sign yet). p_now:
-- it is gone at once, with all tokens that it signed; the next one takes over, early or not. Returns 'removed' then.
CREATE FUNCTION oas_key_retire_1(p_kid text, p_now boolean) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_key     oas_keys%ROWTYPE;
    v_next    text;
    v_outcome text;
BEGIN
    PERFORM 1 FROM oas_keys WHERE alg = (SELECT alg FROM oas_keys WHERE kid = p_kid) ORDER BY kid FOR UPDATE;
    SELECT * INTO v_key FROM oas_keys WHERE kid = p_kid;
    IF v_key.kid IS NULL THEN
        RETURN 'unknown';
    ELSIF v_key.state = 'active' THEN
        SELECT kid INTO v_next FROM oas_keys WHERE alg = v_key.alg AND state = 'next';
        v_outcome := CASE WHEN v_next IS NULL THEN 'needed' ELSE oas_key_activate_1(v_next, p_now) END;
        IF v_outcome <> 'activated' THEN
            RETURN v_outcome;
        END IF;
    END IF;
    IF v_key.state = 'next' OR p_now THEN
        DELETE FROM oas_keys WHERE kid = p_kid;
        RETURN CASE WHEN p_now THEN 'removed' ELSE 'withdrawn' END;
    END IF;
    RETURN 'retired';
END $$;

-- Whether a key lives too short a time for a node, or signs too early for it. A key that no node could be told of was in no cache,
-- however long it has rested here.
CREATE FUNCTION oas_key_lacks_1(p_key oas_keys, p_token bigint, p_publish float8) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT p_key.state <> 'retired' AND (p_key.lifetime < p_token OR (p_key.state = 'next' AND (p_key.published_at IS NULL
        OR coalesce(p_key.usable_at < p_key.published_at + make_interval(secs => p_publish), true))))
$$;

-- What a node asks every other second. p_have: the version it has. p_token, p_publish: seconds that its longest token
-- lives, and after which a new key is in every cache; the longest of all nodes count. p_algs: what it signs with.
-- p_rotate: seconds after which a key is replaced, NULL: only by hand; p_ahead: how long before that the next one is made.
-- The first row has the version and what is due: 'first ALG', 'next ALG' (to be
-- made), 'full ALG' (it should be, but there is no room) or 'activate KID ALG', separated by commas. The other rows are
-- the keys, when they are not those the node has.
CREATE FUNCTION oas_keys_follow_1(p_have text, p_algs text[], p_token bigint, p_publish float8, p_rotate float8,
    p_ahead float8)
RETURNS TABLE (ring text, due text, kid text, alg text, state text, version bigint, sealed bytea, created bigint,
    usable bigint, activated bigint, retired bigint, ends bigint)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    -- writes only where there is something to write, so that a standby can be asked too
    IF EXISTS (SELECT 1 FROM oas_keys AS k WHERE k.alg = ANY (p_algs) AND oas_key_lacks_1(k, p_token, p_publish))
        OR EXISTS (SELECT 1 FROM oas_keys WHERE state = 'retired' AND ends_at <= v_now)
    THEN
        PERFORM 1 FROM oas_keys ORDER BY kid FOR UPDATE;
        UPDATE oas_keys AS k SET lifetime = greatest(lifetime, p_token), version = version + 1,
            published_at = CASE state WHEN 'next' THEN coalesce(published_at, v_now) ELSE published_at END,
            usable_at = CASE state WHEN 'next'
                THEN greatest(usable_at, coalesce(published_at, v_now) + make_interval(secs => p_publish)) ELSE usable_at END
        WHERE k.alg = ANY (p_algs) AND oas_key_lacks_1(k, p_token, p_publish);
        DELETE FROM oas_keys WHERE state = 'retired' AND ends_at <= v_now;
    END IF;

    ring := oas_keys_version_1();
    due := array_to_string(ARRAY(
        SELECT CASE WHEN n.kid IS NULL AND oas_keys_full_1() THEN 'full ' || w.alg WHEN n.kid IS NULL AND a.kid IS NULL THEN 'first ' || w.alg WHEN n.kid IS NULL THEN 'next ' || w.alg
            ELSE 'activate ' || n.kid || ' ' || w.alg END
        FROM unnest(p_algs) AS w (alg)
            LEFT JOIN oas_keys AS a ON a.alg = w.alg AND a.state = 'active'
            LEFT JOIN oas_keys AS n ON n.alg = w.alg AND n.state = 'next'
        WHERE CASE WHEN a.kid IS NULL THEN true
            WHEN n.kid IS NULL THEN a.activated_at + make_interval(secs => p_rotate - p_ahead) <= v_now
            ELSE a.activated_at + make_interval(secs => p_rotate) <= v_now AND n.usable_at <= v_now END
        ORDER BY w.alg), ',');
    RETURN NEXT;
    IF ring IS DISTINCT FROM p_have THEN
        RETURN QUERY SELECT NULL, NULL, k.kid, k.alg, k.state, k.version, k.sealed, oas_epoch(k.created_at),
            ceil(extract(epoch FROM k.usable_at))::bigint, oas_epoch(k.activated_at), oas_epoch(k.retired_at), oas_epoch(k.ends_at)
        FROM oas_keys AS k ORDER BY k.alg, k.created_at, k.kid;
    END IF;
END $$;
