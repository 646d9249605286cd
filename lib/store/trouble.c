/* SPDX-License-Identifier: Apache-2.0 */
#include "trouble.h"

#include <string.h>
#include <apr_atomic.h>
#include "../base/clock.h"
#include "../base/tx.h"

typedef struct {
    const char *prefix;
    oas_trouble_t trouble;
} sqlstate_t;

static const sqlstate_t sqlstates[] = {
    {"08", OAS_TROUBLE_LOST},          {"57P", OAS_TROUBLE_LOST},
    {"57014", OAS_TROUBLE_CANCELLED},  {"55P03", OAS_TROUBLE_LOCKED},
    {"53", OAS_TROUBLE_RESOURCES},     {"25006", OAS_TROUBLE_READ_ONLY},
    {"26000", OAS_TROUBLE_UNPREPARED}, {"0A000", OAS_TROUBLE_UNPREPARED},
    {"OA001", OAS_TROUBLE_LATE},       {"40", OAS_TROUBLE_CONFLICT},
    {"XX000", OAS_TROUBLE_CONFLICT}, /* the table that it waited for was made anew */
    {"42P01", OAS_TROUBLE_SCHEMA},     {"42883", OAS_TROUBLE_SCHEMA},
    {"42703", OAS_TROUBLE_SCHEMA},     {"3F000", OAS_TROUBLE_SCHEMA},
    {"42501", OAS_TROUBLE_PRIVILEGE},  {"22021", OAS_TROUBLE_INPUT},
    {"22P02", OAS_TROUBLE_INPUT},      {"22P05", OAS_TROUBLE_INPUT},
    {"23505", OAS_TROUBLE_EXISTS},     {"58", OAS_TROUBLE_BROKEN},
    {"XX", OAS_TROUBLE_BROKEN},
};

typedef struct {
    apr_status_t status;
    oas_log_level_t level;
    const char *tag; /* NULL: not logged */
    const char *text;
} trouble_row_t;

static const trouble_row_t rows[OAS_TROUBLE_COUNT] = {
    [OAS_TROUBLE_NONE] = {APR_SUCCESS, OAS_LOG_DEBUG, NULL, NULL},
    [OAS_TROUBLE_GATE] = {OAS_DB_UNAVAILABLE, OAS_LOG_WARNING, OAS_TAG(00200),
                          "no database connection came free in time"},
    [OAS_TROUBLE_BORROW] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00201),
                            "the database cannot be reached"},
    [OAS_TROUBLE_DRIVER] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00202),
                            "the database driver is not pgsql (DBDriver pgsql)"},
    [OAS_TROUBLE_RESET] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00203),
                           "the connection to the database was lost and cannot be made again"},
    [OAS_TROUBLE_LOST] = {OAS_DB_UNAVAILABLE, OAS_LOG_WARNING, OAS_TAG(00204),
                          "the connection to the database was lost"},
    [OAS_TROUBLE_DEADLINE] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00205),
                              "the database did not answer in time"},
    [OAS_TROUBLE_CANCELLED] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00206),
                               "the database cancelled a statement that took too long"},
    [OAS_TROUBLE_LOCKED] = {OAS_DB_UNAVAILABLE, OAS_LOG_WARNING, OAS_TAG(01230),
                            "a row of the database is held by somebody else for too long"},
    [OAS_TROUBLE_RESOURCES] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00207),
                               "the database is out of connections, memory or disk"},
    [OAS_TROUBLE_READ_ONLY] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00208),
                               "the database is read-only"},
    [OAS_TROUBLE_UNPREPARED] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00209),
                                "a statement cannot be prepared"},
    [OAS_TROUBLE_LATE] = {OAS_DB_UNAVAILABLE, OAS_LOG_WARNING, OAS_TAG(01140),
                          "the database would have begun with a statement too late"},
    [OAS_TROUBLE_CONFLICT] = {OAS_DB_UNAVAILABLE, OAS_LOG_WARNING, OAS_TAG(00210),
                              "a statement conflicted with others again and again"},
    [OAS_TROUBLE_SCHEMA] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00211),
                            "the schema is missing or has another version, or this role has no "
                            "USAGE of it: run oauth2asctl schema apply --grant-to ROLE"},
    [OAS_TROUBLE_ISSUER] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00212),
                            "the schema belongs to another issuer"},
    [OAS_TROUBLE_PRIVILEGE] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(00213),
                               "the database role lacks privileges: run oauth2asctl schema apply "
                               "--grant-to ROLE"},
    [OAS_TROUBLE_INPUT] = {APR_EINVAL, OAS_LOG_DEBUG, NULL, NULL},
    [OAS_TROUBLE_EXISTS] = {APR_EEXIST, OAS_LOG_DEBUG, NULL, NULL},
    [OAS_TROUBLE_UNREADABLE] = {APR_EGENERAL, OAS_LOG_ERROR, OAS_TAG(00217),
                                "the database holds what this version cannot read"},
    [OAS_TROUBLE_BROKEN] = {OAS_DB_UNAVAILABLE, OAS_LOG_ERROR, OAS_TAG(01272),
                            "the database has an error of its own: see its log"},
    [OAS_TROUBLE_OTHER] = {APR_EGENERAL, OAS_LOG_ERROR, OAS_TAG(00214),
                           "the database refused a statement"},
};

oas_trouble_t oas_trouble_of(const char *sqlstate)
{
    apr_size_t i;

    if (!sqlstate)
        return OAS_TROUBLE_LOST;
    for (i = 0; i < sizeof(sqlstates) / sizeof(sqlstates[0]); i++) {
        if (!strncmp(sqlstate, sqlstates[i].prefix, strlen(sqlstates[i].prefix)))
            return sqlstates[i].trouble;
    }
    return OAS_TROUBLE_OTHER;
}

apr_status_t oas_trouble_status(oas_trouble_t trouble)
{
    return rows[trouble].status;
}

/* 1 for the first caller of each second. */
static int first_now(oas_trouble_t trouble)
{
    static volatile apr_uint32_t last[OAS_TROUBLE_COUNT];
    apr_uint32_t now = (apr_uint32_t)apr_time_sec(oas_clock()) + 1;
    apr_uint32_t before = apr_atomic_read32(&last[trouble]);

    return before != now && apr_atomic_cas32(&last[trouble], now, before) == before;
}

void oas_trouble_log(const oas_log_t *log, oas_trouble_t trouble, const char *label,
                     const char *detail)
{
    const trouble_row_t *row = &rows[trouble];

    if (log && row->tag && first_now(trouble))
        oas_log(log, row->level, row->tag, APR_SUCCESS, "%s%s%s%s%s%s", row->text,
                label ? " (statement " : "", label ? label : "", label ? ")" : "",
                detail ? ": " : "", detail ? detail : "");
}
