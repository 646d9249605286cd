-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: the account page shows what applications may do in parts.

-- What applications may do in a subject's name: consents, and what lives without one. A grant lives as long as its
-- family, or what was issued from it. The rows of p_limit clients behind the first p_offset; more: there are further ones.
CREATE FUNCTION oas_access_list_2(p_sub text, p_offset bigint, p_limit bigint)
RETURNS TABLE (client_id text, resource text, scopes text[], since bigint, last_used bigint,
    offline boolean, more boolean)
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
    ), access AS (
        SELECT client_id, resource, coalesce(c.scopes, g.scopes) AS scopes, coalesce(c.granted_at, g.since) AS since,
            g.used, coalesce(g.family, false) AS family, dense_rank() OVER (ORDER BY client_id) AS place
        FROM consents AS c FULL JOIN grants AS g USING (client_id, resource)
    )
    SELECT a.client_id, nullif(a.resource, ''), a.scopes, oas_epoch(a.since), oas_epoch(a.used), a.family,
        EXISTS (SELECT FROM access AS b WHERE b.place > p_offset + p_limit)
    FROM access AS a WHERE a.place > p_offset AND a.place <= p_offset + p_limit
    ORDER BY a.client_id, a.resource;
END $$;

CREATE OR REPLACE FUNCTION oas_access_list_1(p_sub text)
RETURNS TABLE (client_id text, resource text, scopes text[], since bigint, last_used bigint,
    offline boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT a.client_id, a.resource, a.scopes, a.since, a.last_used, a.offline
    FROM oas_access_list_2(p_sub, 0, 200) AS a LIMIT 200;
END $$;
