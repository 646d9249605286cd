/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <ctype.h>
#include <string.h>
#include <apr_strings.h>
#include "../lib/base/bytes.h"
#include "../lib/base/json.h"
#include "../lib/login/hash.h"
#include "../lib/login/subject.h"
#include "../lib/store/user.h"

#define NAME_MAX_LEN 128 /* bytes */

/* The folded name, or NULL for what is none (said on standard error). */
static const char *user_name(cli_t *cli, const char *text)
{
    apr_size_t i, len = strlen(text);

    for (i = 0; i < len; i++) {
        if (iscntrl((unsigned char)text[i]) || text[i] == ' ' || text[i] == '|')
            break;
    }
    if (!len || len > NAME_MAX_LEN || i < len || !oas_utf8_valid(text, len)) {
        cli_fail(0, "a user name is 1 to %d bytes of UTF-8 without space, control character or |",
                 NAME_MAX_LEN);
        return NULL;
    }
    return oas_fold_case(text, cli->pool);
}

/* Claims as the command line adds them. */
typedef struct {
    json_t *json;
    apr_pool_t *pool;
} claims_t;

/* --claim NAME=VALUE */
static int add_claim(void *baton, const char *text)
{
    claims_t *claims = baton;
    const char *equals = strchr(text, '='), *name;

    if (!equals || equals == text || !equals[1])
        return cli_fail(0, "--claim takes NAME=VALUE, not %s", text);
    name = apr_pstrmemdup(claims->pool, text, (apr_size_t)(equals - text));
    if (json_object_set_new(claims->json, name, json_string(equals + 1)) != 0)
        return cli_fail(0, "--claim takes UTF-8");
    return 1;
}

/* Asks for a password and hashes it; NULL when there is none (said on standard error). */
static const char *new_hash(cli_t *cli)
{
    const char *password = cli_read_secret(cli->pool, "New password", 1), *hash;

    if (!password)
        return NULL;
    if (oas_password_hash(&hash, password, 0, cli->pool) == APR_SUCCESS)
        return hash;
    cli_fail(0, "the password cannot be hashed");
    return NULL;
}

/* The end of each verb that changes a user. */
static int changed(cli_t *cli, oas_db_t *db, const char *name, apr_status_t rv)
{
    return rv == APR_SUCCESS ? cli_audit_one(cli, db, "name", name)
                             : cli_store_failed(rv, apr_pstrcat(cli->pool, "user ", name, NULL));
}

int cli_user_add(cli_t *cli)
{
    claims_t claims = {oas_json_object(cli->pool), cli->pool};
    const char *email = NULL, *verified = NULL, *operand, *name, *hash;
    const cli_option_t options[] = {
        {.name = "claim", .each = add_claim, .baton = &claims},
        {.name = "email", .value = &email},
        {.name = "verified", .value = &verified, .is_flag = 1},
        {.name = NULL},
    };
    int code = cli_parse(cli, options, &operand, 1);
    apr_status_t rv;
    oas_db_t *db;

    if (code != CLI_DONE)
        return code;
    if (verified && !email)
        return cli_fail(CLI_USAGE, "--verified says something about --email");
    name = user_name(cli, operand);
    if (!name)
        return CLI_USAGE;
    if (email) {
        oas_json_set(claims.json, "email", email);
        json_object_set_new(claims.json, "email_verified", json_boolean(verified != NULL));
    }
    db = cli_database(cli, &code);
    if (!db)
        return code;
    hash = new_hash(cli);
    if (!hash)
        return CLI_FAILED;
    rv = oas_store_user_add(db, name, hash, oas_json_text(cli->pool, claims.json), cli->pool);
    return changed(cli, db, name, rv);
}

/* What passwd, lock and unlock have in common: one name, an open database. */
static oas_db_t *open_for(cli_t *cli, const char **name, int *code)
{
    const char *operand;

    *code = cli_parse(cli, cli_no_options, &operand, 1);
    if (*code != CLI_DONE)
        return NULL;
    *code = CLI_USAGE;
    *name = user_name(cli, operand);
    return *name ? cli_database(cli, code) : NULL;
}

int cli_user_passwd(cli_t *cli)
{
    const char *name, *hash;
    oas_user_t user;
    apr_status_t rv;
    int code;
    oas_db_t *db = open_for(cli, &name, &code);

    if (!db)
        return code;
    rv = oas_store_user_load(db, name, &user, cli->pool); /* nobody types a password for nothing */
    if (rv == APR_SUCCESS) {
        hash = new_hash(cli);
        if (!hash)
            return CLI_FAILED;
        rv = oas_store_user_passwd(db, name, hash, cli->pool);
    }
    return changed(cli, db, name, rv);
}

static int set_lock(cli_t *cli, int locked)
{
    const char *name;
    apr_status_t rv;
    int code;
    oas_db_t *db = open_for(cli, &name, &code);

    if (!db)
        return code;
    rv = oas_store_user_lock(db, name, locked, cli->pool);
    return changed(cli, db, name, rv);
}

int cli_user_lock(cli_t *cli)
{
    return set_lock(cli, 1);
}

int cli_user_unlock(cli_t *cli)
{
    return set_lock(cli, 0);
}

static json_t *user_json(const oas_user_t *user)
{
    json_t *row = json_object();

    oas_json_set(row, "name", user->name);
    oas_json_set(row, "state", user->locked ? "locked" : "active");
    json_object_set_new(row, "claims", json_loads(user->claims, 0, NULL));
    oas_json_set(row, "created", user->created);
    oas_json_set(row, "password_changed", user->password_changed);
    return row;
}

int cli_user_list(cli_t *cli)
{
    static const cli_column_t columns[] = {{"name", "NAME"},
                                           {"state", "STATE"},
                                           {"created", "CREATED"},
                                           {"password_changed", "PASSWORD OF"},
                                           {NULL, NULL}};
    const cli_option_t options[] = {CLI_OPTION_OUTPUT(cli), {.name = NULL}};
    json_t *list = oas_json_own(cli->pool, json_array());
    apr_array_header_t *users;
    apr_status_t rv;
    int i, code;
    oas_db_t *db = cli_open(cli, options, NULL, 0, &code);

    if (!db)
        return code;
    rv = oas_store_user_list(db, &users, cli->pool);
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, "users");
    for (i = 0; i < users->nelts; i++)
        json_array_append_new(list, user_json(&APR_ARRAY_IDX(users, i, oas_user_t)));
    return cli_print_list(cli, list, columns);
}
