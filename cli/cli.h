/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cli.h
 * oauth2asctl: what its verbs share. A verb gets what stands behind "AREA VERB" and returns the
 * exit code.
 */
#ifndef OAS_CLI_H
#define OAS_CLI_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <jansson.h>
#include "../lib/store/db.h"

/** Exit codes; in docs/oauth2asctl.1 as well. */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_UNAVAILABLE = 3, CLI_UNLOGGED = 4 };

#define CLI_PASSWORD_MAX 512 /**< bytes */

/** The command line behind "AREA VERB". */
typedef struct {
    apr_pool_t *pool;
    const char *area;
    int argc;
    char *const *argv;      /**< argv[0] is the verb */
    const char *dbd_params; /**< --dbd-params, else OAUTH2AS_DBDPARAMS, or NULL */
    const char *audit_log;  /**< --audit-log, else OAUTH2AS_AUDITLOG; NULL: standard error */
    int audit_fd, audited;
    int only_reads; /**< this verb changes nothing, so it needs no audit log */
    int json;       /**< --output json */
} cli_t;

/** One line on standard error, "oauth2asctl: ...". Returns `code`. */
int cli_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Says what a failed store verb means. `what` names the thing: "user alice". */
int cli_store_failed(apr_status_t status, const char *what);

/** Opens the database; NULL when it cannot (said on standard error, *code is the exit code). */
oas_db_t *cli_database(cli_t *cli, int *code);

/**
 * Reads a secret that a person types: from the terminal without echo, twice when `twice`, or the
 * first line of standard input when that is no terminal. The buffer is wiped with the pool.
 * @return NULL when there is none (said on standard error)
 */
const char *cli_read_secret(apr_pool_t *pool, const char *prompt, int twice);

/** Reads a sid or grant_id as tokens and the audit log have it. Returns the exit code. */
int cli_id(unsigned char id[OAS_ID_LEN], const char *text, const char *what, apr_pool_t *pool);

/** A whole number from 1 to `max`; `option` is its name. Returns the exit code. */
int cli_number(int *out, const char *text, int max, const char *option);

/** A point in time that has come: RFC 3339 with a zone; seconds since 1970. Returns the exit code.
 */
int cli_time(apr_int64_t *out, const char *text);

/** Opens the audit log, before anything is changed; does nothing for a verb that only reads. Done
 * by cli_parse(). Returns the exit code. */
int cli_audit_open(cli_t *cli);

/**
 * The end of each verb that has changed the database: writes the audit line "admin" with area and
 * verb as action, who called this program, and the members of `what` (may be NULL): names and ids,
 * never a secret. To be called also when a part of the work was done and the rest failed.
 * @return CLI_DONE; CLI_UNLOGGED: done, but the line could not be written (it is on standard error)
 */
int cli_audit(cli_t *cli, oas_db_t *db, const json_t *what);

/** The same with one member. */
int cli_audit_one(cli_t *cli, oas_db_t *db, const char *member, const char *value);

/**
 * The end of a verb that ended many things: prints how many, and audits it, also when the rest
 * failed.
 */
int cli_ended(cli_t *cli, oas_db_t *db, apr_status_t rv, apr_int64_t ended, json_t *what);

/** Writes a new file of mode 0600; one that exists is left as it is. Returns the exit code. */
int cli_write_private(const char *path, const char *data, apr_size_t len);

int cli_schema_apply(cli_t *cli);
int cli_schema_status(cli_t *cli);
int cli_secret_generate(cli_t *cli);
int cli_key_generate(cli_t *cli);
int cli_key_import(cli_t *cli);
int cli_key_activate(cli_t *cli);
int cli_key_retire(cli_t *cli);
int cli_key_status(cli_t *cli);
int cli_user_add(cli_t *cli);
int cli_user_passwd(cli_t *cli);
int cli_user_lock(cli_t *cli);
int cli_user_unlock(cli_t *cli);
int cli_user_list(cli_t *cli);
int cli_session_list(cli_t *cli);
int cli_session_end(cli_t *cli);
int cli_grant_list(cli_t *cli);
int cli_grant_tree(cli_t *cli);
int cli_grant_revoke(cli_t *cli);
int cli_purge_status(cli_t *cli);
int cli_client_list(cli_t *cli);
int cli_client_show(cli_t *cli);
int cli_client_add(cli_t *cli);
int cli_client_disable(cli_t *cli);
int cli_client_enable(cli_t *cli);
int cli_client_secret(cli_t *cli);
int cli_client_hash_secret(cli_t *cli);

/** One option of a verb. */
typedef struct {
    const char *name;   /**< without the dashes */
    const char **value; /**< the next argument, or "" for a flag */
    int is_flag;
    int (*each)(void *baton,
                const char *value); /**< instead of `value`: called for each occurrence */
    void *baton;
} cli_option_t;

/** For verbs that have none of their own. */
extern const cli_option_t cli_no_options[];

/**
 * Takes the options out of the command line and checks the number of what is left.
 * @param options ends with a NULL name; --dbd-params and --audit-log are understood everywhere
 * @param operands gets the others
 * @return CLI_DONE, or another exit code (said on standard error)
 */
int cli_parse(cli_t *cli, const cli_option_t *options, const char **operands, int count);

/** The same for a verb whose last operands may be left out: from `least` to `most`. */
int cli_parse_some(cli_t *cli, const cli_option_t *options, const char **operands, int least,
                   int most);

/**
 * How most verbs begin: cli_parse(), then cli_database().
 * @return NULL when one of them fails (said on standard error, *code is the exit code)
 */
oas_db_t *cli_open(cli_t *cli, const cli_option_t *options, const char **operands, int count,
                   int *code);

#endif
