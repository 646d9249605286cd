/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/audit.h"
#include "../base/json.h"
#include "../store/session.h"
#include "cookie.h"
#include "subject.h"
#include "throttle.h"

#define NAME_MAX_LEN   256
#define USER_AGENT_MAX 512

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

/* `text` as the database takes it: the first `max` bytes, NULL when they are not UTF-8. */
static const char *storable(const char *text, apr_size_t max, apr_pool_t *pool)
{
    apr_size_t len = text != NULL ? strlen(text) : 0;

    len = len < max ? len : max;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
        len--; /* not in the middle of a character */
    }
    return len > 0 && oas_utf8_valid(text, len) ? apr_pstrmemdup(pool, text, len) : NULL;
}

static const char *name_of(const char *text, apr_pool_t *pool)
{
    const char *name = storable(text, NAME_MAX_LEN, pool);

    return name != NULL ? name : "?";
}

/* Fills who it is, from what the provider said. */
static oas_outcome_t describe(oas_tx_t *tx, const oas_identity_t *identity, oas_login_t *out)
{
    const char *display;
    json_t *claims;
    apr_status_t rv;

    rv = oas_subject_make(tx, identity, &out->sub);
    if (rv == APR_SUCCESS) {
        rv = oas_subject_claims(tx, &claims);
    }
    if (rv != APR_SUCCESS) {
        return oas_fault(tx, OAS_TAG(00501), OAS_E_SERVER, rv,
                         "subject or claims of a user cannot be made");
    }
    out->provider = identity->provider;
    display = oas_json_string(claims, "name");
    out->name = name_of(identity->name, tx->pool);
    out->display = display != NULL ? name_of(display, tx->pool) : out->name;
    out->claims = oas_json_text(tx->pool, claims);
    out->proof = identity->proof;
    out->amr = "pwd";
    return OAS_NEXT;
}

void oas_login_audit(oas_tx_t *tx, const oas_login_t *login)
{
    json_t *more = oas_json_object(tx->pool);

    oas_json_set(more, "provider", login->provider);
    oas_json_set(more, "amr", login->amr);
    oas_audit(tx, OAS_AUDIT_LOGIN, NULL, more);
}

/* What was typed as a name stays out: it may be a password in the wrong field. */
static void audit_failure(oas_tx_t *tx, oas_audit_event_t event, const char *reason)
{
    json_t *more = oas_json_object(tx->pool);

    if (event == OAS_AUDIT_LOGIN_THROTTLED) {
        json_object_set_new(more, "wait", json_integer(tx->retry_after));
    }
    oas_audit(tx, event, reason, more);
}

static oas_login_result_t wrong_login(oas_tx_t *tx)
{
    oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(00504), APR_SUCCESS,
            "sign-in refused: wrong user name or password client=%s ref=%s",
            tx->client != NULL ? tx->client->client_id : "-", tx->request_id);
    audit_failure(tx, OAS_AUDIT_LOGIN_FAILED, "wrong");
    return OAS_LOGIN_WRONG;
}

oas_login_result_t oas_login_overtaken(oas_tx_t *tx)
{
    oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(00880), APR_SUCCESS,
            "the password was changed or its user locked while it was checked ref=%s",
            tx->request_id);
    return wrong_login(tx);
}

