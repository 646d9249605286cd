/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include <string.h>
#include <apr_strings.h>
#include "../store/session.h"
#include "steps.h"
#include "throttle.h"

/* Asks the providers in order; only one that does not know the name hands on to the next. */
static oas_password_result_t ask_providers(oas_tx_t *tx, const oas_words_t *providers,
                                           const char *username, const char *password,
                                           oas_identity_t *identity)
{
    oas_password_result_t result = OAS_PASSWORD_UNKNOWN;
    int i;

    for (i = 0; i < providers->nelts && result == OAS_PASSWORD_UNKNOWN; i++) {
        oas_db_release(tx->db); /* a directory may take long, or hang */
        identity->provider = OAS_WORD(providers, i);
        result = tx->host->check_password(tx, identity->provider, username, password, identity);
    }
    return result;
}

static oas_login_result_t failed_login(oas_tx_t *tx, oas_password_result_t result,
                                       const oas_throttle_attempt_t *attempt)
{
    if (result == OAS_PASSWORD_UNAVAILABLE || result == OAS_PASSWORD_BUSY) {
        oas_store_throttle_forgive(tx->db, attempt, tx->pool);
        oas_login_audit_failure(tx, OAS_AUDIT_LOGIN_FAILED,
                                result == OAS_PASSWORD_BUSY ? "busy" : "unavailable",
                                OAS_OPTION_PASSWORD);
        return result == OAS_PASSWORD_BUSY ? OAS_LOGIN_BUSY : OAS_LOGIN_UNAVAILABLE;
    }
    return oas_login_wrong(tx);
}

oas_login_result_t oas_login_verify(oas_tx_t *tx, const char *provider, const char *username,
                                    const char *password, oas_login_t *out)
{
    oas_words_t *only = oas_words_create(tx->pool);
    oas_identity_t identity = {0};
    oas_password_result_t result = OAS_PASSWORD_UNKNOWN;
    apr_status_t rv;
    int wait_s = 0;

    if (provider != NULL) {
        oas_words_add(only, provider);
    }
    oas_throttle_describe(tx, username, out->account, &out->attempt);
    rv = oas_store_throttle_attempt(tx->db, &out->attempt, &wait_s, tx->pool);
    if (rv != APR_SUCCESS) {
        oas_store_fault(tx, OAS_TAG(00505), rv, "login attempt not counted");
        return OAS_LOGIN_FAILED;
    }
    if (wait_s > 0) {
        tx->retry_after = wait_s;
        oas_login_audit_failure(tx, OAS_AUDIT_LOGIN_THROTTLED, NULL, OAS_OPTION_PASSWORD);
        return OAS_LOGIN_THROTTLED;
    }
    if (strlen(username) <= OAS_USERNAME_MAX && strlen(password) <= OAS_PASSWORD_MAX) {
        result = ask_providers(tx, provider != NULL ? only : tx->issuer->password_providers,
                               username, password, &identity);
    }
    if (result != OAS_PASSWORD_GRANTED) {
        return failed_login(tx, result, &out->attempt);
    }
    out->counted = 1;
    out->fresh = 1;
    out->auth_time = OAS_AUTH_NOW;
    return oas_login_describe(tx, &identity, oas_login_option_find(tx->issuer, OAS_OPTION_PASSWORD),
                              out) == OAS_NEXT
               ? OAS_LOGIN_DONE
               : OAS_LOGIN_FAILED;
}

oas_login_result_t oas_login_password(oas_tx_t *tx, const char *username, const char *password)
{
    oas_login_t *login = apr_pcalloc(tx->pool, sizeof(*login));
    oas_login_result_t result = oas_login_verify(tx, NULL, username, password, login);

    return result == OAS_LOGIN_DONE ? oas_login_go_on(tx, oas_login_steps, login, NULL) : result;
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
