/* SPDX-License-Identifier: Apache-2.0 */
#include "authn.h"

#include <string.h>
#include <ap_provider.h>
#include <apr_strings.h>
#include <mod_auth.h>
#include "../login/builtin.h"
#include "../login/desk.h"
#include "../login/hasher.h"
#include "attributes.h"
#include "database.h"
#include "request.h"

/**
 * The request whose per-directory configuration counts: that of the authorize endpoint, wherever
 * the password came in.
 */
static request_rec *login_request(oas_tx_t *tx)
{
    request_rec *r = tx->host_baton;
    oas_request_state_t *state = oas_request_state(r);

    if (state->login_r == NULL) {
        state->login_r =
            tx->endpoint == OAS_EP_AUTHORIZE
                ? r
                : ap_sub_req_lookup_uri(tx->issuer->endpoint_paths[OAS_EP_AUTHORIZE], r, NULL);
    }
    return state->login_r;
}

/** How a provider is asked. */
typedef enum {
    BY_ITSELF, /* it keeps within bounds */
    BY_HASHER, /* its work is mostly hashing */
    BY_GATE    /* it may wait for somebody else, for long */
} manner_t;

typedef struct {
    const char *name;
    manner_t manner;
    int ignores_case;     /* it takes Alice and alice for one */
    int fails_for_one;    /* AUTH_GENERAL_ERROR may be about this user, not about all */
    int may_use_database; /* it may take a connection of mod_dbd, until the request ends */
    /* what it calls a user; NULL: r->user. It returns NULL when that is not clear */
    const char *(*name_of)(request_rec *r, const char *typed);
} manners_t;

/** The last row is for all that are not known. */
static const manners_t manners[] = {
    {OAS_BUILTIN_PROVIDER, BY_ITSELF, 1, 0, 0, NULL},
    {"file", BY_HASHER, 0, 0, 0, NULL},
    {"dbm", BY_HASHER, 0, 0, 0, NULL},
    {"dbd", BY_HASHER, 0, 0, 1, NULL},
    {"ldap", BY_GATE, 1, 1, 0, oas_attributes_ldap_name},
    {"anon", BY_GATE, 0, 0, 0, NULL},
    {NULL, BY_GATE, 0, 0, 1, NULL},
};

/** What is known of a provider, by whatever <AuthnProviderAlias> it goes. */
static const manners_t *manners_of(const oas_server_config_t *config, const char *provider)
{
    const char *base = apr_table_get(config->aliases, provider);
    const manners_t *row = manners;

    while (row->name != NULL && strcmp(row->name, base != NULL ? base : provider) != 0) {
        row++;
    }
    return row;
}

int oas_authn_ignores_case(const oas_server_config_t *config)
{
    const oas_words_t *names = config->issuer.password_providers;
    int i;

    for (i = 0; i < names->nelts; i++) {
        if (!manners_of(config, OAS_WORD(names, i))->ignores_case) {
            return 0;
        }
    }
    return 1;
}

static oas_password_result_t result_of(authn_status status)
{
    switch (status) {
    case AUTH_GRANTED:
        return OAS_PASSWORD_GRANTED;
    case AUTH_DENIED:
        return OAS_PASSWORD_DENIED;
    case AUTH_USER_NOT_FOUND:
        return OAS_PASSWORD_UNKNOWN;
    default:
        return OAS_PASSWORD_UNAVAILABLE;
    }
}

/** One question to a provider, on whichever thread. */
typedef struct {
    const authn_provider *provider;
    request_rec *r;
    const char *user, *password;
    authn_status status;
} question_t;

static void put(void *baton)
{
    question_t *question = baton;

    question->status =
        question->provider->check_password(question->r, question->user, question->password);
}

/** Waits until one more may be asked. */
static apr_status_t put_by_gate(oas_tx_t *tx, question_t *question)
{
    apr_time_t came = apr_time_now();
    oas_gate_place_t place;

    if (oas_gate_enter(tx->desk->providers, OAS_DESK_PATIENCE, &place) != APR_SUCCESS) {
        return APR_EAGAIN;
    }
    tx->waited += apr_time_now() - came;
    put(question);
    oas_gate_leave(&place);
    return APR_SUCCESS;
}

static oas_password_result_t ask(oas_tx_t *tx, manner_t manner, question_t *question)
{
    oas_request_state_t *state = oas_request_state(question->r);
    apr_status_t rv = APR_SUCCESS;

    state->proof = NULL;
    state->busy = 0;
    state->waited = 0;
    switch (manner) {
    case BY_ITSELF:
        put(question);
        tx->waited += state->waited;
        break;
    case BY_HASHER:
        rv = oas_hasher_run(tx->hasher, put, question, &tx->waited);
        break;
    case BY_GATE:
        rv = put_by_gate(tx, question);
        break;
    }
    return rv == APR_SUCCESS && !state->busy ? result_of(question->status) : OAS_PASSWORD_BUSY;
}

/**
 * A directory may refuse to check one account's password, with the same error as when it is away:
 * that would tell that the account exists, and nothing would be counted. So it is asked about a
 * user who cannot exist: where it knows that, the other answer is a verdict.
 */
