/* SPDX-License-Identifier: Apache-2.0 */
#include "signin.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../store/session.h"
#include "cookie.h"
#include "known.h"
#include "subject.h"

#define NAME_MAX_LEN   256
#define USER_AGENT_MAX 512

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

/* What the option stands for. */
static void describe_method(oas_tx_t *tx, const oas_login_option_t *option, oas_login_t *out)
{
    out->amr = option != NULL && option->amr != NULL ? oas_words_join(option->amr, tx->pool) : "";
    out->acr = option != NULL ? option->acr : NULL;
    out->option = option != NULL ? option->id : NULL;
}

oas_outcome_t oas_login_describe(oas_tx_t *tx, const oas_identity_t *identity,
                                 const oas_login_option_t *option, oas_login_t *out)
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
    out->auth_time = OAS_AUTH_NOW;
    describe_method(tx, option, out);
    return OAS_NEXT;
}

static void count(const oas_tx_t *tx, const char *id, oas_metric_login_t outcome)
{
    const oas_login_option_t *option = id != NULL ? oas_login_option_find(tx->issuer, id) : NULL;

    oas_count(OAS_M_LOGINS, option != NULL ? option->metric : 0, (int)outcome);
}

void oas_login_audit(oas_tx_t *tx, const oas_login_t *login)
{
    oas_members_t *more = oas_members_create(tx->pool);

    count(tx, login->option, OAS_METRIC_LOGIN_SUCCESS);
    oas_members_string(more, "provider", login->provider);
    oas_members_string(more, "option", login->option);
    oas_members_string(more, "amr", login->amr);
    oas_members_string(more, "acr", login->acr);
    oas_audit(tx, OAS_AUDIT_LOGIN, NULL, more);
}

/* What was typed as a name stays out: it may be a password in the wrong field. */
void oas_login_audit_failure(oas_tx_t *tx, oas_metric_login_t outcome, const char *option)
{
    static const char *const reasons[OAS_METRIC_LOGINS] = {
        [OAS_METRIC_LOGIN_WRONG] = "wrong",
        [OAS_METRIC_LOGIN_REFUSED] = "refused",
        [OAS_METRIC_LOGIN_UNAVAILABLE] = "unavailable",
        [OAS_METRIC_LOGIN_BUSY] = "busy",
    };
    oas_members_t *more = oas_members_create(tx->pool);
    int throttled = outcome == OAS_METRIC_LOGIN_THROTTLED;

    count(tx, option, outcome);
    oas_members_string(more, "option", option);
    if (throttled) {
        oas_members_integer(more, "wait", tx->retry_after);
    }
    oas_audit(tx, throttled ? OAS_AUDIT_LOGIN_THROTTLED : OAS_AUDIT_LOGIN_FAILED, reasons[outcome],
              more);
}

oas_login_result_t oas_login_wrong(oas_tx_t *tx)
{
    oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(00504), APR_SUCCESS,
            "sign-in refused: wrong user name or password client=%s ref=%s",
            tx->client != NULL ? tx->client->client_id : "-", tx->request_id);
    oas_login_audit_failure(tx, OAS_METRIC_LOGIN_WRONG, OAS_OPTION_PASSWORD);
    return OAS_LOGIN_WRONG;
}

oas_login_result_t oas_login_overtaken(oas_tx_t *tx, const oas_login_t *login)
{
    if (login->proof != NULL) {
        oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(00880), APR_SUCCESS,
                "the password was changed or its user locked while it was checked ref=%s",
                tx->request_id);
        return oas_login_wrong(tx);
    }
    oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(01291), APR_SUCCESS,
            "sign-in by %s refused: a built-in user that is the same person is locked ref=%s",
            login->provider, tx->request_id);
    oas_login_audit_failure(tx, OAS_METRIC_LOGIN_REFUSED, login->option);
    return OAS_LOGIN_WRONG;
}

/* The login as the store wants it, but for what is random and what the browser had before. */
static oas_session_new_t session_of(const oas_tx_t *tx, const oas_login_t *login)
{
    oas_session_new_t in = {.sub = login->sub,
                            .provider = login->provider,
                            .name = login->name,
                            .claims = login->claims,
                            .proof = login->proof,
                            .amr = login->amr,
                            .acr = login->acr,
                            .auth_time = login->auth_time,
                            .option = login->option,
                            .persistent = tx->keep,
                            .once = login->once,
                            .attempt = login->counted ? &login->attempt : NULL,
                            .lifetime = tx->issuer->lifetimes[OAS_LIFETIME_SESSION],
                            .idle = tx->issuer->lifetimes[OAS_LIFETIME_SESSION_IDLE],
                            .address = tx->request.address,
                            .user_agent =
                                storable(tx->request.user_agent, USER_AGENT_MAX, tx->pool)};

    return in;
}

