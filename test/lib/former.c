/* SPDX-License-Identifier: Apache-2.0 */
#include "former.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../lib/store/statements.h"

#define TEXT_TYPE 25 /* pg_type.oid of text */

/* Not to be changed: what the module of schema version 3 prepares. */
#define USER_COLUMNS                                                                               \
    "locked, claims::text, to_char(created_at AT TIME ZONE 'UTC', "                                \
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "                                                          \
    "to_char(password_changed AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* What grant_row.c reads, out of oas_grant_for_2. */
#define GRANT_COLUMNS                                                                              \
    "a.outcome, a.grant_id, a.client_id, a.sub, a.session_id, a.scope, a.resource, a.auth_time, "  \
    "nullif(a.amr, ''), a.acr, a.claims::text, a.now, a.nonce, a.refresh_expires, "                \
    "a.claims_request::text"

static const struct {
    const char *label;
    int params, repeatable;
    const char *sql;
} statements[] = {
    {"oas_client_sync", 3, 1,
     "WITH written AS ("
     "INSERT INTO oas_clients AS c (client_id, source, config_hash, metadata) "
     "VALUES ($1, 'configuration', $2, $3::jsonb) ON CONFLICT (client_id) DO UPDATE "
     "SET config_hash = excluded.config_hash, metadata = excluded.metadata, "
     "seen_at = clock_timestamp(), updated_at = CASE "
     "WHEN c.config_hash <> excluded.config_hash THEN clock_timestamp() ELSE c.updated_at END "
     "WHERE c.source = 'configuration' AND (c.config_hash <> excluded.config_hash "
     "OR c.seen_at < clock_timestamp() - interval '30 seconds') "
     "RETURNING c.source) "
     "SELECT source FROM oas_clients WHERE client_id = $1"},
    {"oas_client_load", 1, 1,
     "SELECT metadata::text FROM oas_clients WHERE client_id = $1 AND NOT disabled "
     "AND (source = 'database' OR seen_at > clock_timestamp() - interval '3 minutes')"},
    {"oas_session_open", 21, 1,
     "SELECT session_id, auth_time, now, nullif(amr, ''), acr FROM oas_session_open_3($1, $2, "
     "$3, $4, $5, "
     "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"},
    /* The idle end moves once a minute at most, so a busy session writes little. */
    {"oas_session_load", 5, 1,
     "WITH touched AS ("
     "UPDATE oas_sessions SET last_used = clock_timestamp(), idle_until = "
     "least(expires_at, clock_timestamp() + make_interval(secs => $5)) "
     "WHERE session_id = $1 AND secret_hash = $2 AND ended_at IS NULL "
     "AND idle_until > clock_timestamp() AND expires_at > clock_timestamp() "
     "AND last_used < clock_timestamp() - make_interval(secs => least(60, $5::float8 / 4))) "
     "SELECT s.session_id, s.sub, "
     "coalesce(nullif(left(p.claims->>'name', 256), ''), p.name), oas_epoch(s.auth_time), "
     "oas_epoch(clock_timestamp()), nullif(s.amr, ''), s.acr, p.provider, s.option, "
     "s.persistent, c.live, array_to_string(c.scopes, ' '), p.name, oas_epoch(s.expires_at) "
     "FROM oas_sessions AS s JOIN oas_subjects AS p ON p.sub = s.sub "
     "LEFT JOIN oas_consents AS c ON c.sub = s.sub AND c.client_id = $3 AND c.resource = $4 "
     "AND c.live "
     "WHERE s.session_id = $1 AND s.secret_hash = $2 AND s.ended_at IS NULL "
     "AND s.idle_until > clock_timestamp() AND s.expires_at > clock_timestamp()"},
    {"oas_session_end", 2, 1, "SELECT oas_session_end_1($1, $2)"},
    {"oas_session_logout", 2, 1, "SELECT ended, client_id FROM oas_session_logout_1($1, $2)"},
    {"oas_session_list", 1, 1,
     "SELECT session_id, oas_epoch(created_at), oas_epoch(last_used), oas_epoch(auth_time), "
     "address, user_agent, option, persistent FROM oas_sessions "
     "WHERE sub = $1 AND ended_at IS NULL AND idle_until > clock_timestamp() "
     "AND expires_at > clock_timestamp() ORDER BY last_used DESC, session_id LIMIT 100"},
    {"oas_session_end_own", 2, 1, "SELECT oas_session_end_own_1($1, $2)"},
    {"oas_sessions_end_others", 2, 1, "SELECT oas_sessions_end_others_1($1, $2)"},
    {"oas_access_list", 1, 1,
     "SELECT client_id, resource, array_to_string(scopes, ' '), since, last_used, offline "
     "FROM oas_access_list_1($1)"},
    {"oas_access_withdraw", 2, 1, "SELECT oas_access_withdraw_1($1, $2)"},
    {"oas_logouts_claim", 4, 0,
     "SELECT logout_id, client_id, session_id, sub, attempts, now, expires, extra "
     "FROM oas_logouts_claim_1($1, $2, $3, $4)"},
    {"oas_logout_done", 1, 1, "DELETE FROM oas_logouts WHERE logout_id = $1 RETURNING 1"},
    {"oas_logout_later", 2, 1,
     "UPDATE oas_logouts SET leased_until = NULL, "
     "due_at = clock_timestamp() + make_interval(secs => $2) WHERE logout_id = $1 RETURNING 1"},
    {"oas_pairwise_salt", 0, 1,
     "SELECT encode(value, 'hex') FROM oas_secrets "
     "WHERE name = 'pairwise'"},
    {"oas_code_put", 19, 1,
     "SELECT " GRANT_COLUMNS " FROM oas_grant_for_2($1, oas_code_put_3($1, $2, $3, $4, "
     "$5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)) AS a"},
    {"oas_code_redeem", 11, 1,
     "SELECT " GRANT_COLUMNS ", CASE WHEN a.grant_id IS NULL THEN "
     "(SELECT g.sub FROM oas_grants AS g JOIN oas_codes AS c USING (grant_id) "
     "WHERE g.grant_id = $1 AND c.code_hash = $2) END "
     "FROM oas_grant_for_2($1, oas_code_redeem_2("
     "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)) AS a"},
    {"oas_password_grant", 16, 1,
     "SELECT " GRANT_COLUMNS " FROM oas_grant_for_2($1, oas_password_grant_1("
     "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)) AS a"},
    {"oas_grant_load", 1, 1,
     "SELECT " GRANT_COLUMNS " FROM oas_grant_for_2($1, 'live') AS a "
     "WHERE a.grant_id IS NOT NULL"},
    {"oas_grant_revoke", 3, 1,
     "UPDATE oas_grants SET revoked_at = clock_timestamp(), revoked_reason = $2 "
     "WHERE grant_id = $1 AND revoked_at IS NULL "
     "AND ($3::bigint = 0 OR to_timestamp($3::bigint) > clock_timestamp()) RETURNING 1"},
    {"oas_refresh", 14, 1,
     "SELECT " GRANT_COLUMNS ", r.sub, r.key, r.generation, r.age, r.reason FROM oas_refresh_1("
     "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS r, "
     "LATERAL oas_grant_for_2($1, r.outcome) AS a"},
    {"oas_refresh_load", 3, 1,
     "SELECT " GRANT_COLUMNS ", a.provider, a.name FROM oas_grants AS g, "
     "LATERAL oas_grant_for_2(g.grant_id, 'live') AS a "
     "WHERE g.grant_id = $1 AND g.refresh_hash = $2 "
     "AND g.refresh_expires_at > clock_timestamp() "
     "AND g.refresh_used_at + make_interval(secs => $3) > clock_timestamp() "
     "AND a.grant_id IS NOT NULL"},
    {"oas_refresh_revoke", 4, 1, "SELECT oas_refresh_revoke_1($1, $2, $3, $4)"},
    {"oas_jti_use", 3, 1,
     "INSERT INTO oas_jtis AS j (key, attempt, purge_after) "
     "VALUES ($1, $2, to_timestamp($3::bigint)) ON CONFLICT (key) DO UPDATE "
     "SET attempt = excluded.attempt, purge_after = excluded.purge_after "
     "WHERE j.attempt = excluded.attempt OR j.purge_after <= clock_timestamp() RETURNING 1"},
    {"oas_jti_revoke", 2, 1,
     "INSERT INTO oas_revoked_jtis AS j (jti, purge_after) "
     "VALUES ($1, to_timestamp($2::bigint)) ON CONFLICT (jti) DO UPDATE "
     "SET purge_after = greatest(j.purge_after, excluded.purge_after)"},
    {"oas_jti_load", 1, 1,
     "SELECT EXISTS (SELECT 1 FROM oas_revoked_jtis WHERE jti = $1), "
     "oas_epoch(clock_timestamp())"},
    {"oas_consent_withdraw", 3, 1, "SELECT oas_consent_withdraw_1($1, $2, $3)"},
    {"oas_user_load", 1, 1,
     "SELECT name, password_hash, " USER_COLUMNS " FROM oas_users WHERE name = $1"},
    {"oas_user_add", 3, 0,
     "INSERT INTO oas_users (name, password_hash, claims) VALUES ($1, $2, $3::jsonb) "
     "ON CONFLICT (name) DO NOTHING RETURNING 1"},
    {"oas_user_passwd", 2, 1, "SELECT oas_user_passwd_1($1, $2)"},
    {"oas_user_lock", 2, 1, "SELECT oas_user_lock_1($1, $2)"},
    {"oas_user_change", 4, 1, "SELECT oas_user_change_1($1, $2, $3, $4)"},
    {"oas_user_rehash", 3, 1, "SELECT oas_user_rehash_1($1, $2, $3)"},
    {"oas_user_list", 0, 1, "SELECT name, NULL, " USER_COLUMNS " FROM oas_users ORDER BY name"},
    /* Counting one attempt twice errs on the safe side; refusing all logins would not be better. */
    {"oas_throttle_attempt", 3, 1, "SELECT oas_throttle_attempt_2($1, $2, $3)"},
    {"oas_throttle_forgive", 1, 0, "SELECT oas_throttle_forgive_1($1)"},
    {"oas_purge", 1, 1, "SELECT deleted, more FROM oas_purge_1($1)"},
    {"oas_limit_families", 2, 1, "SELECT ended, more FROM oas_limit_families_1($1, $2)"},
};

#define STATEMENTS (int)(sizeof(statements) / sizeof(statements[0]))

const char *former_label(int i)
{
    return i < STATEMENTS ? statements[i].label : NULL;
}

/* Verbs of this version may send more parameters than the former statement has; those are ignored.
 */
static int parameters(int i, Oid *types)
{
    int id, k, n = statements[i].params;

    for (id = 0; id < OAS_STMT_COUNT; id++) {
        if (!strcmp(oas_statements[id].label, statements[i].label) && oas_statements[id].params > n)
            n = oas_statements[id].params;
    }
    for (k = 0; k < n; k++)
        types[k] = k < statements[i].params ? 0 : TEXT_TYPE;
    return n;
}

void former_prepare(PGconn *conn, int for_verbs)
{
    Oid types[OAS_STMT_PARAMS_MAX];
    char sql[80];
    int i;

    for (i = 0; i < STATEMENTS; i++) {
        PGresult *result;

        snprintf(sql, sizeof(sql), "DEALLOCATE %s", statements[i].label);
        PQclear(PQexec(conn, sql));
        result = PQprepare(conn, statements[i].label, statements[i].sql,
                           for_verbs ? parameters(i, types) : statements[i].params,
                           for_verbs ? types : NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            fprintf(stderr, "%s: %s\n", statements[i].label, PQerrorMessage(conn));
            exit(1);
        }
        PQclear(result);
    }
}
