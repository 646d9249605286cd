/* SPDX-License-Identifier: Apache-2.0 */
#include "statements.h"

#define USER_COLUMNS                                                                               \
    "locked, claims::text, to_char(created_at AT TIME ZONE 'UTC', "                                \
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "                                                          \
    "to_char(password_changed AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* What grant_row.c reads, out of oas_grant_for_2 and of what answers with an oas_answer_1. */
#define GRANT_COLUMNS                                                                              \
    "a.outcome, a.grant_id, a.client_id, a.sub, a.session_id, a.scope, a.resource, a.auth_time, "  \
    "nullif(a.amr, ''), a.acr, a.claims::text, a.now, a.nonce, a.refresh_expires, "                \
    "a.claims_request::text"

/* What an administrator sees of a client. */
#define CLIENT_COLUMNS                                                                             \
    "client_id, metadata->>'client_name', metadata->>'client_type', source = 'configuration', "    \
    "NOT disabled AND (source = 'database' OR seen_at > clock_timestamp() - interval '3 "          \
    "minutes'), disabled, coalesce(jsonb_array_length(CASE jsonb_typeof(metadata->"                \
    "'client_secret_sha256') WHEN 'array' THEN metadata->'client_secret_sha256' END), 0), "        \
    "oas_epoch(created_at), oas_epoch(updated_at), oas_epoch(seen_at)"

const oas_stmt_t oas_statements[OAS_STMT_COUNT] = {
    [OAS_STMT_CLIENT_SYNC] =
        {"oas_client_sync", 3, .repeatable = 1,
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
    [OAS_STMT_CLIENT_LOAD] =
        {"oas_client_load", 1, .repeatable = 1,
         "SELECT metadata::text FROM oas_clients WHERE client_id = $1 AND NOT disabled "
         "AND (source = 'database' OR seen_at > clock_timestamp() - interval '3 minutes')"},
    [OAS_STMT_SESSION_OPEN] =
        {"oas_session_open", 21, .repeatable = 1,
         "SELECT session_id, auth_time, now, nullif(amr, ''), acr FROM oas_session_open_3($1, $2, "
         "$3, $4, $5, "
         "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"},
    /* The idle end moves once a minute at most, so a busy session writes little. */
    [OAS_STMT_SESSION_LOAD] =
        {"oas_session_load", 5, .repeatable = 1,
         "WITH touched AS ("
         "UPDATE oas_sessions SET last_used = clock_timestamp(), idle_until = "
         "least(expires_at, clock_timestamp() + make_interval(secs => $5)) "
         "WHERE session_id = $1 AND secret_hash = $2 AND ended_at IS NULL "
         "AND idle_until > clock_timestamp() AND expires_at > clock_timestamp() "
         "AND last_used < clock_timestamp() - make_interval(secs => least(60, $5::float8 / 4))) "
         "SELECT s.session_id, s.sub, "
         "coalesce(nullif(left(p.claims->>'name', 256), ''), p.name), oas_epoch(s.auth_time), "
         "oas_epoch(clock_timestamp()), nullif(s.amr, ''), s.acr, p.provider, s.option, "
         "s.persistent, c.live, array_to_string(c.scopes, ' '), p.name, oas_epoch(s.expires_at), "
         "CASE WHEN p.provider = 'oauth2as' THEN p.name "
         "WHEN p.builtin THEN oas_subject_user_1(p.sub) END "
         "FROM oas_sessions AS s JOIN oas_subjects AS p ON p.sub = s.sub "
         "LEFT JOIN oas_consents AS c ON c.sub = s.sub AND c.client_id = $3 AND c.resource = $4 "
         "AND c.live "
         "WHERE s.session_id = $1 AND s.secret_hash = $2 AND s.ended_at IS NULL "
         "AND s.idle_until > clock_timestamp() AND s.expires_at > clock_timestamp()"},
    [OAS_STMT_SESSION_END] = {"oas_session_end", 2, .repeatable = 1,
                              "SELECT oas_session_end_1($1, $2)"},
    [OAS_STMT_SESSION_LOGOUT] = {"oas_session_logout", 2, .repeatable = 1,
                                 "SELECT ended, client_id FROM oas_session_logout_1($1, $2)"},
    [OAS_STMT_SESSION_LIST] =
        {"oas_session_list", 3, .repeatable = 1,
         "SELECT session_id, oas_epoch(created_at), oas_epoch(last_used), oas_epoch(auth_time), "
         "address, user_agent, option, persistent FROM oas_sessions "
         "WHERE sub = $1 AND ended_at IS NULL AND idle_until > clock_timestamp() "
         "AND expires_at > clock_timestamp() ORDER BY last_used DESC, session_id "
         "OFFSET $2::bigint LIMIT $3::bigint + 1"},
    [OAS_STMT_SESSION_END_OWN] = {"oas_session_end_own", 2, .repeatable = 1,
                                  "SELECT oas_session_end_own_1($1, $2)"},
    [OAS_STMT_SESSIONS_END_OTHERS] = {"oas_sessions_end_others", 2, .repeatable = 1,
                                      "SELECT oas_sessions_end_others_1($1, $2)"},
    [OAS_STMT_ACCESS_LIST] =
        {"oas_access_list", 3, .repeatable = 1,
         "SELECT client_id, resource, array_to_string(scopes, ' '), since, last_used, offline, "
         "more FROM oas_access_list_2($1, $2, $3)"},
    [OAS_STMT_ACCESS_WITHDRAW] = {"oas_access_withdraw", 2, .repeatable = 1,
                                  "SELECT oas_access_withdraw_1($1, $2)"},
    [OAS_STMT_LOGOUTS_CLAIM] =
        {"oas_logouts_claim", 4, .repeatable = 0,
         "SELECT logout_id, client_id, session_id, sub, attempts, now, expires, extra "
         "FROM oas_logouts_claim_1($1, $2, $3, $4)"},
    [OAS_STMT_LOGOUTS_COUNT] = {"oas_logouts_count", 1, .repeatable = 1,
                                "SELECT count(*), (SELECT max(version) FROM oas_schema) "
                                "FROM (SELECT FROM oas_logouts LIMIT $1::bigint) AS l",
                                1},
    [OAS_STMT_LOGOUT_DONE] = {"oas_logout_done", 1, .repeatable = 1,
                              "DELETE FROM oas_logouts WHERE logout_id = $1 RETURNING 1"},
    [OAS_STMT_LOGOUT_LATER] =
        {"oas_logout_later", 2, .repeatable = 1,
         "UPDATE oas_logouts SET leased_until = NULL, "
         "due_at = clock_timestamp() + make_interval(secs => $2) WHERE logout_id = $1 RETURNING 1"},
    [OAS_STMT_PAIRWISE_SALT] = {"oas_pairwise_salt", 0, .repeatable = 1,
                                "SELECT encode(value, 'hex') FROM oas_secrets "
                                "WHERE name = 'pairwise'"},
    [OAS_STMT_CODE_PUT] = {"oas_code_put", 19, .repeatable = 1,
                           "SELECT " GRANT_COLUMNS
                           " FROM oas_code_put_4($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
                           "$11, $12, $13, $14, $15, $16, $17, $18, $19) AS a"},
    [OAS_STMT_CODE_REDEEM] =
        {"oas_code_redeem", 12, .repeatable = 1,
         "SELECT " GRANT_COLUMNS ", CASE WHEN a.grant_id IS NULL THEN a.owner END "
         "FROM oas_code_redeem_3(CASE WHEN oas_timely_1($12) THEN $1::uuid END, $2, $3, $4, $5, "
         "$6, $7, $8, $9, $10, $11) AS a",
         .undo = OAS_STMT_ATTEMPT_UNDO, .undo_params = {1, 7}},
    [OAS_STMT_PASSWORD_GRANT] =
        {"oas_password_grant", 16, .repeatable = 1,
         "SELECT " GRANT_COLUMNS " FROM oas_grant_for_2($1, oas_password_grant_1("
         "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)) AS a"},
    [OAS_STMT_GRANT_LOAD] = {"oas_grant_load", 1, .repeatable = 1,
                             "SELECT " GRANT_COLUMNS " FROM oas_grant_for_2($1, 'live') AS a "
                             "WHERE a.grant_id IS NOT NULL"},
    [OAS_STMT_GRANT_REVOKE] =
        {"oas_grant_revoke", 3, .repeatable = 1,
         "UPDATE oas_grants SET revoked_at = clock_timestamp(), revoked_reason = $2 "
         "WHERE grant_id = $1 AND revoked_at IS NULL "
         "AND ($3::bigint = 0 OR to_timestamp($3::bigint) > clock_timestamp()) RETURNING 1"},
    [OAS_STMT_REFRESH] =
        {"oas_refresh", 16, .repeatable = 1,
         "SELECT " GRANT_COLUMNS
         ", a.owner, a.key, a.generation, a.age, a.reason FROM oas_refresh_2("
         "CASE WHEN oas_timely_1($16) THEN $1::uuid END, $2, $3, $4, $5, $6, $7, $8, $9, "
         "$10, $11, $12, $13, $14, $15) AS a",
         .undo = OAS_STMT_ATTEMPT_UNDO, .undo_params = {1, 14, 11}},
    [OAS_STMT_REFRESH_LOAD] =
        {"oas_refresh_load", 4, .repeatable = 1,
         "SELECT " GRANT_COLUMNS ", w.provider, w.name FROM oas_grants AS g, "
         "LATERAL oas_grant_for_2(g.grant_id, 'live') AS a, "
         "LATERAL oas_subject_asked_1(a.sub, $4) AS w "
         "WHERE g.grant_id = $1 AND g.refresh_hash = $2 "
         "AND g.refresh_expires_at > clock_timestamp() "
         "AND g.refresh_used_at + make_interval(secs => $3) > clock_timestamp() "
         "AND a.grant_id IS NOT NULL"},
    [OAS_STMT_REFRESH_REVOKE] = {"oas_refresh_revoke", 4, .repeatable = 1,
                                 "SELECT oas_refresh_revoke_1($1, $2, $3, $4)"},
    [OAS_STMT_JTI_USE] =
        {"oas_jti_use", 4, .repeatable = 1,
         "INSERT INTO oas_jtis AS j (key, attempt, purge_after) "
         "SELECT $1::bytea, $2::uuid, to_timestamp($3::bigint) WHERE oas_timely_1($4) "
         "ON CONFLICT (key) DO UPDATE "
         "SET attempt = excluded.attempt, purge_after = excluded.purge_after "
         "WHERE j.attempt = excluded.attempt OR j.purge_after <= clock_timestamp() RETURNING 1",
         .undo = OAS_STMT_JTI_UNDO, .undo_params = {1, 2}},
    [OAS_STMT_JTI_REVOKE] = {"oas_jti_revoke", 2, .repeatable = 1,
                             "INSERT INTO oas_revoked_jtis AS j (jti, purge_after) "
                             "VALUES ($1, to_timestamp($2::bigint)) ON CONFLICT (jti) DO UPDATE "
                             "SET purge_after = greatest(j.purge_after, excluded.purge_after)"},
    [OAS_STMT_JTI_LOAD] = {"oas_jti_load", 1, .repeatable = 1,
                           "SELECT EXISTS (SELECT 1 FROM oas_revoked_jtis WHERE jti = $1), "
                           "oas_epoch(clock_timestamp())"},
    [OAS_STMT_CONSENT_WITHDRAW] = {"oas_consent_withdraw", 3, .repeatable = 1,
                                   "SELECT oas_consent_withdraw_1($1, $2, $3)"},
    [OAS_STMT_USER_LOAD] = {"oas_user_load", 1, .repeatable = 1,
                            "SELECT name, password_hash, " USER_COLUMNS
                            " FROM oas_users WHERE name = $1"},
    [OAS_STMT_USER_ADD] =
        {"oas_user_add", 3, .repeatable = 0,
         "INSERT INTO oas_users (name, password_hash, claims) VALUES ($1, $2, $3::jsonb) "
         "ON CONFLICT (name) DO NOTHING RETURNING 1",
         1},
    [OAS_STMT_USER_PASSWD] = {"oas_user_passwd", 2, .repeatable = 1,
                              "SELECT oas_user_passwd_1($1, $2)", 1},
    [OAS_STMT_USER_LOCK] = {"oas_user_lock", 2, .repeatable = 1, "SELECT oas_user_lock_1($1, $2)",
                            1},
    [OAS_STMT_USER_CHANGE] = {"oas_user_change", 4, .repeatable = 1,
                              "SELECT oas_user_change_1($1, $2, $3, $4)"},
    [OAS_STMT_USER_REHASH] = {"oas_user_rehash", 3, .repeatable = 1,
                              "SELECT oas_user_rehash_1($1, $2, $3)"},
    [OAS_STMT_USER_LIST] = {"oas_user_list", 0, .repeatable = 1,
                            "SELECT name, NULL, " USER_COLUMNS " FROM oas_users ORDER BY name", 1},
    /* Counting one attempt twice errs on the safe side; refusing all logins would not be better. */
    [OAS_STMT_THROTTLE_ATTEMPT] = {"oas_throttle_attempt", 3, .repeatable = 1,
                                   "SELECT oas_throttle_attempt_2($1, $2, $3)"},
    [OAS_STMT_THROTTLE_FORGIVE] = {"oas_throttle_forgive", 1, .repeatable = 0,
                                   "SELECT oas_throttle_forgive_1($1)"},
    [OAS_STMT_PURGE] = {"oas_purge", 1, .repeatable = 1,
                        "SELECT deleted, more FROM oas_purge_2($1)"},
    [OAS_STMT_LIMIT_FAMILIES] = {"oas_limit_families", 2, .repeatable = 1,
                                 "SELECT ended, more FROM oas_limit_families_1($1, $2)"},
    [OAS_STMT_PROBE] = {"oas_probe", 0, .repeatable = 1,
                        "SELECT current_setting('transaction_read_only') = 'off'"},
    [OAS_STMT_PURGE_STATUS] = {"oas_purge_status", 1, .repeatable = 1,
                               "SELECT name, due, oldest, done FROM oas_purge_status_1($1)", 1},
    [OAS_STMT_CLIENTS_LIST] = {"oas_clients_list", 2, .repeatable = 1,
                               "SELECT " CLIENT_COLUMNS
                               " FROM oas_clients WHERE client_id > $1 ORDER BY client_id LIMIT $2",
                               1},
    [OAS_STMT_CLIENT_SHOW] = {"oas_client_show", 1, .repeatable = 1,
                              "SELECT " CLIENT_COLUMNS
                              ", metadata::text FROM oas_clients WHERE client_id = $1",
                              1},
    [OAS_STMT_CLIENT_ADD] =
        {"oas_client_add", 3, .repeatable = 0,
         "INSERT INTO oas_clients AS c (client_id, source, config_hash, metadata) "
         "VALUES ($1, 'database', $2, $3::jsonb) ON CONFLICT (client_id) DO UPDATE "
         "SET source = 'database', config_hash = excluded.config_hash, "
         "metadata = excluded.metadata, disabled = false, created_at = clock_timestamp(), "
         "updated_at = clock_timestamp() WHERE c.source = 'configuration' "
         "AND c.seen_at < clock_timestamp() - interval '3 minutes' RETURNING 1",
         1},
    [OAS_STMT_CLIENT_CHANGE] =
        {"oas_client_change", 4, .repeatable = 0,
         "UPDATE oas_clients SET config_hash = $2, metadata = $3::jsonb, "
         "updated_at = clock_timestamp() WHERE client_id = $1 AND source = 'database' "
         "AND metadata = $4::jsonb RETURNING 1",
         1},
    [OAS_STMT_CLIENT_DISABLE] =
        {"oas_client_disable", 2, .repeatable = 1,
         "UPDATE oas_clients SET disabled = $2, updated_at = clock_timestamp() "
         "WHERE client_id = $1 RETURNING 1",
         1},
    [OAS_STMT_GRANTS_LIST] =
        {"oas_grants_list", 5, .repeatable = 1,
         "SELECT grant_id, client_id, sub, scope, resource, session_id, created, activated, "
         "last_used, expires, generation, state, reason, revoked "
         "FROM oas_grants_list_1($1, $2, $3, $4, $5)",
         1},
    [OAS_STMT_GRANT_TOKENS] =
        {"oas_grant_tokens", 2, .repeatable = 1,
         "SELECT generation, parent, oas_epoch(created_at) FROM oas_refresh_tokens "
         "WHERE grant_id = $1 ORDER BY generation DESC LIMIT $2",
         1},
    [OAS_STMT_GRANTS_REVOKE] = {"oas_grants_revoke", 2, .repeatable = 1,
                                "SELECT oas_grants_revoke_1(ARRAY[$1::uuid], $2)", 1},
    [OAS_STMT_GRANTS_END] =
        {"oas_grants_end", 6, .repeatable = 1,
         "SELECT ended, reached, last FROM oas_grants_end_1($1, $2, $3, $4, $5, $6)", 1},
    [OAS_STMT_GRANTS_END_BEFORE] =
        {"oas_grants_end_before", 4, .repeatable = 1,
         "SELECT ended, reached FROM oas_grants_end_before_1(to_timestamp($1::bigint), $2, $3, $4)",
         1},
    [OAS_STMT_SESSIONS_END_BEFORE] =
        {"oas_sessions_end_before", 4, .repeatable = 1,
         "SELECT ended, reached "
         "FROM oas_sessions_end_before_1(to_timestamp($1::bigint), $2, $3, $4)",
         1},
    [OAS_STMT_KEYS_FOLLOW] =
        {"oas_keys_follow", 6, .repeatable = 1,
         "SELECT kid, alg, state, version, encode(sealed, 'hex'), created, usable, activated, "
         "retired, ends, ring, due FROM oas_keys_follow_1($1, $2, $3, $4, $5, $6)"},
    [OAS_STMT_KEY_PUT] = {"oas_key_put", 5, .repeatable = 1,
                          "SELECT oas_key_put_1($1, $2, $3, $4, $5)"},
    [OAS_STMT_KEY_ACTIVATE] = {"oas_key_activate", 2, .repeatable = 1,
                               "SELECT oas_key_activate_1($1, $2)"},
    [OAS_STMT_KEY_RETIRE] = {"oas_key_retire", 2, .repeatable = 0,
                             "SELECT oas_key_retire_1($1, $2)"},
    [OAS_STMT_KEY_RESEAL] = {"oas_key_reseal", 3, .repeatable = 1,
                             "UPDATE oas_keys SET sealed = $3, version = version + 1 "
                             "WHERE kid = $1 AND version = $2 RETURNING 1"},
    [OAS_STMT_KEY_LIST] =
        {"oas_key_list", 0, .repeatable = 1,
         "SELECT kid, alg, state, version, encode(sealed, 'hex'), oas_epoch(created_at), "
         "ceil(extract(epoch FROM usable_at))::bigint, oas_epoch(activated_at), "
         "oas_epoch(retired_at), "
         "oas_epoch(ends_at) FROM oas_keys ORDER BY alg, created_at, kid"},
    [OAS_STMT_ATTEMPT_SPENT] = {"oas_attempt_spent", 4, .repeatable = 1,
                                "SELECT oas_attempt_spent_1($1, $2, $3, $4)", 1},
    [OAS_STMT_ATTEMPT_UNDO] = {"oas_attempt_undo", 3, .repeatable = 1,
                               "SELECT oas_attempt_undo_1($1, $2, $3)", 1},
    [OAS_STMT_JTI_UNDO] = {"oas_jti_undo", 2, .repeatable = 1, "SELECT oas_jti_undo_1($1, $2)", 1},
};
