/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include <string.h>
#include <apr_strings.h>
#include "../store/session.h"
#include "desk.h"
#include "known.h"
#include "steps.h"
#include "throttle.h"

static oas_login_result_t busy_login(oas_tx_t *tx)
{
    oas_login_audit_failure(tx, OAS_METRIC_LOGIN_BUSY, OAS_OPTION_PASSWORD);
    return OAS_LOGIN_BUSY;
}

static oas_login_result_t failed_login(oas_tx_t *tx, oas_password_result_t result,
                                       const oas_throttle_attempt_t *attempt)
{
    if (result != OAS_PASSWORD_UNAVAILABLE && result != OAS_PASSWORD_BUSY) {
        return oas_login_wrong(tx);
    }
    oas_store_throttle_forgive(tx->db, attempt, tx->pool);
    if (result == OAS_PASSWORD_BUSY) {
        return busy_login(tx);
    }
    oas_login_audit_failure(tx, OAS_METRIC_LOGIN_UNAVAILABLE, OAS_OPTION_PASSWORD);
    return OAS_LOGIN_UNAVAILABLE;
}

/* Counts the attempt; it waits in the database for others from the same address, so not many may.
 */
static oas_login_result_t count_attempt(oas_tx_t *tx, const oas_throttle_attempt_t *attempt)
{
    oas_gate_place_t place = {0};
    apr_status_t rv;
    int wait_s = 0;

    oas_db_release(tx->db);
    if (tx->desk != NULL &&
        oas_gate_enter(tx->desk->statements, OAS_DESK_PATIENCE, &place) != APR_SUCCESS) {
        return busy_login(tx);
    }
    rv = oas_store_throttle_attempt(tx->db, attempt, &wait_s, tx->pool);
    oas_db_release(tx->db);
    oas_gate_leave(&place);
    if (rv != APR_SUCCESS) {
        oas_store_fault(tx, OAS_TAG(00505), rv, "login attempt not counted");
        return OAS_LOGIN_FAILED;
    }
    if (wait_s > 0) {
        tx->retry_after = wait_s;
        oas_login_audit_failure(tx, OAS_METRIC_LOGIN_THROTTLED, OAS_OPTION_PASSWORD);
        return OAS_LOGIN_THROTTLED;
    }
    return OAS_LOGIN_DONE;
}

static oas_login_result_t verify(oas_tx_t *tx, const char *provider, const char *username,
                                 const char *password, oas_login_t *out)
{
    oas_identity_t identity = {0};
    oas_password_result_t result;
    oas_login_result_t counted;

    oas_throttle_describe(tx, username, out->account, &out->attempt);
    counted = count_attempt(tx, &out->attempt);
    if (counted != OAS_LOGIN_DONE) {
        return counted;
    }
    result = oas_ask_providers(tx, provider, username, password, &identity);
    if (result != OAS_PASSWORD_GRANTED) {
        return failed_login(tx, result, &out->attempt);
    }
    out->attempt.forgets = oas_throttle_forgets(tx, username, identity.name);
    out->counted = 1;
    out->fresh = 1;
    return oas_login_describe(tx, &identity, oas_login_option_find(tx->issuer, OAS_OPTION_PASSWORD),
                              out) == OAS_NEXT
               ? OAS_LOGIN_DONE
               : OAS_LOGIN_FAILED;
}

oas_login_result_t oas_login_verify(oas_tx_t *tx, const char *provider, const char *username,
                                    const char *password, oas_login_t *out)
{
    oas_gate_place_t place = {0};
    oas_login_result_t result;

    if (tx->desk != NULL && oas_gate_enter(tx->desk->sign_ins, 0, &place) != APR_SUCCESS) {
        return busy_login(tx);
    }
    result = verify(tx, provider, username, password, out);
    oas_gate_leave(&place);
    return result;
}

oas_login_result_t oas_login_password(oas_tx_t *tx, const char *username, const char *password)
{
    oas_login_t *login = apr_pcalloc(tx->pool, sizeof(*login));
    oas_login_result_t result = oas_login_verify(tx, NULL, username, password, login);

    return result == OAS_LOGIN_DONE ? oas_login_go_on(tx, oas_login_steps, login, NULL) : result;
}

const char *oas_login_typed_name(const oas_tx_t *tx)
{
    const oas_session_t *session = tx->session;
    unsigned char name[OAS_SHA256_LEN];
    oas_throttle_attempt_t attempt;

    if (session->login == NULL || session->option == NULL ||
        strcmp(session->option, OAS_OPTION_PASSWORD) != 0) {
        return NULL;
    }
    oas_throttle_describe(tx, session->login, name, &attempt);
    return oas_known_device(tx, name) != NULL ? session->login : NULL;
}

oas_outcome_t oas_accept_password(oas_tx_t *tx)
{
    const char *realm =
        tx->mask == OAS_GRANT_PASSWORD_REALM ? oas_params_get(tx->params, "realm") : NULL;
    oas_login_result_t result;

    tx->login = apr_pcalloc(tx->pool, sizeof(*tx->login));
    result = oas_login_verify(tx, realm, oas_params_get(tx->params, "username"),
                              oas_params_get(tx->params, "password"), tx->login);
    return result == OAS_LOGIN_DONE ? OAS_NEXT : oas_login_refuse(tx, result);
}
