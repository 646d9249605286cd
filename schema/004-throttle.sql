-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: counters of failed logins leak.

-- Counts an attempt as failed in each counter and returns 0, or, when one of them is waiting, counts
-- nothing and returns the seconds left. DO UPDATE WHERE false only locks; INSERT takes the rows in the
-- order of their keys, so that two attempts never wait for each other.
--
-- In the time v_memory a counter loses as many failures as it allows, evenly; where it holds more than twice as many,
-- half of them. So failures that are fewer than that never add up, and whoever never stops gets no more attempts than
-- by spending what is free and then pausing for v_memory, again and again. What has leaked is taken off at the next
-- attempt, in whole failures: last_failure is the time up to which that was done, or attempts in quick succession
-- would stop the leak.
CREATE OR REPLACE FUNCTION oas_throttle_attempt_1(p_keys bytea[], p_limits integer[], p_max float8)
RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_memory CONSTANT float8 := greatest(900, p_max);
    v_now    timestamptz;
    v_wait   integer;
BEGIN
    INSERT INTO oas_throttle AS t (key, failures, last_failure, purge_after)
    SELECT k, 0, clock_timestamp(), clock_timestamp()
    FROM (SELECT DISTINCT unnest(p_keys) AS k) AS d ORDER BY k
    ON CONFLICT (key) DO UPDATE SET failures = t.failures WHERE false;

    v_now := clock_timestamp();
    SELECT ceil(extract(epoch FROM max(waiting_until) - v_now))::integer INTO v_wait
    FROM oas_throttle WHERE key = ANY (p_keys) AND waiting_until > v_now;
    IF v_wait IS NOT NULL THEN
        RETURN greatest(v_wait, 1);
    END IF;

    UPDATE oas_throttle AS t
    SET failures = n.failures,
        last_failure = n.leaked_until,
        waiting_until = CASE WHEN n.failures > n.allowed THEN v_now + make_interval(
            secs => least(p_max, power(2, least(n.failures - n.allowed, 30)))) END,
        -- by whole hours, so that most failures leave the index alone
        purge_after = date_trunc('hour', v_now + make_interval(secs => v_memory)) + interval '1 hour'
    FROM (SELECT o.key, i.allowed,
                 least(o.failures - least(l.leaked, o.failures), 1000000)::integer + 1 AS failures,
                 CASE WHEN l.leaked >= o.failures THEN v_now
                      ELSE o.last_failure + make_interval(secs => l.leaked * e.each) END AS leaked_until
          FROM (SELECT u.key, min(u.allowed) AS allowed
                FROM unnest(p_keys, p_limits) AS u (key, allowed) GROUP BY u.key) AS i
          JOIN oas_throttle AS o ON o.key = i.key,
          LATERAL (SELECT v_memory / greatest(i.allowed, o.failures / 2.0, 1) AS each) AS e,
          LATERAL (SELECT floor(greatest(extract(epoch FROM v_now - o.last_failure)::float8, 0) / e.each)
                   AS leaked) AS l) AS n
    WHERE t.key = n.key;

    -- More rows than an attempt can add, so that strangers cannot make the table grow for ever. Comes last
    -- and skips what others hold: nothing is waited for.
    DELETE FROM oas_throttle WHERE key IN (
        SELECT key FROM oas_throttle WHERE purge_after <= v_now LIMIT 8 FOR UPDATE SKIP LOCKED);
    RETURN 0;
END $$;