static oas_login_result_t open_session(oas_tx_t *tx, const oas_login_t *login)
{
    oas_session_new_t in = {.sub = login->sub,
                            .provider = login->provider,
                            .name = login->name,
                            .claims = login->claims,
                            .proof = login->proof,
                            .amr = login->amr,
                            .lifetime = tx->issuer->lifetimes[OAS_LIFETIME_SESSION],
                            .idle = tx->issuer->lifetimes[OAS_LIFETIME_SESSION_IDLE],
                            .address = tx->request.address,
                            .user_agent =
                                storable(tx->request.user_agent, USER_AGENT_MAX, tx->pool),
                            .throttle_pair = login->attempt.key[OAS_THROTTLE_PAIR],
                            .throttle_account = login->attempt.key[OAS_THROTTLE_ACCOUNT],
                            .throttle_address = login->attempt.key[OAS_THROTTLE_ADDRESS]};
    oas_session_t *session = apr_pcalloc(tx->pool, sizeof(*session));
    unsigned char secret[OAS_SECRET_LEN];
    unsigned char old_id[OAS_ID_LEN];
    unsigned char old_hash[OAS_SHA256_LEN];
    oas_bytes_t id;
    apr_status_t rv;

    if (oas_random(in.session_id, OAS_ID_LEN) != APR_SUCCESS ||
        oas_random(secret, sizeof(secret)) != APR_SUCCESS) {
        oas_fault(tx, OAS_TAG(00502), OAS_E_SERVER, APR_EGENERAL, "no random numbers");
        return OAS_LOGIN_FAILED;
    }
    oas_sha256(secret, sizeof(secret), in.secret_hash);
    if (oas_cookie_session(tx, old_id, old_hash) == APR_SUCCESS) {
        in.old_session_id = old_id;
        in.old_secret_hash = old_hash;
    }
    rv = oas_store_session_open(tx->db, &in, session, tx->pool);
    if (rv == APR_ENOENT) {
        oas_wipe(secret, sizeof(secret));
        return oas_login_overtaken(tx);
    }
    if (rv != APR_SUCCESS ||
        oas_base64url_decode(tx->pool, session->id, strlen(session->id), &id) != APR_SUCCESS ||
        id.len != OAS_ID_LEN) {
        oas_wipe(secret, sizeof(secret));
        oas_store_fault(tx, OAS_TAG(00503), rv, "session not opened");
        return OAS_LOGIN_FAILED;
    }
    oas_cookie_set_session(tx, id.data, secret);
    oas_wipe(secret, sizeof(secret));
    session->name = login->display;
    tx->session = session;
    tx->login_time = session->auth_time;
    oas_login_audit(tx, login);
    return OAS_LOGIN_DONE;
}

static oas_login_result_t failed_login(oas_tx_t *tx, oas_password_result_t result,
                                       const oas_throttle_attempt_t *attempt)
{
    if (result == OAS_PASSWORD_UNAVAILABLE) {
        oas_store_throttle_forgive(tx->db, attempt, tx->pool);
        audit_failure(tx, OAS_AUDIT_LOGIN_FAILED, "unavailable");
        return OAS_LOGIN_UNAVAILABLE;
    }
    return wrong_login(tx);
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
    oas_throttle_describe(tx, username, &out->attempt);
    rv = oas_store_throttle_attempt(tx->db, &out->attempt, &wait_s, tx->pool);
    if (rv != APR_SUCCESS) {
        oas_store_fault(tx, OAS_TAG(00505), rv, "login attempt not counted");
        return OAS_LOGIN_FAILED;
    }
    if (wait_s > 0) {
        tx->retry_after = wait_s;
        audit_failure(tx, OAS_AUDIT_LOGIN_THROTTLED, NULL);
        return OAS_LOGIN_THROTTLED;
    }
    if (strlen(username) <= OAS_USERNAME_MAX && strlen(password) <= OAS_PASSWORD_MAX) {
        result = ask_providers(tx, provider != NULL ? only : tx->issuer->password_providers,
                               username, password, &identity);
    }
    if (result != OAS_PASSWORD_GRANTED) {
        return failed_login(tx, result, &out->attempt);
    }
    return describe(tx, &identity, out) == OAS_NEXT ? OAS_LOGIN_DONE : OAS_LOGIN_FAILED;
}

oas_login_result_t oas_login_password(oas_tx_t *tx, const char *username, const char *password)
{
    oas_login_t login = {0};
    oas_login_result_t result = oas_login_verify(tx, NULL, username, password, &login);

    return result == OAS_LOGIN_DONE ? open_session(tx, &login) : result;
}

oas_outcome_t oas_login_refuse(oas_tx_t *tx, oas_login_result_t result)
{
    if (result == OAS_LOGIN_WRONG) {
        return oas_refuse(tx, OAS_TAG(00510), OAS_E_PASSWORD_WRONG, NULL);
    }
    if (result == OAS_LOGIN_THROTTLED) {
        return oas_refuse(tx, OAS_TAG(00750), OAS_E_THROTTLED, NULL);
    }
    if (result == OAS_LOGIN_UNAVAILABLE) {
        tx->retry_after = 5;
        return oas_fault(tx, OAS_TAG(00751), OAS_E_SIGN_IN_UNAVAILABLE, APR_SUCCESS,
                         "no authn provider could tell");
    }
    return OAS_FAILED;
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
