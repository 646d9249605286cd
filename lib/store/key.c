/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include <string.h>
#include <apr_strings.h>
#include "runner.h"

/* The columns of both statements that give keys. */
enum { KID, ALG, STATE, VERSION, SEALED, CREATED, USABLE, ACTIVATED, RETIRED, ENDS, RING, DUE };

oas_bytes_t oas_key_row_sealed(const oas_key_row_t *row)
{
    const oas_bytes_t out = {row->sealed, row->sealed_len};

    return out;
}

static int copy_text(char *out, apr_size_t size, const char *text)
{
    if (!text || strlen(text) >= size)
        return 0;
    memcpy(out, text, strlen(text) + 1);
    return 1;
}

/* 0: it is none that this version can read. */
static int read_key(void *member, const oas_rows_t *rows, int row, apr_pool_t *pool)
{
    oas_key_row_t *out = member;
    const char *state = oas_cell(rows, row, STATE), *hex = oas_cell(rows, row, SEALED);

    if (!copy_text(out->kid, sizeof(out->kid), oas_cell(rows, row, KID)) ||
        !copy_text(out->alg, sizeof(out->alg), oas_cell(rows, row, ALG)) || !state || !hex)
        return 0;
    out->state = oas_key_state_find(state);
    out->version = oas_cell_int(rows, row, VERSION);
    out->times.created = oas_cell_int(rows, row, CREATED);
    out->times.usable = oas_cell_int(rows, row, USABLE);
    out->times.activated = oas_cell_int(rows, row, ACTIVATED);
    out->times.retired = oas_cell_int(rows, row, RETIRED);
    out->times.ends = oas_cell_int(rows, row, ENDS);
    out->sealed_len = strlen(hex) / 2;
    return out->state != OAS_KEY_STATES && out->sealed_len <= sizeof(out->sealed) &&
           oas_hex_decode(hex, out->sealed, out->sealed_len) == APR_SUCCESS;
}

static apr_status_t read_keys(oas_db_t *db, oas_stmt_id_t id, const oas_rows_t *rows, int first,
                              apr_array_header_t **out, apr_pool_t *pool)
{
    if (rows->count - first > OAS_KEYS_MAX)
        return oas_db_unreadable(db, id);
    if (oas_rows_list(out, rows, first, sizeof(oas_key_row_t), read_key, pool) > 0)
        oas_db_unreadable(db, id); /* the others count: one of them may be gone */
    return APR_SUCCESS;
}

static const char *seconds_or_null(apr_interval_time_t time, apr_pool_t *pool)
{
    return time ? oas_sql_seconds(time, pool) : NULL;
}

static apr_array_header_t *split(const char *list, apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, 2, sizeof(const char *));
    char *rest, *part = apr_strtok(apr_pstrdup(pool, list), ",", &rest);

    for (; part; part = apr_strtok(NULL, ",", &rest))
        APR_ARRAY_PUSH(parts, const char *) = part;
    return parts;
}

apr_status_t oas_store_keys_follow(oas_db_t *db, const oas_keys_ask_t *ask, oas_keys_told_t *out,
                                   apr_pool_t *pool)
{
    const char *const params[] = {
        ask->have,
        apr_pstrcat(pool, "{", apr_array_pstrcat(pool, ask->algs, ','), "}", NULL),
        oas_sql_int(ask->token, pool),
        oas_sql_seconds(ask->lead, pool),
        seconds_or_null(ask->rotate, pool),
        oas_sql_seconds(ask->ahead, pool),
    };
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, OAS_STMT_KEYS_FOLLOW, params, &rows, pool);

    if (rv != APR_SUCCESS)
        return rv;
    out->ring = oas_cell(rows, 0, RING);
    if (!out->ring || strlen(out->ring) > OAS_RING_MAX || !oas_cell(rows, 0, DUE))
        return oas_db_unreadable(db, OAS_STMT_KEYS_FOLLOW);
    out->due = split(oas_cell(rows, 0, DUE), pool);
    out->rows = NULL;
    if (ask->have && !strcmp(ask->have, out->ring))
        return APR_SUCCESS;
    return read_keys(db, OAS_STMT_KEYS_FOLLOW, rows, 1, &out->rows, pool);
}

