/* SPDX-License-Identifier: Apache-2.0 */
/* The deletion of what has ended, which servers do in the background. */
#include "output.h"

#include "../lib/base/json.h"
#include "../lib/store/purge.h"

#define COUNT_MAX 100000 /* rows of a table that are counted */

static json_t *row_json(const oas_purge_row_t *row)
{
    json_t *json = json_object();

    oas_json_set(json, "table", row->table);
    json_object_set_new(json, "due", json_integer(row->due));
    json_object_set_new(json, "more", json_boolean(row->due >= COUNT_MAX));
    json_object_set_new(json, "since", cli_json_time(row->oldest));
    return json;
}

int cli_purge_status(cli_t *cli)
{
    static const cli_column_t columns[] = {{"table", "TABLE"},
                                           {"due", "ROWS DUE"},
                                           {"more", "MORE"},
                                           {"since", "SINCE"},
                                           {NULL, NULL}};
    static const cli_column_t lines[] = {{"last_complete", "last complete"}, {NULL, NULL}};
    const cli_option_t options[] = {CLI_OPTION_OUTPUT(cli), {.name = NULL}};
    json_t *status = oas_json_object(cli->pool), *tables = json_array();
    apr_array_header_t *rows;
    apr_int64_t done;
    apr_status_t rv;
    int i, code;
    oas_db_t *db = cli_open(cli, options, NULL, 0, &code);

    if (!db)
        return code;
    rv = oas_store_purge_status(db, COUNT_MAX, &rows, &done, cli->pool);
    json_object_set_new(status, "last_complete", cli_json_time(rv == APR_SUCCESS ? done : 0));
    json_object_set_new(status, "tables", tables);
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, "state");
    for (i = 0; i < rows->nelts; i++)
        json_array_append_new(tables, row_json(&APR_ARRAY_IDX(rows, i, oas_purge_row_t)));
    cli_print_object(cli, status, lines);
    return cli->json ? CLI_DONE : cli_print_list(cli, tables, columns);
}