/* The id of the session, and its secret. */
static apr_status_t make_handle(const oas_login_t *login, oas_session_new_t *in,
                                unsigned char secret[OAS_SECRET_LEN])
{
    apr_status_t rv = oas_random(secret, OAS_SECRET_LEN);

    if (login->once) {
        memcpy(in->session_id, login->session_id, OAS_ID_LEN);
    } else if (rv == APR_SUCCESS) {
        rv = oas_random(in->session_id, OAS_ID_LEN);
    }
    oas_sha256(secret, OAS_SECRET_LEN, in->secret_hash);
    return rv;
}

/* The store did not open it. */
static oas_login_result_t not_opened(oas_tx_t *tx, const oas_login_t *login, apr_status_t rv)
{
    if (rv == APR_ENOENT) {
        return oas_login_overtaken(tx, login);
    }
    if (rv == APR_EEXIST) {
        oas_refuse(tx, OAS_TAG(01031), OAS_E_FORM_STALE,
                   "this login has opened its session before");
    } else {
        oas_store_fault(tx, OAS_TAG(00503), rv, "session not opened");
    }
    return OAS_LOGIN_FAILED;
}

oas_login_result_t oas_login_open(oas_tx_t *tx, const oas_login_t *login)
{
    oas_session_new_t in = session_of(tx, login);
    oas_session_t *session = apr_pcalloc(tx->pool, sizeof(*session));
    unsigned char secret[OAS_SECRET_LEN];
    unsigned char old_id[OAS_ID_LEN];
    unsigned char old_hash[OAS_SHA256_LEN];
    oas_bytes_t id;
    apr_status_t rv;

    if (make_handle(login, &in, secret) != APR_SUCCESS) {
        oas_fault(tx, OAS_TAG(00502), OAS_E_SERVER, APR_EGENERAL, "no random numbers");
        return OAS_LOGIN_FAILED;
    }
    if (oas_cookie_session(tx, old_id, old_hash) == APR_SUCCESS) {
        in.old_session_id = old_id;
        in.old_secret_hash = old_hash;
    }
    rv = oas_store_session_open(tx->db, &in, session, tx->pool);
    if (rv != APR_SUCCESS ||
        oas_base64url_decode(tx->pool, session->id, strlen(session->id), &id) != APR_SUCCESS ||
        id.len != OAS_ID_LEN) {
        oas_wipe(secret, sizeof(secret));
        return not_opened(tx, login, rv);
    }
    oas_cookie_set_session(tx, id.data, secret,
                           tx->keep ? tx->issuer->lifetimes[OAS_LIFETIME_SESSION] : 0);
    oas_wipe(secret, sizeof(secret));
    if (login->counted) {
        oas_known_remember(tx, login->account);
    }
    session->name = login->display;
    tx->session = session;
    tx->login_time = login->fresh ? session->auth_time : 0;
    oas_login_audit(tx, login);
    return OAS_LOGIN_DONE;
}

oas_outcome_t oas_login_refuse(oas_tx_t *tx, oas_login_result_t result)
{
    if (result == OAS_LOGIN_WRONG) {
        return oas_refuse(tx, OAS_TAG(00510), OAS_E_PASSWORD_WRONG, NULL);
    }
    if (result == OAS_LOGIN_THROTTLED) {
        return oas_refuse(tx, OAS_TAG(00750), OAS_E_THROTTLED, NULL);
    }
    if (result == OAS_LOGIN_BUSY) {
        tx->retry_after = 5;
        return oas_refuse(tx, OAS_TAG(01010), OAS_E_SIGN_IN_BUSY, NULL);
    }
    if (result == OAS_LOGIN_UNAVAILABLE) {
        tx->retry_after = 5;
        return oas_fault(tx, OAS_TAG(00751), OAS_E_SIGN_IN_UNAVAILABLE, APR_SUCCESS,
                         "no authn provider could tell");
    }
    return OAS_FAILED;
}
