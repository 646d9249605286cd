/* SPDX-License-Identifier: Apache-2.0 */
/* Grants: what applications hold in somebody's name, the lineage of their refresh tokens, and the
 * end of it. */
#include "output.h"

#include <stdio.h>
#include <string.h>
#include <apr_strings.h>
#include "../lib/base/json.h"
#include "../lib/store/grant_admin.h"

#define LIST_DEFAULT 100
#define LIST_MAX     10000
#define LINEAGE_MAX  1000 /* tokens that are shown, the newest */

#define REASON          "administrator"
#define REASON_RESTORED "restored"

static void set_time(json_t *object, const char *name, apr_int64_t seconds)
{
    json_object_set_new(object, name, cli_json_time(seconds));
}

static void set_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, text ? json_string(text) : json_null());
}

static json_t *grant_json(const oas_grant_entry_t *grant)
{
    json_t *json = json_object();

    set_text(json, "grant_id", grant->id);
    set_text(json, "client_id", grant->client_id);
    set_text(json, "sub", grant->sub);
    set_text(json, "state", grant->state);
    set_text(json, "scope", grant->scope);
    set_text(json, "resource", grant->resource);
    set_text(json, "sid", grant->sid);
    set_time(json, "created", grant->created);
    set_time(json, "activated", grant->activated);
    set_time(json, "last_used", grant->last_used);
    set_time(json, "expires", grant->expires);
    set_time(json, "revoked", grant->revoked);
    set_text(json, "revoked_reason", grant->reason);
    json_object_set_new(json, "generation",
                        grant->generation ? json_integer(grant->generation) : json_null());
    return json;
}

int cli_grant_list(cli_t *cli)
{
    static const cli_column_t columns[] = {{"grant_id", "GRANT"},
                                           {"client_id", "CLIENT"},
                                           {"sub", "SUB"},
                                           {"state", "STATE"},
                                           {"created", "CREATED"},
                                           {"last_used", "LAST USED"},
                                           {"expires", "EXPIRES"},
                                           {"generation", "TOKEN"},
                                           {"resource", "API"},
                                           {"scope", "SCOPE"},
                                           {NULL, NULL}};
    const char *all = NULL, *limit = NULL;
    oas_grant_filter_t filter = {.limit = LIST_DEFAULT};
    const cli_option_t options[] = {
        {.name = "sub", .value = &filter.sub},
        {.name = "client", .value = &filter.client_id},
        {.name = "all", .value = &all, .is_flag = 1},
        {.name = "limit", .value = &limit},
        CLI_OPTION_OUTPUT(cli),
        {.name = NULL},
    };
    json_t *list = oas_json_own(cli->pool, json_array());
    apr_array_header_t *grants;
    apr_status_t rv;
    oas_db_t *db;
    int i, code = cli_parse(cli, options, NULL, 0);

    if (code == CLI_DONE && limit)
        code = cli_number(&filter.limit, limit, LIST_MAX, "limit");
    if (code != CLI_DONE)
        return code;
    if (!filter.sub && !filter.client_id)
        return cli_fail(CLI_USAGE, "whose grants? Give --sub SUB, --client ID or both");
    db = cli_database(cli, &code);
    if (!db)
        return code;
    filter.all = all != NULL;
    rv = oas_store_grants_list(db, &filter, &grants, cli->pool);
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, "such name");
    for (i = 0; i < grants->nelts; i++)
        json_array_append_new(list, grant_json(&APR_ARRAY_IDX(grants, i, oas_grant_entry_t)));
    return cli_print_list(cli, list, columns);
}

/* The lineage, the first token above; what each of them is by now. */
static json_t *lineage_json(const oas_grant_entry_t *grant, const apr_array_header_t *tokens)
{
    json_t *list = json_array();
    int i;

    for (i = tokens->nelts - 1; i >= 0; i--) {
        const oas_lineage_t *token = &APR_ARRAY_IDX(tokens, i, oas_lineage_t);
        json_t *json = json_object();

        json_object_set_new(json, "generation", json_integer(token->generation));
        json_object_set_new(json, "parent",
                            token->parent ? json_integer(token->parent) : json_null());
        set_time(json, "issued", token->created);
        set_text(json, "state", token->generation == grant->generation ? grant->state : "replaced");
        json_array_append_new(list, json);
    }
    return list;
}

