/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of browsers: who is signed in where, and the end of it. */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <apr_strings.h>
#include "../lib/base/bytes.h"
#include "../lib/base/json.h"
#include "../lib/login/device.h"
#include "../lib/store/account.h"

static const char *time_text(apr_int64_t seconds, apr_pool_t *pool)
{
    char text[24];
    apr_size_t len;
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, apr_time_from_sec(seconds));
    apr_strftime(text, &len, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &t);
    return apr_pstrdup(pool, text);
}

/* What browsers call themselves is for the terminal to show, not to carry out. */
static const char *harmless(const char *text, apr_pool_t *pool)
{
    char *out = apr_pstrdup(pool, text ? text : "unknown"), *p;

    for (p = out; *p; p++) {
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            *p = '?';
    }
    return out;
}

static void print_json(const apr_array_header_t *rows, apr_pool_t *pool)
{
    json_t *list = oas_json_own(pool, json_array());
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const oas_session_row_t *row = &APR_ARRAY_IDX(rows, i, oas_session_row_t);
        json_t *json = json_object();

        oas_json_set(json, "sid", row->id);
        oas_json_set(json, "created", time_text(row->created, pool));
        oas_json_set(json, "last_used", time_text(row->last_used, pool));
        oas_json_set(json, "auth_time", row->auth_time ? time_text(row->auth_time, pool) : NULL);
        oas_json_set(json, "address", row->address);
        oas_json_set(json, "user_agent", row->user_agent);
        oas_json_set(json, "option", row->option);
        json_object_set_new(json, "persistent", json_boolean(row->persistent));
        json_array_append_new(list, json);
    }
    json_dumpf(list, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
}

static void print_text(const apr_array_header_t *rows, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const oas_session_row_t *row = &APR_ARRAY_IDX(rows, i, oas_session_row_t);

        printf("%s  %-20s %-15s since %s, last used %s\n", row->id,
               harmless(oas_device_text(row->user_agent, pool), pool), harmless(row->address, pool),
               time_text(row->created, pool), time_text(row->last_used, pool));
    }
}

int cli_session_list(cli_t *cli)
{
    const char *json = NULL, *sub;
    const cli_option_t options[] = {{.name = "json", .value = &json, .is_flag = 1}, {.name = NULL}};
    apr_array_header_t *rows;
    int code = cli_parse(cli, options, &sub, 1);
    apr_status_t rv;
    oas_db_t *db;

    if (code != CLI_DONE)
        return code;
    db = cli_database(cli, &code);
    if (!db)
        return code;
    rv = oas_store_sessions_list(db, sub, &rows, cli->pool);
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, sub);
    (json ? print_json : print_text)(rows, cli->pool);
    return CLI_DONE;
}

static int end_one(oas_db_t *db, const char *sid, apr_pool_t *pool)
{
    const char *what = apr_pstrcat(pool, "live session ", sid, NULL);
    oas_bytes_t id;
    apr_status_t rv = oas_base64url_decode(pool, sid, strlen(sid), &id);

    if (rv != APR_SUCCESS || id.len != OAS_ID_LEN)
        return cli_fail(CLI_USAGE, "%s is no sid: 22 characters, as in ID tokens", sid);
    rv = oas_store_session_end_own(db, NULL, id.data, pool);
    return rv == APR_SUCCESS ? CLI_DONE : cli_store_failed(rv, what);
}

static int end_all(oas_db_t *db, const char *sub, apr_pool_t *pool)
{
    int ended;
    apr_status_t rv = oas_store_sessions_end_others(db, sub, NULL, &ended, pool);

    if (rv == APR_SUCCESS && !ended)
        rv = APR_ENOENT;
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, apr_pstrcat(pool, "live session of ", sub, NULL));
    printf("%d ended\n", ended);
    return CLI_DONE;
}

int cli_session_end(cli_t *cli)
{
    const char *all = NULL, *operand;
    const cli_option_t options[] = {{.name = "all", .value = &all, .is_flag = 1}, {.name = NULL}};
    int code = cli_parse(cli, options, &operand, 1);
    oas_db_t *db;

    if (code != CLI_DONE)
        return code;
    db = cli_database(cli, &code);
    if (!db)
        return code;
    return (all ? end_all : end_one)(db, operand, cli->pool);
}
