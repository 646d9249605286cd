/* SPDX-License-Identifier: Apache-2.0 */
#include "settle.h"

#include <string.h>
#include "unsettled.h"

static oas_unsettled_t *list_of(const oas_db_t *db)
{
    return oas_db_gate(db) ? oas_gate_unsettled(oas_db_gate(db)) : NULL;
}

void oas_settle_later(oas_db_t *db, const oas_stmt_t *stmt, const char *const *params)
{
    oas_unsettled_t *list = list_of(db);
    oas_undo_t undo;
    apr_status_t rv = list ? oas_undo_of(&undo, stmt, params) : APR_ENOTIMPL;

    if (rv == APR_SUCCESS)
        rv = oas_unsettled_put(list, &undo);
    if (rv == APR_SUCCESS)
        oas_log(oas_db_log(db), OAS_LOG_WARNING, OAS_TAG(01141), APR_SUCCESS,
                "nobody knows whether statement %s was carried out; if so, it will be undone",
                stmt->label);
    else
        oas_log(oas_db_log(db), OAS_LOG_ERROR, OAS_TAG(01142), rv,
                "nobody knows whether statement %s was carried out; a repetition may be refused",
                stmt->label);
}

static apr_status_t settle_one(oas_db_t *db, const oas_undo_t *undo, apr_pool_t *pool)
{
    const char *params[OAS_UNDO_PARAMS];
    apr_status_t rv;
    int i;

    for (i = 0; i < OAS_UNDO_PARAMS; i++)
        params[i] = undo->given[i] ? undo->params[i] : NULL;
    rv = oas_db_run_true(db, undo->statement, params, pool);
    if (rv == OAS_DB_UNAVAILABLE)
        oas_unsettled_put(list_of(db), undo);
    else
        oas_unsettled_done(undo);
    if (rv == APR_SUCCESS)
        oas_log(oas_db_log(db), OAS_LOG_INFO, OAS_TAG(01143), APR_SUCCESS,
                "what nobody could be told of was undone (statement %s)",
                oas_statements[undo->statement].label);
    return rv;
}

/* Stops at a row that somebody holds, because each one waited for is time in which others want the
 * connection; it is the last of the list then, so the others come first next time. */
void oas_db_settle(oas_db_t *db)
{
    oas_unsettled_t *list = list_of(db);
    int left = list ? oas_unsettled_count(list) : 0;
    apr_pool_t *pool;
    oas_undo_t undo;

    if (!left || apr_pool_create(&pool, oas_db_pool(db)) != APR_SUCCESS)
        return;
    while (left-- > 0 && oas_unsettled_take(list, &undo)) {
        if (settle_one(db, &undo, pool) == OAS_DB_UNAVAILABLE)
            break;
    }
    apr_pool_destroy(pool);
}

/* What this node has to undo of the grant or assertion that is presented. */
static apr_status_t settle_own(oas_db_t *db, const char *presented, apr_pool_t *pool)
{
    oas_unsettled_t *list = list_of(db);
    oas_undo_t undo;

    while (presented && oas_unsettled_count(list) &&
           oas_unsettled_take_of(list, presented, &undo)) {
        if (settle_one(db, &undo, pool) == OAS_DB_UNAVAILABLE)
            return OAS_DB_UNAVAILABLE;
    }
    return APR_SUCCESS;
}

apr_status_t oas_settle_pause(oas_db_t *db)
{
    oas_gate_t *gate = oas_db_gate(db);

    oas_db_release(db);
    if (!gate)
        return APR_SUCCESS;
    if (!oas_gate_pause(gate))
        return OAS_DB_UNAVAILABLE;
    apr_sleep(OAS_SETTLE_PAUSE);
    oas_gate_resume(gate);
    return APR_SUCCESS;
}

/* Whether what the attempt presents seems to be used already. APR_ENOENT: it does not. */
static apr_status_t ask_spent(oas_db_t *db, const oas_stmt_t *stmt, const char *const *params,
                              apr_pool_t *pool)
{
    const char *token[4];

    memcpy(token, params, 3 * sizeof(token[0])); /* grant, hash, client */
    token[3] = stmt->undo_params[2] ? params[stmt->undo_params[2] - 1] : NULL; /* the window */
    return oas_db_run_true(db, OAS_STMT_ATTEMPT_SPENT, token, pool);
}

/* While answers of the database get lost, what seems to be used already may be what another process
 * or node is about to undo: it gets the time to do so before anybody is condemned, and as long as
 * there may be nodes that cannot, nobody is. Whoever is one too many to wait is to come again, and
 * so is he of whom nobody can say whether he has to. */
static apr_status_t let_others_settle(oas_db_t *db, const oas_stmt_t *stmt,
                                      const char *const *params, apr_pool_t *pool)
{
    apr_status_t rv;

    if (stmt->undo != OAS_STMT_ATTEMPT_UNDO || oas_gate_faith(oas_db_gate(db)) == OAS_GATE_SURE)
        return APR_SUCCESS;
    rv = ask_spent(db, stmt, params, pool);
    if (rv == APR_SUCCESS)
        rv = oas_settle_pause(db);
    if (rv == APR_SUCCESS && oas_gate_faith(oas_db_gate(db)) == OAS_GATE_RETURNED) {
        rv = ask_spent(db, stmt, params, pool);
        if (rv == APR_SUCCESS)
            return OAS_DB_UNAVAILABLE;
    }
    return rv == APR_ENOENT ? APR_SUCCESS : rv;
}

apr_status_t oas_settle_before(oas_db_t *db, const oas_stmt_t *stmt, const char *const *params,
                               apr_pool_t *pool)
{
    apr_status_t rv;

    if (!oas_db_gate(db) || !OAS_STMT_IS_ATTEMPT(stmt))
        return APR_SUCCESS;
    rv = settle_own(db, params[stmt->undo_params[0] - 1], pool);
    return rv == APR_SUCCESS ? let_others_settle(db, stmt, params, pool) : rv;
}