static oas_password_result_t doubt(oas_tx_t *tx, manner_t manner, const question_t *question)
{
    question_t probe = *question;
    unsigned char random[OAS_ID_LEN];

    if (oas_random(random, sizeof(random)) != APR_SUCCESS) {
        return OAS_PASSWORD_UNAVAILABLE;
    }
    probe.user = probe.password = probe.r->user =
        oas_hex_encode(probe.r->pool, random, sizeof(random));
    oas_attributes_forget(probe.r);
    if (ask(tx, manner, &probe) != OAS_PASSWORD_UNKNOWN) {
        return OAS_PASSWORD_UNAVAILABLE;
    }
    oas_log(tx->log, OAS_LOG_INFO, OAS_TAG(01020), APR_SUCCESS,
            "the provider answers, but does not check the password of this user: taken as wrong "
            "ref=%s",
            tx->request_id);
    return OAS_PASSWORD_DENIED;
}

static const char *name_of(request_rec *r, const manners_t *row, const char *typed)
{
    if (row->name_of != NULL) {
        return row->name_of(r, typed);
    }
    return r->user != NULL && *r->user != '\0' ? r->user : typed;
}

static oas_password_result_t nameless(oas_tx_t *tx, const char *provider)
{
    oas_log(
        tx->log, OAS_LOG_WARNING, OAS_TAG(01021), APR_SUCCESS,
        "provider %s: the password is right, but which name the entry goes by is not clear, so "
        "it is refused; AuthLDAPURL must name the attribute, and one of its values must be what "
        "is typed ref=%s",
        provider, tx->request_id);
    return OAS_PASSWORD_DENIED;
}

oas_password_result_t oas_authn_check(oas_tx_t *tx, const char *provider, const char *user,
                                      const char *password, oas_identity_t *identity)
{
    request_rec *r = login_request(tx);
    const manners_t *row = manners_of(oas_server_config(r->server), provider);
    question_t question = {
        ap_lookup_provider(AUTHN_PROVIDER_GROUP, provider, AUTHN_PROVIDER_VERSION), r, user,
        password, AUTH_GENERAL_ERROR};
    char *user_before = r->user;
    oas_password_result_t result;

    if (question.provider == NULL || question.provider->check_password == NULL) {
        return OAS_PASSWORD_UNAVAILABLE;
    }
    oas_request_state(tx->host_baton)->share_connection |= row->may_use_database;
    oas_attributes_forget(r);
    r->user = apr_pstrdup(r->pool, user);
    /* an <AuthnProviderAlias> finds itself by this note, as under mod_auth_basic */
    apr_table_setn(r->notes, AUTHN_PROVIDER_NAME_NOTE, provider);
    result = ask(tx, row->manner, &question);
    if (result == OAS_PASSWORD_UNAVAILABLE && row->fails_for_one) {
        result = doubt(tx, row->manner, &question);
    }
    apr_table_unset(r->notes, AUTHN_PROVIDER_NAME_NOTE);
    if (result == OAS_PASSWORD_GRANTED) {
        identity->name = name_of(r, row, user);
        result = identity->name != NULL ? result : nameless(tx, provider);
    }
    if (result != OAS_PASSWORD_GRANTED) {
        oas_attributes_forget(r);
        r->user = user_before;
        return result;
    }
    identity->provider = provider;
    identity->proof = oas_request_state(r)->proof;
    identity->ignores_case = row->ignores_case;
    return OAS_PASSWORD_GRANTED;
}

static authn_status check_builtin(request_rec *r, const char *user, const char *password)
{
    const oas_server_config_t *config = oas_server_config(r->server);
    const oas_builtin_t how = {config->hasher, config->issuer.password_cost,
                               &oas_request_state(r)->waited};
    oas_builtin_user_t found = {0};

    if (oas_request_claimed(r) ==
        NULL) { /* under AuthBasicProvider, perhaps behind mod_authn_dbd */
        oas_request_state(r)->share_connection = 1;
    }
    switch (oas_builtin_check(oas_request_db(r), &how, user, password, &found, r->pool)) {
    case OAS_PASSWORD_GRANTED:
        oas_attributes_export(r, found.claims);
        r->user = apr_pstrdup(r->pool, found.name);
        oas_request_state(r)->proof = found.proof;
        return AUTH_GRANTED;
    case OAS_PASSWORD_DENIED:
        return AUTH_DENIED;
    case OAS_PASSWORD_UNKNOWN:
        return AUTH_USER_NOT_FOUND;
    case OAS_PASSWORD_BUSY:
        oas_request_state(r)->busy = 1;
        break;
    case OAS_PASSWORD_UNAVAILABLE:
        break;
    }
    return AUTH_GENERAL_ERROR;
}

void oas_authn_register(apr_pool_t *pool)
{
    static const authn_provider provider = {check_builtin, NULL};

    ap_register_provider(pool, AUTHN_PROVIDER_GROUP, OAS_BUILTIN_PROVIDER, AUTHN_PROVIDER_VERSION,
                         &provider);
}
