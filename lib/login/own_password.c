/* SPDX-License-Identifier: Apache-2.0 */
#include "own_password.h"

#include <string.h>
#include "../base/handle.h"
#include "../store/user.h"
#include "cookie.h"
#include "hash.h"
#include "hasher.h"
#include "password.h"

static apr_size_t characters(const char *text)
{
    apr_size_t count = 0;

    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

oas_new_password_t oas_new_password_check(const char *password, const char *again)
{
    if (!oas_equal_str(password, again)) {
        return OAS_NEW_PASSWORD_MISMATCH;
    }
    if (characters(password) < OAS_NEW_PASSWORD_MIN) {
        return OAS_NEW_PASSWORD_SHORT;
    }
    return strlen(password) > OAS_PASSWORD_MAX ? OAS_NEW_PASSWORD_LONG : OAS_NEW_PASSWORD_GOOD;
}

int oas_own_password_is_ours(const oas_tx_t *tx)
{
    return tx->session->builtin != NULL;
}

static oas_login_result_t hash_failed(oas_tx_t *tx, apr_status_t rv)
{
    if (rv == APR_EAGAIN) {
        return OAS_LOGIN_BUSY;
    }
    oas_fault(tx, OAS_TAG(00990), OAS_E_SERVER, rv, "new password not hashed");
    return OAS_LOGIN_FAILED;
}

static oas_login_result_t write_change(oas_tx_t *tx, const oas_login_t *login, const char *hash)
{
    unsigned char id[OAS_ID_LEN];
    unsigned char secret_hash[OAS_SHA256_LEN];
    int known = oas_cookie_session(tx, id, secret_hash) == APR_SUCCESS;
    apr_status_t rv =
        oas_store_user_change(tx->db, login->name, login->proof, hash, known ? id : NULL, tx->pool);

    if (rv == APR_ENOENT) {
        return oas_login_overtaken(tx, login);
    }
    if (rv != APR_SUCCESS) {
        oas_store_fault(tx, OAS_TAG(00991), rv, "password not changed");
        return OAS_LOGIN_FAILED;
    }
    oas_audit(tx, OAS_AUDIT_PASSWORD_CHANGED, NULL, NULL);
    return OAS_LOGIN_DONE;
}

/* The same session, as strong as it was, behind a new handle; the attempt is given back with it.
 * What fails here is in the log and costs a sign-in at most: the password has been changed. */
static void renew_session(oas_tx_t *tx, oas_login_t *login, const char *hash)
{
    login->proof = oas_password_proof(hash, tx->pool);
    login->amr = tx->session->amr;
    login->acr = tx->session->acr;
    login->option = tx->session->option;
    login->auth_time = tx->session->auth_time;
    tx->keep = tx->session->persistent;
    (void)oas_login_open(tx, login);
}

oas_login_result_t oas_own_password_change(oas_tx_t *tx, const char *current, const char *password)
{
    oas_login_t login = {0};
    oas_login_result_t result;
    const char *hash;
    apr_status_t rv;

    result = oas_login_verify(tx, OAS_BUILTIN_PROVIDER, tx->session->builtin, current, &login);
    if (result != OAS_LOGIN_DONE) {
        return result;
    }
    if (strcmp(login.sub, tx->session->sub) != 0) { /* OAuth2ASSubject says something else now */
        return oas_login_wrong(tx);
    }
    oas_db_release(tx->db);
    rv = oas_hasher_hash(tx->hasher, &hash, password, tx->issuer->password_cost, tx->pool);
    if (rv != APR_SUCCESS) {
        return hash_failed(tx, rv);
    }
    result = write_change(tx, &login, hash);
    if (result == OAS_LOGIN_DONE) {
        renew_session(tx, &login, hash);
    }
    return result;
}