static const oas_outcome_name_t put_words[] = {
    {"active", OAS_KEY_PUT_ACTIVE}, {"next", OAS_KEY_PUT_NEXT}, {"known", OAS_KEY_PUT_KNOWN},
    {"taken", OAS_KEY_PUT_TAKEN},   {"full", OAS_KEY_PUT_FULL}, {NULL, 0}};
static const oas_outcome_name_t change_words[] = {
    {"activated", OAS_KEY_ACTIVATED}, {"active", OAS_KEY_IS_ACTIVE}, {"early", OAS_KEY_EARLY},
    {"unknown", OAS_KEY_UNKNOWN},     {"retired", OAS_KEY_RETIRES},  {"needed", OAS_KEY_NEEDED},
    {"withdrawn", OAS_KEY_WITHDRAWN}, {"removed", OAS_KEY_REMOVED},  {NULL, 0}};

/* Runs a function that answers with a word. */
static apr_status_t run_word(oas_db_t *db, oas_stmt_id_t id, const char *const *params,
                             const oas_outcome_name_t *words, oas_key_outcome_t *out,
                             apr_pool_t *pool)
{
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run_row(db, id, params, &rows, pool);
    int outcome;

    if (rv != APR_SUCCESS)
        return rv;
    if (!oas_cell_outcome(rows, 0, 0, words, &outcome))
        return oas_db_unreadable(db, id);
    *out = (oas_key_outcome_t)outcome;
    return APR_SUCCESS;
}

apr_status_t oas_store_key_put(oas_db_t *db, const char *kid, const char *alg, oas_bytes_t sealed,
                               apr_interval_time_t lead, oas_key_state_t only,
                               oas_key_outcome_t *out, apr_pool_t *pool)
{
    const char *const params[] = {kid, alg, oas_sql_bytes(sealed.data, sealed.len, pool),
                                  seconds_or_null(lead, pool),
                                  only != OAS_KEY_STATES ? oas_key_state_names[only] : NULL};

    if (sealed.len > OAS_SEALED_KEY_MAX)
        return APR_ENOSPC;
    return run_word(db, OAS_STMT_KEY_PUT, params, put_words, out, pool);
}

apr_status_t oas_store_key_activate(oas_db_t *db, const char *kid, int early,
                                    oas_key_outcome_t *out, apr_pool_t *pool)
{
    const char *const params[] = {kid, early ? "t" : "f"};

    return run_word(db, OAS_STMT_KEY_ACTIVATE, params, change_words, out, pool);
}

apr_status_t oas_store_key_retire(oas_db_t *db, const char *kid, int now, oas_key_outcome_t *out,
                                  apr_pool_t *pool)
{
    const char *const params[] = {kid, now ? "t" : "f"};

    return run_word(db, OAS_STMT_KEY_RETIRE, params, change_words, out, pool);
}

apr_status_t oas_store_key_reseal(oas_db_t *db, const char *kid, apr_int64_t version,
                                  oas_bytes_t sealed, apr_pool_t *pool)
{
    const char *const params[] = {kid, oas_sql_int(version, pool),
                                  oas_sql_bytes(sealed.data, sealed.len, pool)};

    return oas_db_run_row(db, OAS_STMT_KEY_RESEAL, params, NULL, pool);
}

apr_status_t oas_store_key_list(oas_db_t *db, apr_array_header_t **out, apr_pool_t *pool)
{
    oas_rows_t *rows;
    apr_status_t rv = oas_db_run(db, OAS_STMT_KEY_LIST, NULL, &rows, pool);

    return rv == APR_SUCCESS ? read_keys(db, OAS_STMT_KEY_LIST, rows, 0, out, pool) : rv;
}
