/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of browsers: who is signed in where, and the end of it. */
#include "output.h"

#include <stdio.h>
#include <string.h>
#include <apr_strings.h>
#include "../lib/base/bytes.h"
#include "../lib/base/json.h"
#include "../lib/login/device.h"
#include "../lib/store/account.h"
#include "../lib/store/grant_admin.h"

static json_t *session_json(const oas_session_row_t *row, apr_pool_t *pool)
{
    json_t *json = json_object();

    oas_json_set(json, "sid", row->id);
    json_object_set_new(json, "created", cli_json_time(row->created));
    json_object_set_new(json, "last_used", cli_json_time(row->last_used));
    json_object_set_new(json, "auth_time", cli_json_time(row->auth_time));
    oas_json_set(json, "address", row->address);
    oas_json_set(json, "browser", oas_device_text(row->user_agent, pool));
    oas_json_set(json, "user_agent", row->user_agent);
    oas_json_set(json, "option", row->option);
    json_object_set_new(json, "persistent", json_boolean(row->persistent));
    return json;
}

int cli_session_list(cli_t *cli)
{
    static const cli_column_t columns[] = {
        {"sid", "SID"},       {"browser", "BROWSER"},     {"address", "ADDRESS"},
        {"created", "SINCE"}, {"last_used", "LAST USED"}, {NULL, NULL}};
    const cli_option_t options[] = {CLI_OPTION_OUTPUT(cli), {.name = NULL}};
    json_t *list = oas_json_own(cli->pool, json_array());
    apr_array_header_t *rows;
    const char *sub;
    apr_status_t rv;
    int i, code, skip = 0, more;
    oas_db_t *db = cli_open(cli, options, &sub, 1, &code);

    if (!db)
        return code;
    do {
        rv = oas_store_sessions_list(db, sub, skip, &rows, &more, cli->pool);
        if (rv != APR_SUCCESS)
            return cli_store_failed(rv, sub);
        for (i = 0; i < rows->nelts; i++)
            json_array_append_new(
                list, session_json(&APR_ARRAY_IDX(rows, i, oas_session_row_t), cli->pool));
        skip += rows->nelts;
    } while (more);
    return cli_print_list(cli, list, columns);
}

static int end_one(cli_t *cli, oas_db_t *db, const char *sid)
{
    unsigned char id[OAS_ID_LEN];
    int code = cli_id(id, sid, "sid", cli->pool);
    apr_status_t rv;

    if (code != CLI_DONE)
        return code;
    rv = oas_store_session_end_own(db, NULL, id, cli->pool);
    return rv == APR_SUCCESS
               ? cli_audit_one(cli, db, "sid", sid)
               : cli_store_failed(rv, apr_pstrcat(cli->pool, "live session ", sid, NULL));
}

static int end_all(cli_t *cli, oas_db_t *db, const char *sub)
{
    json_t *what = oas_json_object(cli->pool);
    int ended;
    apr_status_t rv = oas_store_sessions_end_others(db, sub, NULL, &ended, cli->pool);

    if (rv == APR_SUCCESS && !ended)
        rv = APR_ENOENT;
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, apr_pstrcat(cli->pool, "live session of ", sub, NULL));
    printf("%d ended\n", ended);
    oas_json_set(what, "sub", sub);
    json_object_set_new(what, "count", json_integer(ended));
    return cli_audit(cli, db, what);
}

static int end_restored(cli_t *cli, oas_db_t *db, const char *text)
{
    json_t *what = oas_json_object(cli->pool);
    apr_int64_t time, ended;
    int code = cli_time(&time, text);
    apr_status_t rv;

    if (code != CLI_DONE)
        return code;
    oas_json_set(what, "restored", text);
    rv = oas_store_sessions_end_before(db, time, "restored", &ended, cli->pool);
    return cli_ended(cli, db, rv, ended, what);
}

int cli_session_end(cli_t *cli)
{
    const char *all = NULL, *restored = NULL, *operand;
    const cli_option_t options[] = {{.name = "all", .value = &all, .is_flag = 1},
                                    {.name = "restored", .value = &restored, .is_flag = 1},
                                    {.name = NULL}};
    int code;
    oas_db_t *db = cli_open(cli, options, &operand, 1, &code);

    if (!db)
        return code;
    if (all && restored)
        return cli_fail(CLI_USAGE, "--all or --restored, not both");
    return (all ? end_all : restored ? end_restored : end_one)(cli, db, operand);
}
