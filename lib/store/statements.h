/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file statements.h
 * Private to store/: every statement of the verbs.
 */
#ifndef OAS_STORE_STATEMENTS_H
#define OAS_STORE_STATEMENTS_H

typedef enum {
    OAS_STMT_CLIENT_SYNC,
    OAS_STMT_CLIENT_LOAD,
    OAS_STMT_SESSION_OPEN,
    OAS_STMT_SESSION_LOAD,
    OAS_STMT_SESSION_END,
    OAS_STMT_SESSION_LOGOUT,
    OAS_STMT_SESSION_LIST,
    OAS_STMT_SESSION_END_OWN,
    OAS_STMT_SESSIONS_END_OTHERS,
    OAS_STMT_ACCESS_LIST,
    OAS_STMT_ACCESS_WITHDRAW,
    OAS_STMT_LOGOUTS_CLAIM,
    OAS_STMT_LOGOUTS_COUNT,
    OAS_STMT_LOGOUT_DONE,
    OAS_STMT_LOGOUT_LATER,
    OAS_STMT_PAIRWISE_SALT,
    OAS_STMT_CODE_PUT,
    OAS_STMT_CODE_REDEEM,
    OAS_STMT_PASSWORD_GRANT,
    OAS_STMT_GRANT_LOAD,
    OAS_STMT_GRANT_REVOKE,
    OAS_STMT_REFRESH,
    OAS_STMT_REFRESH_LOAD,
    OAS_STMT_REFRESH_REVOKE,
    OAS_STMT_JTI_USE,
    OAS_STMT_JTI_REVOKE,
    OAS_STMT_JTI_LOAD,
    OAS_STMT_CONSENT_WITHDRAW,
    OAS_STMT_USER_LOAD,
    OAS_STMT_USER_ADD,
    OAS_STMT_USER_PASSWD,
    OAS_STMT_USER_LOCK,
    OAS_STMT_USER_CHANGE,
    OAS_STMT_USER_REHASH,
    OAS_STMT_USER_LIST,
    OAS_STMT_THROTTLE_ATTEMPT,
    OAS_STMT_THROTTLE_FORGIVE,
    OAS_STMT_PURGE,
    OAS_STMT_LIMIT_FAMILIES,
    OAS_STMT_PROBE,
    OAS_STMT_PURGE_STATUS,
    OAS_STMT_CLIENTS_LIST,
    OAS_STMT_CLIENT_SHOW,
    OAS_STMT_CLIENT_ADD,
    OAS_STMT_CLIENT_CHANGE,
    OAS_STMT_CLIENT_DISABLE,
    OAS_STMT_GRANTS_LIST,
    OAS_STMT_GRANT_TOKENS,
    OAS_STMT_GRANTS_REVOKE,
    OAS_STMT_GRANTS_END,
    OAS_STMT_GRANTS_END_BEFORE,
    OAS_STMT_SESSIONS_END_BEFORE,
    OAS_STMT_KEYS_FOLLOW,
    OAS_STMT_KEY_PUT,
    OAS_STMT_KEY_ACTIVATE,
    OAS_STMT_KEY_RETIRE,
    OAS_STMT_KEY_RESEAL,
    OAS_STMT_KEY_LIST,
    OAS_STMT_ATTEMPT_SPENT,
    OAS_STMT_ATTEMPT_UNDO,
    OAS_STMT_JTI_UNDO,
    OAS_STMT_COUNT
} oas_stmt_id_t;

#define OAS_STMT_PARAMS_MAX 24
#define OAS_UNDO_PARAMS     3

typedef struct {
    const char *label; /**< name of the prepared statement; lower case, as mod_dbd wants its own */
    int params;
    /** 1: may be sent again when the connection died and nobody knows whether it was carried out:
     *  it reads, or doing it twice is doing it once, or it knows its own commit again. */
    int repeatable;
    const char *sql;
    /** 1: asked for seldom, by administrators above all: not prepared on each connection. */
    int seldom;
    /** Where an attempt may be carried out once only: what undoes it when nobody can be told what
     *  became of it, and which of its parameters that takes (from 1; 0: NULL). Its own last
     * parameter is then the time until which the database may begin with it, filled in by the
     * runner. */
    oas_stmt_id_t undo;
    int undo_params[OAS_UNDO_PARAMS];
} oas_stmt_t;

/** Whether a statement has such a second chance. */
#define OAS_STMT_IS_ATTEMPT(stmt) ((stmt)->undo_params[0] != 0)

extern const oas_stmt_t oas_statements[OAS_STMT_COUNT];

#endif
