/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file store_settle.h
 * What the suites about attempts of which nobody could be told share.
 */
#ifndef OAS_TEST_STORE_SETTLE_H
#define OAS_TEST_STORE_SETTLE_H

#include "../../lib/store/runner.h"
#include "../../lib/store/unsettled.h"
#include "store_db.h"

static oas_session_t session;
static oas_grant_t grant;
static oas_gate_t *gate;
static oas_refresh_child_t children[1];
static oas_refresh_result_t result;

static inline void gate_setup(void)
{
    db_setup();
    ck_assert_int_eq(oas_gate_create(&gate, pool), APR_SUCCESS);
    db = cluster_db(conn, TEST_ISSUER, gate, pool);
}

static inline oas_unsettled_t *list(void)
{
    return oas_gate_unsettled(gate);
}

/* As when the statement's answer was lost until the request's time was over. */
static inline void forget(oas_stmt_id_t id, const char *const *params)
{
    oas_undo_t undo;

    ck_assert_int_eq(oas_undo_of(&undo, &oas_statements[id], params), APR_SUCCESS);
    ck_assert_int_eq(oas_unsettled_put(list(), &undo), APR_SUCCESS);
}

static inline void forget_redemption(const oas_code_redeem_t *in)
{
    const char *params[OAS_STMT_PARAMS_MAX] = {NULL};

    params[0] = oas_sql_id(in->grant_id, pool);
    params[6] = oas_sql_id(in->attempt, pool);
    forget(OAS_STMT_CODE_REDEEM, params);
}

static inline void forget_rotation(const oas_refresh_t *in)
{
    const char *params[OAS_STMT_PARAMS_MAX] = {NULL};

    params[0] = oas_sql_id(in->grant_id, pool);
    params[10] = oas_sql_seconds(in->window, pool);
    params[13] = oas_sql_id(in->attempt, pool);
    forget(OAS_STMT_REFRESH, params);
}

static inline oas_refresh_outcome_t refresh(const oas_refresh_t *in)
{
    ck_assert_int_eq(oas_store_refresh(db, in, &result, &grant, pool), APR_SUCCESS);
    return result.outcome;
}

/* The client asks again, in another request. */
static inline oas_refresh_outcome_t again(oas_refresh_t *in)
{
    fill_random(in->attempt, OAS_ID_LEN);
    return refresh(in);
}

static inline oas_refresh_t family(const char *sub, apr_interval_time_t window)
{
    oas_session_new_t login = open_session(sub, &session);
    oas_code_put_t code = new_code(&login);
    oas_refresh_t in;

    new_children(children, 1);
    in = start_family_bound(&code, children, 1, NULL, &grant);
    in.window = window;
    return in;
}

static inline const char *lineage(const oas_refresh_t *in)
{
    return cell_of_grant("string_agg(generation || '<' || coalesce(parent, 0), ' ' "
                         "ORDER BY generation)",
                         "oas_refresh_tokens", in->grant_id);
}

static inline void lose_an_answer(void)
{
    oas_gate_place_t place;

    ck_assert_int_eq(oas_gate_faith(gate), OAS_GATE_SURE);
    oas_gate_size(gate, 2);
    oas_db_release(db);
    ck_assert_int_eq(oas_gate_enter(gate, 0, &place), APR_SUCCESS);
    oas_gate_note_loss(&place);
    oas_gate_leave(&place);
    ck_assert_int_eq(oas_gate_faith(gate), OAS_GATE_LOSES);
}

#endif