static int print_tree(cli_t *cli, const oas_grant_entry_t *grant, const apr_array_header_t *tokens)
{
    static const cli_column_t lines[] = {{"grant_id", "grant"},
                                         {"client_id", "client"},
                                         {"sub", "sub"},
                                         {"state", "state"},
                                         {"revoked_reason", "revoked because"},
                                         {"revoked", "revoked"},
                                         {"scope", "scope"},
                                         {"resource", "API"},
                                         {"sid", "session"},
                                         {"created", "created"},
                                         {"last_used", "last used"},
                                         {"expires", "expires"},
                                         {NULL, NULL}};
    static const cli_column_t columns[] = {{"generation", "TOKEN"},
                                           {"parent", "REPLACED"},
                                           {"issued", "ISSUED"},
                                           {"state", "STATE"},
                                           {NULL, NULL}};
    json_t *json = oas_json_own(cli->pool, grant_json(grant));
    json_t *lineage = lineage_json(grant, tokens);

    json_object_set_new(json, "tokens", lineage);
    cli_print_object(cli, json, lines);
    if (cli->json)
        return CLI_DONE;
    if (json_array_size(lineage) > 0)
        putchar('\n');
    return cli_print_list(cli, lineage, columns);
}

int cli_grant_tree(cli_t *cli)
{
    const cli_option_t options[] = {CLI_OPTION_OUTPUT(cli), {.name = NULL}};
    unsigned char id[OAS_ID_LEN];
    oas_grant_filter_t filter = {.grant_id = id, .all = 1, .limit = 1};
    apr_array_header_t *grants, *tokens;
    const char *operand;
    apr_status_t rv;
    oas_db_t *db;
    int code = cli_parse(cli, options, &operand, 1);

    if (code == CLI_DONE)
        code = cli_id(id, operand, "grant_id", cli->pool);
    db = code == CLI_DONE ? cli_database(cli, &code) : NULL;
    if (!db)
        return code;
    rv = oas_store_grants_list(db, &filter, &grants, cli->pool);
    if (rv == APR_SUCCESS && !grants->nelts)
        rv = APR_ENOENT;
    if (rv == APR_SUCCESS)
        rv = oas_store_lineage(db, id, LINEAGE_MAX, &tokens, cli->pool);
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, apr_pstrcat(cli->pool, "grant ", operand, NULL));
    return print_tree(cli, &APR_ARRAY_IDX(grants, 0, oas_grant_entry_t), tokens);
}

/** Which grants `grant revoke` is about. */
typedef struct {
    const char *grant_id, *sub, *client_id, *restored;
} selection_t;

static apr_status_t end_grants(oas_db_t *db, const selection_t *which, const unsigned char *id,
                               apr_int64_t time, apr_int64_t *ended, apr_pool_t *pool)
{
    if (which->restored)
        return oas_store_grants_end_before(db, time, REASON_RESTORED, ended, pool);
    if (!which->grant_id)
        return oas_store_grants_end(db, which->sub, which->client_id, REASON, ended, pool);
    *ended = 1;
    return oas_store_grant_end(db, id, REASON, pool);
}

static int revoke_and_tell(cli_t *cli, oas_db_t *db, const selection_t *which,
                           const unsigned char *id, apr_int64_t time)
{
    json_t *what = oas_json_object(cli->pool);
    apr_int64_t ended;
    apr_status_t rv = end_grants(db, which, id, time, &ended, cli->pool);

    if (which->grant_id && rv != APR_SUCCESS)
        return cli_store_failed(rv, apr_pstrcat(cli->pool, "live grant ", which->grant_id, NULL));
    oas_json_set(what, "grant_id", which->grant_id);
    oas_json_set(what, "sub", which->sub);
    oas_json_set(what, "client_id", which->client_id);
    oas_json_set(what, "restored", which->restored);
    return cli_ended(cli, db, rv, ended, what);
}

int cli_grant_revoke(cli_t *cli)
{
    selection_t which = {.grant_id = NULL};
    const cli_option_t options[] = {
        {.name = "grant", .value = &which.grant_id},
        {.name = "sub", .value = &which.sub},
        {.name = "client", .value = &which.client_id},
        {.name = "restored", .value = &which.restored},
        {.name = NULL},
    };
    unsigned char id[OAS_ID_LEN];
    apr_int64_t time = 0;
    oas_db_t *db;
    int code = cli_parse(cli, options, NULL, 0);

    if (code != CLI_DONE)
        return code;
    if ((which.grant_id != NULL) + (which.sub || which.client_id) + (which.restored != NULL) != 1)
        return cli_fail(CLI_USAGE, "which grants? Give --grant ID, or --sub SUB, --client ID or "
                                   "both of these, or --restored TIME");
    if (which.grant_id)
        code = cli_id(id, which.grant_id, "grant_id", cli->pool);
    if (which.restored)
        code = cli_time(&time, which.restored);
    db = code == CLI_DONE ? cli_database(cli, &code) : NULL;
    return db ? revoke_and_tell(cli, db, &which, id, time) : code;
}
